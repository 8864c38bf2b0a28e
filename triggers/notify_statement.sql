-- News of a statement whose paper is stored: with the PDF, to who asked for it;
-- one of a run, or that a program asked for, to all who see the account.
create or replace function portal.notify_statement() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
declare
  kinds text[];
  customers bigint[];
  refs text[];
  datas jsonb[];
  logins bigint[];
  papers bigint[];
begin
  select array_agg('statement'::text), array_agg(x.customer_id), array_agg(x.ref), array_agg(x.data), array_agg(x.login_id), array_agg(x.document_id)
    into kinds, customers, refs, datas, logins, papers
  from (
    select n.customer_id, n.statement_id::text as ref, case when n.run_id is null then n.login_id end as login_id, n.document_id,
      jsonb_build_object('id', n.statement_id, 'from', n.period_from, 'to', n.period_to) as data
    from new_rows n join old_rows p using (statement_id)
    where n.status = 'READY' and p.status <> 'READY'
    order by n.statement_id
  ) x;
  perform portal.notify_all(kinds, customers, refs, datas, logins, papers);
  return null;
exception when others then -- news is never why a program's statement fails
  if sqlstate like '40%' then
    raise;
  end if;
  raise warning 'news was not told: %', sqlerrm;
  return null;
end
$$;
create or replace trigger notify_statement after update on portal.statement
  referencing old table as old_rows new table as new_rows for each statement execute function portal.notify_statement();
