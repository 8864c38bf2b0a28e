-- +goose Up
-- Codes: how what is typed, scanned or uploaded is compared with numbers and
-- barcodes, and that no two items can be meant by one. The functions stand here
-- and not with the others, because indexes are built from what they answer:
-- whoever changes one builds the indexes anew.

-- +goose StatementBegin
create function erp.plain_code(p_code text) returns text
language plpgsql immutable strict parallel safe
as $$
declare
  c text := p_code;
begin
  if c ~ '[^ -~]' then
    c := regexp_replace(c, U&'[\0009-\000D\0085\00A0\1680\2000-\200A\2028\2029\202F\205F\3000]', ' ', 'g');
    c := regexp_replace(c, U&'[\0001-\001F\007F-\009F\00AD\061C\180E\200B-\200F\202A-\202E\2060-\2064\2066-\206F\FEFF]', '', 'g');
    c := normalize(c, NFC);
  end if;
  c := btrim(c);
  if c ~ '^="[^"]*"$' then
    c := btrim(substr(c, 3, length(c) - 3));
  end if;
  if c like '''%' then
    c := btrim(substr(c, 2));
  end if;
  return c;
end
$$;
-- +goose StatementEnd
comment on function erp.plain_code(text) is
  'A code without what programs put into and around it unseen: zero-width and control characters, blanks around it, a spreadsheet''s ="…" and leading apostrophe. Other blanks become plain ones, and letters are composed (NFC).';

-- +goose StatementBegin
create function erp.gtin(p_code text) returns text
language plpgsql immutable strict parallel safe
as $$
declare
  c text := erp.plain_code(p_code);
  m text[];
  total int := 0;
begin
  m := regexp_match(c, '^([0-9])[.,]([0-9]+)[eE]\+?([0-9]{1,2})$');
  if m is not null then
    -- 8.41200014073E11; with fewer decimals digits were lost
    if m[3]::int > 17 or length(m[2]) < m[3]::int or ltrim(substr(m[2], m[3]::int + 1), '0') <> '' then
      return null;
    end if;
    c := m[1] || left(m[2], m[3]::int);
  else
    c := regexp_replace(c, '^([0-9]{7,})[.,]0+$', '\1');
    c := translate(c, ' -', '');
  end if;
  if c !~ '^[0-9]{7,}$' then
    return null;
  end if;
  c := ltrim(c, '0');
  if c = '' or length(c) > 14 then
    return null;
  end if;
  c := lpad(c, 14, '0');
  for i in 1..14 loop
    total := total + substr(c, i, 1)::int * case when i % 2 = 1 then 3 else 1 end;
  end loop;
  return case when total % 10 = 0 then c end;
end
$$;
-- +goose StatementEnd
comment on function erp.gtin(text) is
  'The GTIN-14 that a barcode is: UPC-A, EAN-8, EAN-13 and GTIN-14 without regard to leading zeros, blanks and hyphens, and as spreadsheets write them while no digit is lost. Null: none, or its check digit (GS1 General Specifications 7.9) is wrong.';

-- +goose StatementBegin
create function erp.barcode_key(p_code text) returns text
language plpgsql immutable strict parallel safe
as $$
begin
  return coalesce(erp.gtin(p_code), nullif(lower(erp.plain_code(p_code)), ''));
end
$$;
-- +goose StatementEnd
comment on function erp.barcode_key(text) is 'By what barcodes are compared: the GTIN, else the text without regard to case.';
grant execute on function erp.plain_code(text), erp.gtin(text), erp.barcode_key(text) to public; -- whoever writes items computes the indexes

drop index erp.item_barcode, erp.item_uom_barcode;
create index item_barcode on erp.item (erp.barcode_key(barcode)) where barcode is not null;
create index item_uom_barcode on erp.item_uom (erp.barcode_key(barcode)) where barcode is not null;

alter table erp.company
  add column duplicate_codes text not null default 'refuse',
  add constraint company_duplicate_codes check (duplicate_codes in ('refuse', 'allow'));
comment on column erp.company.duplicate_codes is
  'refuse: no two active items whose numbers differ by case only, and no barcode (as GTIN) twice among active items and their units. allow: for an ERP that has such codes; who types one is asked which is meant.';

create table erp.code_taken (
  kind text not null,
  code text not null,
  item_id bigint not null,
  uom text,
  constraint code_taken_pkey primary key (kind, code),
  constraint code_taken_kind check (kind in ('number', 'barcode')),
  constraint code_taken_item_fk foreign key (item_id) references erp.item on delete cascade
);
comment on table erp.code_taken is
  'Numbers and barcodes of active items while company.duplicate_codes refuses a second one. Written by triggers alone, which makes it hold for two transactions at once. Nobody reads it but they: it has no policies, events or audit.';
comment on column erp.code_taken.code is 'The number in lower case, or erp.barcode_key of the barcode.';
create index code_taken_item on erp.code_taken (item_id);

-- Books that have such codes keep them: portal doctor says so.
update erp.company set duplicate_codes = 'allow'
where exists (select from erp.item i where i.active group by lower(i.item_no) having count(*) > 1)
  or exists (
    select from (
      select erp.barcode_key(i.barcode) as code, i.item_id, i.base_uom as uom from erp.item i where i.active and i.barcode is not null
      union
      select erp.barcode_key(u.barcode), u.item_id, u.uom from erp.item_uom u join erp.item i using (item_id) where i.active and u.barcode is not null
    ) b where b.code is not null group by b.code having count(*) > 1);
insert into erp.code_taken (kind, code, item_id, uom)
select 'number', lower(i.item_no), i.item_id, null from erp.item i
where i.active and (select c.duplicate_codes = 'refuse' from erp.company c)
union all
select 'barcode', b.code, b.item_id, b.uom
from (
  select erp.barcode_key(i.barcode) as code, i.item_id, i.base_uom as uom from erp.item i where i.active and i.barcode is not null
  union
  select erp.barcode_key(u.barcode), u.item_id, u.uom from erp.item_uom u join erp.item i using (item_id) where i.active and u.barcode is not null
) b
where b.code is not null and (select c.duplicate_codes = 'refuse' from erp.company c);

-- +goose Down
drop trigger if exists item_codes_inserted on erp.item;
drop trigger if exists item_codes_updated on erp.item;
drop trigger if exists item_uom_codes_inserted on erp.item_uom;
drop trigger if exists item_uom_codes_updated on erp.item_uom;
drop trigger if exists item_uom_codes_deleted on erp.item_uom;
drop trigger if exists company_duplicate_codes on erp.company;
drop function if exists erp.item_codes_written(), erp.item_codes_changed(), erp.item_unit_codes_changed(), erp.duplicate_codes_switched();
drop function if exists erp.take_codes(bigint[]);
drop view if exists erp.code_wanted;
drop table erp.code_taken;
alter table erp.company drop column duplicate_codes;
drop index erp.item_barcode, erp.item_uom_barcode;
create index item_barcode on erp.item (barcode) where barcode is not null;
create index item_uom_barcode on erp.item_uom (barcode) where barcode is not null;
drop function erp.barcode_key(text), erp.gtin(text), erp.plain_code(text);
