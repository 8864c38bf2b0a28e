-- name: duty_list
select d.code, d.label, d.help from portal.duty d order by d.sort;

-- name: administrators
select a from portal.administrators() a;

-- name: note_refused
select portal.note_refused(@needed::text[], @asked);

-- name: staff
select s.* from portal.staff() s;

-- name: staff_hold
select portal.hold_staff(@login_id, true);

-- name: staff_save
select portal.save_staff(@login_id, @name, @duties::text[]);

-- name: staff_invite
select portal.invite_staff(@email, @name, @duties::text[], @password_hash, @token_hash);

-- name: staff_link
select portal.renew_staff_invitation(@login_id, @token_hash);

-- name: staff_disable
select portal.disable_staff(@login_id, @disabled);

-- name: staff_end_sessions
select portal.end_staff_sessions(@login_id);

-- name: staff_reset_factors
select portal.reset_staff_factors(@login_id);

-- name: login_disable
update portal.login set disabled = @disabled where email = @email::citext;

-- name: login_set_duties
select portal.set_duties(l.login_id, @duties::text[]) from portal.login l where l.email = @email::citext;

-- name: login_duties
select portal.duties(l.login_id) from portal.login l where l.email = @email::citext and l.staff_role is not null;
