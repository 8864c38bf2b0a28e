-- +goose Up
-- Holidays with a cutoff of their own, standing orders, and notices to a
-- customer.

-- Routes -----------------------------------------------------------------------

alter table erp.route_holiday
  add column name text not null default '',
  add column cutoff_days_before int,
  add column cutoff_time time,
  add constraint route_holiday_cutoff_days_before check (cutoff_days_before between 0 and 14);
comment on column erp.route_holiday.cutoff_days_before is
  'Of the replacement, before its date. Null: as on the day replaced. The same day as replacement changes only its cutoff.';
-- rows of the programs before us may be odd; new ones may not
alter table erp.route_day
  add constraint route_day_cutoff_days_before check (cutoff_days_before between 0 and 14) not valid;

-- Two rows of all routes for one day contradict each other; the first was the
-- one that counted.
delete from erp.route_holiday h
where h.route_id is null
  and exists (select from erp.route_holiday o where o.route_id is null and o.holiday = h.holiday and o.holiday_id < h.holiday_id);
create unique index route_holiday_all_key on erp.route_holiday (holiday) where route_id is null;
create index customer_route on erp.customer (route_id) where route_id is not null;
create index ship_to_route on erp.ship_to (route_id) where route_id is not null;

-- Standing orders ----------------------------------------------------------------

create table portal.standing_order (
  standing_order_id bigint generated always as identity primary key,
  customer_id bigint not null,
  name text not null,
  rhythm text not null default 'runs',
  every int not null default 1,
  weekday int,
  starts_on date not null default erp.today(),
  ends_on date,
  hours_before int not null default 24,
  ship_to_id bigint,
  po_no text not null default '',
  note text not null default '',
  paused boolean not null default false,
  active_since timestamptz not null default erp.now(),
  next_at timestamptz,
  created_by text not null default portal.actor(),
  created_at timestamptz not null default erp.now(),
  constraint standing_order_customer_fk foreign key (customer_id) references erp.customer on delete cascade,
  constraint standing_order_ship_to_fk foreign key (ship_to_id) references erp.ship_to on delete set null,
  constraint standing_order_name_written check (name = btrim(name) and name <> '' and length(name) <= 80),
  constraint standing_order_rhythm check (rhythm in ('runs', 'weeks')),
  constraint standing_order_every check (every between 1 and 52),
  constraint standing_order_weekday check (weekday between 1 and 7 and (rhythm = 'runs') = (weekday is null)),
  constraint standing_order_ends_on check (ends_on >= starts_on),
  constraint standing_order_hours_before check (hours_before between 0 and 336),
  constraint standing_order_po_no check (length(po_no) <= 60),
  constraint standing_order_note check (length(note) <= 2000)
);
create unique index standing_order_name_key on portal.standing_order (customer_id, lower(name));
create index standing_order_next on portal.standing_order (next_at) where not paused;
comment on table portal.standing_order is 'An order that repeats: with every n-th run of the route, or every n weeks on a weekday. All log-ins of the customer share it.';
comment on column portal.standing_order.weekday is 'ISO: 1 Monday … 7 Sunday; of rhythm weeks only.';
comment on column portal.standing_order.hours_before is 'So long before the cutoff the order is made.';
comment on column portal.standing_order.active_since is 'Dates whose order should have been made before this instant are not its concern: when it was made, resumed, or given another rhythm.';
comment on column portal.standing_order.next_at is 'When the job must look at it again; null: now.';

create table portal.standing_order_line (
  standing_order_id bigint not null,
  item_id bigint not null,
  uom text not null,
  qty numeric not null,
  added_at timestamptz not null default clock_timestamp(),
  primary key (standing_order_id, item_id, uom),
  constraint standing_order_line_order_fk foreign key (standing_order_id) references portal.standing_order on delete cascade,
  constraint standing_order_line_item_fk foreign key (item_id) references erp.item on delete cascade,
  constraint standing_order_line_qty check (qty > 0)
);
create index standing_order_line_item on portal.standing_order_line (item_id);

