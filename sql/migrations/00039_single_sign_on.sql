-- +goose Up
-- Single sign-on for staff: who proves who they are at an OpenID Connect provider. Only
-- functions of the log-in path read and write these tables (sql/functions/single_sign_on.sql):
-- no role has a right to them, so they have no wall. Links that come and go are audited,
-- and told by mail, by triggers. No page shows them live: no events.

create table portal.staff_identity (
  issuer text not null,
  subject text not null,
  login_id bigint not null,
  email text not null,
  linked_at timestamptz not null default erp.now(),
  used_at timestamptz,
  constraint staff_identity_pkey primary key (issuer, subject),
  constraint staff_identity_login_key unique (login_id),
  constraint staff_identity_login_fk foreign key (login_id) references portal.login on delete cascade,
  constraint staff_identity_length check (length(issuer) between 1 and 500 and length(subject) between 1 and 500)
);
comment on table portal.staff_identity is
  'Whose account at the provider is whose log-in of staff: by issuer and subject, which stay; an e-mail may change.';
comment on column portal.staff_identity.email is
  'The e-mail that the provider said last, to recognise the account by. Nobody is found by it.';

create table portal.sign_on (
  state_hash bytea not null,
  browser_hash bytea not null,
  session_id bigint,
  next text not null default '/',
  begun_at timestamptz not null default erp.now(),
  expires_at timestamptz not null,
  constraint sign_on_pkey primary key (state_hash),
  constraint sign_on_session_fk foreign key (session_id) references portal.session on delete cascade,
  constraint sign_on_sha256 check (octet_length(state_hash) = 32 and octet_length(browser_hash) = 32),
  constraint sign_on_next check (length(next) between 1 and 4000)
);
create index sign_on_session on portal.sign_on (session_id) where session_id is not null;
create index sign_on_expiry on portal.sign_on (expires_at);
comment on table portal.sign_on is
  'Browsers that were sent to the provider: each comes back once, within ten minutes, to whatever node.';
comment on column portal.sign_on.browser_hash is
  'SHA-256 of the browser''s own cookie: no other browser comes back for it.';
comment on column portal.sign_on.session_id is 'The session that proves anew whose it is; null: somebody logs in.';

alter table portal.session add column login_kind text not null default 'password';
-- squawk-ignore constraint-missing-not-valid -- the default fits
alter table portal.session add constraint session_login_kind check (login_kind in ('password', 'passkey', 'sso'));
comment on column portal.session.login_kind is 'By what it was opened.';

alter table portal.login add column local_until timestamptz;
comment on column portal.login.local_until is
  'Until then staff log in by password though company.staff_local_login is off: the provider is gone (user let-in).';

alter table erp.company add column staff_local_login boolean not null default true;
comment on column erp.company.staff_local_login is
  'Off: staff log in by single sign-on only; their sessions by password or passkey end. Counts at once.';

-- It takes by what the session is opened.
drop function if exists portal.open_session(bigint, bytea, bytea, bytea, text, text);

-- +goose Down
drop function if exists portal.open_session(bigint, bytea, bytea, bytea, text, text, text, boolean, interval);
drop trigger if exists session_local_login on portal.session;
drop trigger if exists company_local_login on erp.company;
alter table erp.company drop column staff_local_login;
alter table portal.login drop column local_until;
alter table portal.session drop column login_kind;
drop table portal.sign_on, portal.staff_identity;
