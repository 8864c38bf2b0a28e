-- What counts against the credit of an order that is to take a step: open
-- receivables, the orders that have taken the step before it, and the open
-- ones (held ones too) that are older. A younger order that has yet to take
-- the step asks about this one in its turn: so of two orders that cannot both
-- be had, one passes, in whichever order they are looked at.
-- p_to is the status it is to reach: APPROVED or PICKING.
create or replace function erp.credit_ahead(p_order_id bigint, p_to text default 'APPROVED') returns numeric
language sql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
  select erp.credit_exposure(o.customer_id, o.order_id) - coalesce((
    select sum(erp.order_to_invoice(y.order_id))
    from erp.sales_order y
    where y.customer_id = o.customer_id and y.order_id > o.order_id and y.invoiced_at is null
      and (erp.is_undecided(y.status) or (p_to = 'PICKING' and y.status = 'APPROVED'))
      and not exists (select from erp.sales_order_line l where l.order_id = y.order_id and l.qty_shipped > 0)), 0)
  from erp.sales_order o where o.order_id = p_order_id
$$;
grant execute on function erp.credit_ahead(bigint, text) to portal_desk, portal_work;

-- What an order adds to the customer's exposure: all of it that is neither
-- cancelled nor invoiced.
create or replace function erp.order_to_invoice(p_order_id bigint) returns numeric
language sql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
  select coalesce(sum(round((l.qty - l.qty_cancelled - l.qty_invoiced) * l.unit_price, 2)), 0)
  from erp.sales_order_line l where l.order_id = p_order_id
$$;
grant execute on function erp.order_to_invoice(bigint) to portal_desk, portal_work;
