-- name: cart_head
-- Without a ship-to chosen the first stands in the form, and is what counts.
-- One row also where there is no cart yet.
select coalesce(k.key::text, '') as key, coalesce(k.po_no, '') as po_no,
  coalesce(s.code, (select min(f.code) from erp.ship_to f where f.customer_id = @customer_id and f.active), '')
    as ship_to,
  k.requested_date, coalesce(k.note, '') as note
from (select 1) one
left join portal.cart k on k.login_id = @login_id and k.customer_id = @customer_id
left join erp.ship_to s on s.ship_to_id = k.ship_to_id and s.active;

-- name: cart_open
-- Who does not order has none.
insert into portal.cart (login_id, customer_id) select @login_id, @customer_id where portal.may('order')
on conflict (login_id, customer_id) do nothing;

-- name: cart_lines
with line as (
  select row_number() over (order by cl.added_at, cl.item_id, cl.uom)::int as ord, cl.*, coalesce(u.factor, 1)
    as factor,
    sum(cl.qty * coalesce(u.factor, 1)) over (partition by cl.item_id) as total
  from portal.cart k join portal.cart_line cl using (cart_id) left join erp.item_uom u using (item_id, uom)
  where k.login_id = @login_id and k.customer_id = @customer_id
),
priced as materialized (
  select p.*
  from (
    select array_agg(item_id order by ord) as items, array_agg(uom order by ord) as uoms, array_agg(qty order by ord)
      as qtys
    from line
  ) a
  cross join lateral erp.price(@customer_id, a.items, a.uoms, a.qtys) p
)
select i.item_no, i.description, l.uom, l.qty,
  case when w.see_prices then p.unit_price end as unit_price,
  case when w.see_prices then trim_scale(p.unit_price)::text else portal.sealed_price(@customer_id, l.item_id, l.uom,
    p.unit_price) end as shown_price,
  case when w.see_prices then p.step end as price_step,
  case when w.see_prices then l.seen_price end as seen_price,
  case when w.see_prices then l.was_price end as was_price,
  case when w.see_prices then p.valid_until end as valid_until,
  case when w.see_prices then round(l.qty * p.unit_price, 2) end as line_total,
  case when w.see_prices and w.see_price_breaks then ceil((p.next_qty - l.total) / l.factor) end as more_qty,
  case when w.see_prices and w.see_price_breaks then p.next_price end as more_price,
  case when l.unusual_above is null then '' else trim_scale(l.qty)::text || ' ' || l.uom || ' ' || i.item_no
    end as ask_sure,
  s.available, s.state as stock_state,
  exists (select from erp.item_picture x where x.item_id = l.item_id) as has_picture,
  l.item_id in (select portal.in_catalogue(@customer_id, array(select x.item_id from line x))) as in_catalog
from line l
join priced p using (ord)
join erp.item i on i.item_id = l.item_id
join erp.web_access w on w.customer_id = @customer_id
left join (select distinct on (st.item_id) st.* from portal.stock_shown(@customer_id, (select array_agg(item_id)
  from line)) st) s
  on s.item_id = l.item_id
order by l.ord;

