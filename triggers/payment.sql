-- Payments: what is applied leaves the payment (or the memo) and the invoice
-- together; a payment's rest stays open. One that comes back counts until that
-- day, and what it was applied to is open again from then on.
create or replace function erp.payment_before() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
  if tg_op = 'DELETE' then
    perform erp.assert_open_period(array[old.payment_date, old.reversed_on]);
    return old;
  end if;
  if tg_op = 'INSERT' then
    perform erp.assert_open_period(array[new.payment_date, new.reversed_on]);
    new.open_amount := case when new.reversed_on is null then new.amount else 0 end;
    return new;
  end if;
  if (new.amount, new.payment_date, new.customer_id) is distinct from (old.amount, old.payment_date, old.customer_id) then
    perform erp.assert_open_period(array[old.payment_date, new.payment_date]);
  end if;
  if new.amount <> old.amount and old.reversed_on is null then
    new.open_amount := old.open_amount + new.amount - old.amount;
  end if;
  if new.reversed_on is distinct from old.reversed_on then
    if old.reversed_on is not null then
      raise exception 'Payment % has come back on % already. Enter a new payment.', old.payment_no, erp.day_text(old.reversed_on)
        using errcode = 'PT409', constraint = 'payment_reversed_once';
    end if;
    perform erp.assert_open_period(array[new.reversed_on]);
    new.open_amount := 0;
  end if;
  return new;
end
$$;
create or replace trigger payment_before before insert or delete or update of amount, payment_date, customer_id, reversed_on on erp.payment
  for each row execute function erp.payment_before();

create or replace function erp.payment_after() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
  if new.reversed_on is distinct from old.reversed_on then
    insert into erp.payment_application (payment_id, invoice_id, amount, applied_on)
    select new.payment_id, a.invoice_id, -sum(a.amount), greatest(new.reversed_on, max(a.applied_on))
    from erp.payment_application a where a.payment_id = new.payment_id
    group by a.invoice_id having sum(a.amount) <> 0 order by a.invoice_id;
  end if;
  if new.payment_date > old.payment_date then
    update erp.payment_application a set applied_on = new.payment_date
      where a.payment_id = new.payment_id and a.applied_on < new.payment_date;
  end if;
  return null;
end
$$;
create or replace trigger payment_after after update of payment_date, reversed_on on erp.payment
  for each row execute function erp.payment_after();

create or replace function erp.payment_application_before() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
declare
  i record;
  source record;
begin
  if tg_op in ('UPDATE', 'DELETE') then
    perform erp.assert_open_period(array[old.applied_on]);
  end if;
  if tg_op = 'DELETE' then
    return old;
  end if;
  select x.customer_id, x.invoice_no, x.invoice_date into i from erp.invoice x where x.invoice_id = new.invoice_id;
  if new.payment_id is not null then
    select p.customer_id, p.payment_date as day into source from erp.payment p where p.payment_id = new.payment_id;
  else
    select m.customer_id, m.memo_date as day into source from erp.credit_memo m where m.credit_memo_id = new.credit_memo_id;
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
create or replace trigger payment_application_before before insert or update or delete on erp.payment_application
  for each row execute function erp.payment_application_before();

create or replace function erp.payment_application_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
declare
  payments bigint[] := '{}';
  memos bigint[] := '{}';
  invoices bigint[] := '{}';
begin
  if tg_op in ('INSERT', 'UPDATE') then
    select array_agg(n.payment_id), array_agg(n.credit_memo_id), array_agg(n.invoice_id)
      into payments, memos, invoices from new_rows n;
  end if;
  if tg_op in ('DELETE', 'UPDATE') then
    select payments || array_agg(p.payment_id), memos || array_agg(p.credit_memo_id), invoices || array_agg(p.invoice_id)
      into payments, memos, invoices from old_rows p;
  end if;
  -- invoices, then what is applied to them, each held before it is added up
  perform erp.settle_invoices(array(select distinct x from unnest(invoices) x order by 1));
  perform p.payment_id from erp.payment p where p.payment_id = any (payments) order by p.payment_id for no key update;
  update erp.payment p
    set open_amount = case when p.reversed_on is null then p.amount else 0 end - t.applied
    from (
      select x.payment_id, coalesce((select sum(a.amount) from erp.payment_application a where a.payment_id = x.payment_id), 0) as applied
      from (select distinct u as payment_id from unnest(payments) u) x
    ) t
    where p.payment_id = t.payment_id;
  perform m.credit_memo_id from erp.credit_memo m where m.credit_memo_id = any (memos) order by m.credit_memo_id for no key update;
  update erp.credit_memo m
    set open_amount = m.total - t.applied
    from (
      select x.credit_memo_id, coalesce((select sum(a.amount) from erp.payment_application a where a.credit_memo_id = x.credit_memo_id), 0) as applied
      from (select distinct u as credit_memo_id from unnest(memos) u) x
    ) t
    where m.credit_memo_id = t.credit_memo_id;
  return null;
end
$$;
create or replace trigger payment_application_inserted after insert on erp.payment_application
  referencing new table as new_rows for each statement execute function erp.payment_application_changed();
create or replace trigger payment_application_updated after update on erp.payment_application
  referencing old table as old_rows new table as new_rows for each statement execute function erp.payment_application_changed();
create or replace trigger payment_application_deleted after delete on erp.payment_application
  referencing old table as old_rows for each statement execute function erp.payment_application_changed();

-- A customer that may not see its balance is not told of payments and memos
-- either: its pages, and those of staff, look at the invoices again.
create or replace function portal.emit_money(p_kind text, p_customer_ids bigint[], p_refs text[]) returns void
language plpgsql security definer set search_path = pg_catalog
as $$
begin
  perform portal.emit_documents(p_kind, array_agg(d.customer_id order by d.n), array_agg(d.ref order by d.n))
  from unnest(p_customer_ids, p_refs) with ordinality as d(customer_id, ref, n)
  left join erp.web_access w using (customer_id) where coalesce(w.see_balance, true);
  perform portal.emit('invoice', c.customer_id, '')
  from (select distinct u.customer_id from unnest(p_customer_ids) as u(customer_id) join erp.web_access w using (customer_id)
    where not w.see_balance order by 1) c;
end
$$;

create or replace function portal.payment_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
  if tg_op = 'DELETE' then
    perform portal.emit_money('payment', array_agg(p.customer_id order by p.payment_id), array_agg(p.payment_no order by p.payment_id)) from old_rows p;
  else
    perform portal.emit_money('payment', array_agg(n.customer_id order by n.payment_id), array_agg(n.payment_no order by n.payment_id)) from new_rows n;
  end if;
  return null;
end
$$;
create or replace trigger payment_inserted after insert on erp.payment
  referencing new table as new_rows for each statement execute function portal.payment_changed();
create or replace trigger payment_updated after update on erp.payment
  referencing new table as new_rows for each statement execute function portal.payment_changed();
create or replace trigger payment_deleted after delete on erp.payment
  referencing old table as old_rows for each statement execute function portal.payment_changed();
