-- The next runs of a route whose cutoff is still ahead at an instant: see
-- erp.route_runs. No cutoff is after its delivery day; where the clocks go back
-- over midnight a day begins twice, so yesterday is looked at as well.
create or replace function erp.next_deliveries(p_route_id bigint, p_at timestamptz default erp.now(),
  p_count int default 1)
returns table (delivery_date date, cutoff timestamptz)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
#variable_conflict use_column
begin
  return query
  select r.delivery_date, r.cutoff
  from erp.company co
  cross join lateral erp.route_runs(p_route_id, (p_at at time zone co.time_zone)::date - 2, p_count, p_at) r
  order by r.delivery_date;
end
$$;
grant execute on function erp.next_deliveries(bigint, timestamptz, int) to portal_web, portal_desk, portal_work;
