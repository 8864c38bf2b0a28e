-- News of a count that took goods back: one piece an order and transaction.
create or replace function portal.notify_shortfall() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.notify_all(array(
    select ('order_waits', x.customer_id, x.order_no, x.data, x.login_id, null)::portal.news
    from (
      select o.customer_id, o.order_no, portal.order_teller(o.login_id, o.customer_id) as login_id,
        jsonb_strip_nulls(jsonb_build_object('id', pg_current_xact_id()::text, 'po_no', o.po_no, 'reason',
          string_agg(trim_scale(n.qty) || ' ' || l.uom || ' of ' || i.item_no, ', ' order by n.line_no))) as data
      from new_rows n
      join erp.sales_order_line l using (order_id, line_no)
      join erp.sales_order o using (order_id)
      join erp.item i using (item_id)
      where o.source <> 'IMPORT'
      group by o.order_id
      order by o.order_id
    ) x));
  return null;
exception when others then
  perform portal.news_failed(sqlstate, sqlerrm);
  return null;
end
$$;
create or replace trigger notify_shortfall after insert on erp.stock_shortfall
  referencing new table as new_rows for each statement execute function portal.notify_shortfall();
