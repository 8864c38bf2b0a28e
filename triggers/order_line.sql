-- Order lines: unit and factor, the price where the program gave none, the
-- split of the quantity (allocated, shipped, backordered, cancelled), and the
-- stock that goes with it. Every path to stock runs through these triggers:
-- the quantities of the lines are the truth, the stock follows their change.
--
-- Locks are taken in one order: customer, orders by id, lines, stock by item.
-- Who holds stock waits for no order and no line: goods that come in pass over
-- an order that somebody holds (see stock.sql), and a program that wrote a
-- line before its order waits for the order in turns (erp.hold_orders). What
-- was passed over is left to the job order_settle.

-- One more reason after those that there are, unless it is among them.
create or replace function erp.add_reason(p_reasons text, p_more text) returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select case
    when coalesce(btrim(p_more), '') = '' or btrim(p_more) = any (string_to_array(p_reasons, '; ')) then p_reasons
    when starts_with(p_more, p_reasons) then p_more
    else left(p_reasons || '; ' || btrim(p_more), 1000) end
$$;

create or replace function erp.sales_order_line_before() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  o erp.sales_order;
  i erp.item;
  delta numeric;
  taken numeric;
begin
  if tg_op = 'INSERT' then
    select * into o from erp.sales_order s where s.order_id = new.order_id;
    select * into i from erp.item t where t.item_id = new.item_id;
    if i.item_id is null or o.order_id is null then
      return new; -- the foreign keys say it better
    end if;
    new.uom := coalesce(nullif(new.uom, ''), i.base_uom);
    if new.factor is null or new.factor = 0 then
      if new.uom = i.base_uom then
        new.factor := 1;
      else
        select u.factor into new.factor from erp.item_uom u where u.item_id = new.item_id and u.uom = new.uom;
        if new.factor is null then
          raise exception 'Item % has no unit %.', i.item_no, new.uom
            using errcode = 'PT422', constraint = 'uom_unknown', column = 'uom';
        end if;
      end if;
    end if;
    if o.source <> 'IMPORT' then
      if new.qty_allocated + new.qty_picked + new.qty_shipped + new.qty_cancelled + new.qty_invoiced <> 0 then
        raise exception 'A new line of order % starts with nothing allocated, shipped or invoiced.', o.order_no
          using errcode = 'PT409', constraint = 'sales_order_line_starts_open';
      end if;
      if not erp.is_changeable(o.status) and not (o.status = 'PICKING' and new.substitute_for_line is not null) then
        raise exception 'Order % is %: no line can be added.', o.order_no, lower(o.status)
          using errcode = 'PT409', constraint = 'order_closed';
      end if;
      if not i.fractional and (new.qty <> trunc(new.qty) or new.qty * new.factor <> trunc(new.qty * new.factor)) then
        raise exception '% is sold in whole %.', i.item_no, new.uom
          using errcode = 'PT422', constraint = 'qty_not_whole', column = 'qty';
      end if;
    end if;
    -- waits for stock until the statement's own trigger has allocated it
    new.qty_backordered := new.qty - new.qty_allocated - new.qty_shipped - new.qty_cancelled;
    if new.unit_price is not null then
      new.price_step := coalesce(new.price_step, 'manual');
      new.line_total := round(new.qty * new.unit_price, 2);
    end if;
    return new;
  end if;

  if (new.order_id, new.line_no, new.item_id, new.uom, new.factor) is distinct from
     (old.order_id, old.line_no, old.item_id, old.uom, old.factor) then
    raise exception 'The item and the unit of an order line are fixed: cancel the line and add another.'
      using errcode = 'PT409', constraint = 'sales_order_line_identity';
  end if;

  if new.qty <> old.qty then
    select * into o from erp.sales_order s where s.order_id = new.order_id;
    if not erp.is_to_pick(o.status) then
      raise exception 'Order % is %: its quantities are settled.', o.order_no, lower(o.status)
        using errcode = 'PT409', constraint = 'order_closed', column = 'qty';
    end if;
    select * into i from erp.item t where t.item_id = new.item_id;
    if o.source <> 'IMPORT' and not i.fractional
      and (new.qty <> trunc(new.qty) or new.qty * new.factor <> trunc(new.qty * new.factor)) then
      raise exception '% is sold in whole %.', i.item_no, new.uom
        using errcode = 'PT422', constraint = 'qty_not_whole', column = 'qty';
    end if;
    delta := new.qty - old.qty;
    if delta > 0 then
      new.qty_backordered := new.qty_backordered + delta;
    else
      taken := least(-delta, new.qty_backordered);
      new.qty_backordered := new.qty_backordered - taken;
      new.qty_allocated := new.qty_allocated + delta + taken;
    end if;
  end if;
  -- a program that only says what shipped, or what is cancelled, means: out of
  -- what was open; less shipped means that it came back to where it was taken
  if new.qty_shipped <> old.qty_shipped and new.qty_allocated = old.qty_allocated then
    new.qty_allocated := old.qty_allocated - (new.qty_shipped - old.qty_shipped);
  end if;
  if new.qty_cancelled <> old.qty_cancelled and new.qty_allocated = old.qty_allocated
    and new.qty_backordered = old.qty_backordered then
    delta := new.qty_cancelled - old.qty_cancelled;
    taken := least(delta, old.qty_backordered);
    new.qty_backordered := old.qty_backordered - taken;
    new.qty_allocated := old.qty_allocated - (delta - taken);
  end if;
  if new.qty_allocated < 0 then
    raise exception 'Line %: only % allocated.', new.line_no, old.qty_allocated
      using errcode = 'PT409', constraint = 'sales_order_line_allocated', column = 'qty';
  end if;
  if new.qty_shipped < old.qty_shipped then
    new.qty_picked := least(new.qty_picked, old.qty_picked - (old.qty_shipped - new.qty_shipped));
  end if;
  new.qty_picked := least(greatest(new.qty_picked, new.qty_shipped), new.qty_allocated + new.qty_shipped);
  if new.qty_cancelled = 0 then
    new.cancel_reason := '';
  elsif new.qty_cancelled > old.qty_cancelled and old.qty_cancelled > 0 and old.cancel_reason <> '' then
    -- what went before was told, and stays: "Replaced by RICE20; damaged"
    new.cancel_reason := erp.add_reason(old.cancel_reason, new.cancel_reason);
  end if;
  if new.unit_price is distinct from old.unit_price or new.qty <> old.qty then
    new.line_total := round(new.qty * new.unit_price, 2);
  end if;
  return new;
