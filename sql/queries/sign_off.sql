-- name: sign_off_list
-- The requests that the log-in may see, as row-level security says: those that
-- wait first, then the newest.
select s.sign_off_id, s.status, coalesce(portal.person_name(s.login_id), '') as requester, s.login_id = @login_id
  as mine,
  s.status = 'WAITING' and portal.may('sign_off') and (s.login_id <> @login_id or not portal.limited()) as may_decide,
  s.po_no, s.requested_at, s.decided_by, s.decided_at, s.reason, o.order_no, l.lines,
  case when w.see_prices then l.total end as total
from portal.sign_off s
join erp.web_access w using (customer_id)
left join erp.sales_order o on o.order_id = s.order_id
cross join lateral (
  select count(*)::int as lines, sum(round(coalesce(x.signed_qty, x.qty) * x.seen_price, 2)) as total
  from portal.sign_off_line x where x.sign_off_id = s.sign_off_id
) l
where s.customer_id = @customer_id and (not @waiting_only or s.status = 'WAITING')
order by s.status <> 'WAITING', s.sign_off_id desc
limit @row_limit;

-- name: sign_off_head
select s.sign_off_id, s.status, coalesce(portal.person_name(s.login_id), '') as requester, s.login_id = @login_id
  as mine,
  s.status = 'WAITING' and portal.may('sign_off') and (s.login_id <> @login_id or not portal.limited()) as may_decide,
  s.po_no, s.requested_at, s.decided_by, s.decided_at, s.reason, o.order_no, l.lines,
  case when w.see_prices then l.total end as total,
  nullif(concat_ws(', ', a.name, nullif(a.city, '')), '') as ship_to, s.requested_date, s.note,
    s.returned_at is not null as returned,
  portal.approvers(s.customer_id, s.login_id) as approvers, s.reasons
from portal.sign_off s
join erp.web_access w using (customer_id)
left join erp.sales_order o on o.order_id = s.order_id
left join erp.ship_to a on a.ship_to_id = s.ship_to_id
cross join lateral (
  select count(*)::int as lines, sum(round(coalesce(x.signed_qty, x.qty) * x.seen_price, 2)) as total
  from portal.sign_off_line x where x.sign_off_id = s.sign_off_id
) l
where s.sign_off_id = @sign_off_id and s.customer_id = @customer_id;

-- name: sign_off_lines
-- A request that waits has today's prices beside those agreed to.
with line as (
  select row_number() over (order by x.line_no)::int as ord, x.*
  from portal.sign_off s join portal.sign_off_line x using (sign_off_id)
  where s.sign_off_id = @sign_off_id and s.customer_id = @customer_id
),
priced as materialized (
  select p.*
  from (
    select array_agg(item_id order by ord) as items, array_agg(uom order by ord) as uoms, array_agg(qty order by ord)
      as qtys from line
  ) a
  cross join lateral erp.price(@customer_id, a.items, a.uoms, a.qtys) p
  where @waiting
)
select l.line_no, i.item_no, i.description, l.uom, l.qty, l.signed_qty,
  case when w.see_prices then l.seen_price end as seen_price,
  case when w.see_prices then p.unit_price end as unit_price,
  case when w.see_prices then trim_scale(p.unit_price)::text else portal.sealed_price(@customer_id, l.item_id, l.uom,
    p.unit_price) end as shown_price,
  case when w.see_prices then round(l.qty * p.unit_price, 2) end as line_total,
  l.item_id in (select portal.in_catalogue(@customer_id, array(select x.item_id from line x))) as in_catalog
from line l
join erp.item i on i.item_id = l.item_id
join erp.web_access w on w.customer_id = @customer_id
left join priced p using (ord)
order by l.ord;

-- name: sign_off_findings
-- As cart_findings, of an order that is signed off; line is the request's.
with line as (
  select row_number() over (order by x.line_no)::int as ord, x.*, s.po_no, s.ship_to_id, s.requested_date
  from portal.sign_off s join portal.sign_off_line x using (sign_off_id)
  where s.sign_off_id = @sign_off_id and s.customer_id = @customer_id
),
a as (
  select array_agg(item_id order by ord) as items, array_agg(uom order by ord) as uoms, array_agg(qty order by ord)
    as qtys,
    max(po_no) as po_no, max(ship_to_id) as ship_to_id, max(requested_date) as requested_date
  from line
),
priced as materialized (
  select array_agg(p.unit_price order by p.ord) as prices from a cross join lateral erp.price(@customer_id, a.items,
    a.uoms, a.qtys) p
)
select coalesce(jsonb_agg(to_jsonb(f) || jsonb_build_object('line', (select l.line_no from line l where l.ord = f.line))
  order by f.action desc, f.line nulls first), '[]') as findings,
  portal.shown_outcome(coalesce(jsonb_agg(to_jsonb(f)), '[]'), (select a.uoms from a),
    (select a.ship_to_id from a))::text as shown_outcome
from a cross join priced
cross join lateral erp.order_findings(@customer_id, a.items, a.uoms, a.qtys, priced.prices, a.po_no, a.ship_to_id,
  a.requested_date) f
where f.action in ('refuse', 'queue', 'warn') or f.code = 'next_delivery';

-- name: sign_off_approve
select s.order_no, s.repeated, s.findings,
  coalesce((select w.see_prices from erp.web_access w where w.customer_id = portal.customer_id()), false) as see_prices
from portal.approve_sign_off(@sign_off_id, @line_nos::int[], @qtys::numeric[], @po_no, @requested_date::date,
  @shown::text, @confirm_prices::text, @confirm_po::text, @shown_outcome::text) s;

-- name: sign_off_reject
select portal.reject_sign_off(@sign_off_id, @reason);

-- name: sign_off_take_back
select portal.take_back_sign_off(@sign_off_id);

-- name: see_prices
select w.see_prices from erp.web_access w where w.customer_id = @customer_id;
