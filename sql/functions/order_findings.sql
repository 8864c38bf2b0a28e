-- The rules of ordering, in one place for its three readers: the cart before
-- submit, submit itself, and the approval job (which names its order). Each
-- finding has a code, and an action:
--   refuse   the order cannot be sent
--   queue    it can, and waits for review
--   warn     it can; the buyer should know
--   sign_off it can, once somebody of the customer has signed it off
--   room     no objection: how far the rules reach, for the cart to show
-- field and line say where it belongs on the form (line: the position in the
-- arrays, from 1). detail carries figures; those of credit and cost are for
-- staff only. No limit is null, none allowed is zero; the limit itself passes.
--
-- Rows of room are for the buyer's cart, and hold what the buyer may see:
--   room_credit    room before this order, and after it (null: it does not
--                  fit); to those who see their balance and prices
--   room_minimum   minimum, missing (0: reached); to those who see prices
--   room_maximum   maximum, room; to those who see prices
--   next_delivery  route, delivery_date, cutoff and seconds_left until it
--                  (null: the day wished is no run that can be reached),
--                  missed: the run that a strict cutoff was missed for;
--                  now: the clock that all this goes by
--
-- An order that its buyer is about to change is p_editing_id: the rules are
-- those of submit, but its own credit and stock are its own.
create or replace function erp.order_findings(
  p_customer_id bigint,
  p_item_ids bigint[],
  p_uoms text[],
  p_qtys numeric[],
  p_prices numeric[],
  p_po_no text default null,
  p_ship_to_id bigint default null,
  p_requested_date date default null,
  p_order_id bigint default null,
  p_editing_id bigint default null
) returns table (code text, action text, field text, line int, detail jsonb)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
#variable_conflict use_column
begin
  return query
  with
  who as (
    select c.*, w.enabled, w.can_order, w.require_po, w.min_order, w.max_order, w.over_max, w.auto_approve,
      w.allow_backorder, w.credit_check, w.cutoff_mode, w.authorized_items_only, w.see_balance, w.see_prices,
        w.see_stock,
      co.warehouse, co.review_first_order, co.review_new_ship_to, co.review_past_due_days
    from erp.customer c
    join erp.web_access w using (customer_id)
    cross join erp.company co
    where c.customer_id = p_customer_id and portal.assert_customer(p_customer_id)
  ),
  line as (
    select l.ord::int as ord, l.item_id, coalesce(l.uom, i.base_uom) as uom, l.qty, l.price,
      i.item_no, i.active, i.discontinued, i.allow_backorder, i.fractional, i.cost,
      case when coalesce(l.uom, i.base_uom) = i.base_uom then 1 else u.factor end as factor
    from unnest(p_item_ids, p_uoms, p_qtys, p_prices) with ordinality as l(item_id, uom, qty, price, ord)
    left join erp.item i on i.item_id = l.item_id
    left join erp.item_uom u on u.item_id = l.item_id and u.uom = l.uom
  ),
  total as (
    select coalesce(sum(round(qty * price, 2)), 0) as amount, count(*) as lines from line
  ),
  credit as (
    select who.credit_limit, who.credit_check,
      who.credit_limit - case when p_order_id is null then erp.credit_exposure(p_customer_id, p_editing_id)
        else erp.credit_ahead(p_order_id) end as room
    from who where who.credit_limit is not null and who.credit_check <> 'off'
  ),
  short as (
    -- lines of one item share its stock, in the order given
    select l.ord, l.item_id, l.item_no, l.factor, l.allow_backorder, l.qty, l.fractional,
      greatest(coalesce(s.on_hand - s.allocated, 0), 0) + coalesce((
        select sum(e.qty_allocated * e.factor) from erp.sales_order_line e join erp.sales_order eo using (order_id)
        where eo.order_id = p_editing_id and eo.customer_id = p_customer_id and e.item_id = l.item_id), 0) as available,
      sum(l.qty * l.factor) over (partition by l.item_id order by l.ord) as wanted
    from line l
    cross join who
    left join erp.stock s on s.item_id = l.item_id and s.warehouse = who.warehouse
    where p_order_id is null and l.factor is not null
  ),
  -- an order is as late as it was when it was sent, whenever this is asked
  sent as (
    select s.at, (s.at at time zone co.time_zone)::date as day
    from (select coalesce((select o.submitted_at from erp.sales_order o where o.order_id = p_order_id), erp.now())
      as at) s
    cross join erp.company co
  ),
  delivery as (
    select d.*, sent.day from who cross join sent
    cross join lateral erp.planned_delivery(p_customer_id, p_ship_to_id, p_requested_date, sent.at) d
  )
  select * from (
    select 'portal_disabled', 'refuse', null::text, null::int, '{}'::jsonb
      from who where (not who.enabled or not who.active) and p_order_id is null
    union all
    select 'view_only', 'refuse', null, null, '{}' from who where not who.can_order and p_order_id is null
    union all
    select 'role_no_order', 'refuse', null, null, '{}'
      from who where p_order_id is null and who.can_order and not portal.login_may(portal.login_id(), p_customer_id,
        'order')
    union all
    select s.code, case when p_order_id is not null then 'queue' when p_editing_id is not null then 'refuse'
      else 'sign_off' end,
        null, null, s.detail
      from total cross join lateral portal.sign_off_needed(p_customer_id, total.amount,
        coalesce(p_order_id, p_editing_id)) s
      where total.lines > 0
        -- one that is changed may always get smaller
        and (p_editing_id is null or total.amount > (select o.total from erp.sales_order o
          where o.order_id = p_editing_id))
    union all
    select 'no_lines', case when p_order_id is null then 'refuse' else 'queue' end, null, null, '{}'
      from total where total.lines = 0
    union all
    select 'po_required', case when p_order_id is null then 'refuse' else 'queue' end, 'po_no', null, '{}'
      from who where who.require_po and erp.clean_text(coalesce(p_po_no, '')) = ''
    union all
    select 'ship_to_unknown', 'refuse', 'ship_to', null, '{}'
      from who where p_ship_to_id is not null
        and not exists (select from erp.ship_to st
          where st.ship_to_id = p_ship_to_id and st.customer_id = p_customer_id
            and (st.active or p_order_id is not null))
    union all
    select 'requested_date_past', 'refuse', 'requested_date', null, '{}'
      from who where p_requested_date < erp.today() and p_order_id is null
    union all
    select 'requested_date_far', 'refuse', 'requested_date', null, '{}'
      from who where p_requested_date > erp.today() + 731 and p_order_id is null
    union all
    select 'late_for_cutoff', case who.cutoff_mode when 'strict' then 'warn' else 'queue' end, 'requested_date', null,
        jsonb_build_object('delivery_date', case when who.cutoff_mode = 'strict' then d.delivery_date
          else d.next_date end)
      from who cross join delivery d
      where p_requested_date >= d.day and (p_requested_date < d.next_date or d.missed is not null)
    union all
    select 'no_run_that_day', 'warn', 'requested_date', null, jsonb_build_object('delivery_date', d.delivery_date)
      from who cross join delivery d
      where who.cutoff_mode = 'strict' and p_requested_date > d.next_date and d.missed is null
        and d.delivery_date <> p_requested_date
    union all
    select 'item_unavailable', 'refuse', 'item_no', l.ord, jsonb_build_object('item_no', l.item_no)
      from line l cross join who
      where p_order_id is null and (l.item_no is null or not l.active
        or (who.authorized_items_only and not exists (select from erp.authorized_item a
          where a.customer_id = p_customer_id and a.item_id = l.item_id)))
    union all
    select 'item_discontinued', 'refuse', 'item_no', l.ord, jsonb_build_object('item_no', l.item_no)
      from line l where p_order_id is null and l.active and l.discontinued
    union all
    select 'uom_unknown', 'refuse', 'uom', l.ord, jsonb_build_object('item_no', l.item_no, 'uom', l.uom)
      from line l where p_order_id is null and l.item_no is not null and l.factor is null
    union all
    select 'qty_not_whole', 'refuse', 'qty', l.ord, jsonb_build_object('item_no', l.item_no, 'qty', l.qty)
      from line l where p_order_id is null and not l.fractional and l.factor is not null
        and (l.qty <> trunc(l.qty) or l.qty * l.factor <> trunc(l.qty * l.factor))
    union all
    select 'no_price', case when p_order_id is null then 'refuse' else 'queue' end, 'item_no', l.ord,
        jsonb_build_object('item_no', l.item_no)
      from line l where l.price is null and l.item_no is not null and l.factor is not null
    union all
    select 'stock_short', case when s.allow_backorder and who.allow_backorder then 'queue' else 'refuse' end, 'qty',
      s.ord,
        -- figures for those who see stock as a number; the day is no figure
        jsonb_build_object('item_no', s.item_no, 'stock', who.see_stock)
        || case when who.see_stock <> 'number' then '{}' else
          jsonb_build_object('left', s.available, 'backordered',
            s.qty - case when s.fractional then x.taken else trunc(x.taken) end) end
        || case when s.allow_backorder and who.allow_backorder and who.see_stock <> 'hidden'
          then jsonb_build_object('expected_on', erp.expected_on(s.item_id, who.warehouse, s.wanted - s.available))
            else '{}' end
      from short s cross join who
      cross join lateral (select greatest(0, s.available - (s.wanted - s.qty * s.factor)) / s.factor as taken) x
      where s.wanted > s.available
    union all
    select 'stock_short', 'queue', 'qty', l.line_no,
        jsonb_build_object('item_no', i.item_no, 'backordered', l.qty_backordered)
      from erp.sales_order_line l join erp.item i using (item_id)
      where l.order_id = p_order_id and l.qty_backordered > 0
    union all
    select 'min_order', 'refuse', null, null,
        jsonb_build_object('minimum', who.min_order, 'missing', who.min_order - total.amount)
      from who cross join total where total.amount < who.min_order and total.lines > 0 and p_order_id is null
    union all
    select 'over_maximum', case when who.over_max = 'block' and p_order_id is null then 'refuse'
      else 'queue' end, null, null,
        jsonb_build_object('maximum', who.max_order, 'over', total.amount - who.max_order)
      from who cross join total where total.amount > who.max_order
    union all
    select 'over_credit',
        case when credit.credit_check = 'block' and p_order_id is null then 'refuse'
             when credit.credit_check = 'warn' then 'warn' else 'queue' end,
        null, null, jsonb_build_object('room', credit.room, 'over', total.amount - credit.room)
      from credit cross join total where total.amount > credit.room
    union all
    select 'credit_hold', case when who.credit_check = 'block' and p_order_id is null then 'refuse' else 'queue' end,
        null, null, '{}'
      from who where who.credit_hold
    union all
    select 'past_due', 'queue', null, null, jsonb_build_object('amount', d.amount, 'oldest_due', d.oldest)
      from who
      cross join lateral (
        select sum(i.open_amount) as amount, min(i.due_date) as oldest
        from erp.invoice i
        where i.customer_id = p_customer_id and i.open_amount > 0
          and i.due_date < erp.today() - who.review_past_due_days) d
      where who.credit_check <> 'off' and d.amount > 0
    union all
    select 'price_under_cost', 'queue', null, l.ord, jsonb_build_object('item_no', l.item_no, 'cost',
      round(l.cost * l.factor, 4), 'price', l.price)
      from line l where l.price < l.cost * l.factor
    union all
    select 'first_order', 'queue', null, null, '{}'
      from who where who.review_first_order and not exists (select from erp.sales_order o
        where o.customer_id = p_customer_id and o.order_id is distinct from coalesce(p_order_id, p_editing_id)
          and not erp.is_void(o.status))
    union all
    select 'new_ship_to', 'queue', 'ship_to', null, '{}'
      from who where who.review_new_ship_to and p_ship_to_id is not null and not exists (select from erp.sales_order o
        where o.customer_id = p_customer_id and o.ship_to_id = p_ship_to_id
          and o.order_id is distinct from coalesce(p_order_id, p_editing_id)
          and not erp.is_void(o.status))
    union all
    select 'auto_approve_off', 'queue', null, null, '{}' from who where not who.auto_approve
    union all
    select 'room_credit', 'room', null, null,
        jsonb_build_object('room', greatest(credit.room, 0), 'after', case when credit.room >= total.amount
          then credit.room - total.amount end)
      from who cross join credit cross join total where p_order_id is null and who.see_balance and who.see_prices
    union all
    select 'room_minimum', 'room', null, null,
        jsonb_build_object('minimum', who.min_order, 'missing', greatest(who.min_order - total.amount, 0))
      from who cross join total where p_order_id is null and who.see_prices and who.min_order > 0
    union all
    select 'room_maximum', 'room', null, null,
        jsonb_build_object('maximum', who.max_order, 'room', greatest(who.max_order - total.amount, 0))
      from who cross join total where p_order_id is null and who.see_prices and who.max_order is not null
    union all
    select 'next_delivery', 'room', null, null,
        jsonb_build_object('route', d.route_name, 'delivery_date', d.delivery_date, 'cutoff', d.cutoff,
          'seconds_left', ceil(extract(epoch from d.cutoff - sent.at)), 'missed', case when who.cutoff_mode = 'strict'
            then d.missed end, 'now', sent.at)
      from who cross join sent cross join delivery d where p_order_id is null and d.delivery_date is not null
  ) as finding (code, action, field, line, detail);
end
$$;
grant execute on function erp.order_findings(bigint, bigint[], text[], numeric[], numeric[], text, bigint, date, bigint,
  bigint)
  to portal_web, portal_desk, portal_work;
