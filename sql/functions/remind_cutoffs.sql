-- Reminds customers whose route's next cutoff is less than
-- erp.company.cutoff_reminder_hours ahead and who have not ordered for that run:
-- nothing sent since the cutoff before, nothing planned for its day, and no
-- standing order that will be made. Once a run and log-in, however often it is
-- called; returns to how many customers.
create or replace function portal.remind_cutoffs() returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
  co erp.company;
  news portal.news[];
  until timestamptz;
begin
  select * into co from erp.company;
  if not co.cutoff_reminders then
    return 0;
  end if;
  until := erp.now() + make_interval(hours => co.cutoff_reminder_hours);
  with run as materialized (
    select r.route_id, r.code, d.delivery_date, d.cutoff,
      -- the one before; a route that begins counts from a week ago
      coalesce((select max(b.cutoff)
        from erp.route_runs(r.route_id, d.delivery_date - 2 * greatest(coalesce(r.every_days, 7), 7), 30) b
        where b.cutoff < d.cutoff), d.cutoff - interval '7 days') as previous
    from erp.route r
    cross join lateral erp.next_deliveries(r.route_id) d
    where r.active and d.cutoff <= until
  ),
  served as (
    select distinct on (x.customer_id, x.delivery_date) x.*
    from (
      select c.customer_id, u.* from run u join erp.customer c on c.route_id = u.route_id
      union all
      select s.customer_id, u.* from run u join erp.ship_to s on s.route_id = u.route_id
    ) x
    order by x.customer_id, x.delivery_date, x.cutoff
  )
  select array_agg(('cutoff_reminder', s.customer_id, s.code,
      jsonb_build_object('id', s.delivery_date, 'delivery_date', s.delivery_date, 'cutoff',
        s.cutoff), null, null)::portal.news
      order by s.customer_id, s.delivery_date)
    into news
  from served s
  join erp.customer c using (customer_id)
  join erp.web_access w using (customer_id)
  where c.active and w.enabled and w.can_order
    and not exists (
      select from erp.sales_order o
      where o.customer_id = s.customer_id and not erp.is_void(o.status)
        and (o.delivery_date = s.delivery_date or o.submitted_at >= s.previous))
    and not exists (
      select from portal.standing_run r join portal.standing_order o using (standing_order_id)
      where o.customer_id = s.customer_id and not o.paused and r.delivery_date = s.delivery_date
        and r.outcome in ('announced', 'made'))
    -- told already: it is asked again every few minutes
    and not exists (
      select from portal.notification n
      where n.customer_id = s.customer_id and n.kind = 'cutoff_reminder' and n.ref = s.code
        and n.data ->> 'id' = s.delivery_date::text);
  perform portal.notify_all(news);
  return coalesce(cardinality(news), 0);
end
$$;
grant execute on function portal.remind_cutoffs() to portal_work;
