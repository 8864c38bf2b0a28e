-- name: people
select p.* from portal.people(@customer_id) p;

-- name: desk_people
select p.* from erp.customer c cross join lateral portal.people(c.customer_id) p where c.customer_no = @customer_no;

-- name: people_customer
select c.customer_id from erp.customer c where c.customer_no = @customer_no;

-- name: person_hold
select portal.hold_person(@customer_id, @login_id);

-- name: person_save
select portal.save_person(@customer_id, @login_id, @name, @role, @spend_limit::numeric, @spend_period, @sign_off_all);

-- name: person_disable
select portal.disable_person(@customer_id, @login_id, @disabled);

-- name: person_invite
select portal.invite_person(@customer_id, @email, @name, @role, @spend_limit::numeric, @spend_period, @sign_off_all, @password_hash, @token_hash);

-- name: invitation_renew
select portal.renew_invitation(@customer_id, @login_id, @token_hash);

-- name: invitation_of_token
select l.login_id, l.email::text as email
from portal.invitation v join portal.login l using (login_id)
where v.token_hash = @token_hash and v.expires_at > erp.now() and not l.disabled;

-- name: invitation_use
delete from portal.invitation v using portal.login l
where l.login_id = v.login_id and v.token_hash = @token_hash and v.expires_at > erp.now() and not l.disabled
returning l.login_id, l.email::text as email;
