-- Payments: what is applied leaves the payment (or the memo) and the invoice
-- together; a payment's rest stays open.
create or replace function erp.payment_before() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
  if tg_op = 'INSERT' then
    new.open_amount := new.amount;
  elsif new.amount <> old.amount then
    new.open_amount := old.open_amount + new.amount - old.amount;
  end if;
  return new;
end
$$;
create or replace trigger payment_before before insert or update of amount on erp.payment
  for each row execute function erp.payment_before();

create or replace function erp.payment_application_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
declare
  payments bigint[] := '{}';
  memos bigint[] := '{}';
  invoices bigint[] := '{}';
  bad text;
begin
  if tg_op in ('INSERT', 'UPDATE') then
    select array_agg(n.payment_id), array_agg(n.credit_memo_id), array_agg(n.invoice_id)
      into payments, memos, invoices from new_rows n;
  end if;
  if tg_op in ('DELETE', 'UPDATE') then
    select payments || array_agg(p.payment_id), memos || array_agg(p.credit_memo_id), invoices || array_agg(p.invoice_id)
      into payments, memos, invoices from old_rows p;
  end if;
  select i.invoice_no into bad
  from erp.payment_application a
  join erp.invoice i using (invoice_id)
  left join erp.payment p using (payment_id)
  left join erp.credit_memo m on m.credit_memo_id = a.credit_memo_id
  where a.invoice_id = any (invoices) and coalesce(p.customer_id, m.customer_id) <> i.customer_id limit 1;
  if found then
    raise exception 'Invoice % belongs to another customer than what is applied to it.', bad
      using errcode = 'PT409', constraint = 'payment_application_customer';
  end if;
  update erp.payment p
    set open_amount = p.amount - coalesce((select sum(a.amount) from erp.payment_application a where a.payment_id = p.payment_id), 0)
    where p.payment_id = any (payments);
  update erp.credit_memo m
    set open_amount = m.total - coalesce((select sum(a.amount) from erp.payment_application a where a.credit_memo_id = m.credit_memo_id), 0)
    where m.credit_memo_id = any (memos);
  perform erp.settle_invoices(array(select distinct x from unnest(invoices) x order by 1));
  return null;
end
$$;
create or replace trigger payment_application_inserted after insert on erp.payment_application
  referencing new table as new_rows for each statement execute function erp.payment_application_changed();
create or replace trigger payment_application_updated after update on erp.payment_application
  referencing old table as old_rows new table as new_rows for each statement execute function erp.payment_application_changed();
create or replace trigger payment_application_deleted after delete on erp.payment_application
  referencing old table as old_rows for each statement execute function erp.payment_application_changed();

-- A customer that may not see its balance is not told of payments either: its
-- pages, and those of staff, look at the invoices again.
create or replace function portal.payment_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
  perform portal.emit_documents('payment', array_agg(n.customer_id order by n.payment_id), array_agg(n.payment_no order by n.payment_id))
  from new_rows n left join erp.web_access w using (customer_id) where coalesce(w.see_balance, true);
  perform portal.emit('invoice', c.customer_id, '')
  from (select distinct n.customer_id from new_rows n join erp.web_access w using (customer_id) where not w.see_balance order by 1) c;
  return null;
end
$$;
create or replace trigger payment_inserted after insert on erp.payment
  referencing new table as new_rows for each statement execute function portal.payment_changed();
create or replace trigger payment_updated after update on erp.payment
  referencing new table as new_rows for each statement execute function portal.payment_changed();
