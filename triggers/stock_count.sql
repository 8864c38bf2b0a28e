-- A count is a fact: where less is on hand than orders were given, the youngest
-- orders go back to waiting, line by line, until what is left is there. What is
-- picked is not taken back: a count below it is refused.
--
-- Who holds stock waits for no order (see order_line.sql). An order that
-- somebody else holds at that moment keeps what it has, and the next youngest
-- gives; where nobody else can, the count is refused as something to try again.

-- The lines to take from and how much, in their unit: whole units only, or of
-- what is sold in parts six decimals, rounded up. Nothing from busy orders.
create or replace function erp.shortfall(p_item_ids bigint[], p_warehouse text, p_busy bigint[])
returns table (item_id bigint, order_id bigint, line_no int, qty numeric)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  with given as (
    select l.order_id, l.line_no, l.item_id, l.factor, i.fractional, o.submitted_at,
      l.qty_allocated * l.factor as allocated,
      case when o.order_id = any (p_busy) then 0 else l.qty_allocated - (l.qty_picked - l.qty_shipped) end as not_picked
    from erp.sales_order_line l
    join erp.sales_order o using (order_id)
    join erp.item i using (item_id)
    where l.item_id = any (p_item_ids) and o.warehouse = p_warehouse and l.qty_allocated > 0
  ), missing as (
    select g.item_id, sum(g.allocated) - coalesce(min(s.on_hand), 0) as qty
    from given g left join erp.stock s on s.item_id = g.item_id and s.warehouse = p_warehouse
    group by g.item_id
  ), youngest as (
    select g.*, m.qty - coalesce(sum(g.not_picked * g.factor) over (
        partition by g.item_id order by g.submitted_at desc, g.order_id desc, g.line_no desc
        rows between unbounded preceding and 1 preceding), 0) as rest
    from given g join missing m using (item_id)
    where m.qty > 0
  )
  select y.item_id, y.order_id, y.line_no,
    least(y.not_picked, case when y.fractional then ceil(y.rest / y.factor * 1000000) / 1000000
      else ceil(y.rest / y.factor) end)
  from youngest y
  where y.rest > 0 and y.not_picked > 0
$$;

