-- name: invoice_list
-- All, or what is paid; what is open has a list of its own below.
select i.invoice_no, i.kind, o.order_no, i.po_no, i.invoice_date, i.due_date,
  case when w.see_prices then i.total end as total, case when w.see_prices and @sees_balance then i.open_amount
    end as open_amount,
  erp.invoice_state(i.total, i.open_amount, i.due_date, (select erp.today()), @sees_balance) as state
from erp.invoice i join erp.web_access w on w.customer_id = i.customer_id left join erp.sales_order o using (order_id)
where i.customer_id = @customer_id
  and (@state <> 'paid' or i.open_amount = 0)
  and (@query = '' or i.invoice_no ilike @pattern or i.po_no ilike @pattern or o.order_no ilike @pattern)
  and (@from_date::date is null or i.invoice_date >= @from_date)
  and (@to_date::date is null or i.invoice_date <= @to_date)
  and (@before_date::date is null or (i.invoice_date, i.invoice_id) < (@before_date::date,
    (select b.invoice_id from erp.invoice b where b.invoice_no = @before_no and b.customer_id = @customer_id)))
order by i.invoice_date desc, i.invoice_id desc
limit @row_limit;

-- name: invoice_open_list
-- The same for what is open: from the index of open invoices, however many are paid.
select i.invoice_no, i.kind, o.order_no, i.po_no, i.invoice_date, i.due_date,
  case when w.see_prices then i.total end as total, case when w.see_prices and @sees_balance then i.open_amount
    end as open_amount,
  erp.invoice_state(i.total, i.open_amount, i.due_date, (select erp.today()), @sees_balance) as state
from erp.invoice i join erp.web_access w on w.customer_id = i.customer_id left join erp.sales_order o using (order_id)
where i.customer_id = @customer_id and i.open_amount <> 0
  and (@state <> 'past_due' or i.open_amount > 0 and i.due_date < (select erp.today()))
  and (@query = '' or i.invoice_no ilike @pattern or i.po_no ilike @pattern or o.order_no ilike @pattern)
  and (@from_date::date is null or i.invoice_date >= @from_date)
  and (@to_date::date is null or i.invoice_date <= @to_date)
  and (@before_date::date is null or (i.invoice_date, i.invoice_id) < (@before_date::date,
    (select b.invoice_id from erp.invoice b where b.invoice_no = @before_no and b.customer_id = @customer_id)))
order by i.invoice_date desc, i.invoice_id desc
limit @row_limit;

-- name: invoice_head
select i.invoice_no, i.kind, o.order_no, i.po_no, i.invoice_date, i.due_date,
  case when @staff or w.see_prices then i.total end as total, case when @staff or w.see_prices and @sees_balance
    then i.open_amount end as open_amount,
  erp.invoice_state(i.total, i.open_amount, i.due_date, (select erp.today()), @sees_balance) as state,
  c.customer_no, c.name as customer_name, erp.bill_to(c.customer_id) as bill_to, c.terms_days, co.remit_to, co.currency,
  case when @staff or w.see_prices then i.total - i.tax - i.freight end as merchandise, i.tax_rate,
  case when @staff or w.see_prices then i.tax end as tax, case when @staff or w.see_prices then i.freight end as freight
from erp.invoice i
join erp.customer c using (customer_id)
join erp.web_access w using (customer_id)
cross join erp.company co
left join erp.sales_order o using (order_id)
where i.invoice_no = @invoice_no and i.customer_id = @customer_id;

-- name: invoice_lines
select l.line_no, t.item_no, l.description, l.uom, l.qty,
  case when @staff or w.see_prices then l.unit_price end as unit_price, case when @staff or w.see_prices
    then l.line_total end as line_total
from erp.invoice i join erp.web_access w using (customer_id) join erp.invoice_line l using (invoice_id)
  left join erp.item t using (item_id)
where i.invoice_no = @invoice_no and i.customer_id = @customer_id
order by l.line_no;

-- name: invoice_ship_to
select s.code, s.name, s.address1, s.address2, s.city, s.region, s.postal_code, s.country, '' as route_name
from erp.invoice i join erp.ship_to s using (ship_to_id)
where i.invoice_no = @invoice_no and i.customer_id = @customer_id;

-- name: invoice_applied
select case when a.payment_id is null then 'credit_memo' else 'payment' end as kind, coalesce(p.payment_no, m.memo_no)
  as doc_no, a.applied_on, a.amount
from erp.invoice i
join erp.payment_application a using (invoice_id)
left join erp.payment p using (payment_id)
left join erp.credit_memo m on m.credit_memo_id = a.credit_memo_id
where i.invoice_no = @invoice_no and i.customer_id = @customer_id
order by a.applied_on, a.application_id;

-- name: desk_invoice_customer
select i.customer_id from erp.invoice i where i.invoice_no = @invoice_no;

-- name: desk_invoice_list
select i.invoice_no, i.kind, o.order_no, i.po_no, i.invoice_date, i.due_date, i.total, i.open_amount,
  erp.invoice_state(i.total, i.open_amount, i.due_date, (select erp.today()), true) as state, c.customer_no, c.name
    as customer_name
from erp.invoice i join erp.customer c using (customer_id) left join erp.sales_order o using (order_id)
where case @state when 'open' then i.open_amount <> 0 when 'past_due' then i.open_amount > 0
  and i.due_date < (select erp.today()) when 'paid' then i.open_amount = 0 else true end
  and (@query = '' or i.invoice_no ilike @prefix or i.po_no ilike @prefix or o.order_no ilike @prefix
    or c.customer_no ilike @prefix or c.name ilike @pattern)
  and (@before_id::bigint is null or i.invoice_id < @before_id)
order by i.invoice_id desc
limit @row_limit;

-- name: desk_invoice_id
select i.invoice_id from erp.invoice i where i.invoice_no = @invoice_no;
