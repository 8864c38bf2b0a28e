-- Standing orders: a ship-to must be the customer's own; another rhythm, or the
-- end of a pause, counts from now; and what changes is looked at by the job and
-- by the customer's open pages.
create or replace function portal.standing_order_before() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if new.ship_to_id is not null and not exists (select from erp.ship_to s
      where s.ship_to_id = new.ship_to_id and s.customer_id = new.customer_id) then
    raise exception 'Choose one of your ship-to addresses.'
      using errcode = 'PT422', constraint = 'standing_order_ship_to', column = 'ship_to';
  end if;
  if tg_op = 'INSERT' then
    return new;
  end if;
  if new.customer_id <> old.customer_id then
    raise exception 'The customer of a standing order is fixed.'
      using errcode = 'PT409', constraint = 'standing_order_identity';
  end if;
  if new.ship_to_id is null and old.ship_to_id is not null and not new.paused
    and not exists (select from erp.ship_to s where s.ship_to_id = old.ship_to_id) then
    -- its address was deleted: rather no order than one to another place
    new.paused := true;
    insert into portal.notice (customer_id, kind, text, link) values (new.customer_id, 'warning',
      format('Standing order “%s” is paused: the address it goes to was deleted. Choose another and resume it.',
        new.name),
      '/standing-orders/' || new.standing_order_id);
  end if;
  if (new.rhythm, new.every, new.weekday, new.starts_on, new.ship_to_id) is distinct from (old.rhythm, old.every,
    old.weekday, old.starts_on, old.ship_to_id)
    or (old.paused and not new.paused) then
    new.active_since := erp.now();
  end if;
  if to_jsonb(new) - 'next_at' is distinct from to_jsonb(old) - 'next_at' then
    new.next_at := null;
  end if;
  return new;
end
$$;
create or replace trigger standing_order_before before insert or update on portal.standing_order
  for each row execute function portal.standing_order_before();

-- The pages of a customer that show standing orders show all of them.
create or replace function portal.standing_order_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'DELETE' then
    perform portal.emit('notice', c.customer_id, 'standing-order') from (select distinct p.customer_id from old_rows p
      order by 1) c;
  elsif tg_op = 'INSERT' then
    perform portal.emit('notice', c.customer_id, 'standing-order') from (select distinct n.customer_id from new_rows n
      order by 1) c;
  else
    perform portal.emit('notice', c.customer_id, 'standing-order') from (
      select distinct n.customer_id from new_rows n join old_rows p using (standing_order_id)
      where to_jsonb(n) - 'next_at' is distinct from to_jsonb(p) - 'next_at' order by 1) c;
  end if;
  return null;
end
$$;
create or replace trigger standing_order_inserted after insert on portal.standing_order
  referencing new table as new_rows for each statement execute function portal.standing_order_changed();
create or replace trigger standing_order_updated after update on portal.standing_order
  referencing old table as old_rows new table as new_rows
    for each statement execute function portal.standing_order_changed();
create or replace trigger standing_order_deleted after delete on portal.standing_order
  referencing old table as old_rows for each statement execute function portal.standing_order_changed();

-- Its lines, and what became of its dates.
create or replace function portal.standing_part_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'DELETE' then
    perform portal.emit('notice', c.customer_id, 'standing-order') from (
      select distinct s.customer_id from old_rows p join portal.standing_order s using (standing_order_id)
        order by 1) c;
  else
    perform portal.emit('notice', c.customer_id, 'standing-order') from (
      select distinct s.customer_id from new_rows n join portal.standing_order s using (standing_order_id)
        order by 1) c;
  end if;
  return null;
end
$$;
create or replace trigger standing_order_line_inserted after insert on portal.standing_order_line
  referencing new table as new_rows for each statement execute function portal.standing_part_changed();
create or replace trigger standing_order_line_updated after update on portal.standing_order_line
  referencing new table as new_rows for each statement execute function portal.standing_part_changed();
create or replace trigger standing_order_line_deleted after delete on portal.standing_order_line
  referencing old table as old_rows for each statement execute function portal.standing_part_changed();
create or replace trigger standing_run_inserted after insert on portal.standing_run
  referencing new table as new_rows for each statement execute function portal.standing_part_changed();
create or replace trigger standing_run_updated after update on portal.standing_run
  referencing new table as new_rows for each statement execute function portal.standing_part_changed();
create or replace trigger standing_run_deleted after delete on portal.standing_run
  referencing old table as old_rows for each statement execute function portal.standing_part_changed();

-- A customer on another route has other dates.
create or replace function portal.customer_rerouted() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update portal.standing_order o set next_at = null
  from new_rows n join old_rows p using (customer_id)
  where n.route_id is distinct from p.route_id and o.customer_id = n.customer_id and o.next_at is not null;
  return null;
end
$$;
create or replace trigger customer_rerouted after update on erp.customer
  referencing old table as old_rows new table as new_rows
    for each statement execute function portal.customer_rerouted();
