-- name: item_exact
-- What a scanner's code or a customer's own number means: a barcode of the item
-- or of one of its units, or the number that this customer gave it. And one
-- item whose code begins so, if there is any.
select i.item_id, 'barcode' as match, i.base_uom as uom from erp.item i where i.barcode is not null
  and erp.barcode_key(i.barcode) = erp.barcode_key(@query)
union all
select u.item_id, 'barcode', u.uom from erp.item_uom u where u.barcode is not null
  and erp.barcode_key(u.barcode) = erp.barcode_key(@query)
union all
select c.item_id, 'own_no', null from erp.customer_item c where c.customer_id = @customer_id
  and lower(c.their_item_no) = lower(@query)
union all
(select i.item_id, 'prefix', null from erp.item i
  where lower(i.item_no) ~>=~ @code::text and lower(i.item_no) ~<~ (@code || chr(1114111)) limit 1);

-- name: item_find
-- The items of one page, in the order of portal.find_items or as sorted.
-- Category 0 is all, -1 the items without one.
select h.item_id, h.place
from portal.find_items(@customer_id, @login_id, @query, @exact, @prefix, @words, @whole, @lead, @part, @similar,
  @in_stock, @bought, @favorites) h
where @category = 0
  or h.category_id = any (array(
    with recursive tree as (
      select c.category_id from erp.category c where c.category_id = @category
      union all
      select c.category_id from erp.category c join tree t on c.parent_id = t.category_id)
    select category_id from tree))
  or (@category = -1 and h.category_id is null)
-- without a query and a category all but description and id are constants, and
-- the list is read off its index; with a category the last but one case keeps
-- the planner from walking that index to where the category's descriptions
-- begin
order by
  case when @sort = '' then h.place end,
  case when @sort = '' then h.rank end,
  case when @sort = 'code' or (@sort = '' and @query <> '' and h.place = 2) then h.item_no end,
  case when @category = 0 then '' else h.description || ' ' end,
  h.description, h.item_id
limit @page_size offset @skip;

-- name: item_list
-- Items as found, with a customer's prices and stock.
with
me as (
  select w.see_prices from erp.web_access w where w.customer_id = @customer_id
),
page as (
  select i.item_id, i.item_no, i.description, i.category_id, i.base_uom, i.discontinued, f.ord
  from unnest(@items::bigint[]) with ordinality as f(item_id, ord)
  join erp.item i using (item_id)
),
priced as materialized (
  select p.item_id, p.unit_price, p.step
  from (
    select array_agg(item_id order by ord) as items, array_agg(base_uom order by ord) as uoms,
      array_agg(1::numeric) as qtys
    from page
  ) a
  cross join lateral erp.price(@customer_id, a.items, a.uoms, a.qtys) p
),
stocked as (
  select s.* from portal.stock_shown(@customer_id, (select array_agg(item_id) from page)) s
)
select g.item_id as id, g.item_no, g.description, coalesce(c.name, '') as category, g.base_uom as uom,
  case when me.see_prices then p.unit_price end as unit_price,
  case when me.see_prices then p.step end as price_step,
  s.available, s.state as stock_state,
  coalesce(s.orderable, false) and p.step <> 'none' as orderable,
  g.discontinued,
  exists (select from portal.favorite f where f.login_id = @login_id and f.customer_id = @customer_id
    and f.item_id = g.item_id) as favorite,
  exists (select from erp.item_picture x where x.item_id = g.item_id) as has_picture,
  (select sum(cl.qty) from portal.cart k join portal.cart_line cl using (cart_id)
    where k.login_id = @login_id and k.customer_id = @customer_id and cl.item_id = g.item_id and cl.uom = g.base_uom)
      as in_cart
from page g
cross join me
left join erp.category c using (category_id)
left join priced p using (item_id)
left join stocked s using (item_id)
order by g.ord;

-- name: item_counts
-- How many items the same filter finds in each category of the top level, and
-- how many of these lie inside the chosen one.
with recursive
tree as (
  select c.category_id as top, c.name, c.sort, c.category_id from erp.category c where c.parent_id is null
  union all
  select t.top, t.name, t.sort, c.category_id from erp.category c join tree t on c.parent_id = t.category_id
),
chosen as (
  select c.category_id from erp.category c where c.category_id = @category
  union all
  select c.category_id from erp.category c join chosen x on c.parent_id = x.category_id
),
hit as (
  select h.category_id, count(*) as n
  from portal.find_items(@customer_id, @login_id, @query, @exact, @prefix, @words, @whole, @lead, false,
    @similar, false, @bought, @favorites) h
  -- all at once: a count looks at every item
  where not @in_stock or h.item_id in (select s.item_id from portal.stocked_item s)
  group by 1
)
select coalesce(t.top, -1) as id, coalesce(t.name, 'Other') as name, sum(h.n)::int as count,
  coalesce(sum(h.n) filter (where @category = 0 or h.category_id in (select category_id from chosen)
    or (@category = -1 and h.category_id is null)), 0)::int as inside
