-- +goose Up
-- Duties of staff: what each of the distributor's own people does here. Who sells does not
-- post payments, who picks does not change prices.

create table portal.duty (
  code text not null,
  label text not null,
  help text not null,
  sort int not null,
  constraint duty_pkey primary key (code),
  constraint duty_sort unique (sort),
  constraint duty_code check (code ~ '^[a-z]+$'),
  constraint duty_words check (label <> '' and help <> '')
);
comment on table portal.duty is
  'The duties that staff can have. The same for every house, and closed to customers: no row-level security, no audit, no event.';
comment on column portal.duty.help is 'A sentence for who gives it.';
insert into portal.duty (code, label, help, sort) values
  ('sales', 'Sales', 'Decides on orders, changes their quantities, and orders for customers.', 1),
  ('warehouse', 'Warehouse', 'Picks, ships and delivers, receives goods, and keeps stock and routes.', 2),
  ('credit', 'Credit', 'Invoices, payments, credit memos, credit limits and orders held for credit.', 3),
  ('prices', 'Prices', 'Items, prices, price lists and costs.', 4),
  ('administrator', 'Administrator', 'Staff, Web Access, the people of customers, and settings.', 5);
grant select on portal.duty to portal_desk, portal_work;

create table portal.user_duty (
  user_id bigint not null,
  duty text not null,
  constraint user_duty_pkey primary key (user_id, duty),
  constraint user_duty_login_fk foreign key (user_id) references portal.login on delete cascade,
  constraint user_duty_duty_fk foreign key (duty) references portal.duty on update cascade
);
create index user_duty_of_duty on portal.user_duty (duty);
comment on table portal.user_duty is
  'Which duties a log-in of staff has. Written by portal.set_duties; each change is in the audit. Of no customer, so no row-level security: customers'' requests read nothing of it.';
grant select on portal.user_duty to portal_desk, portal_work;

-- Staff that are there may do what they could: an upgrade locks nobody out.
insert into portal.user_duty (user_id, duty)
select l.login_id, d.code from portal.login l cross join portal.duty d where l.staff_role is not null;

-- +goose StatementBegin
create function portal.staff_id() returns bigint
language sql stable parallel safe
as $$ select nullif(current_setting('portal.staff_id', true), '')::bigint $$;
-- +goose StatementEnd
comment on function portal.staff_id() is
  'The log-in of staff that this transaction acts for (setting portal.staff_id); null for programs and customers.';
grant execute on function portal.staff_id() to public;


-- What staff write, and the duty it needs. Where several duties are named, one of them is enough.
create table portal.duty_rule (
  table_name text not null,
  part text not null default '',
  duty text not null,
  constraint duty_rule_pkey primary key (table_name, part, duty),
  constraint duty_rule_duty_fk foreign key (duty) references portal.duty on update cascade,
  constraint duty_rule_table check (table_name ~ '^(erp|portal)\.[a-z_]+$'),
  constraint duty_rule_part check (part ~ '^[a-z_]*$')
);
comment on table portal.duty_rule is
  'Which duties a log-in of staff needs to write a table; a table without a row is written by none. Held by triggers of these tables, which follow the rows. Programs other than the desk are not asked. Closed to customers: no row-level security.';
comment on column portal.duty_rule.part is
  'Empty: rows that come and go, and every column that has no rule of its own. insert or delete: rows that come or go. Else a column: that it changes.';
