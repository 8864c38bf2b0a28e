-- The dates of a standing order, in their order, from the first that nothing
-- has become of yet: the day as planned (its name, which holidays do not
-- change), the day of delivery, the cutoff, when the order will be made, and
-- what is known of it (announced, skipped, or null).
--
-- Rhythm runs: every n-th run of the ship-to's route (else the account's),
-- counted on from the last date that was dealt with, else from the first run
-- since starts_on. Without a route there are none. A date that was skipped
-- counts, and so does one that was paused away.
-- Rhythm weeks: the weekday of every n-th week since starts_on. The delivery is
-- the route's first run from that day on; without a route the day itself, with
-- its cutoff the day before at 15:00.
--
-- Left out are dates whose order should have been made before active_since, and
-- skipped ones whose cutoff is over. A date whose cutoff is over and that is not
-- skipped was missed, and is among them until somebody says so.
create or replace function portal.standing_dates(p_standing_order_id bigint, p_count int)
returns table (run_date date, delivery_date date, cutoff timestamptz, send_at timestamptz, outcome text)
language plpgsql stable security definer set search_path = pg_catalog set jit = off
as $$
#variable_conflict use_column
declare
  o portal.standing_order;
  zone text;
  route bigint;
  dealt date; -- the last date that was dealt with
  since date; -- dates after it
begin
  select * into o from portal.standing_order s where s.standing_order_id = p_standing_order_id;
  if not found or not portal.assert_customer(o.customer_id) then
    return;
  end if;
  select co.time_zone into zone from erp.company co;
  select coalesce(s.route_id, c.route_id) into route
    from erp.customer c left join erp.ship_to s on s.ship_to_id = o.ship_to_id where c.customer_id = o.customer_id;
  select max(r.run_date) into dealt from portal.standing_run r
    where r.standing_order_id = o.standing_order_id and r.outcome in ('made', 'failed', 'missed') and r.run_date >= o.starts_on;
  since := greatest(dealt, o.starts_on - 1, erp.today() - 400);

  return query
  with
  day as (
    select r.planned, r.delivery_date, r.cutoff
    from (
      select r.*, row_number() over (order by r.delivery_date) as n
      from erp.route_runs(route, since - 15, o.every * (p_count + 2) + 48 + greatest(0, erp.today() - since)) r
      where o.rhythm = 'runs' and r.planned > since
    ) r
    where (case when since = dealt then r.n else r.n - 1 end) % o.every = 0
    union all
    select d.planned, coalesce(r.delivery_date, d.planned), coalesce(r.cutoff, ((d.planned - 1) + time '15:00') at time zone zone)
    from (
      select f.first + 7 * o.every * (greatest(0, ceil((greatest(since, erp.today() - 60) + 1 - f.first) / (7.0 * o.every))::int) + k) as planned
      from (select o.starts_on + (o.weekday - extract(isodow from o.starts_on)::int + 7) % 7 as first) f
      cross join generate_series(0, p_count + 61 / (7 * o.every) + (select count(*)::int from portal.standing_run r
        where r.standing_order_id = o.standing_order_id and r.outcome = 'skipped' and r.run_date > since)) k
      where o.rhythm = 'weeks'
    ) d
    left join lateral erp.route_runs(route, d.planned - 1, 1) r on true
    where d.planned > since
  )
  select d.planned, d.delivery_date, d.cutoff, d.cutoff - make_interval(hours => o.hours_before), r.outcome
  from day d
  left join portal.standing_run r on r.standing_order_id = o.standing_order_id and r.run_date = d.planned
  where (o.ends_on is null or d.planned <= o.ends_on)
    and d.cutoff - make_interval(hours => o.hours_before) >= o.active_since
    and (r.outcome is null or r.outcome = 'announced' or (r.outcome = 'skipped' and d.cutoff > erp.now()))
  order by d.delivery_date, d.planned
  limit p_count;
end
$$;
grant execute on function portal.standing_dates(bigint, int) to portal_web, portal_desk, portal_work;
