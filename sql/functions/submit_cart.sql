-- Turns a cart into a sales order, in the caller's transaction: the whole
-- order or nothing. The cart row is locked first, so clicks queue up behind
-- one another, and the cart's key makes the second find what the first made.
--
-- Returns one row. order_no is null when the order cannot be sent; findings
-- then hold at least one refusal (see erp.order_findings). Beyond those:
--   prices_rose   refuse   lines whose price is above the one agreed to; pass
--                          p_confirm_prices to take today's
--   po_repeated   refuse   the PO number stands on an earlier order; pass
--                          p_confirm_po to send it all the same
create or replace function portal.submit_cart(
  p_login_id bigint,
  p_key uuid,
  p_po_no text,
  p_ship_to_code text,
  p_requested_date date,
  p_note text,
  p_confirm_prices boolean default false,
  p_confirm_po boolean default false
) returns table (order_no text, repeated boolean, findings jsonb)
language plpgsql security definer set search_path = pg_catalog set jit = off
as $$
#variable_conflict use_column
declare
  cart portal.cart;
  me erp.customer;
  po text := nullif(btrim(p_po_no), '');
  ship_to bigint;
  made erp.sales_order;
  found_json jsonb;
  lines jsonb;
begin
  select * into cart from portal.cart c
    where c.login_id = p_login_id and c.customer_id = coalesce(portal.customer_id(), c.customer_id) for update;
  if not found then
    return query select null::text, false, jsonb_build_array(jsonb_build_object('code', 'no_lines', 'action', 'refuse'));
    return;
  end if;
  perform portal.assert_customer(cart.customer_id);

  select * into made from erp.sales_order o where o.customer_id = cart.customer_id and o.submit_key = p_key;
  if found then
    return query select made.order_no, true, '[]'::jsonb;
    return;
  end if;
  if cart.key is distinct from p_key then
    return query select null::text, false, jsonb_build_array(jsonb_build_object('code', 'cart_changed', 'action', 'refuse'));
    return;
  end if;

  -- one order of a customer at a time (credit), then the stock in item order
  select * into me from erp.customer c where c.customer_id = cart.customer_id for no key update;
  perform from erp.stock s
    where s.item_id in (select cl.item_id from portal.cart_line cl where cl.cart_id = cart.cart_id)
    order by s.item_id, s.warehouse
    for update;

  if nullif(btrim(p_ship_to_code), '') is not null then
    select st.ship_to_id into ship_to from erp.ship_to st
      where st.customer_id = cart.customer_id and st.code = btrim(p_ship_to_code);
    ship_to := coalesce(ship_to, 0);
  end if;

  -- the cart at today's prices, one element a line
  select coalesce(jsonb_agg(jsonb_build_object('ord', p.ord, 'item_id', p.item_id, 'item_no', i.item_no, 'uom', p.uom,
    'qty', p.qty, 'seen_price', a.seen[p.ord], 'unit_price', p.unit_price, 'step', p.step, 'rule_id', p.rule_id,
    'valid_until', p.valid_until) order by p.ord), '[]') into lines
  from (
    select array_agg(cl.item_id order by cl.added_at, cl.item_id, cl.uom) as items,
      array_agg(cl.uom order by cl.added_at, cl.item_id, cl.uom) as uoms,
      array_agg(cl.qty order by cl.added_at, cl.item_id, cl.uom) as qtys,
      array_agg(cl.seen_price order by cl.added_at, cl.item_id, cl.uom) as seen
    from portal.cart_line cl where cl.cart_id = cart.cart_id
  ) a
  cross join lateral erp.price(cart.customer_id, a.items, a.uoms, a.qtys) p
  join erp.item i on i.item_id = p.item_id;

  select jsonb_agg(to_jsonb(f) order by f.line nulls first) into found_json
  from (
    select array_agg(l.item_id order by l.ord) as items, array_agg(l.uom order by l.ord) as uoms,
      array_agg(l.qty order by l.ord) as qtys, array_agg(l.unit_price order by l.ord) as prices
    from jsonb_to_recordset(lines) as l(ord int, item_id bigint, item_no text, uom text, qty numeric, seen_price numeric,
      unit_price numeric, step text, rule_id bigint, valid_until timestamptz)
  ) a
  cross join lateral (
    select * from erp.order_findings(cart.customer_id, a.items, a.uoms, a.qtys, a.prices, po, ship_to, p_requested_date) r
    where r.action <> 'room'
    union all
    select 'prices_rose', 'refuse', 'item_no', l.ord,
      jsonb_build_object('item_no', l.item_no, 'uom', l.uom, 'was', l.seen_price, 'now', l.unit_price)
    from jsonb_to_recordset(lines) as l(ord int, item_id bigint, item_no text, uom text, qty numeric, seen_price numeric,
      unit_price numeric, step text, rule_id bigint, valid_until timestamptz) where not p_confirm_prices and l.unit_price > l.seen_price
    union all
    select 'po_repeated', 'refuse', 'po_no', null, jsonb_build_object('order_no', max(o.order_no), 'po_no', po)
    from erp.sales_order o
    where not p_confirm_po and po is not null
      and o.customer_id = cart.customer_id and upper(o.po_no) = upper(po) and o.status not in ('REJECTED', 'CANCELLED')
    having count(*) > 0
  ) f;
  found_json := coalesce(found_json, '[]');

  if exists (select from jsonb_array_elements(found_json) f where f ->> 'action' = 'refuse') then
    return query select null::text, false, found_json;
    return;
  end if;

  insert into erp.sales_order (customer_id, source, po_no, ship_to_id, requested_date, note, warehouse, login_id, submit_key)
  select cart.customer_id, 'WEB', po, ship_to, p_requested_date, btrim(coalesce(p_note, '')), co.warehouse,
    case when portal.acting_by() is null then p_login_id end, p_key -- staff have no log-in at the customer's
  from erp.company co
  returning * into made;
  insert into erp.sales_order_line (order_id, line_no, item_id, uom, qty, unit_price, price_step, price_rule_id, price_valid_until)
  select made.order_id, l.ord, l.item_id, l.uom, l.qty, l.unit_price, l.step, l.rule_id, l.valid_until
  from jsonb_to_recordset(lines) as l(ord int, item_id bigint, item_no text, uom text, qty numeric, seen_price numeric,
      unit_price numeric, step text, rule_id bigint, valid_until timestamptz) order by l.ord;

  delete from portal.cart_line cl where cl.cart_id = cart.cart_id;
  update portal.cart c
    set key = gen_random_uuid(), po_no = '', note = '', requested_date = null, updated_at = erp.now()
    where c.cart_id = cart.cart_id;
  return query select made.order_no, false, found_json;
end
$$;
grant execute on function portal.submit_cart(bigint, uuid, text, text, date, text, boolean, boolean) to portal_web;
