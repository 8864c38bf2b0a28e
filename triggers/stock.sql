-- Stock: told without a figure, and only when what somebody may see of it has
-- changed (the available quantity, not its split).
create or replace function portal.stock_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'INSERT' then
    perform portal.emit_items(array(select distinct n.item_id from new_rows n where n.on_hand <> n.allocated), false);
  elsif tg_op = 'DELETE' then
    perform portal.emit_items(array(select distinct p.item_id from old_rows p), false);
  else
    perform portal.emit_items(array(
      select distinct n.item_id from new_rows n join old_rows p using (item_id, warehouse)
      where n.on_hand - n.allocated <> p.on_hand - p.allocated), false);
  end if;
  return null;
end
$$;
create or replace trigger stock_inserted after insert on erp.stock
  referencing new table as new_rows for each statement execute function portal.stock_changed();
create or replace trigger stock_updated after update on erp.stock
  referencing old table as old_rows new table as new_rows for each statement execute function portal.stock_changed();
create or replace trigger stock_deleted after delete on erp.stock
  referencing old table as old_rows for each statement execute function portal.stock_changed();

-- Goods that come in go to the orders that wait for them, the oldest first.
-- Who waits for stock holds its order, so an order that somebody holds is
-- passed over: its share is kept for it as far as its turn has come, and the
-- job order_settle gives it out.
create or replace function erp.allocate_received(p_item_ids bigint[], p_warehouses text[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  waiting bigint[];
  tried bigint[] := '{}';
  held bigint[];
  busy bigint[];
begin
  loop
    -- as many orders as what is free could serve; once more if whole units
    -- left some of it over
    waiting := array(
      select distinct w.order_id
      from (
        select o.order_id, s.on_hand - s.allocated as free,
          sum(l.qty_backordered * l.factor) over (partition by l.item_id, o.warehouse order by o.submitted_at,
            o.order_id, l.line_no)
            - l.qty_backordered * l.factor as before
        from unnest(p_item_ids, p_warehouses) as r(item_id, warehouse)
        join erp.stock s on s.item_id = r.item_id and s.warehouse = r.warehouse and s.on_hand > s.allocated
        join erp.sales_order_line l on l.item_id = r.item_id and l.qty_backordered > 0
        join erp.sales_order o on o.order_id = l.order_id and o.warehouse = r.warehouse
          and erp.is_to_pick(o.status) and not o.order_id = any (tried)
      ) w
      where w.before < w.free
      order by 1);
    exit when waiting = '{}';
    tried := tried || waiting;
    held := array(select o.order_id from erp.sales_order o where o.order_id = any (waiting)
      order by o.order_id for no key update skip locked);
    -- a program may hold a line without its order
    busy := array(
      select distinct l.order_id
      from erp.sales_order_line l
      where l.order_id = any (held) and l.item_id = any (p_item_ids) and l.qty_backordered > 0
        and not (l.order_id, l.line_no) in (
          select x.order_id, x.line_no from erp.sales_order_line x
          where x.order_id = any (held) and x.item_id = any (p_item_ids) and x.qty_backordered > 0
          for no key update skip locked)
      union
      select w.order_id from unnest(waiting) as w(order_id) where not w.order_id = any (held)
      order by 1);
    if busy <> '{}' then
      perform erp.leave_orders(busy);
      -- the oldest first: nobody younger than one that is passed over
      held := array(
        select o.order_id from erp.sales_order o
        where o.order_id = any (held)
          and (o.submitted_at, o.order_id) < (select b.submitted_at, b.order_id from erp.sales_order b
            where b.order_id = any (busy) order by b.submitted_at, b.order_id limit 1)
        order by o.order_id);
    end if;
    perform erp.allocate(held, p_item_ids);
    exit when busy <> '{}';
  end loop;
end
$$;

create or replace function erp.stock_received() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  -- set while a shortage is written off: what an empty shelf frees is not there
  if current_setting('erp.writing_off', true) = 'on' then
    return null;
  end if;
  if tg_op = 'INSERT' then
    perform erp.allocate_received(array_agg(n.item_id), array_agg(n.warehouse)) from new_rows n
      where n.on_hand > n.allocated having count(*) > 0;
  else
    perform erp.allocate_received(array_agg(n.item_id), array_agg(n.warehouse))
      from new_rows n left join old_rows p using (item_id, warehouse)
      where n.on_hand - n.allocated > coalesce(p.on_hand - p.allocated, 0) having count(*) > 0;
  end if;
  return null;
end
$$;
create or replace trigger stock_received after update on erp.stock
  referencing old table as old_rows new table as new_rows for each statement execute function erp.stock_received();
create or replace trigger stock_received_first after insert on erp.stock
  referencing new table as new_rows for each statement execute function erp.stock_received();

-- What is expected: the day that a backorder can count on has changed.
create or replace function erp.stock_expected_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  items bigint[] := '{}';
begin
  if tg_op in ('INSERT', 'UPDATE') then
    items := items || array(select distinct n.item_id from new_rows n);
  end if;
  if tg_op in ('DELETE', 'UPDATE') then
    items := items || array(select distinct p.item_id from old_rows p);
  end if;
  perform portal.emit_items(array(select distinct x from unnest(items) as x order by 1), false);
  return null;
end
$$;
create or replace trigger stock_expected_inserted after insert on erp.stock_expected
  referencing new table as new_rows for each statement execute function erp.stock_expected_changed();
create or replace trigger stock_expected_updated after update on erp.stock_expected
  referencing old table as old_rows new table as new_rows
    for each statement execute function erp.stock_expected_changed();
create or replace trigger stock_expected_deleted after delete on erp.stock_expected
  referencing old table as old_rows for each statement execute function erp.stock_expected_changed();
