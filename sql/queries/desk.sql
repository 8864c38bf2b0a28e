-- name: desk_frame
-- Around every page of the desk; the snapshot comes before the page's data.
select pg_current_snapshot()::text || '@' || coalesce((select p.epoch from portal.event_epoch p), '') as cursor,
  co.time_zone, erp.now() as now, co.currency from erp.company co;

-- name: desk_queue
-- Which open orders to show, and where. Those that wait for a person come
-- first, the longest waiting on top; a web order that the approval job has yet
-- to decide is not among them. Then the newest.
select q.order_id, q.place, q.submitted_at
from (
  select o.order_id, o.submitted_at,
    case when o.status = 'SUBMITTED' and (o.reviewed_at is not null or o.source <> 'WEB') then 0 else 1 end as place
  from erp.sales_order o
  where erp.is_open(o.status)
    and (@source = '' or o.source = @source)
    and (@query = '' or o.order_no ilike '%' || @pattern || '%' or o.po_no ilike '%' || @pattern || '%'
         or o.customer_id in (select c.customer_id from erp.customer c
              where c.customer_no ilike @pattern || '%' or c.name ilike '%' || @pattern || '%'))
) q
where (not @review_only or q.place = 0)
  and (@reason = '' or exists (select from erp.order_review v where v.order_id = q.order_id
    and v.code = @reason and q.place = 0))
  and (@after_place::int is null or q.place > @after_place
       or (q.place = @after_place and q.place = 0 and (q.submitted_at, q.order_id) > (@after_at::timestamptz,
         @after_id::bigint))
       or (q.place = @after_place and q.place = 1 and (q.submitted_at, q.order_id) < (@after_at::timestamptz,
         @after_id::bigint)))
order by q.place,
  case q.place when 0 then q.submitted_at end, case q.place when 0 then q.order_id end,
  q.submitted_at desc, q.order_id desc
limit @row_limit;

-- name: desk_order_list
-- Which orders of one status, or of all, the newest first.
select o.order_id, 1 as place, o.submitted_at
from erp.sales_order o
where (@status = 'all' or o.status = @status)
  and (@source = '' or o.source = @source)
  and (@query = '' or o.order_no ilike '%' || @pattern || '%' or o.po_no ilike '%' || @pattern || '%'
       or o.customer_id in (select c.customer_id from erp.customer c
            where c.customer_no ilike @pattern || '%' or c.name ilike '%' || @pattern || '%'))
  and (@after_at::timestamptz is null or (o.submitted_at, o.order_id) < (@after_at::timestamptz, @after_id::bigint))
order by o.submitted_at desc, o.order_id desc
limit @row_limit;

-- name: desk_order_rows
select o.order_id as id, o.order_no, o.status, o.status_reason,
  o.status = 'SUBMITTED' and o.reviewed_at is not null as in_review, o.source, o.po_no,
  l.lines, l.ordered, l.shipped, l.mixed_units, l.part_lines, l.whole_lines, o.total, o.submitted_at, c.customer_no,
    c.name as customer_name,
  o.status = 'SUBMITTED' and (o.reviewed_at is not null or o.source <> 'WEB') as needs_review,
  array(select v.code from erp.order_review v
    where v.order_id = o.order_id and erp.is_undecided(o.status) order by v.code) as review_codes,
  o.revision
from unnest(@order_ids::bigint[]) with ordinality as p(order_id, ord)
join erp.sales_order o using (order_id)
join erp.customer c using (customer_id)
cross join lateral (
  select count(*)::int as lines, coalesce(sum(x.qty - x.qty_cancelled), 0) as ordered, coalesce(sum(x.qty_shipped), 0)
    as shipped,
    coalesce(min(x.uom) filter (where x.qty > x.qty_cancelled) <> max(x.uom) filter (where x.qty > x.qty_cancelled),
      false) as mixed_units,
    (count(*) filter (where x.qty > x.qty_cancelled))::int as part_lines,
    (count(*) filter (where x.qty > x.qty_cancelled and x.qty_shipped >= x.qty - x.qty_cancelled))::int as whole_lines
  from erp.sales_order_line x where x.order_id = o.order_id
) l
order by p.ord;

