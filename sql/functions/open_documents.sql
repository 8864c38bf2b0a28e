-- What was open of each document of some customers on a day, and how old it
-- was: the one place where aging is computed. Positive is owed to the
-- distributor; credit memos and payments are negative. Only what was posted on
-- or before the day counts, so any past day gives the same again.
--
-- Basis invoice_date counts from the document's date, due_date from the due
-- date (not yet due is current); credits always count from their own date.
-- bucket: 0 current (up to 29 days), 1 30–59, 2 60–89, 3 90 days and more.
-- overdue is by due date; due on the day itself is not overdue.
--
-- It begins from what is open now and takes back what was applied after the
-- day, so that a recent day reads the open documents and not the history.
create or replace function erp.open_documents(p_customer_ids bigint[], p_as_of date, p_basis text default null)
returns table (customer_id bigint, kind text, document_id bigint, doc_no text, doc_date date, due_date date,
  reference text,
  total numeric, amount numeric, age int, bucket int, overdue boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
  with
  rule as (select coalesce(p_basis, co.aging_basis) = 'due_date' as by_due from erp.company co),
  later as materialized (
    select a.invoice_id, a.credit_memo_id, a.payment_id, a.amount
    from erp.payment_application a where a.customer_id = any (p_customer_ids) and a.applied_on > p_as_of
  ),
  later_invoice as (select l.invoice_id, sum(l.amount) as amount from later l group by 1),
  later_memo as (select l.credit_memo_id, sum(l.amount) as amount from later l where l.credit_memo_id is not null
    group by 1),
  later_payment as (select l.payment_id, sum(l.amount) as amount from later l where l.payment_id is not null
    group by 1),
  document as (
    select i.customer_id, i.kind, i.invoice_id as document_id, i.invoice_no as doc_no, i.invoice_date as doc_date,
      i.due_date,
      coalesce(i.po_no, '') as reference, i.total, i.open_amount + coalesce(l.amount, 0) as amount
    from erp.invoice i left join later_invoice l using (invoice_id)
    where i.customer_id = any (p_customer_ids) and i.open_amount <> 0 and i.invoice_date <= p_as_of
    union all
    select i.customer_id, i.kind, i.invoice_id, i.invoice_no, i.invoice_date, i.due_date, coalesce(i.po_no, ''),
      i.total, l.amount
    from later_invoice l join erp.invoice i using (invoice_id) where i.open_amount = 0 and i.invoice_date <= p_as_of
    union all
    select m.customer_id, 'credit_memo', m.credit_memo_id, m.memo_no, m.memo_date, null, m.reason, -m.total,
      -(m.open_amount + coalesce(l.amount, 0))
    from erp.credit_memo m left join later_memo l using (credit_memo_id)
    where m.customer_id = any (p_customer_ids) and m.open_amount <> 0 and m.memo_date <= p_as_of
    union all
    select m.customer_id, 'credit_memo', m.credit_memo_id, m.memo_no, m.memo_date, null, m.reason, -m.total, -l.amount
    from later_memo l join erp.credit_memo m using (credit_memo_id) where m.open_amount = 0 and m.memo_date <= p_as_of
    union all
    select p.customer_id, 'payment', p.payment_id, p.payment_no, p.payment_date, null,
      btrim(p.method || ' ' || p.reference), -p.amount,
      -(p.open_amount + coalesce(l.amount, 0))
    from erp.payment p left join later_payment l using (payment_id)
    where p.customer_id = any (p_customer_ids) and p.open_amount <> 0 and p.payment_date <= p_as_of
    union all
    -- nothing open now: applied since, or come back since
    select p.customer_id, 'payment', p.payment_id, p.payment_no, p.payment_date, null,
      btrim(p.method || ' ' || p.reference), -p.amount,
      -(case when p.reversed_on > p_as_of then p.amount else 0 end + coalesce(l.amount, 0))
    from (
      select l.payment_id from later_payment l
      union select x.payment_id from erp.payment x where x.customer_id = any (p_customer_ids)
        and x.reversed_on > p_as_of
    ) u
    join erp.payment p using (payment_id) left join later_payment l using (payment_id)
    where p.open_amount = 0 and p.payment_date <= p_as_of
  ),
  aged as (
    select d.*, p_as_of - case when r.by_due then coalesce(d.due_date, d.doc_date) else d.doc_date end as age
    from document d cross join rule r where d.amount <> 0
  )
  select a.customer_id, a.kind, a.document_id, a.doc_no, a.doc_date, a.due_date, a.reference, a.total, a.amount, a.age,
    case when a.age < 30 then 0 when a.age < 60 then 1 when a.age < 90 then 2 else 3 end,
      coalesce(a.due_date < p_as_of, false)
  from aged a
$$;
grant execute on function erp.open_documents(bigint[], date, text) to portal_desk, portal_work;
