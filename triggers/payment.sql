-- Payments: what is applied leaves the payment (or the memo) and the invoice
-- together; a payment's rest stays open. One that comes back counts until that
-- day, and what it was applied to is open again from then on.
create or replace function erp.payment_before() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  right_open numeric;
begin
  if tg_op = 'INSERT' then
    perform erp.assert_open_period(array[new.payment_date, new.reversed_on]);
    if new.open_amount not in (0, case when new.reversed_on is null then new.amount else 0 end) then
      raise exception 'A new payment is open as a whole: % of % cannot be open. Apply it to the invoices that it paid (erp.apply_credit).',
        new.open_amount, new.payment_no using errcode = 'PT409', constraint = 'payment_open', column = 'open_amount';
    end if;
    new.open_amount := case when new.reversed_on is null then new.amount else 0 end;
    return new;
  end if;
  if new.reversed_on is distinct from old.reversed_on then
    if old.reversed_on is not null then
      raise exception 'Payment % has come back on % already. Enter a new payment.', old.payment_no,
        erp.day_text(old.reversed_on)
        using errcode = 'PT409', constraint = 'payment_reversed_once';
    end if;
    perform erp.assert_open_period(array[new.reversed_on]);
    new.open_amount := 0; -- payment_after takes back what is applied of it
    return new;
  end if;
  right_open := case when old.reversed_on is null then old.amount else 0 end
    - coalesce((select sum(a.amount) from erp.payment_application a where a.payment_id = old.payment_id), 0);
  if pg_trigger_depth() = 1 and new.open_amount not in (old.open_amount, right_open) then
    raise exception 'What is open of payment % is its amount less what is applied. Apply it to an invoice (erp.apply_credit).',
      old.payment_no using errcode = 'PT409', constraint = 'payment_open', column = 'open_amount';
  end if;
  new.open_amount := right_open;
  return new;
end
$$;
drop trigger if exists payment_before on erp.payment;
create or replace trigger payment_opens before insert on erp.payment
  for each row execute function erp.payment_before();
create or replace trigger payment_settles before update on erp.payment
  for each row when ((new.open_amount, new.reversed_on) is distinct from (old.open_amount,
    old.reversed_on)) execute function erp.payment_before();

create or replace function erp.payment_after() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into erp.payment_application (payment_id, invoice_id, amount, applied_on)
  select new.payment_id, a.invoice_id, -sum(a.amount), greatest(new.reversed_on, max(a.applied_on))
  from erp.payment_application a where a.payment_id = new.payment_id
  group by a.invoice_id having sum(a.amount) <> 0 order by a.invoice_id;
  return null;
end
$$;
create or replace trigger payment_after after update of reversed_on on erp.payment
  for each row when (new.reversed_on is distinct from old.reversed_on) execute function erp.payment_after();

create or replace function erp.payment_application_before() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  i record;
  source record;
begin
  select x.customer_id, x.invoice_no, x.invoice_date into i from erp.invoice x where x.invoice_id = new.invoice_id;
  if new.payment_id is not null then
    select p.customer_id, p.payment_date as day into source from erp.payment p where p.payment_id = new.payment_id;
  else
    select m.customer_id, m.memo_date as day into source from erp.credit_memo m
      where m.credit_memo_id = new.credit_memo_id;
  end if;
  if source.customer_id <> i.customer_id then
    raise exception 'Invoice % belongs to another customer than what is applied to it.', i.invoice_no
      using errcode = 'PT409', constraint = 'payment_application_customer';
  end if;
  new.customer_id := i.customer_id;
  new.applied_on := greatest(new.applied_on, i.invoice_date, source.day);
  perform erp.assert_open_period(array[new.applied_on]);
  return new;
end
$$;
drop trigger if exists payment_application_before on erp.payment_application;
create or replace trigger payment_application_before before insert on erp.payment_application
  for each row execute function erp.payment_application_before();

create or replace function erp.payment_application_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  payments bigint[];
  memos bigint[];
  invoices bigint[];
  bad record;
begin
  select array_agg(n.payment_id), array_agg(n.credit_memo_id), array_agg(n.invoice_id)
    into payments, memos, invoices from new_rows n;
  -- invoices, then what is applied to them, each held before it is added up
  perform erp.settle_invoices(array(select distinct x from unnest(invoices) x order by 1));
  perform p.payment_id from erp.payment p where p.payment_id = any (payments) order by p.payment_id for no key update;
  update erp.payment p
    set open_amount = case when p.reversed_on is null then p.amount else 0 end - t.applied
    from (
      select x.payment_id, coalesce((select sum(a.amount) from erp.payment_application a
        where a.payment_id = x.payment_id), 0) as applied
      from (select distinct u as payment_id from unnest(payments) u) x
    ) t
    where p.payment_id = t.payment_id;
  perform m.credit_memo_id from erp.credit_memo m where m.credit_memo_id = any (memos) order by m.credit_memo_id
    for no key update;
  update erp.credit_memo m
    set open_amount = m.total - t.applied
    from (
      select x.credit_memo_id, coalesce((select sum(a.amount) from erp.payment_application a
        where a.credit_memo_id = x.credit_memo_id), 0) as applied
      from (select distinct u as credit_memo_id from unnest(memos) u) x
    ) t
    where m.credit_memo_id = t.credit_memo_id;
  -- no more is taken back of an invoice than this payment or memo had paid of it
  if exists (select from new_rows n where n.amount < 0) then
    select i.invoice_no into bad
    from new_rows n join erp.invoice i using (invoice_id)
    where n.amount < 0 and i.total >= 0 and (
      select sum(a.amount) from erp.payment_application a
      where a.invoice_id = n.invoice_id and a.payment_id is not distinct from n.payment_id
        and a.credit_memo_id is not distinct from n.credit_memo_id) < 0
    limit 1;
    if found then
      raise exception 'More would be taken back of invoice % than was applied to it.', bad.invoice_no
        using errcode = 'PT409', constraint = 'payment_application_taken_back', column = 'amount';
    end if;
  end if;
  return null;
end
$$;
create or replace trigger payment_application_inserted after insert on erp.payment_application
  referencing new table as new_rows for each statement execute function erp.payment_application_changed();
-- Of earlier versions: applications stay.
drop trigger if exists payment_application_updated on erp.payment_application;
drop trigger if exists payment_application_deleted on erp.payment_application;

-- A customer that may not see its balance is not told of payments and memos
-- either: its pages, and those of staff, look at the invoices again.
create or replace function portal.emit_money(p_kind text, p_customer_ids bigint[], p_refs text[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.emit_documents(p_kind, array_agg(d.customer_id order by d.n), array_agg(d.ref order by d.n))
  from unnest(p_customer_ids, p_refs) with ordinality as d(customer_id, ref, n)
  left join erp.web_access w using (customer_id) where coalesce(w.see_balance, true);
  perform portal.emit('invoice', c.customer_id, '')
  from (select distinct u.customer_id from unnest(p_customer_ids) as u(customer_id) join erp.web_access w
    using (customer_id)
    where not w.see_balance order by 1) c;
end
$$;

create or replace function portal.payment_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.emit_money('payment', array_agg(n.customer_id order by n.payment_id),
    array_agg(n.payment_no order by n.payment_id)) from new_rows n;
  return null;
end
$$;
create or replace trigger payment_inserted after insert on erp.payment
  referencing new table as new_rows for each statement execute function portal.payment_changed();
create or replace trigger payment_updated after update on erp.payment
  referencing new table as new_rows for each statement execute function portal.payment_changed();
drop trigger if exists payment_deleted on erp.payment;
