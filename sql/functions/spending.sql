-- What a log-in has ordered in the period of its limit that an instant lies in:
-- merchandise before tax, in the company's time zone, weeks from Monday.
-- Cancelled and rejected orders do not count. Of p_before_id on, orders do not
-- count either: what came later cannot have used the limit up.
create or replace function portal.spent(p_login_id bigint, p_period text, p_at timestamptz default erp.now(),
  p_before_id bigint default null)
returns numeric
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(sum(o.total), 0)
  from erp.company co
  join erp.sales_order o on o.login_id = p_login_id and not erp.is_void(o.status)
    and o.submitted_at >= date_trunc(p_period, p_at at time zone co.time_zone) at time zone co.time_zone
    and o.submitted_at < (date_trunc(p_period, p_at at time zone co.time_zone) + ('1 ' || p_period)::interval) at
      time zone co.time_zone
    and (p_before_id is null or o.order_id < p_before_id)
  where p_period <> 'order'
$$;

-- Who of a customer can sign off for a log-in: active approvers other than
-- itself, by name.
create or replace function portal.approvers(p_customer_id bigint, p_login_id bigint) returns text[]
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select array(
    select coalesce(nullif(btrim(l.name), ''), l.email::text) from portal.login l
    where l.customer_id = p_customer_id and l.customer_role = 'approver' and not l.disabled
      and l.login_id is distinct from p_login_id
      and not exists (select from portal.invitation v where v.login_id = l.login_id)
    order by 1 limit 10)
  where portal.assert_customer(p_customer_id)
$$;
grant execute on function portal.approvers(bigint, bigint) to portal_web;

-- Why an order of an amount needs a signature of the customer's own people
-- before it is sent; no row where it does not. Without p_order_id the order is
-- one to be made by the log-in that this transaction acts for; an order that is
-- made is judged as of when it was, unless what it comes to has been signed off.
--   over_spending_limit  limit, period, spent before this order, over, approvers
--   sign_off_all         approvers
create or replace function portal.sign_off_needed(p_customer_id bigint, p_amount numeric,
  p_order_id bigint default null)
returns table (code text, detail jsonb)
language sql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
  with person as (
    select l.*, o.submitted_at, jsonb_build_object('login', coalesce(nullif(btrim(l.name), ''), l.email::text),
      'approvers', portal.approvers(p_customer_id, l.login_id)) as names
    from (select 1) one
    left join erp.sales_order o on o.order_id = p_order_id
    join portal.login l on l.customer_id = p_customer_id
      and l.login_id = case when p_order_id is null then portal.login_id() else o.login_id end
    where (l.spend_limit is not null or l.sign_off_all) and (o.signed_off_total is null
      or p_amount > o.signed_off_total)
  )
  select 'over_spending_limit', p.names || jsonb_build_object('limit', p.spend_limit, 'period', p.spend_period, 'spent',
    s.amount,
    'over', s.amount + p_amount - p.spend_limit)
  from person p
  cross join lateral (
    select portal.spent(p.login_id, p.spend_period, coalesce(p.submitted_at, erp.now()), p_order_id) as amount) s
  where s.amount + p_amount > p.spend_limit
  union all
  select 'sign_off_all', p.names from person p where p.sign_off_all
$$;
