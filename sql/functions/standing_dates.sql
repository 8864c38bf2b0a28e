-- The dates of a standing order, in their order, from the first that nothing
-- has become of yet: its name, the day of delivery, the cutoff, when the order
-- will be made, what is known of it (announced, skipped, or null), and the
-- route's run as planned (null without a route). One date a delivery.
--
-- Rhythm runs: every n-th run of the ship-to's route (else the account's),
-- counted on from the last date that was dealt with, else from the first run
-- since starts_on. Without a route there are none. A date that was skipped
-- counts, and so does one that was paused away. Its name is the run's day as
-- planned, which holidays do not change.
-- Rhythm weeks: the weekday of every n-th week since starts_on, and its name is
-- that day. The delivery is the route's first run planned for that day or
-- later; where the route comes less often than the weekday, several weekdays
-- come to one run, and the last of them is the date. Without a route the
-- delivery is the day itself, with its cutoff the day before at 15:00.
--
-- Left out are dates whose order should have been made before active_since;
-- skipped ones whose cutoff is over; and those of a delivery that was dealt
-- with under another name, before the rhythm, the route or a holiday changed. A
-- date whose cutoff is over and that is not skipped was missed, and is among
-- them until somebody says so.
create or replace function portal.standing_dates(p_standing_order_id bigint, p_count int)
returns table (run_date date, delivery_date date, cutoff timestamptz, send_at timestamptz, outcome text, route_run date)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
#variable_conflict use_column
declare
  o portal.standing_order;
  zone text;
  route bigint;
  gap int; -- days from one run to the next, or more
  daily numeric; -- runs a day, at most
  dealt date; -- the last date that was dealt with
  dealt_delivery date; -- and its delivery
  since date; -- dates after it
begin
  select * into o from portal.standing_order s where s.standing_order_id = p_standing_order_id;
  if not found or not portal.assert_customer(o.customer_id) then
    return;
  end if;
  select co.time_zone into zone from erp.company co;
  select coalesce(s.route_id, c.route_id) into route
    from erp.customer c left join erp.ship_to s on s.ship_to_id = o.ship_to_id where c.customer_id = o.customer_id;
  select least(coalesce(r.every_days, 7), 400),
      coalesce(1.0 / r.every_days, (select count(*) / 7.0 from erp.route_day d where d.route_id = r.route_id))
    into gap, daily from erp.route r where r.route_id = route;
  select r.run_date, r.delivery_date into dealt, dealt_delivery from portal.standing_run r
    where r.standing_order_id = o.standing_order_id and r.outcome in ('made', 'failed', 'missed')
      and r.run_date >= o.starts_on
    order by r.run_date desc limit 1;
  since := greatest(dealt, o.starts_on - 1, erp.today() - 4000);

  return query
  with
  weekday as (
    select f.first + 7 * o.every * (greatest(0,
      ceil((erp.today() - 59 - 2 * coalesce(gap, 7) - f.first) / (7.0 * o.every))::int) + k) as day
    from (select o.starts_on + (o.weekday - extract(isodow from o.starts_on)::int + 7) % 7 as first) f
    cross join generate_series(0, p_count * (1 + coalesce(gap, 0) / (7 * o.every)) + (61 + 2 * coalesce(gap,
      7)) / (7 * o.every)
      + (select count(*)::int from portal.standing_run r
        where r.standing_order_id = o.standing_order_id and r.outcome in ('skipped', 'made', 'failed', 'missed')
          and greatest(r.run_date, r.delivery_date) > erp.today() - 60)) k
    where o.rhythm = 'weeks'
  ),
  run as materialized (
    -- all that may come into it, read once; a holiday may have moved one to a day before
    select x.* from (select min(w.day) - 15 as after, max(w.day) - min(w.day) + 2 * coalesce(gap, 7) as days
      from weekday w) f
    cross join lateral erp.route_runs(route, f.after, ceil(f.days * daily)::int + 40) x
    where o.rhythm = 'weeks'
  ),
  day as (
    select r.planned as named, r.planned, r.delivery_date, r.cutoff
    from (
      -- counted in the order of their names, which holidays do not change
      select r.*, row_number() over (order by r.planned) - count(*) filter (where r.planned <= since) over () as n
      from erp.route_runs(route, since - 75, o.every * (p_count + 2) + 123 + greatest(0, erp.today() - since)) r
      where o.rhythm = 'runs'
    ) r
    where r.planned >= o.starts_on and (case when since = dealt then r.n else r.n - 1 end) % o.every = 0
    union all
    select w.day, r.planned, coalesce(r.delivery_date, w.day),
      coalesce(r.cutoff, ((w.day - 1) + time '15:00') at time zone zone)
    from weekday w
    left join lateral (select x.* from run x where x.planned >= w.day order by x.planned limit 1) r on true
    where (w.day + 7 * o.every > r.planned or not exists (select from run))
  )
  select d.named, d.delivery_date, d.cutoff, t.send_at, r.outcome, d.planned
  from day d
  -- at the cutoff itself it would be too late
  cross join lateral (select d.cutoff - greatest(make_interval(hours => o.hours_before), interval '15 minutes')
    as send_at) t
  left join portal.standing_run r on r.standing_order_id = o.standing_order_id and r.run_date = d.named
  where (o.ends_on is null or d.named <= o.ends_on)
    -- a holiday may put one behind others that were dealt with
    and (d.named > since or d.delivery_date > dealt_delivery and d.cutoff > erp.now())
    and t.send_at >= o.active_since
    and (r.outcome is null or r.outcome = 'announced' or (r.outcome = 'skipped' and d.cutoff > erp.now()))
    and not exists (
      select from portal.standing_run m
      where m.standing_order_id = o.standing_order_id and m.outcome in ('made', 'failed', 'missed')
        and m.run_date <> d.named
        and (m.delivery_date = d.delivery_date or coalesce(m.route_run, m.run_date) = d.planned
          -- or a holiday has moved it there since
          or exists (select from erp.route_holiday h
            where h.holiday = coalesce(m.route_run, m.run_date) and h.replacement = d.delivery_date
              and (h.route_id = route or h.route_id is null))))
  order by d.delivery_date, d.named
  limit p_count;
end
$$;
grant execute on function portal.standing_dates(bigint, int) to portal_web, portal_desk, portal_work;
