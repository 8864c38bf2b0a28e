-- The warehouse sends less than was allocated: what is open of a line and not
-- picked is cancelled, with a reason that the customer reads. Written off, it
-- is taken off the stock as well, so that an empty shelf is not promised to the
-- next order. Returns how much was cancelled.
create or replace function erp.short_line(p_order_no text, p_line_no int, p_reason text,
  p_write_off boolean default false) returns numeric
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  o erp.sales_order;
  l erp.sales_order_line;
  rest numeric;
begin
  select * into o from erp.sales_order s where s.order_no = p_order_no for no key update;
  select * into l from erp.sales_order_line x where x.order_id = o.order_id and x.line_no = p_line_no for no key update;
  if l.order_id is null then
    raise exception 'There is no line % on order %.', p_line_no, p_order_no using errcode = 'PT404';
  end if;
  if not erp.is_pickable(o.status) then
    raise exception 'Order % is %: only an order that is picked can be cut short.', p_order_no, lower(o.status)
      using errcode = 'PT409', constraint = 'order_move';
  end if;
  if coalesce(erp.clean_text(p_reason), '') = '' then
    raise exception 'Say why: the customer reads it.' using errcode = 'PT422', constraint = 'short_reason',
      column = 'reason';
  end if;
  rest := l.qty_allocated - (l.qty_picked - l.qty_shipped);
  if rest + l.qty_backordered <= 0 then
    raise exception 'All of line % is picked.', p_line_no using errcode = 'PT409', constraint = 'line_picked';
  end if;
  if p_write_off then
    perform set_config('erp.writing_off', 'on', true);
  end if;
  update erp.sales_order_line x
    set qty_cancelled = x.qty_cancelled + rest + x.qty_backordered, qty_allocated = x.qty_allocated - rest,
      qty_backordered = 0,
      cancel_reason = erp.clean_text(p_reason)
    where x.order_id = l.order_id and x.line_no = l.line_no;
  if p_write_off then
    update erp.stock s set on_hand = s.on_hand - rest * l.factor
      where s.item_id = l.item_id and s.warehouse = o.warehouse and rest > 0;
    perform set_config('erp.writing_off', '', true);
  end if;
  return rest + l.qty_backordered;
end
$$;
grant execute on function erp.short_line(text, int, text, boolean) to portal_desk;

-- Another item is sent instead of what is open of a line and not picked, or of
-- p_instead of it: a line of its own at the customer's price, or at a lower
-- one. Returns the new line's number.
create or replace function erp.substitute_line(
  p_order_no text, p_line_no int, p_item_no text, p_uom text, p_qty numeric, p_instead numeric default null,
    p_price numeric default null
) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  o erp.sales_order;
  l erp.sales_order_line;
  i erp.item;
  made erp.sales_order_line;
  rest numeric;
begin
  select * into o from erp.sales_order s where s.order_no = p_order_no for no key update;
  select * into l from erp.sales_order_line x where x.order_id = o.order_id and x.line_no = p_line_no for no key update;
  if l.order_id is null then
    raise exception 'There is no line % on order %.', p_line_no, p_order_no using errcode = 'PT404';
  end if;
  if not erp.is_pickable(o.status) then
    raise exception 'Order % is %: nothing of it can be replaced.', p_order_no, lower(o.status)
      using errcode = 'PT409', constraint = 'order_move';
  end if;
  -- the number as it is, else but for case where that is one item
  select * into i from erp.item t where t.item_no = p_item_no;
  if i.item_id is null and (select count(*) from erp.item t where t.active
    and lower(t.item_no) = lower(btrim(p_item_no))) > 1 then
    raise exception 'Which one? More than one item is % but for case: write the number as it is.', p_item_no
      using errcode = 'PT422', constraint = 'item_ambiguous', column = 'item_no';
  end if;
  if i.item_id is null then
    select * into i from erp.item t where lower(t.item_no) = lower(btrim(p_item_no)) order by t.active desc, t.item_id
      limit 1;
  end if;
  if i.item_id is null then
    raise exception 'There is no item %.', p_item_no using errcode = 'PT422', constraint = 'item_unknown',
      column = 'item_no';
  end if;
  if i.item_id = l.item_id then
    raise exception 'That is the same item.' using errcode = 'PT422', constraint = 'same_item', column = 'item_no';
  end if;
  if coalesce(p_qty, 0) <= 0 then
    raise exception 'How many?' using errcode = 'PT422', constraint = 'substitute_qty', column = 'qty';
  end if;
  rest := coalesce(p_instead, l.qty_allocated - (l.qty_picked - l.qty_shipped) + l.qty_backordered);
  if rest <= 0 or rest > l.qty_allocated - (l.qty_picked - l.qty_shipped) + l.qty_backordered then
    raise exception 'Only % of line % are open and not picked.',
      trim_scale(l.qty_allocated - (l.qty_picked - l.qty_shipped) + l.qty_backordered), p_line_no
      using errcode = 'PT409', constraint = 'line_picked', column = 'qty';
  end if;
  -- both items' stock, in its order
  perform from erp.stock s where s.item_id in (l.item_id, i.item_id) and s.warehouse = o.warehouse
    order by s.item_id, s.warehouse for update;
  insert into erp.sales_order_line (order_id, line_no, item_id, uom, qty, unit_price, substitute_for_line)
  select o.order_id, max(x.line_no) + 1, i.item_id, upper(btrim(coalesce(p_uom, ''))), p_qty, p_price, l.line_no
  from erp.sales_order_line x where x.order_id = o.order_id
  returning * into made;
  select * into made from erp.sales_order_line x where x.order_id = made.order_id and x.line_no = made.line_no;
  if made.qty_backordered > 0 then
    raise exception 'Only % % of % are there.', trim_scale(made.qty_allocated), made.uom, i.item_no
      using errcode = 'PT409', constraint = 'stock_short', column = 'qty';
  end if;
  update erp.sales_order_line x
    set qty_cancelled = x.qty_cancelled + rest, cancel_reason = 'Replaced by ' || i.item_no
    where x.order_id = l.order_id and x.line_no = l.line_no;
  return made.line_no;
