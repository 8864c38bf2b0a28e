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

-- Goods that come in go to the orders that wait for them, the oldest first.
create or replace function erp.stock_received() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
declare
  waits record;
begin
  for waits in
    select distinct o.submitted_at, o.order_id
    from new_rows n
    left join old_rows p using (item_id, warehouse)
    join erp.sales_order_line l on l.item_id = n.item_id and l.qty_backordered > 0
    join erp.sales_order o on o.order_id = l.order_id and o.warehouse = n.warehouse
      and o.status in ('SUBMITTED', 'APPROVED', 'ON_HOLD', 'PICKING')
    where n.on_hand - n.allocated > coalesce(p.on_hand - p.allocated, 0)
    order by o.submitted_at, o.order_id
  loop
    perform erp.allocate_lines(array[waits.order_id]);
  end loop;
  return null;
end
$$;
create or replace trigger stock_received after update on erp.stock
  referencing old table as old_rows new table as new_rows for each statement execute function erp.stock_received();
