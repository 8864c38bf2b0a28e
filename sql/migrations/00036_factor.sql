-- +goose Up
-- A second factor: codes from an app, passkeys, recovery codes. Secrets are read and
-- written by functions of the log-in path alone (sql/functions/factor.sql): no role has
-- a right to these tables, so they have no wall. Factors that come and go are audited,
-- and told by mail, by triggers. No page shows them live: no events.

alter table erp.company add column staff_second_factor boolean not null default false;
comment on column erp.company.staff_second_factor is 'Staff and operators do nothing before a second factor; who has none sets one up first. Counts at once.';
alter table erp.customer add column second_factor boolean not null default false;
comment on column erp.customer.second_factor is 'Like company.staff_second_factor, for the people of this customer. They may have one anyway.';

create table portal.factor (
  factor_id bigint generated always as identity,
  login_id bigint not null,
  kind text not null,
  name text not null,
  made_at timestamptz not null default erp.now(),
  used_at timestamptz,
  secret bytea,
  last_step bigint,
  credential_id bytea,
  credential jsonb,
  handle bytea,
  constraint factor_pkey primary key (factor_id),
  constraint factor_login_fk foreign key (login_id) references portal.login on delete cascade,
  constraint factor_kind check (kind in ('app', 'passkey')),
  constraint factor_name check (length(name) between 1 and 60),
  constraint factor_app check (kind <> 'app' or num_nonnulls(secret, last_step) = 2 and num_nonnulls(credential_id, credential, handle) = 0),
  constraint factor_passkey check (kind <> 'passkey' or num_nonnulls(secret, last_step) = 0 and num_nonnulls(credential_id, credential, handle) = 3),
  constraint factor_credential_key unique (credential_id)
);
create index factor_login on portal.factor (login_id);
comment on table portal.factor is 'What a log-in proves itself with beside its password.';
comment on column portal.factor.secret is 'Of an app: sealed with the key that only the program has (PORTAL_FACTOR_KEY), so that a dump opens nothing.';
comment on column portal.factor.last_step is 'Of an app: the period of 30 seconds whose code was used last. An earlier one, or the same, is not taken again.';
comment on column portal.factor.credential is 'Of a passkey: its public key, flags and counter.';
comment on column portal.factor.handle is 'Of a passkey: by what it knows its log-in; the same for all of one log-in.';

create table portal.recovery_code (
  login_id bigint not null,
  code_hash bytea not null,
  made_at timestamptz not null default erp.now(),
  used_at timestamptz,
  constraint recovery_code_pkey primary key (login_id, code_hash),
  constraint recovery_code_login_fk foreign key (login_id) references portal.login on delete cascade,
  constraint recovery_code_sha256 check (octet_length(code_hash) = 32)
);
comment on table portal.recovery_code is 'Codes that stand in for a lost factor, once each. They are made at random (80 bits), so a SHA-256 hides them.';

create table portal.factor_challenge (
  challenge_hash bytea not null,
  purpose text not null,
  session_id bigint,
  data jsonb not null,
  expires_at timestamptz not null,
  constraint factor_challenge_pkey primary key (challenge_hash),
  constraint factor_challenge_session_fk foreign key (session_id) references portal.session on delete cascade,
  constraint factor_challenge_purpose check (purpose in ('register', 'prove', 'log_in', 'app')),
  constraint factor_challenge_session check ((purpose = 'log_in') = (session_id is null))
);
create index factor_challenge_session on portal.factor_challenge (session_id) where session_id is not null;
create index factor_challenge_expiry on portal.factor_challenge (expires_at);
comment on table portal.factor_challenge is
  'What a browser was asked to sign, or an app to be set up with: answered once, within minutes, at any node.';

create table portal.factor_failure (
  login_id bigint not null,
  failed_count int not null,
  failed_since timestamptz not null,
  locked_until timestamptz,
  constraint factor_failure_pkey primary key (login_id),
  constraint factor_failure_login_fk foreign key (login_id) references portal.login on delete cascade,
  constraint factor_failure_count check (failed_count > 0)
);
comment on table portal.factor_failure is
  'Wrong codes of a log-in. Only who has its password, or its session, can give any, so nobody locks out a stranger.';

-- full: goes everywhere. factor: its second factor is to be proved first. enrol: one is
-- to be set up first, since it is obligatory.
create or replace view portal.session_now as
select s.session_id, s.login_id, s.parent_id, s.token_hash, x.ends_at, x.lasts_until,
  case
    when coalesce(p.factor_at, s.factor_at) is not null then 'full'
    when exists (select from portal.factor f where f.login_id = s.login_id) then 'factor'
    when (l.staff_role is not null and co.staff_second_factor) or coalesce(c.second_factor, false) then 'enrol'
    else 'full'
  end as stage
from portal.session s
left join portal.session p on p.session_id = s.parent_id
join portal.login l on l.login_id = s.login_id
left join erp.customer c on c.customer_id = l.customer_id
left join erp.web_access w on w.customer_id = l.customer_id
cross join erp.company co
cross join lateral (
  select case when l.staff_role is null then co.session_idle else co.staff_session_idle end as idle,
    case when l.staff_role is null then co.session_max else co.staff_session_max end as longest
) as k
cross join lateral (
  select least(s.expires_at, p.expires_at, coalesce(p.seen_at, s.seen_at) + k.idle, coalesce(p.created_at, s.created_at) + k.longest) as ends_at,
    coalesce(p.created_at, s.created_at) + k.longest as lasts_until
) as x
where x.ends_at > erp.now() and not l.disabled and (l.staff_role is not null or c.active and w.enabled);
comment on view portal.session_now is
  'The sessions that live. ends_at: unless a page is asked for before. lasts_until: whatever is asked for. stage: full goes everywhere; factor proves its second factor first, enrol sets one up first.';

-- +goose Down
drop view portal.session_now;
create view portal.session_now as
select s.session_id, s.login_id, s.parent_id, s.token_hash, x.ends_at, x.lasts_until
from portal.session s
left join portal.session p on p.session_id = s.parent_id
join portal.login l on l.login_id = s.login_id
left join erp.customer c on c.customer_id = l.customer_id
left join erp.web_access w on w.customer_id = l.customer_id
cross join erp.company co
cross join lateral (
  select case when l.staff_role is null then co.session_idle else co.staff_session_idle end as idle,
    case when l.staff_role is null then co.session_max else co.staff_session_max end as longest
) as k
cross join lateral (
  select least(s.expires_at, p.expires_at, coalesce(p.seen_at, s.seen_at) + k.idle, coalesce(p.created_at, s.created_at) + k.longest) as ends_at,
    coalesce(p.created_at, s.created_at) + k.longest as lasts_until
) as x
where x.ends_at > erp.now() and not l.disabled and (l.staff_role is not null or c.active and w.enabled);
grant select on portal.session_now to portal_work, portal_auth;
drop table portal.factor_failure, portal.factor_challenge, portal.recovery_code, portal.factor;
alter table erp.customer drop column second_factor;
alter table erp.company drop column staff_second_factor;
