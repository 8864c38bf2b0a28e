-- A line of an invoice or credit memo that comes without words has its item's,
-- so that no paper has an empty row. Books of other programs have lines without
-- an item: they say what they are.
create or replace function erp.line_described() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  select i.description into new.description from erp.item i where i.item_id = new.item_id;
  return new;
end
$$;
create or replace trigger invoice_line_described before insert on erp.invoice_line for each row
  when (new.description = '' and new.item_id is not null) execute function erp.line_described();
create or replace trigger credit_memo_line_described before insert on erp.credit_memo_line for each row
  when (new.description = '' and new.item_id is not null) execute function erp.line_described();