insert into portal.duty_rule (table_name, part, duty)
select r.table_name, r.part, d.duty
from (values
  -- orders
  ('erp.sales_order', '', 'sales'),
  ('erp.sales_order', 'status', 'sales warehouse credit'), -- which move: portal.duty_of_move
  ('erp.sales_order', 'status_reason', 'sales warehouse credit'),
  ('erp.sales_order', 'credit_released_by', 'credit'),
  ('erp.sales_order', 'credit_released_at', 'credit'),
  ('erp.sales_order', 'credit_released_amount', 'credit'),
  ('erp.sales_order', 'credit_release_reason', 'credit'),
  ('erp.sales_order_line', '', 'sales'),
  ('erp.sales_order_line', 'insert', 'sales warehouse'), -- a substitute that is picked
  ('erp.sales_order_line', 'qty_allocated', 'sales warehouse'),
  ('erp.sales_order_line', 'qty_backordered', 'sales warehouse'),
  ('erp.sales_order_line', 'qty_picked', 'warehouse'),
  ('erp.sales_order_line', 'qty_cancelled', 'sales warehouse'),
  ('erp.sales_order_line', 'cancel_reason', 'sales warehouse'),
  ('erp.order_review', '', 'sales credit'),
  -- the warehouse
  ('erp.shipment', '', 'warehouse'),
  ('erp.shipment', 'invoice_id', 'credit'),
  ('erp.shipment_line', '', 'warehouse'),
  ('erp.stock', '', 'warehouse'),
  ('erp.stock_expected', '', 'warehouse'),
  ('erp.route', '', 'warehouse'),
  ('erp.route_day', '', 'warehouse'),
  ('erp.route_holiday', '', 'warehouse'),
  ('erp.carrier', '', 'warehouse'),
  -- money
  ('erp.invoice', '', 'credit'),
  ('erp.invoice_line', '', 'credit'),
  ('erp.payment', '', 'credit'),
  ('erp.payment_application', '', 'credit'),
  ('erp.credit_memo', '', 'credit'),
  ('erp.credit_memo_line', '', 'credit'),
  ('erp.credit_reason', '', 'credit'),
  -- returns: who sells or keeps the accounts decides, the warehouse has the goods
  ('erp.credit_request', '', 'sales credit'),
  ('erp.credit_request', 'goods_received_at', 'warehouse'),
  ('erp.credit_request', 'credit_memo_id', 'credit'),
  ('erp.credit_request_line', '', 'sales credit'),
  ('erp.credit_request_line', 'qty_received', 'warehouse'),
  -- prices
  ('erp.item', '', 'prices'),
  ('erp.item_uom', '', 'prices'),
  ('erp.item_picture', '', 'prices'),
  ('erp.category', '', 'prices'),
  ('erp.price_contract', '', 'prices'),
  ('erp.price_group', '', 'prices'),
  ('erp.price_break', '', 'prices'),
  -- customers
  ('erp.customer', '', 'sales'),
  ('erp.customer', 'active', 'administrator'),
  ('erp.customer', 'second_factor', 'administrator'),
  ('erp.customer', 'credit_limit', 'credit'),
  ('erp.customer', 'credit_hold', 'credit'),
  ('erp.customer', 'terms_days', 'credit'),
  ('erp.customer', 'tax_rate', 'credit'),
  ('erp.customer', 'price_level', 'prices'),
  ('erp.customer', 'route_id', 'sales warehouse'),
  ('erp.ship_to', '', 'sales'),
  ('erp.ship_to', 'tax_rate', 'credit'),
  ('erp.ship_to', 'route_id', 'sales warehouse'),
  ('erp.customer_item', '', 'sales'),
  ('erp.authorized_item', '', 'sales'),
  ('erp.web_access', '', 'administrator'),
  ('portal.login', '', 'administrator'),
  ('portal.invitation', '', 'administrator')
) as r(table_name, part, duties)
cross join lateral string_to_table(r.duties, ' ') as d(duty);
grant select on portal.duty_rule to portal_desk, portal_work;

create table portal.duty_of_move (
  from_status text not null,
  to_status text not null,
  duty text not null,
  constraint duty_of_move_pkey primary key (from_status, to_status, duty),
  constraint duty_of_move_move_fk foreign key (from_status, to_status) references erp.order_move on delete cascade,
  constraint duty_of_move_duty_fk foreign key (duty) references portal.duty on update cascade
);
comment on table portal.duty_of_move is
  'Which duties a log-in of staff needs to move an order; a move without a row is made by none. What follows from the lines (shipped, delivered) is of who may write those. Closed to customers: no row-level security.';
insert into portal.duty_of_move (from_status, to_status, duty)
select m.from_status, m.to_status, d.duty
from erp.order_move m
cross join lateral string_to_table(case
  when m.to_status in ('PICKING', 'SHIPPED', 'DELIVERED') then 'warehouse'
  when m.to_status = 'ON_HOLD' then 'sales credit'
  when m.from_status = 'PICKING' and m.to_status = 'APPROVED' then 'sales warehouse'
  else 'sales' end, ' ') as d(duty);