from hit h left join tree t using (category_id)
group by t.top, t.name, t.sort
order by t.sort nulls last, t.name;

-- name: item_lookup
-- Items as found, with what a line of an order needs to know of each.
with
me as (
  select w.see_prices from erp.web_access w where w.customer_id = @customer_id
),
page as (
  select i.item_id, i.item_no, i.description, i.base_uom, i.discontinued, f.ord
  from unnest(@items::bigint[]) with ordinality as f(item_id, ord)
  join erp.item i using (item_id)
),
priced as materialized (
  select p.item_id, p.unit_price, p.step
  from (
    select array_agg(item_id order by ord) as items, array_agg(base_uom order by ord) as uoms,
      array_agg(1::numeric) as qtys
    from page
  ) a
  cross join lateral erp.price(@customer_id, a.items, a.uoms, a.qtys) p
),
stocked as (
  select s.* from portal.stock_shown(@customer_id, (select array_agg(item_id) from page)) s
)
select g.item_id as id, g.item_no, g.description, g.base_uom as uom,
  g.base_uom || array(select u.uom from erp.item_uom u where u.item_id = g.item_id and u.uom <> g.base_uom
    order by u.factor, u.uom) as units,
  case when me.see_prices then p.unit_price end as unit_price,
  case when me.see_prices then p.step end as price_step,
  s.available, s.state as stock_state,
  coalesce(s.orderable, false) and p.step <> 'none' as orderable,
  g.discontinued, ci.their_item_no
from page g
cross join me
left join priced p using (item_id)
left join stocked s using (item_id)
left join erp.customer_item ci on ci.customer_id = @customer_id and ci.item_id = g.item_id
order by g.ord;

-- name: item_spellings
-- Which of these words some item has, each asked for by the tsquery beside it.
select w.word from unnest(@spellings::text[], @queries::text[]) as w(word, query)
where exists (select from erp.item i where i.active and i.search @@ w.query::tsquery);

-- name: item_similar
-- The items of the catalogue whose description has a part that looks like what
-- was typed.
select i.item_id
from erp.item i
where i.active
  and @query::text operator(public.<%) i.description
  and (not coalesce((select w.authorized_items_only from erp.web_access w where w.customer_id = @customer_id), true)
    or i.item_id in (select a.item_id from erp.authorized_item a where a.customer_id = @customer_id))
order by public.word_similarity(@query, i.description) desc, length(i.search), i.description, i.item_id
limit 200;

-- name: item_detail
with
me as (
  select w.see_prices from erp.web_access w where w.customer_id = @customer_id
),
it as (
  select i.item_id, i.item_no, i.description, i.details, i.category_id, i.base_uom, i.barcode, i.discontinued,
    i.substitute_item_id
  from erp.item i
  where i.item_no = @item_no and i.item_id in (select portal.in_catalogue(@customer_id, array[i.item_id]))
)
select it.item_id as id, it.item_no, it.description, it.details, it.barcode, coalesce(c.name, '') as category,
  it.base_uom as uom,
  case when me.see_prices then p.unit_price end as unit_price,
  case when me.see_prices then p.step end as price_step,
  s.available, s.state as stock_state, s.orderable and p.step <> 'none' as orderable, it.discontinued,
  exists (select from portal.favorite f where f.login_id = @login_id and f.customer_id = @customer_id
    and f.item_id = it.item_id) as favorite,
  exists (select from erp.item_picture x where x.item_id = it.item_id) as has_picture,
  (select sum(cl.qty) from portal.cart k join portal.cart_line cl using (cart_id)
    where k.login_id = @login_id and k.customer_id = @customer_id and cl.item_id = it.item_id and cl.uom = it.base_uom)
      as in_cart,
  ci.their_item_no,
  last.qty as last_qty, last.uom as last_uom, last.submitted_at as last_ordered,
  sub.item_no as substitute_no, sub.description as substitute
