-- Shipments: what left the house, by carrier. A shipment line ships its order
-- line, a line taken back or corrected brings the goods back to where they
-- were; the order line's trigger moves the stock. The order's status follows.
create or replace function erp.shipment_line_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  orders bigint[] := '{}';
  bad record;
begin
  if tg_op in ('INSERT', 'UPDATE') then
    orders := orders || array(select n.order_id from new_rows n);
  end if;
  if tg_op in ('DELETE', 'UPDATE') then
    orders := orders || array(select p.order_id from old_rows p);
  end if;
  orders := array(select distinct x from unnest(orders) as x order by 1);
  perform erp.hold_orders(orders);
  if tg_op = 'INSERT' then
    select o.order_no, o.status into bad
    from new_rows n join erp.sales_order o using (order_id)
    where not erp.is_shippable(o.status) limit 1;
    if found then
      raise exception 'Order % is %: nothing of it can ship.', bad.order_no, lower(bad.status)
        using errcode = 'PT409', constraint = 'order_move';
    end if;
    update erp.sales_order_line l
      set qty_shipped = l.qty_shipped + n.qty
      from (select order_id, line_no, sum(qty) as qty from new_rows group by 1, 2) n
      where l.order_id = n.order_id and l.line_no = n.line_no;
    return null;
  end if;

  if tg_op = 'UPDATE' then
    select o.order_no into bad
    from new_rows n join erp.shipment s using (shipment_id) join erp.sales_order o on o.order_id = n.order_id
    where s.order_id <> n.order_id limit 1;
    if found then
      raise exception 'A line of order % cannot stand on another order''s shipment.', bad.order_no
        using errcode = 'PT409', constraint = 'shipment_line_order';
    end if;
    perform erp.shipment_corrected(
      array(select n.order_id from new_rows n order by n.shipment_id, n.line_no) || array(select p.order_id
        from old_rows p order by p.shipment_id, p.line_no),
      array(select n.line_no from new_rows n order by n.shipment_id, n.line_no) || array(select p.line_no
        from old_rows p order by p.shipment_id, p.line_no),
      array(select n.qty from new_rows n order by n.shipment_id, n.line_no) || array(select -p.qty from old_rows p
        order by p.shipment_id, p.line_no));
  else
    perform erp.shipment_corrected(array(select p.order_id from old_rows p order by p.shipment_id, p.line_no),
      array(select p.line_no from old_rows p order by p.shipment_id, p.line_no),
      array(select -p.qty from old_rows p order by p.shipment_id, p.line_no));
  end if;
  return null;
end
$$;

create or replace function erp.shipment_corrected(p_order_ids bigint[], p_line_nos int[], p_qtys numeric[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  bad record;
begin
  select o.order_no, l.line_no, l.qty_invoiced into bad
  from (select order_id, line_no, sum(qty) as qty from unnest(p_order_ids, p_line_nos, p_qtys)
    as u(order_id, line_no, qty) group by 1, 2) c
  join erp.sales_order_line l using (order_id, line_no)
  join erp.sales_order o using (order_id)
  where l.qty_shipped + c.qty < l.qty_invoiced limit 1;
  if found then
    raise exception 'Line % of order %: % are invoiced already. Issue a credit instead.', bad.line_no, bad.order_no,
      trim_scale(bad.qty_invoiced)
      using errcode = 'PT409', constraint = 'shipment_invoiced', column = 'qty';
  end if;
  update erp.sales_order_line l
    set qty_shipped = l.qty_shipped + c.qty
    from (select order_id, line_no, sum(qty) as qty from unnest(p_order_ids, p_line_nos, p_qtys)
      as u(order_id, line_no, qty) group by 1, 2) c
    where l.order_id = c.order_id and l.line_no = c.line_no and c.qty <> 0;
end
$$;
create or replace trigger shipment_line_inserted
  after insert on erp.shipment_line referencing new table as new_rows
  for each statement execute function erp.shipment_line_changed();
create or replace trigger shipment_line_updated
  after update on erp.shipment_line referencing old table as old_rows new table as new_rows
  for each statement execute function erp.shipment_line_changed();
create or replace trigger shipment_line_deleted
  after delete on erp.shipment_line referencing old table as old_rows
  for each statement execute function erp.shipment_line_changed();

create or replace function erp.shipment_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  orders bigint[];
begin
  if tg_op = 'DELETE' then
    orders := array(select distinct p.order_id from old_rows p order by 1);
  else
    orders := array(select distinct n.order_id from new_rows n order by 1);
  end if;
  if orders <> '{}' then
    perform erp.settle_orders(erp.hold_orders(orders));
  end if;
  return null;
end
$$;
create or replace trigger shipment_inserted
  after insert on erp.shipment referencing new table as new_rows
  for each statement execute function erp.shipment_changed();
create or replace trigger shipment_updated
  after update on erp.shipment referencing new table as new_rows
  for each statement execute function erp.shipment_changed();
create or replace trigger shipment_deleted
  after delete on erp.shipment referencing old table as old_rows
  for each statement execute function erp.shipment_changed();
