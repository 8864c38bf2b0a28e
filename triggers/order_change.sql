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
  -- added up by line, since a join of the two tables compares every line with
  -- every other
  with changed as (
    insert into erp.order_change (order_id, line_no, from_qty, to_qty, reason)
    select c.order_id, c.line_no, c.from_qty, c.to_qty, nullif(btrim(current_setting('portal.reason', true)), '')
    from (
      select r.order_id, r.line_no, sum(r.qty - r.qty_cancelled) filter (where r.sign = -1) as from_qty,
        sum(r.qty - r.qty_cancelled) filter (where r.sign = 1) as to_qty
      from (select 1 as sign, n.* from new_rows n union all select -1, p.* from old_rows p) r
      group by r.order_id, r.line_no
    ) c
    join erp.sales_order o using (order_id)
    where c.from_qty <> c.to_qty and o.source <> 'IMPORT' and o.status not in ('REJECTED', 'CANCELLED')
    order by c.order_id, c.line_no
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
