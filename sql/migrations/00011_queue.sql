-- +goose Up
-- Changing an order while it is open, and releasing credit.

alter table erp.web_access add column may_change text not null default 'edit',
  add constraint web_access_may_change check (may_change in ('none', 'cancel', 'edit'));
comment on column erp.web_access.may_change is
  'What a buyer may do with an order that is still Submitted: nothing, cancel it, or change its quantities as well.';

alter table erp.sales_order
  add column revision int not null default 0,
  add column credit_released_by text,
  add column credit_released_at timestamptz,
  add column credit_released_amount numeric(14,2),
  add column credit_release_reason text,
  add constraint sales_order_credit_released check (num_nulls(credit_released_by, credit_released_at, credit_released_amount) in (0, 3));
comment on column erp.sales_order.revision is
  'Counts the changes of its quantities. Who decides on an order says which one they looked at.';
comment on column erp.sales_order.credit_released_amount is
  'The exposure that was accepted with this order: up to it the order passes, above it somebody must look again. For staff only.';
comment on column erp.sales_order.reviewed_at is
  'When the approval job left the order for review; null while undecided or approved at once. Set to null again, the job decides once more.';

alter table erp.customer add column credit_hold_since timestamptz;
update erp.customer set credit_hold_since = erp.now() where credit_hold;
comment on column erp.customer.credit_hold_since is 'Kept by a trigger. A release of credit from before it does not count.';

create table erp.order_change (
  change_id bigint generated always as identity primary key,
  order_id bigint not null,
  line_no int not null,
  from_qty numeric not null,
  to_qty numeric not null,
  at timestamptz not null default erp.now(),
  actor text not null default portal.actor(),
  program text not null default coalesce(current_setting('application_name', true), ''),
  by_customer boolean not null default (portal.customer_id() is not null),
  reason text,
  constraint order_change_line_fk foreign key (order_id, line_no) references erp.sales_order_line on delete cascade
);
comment on table erp.order_change is
  'Who changed the ordered quantity of a line, from what to what, in the line''s unit and without what was cancelled. Written by a trigger; the reason is the setting portal.reason.';
create index order_change_order on erp.order_change (order_id, change_id);

alter table erp.order_change enable row level security;
create policy open_to_programs on erp.order_change using (true) with check (true);
create policy own_customer_only on erp.order_change as restrictive to portal_web
  using (exists (select from erp.sales_order o where o.order_id = order_change.order_id and o.customer_id = portal.customer_id()));
grant select on erp.order_change to portal_web, portal_desk, portal_work;

-- The queue's filter by reason.
create index order_review_code on erp.order_review (code, order_id);

-- It got one parameter more: see sql/functions/order_findings.sql.
drop function if exists erp.order_findings(bigint, bigint[], text[], numeric[], numeric[], text, bigint, date, bigint);

-- +goose Down
drop index erp.order_review_code;
drop table erp.order_change;
alter table erp.customer drop column credit_hold_since;
alter table erp.sales_order drop column revision, drop column credit_released_by, drop column credit_released_at,
  drop column credit_released_amount, drop column credit_release_reason;
alter table erp.web_access drop column may_change;
