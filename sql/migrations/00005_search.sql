-- +goose Up
-- What the search of the catalogue stands on. PostgreSQL's own parser takes
-- "16/20" for a file and "-5" in "OIL-5" for a number, so the words are cut
-- here, the way the portal cuts what is typed: letters and digits, in lower
-- case, without accents; "25lb" is also 25 and lb. The word that a description
-- begins with is there once more, after a ^.

-- +goose StatementBegin
create function erp.search_words(p_codes text, p_description text) returns tsvector
language sql immutable parallel safe
as $$
  select array_to_tsvector(array(
    select left(w, 60) from regexp_split_to_table(t.codes || ' ' || t.words || ' ' || regexp_replace(t.words, '([0-9])([[:alpha:]])', '\1 \2', 'g'), '[^[:alnum:]]+') w
      where w <> ''
    union all
    select '^' || left(substring(t.words from '[[:alnum:]]+'), 60) where t.words ~ '[[:alnum:]]'))
  from (select left(lower(p_codes), 200) as codes,
    translate(lower(left(p_description, 2000)), 'àáâãäåçèéêëìíîïñòóôõöøùúûüýÿ', 'aaaaaaceeeeiiiinoooooouuuuyy') as words) t
$$;
-- +goose StatementEnd
comment on function erp.search_words(text, text) is 'The words of an item as the search knows them. Changed only with the column erp.item.search.';
grant execute on function erp.search_words(text, text) to public; -- whoever writes items computes the column

alter table erp.item drop column search;
alter table erp.item add column search tsvector
  generated always as (erp.search_words(item_no || ' ' || coalesce(barcode, ''), description)) stored;
grant select (search) on erp.item to portal_web;

-- Without a list of pending entries, which every search would read through
-- after an import until the next vacuum.
create index item_search on erp.item using gin (search) with (fastupdate = off);
create index item_description_trgm on erp.item using gin (description public.gin_trgm_ops) with (fastupdate = off);
create index customer_item_their_no on erp.customer_item (customer_id, lower(their_item_no));

-- Customers' requests have no right to stock figures. This much they may ask,
-- unless stock is hidden from them.
create view portal.stocked_item with (security_barrier) as
  select s.item_id from erp.stock s
  where s.warehouse = (select co.warehouse from erp.company co) and s.on_hand > s.allocated
    and (select w.see_stock <> 'hidden' from erp.web_access w where w.customer_id = portal.customer_id());
comment on view portal.stocked_item is 'Items in stock, for the customer that the transaction acts for.';
grant select on portal.stocked_item to portal_web;

-- +goose Down
drop view portal.stocked_item;
drop index erp.customer_item_their_no, erp.item_description_trgm;
alter table erp.item drop column search;
drop function erp.search_words(text, text);
alter table erp.item add column search tsvector generated always as (
  setweight(to_tsvector('simple', item_no), 'A') ||
  setweight(to_tsvector('simple', coalesce(barcode, '')), 'A') ||
  setweight(to_tsvector('simple', description), 'B')) stored;
grant select (search) on erp.item to portal_web;
create index item_search on erp.item using gin (search);
