-- Why an order of a customer waits for staff, as far as the customer may know:
-- what concerns its credit is "account", what concerns costs and other inner
-- matters "order". Empty where it does not wait.
create or replace function portal.order_waits(p_customer_id bigint, p_order_no text) returns text[]
language sql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
  select coalesce(array_agg(distinct case
    when v.code in ('over_credit', 'credit_hold', 'past_due') then 'account'
    when v.code in ('over_maximum', 'stock_short', 'late_for_cutoff', 'first_order', 'new_ship_to', 'po_required')
      then v.code
    else 'order' end), '{}')
  from erp.sales_order o join erp.order_review v using (order_id)
  where o.customer_id = p_customer_id and o.order_no = p_order_no and erp.is_undecided(o.status)
    and portal.assert_customer(p_customer_id)
$$;
grant execute on function portal.order_waits(bigint, text) to portal_web;
