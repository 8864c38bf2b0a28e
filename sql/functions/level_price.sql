-- The price of a level: its column, or the next dearer filled one, towards A.
-- Without a level, A.
create or replace function erp.level_price(p_level text, p_a numeric, p_b numeric, p_c numeric, p_d numeric,
  p_e numeric) returns numeric
language sql immutable parallel safe
as $$
  select case p_level
    when 'E' then coalesce(p_e, p_d, p_c, p_b, p_a)
    when 'D' then coalesce(p_d, p_c, p_b, p_a)
    when 'C' then coalesce(p_c, p_b, p_a)
    when 'B' then coalesce(p_b, p_a)
    else p_a
  end
$$;

-- What a contract or a group makes of the level price and the cost, both of the
-- unit asked for; null if it has nothing to go by. A fixed value counts p_times.
-- Multiplied by 0.01 and not divided by 100: numeric multiplication is exact.
create or replace function erp.rule_price(p_kind text, p_value numeric, p_level_price numeric, p_cost numeric,
  p_times numeric) returns numeric
language sql immutable parallel safe
as $$
  select round(case p_kind
    when 'fixed' then p_value * p_times
    when 'percent_off' then p_level_price * (100 - p_value) * 0.01
    when 'cost_plus' then p_cost * (100 + p_value) * 0.01
  end, 4)
$$;
