-- Ships part or all of an order: one shipment with its carrier and number.
-- Null line numbers mean everything that is allocated. The triggers on
-- erp.shipment_line move quantities, stock and, when nothing is left, the
-- order's status.
create or replace function erp.ship_order(
  p_order_no text, p_carrier text, p_tracking_no text, p_line_nos int[] default null, p_qtys numeric[] default null
) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  o erp.sales_order;
  made bigint;
begin
  select * into o from erp.sales_order s where s.order_no = p_order_no for update;
  if not found then
    raise exception 'There is no order %.', p_order_no using errcode = 'PT404';
  end if;
  if not erp.is_pickable(o.status) then
    raise exception 'Order % is %: only an approved order can be shipped.', p_order_no, lower(o.status)
      using errcode = 'PT409', constraint = 'order_move';
  end if;
  insert into erp.shipment (order_id, carrier, tracking_no)
    values (o.order_id, btrim(coalesce(p_carrier, '')), btrim(coalesce(p_tracking_no, '')))
    returning shipment_id into made;
  insert into erp.shipment_line (shipment_id, order_id, line_no, qty)
  select made, o.order_id, w.line_no, w.qty
  from (
    select l.line_no, l.qty_allocated as qty from erp.sales_order_line l
      where l.order_id = o.order_id and p_line_nos is null
    union all
    select a.line_no, a.qty from unnest(p_line_nos, p_qtys) as a(line_no, qty)
  ) w
  where w.qty > 0
  order by w.line_no;
  if not found then
    raise exception 'Nothing on order % is ready to ship.',
      p_order_no using errcode = 'PT409', constraint = 'nothing_to_ship';
  end if;
  return made;
end
$$;
grant execute on function erp.ship_order(text, text, text, int[], numeric[]) to portal_desk;