from it
cross join me
cross join lateral erp.price(@customer_id, array[it.item_id], array[it.base_uom], array[1::numeric]) p
join lateral portal.stock_shown(@customer_id, array[it.item_id]) s on true
left join erp.category c using (category_id)
left join erp.customer_item ci on ci.item_id = it.item_id and ci.customer_id = @customer_id
left join lateral (
  -- on an order, or on an invoice that came without one
  (select l.qty, l.uom, o.submitted_at
  from erp.sales_order o join erp.sales_order_line l using (order_id)
  where o.customer_id = @customer_id and l.item_id = it.item_id and not erp.is_void(o.status)
  order by o.submitted_at desc, o.order_id desc limit 1)
  union all
  (select l.qty, l.uom, i.issued_at
  from erp.invoice i join erp.invoice_line l using (invoice_id)
  where i.customer_id = @customer_id and l.item_id = it.item_id and i.order_id is null and l.qty > 0
  order by i.issued_at desc, i.invoice_id desc limit 1)
  order by submitted_at desc limit 1
) last on true
left join lateral (
  select x.item_no, x.description from erp.item x
  where x.item_id = it.substitute_item_id and x.item_id in (select portal.in_catalogue(@customer_id, array[x.item_id]))
) sub on true;

-- name: item_units
-- One unit at a time: the quantities of one call are added up. A pallet may reach
-- a quantity break by itself. To who sees no breaks its price would tell the
-- break, so it is not told here: the cart has it, as of any quantity reached.
select x.uom, x.factor, case when w.see_prices and not h.by_quantity then p.unit_price end as unit_price,
  case when w.see_prices and not h.by_quantity then p.step end as step,
  case when w.see_prices and not h.by_quantity then p.valid_until end as valid_until,
  w.see_prices and h.by_quantity as by_quantity
from (
  select base_uom as uom, 1::numeric as factor from erp.item where item_id = @item_id
  union all select uom, factor from erp.item_uom where item_id = @item_id and uom <> (select base_uom from erp.item
    where item_id = @item_id)
) x
cross join erp.web_access w
cross join lateral erp.price(@customer_id, array[@item_id::bigint], array[x.uom], array[1::numeric]) p
cross join lateral (
  -- lower than at the quantity of one base unit, in this unit and rounded up
  select not w.see_price_breaks and p.unit_price is not null and p.unit_price < coalesce((
    select o.unit_price from erp.price(@customer_id, array[@item_id::bigint], array[x.uom],
      array[ceil(1000000 / x.factor) / 1000000]) o), 'infinity') as by_quantity
) h
where w.customer_id = @customer_id
order by x.factor;

-- name: item_backorder
select coalesce(b.gone, false) as gone, b.expected_on, b.waiting,
  b.waiting_on from portal.backorders_of_item(@customer_id, @item_id) b;

-- name: item_tiers
-- The prices that a larger quantity of the base unit would reach, each lower
-- than the one before.
with recursive tier as (
  select p.unit_price as now, p.next_qty as qty, p.next_price as price
  from erp.web_access w
  cross join lateral erp.price(@customer_id, array[@item_id::bigint], array[null], array[1::numeric]) p
  where w.customer_id = @customer_id and w.see_prices and w.see_price_breaks and p.next_qty is not null
  union all
  select t.now, p.next_qty, p.next_price
  from tier t
  cross join lateral erp.price(@customer_id, array[@item_id::bigint], array[null], array[t.qty]) p
  where p.next_qty is not null
)
select t.qty, t.price as unit_price, round(100 * (t.now - t.price) / nullif(t.now, 0), 1) as save_percent
from tier t order by t.qty;

-- name: item_picture
select p.media_type, p.data from erp.item i join erp.item_picture p using (item_id)
where i.item_no = @item_no
  and (@customer_id = 0 or i.item_id in (select portal.in_catalogue(@customer_id, array[i.item_id])));

-- name: favorite_add
insert into portal.favorite (login_id, customer_id, item_id)
select @login_id, @customer_id, i.item_id from erp.item i
where i.item_no = @item_no and i.item_id in (select portal.in_catalogue(@customer_id, array[i.item_id]))
on conflict do nothing;

-- name: favorite_remove
delete from portal.favorite f using erp.item i
where f.login_id = @login_id and f.customer_id = @customer_id and f.item_id = i.item_id and i.item_no = @item_no;

-- name: item_exists
select exists (select from erp.item i
  where i.item_no = @item_no and i.item_id in (select portal.in_catalogue(@customer_id, array[i.item_id])));
