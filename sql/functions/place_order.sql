-- Makes a sales order of lines, in the caller's transaction: the whole order or
-- nothing. submit_cart, approve_sign_off and run_standing_order call it, and nobody else may: it
-- asks the rules of ordering (erp.order_findings) and takes the prices of this
-- moment.
--
-- What was agreed to, in step with the items:
--   p_limits    the highest price that needs no question; null takes today's
--               price, -1 none (see portal.price_limit)
--   p_sealed    the price confirmed by who sees no prices, sealed; or null
--   p_changed   findings of the caller that refuse as well: lines that are not
--               those that the page showed
--   p_po_said   which orders with this PO number the page named (portal.po_orders)
--   p_outcome   what the page said would become of the order
--               (portal.read_outcome); null compares nothing
--
-- Returns one row. order_no is null when the order cannot be sent; findings
-- then hold at least one refusal, or say that somebody of the customer has to
-- sign the order off (action sign_off) where p_signed_by names nobody; prices are
-- those of this moment, in step with the items. Beyond those of the rules:
--   prices_rose   refuse   lines whose price is above the one agreed to
--   po_repeated   refuse   the PO number stands on an earlier order, and the page
--                          did not say so of just these; not with p_repeats_po
-- and those of portal.outcome_changes.
-- With p_leave_out lines that are refused by themselves are left out, and
-- left_out holds their refusals; without a line left the order is refused.
create or replace function portal.place_order(
  p_customer_id bigint,
  p_login_id bigint,
  p_key uuid,
  p_items bigint[],
  p_uoms text[],
  p_qtys numeric[],
  p_limits numeric[],
  p_po_no text,
  p_ship_to_id bigint,
  p_requested_date date,
  p_note text,
  p_sealed text[],
  p_changed jsonb,
  p_po_said text,
  p_repeats_po boolean default false,
  p_leave_out boolean default false,
  p_standing_order text default null,
  p_signed_by text default null,
  p_outcome jsonb default null
) returns table (order_id bigint, order_no text, findings jsonb, left_out jsonb, prices numeric[])
language plpgsql security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
#variable_conflict use_column
declare
  me erp.customer;
  po text := nullif(erp.clean_text(p_po_no), '');
  made erp.sales_order;
  found_json jsonb;
  lines jsonb;
  gone jsonb := '[]';
  refused int[];
  today numeric[];
  day date; -- of delivery, as compared with the page's
  sees_prices boolean := coalesce((select w.see_prices from erp.web_access w
    where w.customer_id = p_customer_id), false);
