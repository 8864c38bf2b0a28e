-- name: entry_resolve
-- What rows of a quick order stand for, one row each, in their order: by item
-- number, by the customer's own number, by barcode (a unit's barcode names the
-- unit), whichever fits first. All are priced in one call.
with
me as (
  select w.see_prices from erp.web_access w where w.customer_id = @customer_id
),
asked as (
  select r.ord::int as ord, r.ref, r.uom, r.qty
  from unnest(@refs::text[], @uoms::text[], @qtys::numeric[]) with ordinality as r(ref, uom, qty, ord)
),
hit as (
  select a.ord, i.item_id, null as uom, 1 as rank from asked a join erp.item i on lower(i.item_no) = lower(a.ref)
  union all
  select a.ord, ci.item_id, null, 2 from asked a join erp.customer_item ci on ci.customer_id = @customer_id and lower(ci.their_item_no) = lower(a.ref)
  union all
  select a.ord, i.item_id, null, 3 from asked a join erp.item i on i.barcode = a.ref
  union all
  select a.ord, u.item_id, u.uom, 4 from asked a join erp.item_uom u on u.barcode = a.ref
),
allowed as materialized (
  select x.item_id from portal.in_catalogue(@customer_id, array(select distinct h.item_id from hit h)) as x(item_id)
),
chosen as materialized (
  select distinct on (h.ord) h.ord, h.item_id, coalesce(nullif(a.uom, ''), h.uom, i.base_uom) as uom, a.qty
  from hit h
  join allowed using (item_id)
  join asked a on a.ord = h.ord
  join erp.item i on i.item_id = h.item_id
  order by h.ord, h.rank, h.item_id
),
priced as materialized (
  select n.ords[p.ord] as ord, p.unit_price, p.step
  from (
    select array_agg(c.ord order by c.ord) as ords, array_agg(c.item_id order by c.ord) as items, array_agg(c.uom order by c.ord) as uoms,
      array_agg(c.qty order by c.ord) as qtys
    from chosen c
  ) n
  cross join lateral erp.price(@customer_id, n.items, n.uoms, n.qtys) p
),
stocked as materialized (
  select s.* from portal.stock_shown(@customer_id, array(select distinct c.item_id from chosen c)) s
),
supplied as materialized (
  select s.* from (
    select array_agg(c.item_id) as items, array_agg(c.qty * coalesce(u.factor, 1)) as qtys
    from chosen c left join erp.item_uom u using (item_id, uom)
  ) n
  cross join lateral portal.supply(@customer_id, n.items, n.qtys) s
),
unit as (
  select c.item_id, array_agg(u.uom order by u.factor) as more
  from (select distinct item_id from chosen) c join erp.item_uom u using (item_id) join erp.item i using (item_id)
  where u.uom <> i.base_uom group by 1
)
select c.ord, i.item_no, i.description, c.uom, array[i.base_uom] || coalesce(n.more, '{}') as units,
  case when c.uom = i.base_uom then 1 else u.factor end as factor,
  i.fractional, i.discontinued,
  case when me.see_prices then p.unit_price end as unit_price,
  case when me.see_prices then p.step end as price_step,
  coalesce(p.step, 'none') <> 'none' as priced,
  case when me.see_prices then round(c.qty * p.unit_price, 2) end as line_total,
  s.available, s.state as stock_state,
  coalesce(s.orderable, false) as orderable,
  coalesce(y.short, false) as short,
  (select x.item_no from erp.item x where x.item_id = i.substitute_item_id
    and x.item_id in (select portal.in_catalogue(@customer_id, array[x.item_id]))) as substitute_no
from chosen c
cross join me
join erp.item i using (item_id)
left join erp.item_uom u on u.item_id = c.item_id and u.uom = c.uom
left join priced p on p.ord = c.ord
left join stocked s on s.item_id = c.item_id
left join supplied y on y.item_id = c.item_id
left join unit n on n.item_id = c.item_id
order by c.ord;

-- name: entry_add
-- Puts rows into the cart, adding to what is there.
insert into portal.cart_line as cl (cart_id, item_id, uom, qty, was_price, added_at)
select k.cart_id, i.item_id, n.uom, sum(n.qty), max(n.was), clock_timestamp() + min(n.ord) * interval '1 microsecond'
from unnest(@item_nos::text[], @uoms::text[], @qtys::numeric[], @was::numeric[]) with ordinality as n(item_no, uom, qty, was, ord)
join erp.item i using (item_no)
join portal.cart k on k.login_id = @login_id and k.customer_id = @customer_id
where i.item_id in (select portal.in_catalogue(@customer_id, array(select x.item_id from erp.item x where x.item_no = any (@item_nos::text[]))))
group by k.cart_id, i.item_id, n.uom
on conflict (cart_id, item_id, uom) do update set qty = cl.qty + excluded.qty, was_price = coalesce(excluded.was_price, cl.was_price)
returning item_id;

-- name: cart_clear
delete from portal.cart_line cl using portal.cart k where k.login_id = @login_id and k.customer_id = @customer_id and cl.cart_id = k.cart_id;

-- name: bought_before
-- Items this customer has ordered or was invoiced, as far as its catalogue
-- still holds them, the last bought first.
with bought as (
  select distinct on (x.item_id) x.item_id, x.uom, x.qty, x.at
  from (
    select l.item_id, l.uom, l.qty, o.submitted_at as at
    from erp.sales_order o join erp.sales_order_line l using (order_id)
    where o.customer_id = @customer_id and o.status not in ('CANCELLED', 'REJECTED')
    union all
    select l.item_id, l.uom, l.qty, i.issued_at
    from erp.invoice i join erp.invoice_line l using (invoice_id)
    where i.customer_id = @customer_id and i.order_id is null and l.item_id is not null and l.qty > 0
  ) x
  order by x.item_id, x.at desc
)
select i.item_no as ref, b.uom, trim_scale(b.qty)::text as qty, i.description
from bought b join erp.item i using (item_id)
where i.item_id in (select portal.in_catalogue(@customer_id, array(select item_id from bought))) and not i.discontinued
order by b.at desc, i.item_no
limit @row_limit;

-- name: reorder_order
select i.item_no as ref, l.uom, trim_scale(l.qty)::text as qty, i.description, case when w.see_prices then l.unit_price end as old_price
from erp.sales_order o
join erp.sales_order_line l using (order_id)
join erp.item i using (item_id)
join erp.web_access w using (customer_id)
where o.order_no = @document and o.customer_id = @customer_id
order by l.line_no;

-- name: reorder_invoice
-- What was invoiced, and not what was once ordered. Credits on an invoice are
-- not ordered again.
select coalesce(t.item_no, '') as ref, l.uom, trim_scale(l.qty)::text as qty, l.description, case when w.see_prices then l.unit_price end as old_price
from erp.invoice i
join erp.invoice_line l using (invoice_id)
left join erp.item t using (item_id)
join erp.web_access w using (customer_id)
where i.invoice_no = @document and i.customer_id = @customer_id and l.qty > 0
order by l.line_no;

-- name: cart_count
select count(*)::int from portal.cart k join portal.cart_line cl using (cart_id) where k.login_id = @login_id and k.customer_id = @customer_id;
