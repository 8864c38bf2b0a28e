-- A web order is decided by the job order_approval, whichever program inserted
-- it: the job is enqueued here, in the order's own transaction.
--
-- Once decided, it is decided again when reviewed_at is set back to null, as a
-- buyer's change does. The order's revision makes that another job: River
-- counts one that is done as there for days.
create or replace function portal.enqueue_order_approval() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
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
  perform portal.enqueue('order_approval', jobs);
  return null;
end
$$;
create or replace trigger sales_order_approval
  after insert on erp.sales_order referencing new table as new_rows
  for each statement execute function portal.enqueue_order_approval();
create or replace trigger sales_order_approval_again
  after update on erp.sales_order
  for each row when (new.source = 'WEB' and new.status = 'SUBMITTED' and new.reviewed_at is null
    and old.reviewed_at is not null)
  execute function portal.enqueue_order_approval();

-- To be decided again: the reasons of the last time are gone, and the revision
-- is one that no job had.
create or replace function erp.sales_order_undecided() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
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
