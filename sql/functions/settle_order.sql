-- What a change passed over because somebody held the order (see
-- triggers/order_line.sql): its items are given out again, the oldest order
-- first, and it is settled. Waits for the orders, and may run any number of
-- times.
create or replace function erp.settle_order(p_order_id bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  items bigint[] := array(select distinct l.item_id from erp.sales_order_line l where l.order_id = p_order_id);
  waiting bigint[];
begin
  waiting := array(
    select distinct l.order_id
    from erp.sales_order_line l join erp.sales_order o using (order_id)
    where l.item_id = any (items) and l.qty_backordered > 0 and erp.is_to_pick(o.status)
    union select p_order_id);
  perform from erp.sales_order o where o.order_id = any (waiting) order by o.order_id for no key update;
  perform erp.allocate(waiting, items);
  perform erp.settle_orders(array[p_order_id]);
end
$$;
grant execute on function erp.settle_order(bigint) to portal_work, portal_desk;
