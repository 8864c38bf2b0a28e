-- +goose Up
-- People whom a customer, or staff for it, invited and who have not set a password yet. There is no
-- log-in for them before they do, so an invitation to an address that has a log-in elsewhere is a row
-- like any other, and tells its maker nothing. Invitations that were made before keep their log-in.
--
-- Closed to portal_web and portal_desk, which ask functions (sql/functions/people.sql), so it has no
-- policy. Triggers audit it, and tell the open pages of the customer (triggers/invited_person.sql).
create table portal.invited_person (
  login_id bigint not null,
  customer_id bigint not null,
  email citext not null,
  name text not null default '',
  customer_role text not null,
  spend_limit numeric(14,2),
  spend_period text not null default 'order',
  sign_off_all boolean not null default false,
  disabled boolean not null default false,
  token_hash bytea not null,
  made_by text not null default portal.actor(),
  made_at timestamptz not null default erp.now(),
  expires_at timestamptz not null,
  constraint invited_person_pkey primary key (login_id),
  constraint invited_person_customer_fk foreign key (customer_id) references erp.customer on delete cascade,
  constraint invited_person_email_key unique (customer_id, email),
  constraint invited_person_token_hash_key unique (token_hash),
  constraint invited_person_token_hash_sha256 check (octet_length(token_hash) = 32),
  constraint invited_person_email_length check (length(email::text) <= 254),
  constraint invited_person_email_written check (email ~ '^[^@\s]+@[^@\s]+$'),
  constraint invited_person_name_length check (length(name) <= 80),
  constraint invited_person_role check (customer_role in ('buyer', 'approver', 'accounts', 'view')),
  constraint invited_person_spend_limit check (spend_limit >= 0),
  constraint invited_person_spend_period check (spend_period in ('order', 'day', 'week', 'month'))
);
comment on table portal.invited_person is 'People of a customer who were invited and have no log-in yet: it is made when they set their password.';
comment on column portal.invited_person.login_id is 'The number that the log-in will have; drawn from the numbers of portal.login.';
comment on column portal.invited_person.token_hash is 'SHA-256 of the link that sets the password.';
grant select, delete on portal.invited_person to portal_work;

drop function if exists portal.invite_person(bigint, text, text, text, numeric, text, boolean, text, bytea); -- it took a password's hash

-- +goose Down
drop trigger if exists invited_person_came on portal.login;
drop function if exists portal.invite_person(bigint, text, text, text, numeric, text, boolean, bytea);
drop function if exists portal.accept_invitation(bytea, text), portal.invitation_of(bytea);
drop table portal.invited_person;
drop function if exists portal.invited_person_came(), portal.invited_person_changed(), portal.invited_person_counted();
