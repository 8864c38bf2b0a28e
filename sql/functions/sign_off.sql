-- Requests to sign off an order: who decides, and what becomes of them. Each
-- function acts for the log-in of the transaction (portal.login_id()); another
-- customer's request, and one that the log-in may not see, does not exist.

-- The person of the customer who acts; held until the transaction ends, so that
-- nobody decides who is being disabled.
create or replace function portal.acting_person() returns portal.login
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  me portal.login;
begin
  select * into me from portal.login l
    where l.login_id = portal.login_id() and l.customer_id = portal.customer_id() and not l.disabled for share;
  if not found then
    raise exception 'This is for the customer''s own people.' using errcode = 'PT403', constraint = 'own_people_only';
  end if;
  return me;
end
$$;

-- A request that the person may decide, locked; an approved one as well, so
-- that a second click finds the order.
create or replace function portal.sign_off_to_decide(me portal.login, p_sign_off_id bigint) returns portal.sign_off
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  s portal.sign_off;
begin
  select * into s from portal.sign_off x
    where x.sign_off_id = p_sign_off_id and x.customer_id = me.customer_id
      and (x.login_id = me.login_id or me.customer_role = 'approver') for update;
  if not found then
    raise exception 'There is no such request.' using errcode = 'PT404', constraint = 'own_or_to_sign';
  end if;
  if me.customer_role <> 'approver' then
    raise exception 'Your log-in may not sign off orders.' using errcode = 'PT403', constraint = 'role_no_sign_off';
  end if;
  if s.login_id = me.login_id and (me.spend_limit is not null or me.sign_off_all) then
    raise exception 'Somebody else has to sign off your own order.'
      using errcode = 'PT403', constraint = 'own_sign_off';
  end if;
  return s;
end
$$;

-- Signs a request off: the order is made at today's prices by the rules of
-- submit, in the requester's name, with quantities as they are or less (0 takes
-- a line out). Once only, however often and by however many it is asked.
-- order_no is null where a rule refuses; findings then say why, and the request
-- waits on.
--
-- p_shown is what the page showed of the request as it is (see shown.sql), and
-- binds as in submit_cart. p_confirm_prices are the prices that the page asked
-- about, as JSON: one array a line, [line_no, price]; just these are taken.
-- p_shown_outcome is what it said would become of the order (see
-- shown_outcome.sql).
create or replace function portal.approve_sign_off(p_sign_off_id bigint, p_line_nos int[], p_qtys numeric[],
  p_po_no text,
  p_requested_date date, p_shown text default null, p_confirm_prices text default null, p_confirm_po text default null,
  p_shown_outcome text default null)
returns table (order_no text, repeated boolean, findings jsonb)
language plpgsql security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
#variable_conflict use_column
declare
  me portal.login := portal.acting_person();
  s portal.sign_off := portal.sign_off_to_decide(me, p_sign_off_id);
  line_nos int[];
  items bigint[];
  uoms text[];
  qtys numeric[];
  limits numeric[];
  sealed text[];
  page jsonb := portal.shown_lines(p_shown);
  prices jsonb := portal.shown_by_line(page, 3);
  changed jsonb := '[]';
  made record;
begin
  if s.status = 'APPROVED' then
    return query select o.order_no, true, '[]'::jsonb from erp.sales_order o where o.order_id = s.order_id;
    return;
  end if;
  if s.status <> 'WAITING' then
    raise exception 'This request was % meanwhile.',
      lower(s.status) using errcode = 'PT409', constraint = 'sign_off_decided';
  end if;
  if exists (
    select from unnest(p_line_nos, p_qtys) as q(line_no, qty)
    left join portal.sign_off_line l on l.sign_off_id = s.sign_off_id and l.line_no = q.line_no
    where l.line_no is null or q.qty is null or q.qty < 0 or q.qty > l.qty) then
    raise exception 'Quantities can be lowered, to 0 to take a line out, but not raised.'
      using errcode = 'PT422', constraint = 'sign_off_line_signed_qty', column = 'qty';
  end if;
  if page is not null then
    select portal.shown_changes(page, array_agg(l.item_id order by l.line_no), array_agg(l.uom order by l.line_no),
        array_agg(l.qty order by l.line_no)) into changed
    from portal.sign_off_line l where l.sign_off_id = s.sign_off_id;
  end if;
  select array_agg(l.line_no order by l.line_no), array_agg(l.item_id order by l.line_no),
    array_agg(l.uom order by l.line_no),
    array_agg(l.qty order by l.line_no),
    array_agg(portal.price_limit(l.seen_price, page is not null, l.on_page, l.confirmed) order by l.line_no),
    array_agg(l.confirmed order by l.line_no)
    into line_nos, items, uoms, qtys, limits, sealed
  from (
    select l.line_no, l.item_id, l.uom, coalesce(q.qty, l.qty) as qty, l.seen_price,
      prices ->> portal.shown_key(i.item_no, l.uom) as on_page, a.price as confirmed
    from portal.sign_off_line l
    join erp.item i using (item_id)
    left join unnest(p_line_nos, p_qtys) as q(line_no, qty) using (line_no)
    left join (select x ->> 0 as line_no, min(x ->> 1) as price
      from jsonb_array_elements(portal.shown_lines(p_confirm_prices)) x group by 1) a
      on a.line_no = l.line_no::text
    where l.sign_off_id = s.sign_off_id
  ) l where l.qty > 0;
  if line_nos is null then
    raise exception 'Nothing would be left of the order: reject it instead.'
      using errcode = 'PT422', constraint = 'no_lines', column = 'qty';
  end if;

  select p.order_id, p.order_no, p.findings into made
  from portal.place_order(s.customer_id, s.login_id, s.key, items, uoms, qtys, limits, p_po_no, s.ship_to_id,
    p_requested_date,
    s.note, sealed, changed, p_confirm_po, p_signed_by => me.email::text,
      p_outcome => portal.read_outcome(p_shown_outcome)) p;
  if made.order_id is null then
    -- findings count the lines that are left; the page shows all
    return query select null::text, false, coalesce(jsonb_agg(
        case when f.value ->> 'line' is null then f.value
          else f.value || jsonb_build_object('line', line_nos[(f.value ->> 'line')::int]) end order by f.ordinality),
            '[]')
      from jsonb_array_elements(made.findings) with ordinality f;
    return;
  end if;
  update portal.sign_off_line l set signed_qty = coalesce((select q.qty from unnest(p_line_nos, p_qtys)
    as q(line_no, qty)
      where q.line_no = l.line_no), l.qty)
    where l.sign_off_id = s.sign_off_id;
  update portal.sign_off x
    set status = 'APPROVED', decided_by = me.email, decided_at = erp.now(), order_id = made.order_id,
      po_no = nullif(erp.clean_text(p_po_no), ''), requested_date = p_requested_date
    where x.sign_off_id = s.sign_off_id;
  return query select made.order_no, false, made.findings;
