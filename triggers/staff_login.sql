-- A process that serves customers' pages with a log-in of its own (portal_web without
-- portal_desk) has no part in the staff's log-ins: it opens no session for one and
-- sets no password of one, whatever code runs in it. The log-in is that of the
-- connection, which no role, function or setting changes.
create or replace function portal.staff_elsewhere() returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select pg_has_role(session_user, 'portal_web', 'member') and not pg_has_role(session_user, 'portal_desk', 'member')
$$;

create or replace function portal.staff_login_kept() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if portal.staff_elsewhere() and exists (select from portal.login l where l.login_id = new.login_id
    and l.staff_role is not null) then
    raise exception 'Staff log in at the desk''s own address.' using errcode = 'PT403', constraint = 'staff_elsewhere';
  end if;
  return null;
end
$$;
create or replace trigger session_staff_login after insert or update of login_id on portal.session
  for each row execute function portal.staff_login_kept();
create or replace trigger login_staff_login after insert or update of password_hash, staff_role, email,
  disabled on portal.login
  for each row when (new.staff_role is not null) execute function portal.staff_login_kept();
