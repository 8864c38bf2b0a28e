-- Order lines: unit and factor, the price where the program gave none, the
-- split of the quantity (allocated, shipped, backordered, cancelled), and the
-- stock that goes with it. Every path to stock runs through these triggers:
-- the quantities of the lines are the truth, the stock follows their change.

create or replace function erp.sales_order_line_before() returns trigger
language plpgsql security definer set search_path = pg_catalog
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
      if o.status not in ('SUBMITTED', 'APPROVED', 'ON_HOLD') then
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
    if o.status not in ('SUBMITTED', 'APPROVED', 'ON_HOLD', 'PICKING') then
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
  -- what was open
  if new.qty_shipped <> old.qty_shipped and new.qty_allocated = old.qty_allocated then
    new.qty_allocated := old.qty_allocated - (new.qty_shipped - old.qty_shipped);
  end if;
  if new.qty_cancelled <> old.qty_cancelled and new.qty_allocated = old.qty_allocated and new.qty_backordered = old.qty_backordered then
    delta := new.qty_cancelled - old.qty_cancelled;
    taken := least(delta, old.qty_backordered);
    new.qty_backordered := old.qty_backordered - taken;
    new.qty_allocated := old.qty_allocated - (delta - taken);
  end if;
  if new.qty_allocated < 0 then
    raise exception 'Line %: only % allocated.', new.line_no, old.qty_allocated
      using errcode = 'PT409', constraint = 'sales_order_line_allocated', column = 'qty';
  end if;
  new.qty_picked := least(greatest(new.qty_picked, new.qty_shipped), new.qty_allocated + new.qty_shipped);
  if new.unit_price is distinct from old.unit_price or new.qty <> old.qty then
    new.line_total := round(new.qty * new.unit_price, 2);
  end if;
  return new;
end
$$;
create or replace trigger sales_order_line_before
  before insert or update on erp.sales_order_line
  for each row execute function erp.sales_order_line_before();

-- Allocates what lines wait for, as far as stock goes: items in order of their
-- id, lines of an item in order of their number, whole units only. The stock
-- is locked row by row in that order; the lines are written in one statement.
create or replace function erp.allocate_lines(p_order_ids bigint[]) returns void
language plpgsql security definer set search_path = pg_catalog
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
  for waits in
    select l.order_id, l.line_no, l.item_id, l.factor, l.qty_backordered, o.warehouse, i.fractional
    from erp.sales_order_line l
    join erp.sales_order o using (order_id)
    join erp.item i using (item_id)
    where l.order_id = any (p_order_ids) and l.qty_backordered > 0
      and o.status in ('SUBMITTED', 'APPROVED', 'ON_HOLD', 'PICKING')
    order by l.item_id, o.warehouse, l.order_id, l.line_no
  loop
    if (waits.item_id, waits.warehouse) is distinct from (item, place) then
      item := waits.item_id;
      place := waits.warehouse;
      select s.on_hand - s.allocated into free from erp.stock s where s.item_id = item and s.warehouse = place for update;
      free := coalesce(free, 0);
    end if;
    take := least(waits.qty_backordered, free / waits.factor);
    if not waits.fractional then
      take := trunc(take);
    end if;
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

-- Totals and news of the orders whose lines changed; an order whose last open
-- quantity has shipped is Shipped.
create or replace function erp.settle_orders(p_order_ids bigint[]) returns void
language plpgsql security definer set search_path = pg_catalog
as $$
declare
  o record;
begin
  update erp.sales_order s
    set total = t.total
    from (
      select a.order_id, coalesce(sum(l.line_total), 0) as total
      from unnest(p_order_ids) as a(order_id) left join erp.sales_order_line l using (order_id)
      group by 1
    ) t
    where s.order_id = t.order_id and s.total <> t.total;

  for o in
    select s.order_id, s.status
    from erp.sales_order s
    where s.order_id = any (p_order_ids) and s.status in ('APPROVED', 'PICKING')
      and exists (select from erp.sales_order_line l where l.order_id = s.order_id and l.qty_shipped > 0)
    order by s.order_id
  loop
    if o.status = 'APPROVED' then
      update erp.sales_order s set status = 'PICKING' where s.order_id = o.order_id;
    end if;
    if not exists (select from erp.sales_order_line l where l.order_id = o.order_id and l.qty_allocated + l.qty_backordered > 0) then
      update erp.sales_order s set status = 'SHIPPED' where s.order_id = o.order_id and s.status = 'PICKING';
    end if;
  end loop;

  for o in
    select s.customer_id, s.order_no, s.status from erp.sales_order s
    where s.order_id = any (p_order_ids) and s.source <> 'IMPORT' order by s.order_id
  loop
    perform portal.emit('order', o.customer_id, o.order_no, jsonb_build_object('status', o.status));
  end loop;
