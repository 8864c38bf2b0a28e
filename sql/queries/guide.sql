-- name: guide_items
-- A page of the items of a guide with prices, stock and how they were bought.
-- Bought ones come last bought first, the others by description.
with
me as (
  select w.see_prices, w.see_price_breaks from erp.web_access w where w.customer_id = @customer_id
),
bought as (
  select l.item_id, l.uom, l.qty, o.submitted_at as at
  from erp.sales_order o join erp.sales_order_line l using (order_id)
  where o.customer_id = @customer_id and not erp.is_void(o.status)
  union all
  select l.item_id, l.uom, l.qty, i.issued_at
  from erp.invoice i join erp.invoice_line l using (invoice_id)
  where i.customer_id = @customer_id and i.order_id is null and l.item_id is not null and l.qty > 0
),
last as (
  select distinct on (b.item_id) b.item_id, b.uom, b.qty, b.at from bought b order by b.item_id, b.at desc
),
wanted as (
  select f.item_id from portal.favorite f where @kind = 'starred' and f.login_id = @login_id
    and f.customer_id = @customer_id
  union all
  select s.item_id from last s where @kind = 'bought'
  union all
  select n.item_id from portal.item_list_line n where @kind = 'list' and n.list_id = @list_id
),
allowed as materialized (
  select x.item_id from portal.in_catalogue(@customer_id, array(select w.item_id from wanted w)) as x(item_id)
),
page as materialized (
  select i.item_id, i.item_no, i.description, coalesce(s.uom, i.base_uom) as uom, s.qty as last_qty, s.at
    as last_ordered,
    count(*) over () as total, row_number() over (order by case when @kind = 'bought' then s.at end desc, i.description,
      i.item_id) as ord
  from allowed
  join erp.item i using (item_id)
  left join last s using (item_id)
  where @kind <> 'bought' or not i.discontinued
  order by ord
  limit @page_size offset @skip
),
usual as (
  select b.item_id, mode() within group (order by b.qty) filter (where b.uom = g.uom) as qty, count(*)::int as times
  from bought b join page g using (item_id) group by 1
),
priced as materialized (
  select p.item_id, p.unit_price, p.step
  from (select array_agg(item_id order by ord) as items, array_agg(uom order by ord) as uoms, array_agg(1::numeric)
    as qtys from page) a
  cross join lateral erp.price(@customer_id, a.items, a.uoms, a.qtys) p
),
-- At the quantity of one base unit. A price below it is reached by quantity, and
-- not told to who sees no price breaks (see item_units).
plain as materialized (
  select p.item_id, p.unit_price
  from (
    select array_agg(g.item_id order by g.ord) as items, array_agg(g.uom order by g.ord) as uoms,
      array_agg(ceil(1000000 / coalesce(u.factor, 1)) / 1000000 order by g.ord) as qtys
    from page g left join erp.item_uom u using (item_id, uom)
  ) a
  cross join lateral erp.price(@customer_id, a.items, a.uoms, a.qtys) p
  where not (select m.see_price_breaks from me m)
),
told as (
  select p.*, not me.see_price_breaks and p.unit_price is not null and p.unit_price < coalesce(n.unit_price, 'infinity')
    as by_quantity
  from priced p cross join me left join plain n using (item_id)
),
stocked as (
  select s.* from portal.stock_shown(@customer_id, (select array_agg(item_id) from page)) s
)
select g.item_id as id, g.item_no, g.description, g.uom,
  case when me.see_prices and not p.by_quantity then p.unit_price end as unit_price,
  case when me.see_prices and not p.by_quantity then p.step end as price_step,
  coalesce(me.see_prices and p.by_quantity, false) as by_quantity,
  s.available, s.state as stock_state,
  coalesce(s.orderable, false) and coalesce(p.step, 'none') <> 'none' as orderable,
  exists (select from portal.favorite f where f.login_id = @login_id and f.customer_id = @customer_id
    and f.item_id = g.item_id) as favorite,
  exists (select from erp.item_picture x where x.item_id = g.item_id) as has_picture,
  g.last_qty, g.last_ordered, u.qty as usual_qty, coalesce(u.times, 0) as times, g.total::int as total
from page g
cross join me
left join told p using (item_id)
left join stocked s using (item_id)
left join usual u using (item_id)
order by g.ord;

-- name: item_lists
select l.list_id as id, l.name,
  (select count(*)::int from portal.in_catalogue(@customer_id, array(select n.item_id from portal.item_list_line n
    where n.list_id = l.list_id))) as items
from portal.item_list l
where l.customer_id = @customer_id
order by lower(l.name);

-- name: item_list_save
insert into portal.item_list (customer_id, name) values (@customer_id, @name) returning list_id;

-- name: item_list_delete
delete from portal.item_list where list_id = @list_id and customer_id = @customer_id;

-- name: item_list_put
insert into portal.item_list_line (list_id, item_id)
select l.list_id, i.item_id
from portal.item_list l join erp.item i on i.item_no = @item_no
where l.list_id = @list_id and l.customer_id = @customer_id
  and i.item_id in (select portal.in_catalogue(@customer_id, array[i.item_id]))
on conflict (list_id, item_id) do update set added_at = item_list_line.added_at;

-- name: item_list_take
delete from portal.item_list_line n using portal.item_list l, erp.item i
where n.list_id = @list_id and l.list_id = n.list_id and l.customer_id = @customer_id and i.item_id = n.item_id
  and i.item_no = @item_no;

-- name: item_on_lists
select l.list_id as id, l.name, exists (select from portal.item_list_line n where n.list_id = l.list_id
  and n.item_id = @item_id) as "on"
from portal.item_list l
where l.customer_id = @customer_id
order by lower(l.name);
