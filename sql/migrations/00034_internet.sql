-- +goose Up
-- What a portal on the open internet keeps: certificates, wrong log-ins, browsers
-- that have logged in before, links that were asked for, and proxies that nobody
-- named. Only portal_auth, which lets people in, and portal_work, which forgets them
-- in time, have rights here: no customer's request and no page of staff does. None has rows of customers that a page shows,
-- so there are no policies, no events and no part in the leak walk.

create table portal.certificate_cache (
  name text not null,
  data bytea not null,
  changed_at timestamptz not null default erp.now(),
  constraint certificate_cache_pkey primary key (name)
);
comment on table portal.certificate_cache is
  'What portal serve --tls auto keeps for all nodes: the ACME account, certificates with their private keys, and answers to challenges under way. No audit: it changes by itself.';

create table portal.login_try (
  account bytea not null,
  place text not null,
  failed_count int not null,
  failed_since timestamptz not null,
  locked_until timestamptz,
  next_at timestamptz,
  constraint login_try_pkey primary key (account, place),
  constraint login_try_account_sha256 check (octet_length(account) in (0, 32)),
  constraint login_try_failed_count check (failed_count >= 0)
);
create index login_try_since on portal.login_try (failed_since);
comment on table portal.login_try is
  'Tries to log in that have not succeeded. account: SHA-256 of the e-mail in small letters, whether anybody has it or not; empty: of a place, whatever the account. place: a client''s network, or device: and a hash; empty: of an account, whatever the place.';
comment on column portal.login_try.next_at is 'Of a place with many failures: when its next try is let through.';

create table portal.login_device (
  login_id bigint not null,
  device bytea not null,
  first_at timestamptz not null default erp.now(),
  seen_at timestamptz not null default erp.now(),
  constraint login_device_pkey primary key (login_id, device),
  constraint login_device_login_fk foreign key (login_id) references portal.login on delete cascade,
  constraint login_device_sha256 check (octet_length(device) = 32)
);
create index login_device_seen on portal.login_device (seen_at);
comment on table portal.login_device is
  'Browsers in which a log-in has succeeded, by the SHA-256 of a secret that the browser keeps as a cookie. They pass where others wait or are locked out.';

create table portal.link_asked (
  kind text not null,
  subject text not null,
  asked_at timestamptz not null default erp.now(),
  constraint link_asked_kind check (kind in ('invitation', 'reset'))
);
create index link_asked_subject on portal.link_asked (kind, subject, asked_at);
create index link_asked_age on portal.link_asked (asked_at);
comment on table portal.link_asked is
  'Links by mail that were asked for in the last hour: of a customer, of an account, of a client''s network. Their number is limited by sql/functions/link_asked.sql.';

create table portal.unknown_proxy (
  source text not null,
  node text not null,
  first_at timestamptz not null default erp.now(),
  last_at timestamptz not null default erp.now(),
  constraint unknown_proxy_pkey primary key (source)
);
comment on table portal.unknown_proxy is
  'Networks from which requests came with X-Forwarded-For although they are no trusted proxy. portal doctor shows them: a forgotten proxy, or a visitor who tries.';

grant select, insert, update, delete on portal.certificate_cache, portal.login_device, portal.unknown_proxy to portal_auth;
grant select, delete on portal.login_try, portal.login_device, portal.link_asked, portal.unknown_proxy to portal_work;

-- +goose Down
drop table portal.unknown_proxy, portal.link_asked, portal.login_device, portal.login_try, portal.certificate_cache;
