-- The first and the last day of a price rule, null where it has none, and whether
-- it is coming, current or ended. Plain, so that the planner puts it into the
-- statement that asks.
create or replace function erp.rule_dates(p_valid daterange) returns table (valid_from date, valid_to date, state text)
language sql stable
as $$
  select case when not lower_inf(p_valid) and isfinite(lower(p_valid)) then lower(p_valid) end,
    case when not upper_inf(p_valid) and isfinite(upper(p_valid)) then upper(p_valid) - 1 end,
    case when lower(p_valid) > erp.today() then 'coming' when upper(p_valid) <= erp.today() then 'ended'
      else 'current' end
$$;
grant execute on function erp.rule_dates(daterange) to portal_desk;