end
$$;

create or replace function erp.sales_order_line_inserted() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
declare
  orders bigint[] := array(select distinct n.order_id from new_rows n order by 1);
  bad record;
begin
  -- lines that came without a price get the customer's
  if exists (select from new_rows n where n.unit_price is null) then
    update erp.sales_order_line l
      set unit_price = p.unit_price, price_step = p.step, price_rule_id = p.rule_id, price_valid_until = p.valid_until,
        line_total = round(l.qty * p.unit_price, 2)
      from (
        select o.order_id, a.line_nos[p.ord] as line_no, p.unit_price, p.step, p.rule_id, p.valid_until
        from erp.sales_order o
        cross join lateral (
          select array_agg(m.line_no order by m.line_no) as line_nos, array_agg(m.item_id order by m.line_no) as items,
            array_agg(m.uom order by m.line_no) as uoms, array_agg(m.qty order by m.line_no) as qtys
          from erp.sales_order_line m where m.order_id = o.order_id
        ) a
        cross join lateral erp.price(o.customer_id, a.items, a.uoms, a.qtys) p
        where o.order_id = any (orders) and p.unit_price is not null
      ) p
      where l.order_id = p.order_id and l.line_no = p.line_no and l.unit_price is null;
    select i.item_no, l.line_no into bad
      from erp.sales_order_line l join erp.item i using (item_id)
      where l.order_id = any (orders) and l.unit_price is null limit 1;
    if found then
      raise exception 'There is no price for % (line %): call for price.', bad.item_no, bad.line_no
        using errcode = 'PT422', constraint = 'no_price', column = 'item_no';
    end if;
  end if;

  perform erp.allocate_lines(orders);

  select i.item_no, l.uom, l.qty_allocated into bad
  from erp.sales_order_line l
  join erp.sales_order o using (order_id)
  join erp.item i using (item_id)
  left join erp.web_access w using (customer_id)
  where l.order_id = any (orders) and l.qty_backordered > 0 and o.source <> 'IMPORT'
    and not (i.allow_backorder and coalesce(w.allow_backorder, true))
  limit 1;
  if found then
    raise exception 'Only % % of % left.', trim_scale(bad.qty_allocated), bad.uom, bad.item_no
      using errcode = 'PT409', constraint = 'stock_short', column = 'qty';
  end if;

  perform erp.settle_orders(orders);
  return null;
end
$$;
create or replace trigger sales_order_line_inserted
  after insert on erp.sales_order_line referencing new table as new_rows
  for each statement execute function erp.sales_order_line_inserted();

-- Old and new rows are put together by adding up, not by a join: the plan is
-- kept for the session, and one made for a single row would compare every line
-- of a long order with every other.
create or replace function erp.sales_order_line_updated() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
declare
  moved_orders bigint[];
  shipped_orders bigint[];
  grown_orders bigint[];
  changed_orders bigint[];
  bad record;
