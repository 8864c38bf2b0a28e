-- Sessions: the end of one, by whatever statement, is an event that closes its
-- sockets. A disabled login and a changed password end sessions here, so that
-- plain SQL does too.
create or replace function portal.session_deleted() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  s record;
begin
  for s in
    select p.session_id, coalesce(p.acting_for, l.customer_id) as customer_id
    from old_rows p left join portal.login l using (login_id) order by p.session_id
  loop
    perform portal.emit('session', s.customer_id, s.session_id::text);
  end loop;
  return null;
end
$$;
create or replace trigger session_deleted after delete on portal.session
  referencing old table as old_rows for each statement execute function portal.session_deleted();

create or replace function portal.session_updated() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  -- shortened to the past, or moved to another login: the socket must go
  perform portal.emit('session', coalesce(n.acting_for, l.customer_id), n.session_id::text)
  from new_rows n join old_rows p using (session_id) left join portal.login l on l.login_id = n.login_id
  where (n.expires_at <> p.expires_at and n.expires_at <= erp.now()) or n.login_id <> p.login_id;
  return null;
end
$$;
create or replace trigger session_updated after update on portal.session
  referencing old table as old_rows new table as new_rows for each statement execute function portal.session_updated();

create or replace function portal.login_updated() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  delete from portal.session s
  using new_rows n join old_rows p using (login_id)
  where s.login_id = n.login_id
    and ((n.disabled and not p.disabled) or n.customer_id is distinct from p.customer_id
      or n.staff_role is distinct from p.staff_role
      or (n.password_hash <> p.password_hash and n.hash_raised_at is not distinct from p.hash_raised_at
          and s.session_id is distinct from nullif(current_setting('portal.keep_session', true), '')::bigint));
  return null;
end
$$;
create or replace trigger login_updated after update on portal.login
  referencing old table as old_rows new table as new_rows for each statement execute function portal.login_updated();