-- name: desk_order_row_reviews
-- What the approval job found. It does not look at orders that staff entered
-- themselves: of those, how they stand with credit now.
select v.order_id, v.code, v.detail, v.at
from erp.order_review v join erp.sales_order o using (order_id)
where v.order_id = any (@order_ids::bigint[]) and erp.is_undecided(o.status)
union all
select o.order_id, f.code, f.detail, o.submitted_at
from erp.sales_order o
cross join lateral erp.credit_state(o.order_id, 'APPROVED', o.credit_released_at, o.credit_released_amount) s
cross join lateral (values
  ('over_credit', jsonb_build_object('over', s.over), s.over > 0),
  ('credit_hold', '{}', s.held)) as f(code, detail, holds)
where o.order_id = any (@order_ids::bigint[]) and o.source <> 'WEB' and erp.is_undecided(o.status) and f.holds
  and not exists (select from erp.order_review v where v.order_id = o.order_id)
order by 1, 2;

-- name: desk_counts
select o.status,
  count(*)::int as orders,
  (count(*) filter (where o.status = 'SUBMITTED' and (o.reviewed_at is not null or o.source <> 'WEB')))::int as review
from erp.sales_order o
where erp.is_open(o.status) and (@source = '' or o.source = @source)
group by o.status;

-- name: desk_reason_counts
-- How many of the orders that need review have each reason.
select v.code, count(*)::int as orders
from erp.sales_order o join erp.order_review v using (order_id)
where o.status = 'SUBMITTED' and (o.reviewed_at is not null or o.source <> 'WEB')
  and (@source = '' or o.source = @source)
  and (@query = '' or o.order_no ilike '%' || @pattern || '%' or o.po_no ilike '%' || @pattern || '%'
       or o.customer_id in (select c.customer_id from erp.customer c
            where c.customer_no ilike @pattern || '%' or c.name ilike '%' || @pattern || '%'))
group by v.code order by orders desc, v.code;

-- name: now
select erp.now();

-- name: desk_order_release
select o.credit_released_by as by, o.credit_released_at as at, o.credit_released_amount as amount,
  o.credit_release_reason as reason
from erp.sales_order o where o.order_id = @order_id and o.credit_released_at is not null;

-- name: desk_order_edit
select * from erp.edit_order(@order_no, @line_nos::int[], @qtys::text[]::numeric[], @reason, @revision::int);

-- name: desk_order_more
-- What staff see beside the order: where it may go, and the customer's credit.
-- The trigger's rules on lines are known here too, so that no button is
-- offered that it would refuse.
select
  array(select m.to_status from erp.order_move m
    where m.from_status = o.status
      and not (erp.is_void(m.to_status) and l.shipped)
      and not (erp.is_shipped(m.to_status) and l.backordered)
    order by m.to_status) as moves,
  l.to_invoice, c.credit_limit, c.credit_hold, erp.credit_exposure(c.customer_id) as exposure,
  erp.is_changeable(o.status) and coalesce((
    select s.refused from erp.credit_state(o.order_id, case o.status when 'APPROVED' then 'PICKING' else 'APPROVED' end,
      o.credit_released_at, o.credit_released_amount) s), false) as credit_stops
from erp.sales_order o
join erp.customer c using (customer_id)
cross join lateral (
  select coalesce(bool_or(x.qty_shipped > 0), false) as shipped, coalesce(bool_or(x.qty_backordered > 0), false)
    as backordered,
    coalesce(bool_or(x.qty_shipped > x.qty_invoiced), false) as to_invoice
  from erp.sales_order_line x where x.order_id = o.order_id
) l
where o.order_id = @order_id;

-- name: desk_order_lock
-- The order, held until the transaction ends, and who moved it last.
select o.order_id, o.order_no, o.status, o.revision, o.total,
  coalesce((select h.actor from erp.order_status_history h where h.order_id = o.order_id order by h.history_id desc
    limit 1), '') as moved_by
from erp.sales_order o where o.order_no = @order_no for update of o;

-- name: desk_order_prices
select l.line_no, l.unit_price from erp.sales_order_line l where l.order_id = @order_id order by l.line_no;

-- name: desk_orders_hold
select from erp.sales_order o where o.order_no = any (@order_nos::text[]) order by o.order_id for update;

-- name: desk_uninvoiced
-- What has shipped of orders and is on no invoice, as an invoice would charge it.
select o.order_no, l.lines, l.amount, l.quantities,
  coalesce((select sum(s.freight) from erp.shipment s where s.order_id = o.order_id and s.invoice_id is null), 0)
    as freight
