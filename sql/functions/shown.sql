-- What a form says that its page showed. A confirmation is worth exactly that:
-- see docs/decisions/0008-forms-carry-what-was-shown.md.
--
-- As text it is JSON: one array a line, [item_no, uom, qty, price], all strings,
-- the price null where the page had none. To who sees no prices the price is
-- sealed (portal.sealed_price): it can be compared and not read.

-- The lines that a form carries; null where it carries none, or none that can be
-- read, which counts as a page that showed nothing.
create or replace function portal.shown_lines(p_shown text) returns jsonb
language plpgsql immutable set search_path = pg_catalog, pg_temp
as $$
declare
  lines jsonb;
begin
  if coalesce(p_shown, '') = '' then
    return null;
  end if;
  lines := p_shown::jsonb;
  if jsonb_typeof(lines) <> 'array' or exists (select from jsonb_array_elements(lines) l
    where jsonb_typeof(l) <> 'array') then
    return null;
  end if;
  return lines;
exception when data_exception then -- not JSON
  return null;
end
$$;

-- Names what a page showed in few letters, for a question to say which page it
-- was. portal.ShownDigest in Go is the same.
create or replace function portal.shown_digest(p_shown text) returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select encode(sha256(convert_to(p_shown, 'UTF8')), 'hex') $$;

-- A price for the form of who sees no prices: equal for equal prices of the same
-- customer, item and unit, and nothing else can be told from it. The key stays
-- in the database.
create or replace function portal.sealed_price(p_customer_id bigint, p_item_id bigint, p_uom text, p_price numeric)
  returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select 'sealed:' || left(encode(sha256(convert_to(concat_ws('|', p_customer_id, p_item_id, p_uom,
    trim_scale(p_price)), 'UTF8') || k.key), 'hex'), 32)
  from portal.seal k where p_price is not null
$$;
grant execute on function portal.sealed_price(bigint, bigint, text, numeric) to portal_web;

-- Up to which price a line may be ordered without another question: the price
-- confirmed, else the lower of the one last agreed to and the one on the page.
-- Null agrees to today's; -1 to none, where the page had no price.
create or replace function portal.price_limit(p_agreed numeric, p_has_page boolean, p_on_page text, p_confirmed text)
  returns numeric
language sql immutable
as $$
  select case
    when p_confirmed ~ '^[0-9]+([.][0-9]+)?$' then p_confirmed::numeric
    when p_has_page and p_on_page is null then -1
    when p_on_page ~ '^[0-9]+([.][0-9]+)?$' then least(p_agreed, p_on_page::numeric)
    else p_agreed end
$$;

-- The quantities (p_at 2) or prices (p_at 3) of a page by item and unit
-- (portal.shown_key). Looked up and not joined, since the planner takes lines out
-- of JSON for a handful.
create or replace function portal.shown_by_line(p_page jsonb, p_at int) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select jsonb_object_agg(l ->> 0 || '|' || (l ->> 1), l ->> p_at) from jsonb_array_elements(p_page) l
  where l ->> 0 is not null and l ->> 1 is not null $$;

create or replace function portal.shown_key(p_item_no text, p_uom text) returns text
language sql immutable
as $$ select p_item_no || '|' || p_uom $$;

-- How lines differ from those that a page showed, as findings that refuse. line
-- is the place in the arrays, from 1; null for a line that is gone.
create or replace function portal.shown_changes(p_page jsonb, p_items bigint[], p_uoms text[], p_qtys numeric[])
  returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  page jsonb := coalesce(portal.shown_by_line(p_page, 2), '{}');
  now jsonb;
  differ jsonb;
begin
  select coalesce(jsonb_object_agg(portal.shown_key(i.item_no, k.uom), null), '{}'),
    coalesce(jsonb_agg(jsonb_build_object('code', 'lines_changed', 'action', 'refuse', 'field', 'qty', 'line',
      k.ord::int,
      'detail', jsonb_build_object('item_no', i.item_no, 'uom', k.uom, 'now', k.qty,
        'was', substring(page ->> portal.shown_key(i.item_no, k.uom) from '^[0-9]{1,12}(?:[.][0-9]{1,12})?$')::numeric))
          order by k.ord)
      filter (where page ->> portal.shown_key(i.item_no, k.uom) is distinct from trim_scale(k.qty)::text), '[]')
    into now, differ
  from unnest(p_items, p_uoms, p_qtys) with ordinality as k(item_id, uom, qty, ord) join erp.item i using (item_id);
  return differ || coalesce((
    select jsonb_agg(jsonb_build_object('code', 'lines_changed', 'action', 'refuse', 'field', null, 'line', null,
      'detail', jsonb_build_object('item_no', l ->> 0, 'uom', l ->> 1)))
    from jsonb_array_elements(p_page) l where not now ? portal.shown_key(l ->> 0, l ->> 1)), '[]');
end
$$;
grant execute on function portal.shown_lines(text), portal.shown_by_line(jsonb, int), portal.shown_key(text, text),
  portal.shown_changes(jsonb, bigint[], text[], numeric[]) to portal_web;

-- The orders of a customer that hold a PO number already, and said, which names
-- just these: a form that carries it has named them to its reader.
create or replace function portal.po_orders(p_customer_id bigint, p_po_no text)
returns table (order_no text, orders int, said text)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select (array_agg(o.order_no order by o.order_id desc))[1], count(*)::int,
    portal.shown_digest(upper(p_po_no) || '|' || string_agg(o.order_no, '|' order by o.order_id))
  from erp.sales_order o
  where o.customer_id = p_customer_id and upper(o.po_no) = upper(p_po_no) and not erp.is_void(o.status)
  having count(*) > 0
$$;
