-- A web order is decided by the job order_approval, whichever program inserted
-- it: the job is enqueued here, in the order's own transaction. The row, its
-- unique key and the notification are River's formats (checked by a test
-- against River's own insert).
create or replace function portal.enqueue_order_approval() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
  if not exists (select from new_rows n where n.source = 'WEB' and n.status = 'SUBMITTED') then
    return null;
  end if;
  insert into river.river_job (kind, args, queue, max_attempts, priority, unique_key, unique_states)
  select 'order_approval', a.args, 'approval', 25, 1,
    sha256(convert_to('&kind=order_approval&args=' || a.args::text, 'UTF8')), B'11110101'
  from new_rows n
  cross join lateral (select ('{"order_id":' || n.order_id || '}')::json as args) a
  where n.source = 'WEB' and n.status = 'SUBMITTED'
  on conflict (unique_key)
    where unique_key is not null and unique_states is not null and river.river_job_state_in_bitmask(unique_states, state)
    do nothing;
  perform pg_notify('river.river_insert', '{"queue":"approval"}');
  return null;
end
$$;
create or replace trigger sales_order_approval
  after insert on erp.sales_order referencing new table as new_rows
  for each statement execute function portal.enqueue_order_approval();