end
$$;
grant execute on function portal.approve_sign_off(bigint, int[], numeric[], text, date, text, text, text,
  text) to portal_web;

-- Refuses a request; the requester reads the reason.
create or replace function portal.reject_sign_off(p_sign_off_id bigint, p_reason text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  me portal.login := portal.acting_person();
  s portal.sign_off := portal.sign_off_to_decide(me, p_sign_off_id);
begin
  if s.status = 'REJECTED' then
    return;
  end if;
  if s.status <> 'WAITING' then
    raise exception 'This request was % meanwhile.', case s.status when 'APPROVED' then 'signed off'
      else lower(s.status) end
      using errcode = 'PT409', constraint = 'sign_off_decided';
  end if;
  if coalesce(erp.clean_text(p_reason), '') = '' then
    raise exception 'Say why: your colleague reads it.'
      using errcode = 'PT422', constraint = 'sign_off_rejected_has_reason', column = 'reason';
  end if;
  update portal.sign_off x set status = 'REJECTED', decided_by = me.email, decided_at = erp.now(),
    reason = erp.clean_text(p_reason)
    where x.sign_off_id = s.sign_off_id;
end
$$;
grant execute on function portal.reject_sign_off(bigint, text) to portal_web;

-- The requester takes a request back that waits, or the lines of one that was
-- rejected: they go into its cart, once, beside what is there.
create or replace function portal.take_back_sign_off(p_sign_off_id bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  me portal.login := portal.acting_person();
  s portal.sign_off;
  mine bigint;
begin
  select * into s from portal.sign_off x
    where x.sign_off_id = p_sign_off_id and x.customer_id = me.customer_id and x.login_id = me.login_id for update;
  if not found then
    raise exception 'There is no such request.' using errcode = 'PT404', constraint = 'own_or_to_sign';
  end if;
  if s.status = 'APPROVED' then
    raise exception 'It has been signed off meanwhile and is an order now.'
      using errcode = 'PT409', constraint = 'sign_off_decided';
  end if;
  if s.returned_at is not null then
    return;
  end if;
  update portal.sign_off x set returned_at = erp.now(),
      status = case s.status when 'WAITING' then 'WITHDRAWN' else s.status end,
      decided_by = coalesce(s.decided_by, me.email::text), decided_at = coalesce(s.decided_at, erp.now())
    where x.sign_off_id = s.sign_off_id;
  if not portal.login_may(me.login_id, me.customer_id, 'order') then
    return; -- it has no cart any more
  end if;
  insert into portal.cart (login_id, customer_id) values (me.login_id, me.customer_id) on conflict do nothing;
  select c.cart_id into mine from portal.cart c where c.login_id = me.login_id and c.customer_id = me.customer_id
    for update;
  update portal.cart c set po_no = coalesce(s.po_no, ''), note = s.note, requested_date = s.requested_date,
    ship_to_id = s.ship_to_id
    where c.cart_id = mine and not exists (select from portal.cart_line cl where cl.cart_id = mine);
  insert into portal.cart_line as cl (cart_id, item_id, uom, qty, seen_price)
  select mine, l.item_id, l.uom, l.qty, l.seen_price from portal.sign_off_line l where l.sign_off_id = s.sign_off_id
    order by l.line_no
  on conflict (cart_id, item_id, uom) do update set qty = cl.qty + excluded.qty;
end
$$;
grant execute on function portal.take_back_sign_off(bigint) to portal_web;
