-- +goose Up
-- What a customer said of the columns of its files and pasted rows, where the
-- reader was not sure: the next table of the same shape is read so.
create table portal.entry_columns (
  customer_id bigint not null,
  shape bytea not null,
  has_head boolean not null,
  item_column smallint not null,
  quantity_column smallint,
  unit_column smallint,
  all_units text,
  decimal_sign text,
  answered_at timestamptz not null default erp.now(),
  answered_by text not null default portal.actor(),
  constraint entry_columns_pkey primary key (customer_id, shape),
  constraint entry_columns_customer_fk foreign key (customer_id) references erp.customer on delete cascade,
  constraint entry_columns_shape_sha256 check (octet_length(shape) = 32),
  constraint entry_columns_item_within check (item_column between 0 and 999),
  constraint entry_columns_quantity_within check (quantity_column between 0 and 999 and quantity_column <> item_column),
  constraint entry_columns_unit_within check (unit_column between 0 and 999 and unit_column not in (item_column, coalesce(quantity_column, -1))),
  constraint entry_columns_one_unit check (unit_column is null or all_units is null),
  constraint entry_columns_all_units_written check (length(all_units) between 1 and 40),
  constraint entry_columns_decimal_sign check (decimal_sign in ('.', ','))
);
comment on table portal.entry_columns is
  'How a customer''s tables of order rows are read, by their shape: what somebody of it answered when the reader asked. It changes no money and shows on no page, so it has neither audit nor events; what is read by it is named above the rows each time.';
comment on column portal.entry_columns.shape is
  'SHA-256 of the head''s words, or of what each column holds where there is no head.';
comment on column portal.entry_columns.has_head is 'The row that looks like a head is one; else it is a row to order.';
comment on column portal.entry_columns.item_column is 'From 0.';
comment on column portal.entry_columns.quantity_column is 'From 0. Null: there is none, quantities are typed.';
comment on column portal.entry_columns.unit_column is 'From 0. Null: all_units, else each item''s own unit.';
comment on column portal.entry_columns.decimal_sign is 'Where the quantities themselves do not say it. Null: it was of no matter.';

alter table portal.entry_columns enable row level security;
create policy open_to_programs on portal.entry_columns using (true) with check (true);
create policy own_customer_only on portal.entry_columns as restrictive to portal_web
  using (customer_id = portal.customer_id()) with check (customer_id = portal.customer_id());
create policy ordering_only_insert on portal.entry_columns as restrictive for insert to portal_web with check ((select portal.may('order')));
create policy ordering_only_update on portal.entry_columns as restrictive for update to portal_web using ((select portal.may('order')));
create policy ordering_only_delete on portal.entry_columns as restrictive for delete to portal_web using ((select portal.may('order')));
grant select, insert, update, delete on portal.entry_columns to portal_web;

-- +goose Down
drop table portal.entry_columns;
