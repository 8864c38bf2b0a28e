-- What must hold after any statement, whoever wrote it. One row a violation;
-- none when all is well. Runs nightly, and at the end of every test that
-- writes.
create or replace function erp.check_invariants() returns table (invariant text, subject text, detail text)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  with return_lines as materialized (
    select array_agg(l.invoice_id) as invoice_ids, array_agg(l.line_no) as line_nos
    from (
      select m.invoice_id, m.invoice_line_no as line_no from erp.credit_memo_line m where m.invoice_id is not null
        and m.invoice_line_no is not null
      union select q.invoice_id, q.invoice_line_no from erp.credit_request_line q
      union select c.invoice_id, c.line_no from erp.return_claim c
    ) l
  )
  select 'order_total', o.order_no, format('total %s, lines %s', o.total, coalesce(sum(l.line_total), 0))
  from erp.sales_order o left join erp.sales_order_line l using (order_id)
  group by o.order_id having o.total <> coalesce(sum(l.line_total), 0)
  union all
  select 'order_line_priced', o.order_no, format('line %s has no price', l.line_no)
  from erp.sales_order_line l join erp.sales_order o using (order_id)
  where l.unit_price is null or l.line_total is null
  union all
  select 'order_line_settles', o.order_no, format('line %s', l.line_no)
  from erp.sales_order_line l join erp.sales_order o using (order_id)
  where l.qty <> l.qty_allocated + l.qty_shipped + l.qty_backordered + l.qty_cancelled
     or (erp.is_shipped(o.status) and l.qty_allocated + l.qty_backordered > 0)
     or (erp.is_void(o.status) and l.qty_allocated + l.qty_backordered > 0)
  union all
  select 'stock_allocated', i.item_no, format('stock says %s, order lines %s', coalesce(s.allocated, 0),
    coalesce(a.allocated, 0))
  from (select item_id, warehouse, sum(allocated) as allocated from erp.stock group by 1, 2) s
  full join (
    select l.item_id, o.warehouse, sum(l.qty_allocated * l.factor) as allocated
    from erp.sales_order_line l join erp.sales_order o using (order_id)
    where l.qty_allocated > 0 group by 1, 2) a using (item_id, warehouse)
  join erp.item i using (item_id)
  where coalesce(s.allocated, 0) <> coalesce(a.allocated, 0)
  union all
  select 'stock_bounds', i.item_no, format('allocated %s, on hand %s', s.allocated, s.on_hand)
  from erp.stock s join erp.item i using (item_id) where s.allocated < 0 or s.allocated > s.on_hand
  union all
  select 'order_shipped', o.order_no, format('line %s shipped %s, shipments %s', l.line_no, l.qty_shipped, sh.qty)
  from (select order_id, line_no, sum(qty) as qty from erp.shipment_line group by 1, 2) sh
  join erp.sales_order_line l using (order_id, line_no) join erp.sales_order o using (order_id)
  where sh.qty > l.qty_shipped
  union all
  select 'invoice_total', i.invoice_no, format('total %s, %s', i.total, case when i.opened_total is not null
    then format('opened with %s, lines %s', i.opened_total, l.amount) else format('lines, tax and freight %s',
      coalesce(l.amount, 0) + i.tax + i.freight) end)
  from erp.invoice i
  left join (select x.invoice_id, round(sum(x.line_total), 2) as amount from erp.invoice_line x group by 1) l
    using (invoice_id)
  where i.total <> coalesce(i.opened_total, coalesce(l.amount, 0) + i.tax + i.freight)
     or i.opened_total is not null and i.opened_total <> l.amount + i.tax + i.freight
  union all
  select 'invoice_line_total', i.invoice_no, format('line %s: %s × %s is not %s', l.line_no, trim_scale(l.qty),
    trim_scale(l.unit_price), trim_scale(l.line_total))
  from erp.invoice_line l join erp.invoice i using (invoice_id)
  where i.opened_total is null and l.line_total <> round(l.qty * l.unit_price, 2)
  union all
  select 'invoice_open_bounds', i.invoice_no, format('open %s of %s', i.open_amount, i.total)
  from erp.invoice i where i.open_amount not between least(0, i.total) and greatest(0, i.total)
  union all
  select 'invoice_open', i.invoice_no, format('open %s, total less applied %s', i.open_amount,
    i.total - coalesce(sum(a.amount), 0))
  from erp.invoice i left join erp.payment_application a using (invoice_id)
  group by i.invoice_id having i.open_amount <> i.total - coalesce(sum(a.amount), 0)
  union all
  select 'memo_total', m.memo_no, format('total %s, %s', m.total, case when m.opened_total is not null
    then format('opened with %s, lines %s', m.opened_total, l.amount)
      else format('lines %s', coalesce(l.amount, 0)) end)
  from erp.credit_memo m
  left join (select x.credit_memo_id, round(sum(x.line_total), 2) as amount from erp.credit_memo_line x group by 1) l
    using (credit_memo_id)
  where m.total <> coalesce(m.opened_total, l.amount, 0) or m.opened_total is not null and m.opened_total <> l.amount
  union all
  select 'memo_line_total', m.memo_no, format('line %s: %s × %s is not %s', l.line_no, trim_scale(l.qty),
    trim_scale(l.unit_price), trim_scale(l.line_total))
  from erp.credit_memo_line l join erp.credit_memo m using (credit_memo_id)
  where m.opened_total is null and l.invoice_line_no is null and l.line_total <> round(l.qty * l.unit_price, 2)
  union all
  select 'memo_open_bounds', m.memo_no, format('open %s of %s', m.open_amount, m.total)
  from erp.credit_memo m where m.open_amount not between least(0, m.total) and greatest(0, m.total)
  union all
  select 'memo_open', m.memo_no, format('open %s, total less applied %s', m.open_amount,
    m.total - coalesce(sum(a.amount), 0))
  from erp.credit_memo m left join erp.payment_application a using (credit_memo_id)
  group by m.credit_memo_id having m.open_amount <> m.total - coalesce(sum(a.amount), 0)
  union all
  select 'payment_open', p.payment_no, format('open %s, amount less applied %s', p.open_amount,
    p.amount - coalesce(sum(a.amount), 0))
  from erp.payment p left join erp.payment_application a using (payment_id)
  group by p.payment_id having p.open_amount <> case when p.reversed_on is null then p.amount else 0
    end - coalesce(sum(a.amount), 0)
  union all
  select 'payment_open_bounds', p.payment_no, format('open %s of %s', p.open_amount, p.amount)
  from erp.payment p where p.open_amount not between 0 and p.amount or p.reversed_on is not null and p.open_amount <> 0
  union all
  select 'application_sum', i.invoice_no, format('%s applied of %s %s', sum(a.amount), case when a.payment_id is null
    then 'memo' else 'payment' end,
    coalesce(a.payment_id, a.credit_memo_id))
  from erp.payment_application a join erp.invoice i using (invoice_id)
  where i.total >= 0 group by i.invoice_id, a.payment_id, a.credit_memo_id having sum(a.amount) < 0
  union all
  -- Numbers that are ours have no gap: whatever was deleted is missed here. A number that was drawn
  -- (erp.next_invoice_no) and rolled back is drawn again, and is none; one that was drawn, committed and used for
  -- no invoice is missing as much as one that was deleted, and somebody has to say why. It may be used still.
  select 'invoice_gap', s.series, format('%s numbers from %s to %s, %s invoices', s.next_no - s.first_no, s.first_no,
    s.next_no - 1, count(i.invoice_id))
  from erp.document_series s
  left join erp.invoice i on i.invoice_no ~ '^[1-9][0-9]{0,17}$' and i.invoice_no::numeric >= s.first_no
    and i.invoice_no::numeric < s.next_no
  where s.series = 'invoice'
  group by s.series, s.first_no, s.next_no having count(i.invoice_id) <> s.next_no - s.first_no
  union all
  select 'order_line_invoiced', o.order_no, format('line %s: %s invoiced, invoices have %s', l.line_no,
    trim_scale(l.qty_invoiced), trim_scale(coalesce(v.qty, 0)))
  from erp.sales_order_line l join erp.sales_order o using (order_id)
  left join (select x.order_id, x.order_line_no as line_no, sum(x.qty) as qty from erp.invoice_line x
    where x.order_id is not null group by 1, 2) v
    on v.order_id = l.order_id and v.line_no = l.line_no
  where l.qty_invoiced <> coalesce(v.qty, 0) and (o.source <> 'IMPORT' or v.qty is not null)
  union all
  select 'order_history', o.order_no, format('the order is %s, the last step of its history %s', o.status,
    coalesce(h.to_status, 'missing'))
  from erp.sales_order o
  left join (select distinct on (x.order_id) x.order_id, x.to_status from erp.order_status_history x
    order by x.order_id, x.history_id desc) h using (order_id)
  where o.status is distinct from h.to_status
  union all
  select 'order_gone', 'order ' || h.order_id, format('its history ends with %s, and there is no such order',
    h.to_status)
  from (select distinct on (x.order_id) x.order_id, x.to_status from erp.order_status_history x order by x.order_id,
    x.history_id desc) h
  where h.to_status <> 'DELETED' and not exists (select from erp.sales_order o where o.order_id = h.order_id)
  union all
  select 'application_customer', i.invoice_no, 'applied from another customer''s document'
  from erp.payment_application a
  join erp.invoice i using (invoice_id)
  left join erp.payment p using (payment_id)
  left join erp.credit_memo m on m.credit_memo_id = a.credit_memo_id
  where coalesce(p.customer_id, m.customer_id) <> i.customer_id
  union all
  select 'application_date', i.invoice_no, format('applied on %s, before the invoice or what is applied', a.applied_on)
  from erp.payment_application a
  join erp.invoice i using (invoice_id)
  left join erp.payment p using (payment_id)
  left join erp.credit_memo m on m.credit_memo_id = a.credit_memo_id
  where a.applied_on < greatest(i.invoice_date, p.payment_date, m.memo_date) or a.customer_id <> i.customer_id
  union all
  -- the ledger by its documents alone, and the buckets by what is open
  select 'balance', c.customer_no, format('documents %s, buckets %s', coalesce(d.amount, 0), coalesce(g.buckets, 0))
  from (
    select customer_id, sum(amount) as amount from (
      select customer_id, total as amount from erp.invoice where invoice_date <= erp.today()
      union all select customer_id, -total from erp.credit_memo where memo_date <= erp.today()
      union all select customer_id, -amount from erp.payment where payment_date <= erp.today()
      union all select customer_id, amount from erp.payment where reversed_on <= erp.today()) o
    group by 1) d
  full join (
    select r.customer_id, r.current_due + r.days_30 + r.days_60 + r.days_90 as buckets
      from erp.aging_report(erp.today()) r) g using (customer_id)
  join erp.customer c using (customer_id)
  where coalesce(d.amount, 0) <> coalesce(g.buckets, 0)
  union all
  select 'returned_over_invoiced', i.invoice_no, format('line %s: invoiced %s, credited %s, asked for %s', r.line_no,
    r.invoiced, r.credited, r.pending)
  from return_lines k
  cross join lateral erp.return_room(k.invoice_ids, k.line_nos) r
  join erp.invoice i using (invoice_id)
  where r.credited + r.pending > greatest(r.invoiced, 0)
  union all
  select 'credited_over_line', i.invoice_no, format('line %s: cost %s, credited %s', r.line_no, r.amount,
    r.credited_amount)
  from return_lines k
  cross join lateral erp.return_room(k.invoice_ids, k.line_nos) r
  join erp.invoice i using (invoice_id)
  where r.credited_amount > greatest(r.amount, 0)
  union all
  select 'return_claim', i.invoice_no, format('line %s: claim %s, credited %s, asked for %s', r.line_no, c.qty,
    r.credited, r.pending)
  from return_lines k
  cross join lateral erp.return_room(k.invoice_ids, k.line_nos) r
  join erp.invoice i using (invoice_id)
  join erp.return_claim c on c.invoice_id = r.invoice_id and c.line_no = r.line_no
  where c.qty <> r.credited + r.pending or c.amount <> r.credited_amount
  union all
  select 'request_credited', q.request_no, 'credited without a credit memo, or with one of another customer'
  from erp.credit_request q left join erp.credit_memo m using (credit_memo_id)
  where q.status = 'CREDITED' and m.customer_id is distinct from q.customer_id
  union all
  select 'held_entry', e.entry_id::text, format('%s %s was approved and is not there', e.kind, e.doc_no)
  from portal.held_entry e
  where e.status = 'APPROVED' and portal.entry_amount(e.kind, e.doc_no) is null
  union all
  select case w.kind when 'number' then 'code_case' else 'code_barcode' end, string_agg(distinct w.item_no, ', '),
    format('%s %s means more than one', w.kind, w.code)
  from erp.code_wanted w
  where (select co.duplicate_codes = 'refuse' from erp.company co)
  group by w.kind, w.code having count(*) > 1
  union all
  select 'code_taken', coalesce(w.item_no, t.item_id::text), format('%s %s', coalesce(w.kind, t.kind),
    coalesce(w.code, t.code))
  from (select * from erp.code_wanted w where (select co.duplicate_codes = 'refuse' from erp.company co)) w
  full join erp.code_taken t on t.kind = w.kind and t.code = w.code and t.item_id = w.item_id
    and t.uom is not distinct from w.uom
  where w.item_id is null or t.item_id is null
  union all
  select 'invited_person', v.email::text, format('log-in %s is there already', l.login_id)
  from portal.invited_person v
  join portal.login l on l.login_id = v.login_id or l.customer_id = v.customer_id and l.email operator(public.=) v.email
$$;
grant execute on function erp.check_invariants() to portal_desk, portal_work;
