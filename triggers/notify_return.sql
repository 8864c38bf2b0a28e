-- News of a request to return goods: approved, rejected, goods awaited,
-- credited. No amount: the page has it, under the reader's own rights.
create or replace function portal.notify_return() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.notify_all(array(
    select ('return_decided', x.customer_id, x.request_no, x.data, null, null)::portal.news
    from (
      select n.customer_id, n.request_no,
        jsonb_strip_nulls(jsonb_build_object('id', n.status, 'status', n.status, 'reason', case
          when n.status <> 'CREDITED' then nullif(btrim(n.status_reason), '') end,
          'invoice_no', i.invoice_no)) as data
      from new_rows n join old_rows p using (request_id)
      left join erp.invoice i on i.invoice_id = n.invoice_id
      where n.status <> p.status and n.status in ('APPROVED', 'REJECTED', 'AWAITING_GOODS', 'CREDITED')
        -- one that went on by itself meanwhile is told as what it is now
        and n.status = (select r.status from erp.credit_request r where r.request_id = n.request_id)
      order by n.request_id
    ) x));
  return null;
exception when others then
  perform portal.news_failed(sqlstate, sqlerrm);
  return null;
end
$$;
create or replace trigger notify_return after update on erp.credit_request
  referencing old table as old_rows new table as new_rows for each statement execute function portal.notify_return();
