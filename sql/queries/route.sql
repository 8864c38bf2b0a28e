-- name: desk_routes
select r.route_id as id, r.code, r.name, r.active, r.every_days, r.start_date, r.cutoff_days_before as cutoff_days,
  to_char(r.cutoff_time, 'HH24:MI') as cutoff_time,
  array(select d.weekday from erp.route_day d where d.route_id = r.route_id and r.every_days is null order by d.weekday)
    as weekdays,
  (select count(*)::int from erp.customer c where c.route_id = r.route_id)
    + (select count(*)::int from erp.ship_to s where s.route_id = r.route_id and s.active) as places,
  n.delivery_date as next, n.cutoff
from erp.route r
left join lateral erp.next_deliveries(r.route_id) n on true
where @code = '' or r.code = @code
order by not r.active, r.code;

-- name: desk_route_days
select d.weekday, d.cutoff_days_before as cutoff_days, to_char(d.cutoff_time, 'HH24:MI') as cutoff_time
from erp.route_day d where d.route_id = @route_id order by d.weekday;

-- name: desk_route_runs
select n.planned, n.delivery_date as date, n.cutoff
from erp.route_runs(@route_id, erp.today() - 2, 5, erp.now()) n
order by n.delivery_date;

-- name: desk_holidays
-- Of a route its own and those of all; without one only those of all.
select h.holiday_id as id, h.route_id is null as all, h.holiday as day, h.name, h.replacement, h.cutoff_days_before
  as cutoff_days,
  to_char(h.cutoff_time, 'HH24:MI') as cutoff_time
from erp.route_holiday h
where (h.route_id is null or h.route_id = @route_id) and greatest(h.holiday, h.replacement) >= erp.today()
order by h.holiday, h.route_id nulls last;

-- name: desk_route_places
select c.customer_no, c.name as customer_name, x.ship_to, x.ship_to_name, x.city
from (
  select c.customer_id, '' as ship_to, '' as ship_to_name, '' as city from erp.customer c where c.route_id = @route_id
  union all
  select s.customer_id, s.code, s.name, s.city from erp.ship_to s where s.route_id = @route_id and s.active
) x
join erp.customer c using (customer_id)
order by c.customer_no, x.ship_to
limit @row_limit;

-- name: route_insert
insert into erp.route (code, name, active, every_days, start_date, cutoff_days_before, cutoff_time)
values (@new_code, @name, @active, @every_days, @start_date, @cutoff_days, @cutoff_time::text::time)
returning route_id;

-- name: route_update
update erp.route r
set code = @new_code, name = @name, active = @active, every_days = @every_days, start_date = @start_date,
  cutoff_days_before = @cutoff_days,
  cutoff_time = @cutoff_time::text::time
where r.code = @code
returning r.route_id;

-- name: route_lock
-- The route, held until the transaction ends.
select r.route_id from erp.route r where r.code = @code for update;

-- name: route_days_held
select d.weekday, d.cutoff_days_before as cutoff_days, to_char(d.cutoff_time, 'HH24:MI') as cutoff_time
from erp.route_day d where d.route_id = @route_id order by d.weekday for update;

-- name: route_set_days
-- Rows that stay as they are stay untouched.
with
wanted as (
  select w.weekday, w.days as cutoff_days_before, w.at::time as cutoff_time
  from unnest(@weekdays::int[], @days::int[], @times::text[]) as w(weekday, days, at)
),
gone as (
  delete from erp.route_day d where d.route_id = @route_id and d.weekday not in (select w.weekday from wanted w)
)
insert into erp.route_day as d (route_id, weekday, cutoff_days_before, cutoff_time)
select @route_id, w.weekday, w.cutoff_days_before, w.cutoff_time from wanted w
on conflict (route_id, weekday) do update set cutoff_days_before = excluded.cutoff_days_before,
  cutoff_time = excluded.cutoff_time
where (d.cutoff_days_before, d.cutoff_time) is distinct from (excluded.cutoff_days_before, excluded.cutoff_time);

-- name: holiday_add
insert into erp.route_holiday (route_id, holiday, replacement, name, cutoff_days_before, cutoff_time)
select (select r.route_id from erp.route r where r.code = @code), @day, @replacement, @name, @cutoff_days,
  @cutoff_time::text::time
where @code = '' or exists (select from erp.route r where r.code = @code);

-- name: holiday_held
select h.holiday_id as id, h.route_id is null as all, h.holiday as day, h.name, h.replacement, h.cutoff_days_before
  as cutoff_days,
  to_char(h.cutoff_time, 'HH24:MI') as cutoff_time
from erp.route_holiday h where h.holiday_id = @holiday_id for update;

-- name: holiday_delete
delete from erp.route_holiday where holiday_id = @holiday_id;

-- name: customer_routing
select x.ship_to, x.name, coalesce(r.code, '') as route, n.route as delivery_route, n.delivery_date, n.cutoff, erp.now()
  as now
from erp.customer c
cross join lateral (
  select '' as ship_to, c.name, c.route_id, c.route_id as goes_by
  union all
  select s.code, s.name, s.route_id, coalesce(s.route_id, c.route_id) from erp.ship_to s
    where s.customer_id = c.customer_id and s.active
) x
left join erp.route r on r.route_id = x.route_id
left join lateral (
  select g.name as route, d.* from erp.route g cross join lateral erp.next_deliveries(g.route_id) d
    where g.route_id = x.goes_by
) n on true
where c.customer_no = @customer_no
order by x.ship_to;

-- name: customer_set_route
update erp.customer c set route_id = (select r.route_id from erp.route r where r.code = @code)
where c.customer_no = @customer_no and (@code = '' or exists (select from erp.route r where r.code = @code));

-- name: customer_route_held
-- The route that an account is on, held until the transaction ends.
select coalesce((select r.code from erp.route r where r.route_id = c.route_id), '')
from erp.customer c where c.customer_no = @customer_no for no key update of c;

-- name: ship_to_route_held
select coalesce((select r.code from erp.route r where r.route_id = s.route_id), '')
from erp.customer c join erp.ship_to s using (customer_id)
where c.customer_no = @customer_no and s.code = @ship_to for no key update of s;

-- name: ship_to_set_route
update erp.ship_to s set route_id = (select r.route_id from erp.route r where r.code = @code)
from erp.customer c
where c.customer_no = @customer_no and s.customer_id = c.customer_id and s.code = @ship_to
  and (@code = '' or exists (select from erp.route r where r.code = @code));
