-- Writes new quantities of an order's lines, without what was cancelled, in the
-- line's unit; 0 takes a line out: its open quantity is cancelled and the line
-- stays, with the reason. So it is with less of a line of which a part was
-- cancelled or replaced before: what was said about that part stays. Prices where given, else the agreed ones. The
-- work of erp.edit_order and portal.change_order, which hold the order's row.
create or replace function erp.set_order_qtys(
  p_order_id bigint, p_line_nos int[], p_qtys numeric[], p_reason text,
  p_prices numeric[] default null, p_steps text[] default null, p_rule_ids bigint[] default null,
    p_valid_untils timestamptz[] default null
) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  reason_before text := current_setting('portal.reason', true);
begin
  -- the lines, then the stock's rows in their order
  perform from erp.sales_order_line l where l.order_id = p_order_id order by l.line_no for no key update;
  perform from erp.stock s
    where s.item_id in (select l.item_id from erp.sales_order_line l where l.order_id = p_order_id
      and l.line_no = any (p_line_nos))
    order by s.item_id, s.warehouse
    for update;
  perform set_config('portal.reason', coalesce(p_reason, ''), true);
  update erp.sales_order_line l
    set qty = case when w.cut then l.qty else w.qty end,
      qty_cancelled = case when w.cut then l.qty - greatest(w.qty, l.qty_shipped) else 0 end,
      cancel_reason = case when w.cut then coalesce(erp.clean_text(p_reason), '') else '' end,
      -- what had been cancelled waits for stock again
      qty_backordered = case when w.cut then l.qty_backordered else l.qty_backordered + l.qty_cancelled end,
      unit_price = coalesce(w.price, l.unit_price),
      price_step = case when w.price is null then l.price_step else w.step end,
      price_rule_id = case when w.price is null then l.price_rule_id else w.rule_id end,
      price_valid_until = case when w.price is null then l.price_valid_until else w.valid_until end
    from (
      select u.*, u.qty = 0 or (x.qty_cancelled > 0 and u.qty < x.qty - x.qty_cancelled) as cut
      from unnest(p_line_nos, p_qtys, p_prices, p_steps, p_rule_ids, p_valid_untils)
        as u(line_no, qty, price, step, rule_id, valid_until)
      join erp.sales_order_line x on x.order_id = p_order_id and x.line_no = u.line_no
    ) w
    where l.order_id = p_order_id and l.line_no = w.line_no
      and (w.qty <> l.qty - l.qty_cancelled or w.price <> l.unit_price);
  perform set_config('portal.reason', coalesce(reason_before, ''), true);
end
$$;

-- The desk changes the quantities of an order that is not being picked yet.
-- The agreed prices stay. Returns a row for each line that changed; price_now
-- is what erp.price asks for the new quantity today, for staff to know where
-- the agreed price is kept though a quantity break is lost.
create or replace function erp.edit_order(
  p_order_no text, p_line_nos int[], p_qtys numeric[], p_reason text, p_revision int default null
) returns table (line_no int, item_no text, uom text, from_qty numeric, to_qty numeric, unit_price numeric,
  price_now numeric)
language plpgsql security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
#variable_conflict use_column
declare
  o erp.sales_order;
  bad record;
  last_change bigint;
begin
  select * into o from erp.sales_order s where s.order_no = p_order_no for update;
  if not found then
    raise exception 'There is no order %.', p_order_no using errcode = 'PT404';
  end if;
  if not erp.is_changeable(o.status) then
    raise exception 'Order % is %: its quantities can no longer be changed here.', p_order_no, lower(o.status)
      using errcode = 'PT409', constraint = 'order_closed';
  end if;
  if p_revision <> o.revision then
    raise exception 'The quantities of order % were changed meanwhile. Nothing was changed: look at them again.',
      p_order_no
      using errcode = 'PT409', constraint = 'order_changed';
  end if;
  perform from erp.customer c where c.customer_id = o.customer_id for no key update;

  select w.line_no, w.qty, l.qty_shipped, l.uom, l.line_no is null as unknown into bad
  from unnest(p_line_nos, p_qtys) as w(line_no, qty)
  left join erp.sales_order_line l on l.order_id = o.order_id and l.line_no = w.line_no
  where l.line_no is null or w.qty is null or w.qty < l.qty_shipped or w.qty < 0
  order by w.line_no limit 1;
  if found then
    raise exception '%', case when bad.unknown then format('There is no line %s.', bad.line_no)
        when bad.qty_shipped > 0 then format('Line %s: %s %s have shipped.', bad.line_no, trim_scale(bad.qty_shipped),
          bad.uom)
        else format('Line %s: enter a quantity, or 0 to take it out.', bad.line_no) end
      using errcode = 'PT422', constraint = 'order_line_qty', column = 'qty', detail = bad.line_no::text;
  end if;
  if not exists (
    select from erp.sales_order_line l left join unnest(p_line_nos, p_qtys) as w(line_no, qty) using (line_no)
    where l.order_id = o.order_id and coalesce(w.qty, l.qty - l.qty_cancelled) > 0) then
    raise exception 'Nothing would be left of order %: reject or cancel it instead.', p_order_no
      using errcode = 'PT422', constraint = 'no_lines', column = 'qty';
  end if;
  if nullif(erp.clean_text(p_reason), '') is null and exists (
    select from erp.sales_order_line l join unnest(p_line_nos, p_qtys) as w(line_no, qty) using (line_no)
    where l.order_id = o.order_id and w.qty < l.qty - l.qty_cancelled) then
    raise exception 'Say why there is less: the customer reads it.'
      using errcode = 'PT422', constraint = 'order_change_has_reason', column = 'reason';
  end if;

  select coalesce(max(c.change_id), 0) into last_change from erp.order_change c where c.order_id = o.order_id;
  perform erp.set_order_qtys(o.order_id, p_line_nos, p_qtys, p_reason);
  if o.reviewed_at is not null and o.status <> 'APPROVED' then
    perform erp.review_order(o.order_id); -- what was objected to may hold no more
  end if;
  return query
  with today as materialized ( -- once, not once a line
    select a.line_nos[p.ord] as line_no, p.unit_price
    from (
      select array_agg(x.line_no order by x.line_no) as line_nos, array_agg(x.item_id order by x.line_no) as items,
        array_agg(x.uom order by x.line_no) as uoms, array_agg(x.qty - x.qty_cancelled order by x.line_no) as qtys
      from erp.sales_order_line x where x.order_id = o.order_id and x.qty > x.qty_cancelled
    ) a
    cross join lateral erp.price(o.customer_id, a.items, a.uoms, a.qtys) p
  )
  select c.line_no, i.item_no, l.uom, c.from_qty, c.to_qty, l.unit_price, t.unit_price
  from erp.order_change c
  join erp.sales_order_line l using (order_id, line_no)
  join erp.item i using (item_id)
  left join today t on t.line_no = c.line_no
  where c.order_id = o.order_id and c.change_id > last_change
  order by c.line_no;
end
$$;
grant execute on function erp.edit_order(text, int[], numeric[], text, int) to portal_desk;
