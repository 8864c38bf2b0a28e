-- Turns a cart into a sales order, or where one of the customer's own people
-- must sign off first into a request for that, in the caller's transaction: the
-- whole or nothing. The cart row is locked first, so clicks queue up behind one
-- another, and the cart's key makes the second find what the first made.
--
-- p_shown is what the page showed (see shown.sql). What would be sent is compared
-- with it under the locks: a line more, another quantity, or a price above the
-- one on the page is told and refused. A form that carries nothing goes by the
-- prices last agreed to. p_confirm_prices names the page that asked about prices
-- (portal.shown_digest): if it is this one, its prices are taken, else nothing is
-- confirmed. p_confirm_po names the orders that the page said the PO number is on.
-- p_shown_outcome is what the page said would become of the order (see
-- shown_outcome.sql); without it nothing of that is compared.
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
  p_shown text default null,
  p_confirm_prices text default null,
  p_confirm_po text default null,
  p_shown_outcome text default null
) returns table (order_no text, sign_off_id bigint, repeated boolean, findings jsonb)
language plpgsql security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
#variable_conflict use_column
declare
  cart portal.cart;
  ship_to bigint;
  items bigint[];
  uoms text[];
  qtys numeric[];
  limits numeric[];
  sealed text[];
  unsure jsonb; -- lines whose quantity nobody has confirmed
  page jsonb := portal.shown_lines(p_shown);
  prices jsonb := portal.shown_by_line(page, 3);
  confirmed boolean := page is not null and p_confirm_prices = portal.shown_digest(p_shown);
  sent record;
  asked bigint;
begin
  -- the rules judge the log-in that the transaction acts for
  if portal.login_id() is null then
    perform set_config('portal.login_id', p_login_id::text, true);
  elsif portal.login_id() <> p_login_id then
    raise exception 'this request may not send the cart of another log-in'
      using errcode = 'PT404', constraint = 'own_login_only';
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
    return query select null::text, null::bigint, false, jsonb_build_array(jsonb_build_object('code', 'cart_changed',
      'action', 'refuse'));
    return;
  end if;

  -- before the lines are read: orders of a customer wait for one another here (credit, limits)
  perform from erp.customer c where c.customer_id = cart.customer_id for no key update;

  if nullif(btrim(p_ship_to_code), '') is not null then
    select st.ship_to_id into ship_to from erp.ship_to st
      where st.customer_id = cart.customer_id and st.code = btrim(p_ship_to_code);
    ship_to := coalesce(ship_to, 0);
  end if;

  select array_agg(c.item_id order by c.ord), array_agg(c.uom order by c.ord), array_agg(c.qty order by c.ord),
    array_agg(portal.price_limit(c.seen_price, page is not null, c.on_page, case when confirmed then c.on_page end)
      order by c.ord),
    array_agg(case when confirmed then c.on_page end order by c.ord),
    coalesce(jsonb_agg(c.unusual order by c.ord) filter (where c.unusual is not null), '[]')
    into items, uoms, qtys, limits, sealed, unsure
  from (
    select cl.*, portal.unusual_finding(cl, (row_number() over (order by cl.added_at, cl.item_id, cl.uom))::int)
      as unusual, prices ->> portal.shown_key(i.item_no, cl.uom) as on_page, row_number() over (order by cl.added_at,
        cl.item_id, cl.uom) as ord
    from portal.cart_line cl
    join erp.item i using (item_id)
    where cl.cart_id = cart.cart_id
  ) c;
  select p.order_no, p.findings, p.prices into sent
  from portal.place_order(cart.customer_id,
    case when portal.acting_by() is null then p_login_id end, p_key, -- staff have no log-in at the customer's
    items, uoms, qtys, limits, p_po_no, ship_to, p_requested_date, p_note, sealed,
    case when page is null then '[]' else portal.shown_changes(page, items, uoms, qtys) end || unsure, p_confirm_po,
    p_outcome => portal.read_outcome(p_shown_outcome)) p;

  if exists (select from jsonb_array_elements(sent.findings) f where f ->> 'action' = 'refuse') then
    return query select null::text, null::bigint, false, sent.findings;
    return;
  end if;
  if sent.order_no is null then
    insert into portal.sign_off (customer_id, login_id, key, po_no, ship_to_id, requested_date, note, reasons)
    values (cart.customer_id, p_login_id, p_key, nullif(erp.clean_text(p_po_no), ''), ship_to, p_requested_date,
      btrim(coalesce(p_note, '')),
      (select jsonb_agg(jsonb_build_object('code', f -> 'code', 'detail', f -> 'detail'))
        from jsonb_array_elements(sent.findings) f
       where f ->> 'action' = 'sign_off'))
    returning sign_off.sign_off_id into asked;
    insert into portal.sign_off_line (sign_off_id, line_no, item_id, uom, qty, seen_price)
    select asked, l.ord, l.item_id, l.uom, l.qty, l.price
    from unnest(items, uoms, qtys, sent.prices) with ordinality as l(item_id, uom, qty, price, ord);
  end if;

  delete from portal.cart_line cl where cl.cart_id = cart.cart_id;
  update portal.cart c
    set key = gen_random_uuid(), po_no = '', note = '', requested_date = null, updated_at = erp.now()
    where c.cart_id = cart.cart_id;
  return query select sent.order_no, asked, false, sent.findings;
end
$$;
grant execute on function portal.submit_cart(bigint, uuid, text, text, date, text, text, text, text,
  text) to portal_web;
