-- When goods can be counted on. erp.expected_on: the day on which so many base
-- units of an item more than wait already will have come in, by what is
-- expected; null where nothing that is expected goes as far, or all of it is
-- overdue.
create or replace function erp.expected_on(p_item_id bigint, p_warehouse text, p_more numeric) returns date
language sql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
  select min(e.expected_on)
  from (
    select x.expected_on, sum(x.qty) over (order by x.expected_on, x.expected_id) as qty
    from erp.stock_expected x
    where x.item_id = p_item_id and x.warehouse = p_warehouse and x.expected_on >= erp.today()
  ) e
  where e.qty >= p_more + (
    select coalesce(sum(l.qty_backordered * l.factor), 0)
    from erp.sales_order_line l join erp.sales_order o using (order_id)
    where l.item_id = p_item_id and l.qty_backordered > 0 and o.warehouse = p_warehouse
      and erp.is_to_pick(o.status))
$$;
grant execute on function erp.expected_on(bigint, text, numeric) to portal_desk;

-- The same for the lines of an order that wait, each behind all that has waited
-- longer. One row a line with a backorder; its day may be null.
create or replace function portal.backorders_of_order(p_customer_id bigint, p_order_id bigint)
returns table (line_no int, expected_on date)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
#variable_conflict use_column
begin
  return query
  select l.line_no, (
    select min(e.expected_on)
    from (
      select x.expected_on, sum(x.qty) over (order by x.expected_on, x.expected_id) as qty
      from erp.stock_expected x
      where x.item_id = l.item_id and x.warehouse = o.warehouse and x.expected_on >= erp.today()
    ) e
    where e.qty >= (
      select sum(b.qty_backordered * b.factor)
      from erp.sales_order_line b join erp.sales_order w using (order_id)
      where b.item_id = l.item_id and b.qty_backordered > 0 and w.warehouse = o.warehouse
        and erp.is_to_pick(w.status)
        and (w.submitted_at, w.order_id, b.line_no) <= (o.submitted_at, o.order_id, l.line_no)))
  from erp.sales_order o join erp.sales_order_line l using (order_id)
  where o.order_id = p_order_id and o.customer_id = p_customer_id and l.qty_backordered > 0
    and portal.assert_customer(p_customer_id);
end
$$;
grant execute on function portal.backorders_of_order(bigint, bigint) to portal_web, portal_desk, portal_work;

-- What a customer may know of an item that is not there: the day for one more,
-- where the account sees stock and there is none; and what waits of its own
-- orders, in base units, with the day for the last of it.
create or replace function portal.backorders_of_item(p_customer_id bigint, p_item_id bigint)
returns table (gone boolean, expected_on date, waiting numeric, waiting_on date)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
#variable_conflict use_column
begin
  return query
  select s.state = 'out' and s.orderable, case when s.state = 'out' and s.orderable
    then erp.expected_on(p_item_id, co.warehouse, 1) end,
    coalesce(own.qty, 0), own.expected_on
  from erp.company co
  left join portal.stock_shown(p_customer_id, array[p_item_id]) s on true
  cross join lateral (
    select sum(l.qty_backordered * l.factor) as qty,
      case when count(*) = count(b.expected_on) then max(b.expected_on) end as expected_on
    from erp.sales_order o
    join erp.sales_order_line l using (order_id)
    join lateral portal.backorders_of_order(p_customer_id, o.order_id) b on b.line_no = l.line_no
    where o.customer_id = p_customer_id and l.item_id = p_item_id and l.qty_backordered > 0
      and erp.is_to_pick(o.status)
  ) own
  where portal.assert_customer(p_customer_id);
end
$$;
grant execute on function portal.backorders_of_item(bigint, bigint) to portal_web, portal_desk, portal_work;
