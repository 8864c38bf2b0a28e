-- +goose Up
-- What a log-in is told in the portal and by mail, what it chose, and links
-- that set a new password.

create table portal.news_kind (
  kind text primary key,
  needs text not null,
  for_all boolean not null default false,
  by_mail boolean not null,
  sort int not null,
  constraint news_kind_needs check (needs in ('order', 'sign_off', 'account', 'balance'))
);
comment on table portal.news_kind is
  'Kinds of news. needs: the right (portal.login_may) of those who are told; balance: account, and erp.web_access.see_balance. by_mail: what a log-in gets that has chosen nothing.';
comment on column portal.news_kind.for_all is
  'Who is named to portal.notify is told whatever its role: all may see what it is about. needs then says who else is told.';
insert into portal.news_kind (kind, needs, for_all, by_mail, sort) values
  ('order_received', 'order', true, false, 1),
  ('order_approved', 'order', true, true, 2),
  ('order_changed', 'order', true, true, 3),
  ('order_rejected', 'order', true, true, 4),
  ('order_cancelled', 'order', true, true, 5),
  ('order_shipped', 'order', true, true, 6),
  ('order_delivered', 'order', true, false, 7),
  ('sign_off_waiting', 'sign_off', false, true, 8),
  ('sign_off_decided', 'order', true, true, 9),
  ('standing_order', 'order', false, true, 10),
  ('cutoff_reminder', 'order', false, true, 11),
  ('return_decided', 'account', false, true, 12),
  ('statement', 'balance', false, true, 13);

create table portal.notification (
  notification_id bigint generated always as identity primary key,
  login_id bigint not null,
  customer_id bigint not null,
  kind text not null,
  ref text not null default '',
  data jsonb not null default '{}',
  key text not null,
  document_id bigint,
  created_at timestamptz not null default erp.now(),
  read_at timestamptz,
  constraint notification_login_fk foreign key (login_id) references portal.login on delete cascade,
  constraint notification_customer_fk foreign key (customer_id) references erp.customer on delete cascade,
  constraint notification_kind_fk foreign key (kind) references portal.news_kind,
  constraint notification_document_fk foreign key (document_id) references portal.document on delete set null,
  constraint notification_key unique (login_id, key),
  constraint notification_data_object check (jsonb_typeof(data) = 'object')
);
create index notification_of_login on portal.notification (login_id, created_at desc);
create index notification_unread on portal.notification (login_id) where read_at is null;
create index notification_of_customer on portal.notification (customer_id);
create index notification_document on portal.notification (document_id) where document_id is not null;
create index notification_age on portal.notification (created_at);
comment on table portal.notification is
  'What a log-in is told in the portal. data has facts that everybody of the customer may see, never an amount: words are made of them when they are read, and a mail reads figures under the rights of whom it goes to.';
comment on column portal.notification.key is 'Names the news, so that nobody is told the same twice.';

create table portal.mail_choice (
  login_id bigint not null,
  kind text not null,
  by_mail boolean not null,
  primary key (login_id, kind),
  constraint mail_choice_login_fk foreign key (login_id) references portal.login on delete cascade,
  constraint mail_choice_kind_fk foreign key (kind) references portal.news_kind on delete cascade
);
comment on table portal.mail_choice is 'What a log-in gets by mail where it chose; else portal.news_kind.by_mail.';