grant select on portal.duty_of_move to portal_desk, portal_work;

-- Four eyes.
alter table erp.company add column four_eyes_amount numeric(14,2);
-- One row.
-- squawk-ignore constraint-missing-not-valid
alter table erp.company add constraint company_four_eyes_amount check (four_eyes_amount >= 0);
comment on column erp.company.four_eyes_amount is
  'From this amount on a second person approves payments, credit memos and releases of credit that staff enter at the desk. Null: nobody has to.';

create table portal.held_entry (
  entry_id bigint not null generated always as identity,
  kind text not null,
  customer_id bigint not null,
  amount numeric(14,2) not null,
  args jsonb not null,
  key uuid,
  status text not null default 'WAITING',
  entered_by text not null default portal.actor(),
  entered_by_id bigint not null,
  entered_at timestamptz not null default erp.now(),
  decided_by text,
  decided_by_id bigint,
  decided_at timestamptz,
  reason text,
  doc_no text,
  constraint held_entry_pkey primary key (entry_id),
  constraint held_entry_customer_fk foreign key (customer_id) references erp.customer on delete cascade,
  constraint held_entry_key unique (key),
  constraint held_entry_kind check (kind in ('payment', 'credit', 'return', 'release')),
  constraint held_entry_status check (status in ('WAITING', 'APPROVED', 'REJECTED')),
  constraint held_entry_decided check ((status = 'WAITING') = (decided_at is null)
    and num_nonnulls(decided_by, decided_by_id, decided_at) in (0, 3)),
  constraint held_entry_four_eyes check (status <> 'APPROVED' or decided_by_id <> entered_by_id),
  constraint held_entry_posted check ((status = 'APPROVED') = (doc_no is not null)),
  constraint held_entry_rejected_has_reason check (status <> 'REJECTED' or coalesce(btrim(reason), '') <> '')
);
create index held_entry_customer on portal.held_entry (customer_id);
create index held_entry_waiting on portal.held_entry (entry_id) where status = 'WAITING';
create index held_entry_doc_no on portal.held_entry (doc_no) where doc_no is not null;
create unique index held_entry_return_once on portal.held_entry ((args ->> 'request_no')) where status = 'WAITING' and kind = 'return';
create unique index held_entry_release_once on portal.held_entry ((args ->> 'order_no')) where status = 'WAITING' and kind = 'release';
comment on table portal.held_entry is
  'What staff entered at the desk and a second person approves before it is posted: portal.enter_money, portal.approve_entry, portal.reject_entry. Closed to customers: no row-level security.';
comment on column portal.held_entry.args is 'What is posted: the arguments of the function that does it.';
comment on column portal.held_entry.entered_by_id is 'The log-in, which may be gone by now: no foreign key.';
comment on column portal.held_entry.doc_no is 'The document that it became.';
grant select on portal.held_entry to portal_desk;

-- Mails as operators see them: without the link that sets a password.
create view portal.mail_shown with (security_barrier) as
select m.mail_id, m.kind, m.recipient, m.customer_id, m.document_id, m.subject, m.status, m.attempts, m.last_error, m.created_at,
  m.tried_at, m.sent_at, m.message_id, m.body_text, m.body_html
from portal.mail m
where exists (select from portal.login l where l.login_id = portal.staff_id() and l.staff_role = 'ops' and not l.disabled);
comment on view portal.mail_shown is
  'The mails, for operators (portal.staff_id): without secret, the token in the links of resets and invitations. Bodies hold a mark where it goes.';
grant select on portal.mail_shown to portal_desk;

-- +goose Down
drop view portal.mail_shown;
drop table portal.held_entry cascade;
drop function if exists portal.four_eyes_held() cascade;
alter table erp.company drop column four_eyes_amount;
drop function if exists portal.duty_of_statement() cascade;
drop function if exists portal.duty_of_columns() cascade;
drop function if exists portal.duty_of_order_move() cascade;
drop table portal.duty_of_move;
drop table portal.duty_rule;
drop table portal.user_duty;
drop table portal.duty;
drop function portal.staff_id();
