-- +goose Up
-- A count is a fact. What is on hand may be less than what orders have been
-- given; then triggers/stock_count.sql takes back from the youngest what is not
-- there, in the same statement, and refuses what it cannot take. A CHECK would
-- refuse the row before that.
alter table erp.stock drop constraint stock_allocated_within_on_hand;
alter table erp.stock add constraint stock_on_hand_not_negative check (on_hand >= 0);
create index sales_order_line_allocated on erp.sales_order_line (item_id) where qty_allocated > 0;

create table erp.stock_shortfall (
  shortfall_id bigint generated always as identity primary key,
  order_id bigint not null,
  line_no int not null,
  qty numeric not null,
  at timestamptz not null default erp.now(),
  actor text not null default portal.actor(),
  program text not null default coalesce(current_setting('application_name', true), ''),
  constraint stock_shortfall_line_fk foreign key (order_id, line_no) references erp.sales_order_line on delete cascade,
  constraint stock_shortfall_qty check (qty > 0)
);
comment on table erp.stock_shortfall is
  'What a count took back from an order line, which waits for stock again: in the line''s unit, with who counted. Written by a trigger.';
create index stock_shortfall_line on erp.stock_shortfall (order_id, line_no);
alter table erp.stock_shortfall enable row level security;
create policy open_to_programs on erp.stock_shortfall using (true) with check (true);
create policy own_customer_only on erp.stock_shortfall as restrictive to portal_web
  using (exists (select from erp.sales_order o where o.order_id = stock_shortfall.order_id and o.customer_id = portal.customer_id()));
grant select on erp.stock_shortfall to portal_web, portal_desk, portal_work;

insert into portal.news_kind (kind, needs, for_all, by_mail, sort) values ('order_waits', 'order', true, true, 3);

-- One order a delivery: a date of a standing order remembers the run of the
-- route that it was for.
alter table portal.standing_run add column route_run date;
comment on column portal.standing_run.route_run is 'The route''s run as planned that the date was for; null without a route, and for dates from before this column.';
drop function if exists portal.standing_dates(bigint, int); -- it tells one column more

-- From here on a break never makes dearer: that, and no slip, is why erp.price
-- may answer otherwise for orders from before (see sql/functions/price_proof.sql).
insert into portal.audit (action, subject, data)
select 'price_basis', 'all items', '{"rule": ["the highest break reached", "of those that are lower than the price without it"]}'
where exists (select from portal.price_receipt);

-- +goose Down
drop function if exists portal.standing_dates(bigint, int);
alter table portal.standing_run drop column route_run;
delete from portal.news_kind where kind = 'order_waits';
drop table erp.stock_shortfall;
drop index erp.sales_order_line_allocated;
alter table erp.stock drop constraint stock_on_hand_not_negative;
alter table erp.stock add constraint stock_allocated_within_on_hand check (allocated <= on_hand);
