-- The rules of ordering, in one place for its three readers: the cart before
-- submit, submit itself, and the approval job (which names its order). Each
-- finding has a code, and an action:
--   refuse   the order cannot be sent
--   queue    it can, and waits for review
--   warn     it can; the buyer should know
--   sign_off it can, once somebody of the customer has signed it off
-- field and line say where it belongs on the form (line: the position in the
-- arrays, from 1). detail carries figures; those of credit and cost are for
-- staff only. No limit is null, none allowed is zero; the limit itself passes.
create or replace function erp.order_findings(
  p_customer_id bigint,
  p_item_ids bigint[],
  p_uoms text[],
  p_qtys numeric[],
  p_prices numeric[],
  p_po_no text default null,
  p_ship_to_id bigint default null,
  p_requested_date date default null,
  p_order_id bigint default null
) returns table (code text, action text, field text, line int, detail jsonb)
language plpgsql stable security definer set search_path = pg_catalog set jit = off
as $$
#variable_conflict use_column
begin
  return query
  with
  who as (
    select c.*, w.enabled, w.can_order, w.require_po, w.min_order, w.max_order, w.over_max, w.auto_approve,
      w.allow_backorder, w.credit_check, w.cutoff_mode, w.authorized_items_only,
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
      who.credit_limit - erp.credit_exposure(p_customer_id, p_order_id) as room
    from who where who.credit_limit is not null and who.credit_check <> 'off'
  ),
  short as (
    -- lines of one item share its stock, in the order given
    select l.ord, l.item_no, l.factor, l.allow_backorder,
      greatest(coalesce(s.on_hand - s.allocated, 0), 0) as available,
      sum(l.qty * l.factor) over (partition by l.item_id order by l.ord) as wanted
    from line l
    cross join who
    left join erp.stock s on s.item_id = l.item_id and s.warehouse = who.warehouse
    where p_order_id is null and l.factor is not null
  ),
  next_run as (
    select n.delivery_date, n.cutoff
    from who
    left join erp.ship_to st on st.ship_to_id = p_ship_to_id and st.customer_id = p_customer_id
    cross join lateral erp.next_deliveries(coalesce(st.route_id, who.route_id)) n
  )
  select * from (
    select 'portal_disabled', 'refuse', null::text, null::int, '{}'::jsonb
      from who where (not who.enabled or not who.active) and p_order_id is null
    union all
    select 'view_only', 'refuse', null, null, '{}' from who where not who.can_order and p_order_id is null
    union all
    select 'role_no_order', 'refuse', null, null, '{}'
      from who where p_order_id is null and who.can_order and not portal.login_may(portal.login_id(), p_customer_id, 'order')
    union all
    select s.code, case when p_order_id is null then 'sign_off' else 'queue' end, null, null, s.detail
      from total cross join lateral portal.sign_off_needed(p_customer_id, total.amount, p_order_id) s where total.lines > 0
    union all
    select 'no_lines', case when p_order_id is null then 'refuse' else 'queue' end, null, null, '{}'
      from total where total.lines = 0
    union all
    select 'po_required', case when p_order_id is null then 'refuse' else 'queue' end, 'po_no', null, '{}'
      from who where who.require_po and btrim(coalesce(p_po_no, '')) = ''
    union all
    select 'ship_to_unknown', 'refuse', 'ship_to', null, '{}'
      from who where p_ship_to_id is not null
        and not exists (select from erp.ship_to st
          where st.ship_to_id = p_ship_to_id and st.customer_id = p_customer_id and (st.active or p_order_id is not null))
    union all
    select 'requested_date_past', 'refuse', 'requested_date', null, '{}'
      from who where p_requested_date < erp.today() and p_order_id is null
    union all
    select 'late_for_cutoff', case who.cutoff_mode when 'strict' then 'warn' else 'queue' end, 'requested_date', null,
        jsonb_build_object('delivery_date', n.delivery_date)
      from who cross join next_run n where p_requested_date >= erp.today() and p_requested_date < n.delivery_date
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
    select 'stock_short', case when s.allow_backorder and who.allow_backorder then 'queue' else 'refuse' end, 'qty', s.ord,
        jsonb_build_object('item_no', s.item_no, 'left', s.available)
      from short s cross join who where s.wanted > s.available
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
    select 'over_maximum', case when who.over_max = 'block' and p_order_id is null then 'refuse' else 'queue' end, null, null,
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
    select 'price_under_cost', 'queue', null, l.ord, jsonb_build_object('item_no', l.item_no, 'cost', round(l.cost * l.factor, 4), 'price', l.price)
      from line l where l.price < l.cost * l.factor
    union all
    select 'first_order', 'queue', null, null, '{}'
      from who where who.review_first_order and not exists (select from erp.sales_order o
        where o.customer_id = p_customer_id and o.order_id is distinct from p_order_id
          and o.status not in ('REJECTED', 'CANCELLED'))
    union all
    select 'new_ship_to', 'queue', 'ship_to', null, '{}'
      from who where who.review_new_ship_to and p_ship_to_id is not null and not exists (select from erp.sales_order o
        where o.customer_id = p_customer_id and o.ship_to_id = p_ship_to_id and o.order_id is distinct from p_order_id
          and o.status not in ('REJECTED', 'CANCELLED'))
    union all
    select 'auto_approve_off', 'queue', null, null, '{}' from who where not who.auto_approve
  ) as finding (code, action, field, line, detail);
end
$$;
grant execute on function erp.order_findings(bigint, bigint[], text[], numeric[], numeric[], text, bigint, date, bigint)
  to portal_web, portal_desk, portal_work;
