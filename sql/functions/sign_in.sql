-- Passwords at log-in, and the opening and ending of sessions. Only the log-in path
-- (portal_auth) calls these.

-- The highest cost of any hash that is stored, so that an address that nobody logs in
-- with takes as long to refuse as the slowest that somebody does.
create or replace function portal.highest_hash_cost() returns int
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return (select max(substring(l.password_hash, 5, 2))::int from portal.login l);
end
$$;
grant execute on function portal.highest_hash_cost() to portal_auth;

-- Keeps the same password under a new hash, unless it was changed since p_was was read.
create or replace function portal.raise_hash(p_login_id bigint, p_was text, p_now text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update portal.login l set password_hash = p_now, hash_raised_at = erp.now()
    where l.login_id = p_login_id and l.password_hash = p_was;
end
$$;
grant execute on function portal.raise_hash(bigint, text, text) to portal_auth;

-- When a session ends that was made then and is used now.
create or replace function portal.session_end(p_staff boolean, p_created_at timestamptz) returns timestamptz
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return (select least(erp.now() + case when p_staff then co.staff_session_idle else co.session_idle end,
      p_created_at + case when p_staff then co.staff_session_max else co.session_max end)
    from erp.company co);
end
$$;

-- Opens a session for a log-in whose password, passkey or account at the provider was
-- right: p_login_kind (password, passkey, sso) says which. Of a provider's proof:
-- p_multi_factor, it counts as the second factor; p_age, since when the person has proved
-- who they are there (null: it did not say). The browser is
-- known by its cookie, else by the address and the program that a log-in came from
-- before; another one is told by mail, once any was known. What that browser had open
-- ends: p_replaces is the hash of the token it showed, or null.
create or replace function portal.open_session(p_login_id bigint, p_token_hash bytea, p_browser_hash bytea,
  p_replaces bytea,
  p_user_agent text, p_source text, p_login_kind text default 'password',
  p_multi_factor boolean default false, p_age interval default '0') returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  l portal.login;
  b portal.browser;
  has_factor boolean := exists (select from portal.factor f where f.login_id = p_login_id);
  trusted boolean;
  likely boolean;
  made bigint;
begin
  select * into strict l from portal.login x where x.login_id = p_login_id for no key update;
  update portal.browser x set last_seen_at = erp.now(), user_agent = p_user_agent, source = p_source
    where x.login_id = p_login_id and x.token_hash = p_browser_hash
    returning * into b;
  if found then
    perform portal.say_session_end('replaced');
    delete from portal.session s where s.browser_id = b.browser_id and s.parent_id is null;
  else
    -- Without its cookie it may be another person's: what is trusted is not taken over.
    likely := exists (select from portal.browser x where x.login_id = p_login_id and x.user_agent = p_user_agent
      and x.source = p_source);
    update portal.browser x set last_seen_at = erp.now(), token_hash = p_browser_hash, trusted_until = null
      where x.browser_id = (select y.browser_id from portal.browser y
        where y.login_id = p_login_id and y.user_agent = p_user_agent and y.source = p_source
          and coalesce(y.trusted_until <= erp.now(), true)
        order by y.last_seen_at desc, y.browser_id limit 1)
      returning * into b;
    if found then
      update portal.session s set browser_id = null where s.browser_id = b.browser_id;
    else
      if not likely and exists (select from portal.browser x where x.login_id = p_login_id) then
        perform portal.mail_security(array[p_login_id], 'new_device', jsonb_build_object('user_agent', p_user_agent,
          'source', p_source));
      end if;
      insert into portal.browser (login_id, token_hash, user_agent, source) values (p_login_id, p_browser_hash,
        p_user_agent, p_source)
        returning * into b;
    end if;
  end if;
  perform portal.say_session_end('replaced');
  delete from portal.session s where s.token_hash = p_replaces;
  perform portal.say_session_end('');
  -- Who has a second factor and does not give it within a quarter of an hour begins anew.
  -- A browser that skips it proves nobody: what asks for a proof later asks for one.
  trusted := coalesce(b.trusted_until > erp.now(), false);
  insert into portal.session (login_id, token_hash, expires_at, user_agent, source, browser_id, login_kind, factor_at,
    confirmed_at)
  values (p_login_id, p_token_hash,
    least(portal.session_end(l.staff_role is not null, erp.now()), case when has_factor and not trusted
      and not p_multi_factor
      then erp.now() + interval '15 minutes' end),
    p_user_agent, p_source, b.browser_id, p_login_kind,
    case when p_multi_factor or has_factor and trusted then erp.now() end,
    case when p_multi_factor or not has_factor then erp.now() - p_age end)
  returning session_id into made;
  return made;
end
$$;
grant execute on function portal.open_session(bigint, bytea, bytea, bytea, text, text, text, boolean, interval)
  to portal_auth;

-- Marks a session used, at most once a minute: a page is no reason to write.
create or replace function portal.session_seen(p_session_id bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update portal.session s set seen_at = erp.now(), expires_at = portal.session_end(l.staff_role is not null,
    s.created_at)
    from portal.login l
    where s.session_id = p_session_id and l.login_id = s.login_id and s.seen_at < erp.now() - interval '1 minute';
end
$$;
grant execute on function portal.session_seen(bigint) to portal_auth;

-- Ends all sessions of a log-in but one, and what other browsers were trusted with.
-- Returns how many ended.
create or replace function portal.end_other_sessions(p_session_id bigint) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  mine portal.session;
  ended int;
begin
  select * into strict mine from portal.session s where s.session_id = p_session_id and s.parent_id is null;
  update portal.browser b set trusted_until = null
    where b.login_id = mine.login_id and b.browser_id is distinct from mine.browser_id and b.trusted_until is not null;
  perform portal.say_session_end('ended');
  delete from portal.session s where s.login_id = mine.login_id and s.parent_id is null
    and s.session_id <> p_session_id;
  get diagnostics ended = row_count;
  perform portal.say_session_end('');
  return ended;
end
$$;
grant execute on function portal.end_other_sessions(bigint) to portal_auth;

-- Mails to the owner of each log-in what happened to it: new_device, password_changed,
-- factor_changed. p_data is what the letter says of it, never a secret.
create or replace function portal.mail_security(p_login_ids bigint[], p_kind text, p_data jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  made bigint[];
begin
  with queued as (
    insert into portal.mail (key, kind, recipient, login_id, customer_id, data)
    select p_kind || ':' || l.login_id || ':' || gen_random_uuid(), p_kind, l.email::text, l.login_id, l.customer_id,
      p_data || jsonb_build_object('at', erp.now(), 'staff', l.staff_role is not null)
    from portal.login l where l.login_id = any (p_login_ids) and not l.disabled
    returning mail_id
  )
  select array_agg(q.mail_id order by q.mail_id) into made from queued q;
  perform portal.enqueue_mails(made);
end
$$;

-- Forgets browsers from which nobody has logged in for a year and a month.
create or replace function portal.forget_browsers(p_batch int) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  gone int;
begin
  delete from portal.browser b where b.browser_id in (
    select x.browser_id from portal.browser x where x.last_seen_at < erp.now() - interval '400 days'
    order by x.last_seen_at limit p_batch for update skip locked);
  get diagnostics gone = row_count;
  return gone;
end
$$;
grant execute on function portal.forget_browsers(int) to portal_work;
