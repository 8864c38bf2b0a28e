-- name: factor_state
select s.* from portal.factor_state(@session_id) s;

-- name: factors
select f.* from portal.factors(@session_id) f;

-- name: factor_secrets
select f.* from portal.factor_secrets(@session_id, @kind) f;

-- name: passkeys
select s.login_id, f.credential, f.handle
from portal.session s cross join lateral portal.factor_secrets(s.session_id, 'passkey') f
where s.session_id = @session_id;

-- name: passkey_owner
select o.* from portal.passkey_owner(@credential_id) o;

-- name: login_open
select portal.login_open(@login_id);

-- name: app_code_use
select portal.use_app_code(@session_id, @factor_id, @step, @remember);

-- name: recovery_code_use
select portal.use_recovery_code(@session_id, @hash, @remember);

-- name: passkey_use
select portal.use_passkey(@session_id, @credential_id, @credential, @remember);

-- name: confirm_by_password
select portal.confirm_by_password(@session_id);

-- name: factor_failed
select portal.factor_failed(@session_id);

-- name: factor_add
select portal.add_factor(@session_id, @kind, @name, @secret, @step, @credential_id, @credential, @handle);

-- name: factor_remove
select portal.remove_factor(@session_id, @factor_id);

-- name: recovery_codes_set
select portal.set_recovery_codes(@session_id, @hashes);

-- name: factors_reset
select portal.reset_factors(@email);

-- name: challenge_begin
select portal.begin_challenge(@hash, @purpose, @session_id, @data);

-- name: challenge_take
select portal.take_challenge(@hash, @purpose, @session_id);

-- name: app_in_setup
select portal.app_in_setup(@session_id);

-- name: browser_distrust
select portal.forget_browser(@session_id, @browser_id);

-- name: trusted_browsers
select b.* from portal.trusted_browsers(@session_id) b;

-- name: factor_require
select portal.require_factor(@customer_no, @required);

-- name: factor_required
select c.second_factor from erp.customer c where c.customer_no = @customer_no;
