-- name: standing_list
select o.standing_order_id as id, o.name, o.rhythm, o.every, o.weekday, o.starts_on, o.ends_on, o.hours_before,
  coalesce(s.code, '') as ship_to, coalesce(s.name, '') as ship_to_name, coalesce(r.name, '') as route, o.po_no, o.note,
    o.paused,
  (select count(*)::int from portal.standing_order_line l where l.standing_order_id = o.standing_order_id) as line_count
from portal.standing_order o
join erp.customer c using (customer_id)
left join erp.ship_to s on s.ship_to_id = o.ship_to_id
left join erp.route r on r.route_id = coalesce(s.route_id, c.route_id)
where o.customer_id = @customer_id and (@id = 0 or o.standing_order_id = @id)
order by o.paused, lower(o.name);

-- name: standing_next
-- Those to come, for several standing orders at once.
select o.standing_order_id as of_id, d.run_date, d.delivery_date, d.cutoff, d.send_at, d.outcome, erp.now() as now
from portal.standing_order o
cross join lateral portal.standing_dates(o.standing_order_id, 6) d
where o.customer_id = @customer_id and o.standing_order_id = any (@ids::bigint[]) and d.cutoff > erp.now()
order by o.standing_order_id, d.delivery_date;

-- name: standing_lines
select i.item_no as ref, l.uom, trim_scale(l.qty)::text as qty
from portal.standing_order o join portal.standing_order_line l using (standing_order_id) join erp.item i using (item_id)
where o.standing_order_id = @id and o.customer_id = @customer_id
order by l.added_at, i.item_no, l.uom;

-- name: standing_history
select r.run_date, r.delivery_date, r.outcome, so.order_no, r.at, r.findings,
  r.outcome = 'failed' and r.delivery_date >= erp.today() as retry
from portal.standing_order o join portal.standing_run r using (standing_order_id) left join erp.sales_order so
  using (order_id)
where o.standing_order_id = @id and o.customer_id = @customer_id and r.outcome in ('made', 'failed', 'missed')
order by r.run_date desc
limit 20;

-- name: standing_insert
insert into portal.standing_order (customer_id, name, rhythm, every, weekday, starts_on, ends_on, hours_before,
  ship_to_id, po_no, note)
select @customer_id, @name, @rhythm, @every, @weekday, coalesce(@starts_on::date, erp.today()), @ends_on, @hours_before,
  (select s.ship_to_id from erp.ship_to s where s.customer_id = @customer_id and s.code = @ship_to), @po_no, @note
returning standing_order_id;

-- name: standing_update
update portal.standing_order o
set name = @name, rhythm = @rhythm, every = @every, weekday = @weekday, starts_on = coalesce(@starts_on::date,
  o.starts_on), ends_on = @ends_on,
  hours_before = @hours_before, ship_to_id = (select s.ship_to_id from erp.ship_to s where s.customer_id = @customer_id
    and s.code = @ship_to),
  po_no = @po_no, note = @note
where o.standing_order_id = @id and o.customer_id = @customer_id
returning standing_order_id;

-- name: standing_has_route
-- Whether anything runs to the place chosen; no row where the place is not the
-- customer's.
select coalesce(s.route_id, c.route_id) is not null as has_route
from erp.customer c
left join erp.ship_to s on s.customer_id = c.customer_id and s.code = @ship_to and s.active
where c.customer_id = @customer_id and (@ship_to = '' or s.ship_to_id is not null);

-- name: standing_changes
-- What its lines are that a page did not show.
select portal.shown_changes(portal.shown_lines(@shown::text), array_agg(l.item_id order by l.added_at, l.item_id,
  l.uom),
  array_agg(l.uom order by l.added_at, l.item_id, l.uom), array_agg(l.qty order by l.added_at, l.item_id, l.uom))
from portal.standing_order_line l where l.standing_order_id = @id;

-- name: standing_set_lines
-- Lines that stay as they are stay untouched.
with
wanted as (
  select o.standing_order_id, i.item_id, n.uom, sum(n.qty) as qty, min(n.ord) as ord
  from unnest(@item_nos::text[], @uoms::text[], @qtys::numeric[]) with ordinality as n(item_no, uom, qty, ord)
  join erp.item i using (item_no)
  join portal.standing_order o on o.standing_order_id = @id and o.customer_id = @customer_id
  group by 1, 2, 3
),
gone as (
  delete from portal.standing_order_line l using portal.standing_order o
  where l.standing_order_id = @id and o.standing_order_id = l.standing_order_id and o.customer_id = @customer_id
    and not exists (select from wanted w where w.item_id = l.item_id and w.uom = l.uom)
)
insert into portal.standing_order_line as l (standing_order_id, item_id, uom, qty, added_at)
select w.standing_order_id, w.item_id, w.uom, w.qty, clock_timestamp() + w.ord * interval '1 microsecond' from wanted w
on conflict (standing_order_id, item_id, uom) do update set qty = excluded.qty where l.qty <> excluded.qty;

-- name: standing_pause
update portal.standing_order set paused = @paused where standing_order_id = @id and customer_id = @customer_id;

-- name: standing_delete
delete from portal.standing_order where standing_order_id = @id and customer_id = @customer_id;

-- name: standing_set_run
select portal.set_standing_run(o.standing_order_id, @run_date, @action)
from portal.standing_order o where o.standing_order_id = @id and o.customer_id = @customer_id;

-- name: standing_from_cart
select i.item_no as ref, cl.uom, trim_scale(cl.qty)::text as qty
from portal.cart k join portal.cart_line cl using (cart_id) join erp.item i using (item_id)
where k.login_id = @login_id and k.customer_id = @customer_id
order by cl.added_at, cl.item_id, cl.uom;

-- name: standing_from_order
select i.item_no as ref, l.uom, trim_scale(l.qty)::text as qty
from erp.sales_order o join erp.sales_order_line l using (order_id) join erp.item i using (item_id)
where o.order_no = @order_no and o.customer_id = @customer_id
order by l.line_no;

-- name: standing_due
select o.standing_order_id
from portal.standing_order o
where not o.paused and (o.next_at is null or o.next_at <= erp.now())
order by o.standing_order_id;

-- name: standing_run
select * from portal.run_standing_order(@id);

-- name: notice_insert
insert into portal.notice (customer_id, kind, text, link) values (@customer_id, @kind, @text, @link);

-- name: notice_list
select n.notice_id as id, n.at, n.kind, n.text, n.link
from portal.notice n
where n.customer_id = @customer_id and n.read_at is null
order by n.at desc, n.notice_id desc
limit 20;

-- name: notice_put_away
update portal.notice set read_at = erp.now() where notice_id = @id and customer_id = @customer_id and read_at is null;

-- name: standing_hold
-- Locked until the transaction ends: the job makes no order of it meanwhile.
select 1 from portal.standing_order o where o.standing_order_id = @id and o.customer_id = @customer_id for update;