end
$$;
grant execute on function erp.substitute_line(text, int, text, text, numeric, numeric, numeric) to portal_desk;

-- A shipment has arrived: the proof of delivery. The order's status follows.
create or replace function erp.deliver_shipment(p_shipment_id bigint, p_to text default '',
  p_at timestamptz default null) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  o erp.sales_order;
  s erp.shipment;
begin
  select * into o from erp.sales_order x where x.order_id = (select h.order_id from erp.shipment h
    where h.shipment_id = p_shipment_id) for no key update;
  select * into s from erp.shipment x where x.shipment_id = p_shipment_id for no key update;
  if s.shipment_id is null then
    raise exception 'There is no such shipment.' using errcode = 'PT404';
  end if;
  if s.delivered_at is not null then
    raise exception 'It is delivered already%.', case when s.delivered_to <> '' then ', to ' || s.delivered_to
      else '' end
      using errcode = 'PT409', constraint = 'shipment_delivered';
  end if;
  if p_at < s.shipped_at then
    raise exception 'It cannot have arrived before it left.'
      using errcode = 'PT422', constraint = 'shipment_delivered_after_shipped', column = 'delivered_at';
  end if;
  update erp.shipment x set delivered_at = greatest(coalesce(p_at, erp.now()), x.shipped_at),
    delivered_to = btrim(coalesce(p_to, ''))
    where x.shipment_id = p_shipment_id;
  return o.order_no;
end
$$;
grant execute on function erp.deliver_shipment(bigint, text, timestamptz) to portal_desk;

-- Goods have come in: added to what is on hand, and taken off what was
-- expected, the earliest first. Orders that wait are served by the triggers.
create or replace function erp.receive_stock(p_item_no text, p_qty numeric, p_warehouse text default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  item bigint := (select i.item_id from erp.item i where i.item_no = p_item_no);
  place text := coalesce(p_warehouse, (select co.warehouse from erp.company co));
  rest numeric := p_qty;
  e erp.stock_expected;
begin
  if item is null then
    raise exception 'There is no such item.' using errcode = 'PT404';
  end if;
  if coalesce(p_qty, 0) <= 0 then
    raise exception 'Enter how many came in.' using errcode = 'PT422', constraint = 'received_qty', column = 'received';
  end if;
  insert into erp.stock as s (item_id, warehouse, on_hand) values (item, place, p_qty)
    on conflict (item_id, warehouse) do update set on_hand = s.on_hand + excluded.on_hand;
  for e in select * from erp.stock_expected x where x.item_id = item and x.warehouse = place order by x.expected_on,
    x.expected_id for update loop
    exit when rest <= 0;
    if e.qty <= rest then
      delete from erp.stock_expected x where x.expected_id = e.expected_id;
    else
      update erp.stock_expected x set qty = x.qty - rest where x.expected_id = e.expected_id;
    end if;
    rest := rest - e.qty;
  end loop;
end
$$;
grant execute on function erp.receive_stock(text, numeric, text) to portal_desk;
