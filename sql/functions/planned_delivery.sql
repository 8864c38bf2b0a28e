-- When an order of a customer would arrive: its run of the route (the
-- ship-to's own, else the customer's), decided at an instant.
--
--   no day wished    the next run whose cutoff is still ahead
--   strict cutoff    the first such run on or after the day wished
--   flexible cutoff  the day wished, whether or not the route goes then
--
-- One row, none without a route. cutoff is that of the run, null where the day
-- wished is no run that can still be reached. next_date is the next run that
-- can be. missed is the run that the cutoff has just been missed for: the day
-- wished, or without a wish one that is still to come; else null.
--
-- Which days a route runs, and until when each takes orders, is the business
-- of erp.route_runs alone.
create or replace function erp.planned_delivery(p_customer_id bigint, p_ship_to_id bigint default null,
  p_wish date default null, p_at timestamptz default erp.now())
returns table (route_id bigint, route_name text, delivery_date date, cutoff timestamptz, next_date date, missed date)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
#variable_conflict use_column
declare
  r record;
  day date;
  coming date;
  coming_cutoff timestamptz;
  planned date;
  planned_cutoff timestamptz;
  late date;
begin
  perform portal.assert_customer(p_customer_id);
  select ro.route_id, ro.name, w.cutoff_mode, co.time_zone into r
  from erp.customer c
  join erp.web_access w using (customer_id)
  cross join erp.company co
  left join erp.ship_to st on st.ship_to_id = p_ship_to_id and st.customer_id = c.customer_id
  join erp.route ro on ro.route_id = coalesce(st.route_id, c.route_id)
  where c.customer_id = p_customer_id;
  if not found then
    return;
  end if;
  day := (p_at at time zone r.time_zone)::date;
  select n.delivery_date, n.cutoff into coming, coming_cutoff from erp.next_deliveries(r.route_id, p_at) n;
  if p_wish is null or p_wish = coming then
    planned := coming;
    planned_cutoff := coming_cutoff;
  else
    select n.delivery_date, n.cutoff into planned, planned_cutoff from erp.route_runs(r.route_id, p_wish - 1, 1,
      p_at) n;
    if r.cutoff_mode = 'flexible' and planned is distinct from p_wish then
      planned := p_wish;
      planned_cutoff := null;
    end if;
  end if;
  -- a run to come that can no longer be reached; none is further off than its
  -- cutoff can be, two weeks
  select max(n.delivery_date) into late
  from erp.route_runs(r.route_id, coalesce(p_wish, day) - 1, case when p_wish is null then 20 else 1 end) n
  where n.cutoff <= p_at and n.delivery_date >= day
    and case when p_wish is null then n.delivery_date < coming else n.delivery_date = p_wish end;
  return query select r.route_id, r.name::text, planned, planned_cutoff, coming, late;
end
$$;
grant execute on function erp.planned_delivery(bigint, bigint, date, timestamptz) to portal_web, portal_desk,
  portal_work;
