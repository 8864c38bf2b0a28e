-- The second factor. Only the log-in path (portal_auth) calls these; nobody else reads
-- a secret. Each names the session that asks, and decides by its row what it may.
--
-- The program checks codes and signatures, since the database has no key and no such
-- arithmetic. The database holds what the program could forget: that a code or a
-- challenge serves once, that guessing is locked, and that a session goes nowhere before
-- its factor (the view portal.session_now).

-- Whether who has a session proved who they are within the company's confirm_within. Staff
-- who act as a customer do by their own session.
create or replace function portal.is_confirmed(p_session_id bigint) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce((
    select coalesce(p.confirmed_at, s.confirmed_at) > erp.now() - co.confirm_within
    from portal.session s left join portal.session p on p.session_id = s.parent_id cross join erp.company co
    where s.session_id = p_session_id), false)
$$;

-- A session and its log-in, held until the transaction ends; refused once it is over,
-- and where a process that serves only customers asks for one of staff.
create or replace function portal.hold_session(p_session_id bigint, out login_id bigint, out email text,
  out customer_id bigint,
  out staff boolean, out browser_id bigint, out stage text, out confirmed boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform from portal.session s where s.session_id = p_session_id for no key update;
  select n.login_id, l.email::text, l.customer_id, l.staff_role is not null, s.browser_id, n.stage,
      portal.is_confirmed(p_session_id)
    into login_id, email, customer_id, staff, browser_id, stage, confirmed
    from portal.session_now n
    join portal.session s using (session_id)
    join portal.login l on l.login_id = n.login_id
    where n.session_id = p_session_id and n.parent_id is null and not (l.staff_role is not null
      and portal.staff_elsewhere());
  if not found then
    raise exception 'Please log in.' using errcode = 'PT401', constraint = 'session_over';
  end if;
end
$$;

-- Refuses who has not proved who they are for a while. Setting up the first factor where
-- it is obligatory comes right after the password.
create or replace function portal.assert_confirmed(p_session_id bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  h record;
begin
  h := portal.hold_session(p_session_id);
  if not (h.stage = 'enrol' or h.stage = 'full' and h.confirmed) then
    perform portal.refuse_unconfirmed();
  end if;
end
$$;

create or replace function portal.refuse_unconfirmed() returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'Prove first that it is you.' using errcode = 'PT403', constraint = 'not_confirmed';
end
$$;

-- The same for people and money, in a request of the portal: it names its session in the
-- setting portal.session_id. Programs that have no session with the portal are not asked.
-- Nothing is held, so that a form of one page waits for no other page of the session.
create or replace function portal.assert_request_confirmed() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  asking bigint := nullif(current_setting('portal.session_id', true), '');
begin
  if asking is not null and not (portal.is_confirmed(asking)
      and exists (select from portal.session_now n where n.session_id = asking and n.stage = 'full')) then
    perform portal.refuse_unconfirmed();
  end if;
end
$$;

-- Whether codes of a log-in are not looked at, since too many were wrong.
create or replace function portal.factor_locked(p_login_id bigint) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select exists (select from portal.factor_failure x where x.login_id = p_login_id and x.locked_until > erp.now())
$$;

-- What a session is asked, and what its owner has.
create or replace function portal.factor_state(p_session_id bigint) returns table (stage text, confirmed boolean,
  obligatory boolean,
  apps int, passkeys int, codes_left int, trusted boolean, locked boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  h record;
begin
  h := portal.hold_session(p_session_id);
  return query
  select h.stage, h.confirmed,
    (select h.staff and co.staff_second_factor from erp.company co)
      or coalesce((select c.second_factor from erp.customer c where c.customer_id = h.customer_id), false),
    (select count(*)::int from portal.factor f where f.login_id = h.login_id and f.kind = 'app'),
    (select count(*)::int from portal.factor f where f.login_id = h.login_id and f.kind = 'passkey'),
    (select count(*)::int from portal.recovery_code r where r.login_id = h.login_id and r.used_at is null),
    exists (select from portal.browser b where b.browser_id = h.browser_id and b.trusted_until > erp.now()),
    portal.factor_locked(h.login_id);
end
$$;
grant execute on function portal.factor_state(bigint) to portal_auth;

-- The factors of a session's owner, without their secrets.
create or replace function portal.factors(p_session_id bigint) returns table (factor_id bigint, kind text, name text,
  made_at timestamptz, used_at timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.hold_session(p_session_id);
  return query
  select f.factor_id, f.kind, f.name, f.made_at, f.used_at
  from portal.factor f join portal.session s using (login_id)
  where s.session_id = p_session_id and s.parent_id is null order by f.made_at, f.factor_id;
end
$$;
grant execute on function portal.factors(bigint) to portal_auth;

-- Their secrets, to check what was given.
create or replace function portal.factor_secrets(p_session_id bigint, p_kind text)
  returns table (factor_id bigint, secret bytea,
  credential jsonb, handle bytea)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.hold_session(p_session_id);
  return query
  select f.factor_id, f.secret, f.credential, f.handle
  from portal.factor f join portal.session s using (login_id)
  where s.session_id = p_session_id and s.parent_id is null and f.kind = p_kind order by f.factor_id;
end
$$;
grant execute on function portal.factor_secrets(bigint, text) to portal_auth;

-- Whose a passkey is, with all of that log-in's, for a log-in by it alone.
create or replace function portal.passkey_owner(p_credential_id bytea) returns table (login_id bigint, credential jsonb,
  handle bytea)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select f.login_id, f.credential, f.handle
  from portal.factor f
  where f.login_id = (select x.login_id from portal.factor x where x.credential_id = p_credential_id)
    and f.kind = 'passkey'
    and not (portal.staff_elsewhere() and exists (select from portal.login l where l.login_id = f.login_id
      and l.staff_role is not null))
  order by f.credential_id = p_credential_id desc, f.factor_id;
end
$$;
grant execute on function portal.passkey_owner(bytea) to portal_auth;

-- Whether a log-in may log in now: for one by passkey, which gives no password.
create or replace function portal.login_open(p_login_id bigint) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select from portal.login l
    left join erp.customer c using (customer_id)
    left join erp.web_access w using (customer_id)
    where l.login_id = p_login_id and not l.disabled and (l.staff_role is not null or c.active and w.enabled));
end
$$;
grant execute on function portal.login_open(bigint) to portal_auth;

-- The session has proved its factor. With p_remember the browser is not asked again for
-- thirty days.
create or replace function portal.session_proved(p_session_id bigint, p_remember boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  h record;
begin
  h := portal.hold_session(p_session_id);
  update portal.session s set factor_at = erp.now(), confirmed_at = erp.now(), expires_at = portal.session_end(h.staff,
    s.created_at)
    where s.session_id = p_session_id;
  delete from portal.factor_failure x where x.login_id = h.login_id;
  if p_remember and h.browser_id is not null then
    update portal.browser b set trusted_until = erp.now() + interval '30 days' where b.browser_id = h.browser_id;
    insert into portal.audit (action, customer_id, subject, data)
    values ('factor', h.customer_id, h.email, '{"browser": ["asked", "not asked for 30 days"]}');
  end if;
end
$$;

-- A code of an app was right in a period. False: it, or a later one, has been used.
create or replace function portal.use_app_code(p_session_id bigint, p_factor_id bigint, p_step bigint,
  p_remember boolean) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  h record;
begin
  h := portal.hold_session(p_session_id);
  update portal.factor f set last_step = p_step, used_at = erp.now()
    where f.factor_id = p_factor_id and f.login_id = h.login_id and f.kind = 'app' and f.last_step < p_step
      and not portal.factor_locked(h.login_id);
  if not found then
    return false;
  end if;
  perform portal.session_proved(p_session_id, p_remember);
  return true;
end
$$;
grant execute on function portal.use_app_code(bigint, bigint, bigint, boolean) to portal_auth;

-- A recovery code. False: it is none, or was used.
create or replace function portal.use_recovery_code(p_session_id bigint, p_hash bytea, p_remember boolean)
  returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  h record;
begin
  h := portal.hold_session(p_session_id);
  update portal.recovery_code r set used_at = erp.now()
    where r.login_id = h.login_id and r.code_hash = p_hash and r.used_at is null
      and not portal.factor_locked(h.login_id);
  if not found then
    return false;
  end if;
  insert into portal.audit (action, customer_id, subject, data) values ('factor', h.customer_id, h.email,
    '{"recovery_code": ["unused", "used"]}');
  perform portal.mail_security(array[h.login_id], 'factor_changed', '{"text": "One of your recovery codes was used."}');
  perform portal.session_proved(p_session_id, p_remember);
  return true;
end
$$;
grant execute on function portal.use_recovery_code(bigint, bytea, boolean) to portal_auth;

-- A passkey signed, with what is kept of it now. False: it is none of the owner's.
create or replace function portal.use_passkey(p_session_id bigint, p_credential_id bytea, p_credential jsonb,
  p_remember boolean) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  h record;
begin
  h := portal.hold_session(p_session_id);
  update portal.factor f set credential = p_credential, used_at = erp.now()
    where f.credential_id = p_credential_id and f.login_id = h.login_id;
  if not found then
    return false;
  end if;
  perform portal.session_proved(p_session_id, p_remember);
  return true;
end
$$;
grant execute on function portal.use_passkey(bigint, bytea, jsonb, boolean) to portal_auth;

-- The password was given once more: that will do where there is no factor, and the
-- session was not opened by single sign-on, which the provider confirms.
create or replace function portal.confirm_by_password(p_session_id bigint) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  h record;
begin
  h := portal.hold_session(p_session_id);
  update portal.session s set confirmed_at = erp.now()
    where s.session_id = p_session_id and h.stage = 'full' and s.login_kind <> 'sso'
      and portal.logs_in_locally(h.login_id)
      and not exists (select from portal.factor f where f.login_id = h.login_id);
  if not found then
    return false;
  end if;
  delete from portal.factor_failure x where x.login_id = h.login_id;
  return true;
end
$$;
grant execute on function portal.confirm_by_password(bigint) to portal_auth;

-- Counts what was wrong: the fifth within 15 minutes locks codes for 15 minutes
-- (portal.count_failure).
create or replace function portal.factor_failed(p_session_id bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  h record;
  n record;
begin
  h := portal.hold_session(p_session_id);
  insert into portal.factor_failure (login_id, failed_count, failed_since) values (h.login_id, 1, erp.now())
    on conflict on constraint factor_failure_pkey do nothing;
  if found then
    return;
  end if;
  select c.* into n from portal.factor_failure x
    cross join lateral portal.count_failure(5, x.failed_count, x.failed_since, x.locked_until) c
    where x.login_id = h.login_id for update of x;
  update portal.factor_failure x set failed_count = n.failed_count, failed_since = n.failed_since,
    locked_until = n.locked_until
    where x.login_id = h.login_id;
end
$$;
grant execute on function portal.factor_failed(bigint) to portal_auth;

-- Adds a factor, which proves the session. The owner's other sessions end, and no browser
-- skips the factor any more. Returns how many factors there are.
create or replace function portal.add_factor(p_session_id bigint, p_kind text, p_name text, p_secret bytea,
  p_step bigint,
  p_credential_id bytea, p_credential jsonb, p_handle bytea) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  h record;
  n int;
begin
  perform portal.assert_confirmed(p_session_id);
  h := portal.hold_session(p_session_id);
  perform from portal.login l where l.login_id = h.login_id for no key update;
  select count(*) into n from portal.factor f where f.login_id = h.login_id;
  if n >= 20 then
    raise exception 'Twenty are enough: remove one first.' using errcode = 'PT409', constraint = 'factor_many';
  end if;
  insert into portal.factor (login_id, kind, name, secret, last_step, credential_id, credential, handle)
  values (h.login_id, p_kind, coalesce(nullif(left(erp.clean_text(p_name), 60), ''), case p_kind when 'app'
    then 'Authenticator app' else 'Passkey' end),
    p_secret, p_step, p_credential_id, p_credential, p_handle);
  perform portal.session_proved(p_session_id, false);
  perform portal.end_other_sessions(p_session_id);
  update portal.browser b set trusted_until = null where b.login_id = h.login_id and b.trusted_until is not null;
  return n + 1;
end
$$;
grant execute on function portal.add_factor(bigint, text, text, bytea, bigint, bytea, jsonb, bytea) to portal_auth;

-- Takes one away. The last stays where one is obligatory.
create or replace function portal.remove_factor(p_session_id bigint, p_factor_id bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  h record;
begin
  perform portal.assert_confirmed(p_session_id);
  h := portal.hold_session(p_session_id);
  perform from portal.login l where l.login_id = h.login_id for no key update;
  if not exists (select from portal.factor f where f.factor_id = p_factor_id and f.login_id = h.login_id) then
    raise exception 'That one is gone already.' using errcode = 'PT404', constraint = 'own_factor_only';
  end if;
  if (select s.obligatory from portal.factor_state(p_session_id) s)
    and not exists (select from portal.factor f where f.login_id = h.login_id and f.factor_id <> p_factor_id) then
    raise exception 'A second factor is obligatory for you: add another first.'
      using errcode = 'PT409', constraint = 'factor_last';
  end if;
  delete from portal.factor f where f.factor_id = p_factor_id;
  delete from portal.recovery_code r where r.login_id = h.login_id
    and not exists (select from portal.factor f where f.login_id = h.login_id);
  perform portal.end_other_sessions(p_session_id);
end
$$;
grant execute on function portal.remove_factor(bigint, bigint) to portal_auth;

-- New recovery codes; those before end.
create or replace function portal.set_recovery_codes(p_session_id bigint, p_hashes bytea[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  h record;
begin
  perform portal.assert_confirmed(p_session_id);
  h := portal.hold_session(p_session_id);
  if not exists (select from portal.factor f where f.login_id = h.login_id) then
    raise exception 'Recovery codes stand in for a second factor: set one up first.'
      using errcode = 'PT409', constraint = 'recovery_code_of_factor';
  end if;
  delete from portal.recovery_code r where r.login_id = h.login_id;
  insert into portal.recovery_code (login_id, code_hash) select h.login_id, x from unnest(p_hashes) as x;
  insert into portal.audit (action, customer_id, subject, data)
  values ('factor', h.customer_id, h.email, jsonb_build_object('recovery_codes',
    jsonb_build_array('before', 'made anew')));
end
$$;
grant execute on function portal.set_recovery_codes(bigint, bytea[]) to portal_auth;

-- Takes all factors of a log-in away, for somebody who has lost them: its sessions end,
-- and it logs in with the password alone, to set up another where that is obligatory.
-- Returns how many; null where there is no such log-in.
create or replace function portal.reset_factors(p_email text) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  who bigint;
  n int;
begin
  select l.login_id into who from portal.login l where l.email operator(public.=) p_email::public.citext
    for no key update;
  if not found then
    return null;
  end if;
  delete from portal.factor f where f.login_id = who;
  get diagnostics n = row_count;
  delete from portal.recovery_code r where r.login_id = who;
  delete from portal.factor_failure x where x.login_id = who;
  update portal.browser b set trusted_until = null where b.login_id = who and b.trusted_until is not null;
  delete from portal.session s where s.login_id = who;
  return n;
end
$$;
grant execute on function portal.reset_factors(text) to portal_work;

-- Keeps what a browser is asked, or an app is set up with. One app a session.
create or replace function portal.begin_challenge(p_hash bytea, p_purpose text, p_session_id bigint, p_data jsonb)
  returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if p_session_id is not null then
    perform portal.hold_session(p_session_id);
  end if;
  delete from portal.factor_challenge c where c.session_id = p_session_id and c.purpose = 'app' and p_purpose = 'app';
  insert into portal.factor_challenge (challenge_hash, purpose, session_id, data, expires_at)
  values (p_hash, p_purpose, p_session_id, p_data, erp.now() + case p_purpose when 'app' then interval '1 hour'
    else interval '5 minutes' end);
end
$$;
grant execute on function portal.begin_challenge(bytea, text, bigint, jsonb) to portal_auth;

-- Takes it, once, for the session it was made for; null if there is none.
create or replace function portal.take_challenge(p_hash bytea, p_purpose text, p_session_id bigint) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  found_data jsonb;
begin
  delete from portal.factor_challenge c
    where c.challenge_hash = p_hash and c.purpose = p_purpose and c.session_id is not distinct from p_session_id
      and c.expires_at > erp.now()
    returning c.data into found_data;
  return found_data;
end
$$;
grant execute on function portal.take_challenge(bytea, text, bigint) to portal_auth;

-- The app that a session is setting up, sealed; null if none.
create or replace function portal.app_in_setup(p_session_id bigint) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.hold_session(p_session_id);
  return (select c.data from portal.factor_challenge c where c.session_id = p_session_id and c.purpose = 'app'
    and c.expires_at > erp.now());
end
$$;
grant execute on function portal.app_in_setup(bigint) to portal_auth;

-- Ends what a browser is trusted with.
create or replace function portal.forget_browser(p_session_id bigint, p_browser_id bigint) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  h record;
begin
  h := portal.hold_session(p_session_id);
  update portal.browser b set trusted_until = null where b.browser_id = p_browser_id and b.login_id = h.login_id
    and b.trusted_until is not null;
  return found;
end
$$;
grant execute on function portal.forget_browser(bigint, bigint) to portal_auth;

-- The browsers that skip the second factor.
create or replace function portal.trusted_browsers(p_session_id bigint)
  returns table (browser_id bigint, user_agent text, source text,
  last_seen_at timestamptz, trusted_until timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.hold_session(p_session_id);
  return query
  select b.browser_id, b.user_agent, b.source, b.last_seen_at, b.trusted_until
  from portal.browser b join portal.session s using (login_id)
  where s.session_id = p_session_id and s.parent_id is null and b.trusted_until > erp.now()
    order by b.trusted_until desc;
end
$$;
grant execute on function portal.trusted_browsers(bigint) to portal_auth;

-- Challenges that nobody answered.
create or replace function portal.forget_challenges(p_batch int) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  gone int;
begin
  delete from portal.factor_challenge c where c.challenge_hash in (
    select x.challenge_hash from portal.factor_challenge x where x.expires_at <= erp.now()
    order by x.expires_at limit p_batch for update skip locked);
  get diagnostics gone = row_count;
  return gone;
end
$$;
grant execute on function portal.forget_challenges(int) to portal_work;

-- Whether the people of a customer must have a second factor: staff set it on the
-- customer's page.
create or replace function portal.require_factor(p_customer_no text, p_required boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.assert_request_confirmed();
  update erp.customer c set second_factor = p_required where c.customer_no = p_customer_no
    and c.second_factor <> p_required;
  if not found and not exists (select from erp.customer c where c.customer_no = p_customer_no) then
    raise exception 'There is no customer %.', p_customer_no using errcode = 'PT404', constraint = 'own_customer_only';
  end if;
end
$$;
grant execute on function portal.require_factor(text, boolean) to portal_desk;
