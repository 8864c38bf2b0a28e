-- Single sign-on: where local log-ins of staff are closed, no program opens a session for
-- them otherwise; links to accounts at the provider are staff's, audited and told by mail.
create or replace function portal.local_login_closed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if new.parent_id is null and new.login_kind <> 'sso' and not portal.logs_in_locally(new.login_id) then
    raise exception 'Staff log in by single sign-on here.' using errcode = 'PT403', constraint = 'local_login_closed';
  end if;
  return null;
end
$$;
create or replace trigger session_local_login after insert or update of login_id, login_kind, parent_id
  on portal.session
  for each row execute function portal.local_login_closed();

-- Closing ends what was opened so. Nobody closes the door that they stand behind: an
-- administrator has come in by single sign-on before.
create or replace function portal.company_local_login() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (
    select from portal.staff_identity i join portal.login l using (login_id) join portal.user_duty u
      on u.user_id = l.login_id
    where u.duty = 'administrator' and l.staff_role is not null and not l.disabled) then
    raise exception 'No administrator has logged in by single sign-on yet: do that first, then close local log-ins.'
      using errcode = 'PT409', constraint = 'local_login_needed';
  end if;
  delete from portal.session s using portal.login l
    where l.login_id = s.login_id and l.staff_role is not null and s.parent_id is null and s.login_kind <> 'sso'
      and not coalesce(l.local_until > erp.now(), false);
  return null;
end
$$;
create or replace trigger company_local_login after update of staff_local_login on erp.company
  for each row when (old.staff_local_login and not new.staff_local_login) execute function portal.company_local_login();

create or replace function portal.staff_identity_of_staff() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (select from portal.login l where l.login_id = new.login_id and l.staff_role is not null) then
    raise exception 'Single sign-on is for staff.' using errcode = 'PT409', constraint = 'identity_is_of_staff';
  end if;
  return new;
end
$$;
create or replace trigger staff_identity_of_staff before insert or update of login_id on portal.staff_identity
  for each row execute function portal.staff_identity_of_staff();

create or replace function portal.login_identity_ends() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  delete from portal.staff_identity i where i.login_id = new.login_id;
  return null;
end
$$;
create or replace trigger login_identity_ends after update of staff_role on portal.login
  for each row when (old.staff_role is not null and new.staff_role is null)
  execute function portal.login_identity_ends();

create or replace function portal.staff_identity_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  i record;
begin
  for i in
    select r.login_id, r.email, l.email::text as subject, jsonb_build_object('issuer', r.issuer, 'subject', r.subject,
      'email', r.email) as account
    from changed_rows r join portal.login l using (login_id) order by r.login_id
  loop
    insert into portal.audit (action, subject, data)
    values ('login', i.subject, jsonb_build_object('single_sign_on', case tg_op
      when 'INSERT' then jsonb_build_array(null, i.account) else jsonb_build_array(i.account, null) end));
    perform portal.mail_security(array[i.login_id], 'sign_on_changed', jsonb_build_object('text', case tg_op
      when 'INSERT' then 'Your log-in was linked to the account ' || i.email || ' for single sign-on.'
      else 'Your log-in is no longer linked to the account ' || i.email || ' for single sign-on.' end));
  end loop;
  return null;
end
$$;
create or replace trigger staff_identity_linked after insert on portal.staff_identity
  referencing new table as changed_rows for each statement execute function portal.staff_identity_changed();
create or replace trigger staff_identity_unlinked after delete on portal.staff_identity
  referencing old table as changed_rows for each statement execute function portal.staff_identity_changed();
