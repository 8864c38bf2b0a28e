-- name: sign_on_begin
select portal.begin_sign_on(@state_hash, @browser_hash, @session_id, @next);

-- name: sign_on_take
select t.session_id, t.next, t.age from portal.take_sign_on(@state_hash, @browser_hash) t;

-- name: sign_on_forget
select portal.forget_sign_ons(@batch);

-- name: identity_log_in
select i.login_id, i.refused
from portal.log_in_by_identity(@issuer, @subject, @email, @verified, @name, @duties, @operator, @create,
  @password_hash) i;

-- name: identity_confirm
select portal.confirm_by_identity(@session_id, @issuer, @subject, @age);

-- name: login_let_in
select portal.let_in(@email, @for, @password_hash);

-- name: identity_unlink
select portal.unlink_identity(@email);

-- name: examine_sign_on
-- Whether local log-ins of staff are closed, and which of the duties that groups give
-- there are none.
select (select not c.staff_local_login from erp.company c) as closed,
  array(select d.code from unnest(@duties::text[]) as d(code)
    where not exists (select from portal.duty x where x.code = d.code))::text[] as unknown;
