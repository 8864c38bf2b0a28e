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

-- +goose Down
drop table portal.user_duty;
drop table portal.duty;
drop function portal.staff_id();
