-- Shipments: what left the house, by carrier. A shipment line ships its order
-- line; the order line's trigger moves the stock.
create or replace function erp.shipment_line_inserted() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
declare
  bad record;
begin
  select o.order_no, o.status into bad
  from new_rows n join erp.sales_order o using (order_id)
  where o.status not in ('APPROVED', 'PICKING', 'SHIPPED') limit 1;
  if found then
    raise exception 'Order % is %: nothing of it can ship.', bad.order_no, lower(bad.status)
      using errcode = 'PT409', constraint = 'order_move';
  end if;
  update erp.sales_order_line l
    set qty_shipped = l.qty_shipped + n.qty
    from (select order_id, line_no, sum(qty) as qty from new_rows group by 1, 2) n
    where l.order_id = n.order_id and l.line_no = n.line_no;
  return null;
end
$$;
create or replace trigger shipment_line_inserted
  after insert on erp.shipment_line referencing new table as new_rows
  for each statement execute function erp.shipment_line_inserted();

create or replace function erp.shipment_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
declare
  o record;
begin
  for o in
    select distinct s.customer_id, s.order_no, s.status, s.order_id
    from new_rows n join erp.sales_order s using (order_id)
    where s.source <> 'IMPORT'
    order by s.order_id
  loop
    perform portal.emit('order', o.customer_id, o.order_no, jsonb_build_object('status', o.status, 'shipment', true));
  end loop;
  return null;
end
$$;
create or replace trigger shipment_inserted
  after insert on erp.shipment referencing new table as new_rows
  for each statement execute function erp.shipment_changed();
create or replace trigger shipment_updated
  after update on erp.shipment referencing new table as new_rows
  for each statement execute function erp.shipment_changed();
