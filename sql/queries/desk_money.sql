-- name: desk_today
select erp.today() as today, co.aging_basis from erp.company co;

-- name: desk_aging_report
select c.customer_no, c.name, r.current_due, r.days_30, r.days_60, r.days_90, r.balance, r.past_due, c.credit_limit,
  c.credit_hold
from erp.aging_report(@as_of, @basis) r join erp.customer c using (customer_id)
order by r.balance desc, c.customer_no;

-- name: desk_account_head
select c.customer_id, c.customer_no, c.name from erp.customer c where c.customer_no = @customer_no;

-- name: desk_open_invoices
select i.invoice_no, i.invoice_date, i.due_date, i.po_no, i.total, i.open_amount
from erp.invoice i where i.customer_id = @customer_id and i.open_amount > 0
order by i.due_date, i.invoice_id
limit 200;

-- name: desk_open_held
-- Invoices that a payment is for, held until the transaction ends.
select i.invoice_id, i.invoice_no, i.due_date, i.open_amount as open
from erp.invoice i
where i.customer_id = @customer_id and (i.invoice_no = any (@named::text[]) or @all and i.open_amount > 0)
order by i.invoice_id for no key update;

-- name: desk_payment_key
-- Whether a form has made its payment already. The same form sent twice at once
-- waits here for the first, as in erp.post_payment.
select exists (select from erp.payment p where p.key = k.key)
from (select @key::text::uuid as key) k
cross join lateral (select pg_advisory_xact_lock(hashtextextended('payment:' || k.key, 0)) as held) l;

-- name: desk_invoice_open_held
select i.open_amount from erp.invoice i where i.invoice_no = @doc_no for no key update;

-- name: desk_payment_open_held
select p.open_amount from erp.payment p where p.payment_no = @doc_no for no key update;

-- name: desk_credit_memo_open_held
select m.open_amount from erp.credit_memo m where m.memo_no = @doc_no for no key update;

-- name: desk_open_credits
select 'payment' as kind, p.payment_no as doc_no, p.payment_date as doc_date, p.amount as total, p.open_amount
from erp.payment p where p.customer_id = @customer_id and p.open_amount > 0
union all
select 'credit_memo', m.memo_no, m.memo_date, m.total, m.open_amount
from erp.credit_memo m where m.customer_id = @customer_id and m.open_amount > 0
order by 3, 2;

-- name: desk_payment_list
select p.payment_no, p.payment_date, p.method, p.reference, p.amount, p.open_amount, p.reversed_on, p.reversed_reason,
  c.customer_no, c.name as customer_name
from erp.payment p join erp.customer c using (customer_id)
where (@query = '' or p.payment_no ilike @prefix or p.reference ilike @prefix or c.customer_no ilike @prefix
  or c.name ilike @pattern)
  and (@before_id::bigint is null or p.payment_id < @before_id)
order by p.payment_id desc
limit @row_limit;

-- name: desk_payment_id
select p.payment_id from erp.payment p where p.payment_no = @payment_no;

-- name: desk_to_invoice
select o.order_no, c.customer_no, c.name as customer_name, o.status, s.shipped_at, l.lines, l.amount, s.freight,
  l.quantities
from (
  select x.order_id, count(*)::int as lines, sum(round((x.qty_shipped - x.qty_invoiced) * x.unit_price, 2)) as amount,
    encode(sha256(convert_to(string_agg(x.line_no || ':' || trim_scale(x.qty_shipped - x.qty_invoiced), ','
      order by x.line_no), 'UTF8')), 'hex') as quantities
  from erp.sales_order_line x join erp.sales_order y using (order_id)
  where x.qty_shipped > x.qty_invoiced and y.invoiced_at is null and erp.is_started(y.status)
  group by x.order_id
) l
join erp.sales_order o using (order_id)
join erp.customer c using (customer_id)
cross join lateral (
  select coalesce(max(h.shipped_at), o.submitted_at) as shipped_at,
    coalesce(sum(h.freight) filter (where h.invoice_id is null), 0) as freight
  from erp.shipment h where h.order_id = o.order_id
) s
order by s.shipped_at, o.order_id
limit 500;

-- name: statement_run_list
select r.run_id, r.period_from, r.period_to, r.started_at, r.started_by, r.finished_at, count(s.*)::int as wanted,
  (count(*) filter (where s.status = 'READY'))::int as ready, (count(*) filter (where s.status = 'FAILED'))::int
    as failed
from portal.statement_run r left join portal.statement s using (run_id)
group by r.run_id
order by r.run_id desc
limit 24;

-- name: statement_failed_list
select s.statement_id, c.customer_no, c.name, s.period_from, s.period_to, coalesce(s.error, '') as error
from portal.statement s join erp.customer c using (customer_id)
where s.status = 'FAILED'
order by s.statement_id desc
limit 200;

-- name: statement_retry
select portal.retry_statements();

-- name: statement_begin_run
select portal.begin_statement_run(@from_date, @to_date);

-- name: desk_reverse_payment
select erp.reverse_payment(@payment_no, @day, @reason);

-- name: desk_apply_credit
select erp.apply_credit(@kind, @doc_no, @invoice_no, @amount);

-- name: desk_invoice_orders
select erp.invoice_orders(@order_nos, @freights);
