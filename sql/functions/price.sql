-- Every price anywhere comes from here. One row a line, in the order given;
-- step 'none' with a null price where there is nothing to go by ("call for
-- price"). See docs/architecture.md for the five steps.
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
set search_path = pg_catalog set jit = off
rows 50
as $$
#variable_conflict use_column
begin
  return query
  with
  asked as (
    select c.price_level, co.time_zone, (p_at at time zone co.time_zone)::date as day
    from erp.company co
    left join erp.customer c on c.customer_id = p_customer_id
    where portal.assert_customer(p_customer_id)
  ),
  line as (
    -- what is asked, with the unit's factor and own price, and the level price
    -- of the base unit: the customer's column, or the next dearer filled one
    select
      l.ord::int as ord, l.item_id, coalesce(l.uom, i.base_uom) as uom, l.qty,
      case when coalesce(l.uom, i.base_uom) = i.base_uom then 1 else u.factor end as factor,
      case when coalesce(l.uom, i.base_uom) <> i.base_uom then u.price end as own_price,
      coalesce(l.uom, i.base_uom) = i.base_uom as is_base,
      i.cost,
      case a.price_level
        when 'E' then coalesce(i.price_e, i.price_d, i.price_c, i.price_b, i.price_a)
        when 'D' then coalesce(i.price_d, i.price_c, i.price_b, i.price_a)
        when 'C' then coalesce(i.price_c, i.price_b, i.price_a)
        when 'B' then coalesce(i.price_b, i.price_a)
        else i.price_a
      end as base_level_price,
      case when a.price_level is null then 'list' else 'level' end as level_step,
      a.day, a.time_zone
    from asked a
    cross join unnest(p_item_ids, p_uoms, p_qtys) with ordinality as l(item_id, uom, qty, ord)
    left join erp.item i on i.item_id = l.item_id
    left join erp.item_uom u on u.item_id = l.item_id and u.uom = l.uom
  ),
  levelled as (
    select *, coalesce(own_price, base_level_price * factor) as level_price
    from line
  ),
  candidate as (
    -- step 1: the contract for this very unit before the one for any unit,
    -- then the highest quantity step reached
    select distinct on (l.ord)
      l.ord, pc.contract_id,
      round(case pc.kind
        when 'fixed' then pc.value * case when pc.uom = l.uom then 1 else l.factor end
        when 'percent_off' then l.level_price * (100 - pc.value) / 100
        when 'cost_plus' then l.cost * l.factor * (100 + pc.value) / 100
      end, 4) as unit_price,
      upper(pc.valid)::timestamp at time zone l.time_zone as valid_until
    from levelled l
    join erp.price_contract pc
      on pc.customer_id = p_customer_id and pc.item_id = l.item_id
      and (pc.uom is null or pc.uom = l.uom)
      and pc.valid @> l.day
      and pc.min_qty <= coalesce(l.qty, 1) * l.factor
    where case pc.kind when 'fixed' then true when 'percent_off' then l.level_price is not null else l.cost is not null end
    order by l.ord, (pc.uom is not null) desc, pc.min_qty desc
  )
  select
    l.ord, l.item_id, l.uom, l.qty,
    coalesce(c.unit_price, round(l.level_price, 4)),
    case when c.unit_price is not null then 'contract' when l.level_price is not null then l.level_step else 'none' end,
    c.contract_id,
    c.valid_until,
    null::numeric,
    null::numeric
  from levelled l
  left join candidate c on c.ord = l.ord and c.unit_price is not null and l.factor is not null
  order by l.ord;
end
$$;
comment on function erp.price(bigint, bigint[], text[], numeric[], timestamptz) is
  'Unit prices of items for a customer: contract, group, break, level, list. Set-based: a page, a cart or an upload in one call.';
grant execute on function erp.price(bigint, bigint[], text[], numeric[], timestamptz) to portal_web, portal_desk, portal_work;
