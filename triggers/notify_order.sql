-- News of orders: received, approved, rejected, cancelled, delivered, as the
-- status history says it; changed by the distributor; shipped. Told to who
-- ordered, and where that is no log-in of the customer (phone orders, staff who
-- act) to those who may order.
create or replace function portal.order_teller(p_login_id bigint, p_customer_id bigint) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select l.login_id from portal.login l
  where l.login_id = p_login_id and l.customer_id = p_customer_id and not l.disabled
$$;

create or replace function portal.notify_order_status() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.notify_all(array(
    select (x.kind, x.customer_id, x.order_no, x.data, x.login_id, null)::portal.news
    from (
      select case when n.from_status is null and n.to_status = 'SUBMITTED' then 'order_received'
          when n.to_status = 'APPROVED' and (n.from_status is null or erp.is_undecided(n.from_status))
            then 'order_approved'
          when n.to_status = 'REJECTED' then 'order_rejected'
          when n.to_status = 'CANCELLED' then 'order_cancelled'
          when n.to_status = 'DELIVERED' then 'order_delivered' end as kind,
        o.customer_id, o.order_no, portal.order_teller(o.login_id, o.customer_id) as login_id,
        jsonb_strip_nulls(jsonb_build_object('id', n.history_id, 'po_no', o.po_no, 'reason',
          case when erp.is_void(n.to_status) then n.reason end)) as data
      from new_rows n join erp.sales_order o using (order_id)
      where o.source <> 'IMPORT' and n.at > erp.now() - interval '2 days' -- older is history, not news
        -- the notice of the standing order says it
        and not (n.from_status is null and o.standing_order is not null)
        and not (n.to_status = 'CANCELLED' and portal.login_id() is not null and portal.login_id() = o.login_id)
      order by n.history_id
    ) x
    where x.kind is not null));
  return null;
exception when others then
  perform portal.news_failed(sqlstate, sqlerrm);
  return null;
end
$$;
create or replace trigger notify_order_status after insert on erp.order_status_history
  referencing new table as new_rows for each statement execute function portal.notify_order_status();

-- One piece of news an order and transaction, however many statements it takes.
create or replace function portal.notify_order_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.notify_all(array(
    select ('order_changed', x.customer_id, x.order_no, x.data, x.login_id, null)::portal.news
    from (
      select o.customer_id, o.order_no, portal.order_teller(o.login_id, o.customer_id) as login_id,
        jsonb_strip_nulls(jsonb_build_object('id', pg_current_xact_id()::text, 'po_no', o.po_no, 'reason',
          min(n.reason), 'change_id', min(n.change_id))) as data
      from new_rows n join erp.sales_order o using (order_id)
      where not n.by_customer and o.source <> 'IMPORT'
      group by o.order_id
      order by o.order_id
    ) x));
  return null;
exception when others then
  perform portal.news_failed(sqlstate, sqlerrm);
  return null;
end
$$;
create or replace trigger notify_order_change after insert on erp.order_change
  referencing new table as new_rows for each statement execute function portal.notify_order_change();
