-- The next runs of a route after an instant: route days (by weekday, or every
-- n days), a holiday giving way to its replacement, whose cutoff is still
-- ahead. The cutoff instant itself is late. Wall-clock times are the company's,
-- so both days of a clock change come out right.
create or replace function erp.next_deliveries(p_route_id bigint, p_at timestamptz default erp.now(), p_count int default 1)
returns table (delivery_date date, cutoff timestamptz)
language sql stable security definer set search_path = pg_catalog set jit = off
as $$
  with
  planned as (
    select
      d.day::date as day,
      coalesce(rd.cutoff_days_before, r.cutoff_days_before) as days_before,
      coalesce(rd.cutoff_time, r.cutoff_time) as at_time,
      co.time_zone
    from erp.route r
    cross join erp.company co
    cross join lateral generate_series(
      (p_at at time zone co.time_zone)::date - 21,
      (p_at at time zone co.time_zone)::date + 60 + coalesce(r.every_days, 0),
      interval '1 day') as d(day)
    left join erp.route_day rd on rd.route_id = r.route_id and rd.weekday = extract(isodow from d.day)
    where r.route_id = p_route_id and r.active
      and case when r.every_days is null then rd.weekday is not null
          else d.day::date >= r.start_date and (d.day::date - r.start_date) % r.every_days = 0 end
  ),
  run as (
    select coalesce(h.replacement, p.day) as day, p.days_before, p.at_time, p.time_zone
    from planned p
    left join lateral (
      select h.replacement, true as found
      from erp.route_holiday h
      where h.holiday = p.day and (h.route_id = p_route_id or h.route_id is null)
      order by h.route_id nulls last
      limit 1
    ) h on true
    where h.found is null or h.replacement is not null
  )
  select distinct on (r.day) r.day, ((r.day - r.days_before) + r.at_time) at time zone r.time_zone
  from run r
  where ((r.day - r.days_before) + r.at_time) at time zone r.time_zone > p_at
  order by r.day
  limit p_count
$$;
grant execute on function erp.next_deliveries(bigint, timestamptz, int) to portal_web, portal_desk, portal_work;