begin
  select
    array_agg(distinct c.order_id) filter (where c.allocated <> 0 or c.shipped <> 0),
    array_agg(distinct c.order_id) filter (where c.shipped <> 0),
    array_agg(distinct c.order_id) filter (where c.qty > 0 or c.cancelled < 0),
    -- marks that nobody sees (what is invoiced) settle nothing
    array_agg(distinct c.order_id) filter (where c.qty <> 0 or c.price <> 0 or c.priced <> 0
      or c.allocated <> 0 or c.picked <> 0 or c.shipped <> 0 or c.backordered <> 0 or c.cancelled <> 0)
  into moved_orders, shipped_orders, grown_orders, changed_orders
  from (
    select r.order_id, r.line_no, sum(r.sign * r.qty) as qty,
      sum(r.sign * coalesce(r.unit_price, 0)) as price, sum(r.sign * num_nonnulls(r.unit_price)) as priced,
      sum(r.sign * r.qty_allocated) as allocated, sum(r.sign * r.qty_picked) as picked, sum(r.sign * r.qty_shipped) as shipped,
      sum(r.sign * r.qty_backordered) as backordered, sum(r.sign * r.qty_cancelled) as cancelled
    from (select 1 as sign, n.* from new_rows n union all select -1, p.* from old_rows p) r
    group by r.order_id, r.line_no
  ) c;

  if shipped_orders <> '{}' then
    -- An approved order that ships is released to picking by it, which asks
    -- about credit: the customer before the stock, as submit does.
    perform from erp.customer c
      where (c.credit_limit is not null or c.credit_hold) and c.customer_id in (
        select o.customer_id from erp.sales_order o where o.order_id = any (shipped_orders) and o.status = 'APPROVED')
      order by c.customer_id
      for no key update;
  end if;
  if moved_orders <> '{}' then
    -- the stock's rows in their order, or two programs could wait for one another
    perform from erp.stock s
      where s.item_id in (select n.item_id from new_rows n)
        and s.warehouse in (select o.warehouse from erp.sales_order o where o.order_id = any (moved_orders))
      order by s.item_id, s.warehouse
      for update;
    update erp.stock s
      set allocated = s.allocated + moved.allocated, on_hand = s.on_hand - moved.shipped
      from (
        select r.item_id, o.warehouse, sum(r.sign * r.qty_allocated * r.factor) as allocated, sum(r.sign * r.qty_shipped * r.factor) as shipped
        from (select 1 as sign, n.* from new_rows n union all select -1, p.* from old_rows p) r
        join erp.sales_order o on o.order_id = r.order_id
        where o.order_id = any (moved_orders)
        group by 1, 2
      ) moved
      where s.item_id = moved.item_id and s.warehouse = moved.warehouse and (moved.allocated <> 0 or moved.shipped <> 0);
  end if;
  if grown_orders <> '{}' then
    perform erp.allocate_lines(grown_orders);
    select i.item_no, l.uom, l.qty_allocated into bad
    from (
      select r.order_id, r.line_no, sum(r.sign * r.qty) as qty, sum(r.sign * r.qty_cancelled) as cancelled,
        sum(r.qty_backordered) filter (where r.sign = -1) as backordered
      from (select 1 as sign, n.* from new_rows n union all select -1, p.* from old_rows p) r
      where r.order_id = any (grown_orders)
      group by r.order_id, r.line_no
    ) g
    join erp.sales_order_line l using (order_id, line_no)
    join erp.sales_order o using (order_id)
    join erp.item i using (item_id)
    left join erp.web_access w using (customer_id)
    where (g.qty > 0 or g.cancelled < 0) and l.qty_backordered > g.backordered and o.source <> 'IMPORT'
      and not (i.allow_backorder and coalesce(w.allow_backorder, true))
    limit 1;
    if found then
      raise exception 'Only % % of % left.', trim_scale(bad.qty_allocated), bad.uom, bad.item_no
        using errcode = 'PT409', constraint = 'stock_short', column = 'qty';
    end if;
  end if;
  if changed_orders <> '{}' then
    perform erp.settle_orders(changed_orders);
  end if;
  return null;
end
$$;
create or replace trigger sales_order_line_updated
  after update on erp.sales_order_line referencing old table as old_rows new table as new_rows
  for each statement execute function erp.sales_order_line_updated();

create or replace function erp.sales_order_line_deleted() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
declare
  freed record;
begin
  for freed in
    select p.item_id, coalesce(o.warehouse, 'MAIN') as warehouse, sum(p.qty_allocated * p.factor) as allocated
    from old_rows p left join erp.sales_order o using (order_id)
    where p.qty_allocated > 0
    group by 1, 2 order by 1, 2
  loop
    update erp.stock s set allocated = s.allocated - freed.allocated
      where s.item_id = freed.item_id and s.warehouse = freed.warehouse;
  end loop;
  perform erp.settle_orders(array(select distinct p.order_id from old_rows p order by 1));
  return null;
end
$$;
create or replace trigger sales_order_line_deleted
  after delete on erp.sales_order_line referencing old table as old_rows
  for each statement execute function erp.sales_order_line_deleted();
