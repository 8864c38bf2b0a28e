-- +goose Up
-- Money owed: numbers without gaps, tax and freight, payments that come back,
-- closed periods, and statements as they were sent.

create table erp.document_series (
  series text primary key,
  next_no bigint not null,
  constraint document_series_next_no check (next_no > 0)
);
comment on table erp.document_series is
  'The next number of documents that must be numbered without gaps. A number is drawn under a row lock and given back with the transaction, which a sequence cannot do.';
insert into erp.document_series (series, next_no)
select 'invoice', case when s.is_called then s.last_value + 1 else s.last_value end from erp.invoice_no_seq s;
grant select, update on erp.document_series to portal_desk;
grant select on erp.document_series to portal_work;

-- +goose StatementBegin
create function erp.next_invoice_no() returns text
language plpgsql security definer set search_path = pg_catalog
as $$
declare
  n bigint;
begin
  loop
    update erp.document_series s set next_no = s.next_no + 1 where s.series = 'invoice' returning s.next_no - 1 into n;
    -- a program may have given that number itself
    exit when not exists (select from erp.invoice i where i.invoice_no = n::text);
  end loop;
  return n::text;
end
$$;
-- +goose StatementEnd
comment on function erp.next_invoice_no() is
  'The next invoice number. Whoever draws one holds the series until its transaction ends: invoices of several orders at once take the orders first.';
grant execute on function erp.next_invoice_no() to public;
alter table erp.invoice alter column invoice_no set default erp.next_invoice_no();
drop sequence erp.invoice_no_seq;

alter table erp.company add column closed_through date;
comment on column erp.company.closed_through is
  'Up to this day nothing is posted or changed any more: invoices, memos, payments, applications. Null: no period is closed.';

alter table erp.customer add column tax_rate numeric(7,6) not null default 0;
alter table erp.customer add column bill_to text not null default '';
alter table erp.customer add constraint customer_tax_rate check (tax_rate between 0 and 1);
comment on column erp.customer.tax_rate is 'Of its taxable merchandise: 0.08875 is 8.875 %. A ship-to may have its own.';
comment on column erp.customer.bill_to is 'Address on invoices and statements, below the name, in lines. Empty: that of its first ship-to.';
alter table erp.ship_to add column tax_rate numeric(7,6);
alter table erp.ship_to add constraint ship_to_tax_rate check (tax_rate between 0 and 1);
alter table erp.item add column taxable boolean not null default true;
alter table erp.invoice add column tax_rate numeric(7,6) not null default 0;
comment on column erp.invoice.tax_rate is 'What tax was computed with, once for the document, rounded once.';
alter table erp.shipment add column freight numeric(14,2) not null default 0;
alter table erp.shipment add column invoice_id bigint;
alter table erp.shipment add constraint shipment_freight check (freight >= 0);
alter table erp.shipment add constraint shipment_invoice_fk foreign key (invoice_id) references erp.invoice;
comment on column erp.shipment.freight is 'What the customer is charged for carriage, on the next invoice.';
comment on column erp.shipment.invoice_id is 'The invoice that charged its freight. Null: not yet.';
create index shipment_invoice on erp.shipment (invoice_id) where invoice_id is not null;
grant select (taxable) on erp.item to portal_web;

alter table erp.payment add column reversed_on date;
alter table erp.payment add column reversed_reason text;
alter table erp.payment add column key uuid;
alter table erp.payment add column entered_by text not null default portal.actor();
alter table erp.payment add column entered_at timestamptz not null default erp.now();
alter table erp.payment add constraint payment_key unique (key);
alter table erp.payment add constraint payment_reversed check (reversed_on is null or reversed_on >= payment_date and open_amount = 0);
comment on column erp.payment.reversed_on is
  'The day it came back (a bounced check). Until then it counted; what it was applied to is open again from then on.';
comment on column erp.payment.key is 'Made with the form that entered it, so that a repeated send finds the payment it made.';

alter table erp.payment_application add column customer_id bigint;
alter table erp.payment_application disable trigger user;
update erp.payment_application a set customer_id = i.customer_id from erp.invoice i where i.invoice_id = a.invoice_id;
alter table erp.payment_application enable trigger user;
alter table erp.payment_application alter column customer_id set not null;
comment on column erp.payment_application.customer_id is 'The invoice''s; set by a trigger.';
comment on column erp.payment_application.applied_on is
  'Not before the invoice and what is applied to it. To take an application back, insert it again with the amount negative.';
create index payment_application_of_customer on erp.payment_application (customer_id, applied_on);

