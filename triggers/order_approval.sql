-- A web order is decided by the job order_approval, whichever program inserted
-- it: the job is enqueued here, in the order's own transaction. The row, its
-- unique key and the notification are River's formats (checked by a test
-- against River's own insert).
--
-- Once decided, it is decided again when reviewed_at is set back to null, as a
-- buyer's change does. The order's revision makes that another job: River
-- counts one that is done as there for days.
create or replace function portal.enqueue_order_approval() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
declare
  jobs json[];
begin
  if tg_op = 'INSERT' then
    jobs := array(select ('{"order_id":' || n.order_id || '}')::json
      from new_rows n where n.source = 'WEB' and n.status = 'SUBMITTED');
  else
    jobs := array[('{"order_id":' || new.order_id || ',"revision":' || new.revision || '}')::json];
  end if;
  if cardinality(jobs) = 0 then
    return null;
  end if;
  insert into river.river_job (kind, args, queue, max_attempts, priority, unique_key, unique_states)
  select 'order_approval', a.args, 'approval', 25, 1,
    sha256(convert_to('&kind=order_approval&args=' || a.args::text, 'UTF8')), B'11110101'
  from unnest(jobs) as a(args)
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
create or replace trigger sales_order_approval_again
  after update on erp.sales_order
  for each row when (new.source = 'WEB' and new.status = 'SUBMITTED' and new.reviewed_at is null and old.reviewed_at is not null)
  execute function portal.enqueue_order_approval();

-- To be decided again: the reasons of the last time are gone, and the revision
-- is one that no job had.
create or replace function erp.sales_order_undecided() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
  if new.status = 'SUBMITTED' and new.reviewed_at is null and old.reviewed_at is not null then
    new.revision := greatest(new.revision, old.revision + 1);
    delete from erp.order_review v where v.order_id = new.order_id;
  end if;
  return new;
end
$$;
create or replace trigger sales_order_undecided
  before update of reviewed_at on erp.sales_order
  for each row execute function erp.sales_order_undecided();
