-- Why a session ends. Whoever deletes one says so for the statement that follows; where nothing is said, a change of
-- the log-in or of the customer's access ended it. The trigger in triggers/session_audit.sql writes it down.

-- logged_out, ended (by its owner, elsewhere), replaced (by a new log-in of that browser), expired; empty: none said.
create or replace function portal.say_session_end(p_cause text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('portal.session_end', p_cause, true);
end
$$;

-- Ends the session of a token. Nothing where there is none.
create or replace function portal.log_out(p_token_hash bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.say_session_end('logged_out');
  delete from portal.session s where s.token_hash = p_token_hash;
  perform portal.say_session_end('');
end
$$;
grant execute on function portal.log_out(bytea) to portal_auth;

-- Ends a session of a log-in's own. False: there is none.
create or replace function portal.end_session(p_session_id bigint, p_login_id bigint) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  ended boolean;
begin
  perform portal.say_session_end('ended');
  delete from portal.session s where s.session_id = p_session_id and s.login_id = p_login_id and s.parent_id is null;
  ended := found;
  perform portal.say_session_end('');
  return ended;
end
$$;
grant execute on function portal.end_session(bigint, bigint) to portal_auth;

-- Ends sessions whose time is over, at most p_batch, and returns how many.
create or replace function portal.expire_sessions(p_batch int) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  n int;
begin
  perform portal.say_session_end('expired');
  delete from portal.session s where s.session_id in (
    select x.session_id from portal.session x where x.expires_at <= erp.now() order by x.expires_at limit p_batch
      for update skip locked);
  get diagnostics n = row_count;
  perform portal.say_session_end('');
  return n;
end
$$;
grant execute on function portal.expire_sessions(int) to portal_work;
