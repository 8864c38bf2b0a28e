-- Stock: told without a figure, and only when what somebody may see of it has
-- changed (the available quantity, not its split).
create or replace function portal.stock_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
  if tg_op = 'INSERT' then
    perform portal.emit_items(array(select distinct n.item_id from new_rows n), false);
  elsif tg_op = 'DELETE' then
    perform portal.emit_items(array(select distinct p.item_id from old_rows p), false);
  else
    perform portal.emit_items(array(
      select distinct n.item_id from new_rows n join old_rows p using (item_id, warehouse)
      where n.on_hand - n.allocated <> p.on_hand - p.allocated), false);
  end if;
  return null;
end
$$;
create or replace trigger stock_inserted after insert on erp.stock
  referencing new table as new_rows for each statement execute function portal.stock_changed();
create or replace trigger stock_updated after update on erp.stock
  referencing old table as old_rows new table as new_rows for each statement execute function portal.stock_changed();
create or replace trigger stock_deleted after delete on erp.stock
  referencing old table as old_rows for each statement execute function portal.stock_changed();
