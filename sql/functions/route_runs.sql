-- The runs of a route after a day, in their order: those whose cutoff is still
-- ahead at an instant, or without one all of them. The cutoff instant itself is
-- late. A route that is not active has none.
--
-- Planned are the route's weekdays, or every n-th day from its start date.
-- A planned day that is a holiday has no run; where the holiday names a
-- replacement, the run moves there. The route's own row for a day goes before
-- the one for all routes. A holiday on a day without a run moves nothing, and
-- a replacement is not looked up among the holidays again: somebody chose it.
--
-- The cutoff is so many days before the delivery at a local time: of the
-- weekday, else of the route (a route of every n days has no weekdays); after
-- a holiday of the holiday's row, else of the day replaced, counted from the
-- new date. Where a run moves to a day that has one, they are one run, whose
-- cutoff is the holiday's own, else the one of the day's regular run, else the
-- earliest.
--
-- Local times are the company's, read as PostgreSQL does: one that the clocks
-- skip in spring counts as it would have without the change (2:30 is 3:30),
-- one that comes twice in autumn is the second. So it is always the later of
-- two instants, and nobody is cut off early.
--
-- planned is the run's day before a holiday moved it: a name that holidays do
-- not change. Of runs that fall together it is the regular day's, else the last.
create or replace function erp.route_runs(p_route_id bigint, p_after date, p_count int,
  p_open_at timestamptz default null)
returns table (planned date, delivery_date date, cutoff timestamptz)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set jit = off
  set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
  with
  r as materialized (
    select r.route_id, r.every_days, r.start_date, r.cutoff_days_before, r.cutoff_time
    from erp.route r where r.route_id = p_route_id and r.active
  ),
  holiday as materialized (
    select distinct on (h.holiday) h.holiday, h.replacement, h.cutoff_days_before, h.cutoff_time
    from erp.route_holiday h
    where h.route_id = p_route_id or h.route_id is null
    order by h.holiday, h.route_id nulls last, h.holiday_id
  ),
  -- In each step at least one day is planned: enough of them for all that
  -- holidays take away, and for the 16 days whose cutoff, at most 14 days
  -- before, may be over.
  step as (
    select generate_series(0, p_count + (select count(*)::int from holiday h where h.holiday > p_after)
      + case when p_open_at is null then 0 else 16 / coalesce(r.every_days, 7) + 1 end) as n
    from r
  ),
  regular as (
    select d.day, coalesce(rd.cutoff_days_before, r.cutoff_days_before) as days_before,
      coalesce(rd.cutoff_time, r.cutoff_time) as at_time
    from r
    join erp.route_day rd on rd.route_id = r.route_id
    cross join step
    cross join lateral (
      select p_after + 1 + (rd.weekday - extract(isodow from p_after + 1)::int + 7) % 7 + 7 * step.n as day
    ) d
    where r.every_days is null
    union all
    select r.start_date + r.every_days * (step.n + case when p_after < r.start_date then 0
      else (p_after - r.start_date) / r.every_days + 1 end),
      r.cutoff_days_before, r.cutoff_time
    from r cross join step
    where r.every_days is not null
  ),
  run as (
    select g.day as planned, g.day, g.days_before, g.at_time, 1 as rank
    from regular g
    where not exists (select from holiday h where h.holiday = g.day)
    union all
    select h.holiday, h.replacement, coalesce(h.cutoff_days_before, rd.cutoff_days_before, r.cutoff_days_before),
      coalesce(h.cutoff_time, rd.cutoff_time, r.cutoff_time),
      case when h.cutoff_days_before is null and h.cutoff_time is null then 2 else 0 end
    from r
    join holiday h on h.replacement > p_after
    left join erp.route_day rd on r.every_days is null and rd.route_id = r.route_id
      and rd.weekday = extract(isodow from h.holiday)
    where case when r.every_days is null then rd.weekday is not null
          else h.holiday >= r.start_date and (h.holiday - r.start_date) % r.every_days = 0 end
  ),
  one as (
    select distinct on (run.day)
      coalesce(max(run.planned) filter (where run.rank = 1) over by_day, max(run.planned) over by_day) as planned,
        run.day,
      (run.day - run.days_before) + run.at_time as local
    from run
    window by_day as (partition by run.day)
    order by run.day, run.rank, (run.day - run.days_before) + run.at_time
  )
  select one.planned, one.day, one.local at time zone co.time_zone
  from one cross join erp.company co
  where p_open_at is null or one.local at time zone co.time_zone > p_open_at
  order by one.day
  limit p_count;
end
$$;
grant execute on function erp.route_runs(bigint, date, int, timestamptz) to portal_web, portal_desk, portal_work;
