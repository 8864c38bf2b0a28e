-- A customer's account: what it owed on a day, its open documents, and what
-- moved it. All three tell the same story: the balance of a day is the sum of
-- the movements up to it, and of the open documents of that day.
create or replace function erp.balance(p_customer_id bigint, p_on date) returns numeric
language sql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
  select
    -- all that is open, whenever it was posted …
    coalesce((select sum(i.open_amount) from erp.invoice i where i.customer_id = p_customer_id and i.open_amount <> 0),
      0)
    - coalesce((select sum(m.open_amount) from erp.credit_memo m where m.customer_id = p_customer_id
      and m.open_amount <> 0), 0)
    - coalesce((select sum(p.open_amount) from erp.payment p where p.customer_id = p_customer_id
      and p.open_amount <> 0), 0)
    -- … less what was posted after the day
    - coalesce((select sum(i.total) from erp.invoice i where i.customer_id = p_customer_id and i.invoice_date > p_on),
      0)
    + coalesce((select sum(m.total) from erp.credit_memo m where m.customer_id = p_customer_id and m.memo_date > p_on),
      0)
    + coalesce((select sum(p.amount) from erp.payment p where p.customer_id = p_customer_id and p.payment_date > p_on),
      0)
    - coalesce((select sum(p.amount) from erp.payment p where p.customer_id = p_customer_id and p.reversed_on > p_on),
      0)
  where portal.assert_customer(p_customer_id) and portal.login_may(portal.login_id(), p_customer_id, 'account')
$$;
grant execute on function erp.balance(bigint, date) to portal_web, portal_desk, portal_work;

-- Every document of a period, oldest first, with the balance after it.
create or replace function erp.movements(p_customer_id bigint, p_from date, p_to date)
returns table (doc_date date, kind text, doc_no text, due_date date, reference text, amount numeric, balance numeric)
language sql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
  with
  opening as materialized (select erp.balance(p_customer_id, p_from - 1) as amount),
  movement as (
    select i.invoice_date as doc_date, i.kind, 1 as rank, i.invoice_id as id, i.invoice_no as doc_no, i.due_date,
      coalesce(i.po_no, '') as reference,
      i.total as amount
    from erp.invoice i where i.customer_id = p_customer_id and i.invoice_date between p_from and p_to
    union all
    select m.memo_date, 'credit_memo', 2, m.credit_memo_id, m.memo_no, null, m.reason, -m.total
    from erp.credit_memo m where m.customer_id = p_customer_id and m.memo_date between p_from and p_to
    union all
    select p.payment_date, 'payment', 3, p.payment_id, p.payment_no, null, btrim(p.method || ' ' || p.reference),
      -p.amount
    from erp.payment p where p.customer_id = p_customer_id and p.payment_date between p_from and p_to
    union all
    select p.reversed_on, 'reversal', 4, p.payment_id, p.payment_no, null, coalesce(p.reversed_reason, ''), p.amount
    from erp.payment p where p.customer_id = p_customer_id and p.reversed_on between p_from and p_to
  )
  select m.doc_date, m.kind, m.doc_no, m.due_date, m.reference, m.amount,
    o.amount + sum(m.amount) over (order by m.doc_date, m.rank, m.id rows unbounded preceding)
  from movement m cross join opening o
  where portal.assert_customer(p_customer_id) and portal.login_may(portal.login_id(), p_customer_id, 'account')
  order by m.doc_date, m.rank, m.id
$$;
grant execute on function erp.movements(bigint, date, date) to portal_web, portal_desk, portal_work;

-- erp.open_documents for the customer itself, oldest first.
create or replace function portal.account_documents(p_customer_id bigint, p_as_of date default erp.today(),
  p_basis text default null)
returns table (kind text, doc_no text, doc_date date, due_date date, reference text, total numeric, amount numeric,
  age int, bucket int, overdue boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
  select d.kind, d.doc_no, d.doc_date, d.due_date, d.reference, d.total, d.amount, d.age, d.bucket, d.overdue
  from erp.open_documents(
    case when portal.assert_customer(p_customer_id) and portal.login_may(portal.login_id(), p_customer_id, 'account')
      then array[p_customer_id] else '{}' end, p_as_of, p_basis) d
  order by d.doc_date, d.kind, d.document_id
$$;
grant execute on function portal.account_documents(bigint, date, text) to portal_web, portal_desk, portal_work;
