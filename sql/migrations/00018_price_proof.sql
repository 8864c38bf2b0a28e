-- +goose Up
-- The price proof: what the price function said when an order line got its
-- price, and what the nightly proof makes of it.

alter table erp.sales_order_line add column override_reason text not null default '';
comment on column erp.sales_order_line.override_reason is
  'Why the price is not the one that erp.price gives. A line with a reason is no difference to the price proof.';

-- Which transactions a receipt's snapshot had seen tells, to the commit, whether
-- a rule was changed before or after it.
alter table portal.audit add column xid xid8 not null default pg_current_xact_id();
comment on column portal.audit.xid is 'The transaction that wrote it; those from before the column have the migration''s.';

create table portal.price_receipt (
  receipt_id bigint generated always as identity primary key,
  order_id bigint not null,
  line_no int not null,
  priced_at timestamptz not null default erp.now(),
  written_at timestamptz not null default clock_timestamp(),
  began_at timestamptz not null default transaction_timestamp(),
  snapshot pg_snapshot not null default pg_current_snapshot(),
  actor text not null default portal.actor(),
  program text not null default coalesce(current_setting('application_name', true), ''),
  total_qty numeric,
  asked_price numeric(14,4),
  asked_step text,
  asked_rule_id bigint,
  unit_price numeric(14,4) not null,
  price_step text,
  price_rule_id bigint,
  constraint price_receipt_line_fk foreign key (order_id, line_no) references erp.sales_order_line on delete cascade
);
comment on table portal.price_receipt is
  'Each time an order line gets a price, whichever program gives it: what the line took, beside what erp.price gave at that moment. Written by triggers, never changed.';
comment on column portal.price_receipt.total_qty is 'Of the item over all lines of the order, in base units: what quantity breaks went by.';
comment on column portal.price_receipt.asked_price is 'What erp.price gave. Null: it was not asked (imported orders, and lines from before there were receipts).';
create index price_receipt_line on portal.price_receipt (order_id, line_no, receipt_id desc);
create index price_receipt_written on portal.price_receipt (written_at);

create table portal.proof_run (
  run_id bigint generated always as identity primary key,
  started_at timestamptz not null default clock_timestamp(),
  seconds numeric(10,2),
  started_by text not null default portal.actor(),
  whole boolean not null,
  since timestamptz,
  order_lines bigint not null default 0,
  repriced bigint not null default 0,
  invoice_lines bigint not null default 0,
  documents bigint not null default 0,
  customers bigint not null default 0,
  found bigint not null default 0,
  explained bigint not null default 0
);
comment on table portal.proof_run is 'Runs of the price proof. One that is not whole looks at what came since an earlier one, and at what is still different.';
comment on column portal.proof_run.explained is 'Lines that erp.price would give another price today, because a rule was changed since, by the audit log.';

create table portal.proof_difference (
  difference_id bigint generated always as identity primary key,
  kind text not null,
  subject text not null,
  line_no int not null default 0,
  customer_id bigint,
  detail text not null,
  first_run bigint not null,
  last_run bigint not null,
  found_at timestamptz not null default clock_timestamp(),
  resolved_at timestamptz,
  acknowledged_at timestamptz,
  acknowledged_by text,
  note text not null default '',
  constraint proof_difference_key unique (kind, subject, line_no),
  constraint proof_difference_customer_fk foreign key (customer_id) references erp.customer on delete cascade,
  constraint proof_difference_first_run_fk foreign key (first_run) references portal.proof_run,
  constraint proof_difference_last_run_fk foreign key (last_run) references portal.proof_run
);
comment on table portal.proof_difference is
  'What a proof found and no later one found mended. One that was acknowledged comes back only if its figures change.';
create index proof_difference_open on portal.proof_difference (difference_id) where resolved_at is null;

grant select on portal.price_receipt, portal.proof_run, portal.proof_difference to portal_desk, portal_work;

-- Prices from before there were receipts are taken as they are, so that they
-- cannot change unseen from now on.
insert into portal.price_receipt (order_id, line_no, priced_at, actor, program, unit_price, price_step, price_rule_id)
select l.order_id, l.line_no, o.submitted_at, 'migration', '', l.unit_price, l.price_step, l.price_rule_id
from erp.sales_order_line l join erp.sales_order o using (order_id)
where l.unit_price is not null;

-- +goose Down
drop table portal.proof_difference, portal.proof_run, portal.price_receipt;
alter table portal.audit drop column xid;
alter table erp.sales_order_line drop column override_reason;
