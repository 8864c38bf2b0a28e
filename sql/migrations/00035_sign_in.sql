-- +goose Up
-- Passwords and sessions: how long a session lasts, which browsers a log-in is known
-- from, and the cost of the hashes that are stored.

alter table erp.company
  add column session_idle interval not null default '14 days',
  add column session_max interval not null default '90 days',
  add column staff_session_idle interval not null default '4 hours',
  add column staff_session_max interval not null default '16 hours',
  add column confirm_within interval not null default '15 minutes';
-- squawk-ignore constraint-missing-not-valid -- one row
alter table erp.company add constraint company_session_limits check (
  session_idle between interval '5 minutes' and session_max and staff_session_idle between interval '5 minutes' and staff_session_max);
-- squawk-ignore constraint-missing-not-valid -- one row
alter table erp.company add constraint company_confirm_within check (confirm_within >= interval '1 minute');
comment on column erp.company.session_idle is 'A session of a customer ends when no page was asked for as long as this; counts at once.';
comment on column erp.company.session_max is 'It ends so long after the log-in, whatever happens.';
comment on column erp.company.staff_session_idle is 'Like session_idle, for staff and operators.';
comment on column erp.company.staff_session_max is 'Like session_max, for staff and operators.';
comment on column erp.company.confirm_within is
  'Before people, money and what lets somebody in, who asks proves again who they are, unless they did within this time.';

-- A hash that is made anew at today's cost is no change of the password: whoever
-- writes both columns says so, and sessions stay.
alter table portal.login add column hash_raised_at timestamptz;
comment on column portal.login.hash_raised_at is 'When the same password was hashed again, at a higher cost.';
-- squawk-ignore require-concurrent-index-creation -- a few thousand rows
create index login_hash_cost on portal.login (substring(password_hash, 5, 2));

-- Known by a cookie of the browser's own, which outlives its sessions. For the log-in
-- path only: functions read and write it, no role has a right to it, so it has no wall.
-- No page shows it live, and no money hangs on it: no event, no audit. What it lets
-- somebody do without (a second factor) is audited where that is granted.
create table portal.browser (
  browser_id bigint generated always as identity,
  login_id bigint not null,
  token_hash bytea not null,
  user_agent text not null default '',
  source text not null default '',
  first_seen_at timestamptz not null default erp.now(),
  last_seen_at timestamptz not null default erp.now(),
  trusted_until timestamptz,
  constraint browser_pkey primary key (browser_id),
  constraint browser_login_fk foreign key (login_id) references portal.login on delete cascade,
  constraint browser_token_key unique (login_id, token_hash),
  constraint browser_token_hash_sha256 check (octet_length(token_hash) = 32)
);
create index browser_last_seen on portal.browser (last_seen_at);
comment on table portal.browser is 'Browsers from which a log-in has succeeded. A log-in from another one is told by mail.';
comment on column portal.browser.token_hash is 'SHA-256 of the browser''s cookie.';
comment on column portal.browser.trusted_until is 'Until then the second factor is not asked at log-in; null: it is.';

alter table portal.session
  add column browser_id bigint,
  add column factor_at timestamptz,
  add column confirmed_at timestamptz;
-- squawk-ignore constraint-missing-not-valid, adding-foreign-key-constraint -- the column is new and empty
alter table portal.session add constraint session_browser_fk foreign key (browser_id) references portal.browser on delete set null;
-- squawk-ignore require-concurrent-index-creation -- empty as well
create index session_browser on portal.session (browser_id) where browser_id is not null;
comment on column portal.session.factor_at is 'When its second factor was proved, at log-in; null: it was not.';
comment on column portal.session.confirmed_at is 'When its owner last proved who they are, by whatever they have: see erp.company.confirm_within.';

-- One place says which sessions live. That of staff who act as a customer lives by the
-- staff's own, on which it hangs.
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
comment on view portal.session_now is
  'The sessions that live. ends_at: unless a page is asked for before. lasts_until: whatever is asked for.';
grant select on portal.session_now to portal_work, portal_auth;

-- +goose Down
drop view portal.session_now;
alter table portal.session drop column browser_id, drop column factor_at, drop column confirmed_at;
drop table portal.browser;
drop index portal.login_hash_cost;
alter table portal.login drop column hash_raised_at;
alter table erp.company drop column session_idle, drop column session_max, drop column staff_session_idle,
  drop column staff_session_max, drop column confirm_within;
