-- name: account_head
-- The credit limit and what of it is free are today's, whatever day is asked for.
select coalesce(@as_of::date, erp.today()) as as_of, erp.today() as today, coalesce(nullif(@basis, ''), co.aging_basis)
  as basis, co.currency,
  c.credit_limit, c.credit_limit - erp.credit_exposure(c.customer_id) as credit_room
from erp.customer c cross join erp.company co
where c.customer_id = @customer_id;

-- name: account_aging
select a.current_due, a.days_30, a.days_60, a.days_90, a.balance, a.past_due from erp.aging(@customer_id, @as_of,
  @basis) a;

-- name: account_open
-- The oldest hundred of each bucket, with how many there are.
select d.kind, d.doc_no, d.doc_date, d.due_date, d.reference, d.total, d.amount, d.age, d.bucket, d.overdue, d.in_bucket
from (
  select a.*, count(*) over (partition by a.bucket)::int as in_bucket, row_number() over (partition by a.bucket
    order by a.doc_date, a.kind, a.doc_no) as n
  from portal.account_documents(@customer_id, @as_of, @basis) a
) d
where d.n <= 100
order by d.bucket, d.doc_date, d.kind, d.doc_no;

-- name: payment_list
select p.payment_no, p.payment_date, p.method, p.reference, p.amount, p.open_amount, p.reversed_on, p.reversed_reason
from erp.payment p
where p.customer_id = @customer_id and (@up_to::date is null or p.payment_date <= @up_to)
  and (@before_date::date is null or (p.payment_date, p.payment_id) < (@before_date::date,
    (select b.payment_id from erp.payment b where b.payment_no = @before_no and b.customer_id = @customer_id)))
order by p.payment_date desc, p.payment_id desc
limit @row_limit;

-- name: payment_head
select p.payment_no, p.payment_date, p.method, p.reference, p.amount, p.open_amount, p.reversed_on, p.reversed_reason,
  c.customer_no, c.name as customer_name, case when @staff then p.entered_by else '' end as entered_by
from erp.payment p join erp.customer c using (customer_id)
where p.payment_no = @payment_no and (@staff or p.customer_id = @customer_id);

-- name: payment_uses
select i.invoice_no, a.applied_on, a.amount
from erp.payment p join erp.payment_application a using (payment_id) join erp.invoice i on i.invoice_id = a.invoice_id
where p.payment_no = @payment_no and (@staff or p.customer_id = @customer_id)
order by a.applied_on, a.application_id;

-- name: statement_list
select s.statement_id, s.period_from, s.period_to, s.status, s.requested_by, s.requested_at, s.closing
from portal.statement s
where s.customer_id = @customer_id
order by s.statement_id desc
limit @row_limit;

-- name: statement_head
select c.customer_no, c.name as customer_name, erp.bill_to(c.customer_id) as bill_to,
  coalesce(nullif(@basis, ''), co.aging_basis) as basis, co.currency,
  co.name as company, co.remit_to, c.terms_days, erp.balance(c.customer_id, @from_date::date - 1) as opening,
    erp.balance(c.customer_id, @to_date) as closing
from erp.customer c cross join erp.company co
where c.customer_id = @customer_id;

-- name: statement_lines
select m.doc_date, m.kind, m.doc_no, m.due_date, m.reference, m.amount, m.balance
  from erp.movements(@customer_id, @from_date, @to_date) m;

-- name: statement_request
insert into portal.statement (customer_id, login_id, period_from, period_to) values (@customer_id, nullif(@login_id, 0),
  @from_date, @to_date)
returning statement_id;

-- name: statement_paper
select d.name, d.media_type, d.data
from portal.statement s join portal.document d using (document_id)
where s.statement_id = @statement_id and s.customer_id = @customer_id;

-- name: statement_claim
-- Those that wait, a customer's own before a run's; what another process is at is passed over.
select s.statement_id, s.customer_id, c.customer_no, s.period_from, s.period_to, coalesce(w.see_balance, true)
  as sees_balance
from portal.statement s join erp.customer c using (customer_id) left join erp.web_access w using (customer_id)
where s.status = 'QUEUED'
order by s.run_id nulls first, s.statement_id
limit @row_limit
for update of s skip locked;

-- name: statement_store
select portal.store_statements(@ids, @names, @papers, @closings);

-- name: statement_failed
update portal.statement set attempts = attempts + 1, error = @error, status = case when attempts + 1 >= @most or @final
  then 'FAILED' else status end
where statement_id = @statement_id;

-- name: statement_runs_done
update portal.statement_run r set finished_at = clock_timestamp()
where r.finished_at is null and not exists (select from portal.statement s where s.run_id = r.run_id
  and s.status = 'QUEUED');

-- name: statement_ask
select portal.request_statement(@customer_id, @from_date, @to_date);

-- name: statement_begin_monthly
select portal.begin_monthly_run();

-- name: sees_balance
select portal.sees_balance();
