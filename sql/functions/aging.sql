-- What a customer owed on a day, in four buckets by the age of each document:
-- current 0–29 days, 30–59, 60–89, 90 and more. Basis invoice_date counts from
-- the document's date, due_date from the due date (not yet due is current).
-- Unapplied credit memos and payments count negative in the bucket of their own
-- age, so the buckets always sum to the balance. past_due is by due date; due
-- on the day itself is not overdue. Only what was posted on or before the day
-- counts, so any past day gives the same figures again.
create or replace function erp.aging(p_customer_id bigint, p_as_of date default erp.today(), p_basis text default null)
returns table (current_due numeric, days_30 numeric, days_60 numeric, days_90 numeric, balance numeric, past_due numeric)
language sql stable security definer set search_path = pg_catalog set jit = off
as $$
  with
  rule as (
    select coalesce(p_basis, co.aging_basis) as basis from erp.company co where portal.assert_customer(p_customer_id)
      and portal.login_may(portal.login_id(), p_customer_id, 'account')
  ),
  document as (
    select
      p_as_of - case when r.basis = 'due_date' then i.due_date else i.invoice_date end as age,
      i.total - coalesce((select sum(a.amount) from erp.payment_application a
        where a.invoice_id = i.invoice_id and a.applied_on <= p_as_of), 0) as amount,
      i.due_date < p_as_of as overdue
    from rule r
    join erp.invoice i on i.customer_id = p_customer_id and i.invoice_date <= p_as_of
    union all
    select
      p_as_of - m.memo_date,
      -(m.total - coalesce((select sum(a.amount) from erp.payment_application a
        where a.credit_memo_id = m.credit_memo_id and a.applied_on <= p_as_of), 0)),
      false
    from rule r
    join erp.credit_memo m on m.customer_id = p_customer_id and m.memo_date <= p_as_of
    union all
    select
      p_as_of - p.payment_date,
      -(p.amount - coalesce((select sum(a.amount) from erp.payment_application a
        where a.payment_id = p.payment_id and a.applied_on <= p_as_of), 0)),
      false
    from rule r
    join erp.payment p on p.customer_id = p_customer_id and p.payment_date <= p_as_of
  )
  select
    coalesce(sum(d.amount) filter (where d.age < 30), 0),
    coalesce(sum(d.amount) filter (where d.age between 30 and 59), 0),
    coalesce(sum(d.amount) filter (where d.age between 60 and 89), 0),
    coalesce(sum(d.amount) filter (where d.age >= 90), 0),
    coalesce(sum(d.amount), 0),
    coalesce(sum(d.amount) filter (where d.overdue), 0)
  from document d
  where d.amount <> 0
$$;
grant execute on function erp.aging(bigint, date, text) to portal_web, portal_desk, portal_work;
