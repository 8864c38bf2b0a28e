-- name: enter_money
select m.doc_no, m.entry_id from portal.enter_money(@kind, @customer_no, @args::jsonb) m;

-- name: held_entries
-- What waits, the oldest first, and the last that were decided.
select e.entry_id, e.kind, c.customer_no, c.name as customer_name, e.amount, e.args, e.status, e.entered_by,
  e.entered_by_id, e.entered_at,
  coalesce(e.decided_by, '') as decided_by, e.decided_at, coalesce(e.reason, '') as reason, coalesce(e.doc_no, '')
    as doc_no
from portal.held_entry e join erp.customer c using (customer_id)
where case when @waiting then e.status = 'WAITING' else e.status <> 'WAITING' end
order by case when @waiting then e.entry_id end, e.decided_at desc, e.entry_id desc
limit @row_limit;

-- name: four_eyes_amount
select co.four_eyes_amount from erp.company co;

-- name: entry_approve
select portal.approve_entry(@entry_id);

-- name: entry_reject
select portal.reject_entry(@entry_id, @reason);

-- name: request_customer
select c.customer_no from erp.credit_request r join erp.customer c using (customer_id) where r.request_no = @request_no;

-- name: order_customer
select c.customer_no from erp.sales_order o join erp.customer c using (customer_id) where o.order_no = @order_no;