from erp.sales_order o
cross join lateral (
  select count(*)::int as lines, coalesce(sum(round((x.qty_shipped - x.qty_invoiced) * x.unit_price, 2)), 0) as amount,
    encode(sha256(convert_to(coalesce(string_agg(x.line_no || ':' || trim_scale(x.qty_shipped - x.qty_invoiced), ','
      order by x.line_no), ''), 'UTF8')), 'hex') as quantities
  from erp.sales_order_line x where x.order_id = o.order_id and x.qty_shipped > x.qty_invoiced
) l
where o.order_no = any (@order_nos::text[])
order by o.order_id;

-- name: desk_shown_over
-- Until the transaction ends.
select set_config('portal.shown_over', @shown_over::text, true);

-- name: desk_order_move
update erp.sales_order set status = @status, status_reason = @reason::text where order_no = @order_no;

-- name: desk_line_state
select l.line_no, l.qty_allocated as allocated, l.qty_shipped as shipped
from erp.sales_order_line l where l.order_id = @order_id order by l.line_no;

-- name: desk_order_pick
-- Picked counts from the beginning, shipped or not.
update erp.sales_order_line l set qty_picked = l.qty_shipped + p.qty
from unnest(@line_nos::int[], @qtys::text[]::numeric[]) as p(line_no, qty)
where l.order_id = @order_id and l.line_no = p.line_no and l.qty_picked <> l.qty_shipped + p.qty;

-- name: desk_order_ship
select erp.ship_order(@order_no, @carrier, @tracking_no, @line_nos::int[], @qtys::text[]::numeric[]);

-- name: desk_order_invoice
select erp.invoice_order(@order_no);

-- name: desk_customer_list
select c.customer_no, c.name, c.price_level, c.credit_limit, c.credit_hold, c.active, r.name as route,
  c.active and coalesce(w.enabled, false) as enabled,
  coalesce(o.orders, 0) as open_orders
from (
  select x.* from erp.customer x
  where x.customer_no > @after
    and (@query = '' or lower(x.customer_no) like @prefix or x.name ilike all (@words::text[]))
  order by x.customer_no
  limit @row_limit
) c
left join erp.web_access w using (customer_id)
left join erp.route r on r.route_id = c.route_id
-- counted over the open orders of everybody: they are few, a customer's
-- closed ones are many
left join (
  select s.customer_id, count(*)::int as orders from erp.sales_order s
  where erp.is_open(s.status) group by s.customer_id
) o using (customer_id)
order by c.customer_no;

-- name: desk_customer_head
select c.customer_no, c.name, c.price_level, c.credit_limit, c.credit_hold, c.active, r.name as route,
  c.active and coalesce(w.enabled, false) as enabled,
  (select count(*)::int from erp.sales_order o
    where o.customer_id = c.customer_id and erp.is_open(o.status)) as open_orders,
  c.terms_days, coalesce(a.balance, 0) as balance, erp.credit_exposure(c.customer_id) as exposure,
  array(select l.email::text from portal.login l where l.customer_id = c.customer_id order by l.email) as logins
from erp.customer c
left join erp.web_access w using (customer_id)
left join erp.route r on r.route_id = c.route_id
left join lateral erp.aging(c.customer_id) a on true
where c.customer_no = @customer_no;

-- name: desk_access
-- The switches of a customer's Web Access in the order of the form, and where each stands.
select s.column_name as column, s.switch_no as no, s.section, s.beside, s.kind, s.label,
  coalesce(s.form_label, s.label) as form_label, s.help,
  coalesce(s.log_label, s.label) as log_label, coalesce(s.log_sort, s.sort) as log_sort,
  (select coalesce(jsonb_agg(jsonb_build_object('value', v.value, 'label', v.label, 'log_label', v.log_label)
    order by v.sort), '[]')
    from erp.web_access_choice v where v.column_name = s.column_name) as choices,
  a.switches ->> s.column_name as value
from erp.customer c
join erp.web_access w using (customer_id)
cross join lateral (select to_jsonb(w) as switches) a
cross join erp.web_access_switch s
where c.customer_no = @customer_no
order by min(s.sort) over (partition by s.section), s.sort;

-- name: desk_access_lock
select from erp.customer c join erp.web_access w using (customer_id) where c.customer_no = @customer_no for update of w;