end
$$;
create or replace trigger sales_order_line_before
  before insert or update on erp.sales_order_line
  for each row execute function erp.sales_order_line_before();

-- Locks orders by their id and returns those it holds. A program that wrote a
-- line holds that line already, while another may hold the order and want the
-- line: so it does not stand in the queue but asks again and again, and once
-- anybody waits for this transaction, it leaves the order to whoever holds it
-- and to the job order_settle.
create or replace function erp.hold_orders(p_order_ids bigint[]) returns bigint[]
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  held bigint[];
  missing bigint[];
  began constant timestamptz := clock_timestamp();
begin
  loop
    held := array(select s.order_id from erp.sales_order s where s.order_id = any (p_order_ids)
      order by s.order_id for no key update skip locked);
    if cardinality(held) = cardinality(p_order_ids) then
      return held;
    end if;
    missing := array(select s.order_id from erp.sales_order s
      where s.order_id = any (p_order_ids) and not s.order_id = any (held) order by 1);
    if missing = '{}' then
      return held; -- the rest are being deleted
    end if;
    if clock_timestamp() > began + interval '10 seconds'
      or exists (select from pg_locks l where not l.granted and pg_backend_pid() = any (pg_blocking_pids(l.pid))) then
      perform erp.leave_orders(missing);
      return held;
    end if;
    perform pg_sleep(0.002);
  end loop;
end
$$;

