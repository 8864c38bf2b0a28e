-- How an order stands with its customer's credit on the way to a status,
-- APPROVED or PICKING: the rules of triggers/order_credit.sql, which obeys it,
-- for the desk to see before. A release of credit counts up to its amount, and
-- for a hold that was set before it. over is the figure by which the limit is
-- passed, null where it is not, or is not asked about.
create or replace function erp.credit_state(p_order_id bigint, p_to text, p_released_at timestamptz,
  p_released_amount numeric)
returns table (exposure numeric, credit_limit numeric, credit_check text, over numeric, held boolean, refused boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
  select s.exposure, s.credit_limit, s.credit_check, s.over, s.held,
    s.held or (s.over > 0 and (s.credit_check = 'block' or (s.credit_check = 'queue' and p_to = 'PICKING')))
  from (
    select e.exposure, c.credit_limit, coalesce(w.credit_check, 'queue') as credit_check,
      case when coalesce(w.credit_check, 'queue') <> 'off' and e.exposure > c.credit_limit
        and not coalesce(p_released_amount >= e.exposure, false) then e.exposure - c.credit_limit end as over,
      c.credit_hold and not coalesce(p_released_at >= coalesce(c.credit_hold_since, '-infinity'), false) as held
    from erp.sales_order o
    join erp.customer c using (customer_id)
    left join erp.web_access w using (customer_id)
    cross join lateral (select erp.credit_ahead(o.order_id, p_to) + erp.order_to_invoice(o.order_id) as exposure) e
    where o.order_id = p_order_id
  ) s
$$;
grant execute on function erp.credit_state(bigint, text, timestamptz, numeric) to portal_desk, portal_work;
