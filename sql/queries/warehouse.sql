-- name: warehouse_list
-- Orders for the warehouse: to pick (approved or begun, with something
-- allocated), or on the way (a shipment has not arrived). An order without a
-- day of its own goes with its route's next run after it was sent.
select w.* from (
  select o.order_no, o.status, c.customer_no, c.name as customer_name, coalesce(st.name, '') as ship_to,
    coalesce(st.city, '') as city,
    coalesce(r.code, '') as route_code, coalesce(r.name, '') as route_name,
    coalesce(o.requested_date, n.delivery_date) as deliver_on, o.submitted_at, o.order_id,
    l.lines, l.done, l.picked, l.wanted, l.backordered, l.ordered, l.shipped, l.mixed_units, l.part_lines,
      l.whole_lines, h.on_the_way
  from erp.sales_order o
  join erp.customer c using (customer_id)
  left join erp.ship_to st using (ship_to_id)
  left join erp.route r on r.route_id = coalesce(st.route_id, c.route_id)
  left join lateral erp.next_deliveries(r.route_id, o.submitted_at) n on o.requested_date is null
  cross join lateral (
    select (count(*) filter (where x.qty_allocated > 0))::int as lines,
      (count(*) filter (where x.qty_allocated > 0 and x.qty_picked - x.qty_shipped >= x.qty_allocated))::int as done,
      coalesce(sum(x.qty_picked - x.qty_shipped), 0) as picked, coalesce(sum(x.qty_allocated), 0) as wanted,
      coalesce(bool_or(x.qty_backordered > 0), false) as backordered,
      coalesce(sum(x.qty - x.qty_cancelled), 0) as ordered, coalesce(sum(x.qty_shipped), 0) as shipped,
      coalesce(min(x.uom) filter (where x.qty > x.qty_cancelled) <> max(x.uom) filter (where x.qty > x.qty_cancelled),
        false) as mixed_units,
      (count(*) filter (where x.qty > x.qty_cancelled))::int as part_lines,
      (count(*) filter (where x.qty > x.qty_cancelled and x.qty_shipped >= x.qty - x.qty_cancelled))::int as whole_lines
    from erp.sales_order_line x where x.order_id = o.order_id
  ) l
  cross join lateral (
    select count(*)::int as on_the_way from erp.shipment x where x.order_id = o.order_id and x.delivered_at is null
  ) h
  where erp.is_shippable(o.status)
    and case when @on_the_way then h.on_the_way > 0 else o.status <> 'SHIPPED' and l.wanted > 0 end
) w
where @route = '' or w.route_code = @route
order by case when @by_age then null else w.deliver_on end nulls last, case when @by_age then '' else w.route_name end,
  w.submitted_at, w.order_id
limit @row_limit;

-- name: pick_head
select coalesce(r.name, '') as route_name, coalesce(o.requested_date, n.delivery_date) as deliver_on,
  (select md5(coalesce(string_agg(concat_ws(':', x.line_no, x.qty, x.qty_allocated, x.qty_picked, x.qty_shipped,
    x.qty_backordered, x.qty_cancelled), ',' order by x.line_no), ''))
    from erp.sales_order_line x where x.order_id = o.order_id) as stamp
from erp.sales_order o
join erp.customer c using (customer_id)
left join erp.ship_to st using (ship_to_id)
left join erp.route r on r.route_id = coalesce(st.route_id, c.route_id)
left join lateral erp.next_deliveries(r.route_id, o.submitted_at) n on o.requested_date is null
where o.order_id = @order_id;

-- name: pick_codes
-- What a scanner may read on the goods of each line: barcodes of the item and
-- of its units, and the item's number.
select l.line_no, array_remove(array_agg(distinct c.code), null) as codes
from erp.sales_order_line l
join erp.item i using (item_id)
cross join lateral (
  select i.barcode as code union select i.item_no union
  select u.barcode from erp.item_uom u where u.item_id = i.item_id
) c
where l.order_id = @order_id and c.code <> ''
group by l.line_no;

-- name: pick_scan
-- The lines that a scanned code may stand for, first of each item the one that
-- still wants as much. place: 1 the item's number as scanned, 2 without what
-- scanners and programs put around it, 3 but for case, 4 a barcode.
select c.place, l.line_no, i.item_no, l.uom, c.uom as scanned, c.factor / l.factor as qty, i.fractional,
  l.qty_allocated - (l.qty_picked - l.qty_shipped) as missing, l.qty_picked - l.qty_shipped as picked, l.qty_allocated
    as wanted