-- Leaves orders that somebody else holds to the job order_settle, which waits
-- for them.
create or replace function erp.leave_orders(p_order_ids bigint[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.enqueue('order_settle',
    array(select json_build_object('order_id', a.order_id) from unnest(p_order_ids) as a(order_id)));
end
$$;

-- Allocates what lines wait for, as far as stock goes: items in order of their
-- id, the oldest order of an item first, whole units only (of what is sold in
-- parts six decimals). The caller holds
-- the orders. The stock is locked row by row in that order; the lines are
-- written in one statement. Null items: all that the orders wait for.
create or replace function erp.allocate(p_order_ids bigint[], p_item_ids bigint[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  waits record;
  item bigint;
  place text;
  free numeric;
  take numeric;
  orders bigint[] := '{}';
  lines int[] := '{}';
  takes numeric[] := '{}';
begin
  perform from erp.sales_order_line l
    where l.order_id = any (p_order_ids) and l.qty_backordered > 0
      and (p_item_ids is null or l.item_id = any (p_item_ids))
    order by l.order_id, l.line_no
    for no key update;
  for waits in
    select l.order_id, l.line_no, l.item_id, l.factor, l.qty_backordered, o.warehouse, i.fractional
    from erp.sales_order_line l
    join erp.sales_order o using (order_id)
    join erp.item i using (item_id)
    where l.order_id = any (p_order_ids) and l.qty_backordered > 0
      and (p_item_ids is null or l.item_id = any (p_item_ids))
      and erp.is_to_pick(o.status)
    order by l.item_id, o.warehouse, o.submitted_at, l.order_id, l.line_no
  loop
    if (waits.item_id, waits.warehouse) is distinct from (item, place) then
      item := waits.item_id;
      place := waits.warehouse;
      select s.on_hand - s.allocated into free from erp.stock s where s.item_id = item and s.warehouse = place
        for update;
      free := coalesce(free, 0);
    end if;
    -- rounded down: a third times three may be more than there is
    take := least(waits.qty_backordered, trunc(free / waits.factor, case when waits.fractional then 6 else 0 end));
    if take > 0 then
      free := free - take * waits.factor;
      orders := orders || waits.order_id;
      lines := lines || waits.line_no;
      takes := takes || take;
    end if;
  end loop;
  if orders <> '{}' then
    update erp.sales_order_line l
      set qty_allocated = l.qty_allocated + t.qty, qty_backordered = l.qty_backordered - t.qty
      from unnest(orders, lines, takes) as t(order_id, line_no, qty)
      where l.order_id = t.order_id and l.line_no = t.line_no;
  end if;
end
$$;

-- Totals, statuses and news of orders whose lines or shipments changed; the
-- caller holds them. The status follows the quantities, whoever wrote them:
--   picked or shipped in part          Picking
--   nothing open, something shipped    Shipped
--   and every shipment delivered       Delivered
--   nothing open, nothing shipped      Cancelled
--   open again after a correction      Picking
create or replace function erp.settle_orders(p_order_ids bigint[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  o record;
begin
  -- an order that is being deleted with all it has settles no more
  p_order_ids := array_remove(p_order_ids, nullif(current_setting('erp.deleting_order', true), '')::bigint);
  update erp.sales_order s
    set total = t.total
    from (
      select a.order_id, coalesce(sum(l.line_total), 0) as total
      from unnest(p_order_ids) as a(order_id) left join erp.sales_order_line l using (order_id)
      group by 1
    ) t
    where s.order_id = t.order_id and s.total <> t.total;

  for o in
    select s.order_id, s.status, q.started, q.shipped, q.open, d.delivered, d.on_the_way
    from erp.sales_order s
    cross join lateral (
      select bool_or(l.qty_picked > 0) as started, bool_or(l.qty_shipped > 0) as shipped,
        bool_or(l.qty_allocated + l.qty_backordered > 0) as open
      from erp.sales_order_line l where l.order_id = s.order_id having count(*) > 0
    ) q
    cross join lateral (
      select count(*) filter (where h.delivered_at is not null) as delivered,
        count(*) filter (where h.delivered_at is null) as on_the_way
      from erp.shipment h where h.order_id = s.order_id
    ) d
    where s.order_id = any (p_order_ids) and s.source <> 'IMPORT' and erp.is_released(s.status)
    order by s.order_id
  loop
    if erp.is_pickable(o.status) and not o.open and not o.shipped then
      update erp.sales_order s set status = 'CANCELLED', status_reason = 'Nothing of it is left to send'
        where s.order_id = o.order_id;
      continue;
    end if;
    if (o.status = 'APPROVED' and (o.started or o.shipped)) or (erp.is_shipped(o.status) and o.open) then
      update erp.sales_order s set status = 'PICKING' where s.order_id = o.order_id;
      o.status := 'PICKING';
    end if;
    if o.status = 'PICKING' and o.shipped and not o.open then
      update erp.sales_order s set status = 'SHIPPED' where s.order_id = o.order_id;
      o.status := 'SHIPPED';
    end if;
    if o.status = 'SHIPPED' and not o.open and o.delivered > 0 and o.on_the_way = 0 then
      update erp.sales_order s set status = 'DELIVERED' where s.order_id = o.order_id;
    elsif o.status = 'DELIVERED' and o.on_the_way > 0 then
      update erp.sales_order s set status = 'SHIPPED' where s.order_id = o.order_id;
    end if;
  end loop;

  perform portal.emit_all('order', array_agg(s.customer_id order by s.order_id),
    array_agg(s.order_no order by s.order_id),
    array_agg(jsonb_build_object('status', s.status) order by s.order_id))
  from erp.sales_order s where s.order_id = any (p_order_ids) and s.source <> 'IMPORT';
end
$$;

-- Lines that wait for stock although item or account may not: the figure only
-- for those who see stock as a number.
create or replace function erp.refuse_backorders(p_order_ids bigint[], p_line_nos int[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  bad record;
begin
  select i.item_no, l.uom, l.qty_allocated, coalesce(w.see_stock, 'number') = 'number' or o.source <> 'WEB' as tell
    into bad
  from unnest(p_order_ids, p_line_nos) as a(order_id, line_no)
  join erp.sales_order_line l using (order_id, line_no)
  join erp.sales_order o using (order_id)
  join erp.item i using (item_id)
  left join erp.web_access w using (customer_id)
  where l.qty_backordered > 0 and o.source <> 'IMPORT'
    and not (i.allow_backorder and coalesce(w.allow_backorder, true))
  limit 1;
  if not found then
    return;
  end if;
  if bad.tell then
    raise exception 'Only % % of % left.', trim_scale(bad.qty_allocated), bad.uom, bad.item_no
      using errcode = 'PT409', constraint = 'stock_short', column = 'qty';
  end if;
  raise exception 'Not enough of % is in stock.', bad.item_no
    using errcode = 'PT409', constraint = 'stock_short', column = 'qty';
end
$$;

create or replace function erp.sales_order_line_inserted() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  orders bigint[] := erp.hold_orders(array(select distinct n.order_id from new_rows n order by 1));
  bad record;
begin
  -- lines that came without a price get the customer's
  if exists (select from new_rows n where n.unit_price is null) then
    with priced as materialized ( -- once an order, not once a line
      select o.order_id, a.line_nos[p.ord] as line_no, p.unit_price, p.step, p.rule_id, p.valid_until
      from erp.sales_order o
      cross join lateral (
        select array_agg(m.line_no order by m.line_no) as line_nos, array_agg(m.item_id order by m.line_no) as items,
          array_agg(m.uom order by m.line_no) as uoms, array_agg(m.qty order by m.line_no) as qtys
        from erp.sales_order_line m where m.order_id = o.order_id
      ) a
      cross join lateral erp.price(o.customer_id, a.items, a.uoms, a.qtys) p
      where o.order_id in (select n.order_id from new_rows n) and p.unit_price is not null
    )
    update erp.sales_order_line l
      set unit_price = p.unit_price, price_step = p.step, price_rule_id = p.rule_id, price_valid_until = p.valid_until,
        line_total = round(l.qty * p.unit_price, 2)
      from priced p
      where l.order_id = p.order_id and l.line_no = p.line_no and l.unit_price is null;
    select i.item_no, l.line_no into bad
      from erp.sales_order_line l join erp.item i using (item_id)
      where l.order_id in (select n.order_id from new_rows n) and l.unit_price is null limit 1;
    if found then
      raise exception 'There is no price for % (line %): call for price.', bad.item_no, bad.line_no
        using errcode = 'PT422', constraint = 'no_price', column = 'item_no';
    end if;
  end if;
  perform erp.check_substitutes(array(select n.order_id from new_rows n where n.substitute_for_line is not null
    and n.unit_price is not null),
    array(select n.line_no from new_rows n where n.substitute_for_line is not null and n.unit_price is not null));

  perform erp.allocate(orders, array(select distinct n.item_id from new_rows n));

  perform erp.refuse_backorders(array(select n.order_id from new_rows n order by n.order_id, n.line_no),
    array(select n.line_no from new_rows n order by n.order_id, n.line_no));
  perform erp.settle_orders(orders);
  return null;
end
$$;
create or replace trigger sales_order_line_inserted
  after insert on erp.sales_order_line referencing new table as new_rows
  for each statement execute function erp.sales_order_line_inserted();

-- A line that is sent instead of another costs the customer's price at most.
create or replace function erp.check_substitutes(p_order_ids bigint[], p_line_nos int[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  bad record;
begin
  if p_order_ids = '{}' then
    return;
  end if;
  select i.item_no, l.unit_price, p.unit_price as own into bad
  from unnest(p_order_ids, p_line_nos) as a(order_id, line_no)
  join erp.sales_order_line l using (order_id, line_no)
  join erp.sales_order o using (order_id)
  join erp.item i using (item_id)
  cross join lateral erp.price(o.customer_id, array[l.item_id], array[l.uom], array[l.qty]) p
  where l.unit_price > p.unit_price limit 1;
  if found then
    raise exception 'A substitute costs the customer''s price at most: % for %.', trim_scale(bad.own), bad.item_no
      using errcode = 'PT422', constraint = 'substitute_price', column = 'unit_price';
  end if;
end
$$;

-- Old and new rows are put together by adding up, not by a join: the plan is
-- kept for the session, and one made for a single row would compare every line
-- of a long order with every other.
create or replace function erp.sales_order_line_updated() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  touched bigint[];
  shipping bigint[];
  revived bigint[];
  returned_orders bigint[];
  returned_lines int[];
  moved_items bigint[];
  raised bigint[];
  waiting bigint[];
  grown_orders bigint[];
  grown_lines int[];
  changed bigint[];
  held bigint[];
  bad record;
begin
  select
    array_agg(distinct c.order_id order by c.order_id),
    array_agg(distinct c.order_id) filter (where c.shipped > 0),
    array_agg(distinct c.order_id) filter (where c.cancelled < 0),
    array_agg(c.order_id order by c.order_id, c.line_no) filter (where c.shipped < 0),
    array_agg(c.line_no order by c.order_id, c.line_no) filter (where c.shipped < 0),
    array_agg(distinct c.item_id) filter (where c.allocated <> 0 or c.shipped <> 0 or c.backordered > 0),
    array_agg(distinct c.item_id) filter (where c.backordered > 0),
    array_agg(distinct c.item_id) filter (where c.backordered <> 0),
    -- more is wanted than before; a backorder that a program made out of an
    -- allocation stays one
    array_agg(c.order_id order by c.order_id, c.line_no) filter (where c.backordered > 0 and c.qty > c.cancelled),
    array_agg(c.line_no order by c.order_id, c.line_no) filter (where c.backordered > 0 and c.qty > c.cancelled),
    -- marks that nobody sees (what is invoiced) settle nothing
    array_agg(distinct c.order_id order by c.order_id) filter (where c.qty <> 0 or c.price <> 0 or c.priced <> 0
      or c.allocated <> 0 or c.picked <> 0 or c.shipped <> 0 or c.backordered <> 0 or c.cancelled <> 0 or c.said)
  into touched, shipping, revived, returned_orders, returned_lines, moved_items, raised, waiting, grown_orders,
    grown_lines, changed
  from (
    select r.order_id, r.line_no, r.item_id, sum(r.sign * r.qty) as qty,
      sum(r.sign * coalesce(r.unit_price, 0)) as price, sum(r.sign * num_nonnulls(r.unit_price)) as priced,
      sum(r.sign * r.qty_allocated) as allocated, sum(r.sign * r.qty_picked) as picked, sum(r.sign * r.qty_shipped)
        as shipped,
      sum(r.sign * r.qty_backordered) as backordered, sum(r.sign * r.qty_cancelled) as cancelled,
      min(r.cancel_reason) <> max(r.cancel_reason)
        or min(coalesce(r.substitute_for_line, 0)) <> max(coalesce(r.substitute_for_line, 0)) as said
    from (select 1 as sign, n.* from new_rows n union all select -1, p.* from old_rows p) r
    group by r.order_id, r.line_no, r.item_id
  ) c;
  if touched is null then
    return null;
  end if;
  if shipping is not null then
    -- an approved order that ships is released to picking by it, which asks
    -- about credit: the customer before the order, as submit does
    perform from erp.customer c
      where (c.credit_limit is not null or c.credit_hold) and c.customer_id in (
        select o.customer_id from erp.sales_order o where o.order_id = any (shipping) and o.status = 'APPROVED')
      order by c.customer_id
      for no key update;
  end if;
  held := erp.hold_orders(touched);

  select o.order_no, o.status, o.order_id = any (shipping) as ships into bad
  from erp.sales_order o
  where o.source <> 'IMPORT' and (
    (o.order_id = any (shipping) and not erp.is_shippable(o.status))
    or (o.order_id = any (revived) and erp.is_void(o.status)))
  limit 1;
  if found and bad.ships then
    raise exception 'Order % is %: nothing of it can ship.', bad.order_no, lower(bad.status)
      using errcode = 'PT409', constraint = 'order_move', column = 'qty';
  elsif found then
    raise exception 'Order % is %: it cannot be opened again.', bad.order_no, lower(bad.status)
      using errcode = 'PT409', constraint = 'order_closed', column = 'qty';
  end if;
  if returned_orders is not null then
    select l.line_no into bad
    from unnest(returned_orders, returned_lines) as r(order_id, line_no)
    join erp.sales_order_line l using (order_id, line_no)
    join erp.sales_order o using (order_id)
    where o.source <> 'IMPORT' and l.qty_shipped < (
      select coalesce(sum(x.qty), 0) from erp.shipment_line x where x.order_id = l.order_id and x.line_no = l.line_no)
    limit 1;
    if found then
      raise exception 'Line % has shipments: correct those.', bad.line_no
        using errcode = 'PT409', constraint = 'sales_order_line_has_shipments', column = 'qty';
    end if;
  end if;

  if moved_items is not null then
    -- lines before stock, and the stock's rows in their order, or two programs
    -- could wait for one another
    if raised is not null then
      perform from erp.sales_order_line l
        where l.order_id = any (held) and l.qty_backordered > 0 and l.item_id = any (raised)
        order by l.order_id, l.line_no for no key update;
    end if;
    perform from erp.stock s
      where s.item_id = any (moved_items)
        and s.warehouse in (select o.warehouse from erp.sales_order o where o.order_id = any (touched))
      order by s.item_id, s.warehouse
      for update;
    update erp.stock s
      set allocated = s.allocated + moved.allocated, on_hand = s.on_hand - moved.shipped
      from (
        select r.item_id, o.warehouse, sum(r.sign * r.qty_allocated * r.factor) as allocated,
          sum(r.sign * r.qty_shipped * r.factor) as shipped
        from (select 1 as sign, n.* from new_rows n union all select -1, p.* from old_rows p) r
        join erp.sales_order o on o.order_id = r.order_id
        where o.order_id = any (touched)
        group by 1, 2
      ) moved
      where s.item_id = moved.item_id and s.warehouse = moved.warehouse
        and (moved.allocated <> 0 or moved.shipped <> 0);
  end if;

  -- the day that a backorder can count on may have changed for others
  if waiting is not null then
    perform portal.emit_items(array(select distinct e.item_id from erp.stock_expected e
      where e.item_id = any (waiting)), false);
  end if;

  changed := array(select c.order_id from unnest(changed) as c(order_id) where c.order_id = any (held) order by 1);
  if changed <> '{}' then
    perform erp.settle_orders(changed);
  end if;
  -- of orders that are open now
  if grown_orders is not null then
    perform erp.allocate(held, raised);
    perform erp.refuse_backorders(grown_orders, grown_lines);
  end if;
  return null;
end
$$;
create or replace trigger sales_order_line_updated
  after update on erp.sales_order_line referencing old table as old_rows new table as new_rows
  for each statement execute function erp.sales_order_line_updated();

create or replace function erp.sales_order_line_deleted() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  held bigint[] := erp.hold_orders(array(select distinct p.order_id from old_rows p order by 1));
begin
  perform from erp.stock s
    where (s.item_id, s.warehouse) in (
      select p.item_id, o.warehouse from old_rows p join erp.sales_order o using (order_id) where p.qty_allocated > 0)
    order by s.item_id, s.warehouse
    for update;
  update erp.stock s set allocated = s.allocated - freed.allocated
    from (
      select p.item_id, o.warehouse, sum(p.qty_allocated * p.factor) as allocated
      from old_rows p join erp.sales_order o using (order_id)
      where p.qty_allocated > 0
      group by 1, 2
    ) freed
    where s.item_id = freed.item_id and s.warehouse = freed.warehouse;
  perform erp.settle_orders(held);
  return null;
end
$$;
create or replace trigger sales_order_line_deleted
  after delete on erp.sales_order_line referencing old table as old_rows
  for each statement execute function erp.sales_order_line_deleted();