-- Takes back what is not there of items in one warehouse. The caller holds the
-- stock's rows.
create or replace function erp.take_back(p_item_ids bigint[], p_warehouse text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  held bigint[] := '{}';
  busy bigint[] := '{}';
  wanted bigint[];
  orders bigint[];
  lines int[];
  qtys numeric[];
begin
  loop
    select array_agg(s.order_id), array_agg(s.line_no), array_agg(s.qty) into orders, lines, qtys
      from (select * from erp.shortfall(p_item_ids, p_warehouse, busy) order by order_id, line_no) s;
    wanted := array(select distinct u.order_id from unnest(orders) as u(order_id) where not u.order_id = any (held)
      order by 1);
    exit when wanted = '{}';
    held := held || erp.hold_orders(wanted);
    -- a program may hold a line without its order
    busy := array(
      select distinct l.order_id from erp.sales_order_line l
      where l.order_id = any (held) and l.item_id = any (p_item_ids)
        and not (l.order_id, l.line_no) in (
          select x.order_id, x.line_no from erp.sales_order_line x
          where x.order_id = any (held) and x.item_id = any (p_item_ids) for no key update skip locked)
      union select b.order_id from unnest(busy || wanted) as b(order_id) where not b.order_id = any (held)
        or b.order_id = any (busy)
      order by 1);
    held := array(select h.order_id from unnest(held) as h(order_id) where not h.order_id = any (busy) order by 1);
  end loop;
  if orders is not null then
    update erp.sales_order_line l
      set qty_allocated = l.qty_allocated - t.qty, qty_backordered = l.qty_backordered + t.qty
      from unnest(orders, lines, qtys) as t(order_id, line_no, qty)
      where l.order_id = t.order_id and l.line_no = t.line_no;
    insert into erp.stock_shortfall (order_id, line_no, qty)
    select t.order_id, t.line_no, t.qty from unnest(orders, lines, qtys) as t(order_id, line_no, qty) order by 1, 2;
    -- one that staff still have to decide on is short now
    perform erp.review_order(o.order_id) from erp.sales_order o
      where o.order_id = any (orders) and erp.is_undecided(o.status) and o.reviewed_at is not null;
  end if;
  perform erp.refuse_count(p_item_ids, p_warehouse, busy);
end
$$;

-- Refuses a count below what could be taken back, and says what keeps it.
create or replace function erp.refuse_count(p_item_ids bigint[], p_warehouse text, p_busy bigint[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  bad record;
begin
  select i.item_no, sum((l.qty_picked - l.qty_shipped) * l.factor) as picked,
    string_agg(o.order_no || ' (' || trim_scale(l.qty_picked - l.qty_shipped) || ' ' || l.uom || ')', ', '
      order by o.order_id, l.line_no)
      filter (where l.qty_picked > l.qty_shipped) as whose,
    string_agg(distinct o.order_no, ', ') filter (where o.order_id = any (p_busy)) as busy
  into bad
  from erp.sales_order_line l
  join erp.sales_order o using (order_id)
  join erp.item i using (item_id)
  left join erp.stock s on s.item_id = l.item_id and s.warehouse = o.warehouse
  where l.item_id = any (p_item_ids) and o.warehouse = p_warehouse and l.qty_allocated > 0
  group by i.item_id
  having sum(l.qty_allocated * l.factor) > coalesce(min(s.on_hand), 0)
  order by i.item_id limit 1;
  if not found then
    return;
  end if;
  if bad.busy is not null then
    raise exception 'Somebody is at order % with % at this moment. Count again.', bad.busy, bad.item_no
      using errcode = 'serialization_failure', constraint = 'stock_counted', column = 'on_hand';
  end if;
  raise exception '% of % are picked for %: on hand cannot be less. Ship them or put them back first.',
    trim_scale(bad.picked), bad.item_no, bad.whose
    using errcode = 'PT409', constraint = 'stock_picked', column = 'on_hand';
end
$$;

create or replace function erp.stock_counted() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'UPDATE' then
    perform erp.take_back(array_agg(n.item_id), n.warehouse) from new_rows n where n.allocated > n.on_hand
      group by n.warehouse;
  else
    perform erp.take_back(array_agg(p.item_id), p.warehouse) from old_rows p where p.allocated > 0 group by p.warehouse;
  end if;
  return null;
end
$$;
-- the name comes before stock_received: what a count leaves over is given out then
create or replace trigger stock_counted after update on erp.stock
  referencing old table as old_rows new table as new_rows for each statement execute function erp.stock_counted();
create or replace trigger stock_counted_none after delete on erp.stock
  referencing old table as old_rows for each statement execute function erp.stock_counted();

-- What is allocated follows from the order lines, whose triggers write it; and a
-- row that orders are served from stays the row of its item and warehouse.
create or replace function erp.stock_before() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'UPDATE' and (new.item_id, new.warehouse) is distinct from (old.item_id, old.warehouse) then
    raise exception 'Orders are served from this stock: its item and its warehouse are fixed. Count it there, and count it here.'
      using errcode = 'PT409', constraint = 'stock_identity', column = 'warehouse';
  end if;
  raise exception 'What is allocated follows from the order lines. Change those, or only what is on hand.'
    using errcode = 'PT409', constraint = 'stock_allocated_follows', column = 'allocated';
end
$$;
create or replace trigger stock_allocated_first before insert on erp.stock
  for each row when (new.allocated <> 0) execute function erp.stock_before();
create or replace trigger stock_allocated_follows before update on erp.stock
  for each row when (new.allocated is distinct from old.allocated and pg_trigger_depth() = 0)
  execute function erp.stock_before();
create or replace trigger stock_identity before update on erp.stock
  for each row when (old.allocated <> 0 and (new.item_id, new.warehouse) is distinct from (old.item_id, old.warehouse))
  execute function erp.stock_before();

create or replace function erp.stock_truncated() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (select from erp.sales_order_line l where l.qty_allocated > 0) then
    raise exception 'Orders are served from this stock: delete its rows, and they wait again.'
      using errcode = 'PT409', constraint = 'stock_allocated_follows';
  end if;
  return null;
end
$$;
create or replace trigger stock_truncated before truncate on erp.stock
  for each statement execute function erp.stock_truncated();
