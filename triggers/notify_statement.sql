-- News of a statement whose paper is stored: with the PDF, to who asked for it;
-- one of a run, or that a program asked for, to all who see the account.
create or replace function portal.notify_statement() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.notify_all(array(
    select ('statement', x.customer_id, x.ref, x.data, x.login_id, x.document_id)::portal.news
    from (
      select n.customer_id, n.statement_id::text as ref, case when n.run_id is null then n.login_id end as login_id,
        n.document_id,
        jsonb_build_object('id', n.statement_id, 'from', n.period_from, 'to', n.period_to) as data
      from new_rows n join old_rows p using (statement_id)
      where n.status = 'READY' and p.status <> 'READY'
      order by n.statement_id
    ) x));
  return null;
exception when others then
  perform portal.news_failed(sqlstate, sqlerrm);
  return null;
end
$$;
create or replace trigger notify_statement after update on portal.statement
  referencing old table as old_rows new table as new_rows for each statement execute function portal.notify_statement();
