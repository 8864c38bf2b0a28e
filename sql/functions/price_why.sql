-- Why a price is what it is: for one line, every rule that could have a say, in
-- the order of the steps, with what it makes of the price and why it won or
-- lost. For staff: it tells levels and other dates' rules. Who wins is asked of
-- erp.price, so that the two cannot disagree.
--
-- reason: wins, or
--   other_unit            the contract is for another unit of measure
--   other_level           the break is not open to the customer's level
--   not_yet_valid         its first day is still to come
--   expired               its last day is over
--   quantity_not_reached  its minimum is above the quantity
--   not_lower             the break is not lower than the unit's own price, or
--                         else the level price times the factor
--   no_base_price         a percentage without a level price, or of no cost
--   not_filled            the column is empty, and so are the dearer ones
--   less_specific         another rule of the same step goes first
--   lost_to_earlier_step  an earlier step has a price
--   dearer                a break is lower, and the lower of the two wins
create or replace function erp.price_why(
  p_customer_id bigint,
  p_item_id bigint,
  p_uom text,
  p_qty numeric,
  p_at timestamptz default erp.now()
) returns table (
  step text,
  rule_id bigint,
  unit_price numeric,
  wins boolean,
  reason text,
  valid_from date,
  valid_until date,
  min_qty numeric,
  detail text
)
language sql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
  with recursive
  asked as (
    select c.price_level, (p_at at time zone co.time_zone)::date as day
    from erp.company co left join erp.customer c on c.customer_id = p_customer_id
  ),
  line as (
    select i.*, coalesce(p_uom, i.base_uom) as uom, f.factor, coalesce(p_qty, 1) * f.factor as total, u.price
      as own_price, a.day, a.price_level,
      coalesce(case when coalesce(p_uom, i.base_uom) <> i.base_uom then u.price end,
        erp.level_price(a.price_level, i.price_a, i.price_b, i.price_c, i.price_d, i.price_e) * f.factor) as level_price
    from asked a
    join erp.item i on i.item_id = p_item_id
    left join erp.item_uom u on u.item_id = i.item_id and u.uom = p_uom
    cross join lateral (select case when coalesce(p_uom, i.base_uom) = i.base_uom then 1 else u.factor end as factor) f
  ),
  winner as (
    select p.step, p.rule_id, array_position(array['contract', 'group', 'break', 'level', 'list'], p.step) as rank
    from erp.price(p_customer_id, array[p_item_id], array[p_uom], array[p_qty], p_at) p
  ),
  ancestor as (
    select l.category_id, 0 as distance from line l where l.category_id is not null
    union all
    select c.parent_id, n.distance + 1 from ancestor n join erp.category c using (category_id)
      where c.parent_id is not null and n.distance < 50
  ),
  candidate as (
    select 1 as rank, 'contract' as step, pc.contract_id as rule_id,
      erp.rule_price(pc.kind, pc.value, l.level_price, l.cost * l.factor, case when pc.uom = l.uom then 1
        else l.factor end) as price,
      pc.valid, pc.min_qty,
      case when not (pc.uom is null or pc.uom = l.uom or (pc.uom = l.base_uom and pc.kind = 'fixed')) then 'other_unit'
        end as shut,
      concat_ws(' ', pc.kind, trim_scale(pc.value), pc.uom) as detail, 0 as distance
    from line l join erp.price_contract pc on pc.customer_id = p_customer_id and pc.item_id = l.item_id
    union all
    select 2, 'group', g.group_id, erp.rule_price(g.kind, g.value, l.level_price, l.cost * l.factor, l.factor),
      g.valid, null, null,
      concat_ws(' ', g.kind, trim_scale(g.value), c.name), n.distance
    from line l cross join ancestor n
    join erp.price_group g on g.customer_id = p_customer_id and g.category_id = n.category_id
    join erp.category c on c.category_id = n.category_id
    union all
    select 3, 'break', b.break_id,
      round(case when b.use_level is null then b.price * l.factor
        else coalesce(case when l.uom <> l.base_uom then l.own_price end,
          erp.level_price(b.use_level, l.price_a, l.price_b, l.price_c, l.price_d, l.price_e) * l.factor) end, 4),
      b.valid, b.min_qty,
      case when l.price_level is null or not (b.levels is null or l.price_level::char(1) = any (b.levels))
        then 'other_level' end,
      concat_ws(' ', case when b.use_level is null then 'price ' || trim_scale(b.price)
        else 'use_level ' || b.use_level end, 'levels ' || array_to_string(b.levels, ',')), 0
    from line l join erp.price_break b on b.item_id = l.item_id
    union all
    select 4, 'level', null, round(l.level_price, 4), null, null, null, l.price_level, 0 from line l
      where l.price_level is not null
    union all
    select 5, 'list', null, round(coalesce(case when l.uom <> l.base_uom then l.own_price end, l.price_a * l.factor),
      4), null, null, null, 'A', 0 from line l
  )
  select c.step, c.rule_id, c.price, v.reason = 'wins', v.reason,
    case when not lower_inf(c.valid) and isfinite(lower(c.valid)) then lower(c.valid) end,
    case when not upper_inf(c.valid) and isfinite(upper(c.valid)) then upper(c.valid) - 1 end,
    c.min_qty, c.detail
  from candidate c
  cross join line l
  left join winner w on true
  cross join lateral (
    select case
      when c.step = w.step and c.rule_id is not distinct from w.rule_id then 'wins'
      when c.shut is not null then c.shut
      when lower(c.valid) > l.day then 'not_yet_valid'
      when upper(c.valid) <= l.day then 'expired'
      when c.min_qty > l.total then 'quantity_not_reached'
      when c.price is null and c.rule_id is null then 'not_filled'
      when c.price is null then 'no_base_price'
      when c.step = 'break' and c.price >= round(l.level_price, 4) then 'not_lower'
      when w.rank < c.rank then 'lost_to_earlier_step'
      when c.step = w.step then 'less_specific'
      when c.step = 'contract' then 'dearer'
      else 'lost_to_earlier_step'
    end as reason
  ) v
  order by c.rank, v.reason = 'wins' desc, c.distance, c.min_qty desc nulls last, c.rule_id
$$;
comment on function erp.price_why(bigint, bigint, text, numeric, timestamptz) is
  'Every rule that could price a line for a customer, what it makes of it, and why it won or lost. For staff.';
revoke all on function erp.price_why(bigint, bigint, text, numeric, timestamptz) from public;
grant execute on function erp.price_why(bigint, bigint, text, numeric, timestamptz) to portal_desk;
