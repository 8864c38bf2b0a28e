-- name: login_of_email
-- A lock holds for everybody but an address from which this log-in has
-- succeeded and has not failed since the lock's failures began.
select l.login_id, l.customer_id, portal.password_salt(l.login_id) as password_salt, l.staff_role, l.disabled,
  coalesce(l.locked_until > erp.now(), false)
    and not exists (
      select from portal.login_source s
      where s.login_id = l.login_id and s.source = @source
        and (s.failed_at is null or s.failed_at < l.failed_since)) as locked,
  coalesce(w.enabled and c.active, l.staff_role is not null) as enabled
from portal.login l
left join erp.customer c using (customer_id)
left join erp.web_access w using (customer_id)
where l.email = @email::citext;

-- name: login_source_locked
select exists (select from portal.login_block b where b.source = @source and b.locked_until > erp.now());

-- name: login_failed
-- Counts one failure in a window of 15 minutes. The fifth locks for 15 minutes
-- from then; further tries while it is locked change nothing, so the end stays
-- where it is.
update portal.login l
set
  failed_count = case when l.locked_until > erp.now() then l.failed_count
    when l.failed_since is null or l.failed_since < erp.now() - interval '15 minutes' or l.locked_until is not null then 1
    else l.failed_count + 1 end,
  failed_since = case when l.locked_until > erp.now() then l.failed_since
    when l.failed_since is null or l.failed_since < erp.now() - interval '15 minutes' or l.locked_until is not null then erp.now()
    else l.failed_since end,
  locked_until = case when l.locked_until > erp.now() then l.locked_until
    when l.failed_since >= erp.now() - interval '15 minutes' and l.locked_until is null and l.failed_count + 1 >= 5
      then erp.now() + interval '15 minutes' end
where l.login_id = @login_id;

-- name: login_source_failed
update portal.login_source set failed_at = erp.now() where login_id = @login_id and source = @source;

-- name: login_block_failed
insert into portal.login_block as b (source, failed_count, failed_since)
values (@source, 1, erp.now())
on conflict (source) do update set
  failed_count = case when b.locked_until > erp.now() then b.failed_count
    when b.failed_since < erp.now() - interval '15 minutes' or b.locked_until is not null then 1 else b.failed_count + 1 end,
  failed_since = case when b.locked_until > erp.now() then b.failed_since
    when b.failed_since < erp.now() - interval '15 minutes' or b.locked_until is not null then erp.now() else b.failed_since end,
  locked_until = case when b.locked_until > erp.now() then b.locked_until
    when b.failed_since >= erp.now() - interval '15 minutes' and b.locked_until is null and b.failed_count + 1 >= 30
      then erp.now() + interval '15 minutes' end;

-- name: login_succeeded
with source as (
  insert into portal.login_source as s (login_id, source, succeeded_at) values (@login_id, @source, erp.now())
  on conflict (login_id, source) do update set succeeded_at = excluded.succeeded_at, failed_at = null
)
update portal.login set failed_count = 0, failed_since = null, locked_until = null, last_login_at = erp.now()
where login_id = @login_id;

-- name: session_open
select portal.open_session(@login_id, @token_hash, @browser_hash, @replaces, @user_agent, @source);

-- name: session_of_token
select s.session_id, s.login_id, coalesce(l.customer_id, 0) as customer_id,
  coalesce(c.customer_no, '') as customer_no, coalesce(c.name, '') as customer_name,
  l.email::text as email, coalesce(l.staff_role, 'buyer') as role,
  s.created_at, s.seen_at, n.ends_at as expires_at, n.lasts_until, n.stage, s.user_agent, s.source, s.seen_at < erp.now() - interval '1 minute' as idle
from portal.session_now n
join portal.session s using (session_id)
join portal.login l on l.login_id = s.login_id
left join erp.customer c using (customer_id)
where n.token_hash = @token_hash;

-- name: session_alive
-- None that waits for its second factor hears anything.
select n.session_id from portal.session_now n where n.session_id = any (@session_ids) and n.stage = 'full';

-- name: session_seen
select portal.session_seen(@session_id);

-- name: session_end_others
select portal.end_other_sessions(@session_id);

-- name: highest_hash_cost
select coalesce(portal.highest_hash_cost(), 0);

-- name: raise_hash
select portal.raise_hash(@login_id, @was, @now);

-- name: session_close
delete from portal.session where token_hash = @token_hash;

-- name: session_list
select s.session_id, s.login_id, coalesce(l.customer_id, 0) as customer_id,
  coalesce(c.customer_no, '') as customer_no, coalesce(c.name, '') as customer_name,
  l.email::text as email, coalesce(l.staff_role, 'buyer') as role,
  s.created_at, s.seen_at, n.ends_at as expires_at, n.lasts_until, n.stage, s.user_agent, s.source, false as idle
from portal.session_now n
join portal.session s using (session_id)
join portal.login l on l.login_id = s.login_id
left join erp.customer c using (customer_id)
where s.login_id = @login_id and s.parent_id is null
order by s.created_at desc, s.session_id desc;

-- name: session_revoke
delete from portal.session where session_id = @session_id and login_id = @login_id and parent_id is null;

-- name: login_password
select portal.password_salt(@login_id);

-- name: login_password_is
select portal.password_is(@login_id, @password_hash);

-- name: login_set_password
update portal.login set password_hash = @password_hash, password_changed_at = erp.now(), failed_count = 0,
  failed_since = null, locked_until = null
where login_id = @login_id;

-- name: challenge_forget
select portal.forget_challenges(@batch);

-- name: browser_forget
select portal.forget_browsers(@batch);
