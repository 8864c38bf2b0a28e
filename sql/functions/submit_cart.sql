-- Turns a cart into a sales order, or where one of the customer's own people
-- must sign off first into a request for that, in the caller's transaction: the
-- whole or nothing. The cart row is locked first, so clicks queue up behind one
-- another, and the cart's key makes the second find what the first made.
--
-- Returns one row. order_no and sign_off_id are both null when the cart cannot
-- be sent; findings then hold at least one refusal (see portal.place_order).
create or replace function portal.submit_cart(
  p_login_id bigint,
  p_key uuid,
  p_po_no text,
  p_ship_to_code text,
  p_requested_date date,
  p_note text,
  p_confirm_prices boolean default false,
  p_confirm_po boolean default false
) returns table (order_no text, sign_off_id bigint, repeated boolean, findings jsonb)
language plpgsql security definer set search_path = pg_catalog set jit = off
as $$
#variable_conflict use_column
declare
  cart portal.cart;
  ship_to bigint;
  items bigint[];
  uoms text[];
  qtys numeric[];
  seen numeric[];
  sent record;
  asked bigint;
begin
  -- the rules judge the log-in that the transaction acts for
  if portal.login_id() is null then
    perform set_config('portal.login_id', p_login_id::text, true);
  elsif portal.login_id() <> p_login_id then
    raise exception 'this request may not send the cart of another log-in' using errcode = 'PT404', constraint = 'own_login_only';
  end if;
  select * into cart from portal.cart c
    where c.login_id = p_login_id and c.customer_id = coalesce(portal.customer_id(), c.customer_id) for update;
  if not found then
    return query select null::text, null::bigint, false, jsonb_build_array(jsonb_build_object('code',
      case when portal.may('order') then 'no_lines' else 'role_no_order' end, 'action', 'refuse'));
    return;
  end if;
  perform portal.assert_customer(cart.customer_id);

  select o.order_no, s.sign_off_id into sent
  from (select 1) one
  left join erp.sales_order o on o.customer_id = cart.customer_id and o.submit_key = p_key
  left join portal.sign_off s on s.customer_id = cart.customer_id and s.key = p_key;
  if sent.order_no is not null or sent.sign_off_id is not null then
    return query select sent.order_no, case when sent.order_no is null then sent.sign_off_id end, true, '[]'::jsonb;
    return;
  end if;
  if cart.key is distinct from p_key then
    return query select null::text, null::bigint, false, jsonb_build_array(jsonb_build_object('code', 'cart_changed', 'action', 'refuse'));
    return;
  end if;

  -- before the lines are read: orders of a customer wait for one another here (credit, limits)
  perform from erp.customer c where c.customer_id = cart.customer_id for no key update;

  if nullif(btrim(p_ship_to_code), '') is not null then
    select st.ship_to_id into ship_to from erp.ship_to st
      where st.customer_id = cart.customer_id and st.code = btrim(p_ship_to_code);
    ship_to := coalesce(ship_to, 0);
  end if;

  select array_agg(cl.item_id order by cl.added_at, cl.item_id, cl.uom), array_agg(cl.uom order by cl.added_at, cl.item_id, cl.uom),
    array_agg(cl.qty order by cl.added_at, cl.item_id, cl.uom), array_agg(cl.seen_price order by cl.added_at, cl.item_id, cl.uom)
    into items, uoms, qtys, seen
  from portal.cart_line cl where cl.cart_id = cart.cart_id;
  select p.order_no, p.findings into sent
  from portal.place_order(cart.customer_id,
    case when portal.acting_by() is null then p_login_id end, p_key, -- staff have no log-in at the customer's
    items, uoms, qtys, seen, p_po_no, ship_to, p_requested_date, p_note, p_confirm_prices, p_confirm_po) p;

  if exists (select from jsonb_array_elements(sent.findings) f where f ->> 'action' = 'refuse') then
    return query select null::text, null::bigint, false, sent.findings;
    return;
  end if;
  if sent.order_no is null then
    insert into portal.sign_off (customer_id, login_id, key, po_no, ship_to_id, requested_date, note, reasons)
    values (cart.customer_id, p_login_id, p_key, nullif(erp.clean_text(p_po_no), ''), ship_to, p_requested_date, btrim(coalesce(p_note, '')),
      (select jsonb_agg(jsonb_build_object('code', f -> 'code', 'detail', f -> 'detail')) from jsonb_array_elements(sent.findings) f
       where f ->> 'action' = 'sign_off'))
    returning sign_off.sign_off_id into asked;
    insert into portal.sign_off_line (sign_off_id, line_no, item_id, uom, qty, seen_price)
    select asked, p.ord, p.item_id, p.uom, p.qty, p.unit_price from erp.price(cart.customer_id, items, uoms, qtys) p;
  end if;

  delete from portal.cart_line cl where cl.cart_id = cart.cart_id;
  update portal.cart c
    set key = gen_random_uuid(), po_no = '', note = '', requested_date = null, updated_at = erp.now()
    where c.cart_id = cart.cart_id;
  return query select sent.order_no, asked, false, sent.findings;
end
$$;
grant execute on function portal.submit_cart(bigint, uuid, text, text, date, text, boolean, boolean) to portal_web;
