-- Turns a cart into a sales order, in the caller's transaction: the whole
-- order or nothing. The cart row is locked first, so clicks queue up behind
-- one another, and the cart's key makes the second find what the first made.
--
-- Returns one row. order_no is null when the order cannot be sent; findings
-- then hold at least one refusal (see portal.place_order).
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
  ship_to bigint;
  made erp.sales_order;
  made_no text;
  found_json jsonb;
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

  -- before the lines are read: orders of a customer wait for one another here
  perform from erp.customer c where c.customer_id = cart.customer_id for no key update;

  if nullif(btrim(p_ship_to_code), '') is not null then
    select st.ship_to_id into ship_to from erp.ship_to st
      where st.customer_id = cart.customer_id and st.code = btrim(p_ship_to_code);
    ship_to := coalesce(ship_to, 0);
  end if;

  select o.order_no, o.findings into made_no, found_json
  from (
    select array_agg(cl.item_id order by cl.added_at, cl.item_id, cl.uom) as items,
      array_agg(cl.uom order by cl.added_at, cl.item_id, cl.uom) as uoms,
      array_agg(cl.qty order by cl.added_at, cl.item_id, cl.uom) as qtys,
      array_agg(cl.seen_price order by cl.added_at, cl.item_id, cl.uom) as seen
    from portal.cart_line cl where cl.cart_id = cart.cart_id
  ) a
  cross join lateral portal.place_order(cart.customer_id,
    case when portal.acting_by() is null then p_login_id end, p_key, -- staff have no log-in at the customer's
    a.items, a.uoms, a.qtys, a.seen, p_po_no, ship_to,
    p_requested_date, p_note, p_confirm_prices, p_confirm_po) o;
  if made_no is null then
    return query select null::text, false, found_json;
    return;
  end if;

  delete from portal.cart_line cl where cl.cart_id = cart.cart_id;
  update portal.cart c
    set key = gen_random_uuid(), po_no = '', note = '', requested_date = null, updated_at = erp.now()
    where c.cart_id = cart.cart_id;
  return query select made_no, false, found_json;
end
$$;
grant execute on function portal.submit_cart(bigint, uuid, text, text, date, text, boolean, boolean) to portal_web;
