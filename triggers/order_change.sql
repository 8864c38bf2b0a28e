-- Who changed an order's quantities, from what to what and why: one row a line,
-- whatever program writes, as long as the order is not given up as a whole. The
-- reason is the setting portal.reason of the transaction:
--   select set_config('portal.reason', 'no truck space', true);
-- The order's revision counts the changes, so that nobody decides on an order
-- that is not the one they looked at.
create or replace function erp.sales_order_line_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
  with changed as (
    insert into erp.order_change (order_id, line_no, from_qty, to_qty, reason)
    select n.order_id, n.line_no, p.qty - p.qty_cancelled, n.qty - n.qty_cancelled,
      nullif(btrim(current_setting('portal.reason', true)), '')
    from new_rows n
    join old_rows p using (order_id, line_no)
    join erp.sales_order o using (order_id)
    where n.qty - n.qty_cancelled <> p.qty - p.qty_cancelled
      and o.source <> 'IMPORT' and o.status not in ('REJECTED', 'CANCELLED')
    order by n.order_id, n.line_no
    returning order_id
  )
  update erp.sales_order o set revision = o.revision + 1
  where o.order_id in (select c.order_id from changed c);
  return null;
end
$$;
create or replace trigger sales_order_line_changed
  after update on erp.sales_order_line referencing old table as old_rows new table as new_rows
  for each statement execute function erp.sales_order_line_changed();
