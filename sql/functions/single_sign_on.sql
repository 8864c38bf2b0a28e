-- Single sign-on for staff. The program checks what the provider signed; the database
-- decides whose log-in that is, and what it may. Only the log-in path (portal_auth)
-- calls these, and the command line (portal_work).

-- Whether a log-in may be used with what the portal itself knows: a password, a passkey,
-- a reset link. Customers always; staff unless that is closed, or they were let in.
create or replace function portal.logs_in_locally(p_login_id bigint) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select l.staff_role is null or co.staff_local_login or coalesce(l.local_until > erp.now(), false)
  from portal.login l cross join erp.company co where l.login_id = p_login_id
$$;

-- Keeps that a browser was sent to the provider, for ten minutes. With a session, its
-- owner is to prove anew who they are.
create or replace function portal.begin_sign_on(p_state_hash bytea, p_browser_hash bytea, p_session_id bigint,
  p_next text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if p_session_id is not null then
    perform portal.hold_session(p_session_id);
  end if;
  insert into portal.sign_on (state_hash, browser_hash, session_id, next, expires_at)
  values (p_state_hash, p_browser_hash, p_session_id, p_next, erp.now() + interval '10 minutes');
end
$$;
grant execute on function portal.begin_sign_on(bytea, bytea, bigint, text) to portal_auth;

-- Takes it, once, for the browser that was sent; no row for any other. age: since when.
create or replace function portal.take_sign_on(p_state_hash bytea, p_browser_hash bytea)
returns table (session_id bigint, next text, age interval)
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  delete from portal.sign_on s
  where s.state_hash = p_state_hash and s.browser_hash = p_browser_hash and s.expires_at > erp.now()
  returning s.session_id, s.next, erp.now() - s.begun_at
$$;
grant execute on function portal.take_sign_on(bytea, bytea) to portal_auth;

-- Browsers that did not come back.
create or replace function portal.forget_sign_ons(p_batch int) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  gone int;
begin
  delete from portal.sign_on s where s.state_hash in (
    select x.state_hash from portal.sign_on x where x.expires_at <= erp.now()
    order by x.expires_at limit p_batch for update skip locked);
  get diagnostics gone = row_count;
  return gone;
end
$$;
grant execute on function portal.forget_sign_ons(int) to portal_work;

-- Gives staff the duties of their groups. Where that would take the last administrator
-- away, they stay one, and the audit says so.
create or replace function portal.set_duties_of_groups(p_login_id bigint, p_duties text[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  broken text;
begin
  perform portal.set_duties(p_login_id, p_duties);
exception when sqlstate 'PT409' then
  get stacked diagnostics broken = constraint_name;
  if broken <> 'last_administrator' then
    raise;
  end if;
  perform portal.set_duties(p_login_id, p_duties || 'administrator'::text);
  insert into portal.audit (action, subject, data)
  select 'duty', l.email::text, '{"administrator": ["no group of the provider gives it", "kept: nobody else is one"]}'
  from portal.login l where l.login_id = p_login_id;
end
$$;

-- Whose log-in an account at the provider is. It is known by issuer and subject. One that
-- comes for the first time is linked to the log-in of staff with its e-mail, if the
-- provider has verified that and nobody else's account is linked there; else, if
-- p_create, a log-in is made. p_operator: whether a group makes an operator; null: groups
-- do not say.
--
-- refused is null, or why nobody is let in: unverified, customer, disabled, other_account,
-- unknown, no_duty. Who has no duty any more loses those they had, and their sessions.
create or replace function portal.log_in_by_identity(p_issuer text, p_subject text, p_email text, p_verified boolean,
  p_name text, p_duties text[], p_operator boolean, p_create boolean, p_password_hash text,
  out login_id bigint, out refused text)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  mail constant text := erp.clean_text(p_email);
  nothing constant boolean := cardinality(p_duties) = 0 and p_operator is not true; -- that their groups give
  l portal.login;
  known boolean;
begin
  if portal.staff_elsewhere() then
    raise exception 'Staff log in at the desk''s own address.' using errcode = 'PT403', constraint = 'staff_elsewhere';
  end if;
  -- one after the other, so that an account is linked once
  perform pg_advisory_xact_lock(hashtextextended('staff_identity:' || p_issuer || ' ' || p_subject, 0));
  select x.* into l from portal.staff_identity i join portal.login x using (login_id)
    where i.issuer = p_issuer and i.subject = p_subject for no key update of x;
  known := found;
  if not known then
    if mail is null or mail = '' or not p_verified then
      refused := 'unverified';
    elsif nothing then
      refused := 'no_duty';
    else
      select x.* into l from portal.login x where x.email operator(public.=) mail::public.citext for no key update;
      if found and l.staff_role is null then
        refused := 'customer';
      elsif found and exists (select from portal.staff_identity i where i.login_id = l.login_id) then
        refused := 'other_account';
      elsif not found and not p_create then
        refused := 'unknown';
      end if;
    end if;
  end if;
  if refused is not null then
    return;
  end if;
  if l.disabled or l.staff_role is null and known then
    refused := 'disabled';
    return;
  end if;
  if l.login_id is null then
    insert into portal.login (email, name, staff_role, password_hash)
    values (mail::public.citext, left(coalesce(erp.clean_text(p_name), ''), 80), 'desk', p_password_hash)
    returning * into l;
  end if;
  insert into portal.staff_identity as i (issuer, subject, login_id, email, used_at)
  values (p_issuer, p_subject, l.login_id, coalesce(mail, ''), erp.now())
  on conflict (issuer, subject) do update set email = excluded.email, used_at = excluded.used_at;
  delete from portal.invitation v where v.login_id = l.login_id; -- it was taken up this way
  perform portal.set_duties_of_groups(l.login_id, p_duties);
  if p_operator is not null then
    update portal.login x set staff_role = case when p_operator then 'ops' else 'desk' end
      where x.login_id = l.login_id and x.staff_role <> case when p_operator then 'ops' else 'desk' end;
  end if;
  if nothing then
    refused := 'no_duty';
    delete from portal.session s where s.login_id = l.login_id;
    return;
  end if;
  login_id := l.login_id;
end
$$;
grant execute on function portal.log_in_by_identity(text, text, text, boolean, text, text[], boolean, boolean, text)
  to portal_auth;

-- The owner of a session has proved anew who they are, at the provider. False: it was
-- another account, or the session is none of single sign-on, or there is a second factor
-- of our own to prove.
create or replace function portal.confirm_by_identity(p_session_id bigint, p_issuer text, p_subject text,
  p_age interval) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  h record;
begin
  h := portal.hold_session(p_session_id);
  update portal.session s set confirmed_at = erp.now() - p_age
    where s.session_id = p_session_id and s.login_kind = 'sso' and h.stage = 'full'
      and exists (select from portal.staff_identity i
        where i.login_id = h.login_id and i.issuer = p_issuer and i.subject = p_subject)
      and not exists (select from portal.factor f where f.login_id = h.login_id);
  return found;
end
$$;
grant execute on function portal.confirm_by_identity(bigint, text, text, interval) to portal_auth;

-- Lets somebody of the staff in with a new password though that is closed, for a while:
-- for when the provider is gone. False: there is no such log-in of staff.
create or replace function portal.let_in(p_email text, p_for interval, p_password_hash text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update portal.login l set local_until = erp.now() + p_for, password_hash = p_password_hash,
    password_changed_at = erp.now()
    where l.email operator(public.=) p_email::public.citext and l.staff_role is not null and not l.disabled;
  return found;
end
$$;
grant execute on function portal.let_in(text, interval, text) to portal_work;

-- Takes the link to an account at the provider away, and ends the sessions of it: the
-- next account with the e-mail is linked anew. False: there was none.
create or replace function portal.unlink_identity(p_email text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  whose bigint;
begin
  delete from portal.staff_identity i using portal.login l
    where l.login_id = i.login_id and l.email operator(public.=) p_email::public.citext
    returning i.login_id into whose;
  delete from portal.session s where s.login_id = whose and s.login_kind = 'sso';
  return whose is not null;
end
$$;
grant execute on function portal.unlink_identity(text) to portal_work;