create table portal.mail (
  mail_id bigint generated always as identity primary key,
  key text not null,
  kind text not null,
  recipient text not null,
  login_id bigint,
  customer_id bigint,
  notification_id bigint,
  ref text not null default '',
  data jsonb not null default '{}',
  document_id bigint,
  secret text not null default '',
  message_id uuid not null default gen_random_uuid(),
  status text not null default 'queued',
  attempts int not null default 0,
  last_error text not null default '',
  subject text not null default '',
  body_text text not null default '',
  body_html text not null default '',
  created_at timestamptz not null default erp.now(),
  tried_at timestamptz,
  sent_at timestamptz,
  constraint mail_key unique (key),
  constraint mail_status check (status in ('queued', 'sent', 'failed', 'kept')),
  constraint mail_sent_at check ((status = 'sent') = (sent_at is not null)),
  constraint mail_login_fk foreign key (login_id) references portal.login on delete set null,
  constraint mail_customer_fk foreign key (customer_id) references erp.customer on delete cascade,
  constraint mail_notification_fk foreign key (notification_id) references portal.notification on delete set null,
  constraint mail_document_fk foreign key (document_id) references portal.document on delete set null,
  constraint mail_data_object check (jsonb_typeof(data) = 'object')
);
create index mail_status on portal.mail (status, mail_id desc);
create index mail_login on portal.mail (login_id) where login_id is not null;
create index mail_customer on portal.mail (customer_id) where customer_id is not null;
create index mail_notification on portal.mail (notification_id) where notification_id is not null;
create index mail_document on portal.mail (document_id) where document_id is not null;
create index mail_age on portal.mail (created_at);
comment on table portal.mail is
  'Mails: queued until the mail server took it (sent) or refused it for good (failed); kept where no mail server is set. Written when it is sent: subject and bodies are empty before.';
comment on column portal.mail.key is 'Names the news and who gets it, so that the same news is never mailed twice.';
comment on column portal.mail.secret is
  'What opens the link of an invitation or of a new password. Only while the mail is to be written: blanked when it was sent, and when the link has ended.';
comment on column portal.mail.message_id is 'The first part of its Message-ID, the same however often it is tried.';
comment on column portal.mail.last_error is 'The mail server''s own words, or why it was not sent.';

create table portal.password_reset (
  login_id bigint primary key,
  token_hash bytea not null,
  made_at timestamptz not null default erp.now(),
  expires_at timestamptz not null,
  constraint password_reset_login_fk foreign key (login_id) references portal.login on delete cascade,
  constraint password_reset_token_hash_key unique (token_hash),
  constraint password_reset_token_hash_sha256 check (octet_length(token_hash) = 32)
);
comment on table portal.password_reset is 'Links that set a new password, once: what is kept of each is its SHA-256.';

alter table erp.company
  add column cutoff_reminders boolean not null default false,
  add column cutoff_reminder_hours int not null default 3,
  add constraint company_cutoff_reminder_hours check (cutoff_reminder_hours between 1 and 72);
comment on column erp.company.cutoff_reminders is 'Customers on a route who have not ordered are reminded before its cutoff.';

-- A log-in reads its own notifications, as far as its rights go today.
alter table portal.notification enable row level security;
create policy open_to_programs on portal.notification using (true) with check (true);
create policy own_login_only on portal.notification as restrictive to portal_web
  using (customer_id = portal.customer_id() and login_id = portal.login_id()
    and (kind not in ('statement', 'return_decided') or (select portal.may('account')))
    and (kind <> 'statement' or (select w.see_balance from erp.web_access w where w.customer_id = portal.customer_id())));
alter table portal.mail_choice enable row level security;
create policy open_to_programs on portal.mail_choice using (true) with check (true);
create policy own_login_only on portal.mail_choice as restrictive to portal_web
  using (login_id = portal.login_id()) with check (login_id = portal.login_id());

grant select on portal.news_kind to portal_web, portal_work;
grant execute on function portal.login_may(bigint, bigint, text) to portal_work;
grant select, update (read_at) on portal.notification to portal_web;
grant select, insert, update, delete on portal.mail_choice to portal_web, portal_work;
grant select, insert, update, delete on portal.notification, portal.mail, portal.password_reset to portal_work;

-- +goose Down
revoke execute on function portal.login_may(bigint, bigint, text) from portal_work;
drop table portal.password_reset, portal.mail, portal.mail_choice, portal.notification, portal.news_kind;
alter table erp.company drop column cutoff_reminders, drop column cutoff_reminder_hours;
