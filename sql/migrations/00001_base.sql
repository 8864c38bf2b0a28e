-- +goose Up
-- The clock of every business rule, and the customer a request acts for: the
-- two functions that column defaults and policies lean on.

create table erp.clock (
  only_row boolean primary key default true,
  fixed timestamptz,
  shift interval not null default '0',
  constraint clock_only_row check (only_row)
);
comment on table erp.clock is 'Test clock: fixed (stands still) or shifted against the real time. Untouched in production.';
insert into erp.clock default values;

-- +goose StatementBegin
create function erp.now() returns timestamptz
language sql stable security definer set search_path = pg_catalog
as $$ select coalesce(c.fixed, pg_catalog.now() + c.shift) from erp.clock c $$;
-- +goose StatementEnd
comment on function erp.now() is 'The time that business rules go by: the transaction''s, unless erp.clock says otherwise.';

-- +goose StatementBegin
create function portal.customer_id() returns bigint
language sql stable parallel safe
as $$ select nullif(current_setting('portal.customer_id', true), '')::bigint $$;
-- +goose StatementEnd
comment on function portal.customer_id() is 'The customer this transaction acts for (setting portal.customer_id); null outside a customer request.';

-- +goose StatementBegin
create function portal.actor() returns text
language sql stable parallel safe
as $$ select coalesce(nullif(current_setting('portal.actor', true), ''), session_user::text) $$;
-- +goose StatementEnd
comment on function portal.actor() is 'Who writes: the person the portal acts for (setting portal.actor), else the database user.';

create table erp.company (
  only_row boolean primary key default true,
  name text not null default 'Harbor & Main Wholesale',
  remit_to text not null default '',
  time_zone text not null default 'America/New_York',
  currency text not null default 'USD',
  aging_basis text not null default 'invoice_date',
  price_policy text not null default 'contract_wins',
  warehouse text not null default 'MAIN',
  low_stock numeric not null default 10,
  review_first_order boolean not null default false,
  review_new_ship_to boolean not null default false,
  review_past_due_days int,
  constraint company_only_row check (only_row),
  constraint company_aging_basis check (aging_basis in ('invoice_date', 'due_date')),
  constraint company_price_policy check (price_policy in ('contract_wins', 'lowest_wins')),
  constraint company_currency check (currency ~ '^[A-Z]{3}$')
);
comment on column erp.company.review_past_due_days is 'Orders of a customer with an invoice more than so many days past due go to review. Null: never.';
insert into erp.company default values;

-- +goose StatementBegin
create function erp.today() returns date
language sql stable security definer set search_path = pg_catalog
as $$ select (erp.now() at time zone c.time_zone)::date from erp.company c $$;
-- +goose StatementEnd
comment on function erp.today() is 'The business date: erp.now() in the company''s time zone.';

-- +goose Down
drop function erp.today(), portal.actor(), portal.customer_id(), erp.now();
drop table erp.company, erp.clock;