-- name: cart_findings
-- What objects and the room that is left, and what that says of the outcome, as
-- the form carries it.
with line as (
  select row_number() over (order by cl.added_at, cl.item_id, cl.uom)::int as ord, cl.item_id, cl.uom, cl.qty, cl
    as whole, k.po_no, k.requested_date,
    coalesce((select c.ship_to_id from erp.ship_to c where c.ship_to_id = k.ship_to_id and c.active),
      (select f.ship_to_id from erp.ship_to f where f.customer_id = @customer_id and f.active order by f.code limit 1))
        as ship_to_id
  from portal.cart k join portal.cart_line cl using (cart_id)
  where k.login_id = @login_id and k.customer_id = @customer_id
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
select coalesce(jsonb_agg(to_jsonb(f) order by f.action desc, f.line nulls first), '[]') as findings,
  portal.shown_outcome(coalesce(jsonb_agg(to_jsonb(f)), '[]'), (select a.uoms from a),
    (select a.ship_to_id from a))::text as shown_outcome
from a cross join priced
cross join lateral (
  select f.* from erp.order_findings(@customer_id, a.items, a.uoms, a.qtys, priced.prices, a.po_no, a.ship_to_id,
    a.requested_date) f
  union all
  select u.code, u.action, u.field, u.line, u.detail
  from line cross join lateral jsonb_to_record(portal.unusual_finding(line.whole, line.ord))
    as u(code text, action text, field text, line int, detail jsonb)
  where u.code is not null
) f;

-- name: cart_set_line
insert into portal.cart_line as cl (cart_id, item_id, uom, qty)
select k.cart_id, i.item_id, coalesce(nullif(@uom, ''), i.base_uom), @qty::numeric
from portal.cart k
join erp.item i on i.item_no = @item_no and i.item_id in (select portal.in_catalogue(@customer_id, array[i.item_id]))
where k.login_id = @login_id and k.customer_id = @customer_id
on conflict (cart_id, item_id, uom) do update
  set qty = case when @add::boolean then cl.qty + excluded.qty else excluded.qty end
returning item_id, qty;

-- name: cart_line_qty
-- What stands in the cart of an item in a unit; locked, or it would be judged by
-- what another tab has just added to.
select cl.qty from portal.cart k join portal.cart_line cl using (cart_id) join erp.item i using (item_id)
where k.login_id = @login_id and k.customer_id = @customer_id and i.item_no = @item_no
  and cl.uom = coalesce(nullif(@uom, ''), i.base_uom)
for update of cl;

-- name: cart_line_unusual
-- Keeps the question whether a line's quantity is meant, or takes it away.
update portal.cart_line cl set unusual_above = @above::numeric, unusual_of_item = @of_item::boolean
from portal.cart k, erp.item i
where k.login_id = @login_id and k.customer_id = @customer_id and cl.cart_id = k.cart_id and cl.item_id = i.item_id
  and i.item_no = @item_no
  and cl.uom = coalesce(nullif(@uom, ''), i.base_uom) and cl.unusual_above is distinct from @above::numeric;

-- name: cart_confirm_qty
-- The answer names quantity, unit and item, so that it confirms no other.
update portal.cart_line cl set unusual_above = null, unusual_of_item = null
from portal.cart k, erp.item i
where k.login_id = @login_id and k.customer_id = @customer_id and cl.cart_id = k.cart_id and cl.item_id = i.item_id
  and i.item_no = @item_no
  and trim_scale(cl.qty)::text || ' ' || cl.uom || ' ' || i.item_no = @sure;

-- name: cart_remove_line
delete from portal.cart_line cl using portal.cart k, erp.item i
where k.login_id = @login_id and k.customer_id = @customer_id and cl.cart_id = k.cart_id and cl.item_id = i.item_id
  and i.item_no = @item_no
  and cl.uom = coalesce(nullif(@uom, ''), i.base_uom)
returning cl.item_id, cl.qty;

-- name: cart_seen
-- What a buyer's own change of an item makes of its price is agreed to: on all
-- of its lines, since their quantities count together.
-- Materialized, or the planner may have every line priced anew.
with priced as materialized (
  select k.cart_id, p.*
  from (
    select k.cart_id, array_agg(cl.item_id) as items, array_agg(cl.uom) as uoms, array_agg(cl.qty) as qtys
    from portal.cart k join portal.cart_line cl using (cart_id)
    where k.login_id = @login_id and k.customer_id = @customer_id and cl.item_id = any (@item_ids::bigint[])
    group by 1
  ) k
  cross join lateral erp.price(@customer_id, k.items, k.uoms, k.qtys) p
)
update portal.cart_line cl
set seen_price = p.unit_price
from priced p
where cl.cart_id = p.cart_id and cl.item_id = p.item_id and cl.uom = p.uom
  and cl.seen_price is distinct from p.unit_price;

-- name: item_unit
-- What is needed to check a quantity before it goes into the cart.
select i.item_no, i.description, i.fractional, i.discontinued, coalesce(nullif(@uom, ''), i.base_uom) as uom,
  coalesce(u.factor, case when coalesce(nullif(@uom, ''), i.base_uom) = i.base_uom then 1 end) as factor,
  p.step
from erp.item i
left join erp.item_uom u on u.item_id = i.item_id and u.uom = @uom
cross join lateral erp.price(@customer_id, array[i.item_id], array[nullif(@uom, '')], array[1::numeric]) p
where i.item_no = @item_no and i.item_id in (select portal.in_catalogue(@customer_id, array[i.item_id]));

-- name: cart_save_head
update portal.cart k
set po_no = @po_no, note = @note, requested_date = @requested_date::date, updated_at = erp.now(),
  ship_to_id = (select s.ship_to_id from erp.ship_to s where s.customer_id = @customer_id and s.code = @ship_to
    and s.active)
where k.login_id = @login_id and k.customer_id = @customer_id
  and (k.po_no, k.note, k.requested_date, k.ship_to_id) is distinct from (@po_no, @note, @requested_date::date,
    (select s.ship_to_id from erp.ship_to s where s.customer_id = @customer_id and s.code = @ship_to and s.active));

-- name: cart_submit
select s.order_no, s.sign_off_id, s.repeated, s.findings,
  coalesce((select w.see_prices from erp.web_access w where w.customer_id = portal.customer_id()), false) as see_prices
from portal.submit_cart(@login_id, @key::uuid, @po_no, @ship_to, @requested_date::date, @note, @shown::text,
  @confirm_prices::text, @confirm_po::text, @shown_outcome::text) s;

-- name: ship_to_list
select s.code, s.name, s.address1, s.address2, s.city, s.region, s.postal_code, s.country, coalesce(r.name, '')
  as route_name
from erp.ship_to s left join erp.route r using (route_id)
where s.customer_id = @customer_id and s.active
order by s.code;
