-- What a customer owed on a day, in four buckets by the age of each document;
-- see erp.open_documents for the rules. The buckets sum to the balance.
create or replace function erp.aging(p_customer_id bigint, p_as_of date default erp.today(), p_basis text default null)
returns table (current_due numeric, days_30 numeric, days_60 numeric, days_90 numeric, balance numeric,
  past_due numeric)
language sql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
  select
    coalesce(sum(d.amount) filter (where d.bucket = 0), 0),
    coalesce(sum(d.amount) filter (where d.bucket = 1), 0),
    coalesce(sum(d.amount) filter (where d.bucket = 2), 0),
    coalesce(sum(d.amount) filter (where d.bucket = 3), 0),
    coalesce(sum(d.amount), 0),
    coalesce(sum(d.amount) filter (where d.overdue), 0)
  from erp.open_documents(
    case when portal.assert_customer(p_customer_id) and portal.login_may(portal.login_id(), p_customer_id, 'account')
      then array[p_customer_id] else '{}' end, p_as_of, p_basis) d
$$;
grant execute on function erp.aging(bigint, date, text) to portal_web, portal_desk, portal_work;
