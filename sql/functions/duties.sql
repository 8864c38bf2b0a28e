-- Duties of staff (portal.duty, portal.user_duty): who has which, and who gives them.

-- The duties of a log-in in their order; empty for customers and whoever has none.
create or replace function portal.duties(p_user_id bigint) returns text[]
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(u.duty order by d.sort), '{}')
  from portal.user_duty u join portal.duty d on d.code = u.duty
  where u.user_id = p_user_id
$$;
grant execute on function portal.duties(bigint) to portal_desk, portal_work, portal_auth;

-- Whether the staff that this transaction acts for has one of the duties. A
-- transaction of nobody's of the staff (the ERP, jobs, the command line) has all.
create or replace function portal.has_duty(variadic p_duties text[]) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select portal.staff_id() is null or exists (
    select from portal.user_duty u join portal.login l on l.login_id = u.user_id
    where u.user_id = portal.staff_id() and u.duty = any (p_duties) and l.staff_role is not null and not l.disabled)
$$;
grant execute on function portal.has_duty(text[]) to portal_desk, portal_work;

-- Refuses staff that have none of the duties. The words name what is needed; the
-- detail has the codes, for the page that says who can give them.
create or replace function portal.assert_duty(variadic p_duties text[]) returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if not portal.has_duty(variadic p_duties) then
    raise exception 'This needs the duty %.', (
        select string_agg(d.label, ' or ' order by d.sort) from portal.duty d where d.code = any (p_duties))
      using errcode = 'PT403', constraint = 'duty_needed', detail = array_to_string(p_duties, ',');
  end if;
end
$$;
grant execute on function portal.assert_duty(text[]) to portal_desk, portal_work;

-- Gives a log-in of staff exactly these duties, in whatever order; null is none. Staff
-- that do so are administrators. That an administrator is left is the trigger's to see.
create or replace function portal.set_duties(p_user_id bigint, p_duties text[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  wanted constant text[] := coalesce(p_duties, '{}');
  unknown text;
begin
  perform portal.assert_duty('administrator');
  -- one at a time: what this looks at stays until it is written
  perform from portal.login l where l.login_id = p_user_id and l.staff_role is not null for no key update;
  if not found then
    raise exception 'There is no such log-in of staff.' using errcode = 'PT404', constraint = 'staff_only';
  end if;
  select string_agg(w.code, ', ' order by w.code) into unknown
  from unnest(wanted) as w(code) where not exists (select from portal.duty d where d.code = w.code);
  if unknown is not null or array_position(wanted, null) is not null then
    raise exception 'There is no duty %. There are %.', coalesce(unknown, 'without a name'),
        (select string_agg(d.code, ', ' order by d.sort) from portal.duty d)
      using errcode = 'PT422', constraint = 'unknown_duty', column = 'duties';
  end if;
  if p_user_id = portal.staff_id() and 'administrator' <> all (wanted) then
    raise exception 'Nobody takes their own duty Administrator away: another administrator does.'
      using errcode = 'PT409', constraint = 'own_administrator', column = 'administrator';
  end if;
  delete from portal.user_duty u where u.user_id = p_user_id and u.duty <> all (wanted);
  insert into portal.user_duty (user_id, duty) select p_user_id, w.code from unnest(wanted) as w(code)
  on conflict do nothing;
end
$$;
grant execute on function portal.set_duties(bigint, text[]) to portal_desk, portal_work;
