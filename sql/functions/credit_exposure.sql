-- What a customer could come to owe: open receivables less open credits, and
-- every order (held ones too) as far as it is not invoiced yet. Leave one
-- order out to see the exposure before it.
create or replace function erp.credit_exposure(p_customer_id bigint, p_without_order_id bigint default null)
  returns numeric
language sql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
  select
    coalesce((select sum(i.open_amount) from erp.invoice i where i.customer_id = p_customer_id and i.open_amount <> 0),
      0)
    - coalesce((select sum(m.open_amount) from erp.credit_memo m where m.customer_id = p_customer_id
      and m.open_amount <> 0), 0)
    - coalesce((select sum(p.open_amount) from erp.payment p where p.customer_id = p_customer_id
      and p.open_amount <> 0), 0)
    + coalesce((
        select sum(round((l.qty - l.qty_cancelled - l.qty_invoiced) * l.unit_price, 2))
        from erp.sales_order o
        join erp.sales_order_line l on l.order_id = o.order_id
        where o.customer_id = p_customer_id
          and o.invoiced_at is null and not erp.is_void(o.status)
          and o.order_id is distinct from p_without_order_id), 0)
  where portal.assert_customer(p_customer_id)
$$;
grant execute on function erp.credit_exposure(bigint, bigint) to portal_web, portal_desk, portal_work;
