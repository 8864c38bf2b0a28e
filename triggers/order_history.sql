-- Each row of the status history is in the audit log, with a digest of it: the
-- chain over the log so holds the history as well. Who writes many at once (an
-- import) has one row with the digest of all.
create or replace function portal.order_history_audited() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if (select count(*) from (select from new_rows limit 26) few) > 25 then
    perform portal.adopt_history(array(select n.history_id from new_rows n));
    return null;
  end if;
  insert into portal.audit (actor, action, customer_id, subject, data)
  select n.actor, 'order_status', o.customer_id, coalesce(o.order_no, 'order ' || n.order_id),
    jsonb_build_object('status', jsonb_build_array(n.from_status, n.to_status), 'history_id', n.history_id, 'digest',
      portal.history_digest(n))
    || case when n.reason is null then '{}' else jsonb_build_object('reason', jsonb_build_array(null, n.reason)) end
  from new_rows x join erp.order_status_history n using (history_id)
  left join erp.sales_order o on o.order_id = n.order_id
  order by n.history_id;
  return null;
end
$$;
create or replace trigger order_status_history_audited after insert on erp.order_status_history
  referencing new table as new_rows for each statement execute function portal.order_history_audited();

-- The history from before there was a log of it.
do $$
begin
  if not exists (select from portal.audit a where a.action = 'order_status') then
    perform portal.adopt_history();
  end if;
end
$$;
