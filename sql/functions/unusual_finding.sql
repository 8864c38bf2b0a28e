-- What refuses to send a cart because a line's quantity waits to be confirmed, as
-- erp.order_findings tells its own; p_line counts from 1. Null where nothing does.
create or replace function portal.unusual_finding(p_cart_line portal.cart_line, p_line int) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('code', 'unusual_qty', 'action', 'refuse', 'field', 'qty', 'line', p_line, 'detail',
    jsonb_build_object(
    'item_no', i.item_no, 'uom', p_cart_line.uom, 'qty', p_cart_line.qty, 'above', p_cart_line.unusual_above,
    'of_item', p_cart_line.unusual_of_item, 'base_uom', i.base_uom))
  from erp.item i
  where i.item_id = p_cart_line.item_id and p_cart_line.unusual_above is not null
$$;
grant execute on function portal.unusual_finding(portal.cart_line, int) to portal_web;
