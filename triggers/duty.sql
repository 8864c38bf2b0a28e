-- Duties of staff: each change is in the audit log, whatever program makes it; only staff
-- have any; and somebody is always left who can give them.

create or replace function portal.user_duty_of_staff() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (select from portal.login l where l.login_id = new.user_id and l.staff_role is not null) then
    raise exception 'Duties are for staff.' using errcode = 'PT409', constraint = 'duties_are_of_staff';
  end if;
  return new;
end
$$;
create or replace trigger user_duty_of_staff before insert or update on portal.user_duty
  for each row execute function portal.user_duty_of_staff();

create or replace function portal.user_duty_audited() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into portal.audit (action, subject, data)
  select 'duty', coalesce(l.email::text, ''), jsonb_build_object('duties', case tg_op
    when 'DELETE' then jsonb_build_array(c.duties, null) else jsonb_build_array(null, c.duties) end)
  from (select r.user_id, jsonb_agg(r.duty order by r.duty) as duties from changed_rows r group by r.user_id) c
  left join portal.login l on l.login_id = c.user_id; -- gone, where its duties went with it
  perform portal.emit('staff', null, '');
  return null;
end
$$;
create or replace trigger user_duty_insert_audited after insert on portal.user_duty
  referencing new table as changed_rows for each statement execute function portal.user_duty_audited();
create or replace trigger user_duty_update_audited after update on portal.user_duty
  referencing new table as changed_rows for each statement execute function portal.user_duty_audited();
create or replace trigger user_duty_delete_audited after delete on portal.user_duty
  referencing old table as changed_rows for each statement execute function portal.user_duty_audited();

-- Who gives duties and lets staff in has to be there: an administrator who can log in is
-- not taken away while there is no other. An invitation that nobody has taken up is none.
create or replace function portal.assert_administrator_left() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  -- one after the other, so that two do not take each other away
  perform from portal.duty d where d.code = 'administrator' for no key update;
  if not exists (
    select from portal.user_duty u join portal.login l on l.login_id = u.user_id
    where u.duty = 'administrator' and l.staff_role is not null and not l.disabled
      and not exists (select from portal.invitation v where v.login_id = l.login_id)) then
    raise exception 'Somebody has to be left who is an administrator: make another one first.'
      using errcode = 'PT409', constraint = 'last_administrator', column = 'duties';
  end if;
end
$$;

create or replace function portal.administrator_left() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.assert_administrator_left();
  return null;
end
$$;
create or replace trigger user_duty_administrator_left after delete or update on portal.user_duty
  for each row when (old.duty = 'administrator') execute function portal.administrator_left();

-- Who sells no more acts for no customer any more.
create or replace function portal.acting_duty_lost() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  delete from portal.session s using old_rows o
  where s.login_id = o.user_id and s.parent_id is not null and not exists (
    select from portal.user_duty u where u.user_id = o.user_id
      and (u.duty = 'sales' or u.duty = 'administrator' and s.acting = 'preview'));
  return null;
end
$$;
create or replace trigger user_duty_acting after delete on portal.user_duty
  referencing old table as old_rows for each statement execute function portal.acting_duty_lost();

-- A log-in that is closed, or that is no longer of staff.
create or replace function portal.staff_login_closed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if new.staff_role is null then
    delete from portal.user_duty u where u.user_id = new.login_id; -- whose trigger looks at who is left
  elsif exists (select from portal.user_duty u where u.user_id = new.login_id and u.duty = 'administrator') then
    perform portal.assert_administrator_left();
  end if;
  return null;
end
$$;
create or replace trigger login_staff_closed after update of staff_role, disabled on portal.login
  for each row when (old.staff_role is not null and (new.staff_role is null or new.disabled and not old.disabled))
  execute function portal.staff_login_closed();

-- The list of staff is open somewhere.
create or replace trigger login_staff_added after insert on portal.login
  for each row when (new.staff_role is not null) execute function portal.staff_told();
create or replace trigger login_staff_changed after update of name, email, disabled, last_login_at,
  staff_role on portal.login
  for each row when (old.staff_role is not null or new.staff_role is not null) execute function portal.staff_told();
