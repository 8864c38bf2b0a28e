-- Statements as they are sent. A row that is QUEUED is the work; the job makes
-- the paper, stores it and marks the row in one transaction.

-- What a customer asks for. The same asked again while it waits is the same.
create or replace function portal.request_statement(p_customer_id bigint, p_from date, p_to date) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  made bigint;
begin
  if not portal.assert_customer(p_customer_id) or portal.customer_id() is not null and not portal.sees_balance() then
    raise exception 'The account is not shown to your log-in.' using errcode = 'PT403';
  end if;
  if p_to > erp.today() then
    raise exception 'Choose a day up to today.' using errcode = 'PT422', column = 'to';
  end if;
  -- one at a time for a customer, or two clicks make two
  perform c.customer_id from erp.customer c where c.customer_id = p_customer_id for no key update;
  select s.statement_id into made from portal.statement s
    where s.customer_id = p_customer_id and s.status = 'QUEUED' and (s.period_from, s.period_to) = (p_from, p_to)
      limit 1;
  if made is null then
    insert into portal.statement (customer_id, login_id, period_from, period_to)
    values (p_customer_id, (select l.login_id from portal.login l where l.login_id = portal.login_id()
      and l.customer_id = p_customer_id), p_from, p_to)
    returning statement_id into made;
  end if;
  return made;
end
$$;
grant execute on function portal.request_statement(bigint, date, date) to portal_web, portal_desk;

-- Begins a run over every customer that wants a monthly statement and may see
-- its balance; without a period, over last month in the company's time zone.
-- The run of a period is begun once; returns it, or null if it was there.
create or replace function portal.begin_statement_run(p_from date default null, p_to date default null) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  first date := coalesce(p_from, (date_trunc('month', erp.today()) - interval '1 month')::date);
  last date := coalesce(p_to, (date_trunc('month', erp.today()) - interval '1 day')::date);
  run bigint;
begin
  if last > erp.today() then
    raise exception 'Choose a day up to today.' using errcode = 'PT422', column = 'to';
  end if;
  insert into portal.statement_run (period_from, period_to) values (first, last)
    on conflict (period_from, period_to) do nothing returning run_id into run;
  if run is null then
    return null;
  end if;
  insert into portal.statement (customer_id, run_id, period_from, period_to)
  select c.customer_id, run, first, last
  from erp.customer c join erp.web_access w using (customer_id)
  where c.active and w.enabled and w.monthly_statement and w.see_balance
  order by c.customer_id;
  if not found then
    update portal.statement_run r set finished_at = clock_timestamp() where r.run_id = run;
  end if;
  return run;
end
$$;
grant execute on function portal.begin_statement_run(date, date) to portal_desk, portal_work;

-- The monthly run, if it is time: within the first days of a month, so that a
-- server that stood still on the first catches up, and one that is set up late
-- in the month sends nobody last month's. Returns how many it asks for.
create or replace function portal.begin_monthly_run() returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  run bigint;
begin
  if extract(day from erp.today()) > 7 then
    return 0;
  end if;
  run := portal.begin_statement_run();
  return (select count(*) from portal.statement s where s.run_id = run);
end
$$;
grant execute on function portal.begin_monthly_run() to portal_work;

-- Stores papers and says so, in the caller's transaction, which holds the rows.
create or replace function portal.store_statements(p_statement_ids bigint[], p_names text[], p_papers bytea[],
  p_closings numeric[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  with
  paper as materialized (
    select s.statement_id, s.customer_id, nextval(pg_get_serial_sequence('portal.document', 'document_id'))
      as document_id, u.name, u.paper, u.closing
    from unnest(p_statement_ids, p_names, p_papers, p_closings) as u(statement_id, name, paper, closing)
    join portal.statement s using (statement_id)
    where s.status = 'QUEUED'
    order by s.statement_id
  ),
  stored as (
    insert into portal.document (document_id, customer_id, kind, name, media_type, data)
    select p.document_id, p.customer_id, 'statement', p.name, 'application/pdf', p.paper from paper p
  )
  update portal.statement s set status = 'READY', document_id = p.document_id, closing = p.closing, made_at = erp.now(),
    error = null
  from paper p where p.statement_id = s.statement_id;
end
$$;
grant execute on function portal.store_statements(bigint[], text[], bytea[], numeric[]) to portal_work;

-- Puts what could not be made back into the queue; returns how many.
create or replace function portal.retry_statements() returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  n int;
begin
  update portal.statement s set status = 'QUEUED', attempts = 0, error = null where s.status = 'FAILED';
  get diagnostics n = row_count;
  if n > 0 then
    update portal.statement_run r set finished_at = null
      where exists (select from portal.statement s where s.run_id = r.run_id and s.status = 'QUEUED');
    perform portal.enqueue('statement', array['{}'::json]);
  end if;
  return n;
end
$$;
grant execute on function portal.retry_statements() to portal_desk;