-- An account's movements and its open documents by index alone.
create index invoice_ledger on erp.invoice (customer_id, invoice_date) include (total);
create index credit_memo_open on erp.credit_memo (customer_id) where open_amount <> 0;
create index payment_open on erp.payment (customer_id) where open_amount <> 0;
create index payment_reversed_of_customer on erp.payment (customer_id, reversed_on) where reversed_on is not null;

create table portal.statement_run (
  run_id bigint generated always as identity primary key,
  period_from date not null,
  period_to date not null,
  started_at timestamptz not null default clock_timestamp(),
  started_by text not null default portal.actor(),
  finished_at timestamptz,
  constraint statement_run_period check (period_from <= period_to)
);
comment on table portal.statement_run is 'A run over all customers that want a monthly statement. Its work is the rows of portal.statement that are QUEUED.';
create unique index statement_run_of_period on portal.statement_run (period_from, period_to);

create table portal.statement (
  statement_id bigint generated always as identity primary key,
  customer_id bigint not null,
  run_id bigint,
  period_from date not null,
  period_to date not null,
  status text not null default 'QUEUED',
  requested_by text not null default portal.actor(),
  login_id bigint,
  requested_at timestamptz not null default erp.now(),
  made_at timestamptz,
  closing numeric(14,2),
  document_id bigint,
  attempts int not null default 0,
  error text,
  constraint statement_customer_fk foreign key (customer_id) references erp.customer on delete cascade,
  constraint statement_run_fk foreign key (run_id) references portal.statement_run,
  constraint statement_login_fk foreign key (login_id) references portal.login on delete set null,
  constraint statement_document_fk foreign key (document_id) references portal.document,
  constraint statement_period check (period_from <= period_to),
  constraint statement_status check (status in ('QUEUED', 'READY', 'FAILED')),
  constraint statement_ready_has_document check ((status = 'READY') = (document_id is not null))
);
comment on table portal.statement is 'Statements as they were sent: the paper is stored once and never made again.';
create index statement_of_customer on portal.statement (customer_id, statement_id desc);
create unique index statement_of_run on portal.statement (run_id, customer_id) where run_id is not null;
create index statement_queued on portal.statement (statement_id) where status = 'QUEUED';
create index statement_document on portal.statement (document_id) where document_id is not null;
create index statement_login on portal.statement (login_id) where login_id is not null;

alter table portal.statement enable row level security;
create policy open_to_programs on portal.statement using (true) with check (true);
grant select on portal.statement to portal_web;
grant select, insert, update on portal.statement, portal.statement_run to portal_work;
grant select on portal.statement, portal.statement_run, portal.document to portal_desk;

-- +goose StatementBegin
create function portal.sees_balance() returns boolean
language sql stable security definer set search_path = pg_catalog
as $$
  select portal.may('account') and coalesce((select w.see_balance from erp.web_access w where w.customer_id = portal.customer_id()), false)
$$;
-- +goose StatementEnd
comment on function portal.sees_balance() is 'Whether the customer and log-in this transaction acts for may see balance, payments and statements.';
grant execute on function portal.sees_balance() to portal_web, portal_desk, portal_work;

create policy balance_only on portal.statement as restrictive to portal_web
  using (customer_id = portal.customer_id() and (select portal.sees_balance()));
create policy balance_only on erp.payment as restrictive to portal_web using ((select portal.sees_balance()));
create policy balance_only on erp.payment_application as restrictive to portal_web using ((select portal.sees_balance()));

-- it takes the freight as well: see sql/functions/invoice_order.sql
drop function if exists erp.invoice_order(text);

-- +goose Down
drop policy balance_only on erp.payment_application;
drop policy balance_only on erp.payment;
drop table portal.statement, portal.statement_run;
drop function portal.sees_balance();
drop index erp.invoice_ledger, erp.credit_memo_open, erp.payment_open, erp.payment_reversed_of_customer;
alter table erp.payment_application drop column customer_id;
alter table erp.payment drop column reversed_on, drop column reversed_reason, drop column key, drop column entered_by, drop column entered_at;
alter table erp.shipment drop column freight, drop column invoice_id;
alter table erp.invoice drop column tax_rate;
alter table erp.item drop column taxable;
alter table erp.ship_to drop column tax_rate;
alter table erp.customer drop column tax_rate, drop column bill_to;
alter table erp.company drop column closed_through;
create sequence erp.invoice_no_seq start 10001;
alter table erp.invoice alter column invoice_no set default nextval('erp.invoice_no_seq')::text;
drop function erp.next_invoice_no();
drop table erp.document_series;
