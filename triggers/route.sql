-- Routes: when one changes, or its days or holidays do, the pages that show a
-- next delivery look again, and so does the job of standing orders. A few
-- customers are told each; for many, everybody is told once.
create or replace function portal.route_concerns(p_route_ids bigint[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  whom bigint[];
begin
  -- a null among them stands for every route
  select array_agg(distinct x.customer_id order by x.customer_id) into whom
  from (
    select c.customer_id from erp.customer c where c.route_id = any (p_route_ids)
    union all
    select s.customer_id from erp.ship_to s where s.route_id = any (p_route_ids)
    union all
    select c.customer_id from erp.customer c where c.route_id is not null
      and array_position(p_route_ids, null) is not null
  ) x;
  if cardinality(whom) between 1 and 25 then
    perform portal.emit('notice', u.customer_id, 'route') from unnest(whom) with ordinality as u(customer_id, n)
      order by u.n;
  else
    perform portal.emit('notice', null, 'route');
  end if;
  update portal.standing_order o set next_at = null where o.customer_id = any (whom) and o.next_at is not null;
end
$$;

create or replace function portal.route_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  ids bigint[];
begin
  if tg_op = 'DELETE' then
    select array_agg(distinct p.route_id) into ids from old_rows p;
  elsif tg_op = 'INSERT' then
    select array_agg(distinct n.route_id) into ids from new_rows n;
  elsif exists (select to_jsonb(n) from new_rows n except select to_jsonb(p) from old_rows p) then
    select array_agg(distinct x.route_id) into ids
    from (select n.route_id from new_rows n union all select p.route_id from old_rows p) x;
  end if;
  if cardinality(ids) > 0 then
    perform portal.route_concerns(ids);
  end if;
  return null;
end
$$;
create or replace trigger route_inserted after insert on erp.route
  referencing new table as new_rows for each statement execute function portal.route_changed();
create or replace trigger route_updated after update on erp.route
  referencing old table as old_rows new table as new_rows for each statement execute function portal.route_changed();
create or replace trigger route_deleted after delete on erp.route
  referencing old table as old_rows for each statement execute function portal.route_changed();
create or replace trigger route_day_inserted after insert on erp.route_day
  referencing new table as new_rows for each statement execute function portal.route_changed();
create or replace trigger route_day_updated after update on erp.route_day
  referencing old table as old_rows new table as new_rows for each statement execute function portal.route_changed();
create or replace trigger route_day_deleted after delete on erp.route_day
  referencing old table as old_rows for each statement execute function portal.route_changed();
create or replace trigger route_holiday_inserted after insert on erp.route_holiday
  referencing new table as new_rows for each statement execute function portal.route_changed();
create or replace trigger route_holiday_updated after update on erp.route_holiday
  referencing old table as old_rows new table as new_rows for each statement execute function portal.route_changed();
create or replace trigger route_holiday_deleted after delete on erp.route_holiday
  referencing old table as old_rows for each statement execute function portal.route_changed();

-- Ship-tos: their address and route stand on pages of the customer.
create or replace function portal.ship_to_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  ids bigint[];
begin
  if tg_op = 'DELETE' then
    select array_agg(distinct p.customer_id order by p.customer_id) into ids from old_rows p;
  elsif tg_op = 'INSERT' then
    select array_agg(distinct n.customer_id order by n.customer_id) into ids from new_rows n;
  else
    select array_agg(distinct x.customer_id order by x.customer_id) into ids
    from new_rows n join old_rows p using (ship_to_id) cross join lateral (values (n.customer_id), (p.customer_id))
      as x(customer_id)
    where n is distinct from p;
  end if;
  if cardinality(ids) between 1 and 25 then
    perform portal.emit('notice', u.customer_id, 'route') from unnest(ids) with ordinality as u(customer_id, n)
      order by u.n;
  elsif cardinality(ids) > 25 then
    perform portal.emit('notice', null, 'route');
  end if;
  update portal.standing_order o set next_at = null where o.customer_id = any (ids) and o.next_at is not null;
  return null;
end
$$;
create or replace trigger ship_to_inserted after insert on erp.ship_to
  referencing new table as new_rows for each statement execute function portal.ship_to_changed();
create or replace trigger ship_to_updated after update on erp.ship_to
  referencing old table as old_rows new table as new_rows for each statement execute function portal.ship_to_changed();
create or replace trigger ship_to_deleted after delete on erp.ship_to
  referencing old table as old_rows for each statement execute function portal.ship_to_changed();
