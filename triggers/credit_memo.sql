-- Credit memos: a new one is open as a whole; its total and what is open of it
-- follow from its lines and applications. What is posted stays: see posted.sql.
create or replace function erp.credit_memo_before() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  right_total numeric;
  right_open numeric;
begin
  if tg_op = 'INSERT' then
    perform erp.assert_open_period(array[new.memo_date]);
    new.made_in := erp.this_transaction();
    if new.opened_total is not null and new.total not in (0, new.opened_total) then
      raise exception 'Credit memo % says a total of %, and % as the total of the books it was opened with.',
        new.memo_no, new.total, new.opened_total
        using errcode = 'PT409', constraint = 'credit_memo_total', column = 'total';
    end if;
    new.total := coalesce(new.opened_total, new.total);
    if new.open_amount not in (0, new.total) then
      raise exception 'A new credit memo is open as a whole: % of % cannot be open. Apply it to the invoices that it paid (erp.apply_credit).',
        new.open_amount, new.memo_no using errcode = 'PT409', constraint = 'credit_memo_open', column = 'open_amount';
    end if;
    new.open_amount := new.total; -- nothing of it can be applied yet
    return new;
  end if;
  right_total := coalesce(old.opened_total,
    coalesce((select round(sum(l.line_total), 2) from erp.credit_memo_line l
      where l.credit_memo_id = old.credit_memo_id), 0));
  right_open := right_total - coalesce((select sum(a.amount) from erp.payment_application a
    where a.credit_memo_id = old.credit_memo_id), 0);
  if pg_trigger_depth() = 1 and new.total not in (old.total, right_total) then
    raise exception 'The total of credit memo % is what its lines add up to. Issue another one (erp.issue_credit), or invoice the difference.',
      old.memo_no using errcode = 'PT409', constraint = 'credit_memo_total', column = 'total';
  end if;
  if pg_trigger_depth() = 1 and new.open_amount not in (old.open_amount, right_open) then
    raise exception 'What is open of credit memo % is its total less what is applied. Apply it to an invoice (erp.apply_credit).',
      old.memo_no using errcode = 'PT409', constraint = 'credit_memo_open', column = 'open_amount';
  end if;
  new.total := right_total;
  new.open_amount := right_open;
  return new;
end
$$;
drop trigger if exists credit_memo_before on erp.credit_memo;
create or replace trigger credit_memo_opens before insert on erp.credit_memo
  for each row execute function erp.credit_memo_before();
create or replace trigger credit_memo_settles before update on erp.credit_memo
  for each row when ((new.total, new.open_amount) is distinct from (old.total,
    old.open_amount)) execute function erp.credit_memo_before();

-- Of earlier versions: dates of posted documents stay.
drop trigger if exists credit_memo_moved on erp.credit_memo;
drop function if exists erp.credit_memo_moved();

create or replace function portal.credit_memo_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.emit_money('credit', array_agg(n.customer_id order by n.credit_memo_id),
    array_agg(n.memo_no order by n.credit_memo_id)) from new_rows n;
  return null;
end
$$;
create or replace trigger credit_memo_inserted after insert on erp.credit_memo
  referencing new table as new_rows for each statement execute function portal.credit_memo_changed();
create or replace trigger credit_memo_updated after update on erp.credit_memo
  referencing new table as new_rows for each statement execute function portal.credit_memo_changed();
