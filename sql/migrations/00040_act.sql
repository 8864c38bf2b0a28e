-- +goose Up
-- What people do that changes no row: log-ins, exports, prints, what operators do. It stands in portal.audit
-- beside the changes, so the same chain seals it.

alter table portal.audit add column source text;
alter table portal.audit alter column source set default nullif(current_setting('portal.source', true), '');
comment on column portal.audit.source is
  'The address that the request came from, where the portal wrote the row for one; part of the seal. Null: another program, or a job.';
comment on table portal.audit is
  'Who did and changed what: money, limits, access, prices, status, people, log-ins, exports. In data, a column that changed is [old, new]. Written by triggers for every program, and by portal.add_act; never changed; sealed by portal.audit_chain. What is old goes by portal.forget_audit alone.';
-- squawk-ignore require-concurrent-index-creation -- it takes some seconds a million rows, once
create index audit_actor on portal.audit (actor, at desc);
-- squawk-ignore require-concurrent-index-creation
create index audit_action on portal.audit (action, at desc);

create table portal.act_kind (
  code text not null,
  act_group text not null,
  label text not null,
  noun text not null default '',
  by_program boolean not null default false,
  quiet interval,
  constraint act_kind_pkey primary key (code),
  constraint act_kind_label check (length(label) between 1 and 80),
  constraint act_kind_act_group check (act_group in
    ('sign_in', 'people', 'export', 'acting', 'operation', 'refusal', 'order', 'money', 'price', 'stock', 'setting'))
);
comment on table portal.act_kind is
  'What portal.audit.action may be, and how it reads. Its rows are written by sql/functions/act_kind.sql. The same for everybody, and no figure: no wall, no audit, no events.';
comment on column portal.act_kind.label is 'What somebody did, behind their name and before the subject: "changed order".';
comment on column portal.act_kind.noun is 'What the subject is the number or name of, for the link to it; empty: nothing that has a page.';
comment on column portal.act_kind.by_program is 'Recorded by the program through portal.record_act, and by no trigger.';
comment on column portal.act_kind.quiet is 'The same by the same person is recorded once in so long; null: each time.';
grant select on portal.act_kind to portal_desk;

create table portal.login_failure (
  minute timestamptz not null,
  login_id bigint not null,
  source text not null,
  tries int not null default 0,
  refused int not null default 0,
  last_at timestamptz not null default clock_timestamp(),
  constraint login_failure_pkey primary key (login_id, source, minute),
  constraint login_failure_tries check (tries >= 0 and refused >= 0)
);
comment on table portal.login_failure is
  'Passwords that were wrong, counted by the minute until portal.tell_login_failures writes them into portal.audit. login_id 0: an e-mail that nobody logs in with, which is not kept. For functions only: no role has a right to it, so it has no wall.';
comment on column portal.login_failure.tries is 'Passwords that were looked at and not right, or are being looked at.';
comment on column portal.login_failure.refused is 'Turned away unseen: locked, or too many in that network.';

alter table erp.company add column audit_keep interval, add column sign_in_keep interval;
-- squawk-ignore constraint-missing-not-valid -- one row
alter table erp.company add constraint company_audit_keep check (audit_keep >= interval '1 year');
-- squawk-ignore constraint-missing-not-valid
alter table erp.company add constraint company_sign_in_keep check (sign_in_keep >= interval '1 month');
comment on column erp.company.audit_keep is 'How long portal.audit keeps its rows; null: for ever. At least a year.';
comment on column erp.company.sign_in_keep is 'How long it keeps log-ins and log-outs, where that is shorter; null: like all. At least a month.';

alter table portal.audit_head
  add column base_no bigint not null default 0,
  add column base_hash bytea not null default '\x',
  add column base_at timestamptz not null default '-infinity',
  add column forgetting xid8;
comment on column portal.audit_head.base_no is
  'The chain begins after this link: what lies before was forgotten. base_hash is its hash, base_at when it was sealed; the row audit_forgotten in the log says the same, and is sealed.';
comment on column portal.audit_head.forgetting is 'The transaction of portal.forget_audit that is at it; no other deletes from the log.';

-- +goose Down
drop trigger if exists session_begun_audited on portal.session;
drop trigger if exists session_ended_audited on portal.session;
drop trigger if exists session_proof_audited on portal.session;
drop trigger if exists factor_failure_audited_first on portal.factor_failure;
drop trigger if exists factor_failure_audited on portal.factor_failure;
alter table portal.audit_head drop column base_no, drop column base_hash, drop column base_at, drop column forgetting;
alter table erp.company drop column audit_keep, drop column sign_in_keep;
drop table portal.login_failure, portal.act_kind;
drop index portal.audit_action, portal.audit_actor;
alter table portal.audit drop column source;
