-- Credit memos: a new one is open as a whole, and one of a closed period stays.
create or replace function erp.credit_memo_before() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
  if tg_op = 'DELETE' then
    perform erp.assert_open_period(array[old.memo_date]);
    return old;
  end if;
  if tg_op = 'INSERT' then
    perform erp.assert_open_period(array[new.memo_date]);
    new.open_amount := new.total; -- nothing of it can be applied yet
    return new;
  end if;
  if (new.total, new.memo_date, new.customer_id) is distinct from (old.total, old.memo_date, old.customer_id) then
    perform erp.assert_open_period(array[old.memo_date, new.memo_date]);
  end if;
  return new;
end
$$;
create or replace trigger credit_memo_before before insert or delete or update of total, memo_date, customer_id on erp.credit_memo
  for each row execute function erp.credit_memo_before();

create or replace function erp.credit_memo_moved() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
  update erp.payment_application a set applied_on = new.memo_date
    where a.credit_memo_id = new.credit_memo_id and a.applied_on < new.memo_date;
  return null;
end
$$;
create or replace trigger credit_memo_moved after update of memo_date on erp.credit_memo
  for each row when (new.memo_date > old.memo_date) execute function erp.credit_memo_moved();

create or replace function portal.credit_memo_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
  perform portal.emit_money('credit', array_agg(n.customer_id order by n.credit_memo_id), array_agg(n.memo_no order by n.credit_memo_id)) from new_rows n;
  return null;
end
$$;
create or replace trigger credit_memo_inserted after insert on erp.credit_memo
  referencing new table as new_rows for each statement execute function portal.credit_memo_changed();
create or replace trigger credit_memo_updated after update on erp.credit_memo
  referencing new table as new_rows for each statement execute function portal.credit_memo_changed();
