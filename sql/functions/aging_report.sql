-- The aging of all customers that owe or are owed something on a day, by
-- erp.open_documents like each one's own page.
create or replace function erp.aging_report(p_as_of date default erp.today(), p_basis text default null)
returns table (customer_id bigint, current_due numeric, days_30 numeric, days_60 numeric, days_90 numeric,
  balance numeric, past_due numeric)
language sql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
  select d.customer_id,
    coalesce(sum(d.amount) filter (where d.bucket = 0), 0),
    coalesce(sum(d.amount) filter (where d.bucket = 1), 0),
    coalesce(sum(d.amount) filter (where d.bucket = 2), 0),
    coalesce(sum(d.amount) filter (where d.bucket = 3), 0),
    sum(d.amount),
    coalesce(sum(d.amount) filter (where d.overdue), 0)
  from erp.open_documents(array(select c.customer_id from erp.customer c), p_as_of, p_basis) d
  group by d.customer_id
$$;
grant execute on function erp.aging_report(date, text) to portal_desk, portal_work;