from erp.sales_order_line l
join erp.item i using (item_id)
cross join lateral (
  select case when i.item_no = @code then 1 when i.item_no = erp.plain_code(@code) then 2 else 3 end as place, l.uom,
    l.factor
  where lower(i.item_no) = lower(erp.plain_code(@code)) or i.item_no = @code
  union all
  select 4, i.base_uom, 1 where erp.barcode_key(i.barcode) = erp.barcode_key(@code)
  union all
  select 4, u.uom, u.factor from erp.item_uom u where u.item_id = i.item_id and u.uom <> i.base_uom
    and erp.barcode_key(u.barcode) = erp.barcode_key(@code)
) c
where l.order_id = @order_id
order by c.place, l.qty_allocated - (l.qty_picked - l.qty_shipped) >= c.factor / l.factor desc,
  l.qty_allocated > l.qty_picked - l.qty_shipped desc, c.uom = l.uom desc, l.qty_allocated > 0 desc, l.line_no;

-- name: scan_item
-- The items that a scanned code stands for, with the unit whose barcode it is;
-- place as pick_scan has it.
select x.place, x.item_no, x.uom
from (
  select case when i.item_no = @code then 1 when i.item_no = erp.plain_code(@code) then 2 else 3 end as place,
    i.item_no, '' as uom
  from erp.item i where i.active and lower(i.item_no) = lower(erp.plain_code(@code))
  union
  select 1, i.item_no, '' from erp.item i where i.active and i.item_no = @code
  union
  select 4, i.item_no, i.base_uom from erp.item i where i.active and i.barcode is not null
    and erp.barcode_key(i.barcode) = erp.barcode_key(@code)
  union
  select 4, i.item_no, u.uom from erp.item_uom u join erp.item i using (item_id)
  where i.active and u.barcode is not null and erp.barcode_key(u.barcode) = erp.barcode_key(@code)
) x
order by x.place, x.item_no, x.uom;

-- name: pick_line
select 1 as place, l.line_no, i.item_no, l.uom, l.uom as scanned, 1::numeric as qty, i.fractional,
  l.qty_allocated - (l.qty_picked - l.qty_shipped) as missing, l.qty_picked - l.qty_shipped as picked, l.qty_allocated
    as wanted
from erp.sales_order_line l join erp.item i using (item_id)
where l.order_id = @order_id and l.line_no = @line_no;

-- name: pick_count
update erp.sales_order_line l set qty_picked = l.qty_picked + @qty::numeric
where l.order_id = @order_id and l.line_no = @line_no
returning l.line_no;

-- name: pick_all
update erp.sales_order_line l set qty_picked = l.qty_shipped + l.qty_allocated
where l.order_id = @order_id and l.qty_allocated > 0 and l.qty_picked <> l.qty_shipped + l.qty_allocated;

-- name: pick_ship
-- What has been picked and not shipped leaves the house.
select erp.ship_order(@order_no, @carrier, @tracking_no,
  array(select l.line_no from erp.sales_order_line l where l.order_id = @order_id and l.qty_picked > l.qty_shipped
    order by l.line_no),
  array(select l.qty_picked - l.qty_shipped from erp.sales_order_line l where l.order_id = @order_id
    and l.qty_picked > l.qty_shipped order by l.line_no));

-- name: line_short
select erp.short_line(@order_no, @line_no, @reason, @write_off);

-- name: line_substitute
select erp.substitute_line(@order_no, @line_no, @item_no, @uom, @qty::text::numeric, @instead::text::numeric,
  @price::text::numeric);

-- name: shipment_deliver
select erp.deliver_shipment(@shipment_id, @delivered_to, @delivered_at::timestamptz);

-- name: shipment_lock
-- The order first, as everybody locks.
select o.order_no, s.delivered_at is not null
from erp.sales_order o join erp.shipment s using (order_id)
where s.shipment_id = @shipment_id for no key update of o;

-- name: shipment_take_back
delete from erp.shipment s where s.shipment_id = @shipment_id;

-- name: carrier_list
select c.name from erp.carrier c where c.active order by c.sort, c.name;

-- name: stock_receive
select erp.receive_stock(@item_no, @qty::text::numeric);

-- name: stock_waiting
select coalesce(sum(l.qty_backordered * l.factor), 0) as waiting
from erp.item i
join erp.sales_order_line l using (item_id)
join erp.sales_order o using (order_id)
where i.item_no = @item_no and l.qty_backordered > 0 and erp.is_to_pick(o.status);

-- name: expected_list
select e.expected_id as id, e.expected_on, e.qty, e.note, e.expected_on < erp.today() as overdue
from erp.stock_expected e join erp.item i using (item_id)
where i.item_no = @item_no and e.warehouse = (select co.warehouse from erp.company co)
order by e.expected_on, e.expected_id;

-- name: expected_add
insert into erp.stock_expected (item_id, warehouse, expected_on, qty, note)
select i.item_id, co.warehouse, @expected_on::date, @qty::text::numeric, @note from erp.item i cross join erp.company co
  where i.item_no = @item_no;

-- name: expected_remove
delete from erp.stock_expected e using erp.item i where i.item_id = e.item_id and i.item_no = @item_no
  and e.expected_id = @expected_id;
