-- A buyer changes the quantities of an order that is still Submitted, or takes
-- lines out (0), as far as its Web Access lets it. The rules are those of
-- submit: a change that they refuse changes nothing, and findings say why.
--
-- Prices: a line that grows is priced anew, and a line that falls below a
-- quantity break is; the others keep the agreed price. Where the price rises,
-- prices_rose refuses. p_confirm_prices are the prices that the page asked about,
-- as JSON: one array a line, [line_no, price] (see shown.sql); what has risen
-- above them since is asked again.
--
-- After it the order is decided anew (see triggers/order_approval.sql).
-- p_revision is the order that the buyer looked at.
create or replace function portal.change_order(
  p_customer_id bigint, p_order_no text, p_line_nos int[], p_qtys numeric[],
  p_revision int default null, p_confirm_prices text default null
) returns table (changed int, findings jsonb)
language plpgsql security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
#variable_conflict use_column
declare
  o erp.sales_order;
  w erp.web_access;
  kept int[];
  items bigint[];
  item_nos text[];
  uoms text[];
  was numeric[];
  qtys numeric[];
  agreed numeric[];
  again boolean[]; -- to be priced anew
  prices numeric[];
  steps text[];
  rule_ids bigint[];
  valid_untils timestamptz[];
  taken_out int[];
  total_was numeric;
  found_json jsonb;
  n int;
  confirmed text[];
  limits numeric[];
  sees_prices boolean := coalesce((select x.see_prices from erp.web_access x
    where x.customer_id = p_customer_id), false);
