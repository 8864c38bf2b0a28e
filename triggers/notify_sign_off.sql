-- News of requests for a signature: one that waits, to the customer's other
-- approvers; one that was decided, to who asked.
create or replace function portal.notify_sign_off() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  news portal.news[];
begin
  if tg_op = 'INSERT' then
    news := array(
      select ('sign_off_waiting', x.customer_id, x.ref, x.data, x.login_id, null)::portal.news
      from (
        select n.customer_id, n.sign_off_id::text as ref, l.login_id,
          jsonb_strip_nulls(jsonb_build_object('id', n.sign_off_id, 'po_no', n.po_no, 'by',
            coalesce(nullif(btrim(r.name), ''), r.email::text))) as data
        from new_rows n join portal.login r on r.login_id = n.login_id
        join portal.login l on l.customer_id = n.customer_id and l.login_id <> n.login_id
          and l.customer_role = 'approver'
        where n.status = 'WAITING'
        order by n.sign_off_id, l.login_id
      ) x);
  else
    news := array(
      select ('sign_off_decided', x.customer_id, x.ref, x.data, x.login_id, null)::portal.news
      from (
        select n.customer_id, n.sign_off_id::text as ref, n.login_id,
          jsonb_strip_nulls(jsonb_build_object('id', n.sign_off_id || ':' || n.status, 'po_no', n.po_no, 'status',
            n.status, 'reason', n.reason,
            'by', coalesce(nullif(btrim(d.name), ''), n.decided_by), 'order_no', o.order_no)) as data
        from new_rows n join old_rows p using (sign_off_id)
        left join portal.login d on d.email::text = n.decided_by and d.customer_id = n.customer_id
        left join erp.sales_order o on o.order_id = n.order_id
        where n.status <> p.status and n.status in ('APPROVED', 'REJECTED') and d.login_id is distinct from n.login_id
        order by n.sign_off_id
      ) x);
  end if;
  perform portal.notify_all(news);
  return null;
exception when others then
  perform portal.news_failed(sqlstate, sqlerrm);
  return null;
end
$$;
create or replace trigger notify_sign_off_inserted after insert on portal.sign_off
  referencing new table as new_rows for each statement execute function portal.notify_sign_off();
create or replace trigger notify_sign_off_updated after update on portal.sign_off
  referencing old table as old_rows new table as new_rows for each statement execute function portal.notify_sign_off();
