-- The distributor's own people, at /desk/staff: seen and changed by administrators. The
-- command line and single sign-on set duties and close log-ins in the same tables.

-- Who can give duties and can log in, by name; five are enough to ask one.
create or replace function portal.administrators() returns setof text
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(nullif(l.name, ''), l.email::text)
  from portal.user_duty u join portal.login l on l.login_id = u.user_id
  where u.duty = 'administrator' and l.staff_role is not null and not l.disabled
    and not exists (select from portal.invitation v where v.login_id = l.login_id)
  order by l.last_login_at desc nulls last, l.login_id limit 5
$$;
grant execute on function portal.administrators() to portal_desk;

-- Keeps that somebody of the staff was refused for the want of a duty, and what they
-- asked for. In a transaction of its own: that of the refusal is gone.
create or replace function portal.note_refused(p_needed text[], p_asked text) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  insert into portal.audit (action, subject, data)
  select 'refused', l.email::text, jsonb_build_object('asked', left(p_asked, 300), 'needs', to_jsonb(p_needed))
  from portal.login l where l.login_id = portal.staff_id()
$$;
grant execute on function portal.note_refused(text[], text) to portal_desk;

create or replace function portal.staff() returns table (login_id bigint, email text, name text, operator boolean,
  duties text[],
  second_factor boolean, disabled boolean, last_login_at timestamptz, invited_until timestamptz, sessions int)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform portal.assert_duty('administrator');
  return query
  select l.login_id, l.email::text, l.name, l.staff_role = 'ops', portal.duties(l.login_id),
    exists (select from portal.factor f where f.login_id = l.login_id), l.disabled, l.last_login_at, v.expires_at,
    (select count(*)::int from portal.session_now s where s.login_id = l.login_id and s.parent_id is null)
  from portal.login l left join portal.invitation v using (login_id)
  where l.staff_role is not null
  order by l.disabled, lower(coalesce(nullif(l.name, ''), l.email::text)), l.login_id;
end
$$;
grant execute on function portal.staff() to portal_desk;

-- Holds a log-in of staff for who may change it. Its own an administrator only looks at:
-- nobody locks themselves out by a slip.
create or replace function portal.hold_staff(p_login_id bigint, p_own boolean default false) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.assert_duty('administrator');
  perform from portal.login l where l.login_id = p_login_id and l.staff_role is not null for no key update;
  if not found then
    raise exception 'There is no such log-in of staff.' using errcode = 'PT404', constraint = 'staff_only';
  end if;
  if p_login_id = portal.staff_id() and not p_own then
    raise exception 'Nobody does this to their own log-in: another administrator does.'
      using errcode = 'PT409', constraint = 'own_login';
  end if;
end
$$;
grant execute on function portal.hold_staff(bigint, boolean) to portal_desk;

create or replace function portal.save_staff(p_login_id bigint, p_name text, p_duties text[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.hold_staff(p_login_id, true);
  update portal.login l set name = erp.clean_text(p_name)
    where l.login_id = p_login_id and l.name is distinct from erp.clean_text(p_name);
  perform portal.set_duties(p_login_id, p_duties);
end
$$;
grant execute on function portal.save_staff(bigint, text, text[]) to portal_desk;

-- As portal.invite_person: p_password_hash is one that nobody knows the password of,
-- p_token_hash that of the link which sets one.
create or replace function portal.invite_staff(p_email text, p_name text, p_duties text[], p_password_hash text,
  p_token_hash bytea) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  made bigint;
begin
  perform portal.assert_duty('administrator');
  insert into portal.login (staff_role, email, name, password_hash)
  values ('desk', p_email::public.citext, erp.clean_text(p_name), p_password_hash)
  returning login_id into made;
  insert into portal.invitation (login_id, token_hash, expires_at)
    values (made, p_token_hash, erp.now() + interval '7 days');
  perform portal.set_duties(made, p_duties);
  return made;
end
$$;
grant execute on function portal.invite_staff(text, text, text[], text, bytea) to portal_desk;

create or replace function portal.renew_staff_invitation(p_login_id bigint, p_token_hash bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.hold_staff(p_login_id);
  update portal.invitation v set token_hash = p_token_hash, made_by = portal.actor(), made_at = erp.now(),
    expires_at = erp.now() + interval '7 days'
    where v.login_id = p_login_id;
  if not found then
    raise exception 'This log-in has its password already.' using errcode = 'PT409', constraint = 'invitation_used';
  end if;
end
$$;
grant execute on function portal.renew_staff_invitation(bigint, bytea) to portal_desk;

-- Closes a log-in of staff, or opens it again. Its sessions end by the trigger on
-- portal.login, which also sees that an administrator is left.
create or replace function portal.disable_staff(p_login_id bigint, p_disabled boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.hold_staff(p_login_id);
  update portal.login l set disabled = p_disabled where l.login_id = p_login_id and l.disabled <> p_disabled;
end
$$;
grant execute on function portal.disable_staff(bigint, boolean) to portal_desk;

-- Ends all sessions of a log-in of staff, and what spares its browsers the second factor.
-- Returns how many.
create or replace function portal.end_staff_sessions(p_login_id bigint) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  n int;
begin
  perform portal.hold_staff(p_login_id);
  select count(*) into n from portal.session_now s where s.login_id = p_login_id and s.parent_id is null;
  delete from portal.session s where s.login_id = p_login_id;
  update portal.browser b set trusted_until = null where b.login_id = p_login_id and b.trusted_until is not null;
  insert into portal.audit (action, subject, data)
  select 'sessions', l.email::text, jsonb_build_object('ended', n) from portal.login l where l.login_id = p_login_id;
  return n;
end
$$;
grant execute on function portal.end_staff_sessions(bigint) to portal_desk;

-- Takes the second factors of a log-in of staff away, for somebody who has lost them.
create or replace function portal.reset_staff_factors(p_login_id bigint) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.hold_staff(p_login_id);
  return portal.reset_factors((select l.email::text from portal.login l where l.login_id = p_login_id));
end
$$;
grant execute on function portal.reset_staff_factors(bigint) to portal_desk;

-- Tells open pages of staff, and what waits there, that something is different, no more.
create or replace function portal.staff_told() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.emit('staff', null, '');
  return null;
end
$$;