begin
  perform portal.assert_customer(p_customer_id);
  select * into o from erp.sales_order s where s.order_no = p_order_no and s.customer_id = p_customer_id for update;
  if not found then
    raise exception 'There is no such order.' using errcode = 'PT404';
  end if;
  select * into w from erp.web_access x where x.customer_id = p_customer_id;
  if w.may_change <> 'edit' or not w.can_order or not w.enabled then
    raise exception 'Orders of your account cannot be changed here. Please call us.'
      using errcode = 'PT403', constraint = 'may_change';
  end if;
  if o.status <> 'SUBMITTED' then
    raise exception 'Order % is % now and can no longer be changed here. Nothing was changed. Please call us.',
      p_order_no, lower(replace(o.status, '_', ' '))
      using errcode = 'PT409', constraint = 'order_closed';
  end if;
  if p_revision <> o.revision then
    raise exception 'Order % was changed meanwhile. Nothing was changed: look at it again.', p_order_no
      using errcode = 'PT409', constraint = 'order_changed';
  end if;
  if exists (
    select from unnest(p_line_nos, p_qtys) as q(line_no, qty)
    left join erp.sales_order_line l on l.order_id = o.order_id and l.line_no = q.line_no
    where l.line_no is null or q.qty is null or q.qty < 0) then
    raise exception 'Enter a quantity, or 0 to take the line out.'
      using errcode = 'PT422', constraint = 'order_line_qty', column = 'qty';
  end if;
  -- as submit: one order of a customer at a time, then the stock in item order,
  -- after the lines
  perform from erp.customer c where c.customer_id = p_customer_id for no key update;
  perform from erp.sales_order_line l where l.order_id = o.order_id order by l.line_no for no key update;
  perform from erp.stock s
    where s.item_id in (select l.item_id from erp.sales_order_line l where l.order_id = o.order_id)
    order by s.item_id, s.warehouse
    for update;

  with asked as (
    select l.line_no, l.item_id, i.item_no, l.uom, l.unit_price as agreed, l.qty - l.qty_cancelled as was,
      coalesce(q.qty, l.qty - l.qty_cancelled) as qty
    from erp.sales_order_line l
    join erp.item i using (item_id)
    left join unnest(p_line_nos, p_qtys) as q(line_no, qty) using (line_no)
    where l.order_id = o.order_id
  ),
  -- today's prices, for the quantities as they are and as they are to be
  now_price as materialized (
    select f.line_nos[p.ord] as line_no, p.unit_price, p.step, p.rule_id, p.valid_until
    from (
      select array_agg(a.line_no order by a.line_no) as line_nos, array_agg(a.item_id order by a.line_no) as items,
        array_agg(a.uom order by a.line_no) as uoms, array_agg(a.qty order by a.line_no) as qtys
      from asked a where a.qty > 0) f
    cross join lateral erp.price(p_customer_id, f.items, f.uoms, f.qtys) p
  ),
  was_price as materialized (
    select f.line_nos[p.ord] as line_no, p.unit_price
    from (
      select array_agg(a.line_no order by a.line_no) as line_nos, array_agg(a.item_id order by a.line_no) as items,
        array_agg(a.uom order by a.line_no) as uoms, array_agg(a.was order by a.line_no) as qtys
      from asked a where a.was > 0) f
    cross join lateral erp.price(p_customer_id, f.items, f.uoms, f.qtys) p
  ),
  priced as materialized (
    select a.*, x.step, x.rule_id, x.valid_until, r.again, case when r.again then x.unit_price else a.agreed
      end as price
    from asked a
    left join now_price x using (line_no)
    left join was_price b using (line_no)
    cross join lateral (
      select a.qty > a.was or coalesce(x.unit_price > b.unit_price and x.unit_price > a.agreed, false) as again) r
  )
  select
    array_agg(p.line_no order by p.line_no) filter (where p.qty > 0),
    array_agg(p.item_id order by p.line_no) filter (where p.qty > 0),
    array_agg(p.item_no order by p.line_no) filter (where p.qty > 0),
    array_agg(p.uom order by p.line_no) filter (where p.qty > 0),
    array_agg(p.was order by p.line_no) filter (where p.qty > 0),
    array_agg(p.qty order by p.line_no) filter (where p.qty > 0),
    array_agg(p.agreed order by p.line_no) filter (where p.qty > 0),
    array_agg(p.again order by p.line_no) filter (where p.qty > 0),
    array_agg(p.price order by p.line_no) filter (where p.qty > 0),
    array_agg(p.step order by p.line_no) filter (where p.qty > 0),
    array_agg(p.rule_id order by p.line_no) filter (where p.qty > 0),
    array_agg(p.valid_until order by p.line_no) filter (where p.qty > 0),
    coalesce(array_agg(p.line_no order by p.line_no) filter (where p.qty = 0 and p.was > 0), '{}'),
    sum(round(p.was * p.agreed, 2)), count(*) filter (where p.qty <> p.was)
  into kept, items, item_nos, uoms, was, qtys, agreed, again, prices, steps, rule_ids, valid_untils, taken_out,
    total_was, n
  from priced p;
  if n = 0 then
    return query select 0, '[]'::jsonb;
    return;
  end if;
  if kept is null then
    raise exception 'Nothing would be left of the order: cancel it instead.'
      using errcode = 'PT422', constraint = 'no_lines', column = 'qty';
  end if;

  select array_agg(a.price order by k.ord), array_agg(portal.price_limit(k.agreed, false, null, a.price) order by k.ord)
    into confirmed, limits
  from unnest(kept, agreed) with ordinality as k(line_no, agreed, ord)
  left join (select x ->> 0 as line_no, min(x ->> 1) as price
    from jsonb_array_elements(portal.shown_lines(p_confirm_prices)) x group by 1) a
    on a.line_no = k.line_no::text;

  -- What the buyer does not touch here (the date, the ship-to) is not asked
  -- again, and what only gets less needs no credit and no stock.
  select jsonb_agg(to_jsonb(f) order by f.line nulls first) into found_json
  from (
    select f.code, f.action, f.field, kept[f.line] as line, f.detail
    from erp.order_findings(p_customer_id, items, uoms, qtys, prices, o.po_no, o.ship_to_id, o.requested_date, null,
      o.order_id) f
    where f.action = 'refuse' and case
      when f.code in ('requested_date_past', 'late_for_cutoff', 'ship_to_unknown', 'po_required') then false
      when f.code in ('over_credit', 'credit_hold', 'over_maximum') then
        (select sum(round(q.qty * q.price, 2)) from unnest(qtys, prices) as q(qty, price)) > total_was
      when f.code = 'qty_not_whole' then qtys[f.line] <> was[f.line]
      when f.line is not null then qtys[f.line] > was[f.line]
      else true end
    union all
    select 'prices_rose', 'refuse', 'qty', kept[i], jsonb_build_object('item_no', item_nos[i], 'uom', uoms[i], 'was',
      limits[i], 'now', prices[i],
      'shown', case when sees_prices then trim_scale(prices[i])::text else portal.sealed_price(p_customer_id, items[i],
        uoms[i], prices[i]) end)
    from generate_subscripts(kept, 1) as i
    where again[i] and prices[i] > limits[i]
      and (confirmed[i] is null or confirmed[i] <> portal.sealed_price(p_customer_id, items[i], uoms[i], prices[i]))
  ) f;
  if found_json is not null then
    return query select 0, found_json;
    return;
  end if;

  perform erp.set_order_qtys(o.order_id, kept || taken_out, qtys || array_fill(0::numeric,
    array[cardinality(taken_out)]), null,
    array(select case when a.again then a.price end from unnest(again, prices) with ordinality as a(again, price, i)
      order by a.i),
    steps, rule_ids, valid_untils);
  update erp.sales_order s set reviewed_at = null where s.order_id = o.order_id and s.source = 'WEB'
    and s.reviewed_at is not null;
  return query select n, '[]'::jsonb;
end
$$;
grant execute on function portal.change_order(bigint, text, int[], numeric[], int, text) to portal_web;
