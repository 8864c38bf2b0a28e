-- name: login_of_email
select l.login_id, l.customer_id, portal.password_salt(l.login_id) as password_salt, l.staff_role, l.disabled,
  coalesce(w.enabled and c.active, l.staff_role is not null) as enabled
from portal.login l
left join erp.customer c using (customer_id)
left join erp.web_access w using (customer_id)
where l.email = @email::citext;

-- name: login_try_begin
select t.allowed, t.locked, t.wait from portal.begin_login_try(@email, @source, @device) t;

-- name: login_try_end
select portal.end_login_try(@email, @source, @device);

-- name: login_succeeded
with source as (
  insert into portal.login_source as s (login_id, source, succeeded_at) values (@login_id, @source, erp.now())
  on conflict (login_id, source) do update set succeeded_at = excluded.succeeded_at
), device as (
  insert into portal.login_device as d (login_id, device, first_at, seen_at) select @login_id, @device::bytea,
    erp.now(), erp.now()
  where @device::bytea is not null
  on conflict (login_id, device) do update set seen_at = excluded.seen_at
)
update portal.login set last_login_at = erp.now() where login_id = @login_id;

-- name: session_open
select portal.open_session(@login_id, @token_hash, @browser_hash, @replaces, @user_agent, @source, @login_kind,
  @multi_factor, @age);

-- name: session_of_token
select s.session_id, s.login_id, coalesce(l.customer_id, 0) as customer_id,
  coalesce(c.customer_no, '') as customer_no, coalesce(c.name, '') as customer_name,
  l.email::text as email, coalesce(l.staff_role, 'buyer') as role,
  s.created_at, s.seen_at, n.ends_at as expires_at, n.lasts_until, n.stage,
  s.user_agent, s.source, s.login_kind, s.seen_at < erp.now() - interval '1 minute' as idle,
  case when l.staff_role is null then '{}' else portal.duties(l.login_id) end as duties
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
select portal.log_out(@token_hash);

-- name: session_list
select s.session_id, s.login_id, coalesce(l.customer_id, 0) as customer_id,
  coalesce(c.customer_no, '') as customer_no, coalesce(c.name, '') as customer_name,
  l.email::text as email, coalesce(l.staff_role, 'buyer') as role,
  s.created_at, s.seen_at, n.ends_at as expires_at, n.lasts_until, n.stage,
  s.user_agent, s.source, s.login_kind, false as idle, '{}'::text[] as duties
from portal.session_now n
join portal.session s using (session_id)
join portal.login l on l.login_id = s.login_id
left join erp.customer c using (customer_id)
where s.login_id = @login_id and s.parent_id is null
order by s.created_at desc, s.session_id desc;

-- name: session_revoke
select portal.end_session(@session_id, @login_id);

-- name: login_password
select portal.password_salt(@login_id);

-- name: login_password_is
select portal.password_is(@login_id, @password_hash);

-- name: login_set_password
update portal.login set password_hash = @password_hash, password_changed_at = erp.now() where login_id = @login_id;

-- name: challenge_forget
select portal.forget_challenges(@batch);

-- name: browser_forget
select portal.forget_browsers(@batch);
