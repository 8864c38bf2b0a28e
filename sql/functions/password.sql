-- Passwords: nobody reads a hash, not even who checks passwords. Whoever checks one
-- gets the first part of the hash, which says how to compute (version, cost, salt),
-- computes with what was typed, and asks whether the result is the one that is stored.

-- The first 29 characters of a log-in's hash; null where there is no such log-in.
create or replace function portal.password_salt(p_login_id bigint) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select left(l.password_hash, 29) from portal.login l where l.login_id = p_login_id
$$;
grant execute on function portal.password_salt(bigint) to portal_auth;

-- Whether a log-in's hash is this one. Digests are compared, so that the time says
-- nothing of how much of it was right.
create or replace function portal.password_is(p_login_id bigint, p_hash text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select exists (select from portal.login l
    where l.login_id = p_login_id and sha256(convert_to(l.password_hash, 'UTF8')) = sha256(convert_to(p_hash, 'UTF8')))
$$;
grant execute on function portal.password_is(bigint, text) to portal_auth;
