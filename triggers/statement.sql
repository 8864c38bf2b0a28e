-- Statements: what is asked for enqueues jobs in the same transaction, one for a
-- customer's own and a few lanes for a run, which share the work. Any number of
-- them come to the same. The rows are told to the customer.
create or replace function portal.statement_inserted() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  lanes int := (select case when bool_or(n.run_id is not null) then 4 else 1 end from new_rows n
    where n.status = 'QUEUED' having count(*) > 0);
begin
  if lanes > 0 then
    perform portal.enqueue('statement', array_fill('{}'::json, array[lanes]));
  end if;
  perform portal.emit_statements(array(select n.customer_id from new_rows n order by n.statement_id),
    array(select n.statement_id from new_rows n order by 1));
  return null;
end
$$;
create or replace trigger statement_inserted after insert on portal.statement
  referencing new table as new_rows for each statement execute function portal.statement_inserted();

create or replace function portal.emit_statements(p_customer_ids bigint[], p_statement_ids bigint[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.emit_documents('statement', array_agg(d.customer_id order by d.statement_id),
    array_agg(d.statement_id::text order by d.statement_id))
  from unnest(p_customer_ids, p_statement_ids) as d(customer_id, statement_id)
  left join erp.web_access w using (customer_id) where coalesce(w.see_balance, true)
  having count(*) > 0;
end
$$;

-- A stored paper is as it was sent: nothing of it changes any more.
create or replace function portal.statement_stays() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'Statement % is stored as it was sent.',
    old.statement_id using errcode = 'PT409', constraint = 'statement_stays';
end
$$;
create or replace trigger statement_stays before update on portal.statement
  for each row when (old.status = 'READY' and new is distinct from old) execute function portal.statement_stays();

create or replace function portal.statement_updated() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.emit_statements(array(select n.customer_id from new_rows n order by n.statement_id),
    array(select n.statement_id from new_rows n order by 1));
  return null;
end
$$;
create or replace trigger statement_updated after update on portal.statement
  referencing new table as new_rows for each statement execute function portal.statement_updated();
