-- Who changed an order's quantities, from what to what and why: one row a line,
-- whatever program writes, as long as the order is not given up as a whole. The
-- reason is the setting portal.reason of the transaction, else the line's own
-- cancel_reason:
--   select set_config('portal.reason', 'no truck space', true);
-- The order's revision counts the changes, so that nobody decides on an order
-- that is not the one they looked at.
create or replace function erp.sales_order_line_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  -- added up by line, since a join of the two tables compares every line with
  -- every other
  with changed as (
    insert into erp.order_change (order_id, line_no, from_qty, to_qty, by_customer, reason)
    select c.order_id, c.line_no, c.from_qty, c.to_qty, portal.customer_id() is not null and portal.acting_by() is null,
      coalesce(nullif(btrim(current_setting('portal.reason', true)), ''), nullif(c.cancel_reason, ''))
    from (
      select r.order_id, r.line_no, sum(r.qty - r.qty_cancelled) filter (where r.sign = -1) as from_qty,
        sum(r.qty - r.qty_cancelled) filter (where r.sign = 1) as to_qty,
        -- of several reasons the one that came with this change
        case when starts_with(min(r.cancel_reason) filter (where r.sign = 1),
          min(r.cancel_reason) filter (where r.sign = -1) || '; ')
          then substr(min(r.cancel_reason) filter (where r.sign = 1),
            length(min(r.cancel_reason) filter (where r.sign = -1)) + 3)
          else min(r.cancel_reason) filter (where r.sign = 1) end as cancel_reason
      from (select 1 as sign, n.* from new_rows n union all select -1, p.* from old_rows p) r
      group by r.order_id, r.line_no
    ) c
    join erp.sales_order o using (order_id)
    where c.from_qty <> c.to_qty and o.source <> 'IMPORT' and not erp.is_void(o.status)
    order by c.order_id, c.line_no
    returning order_id
  )
  -- held by now, or left to whoever holds it (see erp.hold_orders): not waited for
  update erp.sales_order o set revision = o.revision + 1
  where o.order_id in (
    select s.order_id from erp.sales_order s where s.order_id in (select c.order_id from changed c)
    for no key update skip locked);
  return null;
end
$$;
-- after sales_order_line_updated, which takes the order
drop trigger if exists sales_order_line_changed on erp.sales_order_line;
create or replace trigger sales_order_line_written
  after update on erp.sales_order_line referencing old table as old_rows new table as new_rows
  for each statement execute function erp.sales_order_line_changed();