begin
  -- one order of a customer at a time (credit), then the stock in item order
  select * into me from erp.customer c where c.customer_id = p_customer_id for no key update;
  perform from erp.stock s
    where s.item_id = any (p_items)
    order by s.item_id, s.warehouse
    for update;

  loop
    -- the lines at today's prices, one element a line
    select coalesce(jsonb_agg(jsonb_build_object('ord', p.ord, 'item_id', p.item_id, 'item_no', i.item_no, 'uom', p.uom,
      'qty', p.qty, 'unit_price', p.unit_price, 'step', p.step, 'rule_id', p.rule_id,
      'valid_until', p.valid_until) order by p.ord), '[]'), array_agg(p.unit_price order by p.ord) into lines, today
    from erp.price(p_customer_id, p_items, p_uoms, p_qtys) p
    join erp.item i on i.item_id = p.item_id;

    select jsonb_agg(to_jsonb(f) order by f.line nulls first) into found_json
    from (
      select array_agg(l.item_id order by l.ord) as items, array_agg(l.uom order by l.ord) as uoms,
        array_agg(l.qty order by l.ord) as qtys, array_agg(l.unit_price order by l.ord) as prices
      from jsonb_to_recordset(lines) as l(ord int, item_id bigint, item_no text, uom text, qty numeric,
        unit_price numeric, step text, rule_id bigint, valid_until timestamptz)
    ) a
    cross join lateral (
      select * from erp.order_findings(p_customer_id, a.items, a.uoms, a.qtys, a.prices, po, p_ship_to_id,
        p_requested_date) r
      where r.action in ('refuse', 'queue', 'warn') or r.action = 'sign_off' and p_signed_by is null
        or r.code = 'next_delivery'
      union all
      select 'prices_rose', 'refuse', 'item_no', k.ord::int, jsonb_build_object('item_no', i.item_no, 'uom', k.uom,
        'was', nullif(k.agreed, -1), 'now', k.price,
        'shown', case when sees_prices then trim_scale(k.price)::text else portal.sealed_price(p_customer_id, k.item_id,
          k.uom, k.price) end)
      from unnest(p_items, p_uoms, p_limits, p_sealed, today) with ordinality as k(item_id, uom, agreed, sealed, price,
        ord)
      join erp.item i using (item_id)
      where k.price > k.agreed
        and (k.sealed is null or k.sealed <> portal.sealed_price(p_customer_id, k.item_id, k.uom, k.price))
      union all
      select 'po_repeated', 'refuse', 'po_no', null,
        jsonb_build_object('order_no', r.order_no, 'orders', r.orders, 'po_no', po, 'said', r.said)
      from portal.po_orders(p_customer_id, po) r
      where not p_repeats_po and r.said is distinct from p_po_said
      union all
      select c.code, c.action, c.field, c.line, c.detail
      from jsonb_to_recordset(p_changed) as c(code text, action text, field text, line int, detail jsonb)
    ) f;
    found_json := coalesce(found_json, '[]');

    select array_agg(distinct (f ->> 'line')::int) into refused
    from jsonb_array_elements(found_json) f where f ->> 'action' = 'refuse' and (f ->> 'line') is not null;
    exit when not p_leave_out or refused is null;
    select gone || jsonb_agg(f) into gone
    from jsonb_array_elements(found_json) f where f ->> 'action' = 'refuse' and (f ->> 'line') is not null;
    select array_agg(k.item order by k.ord), array_agg(k.uom order by k.ord), array_agg(k.qty order by k.ord),
      array_agg(k.agreed order by k.ord)
      into p_items, p_uoms, p_qtys, p_limits
    from unnest(p_items, p_uoms, p_qtys, p_limits) with ordinality as k(item, uom, qty, agreed, ord)
    where k.ord <> all (refused);
  end loop;
  if p_outcome is not null then
    day := jsonb_path_query_first(found_json, '$[*] ? (@.code == "next_delivery").detail.delivery_date') #>> '{}';
    found_json := found_json || portal.outcome_changes(p_outcome, found_json, p_uoms, p_ship_to_id, p_requested_date);
  end if;
  found_json := jsonb_path_query_array(found_json, '$[*] ? (@.action != "room")');

  if exists (select from jsonb_array_elements(found_json) f where f ->> 'action' in ('refuse', 'sign_off')) then
    return query select null::bigint, null::text, found_json, gone, today;
    return;
  end if;

  insert into erp.sales_order (customer_id, source, po_no, ship_to_id, requested_date, note, warehouse, login_id,
    submit_key, standing_order,
    submitted_by, signed_off_by, signed_off_total)
  select p_customer_id, 'WEB', po, p_ship_to_id, p_requested_date, btrim(coalesce(p_note, '')), co.warehouse,
    p_login_id, p_key, p_standing_order,
    case when p_signed_by is null then portal.actor() else (select l.email::text from portal.login l
      where l.login_id = p_login_id) end,
    p_signed_by,
    case when p_signed_by is not null then (
      select sum(round(l.qty * l.unit_price, 2)) from jsonb_to_recordset(lines)
        as l(qty numeric, unit_price numeric)) end
  from erp.company co
  returning * into made;
  if p_outcome is not null and made.delivery_date is distinct from day then
    -- routes are not held: one was changed after the page was compared, so the whole is to be done again
    raise exception 'The day of delivery changed at this very moment. Nothing was sent: please try again.'
      using errcode = '40001', constraint = 'delivery_moved';
  end if;
  insert into erp.sales_order_line (order_id, line_no, item_id, uom, qty, unit_price, price_step, price_rule_id,
    price_valid_until)
  select made.order_id, l.ord, l.item_id, l.uom, l.qty, l.unit_price, l.step, l.rule_id, l.valid_until
  from jsonb_to_recordset(lines) as l(ord int, item_id bigint, item_no text, uom text, qty numeric,
      unit_price numeric, step text, rule_id bigint, valid_until timestamptz) order by l.ord;
  return query select made.order_id, made.order_no, found_json, gone, today;
end
$$;