create table portal.standing_run (
  standing_order_id bigint not null,
  run_date date not null,
  delivery_date date not null,
  outcome text not null,
  order_id bigint,
  findings jsonb not null default '[]',
  at timestamptz not null default erp.now(),
  primary key (standing_order_id, run_date),
  constraint standing_run_order_fk foreign key (standing_order_id) references portal.standing_order on delete cascade,
  constraint standing_run_sales_order_fk foreign key (order_id) references erp.sales_order on delete set null,
  constraint standing_run_outcome check (outcome in ('announced', 'skipped', 'made', 'failed', 'missed'))
);
create index standing_run_sales_order on portal.standing_run (order_id) where order_id is not null;
comment on table portal.standing_run is
  'What became of each date of a standing order: one row a date, so nothing is made twice. announced may become any of the others, failed may become made.';
comment on column portal.standing_run.run_date is 'The day as planned; a holiday may move the delivery, and the date stays the same date.';

alter table erp.sales_order add column standing_order text;
comment on column erp.sales_order.standing_order is 'The name of the standing order that made it, as it was then.';

-- Notices ------------------------------------------------------------------------

create table portal.notice (
  notice_id bigint generated always as identity primary key,
  customer_id bigint not null,
  at timestamptz not null default erp.now(),
  kind text not null,
  text text not null,
  link text not null default '',
  read_at timestamptz,
  constraint notice_customer_fk foreign key (customer_id) references erp.customer on delete cascade,
  constraint notice_kind check (kind in ('info', 'success', 'warning')),
  constraint notice_text_written check (btrim(text) <> ''),
  constraint notice_link check (link = '' or link ~ '^/[^/\\]')
);
create index notice_of_customer on portal.notice (customer_id, at desc, notice_id desc);
create index notice_unread on portal.notice (customer_id, notice_id) where read_at is null;
comment on table portal.notice is 'What a customer is told on its pages. All its log-ins read it; one of them puts it away for all.';

-- +goose StatementBegin
do $$
declare
  fence record;
begin
  for fence in
    select * from (values
      ('portal.standing_order', 'customer_id = portal.customer_id()'),
      ('portal.standing_order_line', 'exists (select from portal.standing_order s where s.standing_order_id = standing_order_line.standing_order_id and s.customer_id = portal.customer_id())'),
      ('portal.standing_run', 'exists (select from portal.standing_order s where s.standing_order_id = standing_run.standing_order_id and s.customer_id = portal.customer_id())'),
      ('portal.notice', 'customer_id = portal.customer_id()')
    ) as fences (of_table, own_rows)
  loop
    execute format('alter table %s enable row level security', fence.of_table);
    execute format('create policy open_to_programs on %s using (true) with check (true)', fence.of_table);
    execute format('create policy own_customer_only on %s as restrictive to portal_web using (%s) with check (%2$s)',
      fence.of_table, fence.own_rows);
  end loop;
end
$$;
-- +goose StatementEnd
grant select on portal.standing_order, portal.standing_order_line, portal.standing_run, portal.notice to portal_web, portal_desk, portal_work;
grant insert, delete on portal.standing_order to portal_web;
grant update (name, rhythm, every, weekday, starts_on, ends_on, hours_before, ship_to_id, po_no, note, paused) on portal.standing_order to portal_web;
grant insert, update, delete on portal.standing_order_line to portal_web;
grant update (read_at) on portal.notice to portal_web;
grant insert, update, delete on portal.notice to portal_work;
grant insert, update on portal.standing_run to portal_work;

-- +goose Down
drop table portal.notice, portal.standing_run, portal.standing_order_line, portal.standing_order;
alter table erp.sales_order drop column standing_order;
drop index erp.ship_to_route, erp.customer_route, erp.route_holiday_all_key;
alter table erp.route_day drop constraint route_day_cutoff_days_before;
alter table erp.route_holiday drop column cutoff_time, drop column cutoff_days_before, drop column name;
