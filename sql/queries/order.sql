-- name: order_list
select o.order_id as id, o.order_no, o.status, o.status_reason,
  o.status = 'SUBMITTED' and o.reviewed_at is not null as in_review, o.source, o.po_no,
  l.lines, l.ordered, l.shipped, l.mixed_units, l.part_lines, l.whole_lines,
  case when w.see_prices then o.total end as total, o.submitted_at
from erp.sales_order o
join erp.web_access w using (customer_id)
cross join lateral (
  select count(*)::int as lines, coalesce(sum(x.qty - x.qty_cancelled), 0) as ordered, coalesce(sum(x.qty_shipped), 0)
    as shipped,
    coalesce(min(x.uom) filter (where x.qty > x.qty_cancelled) <> max(x.uom) filter (where x.qty > x.qty_cancelled),
      false) as mixed_units,
    (count(*) filter (where x.qty > x.qty_cancelled))::int as part_lines,
    (count(*) filter (where x.qty > x.qty_cancelled and x.qty_shipped >= x.qty - x.qty_cancelled))::int as whole_lines
  from erp.sales_order_line x where x.order_id = o.order_id
) l
where o.customer_id = @customer_id
  and (@status = '' or o.status = @status
       or (@status = 'open' and erp.is_open(o.status)))
  and (@query = '' or o.order_no ilike '%' || @pattern || '%' or o.po_no ilike '%' || @pattern || '%')
  and (@before_at::timestamptz is null or (o.submitted_at, o.order_id) < (@before_at::timestamptz, @before_id::bigint))
order by o.submitted_at desc, o.order_id desc
limit @row_limit;

-- name: order_head
select o.order_id as id, o.order_no, o.status, o.status_reason,
  o.status = 'SUBMITTED' and o.reviewed_at is not null as in_review, o.source, o.po_no,
  l.lines, l.ordered, l.shipped, l.mixed_units, l.part_lines, l.whole_lines,
  case when @staff or coalesce(w.see_prices, false) then o.total end as total, o.submitted_at,
  c.customer_no, c.name as customer_name, o.requested_date, o.delivery_date, o.delivery_note, o.note, o.submitted_by,
    o.signed_off_by,
  o.entered_by is not null as by_staff, case when @staff then o.entered_by end as entered_by,
  coalesce(o.standing_order, '') as standing_order,
  array(select i.invoice_no from erp.invoice i where i.order_id = o.order_id order by i.invoice_id) as invoice_nos,
  o.revision
from erp.sales_order o
join erp.customer c using (customer_id)
left join erp.web_access w using (customer_id)
cross join lateral (
  select count(*)::int as lines, coalesce(sum(x.qty - x.qty_cancelled), 0) as ordered, coalesce(sum(x.qty_shipped), 0)
    as shipped,
    coalesce(min(x.uom) filter (where x.qty > x.qty_cancelled) <> max(x.uom) filter (where x.qty > x.qty_cancelled),
      false) as mixed_units,
    (count(*) filter (where x.qty > x.qty_cancelled))::int as part_lines,
    (count(*) filter (where x.qty > x.qty_cancelled and x.qty_shipped >= x.qty - x.qty_cancelled))::int as whole_lines
  from erp.sales_order_line x where x.order_id = o.order_id
) l
where o.order_no = @order_no and (@staff or o.customer_id = @customer_id);

-- name: order_lines
-- What waits and what was sent instead is looked up once an order, not once a
-- line.
with waits as materialized (
  select x.* from erp.sales_order o cross join lateral portal.backorders_of_order(o.customer_id, o.order_id) x
  where o.order_id = @order_id
),
instead as materialized (
  select s.substitute_for_line as line_no, array_agg(i.item_no order by s.line_no) as item_nos
  from erp.sales_order_line s join erp.item i using (item_id)
  where s.order_id = @order_id and s.substitute_for_line is not null
  group by 1
)
select l.line_no, i.item_no, i.description, l.uom, l.qty,
  case when @see_prices then l.unit_price end as unit_price,
  case when @see_prices then l.price_step end as price_step,
  case when @see_prices then l.price_rule_id end as price_rule_id,
  case when @see_prices then l.line_total end as line_total,
  l.qty_allocated as allocated, l.qty_picked as picked, l.qty_shipped as shipped, l.qty_backordered as backordered,
  l.qty_cancelled as cancelled,
  b.expected_on, l.cancel_reason,
  case when l.substitute_for_line is not null then (select si.item_no from erp.sales_order_line s join erp.item si
    using (item_id)
    where s.order_id = l.order_id and s.line_no = l.substitute_for_line) end as instead_of,
  coalesce(u.item_nos, '{}') as substitutes,
  (select max(f.at) from erp.stock_shortfall f where f.order_id = l.order_id and f.line_no = l.line_no) as counted_at,
  l.item_id in (select portal.in_catalogue((select o.customer_id from erp.sales_order o where o.order_id = @order_id),
    array(select x.item_id from erp.sales_order_line x where x.order_id = @order_id))) as in_catalog
from erp.sales_order_line l join erp.item i using (item_id)
left join waits b using (line_no)
left join instead u using (line_no)
where l.order_id = @order_id
order by l.line_no;

-- name: order_history
select h.from_status as "from", h.to_status as "to", h.at, h.actor, h.reason
from erp.order_status_history h where h.order_id = @order_id order by h.history_id;

-- name: order_shipments
-- Its carrier's tracking page is only ever one of erp.carrier.
select s.shipment_id as id, s.carrier, s.tracking_no, c.tracking_url, s.shipped_at, s.delivered_at, s.delivered_to,
  (select count(*)::int from erp.shipment_line x where x.shipment_id = s.shipment_id) as lines
from erp.shipment s
left join lateral (
  select r.tracking_url from erp.carrier r
  where lower(btrim(s.carrier)) in (lower(r.code), lower(r.name))
  order by lower(r.code) = lower(btrim(s.carrier)) desc, r.code limit 1
) c on true
where s.order_id = @order_id order by s.shipped_at, s.shipment_id;

-- name: order_shipment_lines
select x.shipment_id, l.line_no, i.item_no, i.description, l.uom, x.qty
from erp.shipment_line x
join erp.sales_order_line l using (order_id, line_no)
join erp.item i using (item_id)
where x.order_id = @order_id
order by x.shipment_id, x.line_no;

-- name: order_ship_to
select s.code, s.name, s.address1, s.address2, s.city, s.region, s.postal_code, s.country, coalesce(r.name, '')
  as route_name
from erp.sales_order o join erp.ship_to s using (ship_to_id) left join erp.route r on r.route_id = s.route_id
where o.order_id = @order_id;

-- name: order_changes
select c.line_no, c.from_qty, c.to_qty, c.at, c.actor, c.by_customer, c.reason
from erp.order_change c where c.order_id = @order_id order by c.change_id;

-- name: order_waits
select portal.order_waits(@customer_id, @order_no);

-- name: order_change
select c.changed, c.findings, w.see_prices
from portal.change_order(@customer_id, @order_no, @line_nos::int[], @qtys::text[]::numeric[], @revision::int,
  @confirm_prices::text) c
cross join erp.web_access w
where w.customer_id = @customer_id;

-- name: order_cancel
select portal.cancel_order(@customer_id, @order_no);

-- name: order_exists
select exists (select from erp.sales_order o where o.order_no = @order_no);
