-- What stands before the password check. Each try is counted before its password
-- is looked at, so that many tries at a time gain nothing, and the count is taken
-- back when the password is right.
--
-- Tries are counted by account and place. A place is the network that a request
-- comes from, or the browser itself where the account has logged in with it
-- before. So whoever guesses locks themselves out, and not the account's owner,
-- nor the office or proxy that they share with others. E-mails that nobody logs
-- in with are counted like all others, and take the same time.

create or replace function portal.login_account(p_email text) returns bytea
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select sha256(convert_to(lower(btrim(p_email)), 'UTF8')) $$;

-- Whether a log-in has succeeded before in the browser whose secret hashes to
-- p_device (null: a browser without one).
create or replace function portal.is_known_device(p_email text, p_device bytea) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select exists (select from portal.login_device d join portal.login l using (login_id)
    where d.device = p_device and lower(l.email::text) = lower(btrim(p_email)))
$$;

-- One failure more, of a password or a code: in a window of 15 minutes that begins
-- with the first, number p_most locks for 15 minutes from then (null: nothing does).
-- While it is locked nothing changes, so the end stays where it is.
create or replace function portal.count_failure(p_most int, inout failed_count int, inout failed_since timestamptz,
  inout locked_until timestamptz)
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
  if locked_until > erp.now() then
    return;
  end if;
  if locked_until is not null or failed_since < erp.now() - interval '15 minutes' then
    failed_count := 0;
    failed_since := erp.now();
    locked_until := null;
  end if;
  failed_count := failed_count + 1;
  if failed_count >= p_most then
    locked_until := erp.now() + interval '15 minutes';
  end if;
end
$$;

-- Counts a try of an account at a place, in a window of 15 minutes that begins
-- with the first. The number of the try; 0: it is locked.
create or replace function portal.count_login_try(p_account bytea, p_place text, p_most int) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  t portal.login_try;
  n record;
begin
  insert into portal.login_try (account, place, failed_count, failed_since) values (p_account, p_place, 0, erp.now())
    on conflict on constraint login_try_pkey do nothing;
  select * into t from portal.login_try x where x.account = p_account and x.place = p_place for update;
  if t.locked_until > erp.now() then
    return 0;
  end if;
  n := portal.count_failure(p_most, t.failed_count, t.failed_since, t.locked_until);
  update portal.login_try x set failed_count = n.failed_count, failed_since = n.failed_since,
    locked_until = n.locked_until
    where x.account = p_account and x.place = p_place;
  return n.failed_count;
end
$$;

-- Takes a turn at a place that guesses a lot: one every five seconds. How long
-- until it comes; null where more wait already than 20 seconds have turns for.
create or replace function portal.take_login_turn(p_place text) returns interval
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  turn timestamptz;
begin
  update portal.login_try x set next_at = greatest(x.next_at, erp.now()) + interval '5 seconds'
    where x.account = '' and x.place = p_place and (x.next_at is null or x.next_at <= erp.now() + interval '20 seconds')
    returning x.next_at - interval '5 seconds' into turn;
  return turn - erp.now();
end
$$;

-- Begins a try to log in. allowed: the password may be looked at, after wait; if
-- not, locked says whether the account is locked for this place, or the place has
-- too many tries waiting. Limits:
--   5 of an account at a place, the third and later each twice as slow; then locked
--   50 of an account at places that it does not know; then locked for those
--   30 at a place, whatever the accounts; then unknown browsers take turns there
create or replace function portal.begin_login_try(p_email text, p_source text, p_device bytea,
  out allowed boolean, out locked boolean, out wait interval)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  account bytea := portal.login_account(p_email);
  known_device boolean := portal.is_known_device(p_email, p_device);
  known_source boolean := exists (select from portal.login_source s join portal.login l using (login_id)
    where s.source = p_source and lower(l.email::text) = lower(btrim(p_email)));
  turn interval;
  who constant bigint := coalesce((select l.login_id from portal.login l
    where l.email operator(public.=) btrim(p_email)::public.citext), 0);
  tries int := portal.count_login_try(account, case when known_device then 'device:' || encode(p_device, 'hex')
    else p_source end, 5);
begin
  wait := case when tries > 2 then interval '1 second' * 2 ^ (tries - 3) else interval '0' end;
  locked := tries = 0;
  if not locked and not known_device and not known_source then
    locked := portal.count_login_try(account, '', 50) = 0;
  end if;
  allowed := not locked;
  if allowed and not known_device and portal.count_login_try('', p_source, null) > 30 then
    turn := portal.take_login_turn(p_source);
    allowed := turn is not null;
    wait := greatest(wait, turn);
  end if;
  -- for the audit log, see portal.tell_login_failures; the last lock that is taken, here and where the count is taken
  -- back
  insert into portal.login_failure as f (login_id, source, minute, tries, refused)
  values (who, p_source, date_trunc('minute', clock_timestamp()), allowed::int, (not allowed)::int)
  on conflict (login_id, source, minute) do update
    set tries = f.tries + excluded.tries, refused = f.refused + excluded.refused, last_at = excluded.last_at;
end
$$;
grant execute on function portal.begin_login_try(text, text, bytea) to portal_auth;

-- Takes back the count of a try whose password was right.
create or replace function portal.end_login_try(p_email text, p_source text, p_device bytea) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  delete from portal.login_try x where x.account = portal.login_account(p_email)
    and x.place in (p_source, 'device:' || encode(p_device, 'hex'));
  update portal.login_try x set failed_count = greatest(x.failed_count - 1, 0)
    where (x.account, x.place) in ((portal.login_account(p_email), ''), (''::bytea, p_source));
  -- of the newest minute that has one: a try may have begun before this minute
  update portal.login_failure f set tries = f.tries - 1
    where f.ctid = (select x.ctid from portal.login_failure x
      where x.login_id = (select l.login_id from portal.login l
        where l.email operator(public.=) btrim(p_email)::public.citext)
        and x.source = p_source and x.tries > 0 order by x.minute desc limit 1 for update of x);
$$;
grant execute on function portal.end_login_try(text, text, bytea) to portal_auth;

-- Lifts every lock of an account, and its slowness.
create or replace function portal.unlock_login(p_email text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  delete from portal.login_try x where x.account = portal.login_account(p_email);
  if found then
    perform portal.add_act('login_unlocked', portal.actor(), l.customer_id, l.email::text, '{}', null)
    from portal.login l where l.email operator(public.=) btrim(p_email)::public.citext;
  end if;
end
$$;
grant execute on function portal.unlock_login(text) to portal_work;

-- Until when an account is locked anywhere; null: nowhere.
create or replace function portal.login_locked_until(p_email text) returns timestamptz
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select max(x.locked_until) from portal.login_try x where x.account = portal.login_account(p_email)
    and x.locked_until > erp.now()
$$;
grant execute on function portal.login_locked_until(text) to portal_work;
