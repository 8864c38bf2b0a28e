-- Every price anywhere comes from here. One row a line, in the order given;
-- step 'none' with a null price where there is nothing to go by ("call for
-- price"). The first step that yields a price wins:
--
--   contract  customer and item: fixed, percent off the level price, or cost
--             plus percent. For its own unit before any unit before the base
--             unit's fixed price; then the highest minimum reached.
--   group     customer and category, the nearest ancestor first.
--   break     the highest minimum reached, open to the customer's level, of
--             those that are lower than the unit's own price, or else the
--             level price times the factor: a break never makes dearer.
--   level     the customer's column, or the next dearer filled one; a unit's
--             own price, if it has one, is the price of all levels.
--   list      level A, for a customer without a level.
--
-- A contract beats a break, or the lower of the two wins (erp.company
-- .price_policy). A rule that cannot yield a price is passed over. Minimums are
-- in base units and count all lines of the item in the call.
--
-- next_qty is the lowest minimum, in base units, above the quantity asked at
-- which the price would be lower, and next_price that price in the line's unit.
--
-- p_at says which day's rules hold: both ends of a rule's dates belong to it,
-- in the company's time zone. A null customer asks for the list price.
create or replace function erp.price(
  p_customer_id bigint,
  p_item_ids bigint[],
  p_uoms text[],
  p_qtys numeric[],
  p_at timestamptz default erp.now()
) returns table (
  ord int,
  item_id bigint,
  uom text,
  qty numeric,
  unit_price numeric,
  step text,
  rule_id bigint,
  valid_until timestamptz,
  next_qty numeric,
  next_price numeric
)
-- plpgsql, because it keeps the plan for the session: planning costs more than
-- running for a page of items
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp set jit = off set plan_cache_mode = force_generic_plan
rows 50
as $$
#variable_conflict use_column
begin
  return query
  with recursive
  asked as (
    select c.price_level, case when c.price_level is null then 'list' else 'level' end as level_step, co.price_policy,
      co.time_zone, (p_at at time zone co.time_zone)::date as day
    from erp.company co
    left join erp.customer c on c.customer_id = p_customer_id
    where portal.assert_customer(p_customer_id)
  ),
  line as materialized (
    -- what is asked, with the unit's factor and own price, the level price of
    -- the base unit, and the quantity of the item over all lines
    select
      l.ord::int as ord, l.item_id, coalesce(l.uom, i.base_uom) as uom, l.qty, f.factor,
      coalesce(l.uom, i.base_uom) = i.base_uom as is_base, i.base_uom, i.category_id, i.cost * f.factor as cost,
      i.price_a, i.price_b, i.price_c, i.price_d, i.price_e,
      case when coalesce(l.uom, i.base_uom) <> i.base_uom then u.price end as own_price,
      coalesce(case when coalesce(l.uom, i.base_uom) <> i.base_uom then u.price end,
        erp.level_price(a.price_level, i.price_a, i.price_b, i.price_c, i.price_d, i.price_e) * f.factor)
          as level_price,
      sum(coalesce(l.qty, 1) * f.factor) over (partition by l.item_id) as total
    from asked a
    cross join unnest(p_item_ids, p_uoms, p_qtys) with ordinality as l(item_id, uom, qty, ord)
    left join erp.item i on i.item_id = l.item_id
    left join erp.item_uom u on u.item_id = l.item_id and u.uom = l.uom
    cross join lateral (select case when coalesce(l.uom, i.base_uom) = i.base_uom then 1 else u.factor end as factor) f
  ),
  contract as materialized (
    select l.ord, pc.contract_id, pc.min_qty, pc.valid, (pc.uom = l.uom) is true as own_unit, pc.uom is null
      as any_unit,
      erp.rule_price(pc.kind, pc.value, l.level_price, l.cost, case when pc.uom = l.uom then 1 else l.factor end)
        as price
    from asked a
    cross join line l
    join erp.price_contract pc on pc.customer_id = p_customer_id and pc.item_id = l.item_id
      and (pc.uom is null or pc.uom = l.uom or (pc.uom = l.base_uom and pc.kind = 'fixed'))
      and pc.valid @> a.day
    where l.factor is not null
  ),
  break as materialized (
    select l.ord, pb.break_id, pb.min_qty, pb.valid, pb.levels is not null as for_level, p.price
    from asked a
    cross join line l
    join erp.price_break pb on pb.item_id = l.item_id
      and a.price_level is not null
      and (pb.levels is null or a.price_level::char(1) = any (pb.levels))
      and pb.valid @> a.day
    cross join lateral (
      select round(case
        when pb.use_level is null then pb.price * l.factor
        else coalesce(l.own_price, erp.level_price(pb.use_level, l.price_a, l.price_b, l.price_c, l.price_d,
          l.price_e) * l.factor)
      end, 4) as price
    ) p
    where l.factor is not null and (l.level_price is null or p.price < round(l.level_price, 4))
  ),
  exception as materialized (
    select g.group_id, g.category_id, g.kind, g.value, g.valid
    from asked a join erp.price_group g on g.customer_id = p_customer_id and g.valid @> a.day
  ),
  ancestor as (
    select distinct l.category_id as of_category, l.category_id, 0 as distance
    from line l where l.category_id is not null and exists (select from exception)
    union all
    select n.of_category, c.parent_id, n.distance + 1
    from ancestor n join erp.category c using (category_id)
    where c.parent_id is not null and n.distance < 50
  ),
  grouped as materialized (
    select distinct on (l.ord) l.ord, g.group_id, g.valid, p.price
    from line l
    join ancestor n on n.of_category = l.category_id
    join exception g on g.category_id = n.category_id
    cross join lateral (select erp.rule_price(g.kind, g.value, l.level_price, l.cost, l.factor) as price) p
    where p.price is not null
    order by l.ord, n.distance
  ),
  -- the quantity asked, and every minimum above it
  point as (
    select l.ord, l.total as q from line l where l.factor is not null
    union
    select l.ord, c.min_qty from line l join contract c using (ord) where c.min_qty > l.total
    union
    select l.ord, b.min_qty from line l join break b using (ord) where b.min_qty > l.total
  ),
  contracted as (
    select distinct on (o.ord, o.q) o.ord, o.q, c.contract_id, c.price, c.valid
    from point o
    join contract c on c.ord = o.ord and c.min_qty <= o.q
    where c.price is not null
    order by o.ord, o.q, c.own_unit desc, c.any_unit desc, c.min_qty desc
  ),
  broken as (
    select distinct on (o.ord, o.q) o.ord, o.q, b.break_id, b.price, b.valid
    from point o
    join break b on b.ord = o.ord and b.min_qty <= o.q
    where b.price is not null
    order by o.ord, o.q, b.min_qty desc, b.for_level desc, b.break_id
  ),
  priced as (
    select o.ord, o.q, o.q = l.total as asked,
      case w.step when 1 then c.price when 2 then g.price when 3 then b.price else round(l.level_price, 4) end as price,
      case w.step when 1 then 'contract' when 2 then 'group' when 3 then 'break' else a.level_step end as step,
      case w.step when 1 then c.contract_id when 2 then g.group_id when 3 then b.break_id end as rule_id,
      case w.step when 1 then c.valid when 2 then g.valid when 3 then b.valid end as valid
    from point o
    cross join asked a
    join line l on l.ord = o.ord
    left join contracted c on c.ord = o.ord and c.q = o.q
    left join grouped g on g.ord = o.ord
    left join broken b on b.ord = o.ord and b.q = o.q
    cross join lateral (
      select case
        when c.price is not null and (a.price_policy = 'contract_wins' or b.price is null or c.price <= b.price) then 1
        when c.price is not null then 3
        when g.price is not null then 2
        when b.price is not null then 3
        when l.level_price is not null then 4
      end as step
    ) w
    where w.step is not null
  ),
  later as (
    select distinct on (n.ord) n.ord, n.q, n.price
    from priced p
    join priced n on n.ord = p.ord and not n.asked and n.price < p.price
    where p.asked
    order by n.ord, n.q
  )
  select l.ord, l.item_id, l.uom, l.qty, p.price, coalesce(p.step, 'none'), p.rule_id,
    case when not upper_inf(p.valid) and isfinite(upper(p.valid))
      then upper(p.valid)::timestamp at time zone a.time_zone end,
    n.q, n.price
  from line l
  cross join asked a
  left join priced p on p.ord = l.ord and p.asked
  left join later n on n.ord = l.ord
  order by l.ord;
end
$$;
comment on function erp.price(bigint, bigint[], text[], numeric[], timestamptz) is
  'Unit prices of items for a customer: contract, group, break, level, list. Set-based: a page, a cart or an upload in one call.';
grant execute on function erp.price(bigint, bigint[], text[], numeric[], timestamptz) to portal_web, portal_desk,
  portal_work;