-- name: desk_access_audit
select a.at, a.actor, a.program, a.action, a.subject, a.data
from erp.customer c join portal.audit a using (customer_id)
where c.customer_no = @customer_no and a.action in ('web_access', 'person', 'customer', 'authorized_item',
  'acting_begin', 'acting_end', 'acting_order', 'preview_begin', 'preview_end')
  and (a.action <> 'customer' or a.data ?| array['credit_limit', 'terms_days', 'credit_hold', 'tax_rate', 'active']
    and not a.data ? 'customer_id')
order by a.at desc, a.audit_id desc
limit @row_limit;

-- name: desk_ship_tos
select s.code, s.name, s.address1, s.address2, s.city, s.region, s.postal_code, s.country, coalesce(r.name, '')
  as route_name
from erp.customer c join erp.ship_to s using (customer_id) left join erp.route r on r.route_id = s.route_id
where c.customer_no = @customer_no and s.active
order by s.code;

-- name: desk_save_access
-- The trigger leaves an unchanged row alone.
select erp.set_web_access(@customer_no, @values::jsonb);

-- name: desk_item_list
select i.item_no, i.description, g.name as category, i.base_uom, i.price_a, i.price_b, i.price_c, i.price_d, i.price_e,
  i.cost,
  coalesce(s.on_hand, 0) as on_hand, coalesce(s.allocated, 0) as allocated, i.active, i.discontinued, i.allow_backorder
from erp.item i
cross join erp.company co
left join erp.category g using (category_id)
left join erp.stock s on s.item_id = i.item_id and s.warehouse = co.warehouse
where i.item_no > @after
  and (@query = '' or lower(i.item_no) like @prefix or i.search @@ to_tsquery('simple', @words)
    or i.item_id = any (array(
      select x.item_id from erp.item x where x.barcode is not null
        and erp.barcode_key(x.barcode) = erp.barcode_key(@query)
      union all
      select u.item_id from erp.item_uom u where u.barcode is not null
        and erp.barcode_key(u.barcode) = erp.barcode_key(@query))))
order by i.item_no
limit @row_limit;

-- name: desk_item
select i.item_no, i.description, g.name as category, i.base_uom, i.price_a, i.price_b, i.price_c, i.price_d, i.price_e,
  i.cost,
  coalesce(s.on_hand, 0) as on_hand, coalesce(s.allocated, 0) as allocated, i.active, i.discontinued, i.allow_backorder
from erp.item i
cross join erp.company co
left join erp.category g using (category_id)
left join erp.stock s on s.item_id = i.item_id and s.warehouse = co.warehouse
where i.item_no = @item_no;

-- name: desk_item_lock
select i.item_id from erp.item i where i.item_no = @item_no for no key update;

-- name: desk_save_item
update erp.item i set
  description = @description, price_a = @price_a::numeric, price_b = @price_b::numeric, price_c = @price_c::numeric,
  price_d = @price_d::numeric, price_e = @price_e::numeric, cost = @cost::numeric, active = @active,
  discontinued = @discontinued, allow_backorder = @allow_backorder
where i.item_id = @item_id
  and (i.description, i.price_a, i.price_b, i.price_c, i.price_d, i.price_e, i.cost, i.active, i.discontinued,
    i.allow_backorder)
    is distinct from (@description, @price_a::numeric, @price_b::numeric, @price_c::numeric, @price_d::numeric,
      @price_e::numeric,
      @cost::numeric, @active, @discontinued, @allow_backorder);

-- name: desk_stock_lock
select s.on_hand, coalesce((select max(f.shortfall_id) from erp.stock_shortfall f), 0) as before from erp.stock s
where s.item_id = @item_id and s.warehouse = (select co.warehouse from erp.company co) for update;

-- name: desk_save_stock
insert into erp.stock (item_id, warehouse, on_hand)
select @item_id, co.warehouse, @on_hand::numeric from erp.company co
on conflict (item_id, warehouse) do update set on_hand = excluded.on_hand where stock.on_hand <> excluded.on_hand;

-- name: desk_shortfalls
-- What counts took back from an item's lines since; who holds its stock counts alone.
select o.order_no, f.qty, l.uom
from erp.stock_shortfall f
join erp.sales_order_line l using (order_id, line_no)
join erp.sales_order o using (order_id)
where f.shortfall_id > @after and l.item_id = @item_id
order by o.submitted_at, f.order_id, f.line_no;
