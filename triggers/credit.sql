-- Credit memos and requests: a memo's total is the sum of its lines; both are
-- told as kind credit.
create or replace function erp.credit_memo_line_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  memos bigint[] := '{}';
begin
  if tg_op in ('INSERT', 'UPDATE') then
    memos := memos || array(select distinct n.credit_memo_id from new_rows n);
  end if;
  if tg_op in ('DELETE', 'UPDATE') then
    memos := memos || array(select distinct p.credit_memo_id from old_rows p);
  end if;
  -- held before it is added up, as invoices are
  perform m.credit_memo_id from erp.credit_memo m where m.credit_memo_id = any (memos) order by m.credit_memo_id
    for no key update;
  update erp.credit_memo m
    set total = t.total, open_amount = t.total - t.applied
    from (
      select x.credit_memo_id,
        round(coalesce((select sum(l.line_total) from erp.credit_memo_line l where l.credit_memo_id = x.credit_memo_id),
          0), 2) as total,
        coalesce((select sum(a.amount) from erp.payment_application a where a.credit_memo_id = x.credit_memo_id), 0)
          as applied
      from erp.credit_memo x where x.credit_memo_id = any (memos)
    ) t
    where m.credit_memo_id = t.credit_memo_id and m.opened_total is null
      and (m.total, m.open_amount) is distinct from (t.total, t.total - t.applied);
  return null;
end
$$;
create or replace trigger credit_memo_line_inserted after insert on erp.credit_memo_line
  referencing new table as new_rows for each statement execute function erp.credit_memo_line_changed();
create or replace trigger credit_memo_line_updated after update on erp.credit_memo_line
  referencing old table as old_rows new table as new_rows
    for each statement execute function erp.credit_memo_line_changed();
create or replace trigger credit_memo_line_deleted after delete on erp.credit_memo_line
  referencing old table as old_rows for each statement execute function erp.credit_memo_line_changed();

create or replace function portal.credit_request_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  r record;
begin
  for r in select n.customer_id, n.request_no, n.status from new_rows n order by n.request_id loop
    perform portal.emit('credit', r.customer_id, r.request_no, jsonb_build_object('status', r.status));
  end loop;
  return null;
end
$$;
create or replace trigger credit_request_inserted after insert on erp.credit_request
  referencing new table as new_rows for each statement execute function portal.credit_request_changed();
create or replace trigger credit_request_updated after update on erp.credit_request
  referencing new table as new_rows for each statement execute function portal.credit_request_changed();
