-- News of shipments: one when the first of its lines is there, and one more
-- when a tracking number is added later.
create or replace function portal.notify_shipment() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  shipments bigint[];
begin
  if tg_table_name = 'shipment_line' then
    shipments := array(select distinct n.shipment_id from new_rows n order by 1);
  else
    shipments := array(select n.shipment_id from new_rows n join old_rows p using (shipment_id)
      where n.tracking_no <> '' and n.tracking_no <> p.tracking_no
        and exists (select from erp.shipment_line x where x.shipment_id = n.shipment_id) order by 1);
  end if;
  if shipments = '{}' then
    return null;
  end if;
  perform portal.notify_all(array(
    select ('order_shipped', x.customer_id, x.order_no, x.data, x.login_id, null)::portal.news
    from (
      select o.customer_id, o.order_no, portal.order_teller(o.login_id, o.customer_id) as login_id,
        jsonb_strip_nulls(jsonb_build_object(
          'id', s.shipment_id || case when tg_table_name = 'shipment' then ':' || s.tracking_no else '' end,
          'shipment_id', s.shipment_id, 'po_no', o.po_no, 'carrier', nullif(btrim(s.carrier), ''), 'tracking_no',
            nullif(btrim(s.tracking_no), ''))) as data
      from unnest(shipments) as i(shipment_id)
      join erp.shipment s using (shipment_id)
      join erp.sales_order o using (order_id)
      where o.source <> 'IMPORT' and s.shipped_at > erp.now() - interval '2 days'
      order by s.shipment_id
    ) x));
  return null;
exception when others then
  perform portal.news_failed(sqlstate, sqlerrm);
  return null;
end
$$;
create or replace trigger notify_shipment_line after insert on erp.shipment_line
  referencing new table as new_rows for each statement execute function portal.notify_shipment();
create or replace trigger notify_shipment_tracking after update on erp.shipment
  referencing old table as old_rows new table as new_rows for each statement execute function portal.notify_shipment();
