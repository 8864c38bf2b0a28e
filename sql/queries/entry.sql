-- name: entry_find
-- What rows of a quick order may stand for: one row for each item and unit that
-- a reference fits, and how. place: 1 the item number as typed, 2 the customer's
-- own number as typed; 3 and 4 the same without what programs put into codes
-- unseen; 5 and 6 without regard to case or without the blanks in it; 7 a barcode,
-- as GTIN (a unit's names the unit).
with
asked as (
  select r.ord::int as ord, r.ref, erp.plain_code(r.ref) as plain, erp.barcode_key(r.ref) as barcode
  from unnest(@refs::text[]) with ordinality as r(ref, ord)
),
form as (
  select a.ord, a.ref as code, 0 as changed from asked a
  union all
  select a.ord, a.plain, 2 from asked a where a.plain <> a.ref and a.plain <> ''
  union all
  select a.ord, replace(a.plain, ' ', ''), 4 from asked a where a.plain like '% %'
),
hit as (
  select f.ord, i.item_id, null::text as uom, 1 + f.changed as place
  -- a probe each, however many
  from form f cross join lateral (select x.item_id from erp.item x where x.item_no = f.code offset 0) i
  union
  select f.ord, c.item_id, null, 2 + f.changed from form f join erp.customer_item c on c.customer_id = @customer_id
    and c.their_item_no = f.code
  union
  select f.ord, i.item_id, null, 5 from form f cross join lateral (select x.item_id from erp.item x
    where lower(x.item_no) = lower(f.code) offset 0) i
  union
  select f.ord, c.item_id, null, 6 from form f join erp.customer_item c on c.customer_id = @customer_id
    and lower(c.their_item_no) = lower(f.code)
  union
  select a.ord, i.item_id, i.base_uom, 7 from asked a join erp.item i on i.barcode is not null
    and erp.barcode_key(i.barcode) = a.barcode
  union
  select a.ord, u.item_id, u.uom, 7 from asked a join erp.item_uom u on u.barcode is not null
    and erp.barcode_key(u.barcode) = a.barcode
),
allowed as materialized (
  select x.item_id from portal.in_catalogue(@customer_id, array(select distinct h.item_id from hit h)) as x(item_id)
),
-- by arrays: the planner takes a function's rows for a thousand, and would read
-- every item
meant as materialized (
  select i.item_id, i.item_no, i.description, i.base_uom, i.fractional from erp.item i
  where i.item_id = any (array(select x.item_id from allowed x))
),
unit as (
  select u.item_id, array_agg(u.uom order by u.factor) as more
  from erp.item_uom u join meant i using (item_id)
  where u.item_id = any (array(select x.item_id from allowed x)) and u.uom <> i.base_uom group by 1
)
select h.ord, h.item_id, i.item_no, i.description, coalesce(h.uom, '') as uom, min(h.place) as place, i.base_uom,
  array[i.base_uom] || coalesce(n.more, '{}') as units, i.fractional
from hit h
join meant i using (item_id)
left join unit n using (item_id)
group by h.ord, h.item_id, i.item_no, i.description, h.uom, i.base_uom, n.more, i.fractional
order by h.ord, min(h.place), i.item_no, h.uom;

-- name: entry_units
select i.item_id, i.base_uom, i.fractional, array[i.base_uom] || coalesce(n.uoms, '{}') as units, array[1::numeric] ||
  coalesce(n.factors, '{}') as factors
from erp.item i
cross join lateral (
  select array_agg(u.uom order by u.factor) as uoms, array_agg(u.factor order by u.factor) as factors
  from erp.item_uom u where u.item_id = i.item_id and u.uom <> i.base_uom
) n
where i.item_no = @item_no and i.item_id in (select portal.in_catalogue(@customer_id, array[i.item_id]));

-- name: entry_usual
-- The largest quantity, in base units, of which a customer ever ordered of each
-- of these items; of one that it never ordered, the largest of anything in the
-- item's category. No row: it ordered nothing of the kind yet. The customer's
-- own documents are read once, whatever is asked.
with
asked as materialized (
  select i.item_id, i.category_id from erp.item i where i.item_id = any (@item_ids::bigint[])
),
bought as materialized (
  select x.item_id, max(x.qty) as qty
  from (
    select l.item_id, l.qty * l.factor as qty
    from erp.sales_order o join erp.sales_order_line l using (order_id)
    where o.customer_id = @customer_id and not erp.is_void(o.status)
    union all
    select l.item_id, l.qty * l.factor
    from erp.invoice v join erp.invoice_line l using (invoice_id)
    where v.customer_id = @customer_id and v.order_id is null and l.item_id is not null and l.qty > 0
  ) x
  group by 1
),
of_category as materialized (
  select i.category_id, max(b.qty) as qty
  from bought b join erp.item i using (item_id)
  where i.item_id = any (array(select x.item_id from bought x)) and i.category_id is not null group by 1
)
select a.item_id, coalesce(b.qty, c.qty) as qty, b.qty is not null as of_item
from asked a left join bought b using (item_id) left join of_category c using (category_id)
where coalesce(b.qty, c.qty) is not null;

-- name: entry_resolve
-- What lines of a quick order cost and whether they can be had, one row each:
-- their prices in one call, so that the quantities of an item count together.
with
me as (
  select w.see_prices from erp.web_access w where w.customer_id = @customer_id
),
chosen as materialized (
  select r.ord, r.item_id, r.uom, r.qty
  from unnest(@ords::int[], @item_ids::bigint[], @uoms::text[], @qtys::numeric[]) as r(ord, item_id, uom, qty)
),
priced as materialized (
  select n.ords[p.ord] as ord, p.unit_price, p.step
  from (
    select array_agg(c.ord order by c.ord) as ords, array_agg(c.item_id order by c.ord) as items,
      array_agg(c.uom order by c.ord) as uoms,
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
from unnest(@item_nos::text[], @uoms::text[], @qtys::numeric[], @was::numeric[]) with ordinality
  as n(item_no, uom, qty, was, ord)
join erp.item i using (item_no)
join portal.cart k on k.login_id = @login_id and k.customer_id = @customer_id
where i.item_id in (select portal.in_catalogue(@customer_id, array(select x.item_id from erp.item x
  where x.item_no = any (@item_nos::text[]))))
group by k.cart_id, i.item_id, n.uom
on conflict (cart_id, item_id, uom) do update set qty = cl.qty + excluded.qty, was_price = coalesce(excluded.was_price,
  cl.was_price)
returning item_id;

-- name: cart_clear
delete from portal.cart_line cl using portal.cart k where k.login_id = @login_id and k.customer_id = @customer_id
  and cl.cart_id = k.cart_id;

-- name: bought_before
-- Items this customer has ordered or was invoiced, as far as its catalogue
-- still holds them, the last bought first.
with bought as (
  select distinct on (x.item_id) x.item_id, x.uom, x.qty, x.at
  from (
    select l.item_id, l.uom, l.qty, o.submitted_at as at
    from erp.sales_order o join erp.sales_order_line l using (order_id)
    where o.customer_id = @customer_id and not erp.is_void(o.status)
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
select i.item_no as ref, l.uom, trim_scale(l.qty)::text as qty, i.description, case when w.see_prices then l.unit_price
  end as old_price
from erp.sales_order o
join erp.sales_order_line l using (order_id)
join erp.item i using (item_id)
join erp.web_access w using (customer_id)
where o.order_no = @document and o.customer_id = @customer_id
order by l.line_no;

-- name: reorder_invoice
-- What was invoiced, and not what was once ordered. Credits on an invoice are
-- not ordered again.
select coalesce(t.item_no, '') as ref, l.uom, trim_scale(l.qty)::text as qty, l.description, case when w.see_prices
  then l.unit_price end as old_price
from erp.invoice i
join erp.invoice_line l using (invoice_id)
left join erp.item t using (item_id)
join erp.web_access w using (customer_id)
where i.invoice_no = @document and i.customer_id = @customer_id and l.qty > 0
order by l.line_no;

-- name: cart_count
select count(*)::int from portal.cart k join portal.cart_line cl using (cart_id) where k.login_id = @login_id
  and k.customer_id = @customer_id;
