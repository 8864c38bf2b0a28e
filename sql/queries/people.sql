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
select portal.invite_person(@customer_id, @email, @name, @role, @spend_limit::numeric, @spend_period, @sign_off_all,
  @token_hash);

-- name: invitation_renew
select portal.renew_invitation(@customer_id, @login_id, @token_hash);

-- name: invitation_of_token
select i.email, i.has_login from portal.invitation_of(@token_hash) i;

-- name: invitation_accept
select portal.accept_invitation(@token_hash, @password_hash);
