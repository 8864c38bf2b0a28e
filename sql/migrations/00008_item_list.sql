-- +goose Up
-- Lists of items that all log-ins of a customer share, beside each log-in's
-- own favourites.
create table portal.item_list (
  list_id bigint generated always as identity primary key,
  customer_id bigint not null,
  name text not null,
  created_at timestamptz not null default erp.now(),
  constraint item_list_customer_fk foreign key (customer_id) references erp.customer on delete cascade,
  constraint item_list_name_written check (name = btrim(name) and name <> '' and length(name) <= 80)
);
create unique index item_list_name_key on portal.item_list (customer_id, lower(name));

create table portal.item_list_line (
  list_id bigint not null,
  item_id bigint not null,
  added_at timestamptz not null default clock_timestamp(),
  primary key (list_id, item_id),
  constraint item_list_line_list_fk foreign key (list_id) references portal.item_list on delete cascade,
  constraint item_list_line_item_fk foreign key (item_id) references erp.item on delete cascade
);
create index item_list_line_item on portal.item_list_line (item_id);

alter table portal.item_list enable row level security;
create policy open_to_programs on portal.item_list using (true) with check (true);
create policy own_customer_only on portal.item_list as restrictive to portal_web
  using (customer_id = portal.customer_id()) with check (customer_id = portal.customer_id());
alter table portal.item_list_line enable row level security;
create policy open_to_programs on portal.item_list_line using (true) with check (true);
create policy own_customer_only on portal.item_list_line as restrictive to portal_web
  using (exists (select from portal.item_list l where l.list_id = item_list_line.list_id and l.customer_id = portal.customer_id()))
  with check (exists (select from portal.item_list l where l.list_id = item_list_line.list_id and l.customer_id = portal.customer_id()));
grant select, insert, update, delete on portal.item_list, portal.item_list_line to portal_web, portal_work;

-- +goose Down
drop table portal.item_list_line, portal.item_list;
