-- +goose Up
-- What each status of an order means, said once. Statements ask the functions that
-- sql/functions/order_status.sql writes from these rows: erp.is_open(o.status) and so on.
--
-- No row of a customer and no price stands here, so there is no row-level security, no
-- audit and no event: the rows change with a version of the portal only.
create table erp.order_status (
  code text not null,
  sort int not null,
  is_open boolean not null,
  is_undecided boolean not null,
  is_changeable boolean not null,
  is_to_pick boolean not null,
  is_pickable boolean not null,
  is_shippable boolean not null,
  is_released boolean not null,
  is_started boolean not null,
  is_shipped boolean not null,
  is_void boolean not null,
  constraint order_status_pkey primary key (code),
  constraint order_status_sort unique (sort),
  constraint order_status_code check (code ~ '^[A-Z_]+$'),
  constraint order_status_one_end check (not (is_open and is_void)),
  constraint order_status_to_pick_is_open check (is_open or not is_to_pick),
  constraint order_status_shippable_is_released check (is_released or not is_shippable)
);
comment on table erp.order_status is
  'The statuses of an order and what each means. For each is_ column there is a function of that name: erp.is_open(status).';
comment on column erp.order_status.sort is 'Where lists by status show it.';
comment on column erp.order_status.is_open is 'The order is still on its way: neither delivered nor given up.';
comment on column erp.order_status.is_undecided is 'Nobody has approved it yet, or somebody holds it.';
comment on column erp.order_status.is_changeable is 'Picking has not begun: staff may change quantities and add lines.';
comment on column erp.order_status.is_to_pick is 'Its backordered lines wait for stock.';
comment on column erp.order_status.is_pickable is 'The warehouse may pick and ship it.';
comment on column erp.order_status.is_shippable is 'Its shipments may be written and corrected.';
comment on column erp.order_status.is_released is 'It was approved and not given up since.';
comment on column erp.order_status.is_started is 'Picking has begun, or is long done.';
comment on column erp.order_status.is_shipped is 'All of it has left: nothing is allocated or backordered.';
comment on column erp.order_status.is_void is 'Given up: it counts in no figure.';

insert into erp.order_status (code, sort, is_open, is_undecided, is_changeable, is_to_pick, is_pickable,
  is_shippable, is_released, is_started, is_shipped, is_void) values
  ('SUBMITTED', 1, true,  true,  true,  true,  false, false, false, false, false, false),
  ('ON_HOLD',   2, true,  true,  true,  true,  false, false, false, false, false, false),
  ('APPROVED',  3, true,  false, true,  true,  true,  true,  true,  false, false, false),
  ('PICKING',   4, true,  false, false, true,  true,  true,  true,  true,  false, false),
  ('SHIPPED',   5, true,  false, false, false, false, true,  true,  true,  true,  false),
  ('DELIVERED', 6, false, false, false, false, false, false, true,  true,  true,  false),
  ('REJECTED',  7, false, false, false, false, false, false, false, false, false, true),
  ('CANCELLED', 8, false, false, false, false, false, false, false, false, false, true);

-- Few rows that are never written: here a foreign key costs nothing. erp.sales_order keeps
-- its check sales_order_status instead of one, because a foreign key would lock the status's
-- row in every transaction that moves an order, and so all of them would write to the same
-- eight rows. TestOrderStatus compares the check and the partial indexes with the rows.
alter table erp.order_move
  -- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid
  add constraint order_move_from_fk foreign key (from_status) references erp.order_status,
  -- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid
  add constraint order_move_to_fk foreign key (to_status) references erp.order_status;

grant select on erp.order_status to portal_web, portal_desk, portal_work;

-- +goose Down
alter table erp.order_move drop constraint order_move_to_fk, drop constraint order_move_from_fk;
-- +goose StatementBegin
do $$
declare
  meaning text;
begin
  for meaning in
    select a.attname from pg_attribute a
    where a.attrelid = 'erp.order_status'::regclass and a.attname like 'is\_%' and not a.attisdropped
  loop
    execute format('drop function if exists erp.%I(text)', meaning);
  end loop;
end
$$;
-- +goose StatementEnd
drop table erp.order_status;
drop function if exists erp.order_status_written(), erp.write_order_status();
