-- Posted means posted. Invoices, credit memos, payments, applications and their
-- lines are posted with the transaction that inserts them. From then on their
-- amounts, dates, customer and number stay, and no row goes, in any program; what
-- went wrong is put right by a document or an application of its own.
--
-- Columns that follow from other rows (totals, open amounts, what is invoiced of
-- an order line) are computed once more whenever somebody writes them, and what
-- differs is refused. So it needs no mark that says who may write them: whatever
-- program or trigger writes, only what is true gets in. Inside of another
-- trigger the true figure is taken instead, since two transactions that settle the
-- same order may pass each other between a sum and its writing.

-- Which transaction this is. Its start goes with it, so that a restored database,
-- which counts its transactions anew, never takes one for another.
create or replace function erp.this_transaction() returns text
language sql stable
as $$ select pg_current_xact_id()::text || '@' || extract(epoch from pg_catalog.now())::text $$;
grant execute on function erp.this_transaction() to public;

-- Refuses a change of a posted row. Arguments: the document as its message calls
-- it, the column of its number, and the way that is right.
create or replace function erp.refuse_posted() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  was jsonb := to_jsonb(old);
  became jsonb;
  field text;
begin
  if tg_op = 'DELETE' then
    raise exception '% % is posted and stays. %', tg_argv[0], was ->> tg_argv[1], tg_argv[2]
      using errcode = 'PT409', constraint = tg_name;
  end if;
  became := to_jsonb(new);
  select string_agg(replace(f.key, '_', ' '), ', ' order by f.key) into field
  from jsonb_each(was) f where f.value is distinct from became -> f.key;
  raise exception '% % is posted: its % stays as it is. %', tg_argv[0], was ->> tg_argv[1], field, tg_argv[2]
    using errcode = 'PT409', constraint = tg_name;
end
$$;

create or replace trigger invoice_posted before update on erp.invoice for each row
  when ((new.invoice_id, new.invoice_no, new.kind, new.customer_id, new.order_id, new.invoice_date, new.due_date,
    new.tax, new.freight,
      new.tax_rate, new.issued_at, new.opened_total, new.made_in)
    is distinct from (old.invoice_id, old.invoice_no, old.kind, old.customer_id, old.order_id, old.invoice_date,
      old.due_date, old.tax, old.freight,
      old.tax_rate, old.issued_at, old.opened_total, old.made_in))
  execute function erp.refuse_posted('Invoice', 'invoice_no',
    'Issue a credit memo for it (erp.issue_credit) and invoice again.');
create or replace trigger invoice_stays before delete on erp.invoice for each row
  execute function erp.refuse_posted('Invoice', 'invoice_no', 'Issue a credit memo for it (erp.issue_credit).');
create or replace trigger invoice_line_posted before update on erp.invoice_line for each row
  when (new is distinct from old)
  execute function erp.refuse_posted('Invoice line', 'line_no',
    'Issue a credit memo for it (erp.issue_credit, or a return).');
create or replace trigger invoice_line_stays before delete on erp.invoice_line for each row
  execute function erp.refuse_posted('Invoice line', 'line_no',
    'Issue a credit memo for it (erp.issue_credit, or a return).');

create or replace trigger credit_memo_posted before update on erp.credit_memo for each row
  when ((new.credit_memo_id, new.memo_no, new.customer_id, new.invoice_id, new.memo_date, new.issued_at,
    new.opened_total, new.made_in)
    is distinct from (old.credit_memo_id, old.memo_no, old.customer_id, old.invoice_id, old.memo_date, old.issued_at,
      old.opened_total, old.made_in))
  execute function erp.refuse_posted('Credit memo', 'memo_no',
    'Take back what is applied of it (erp.apply_credit) and invoice the amount again.');
create or replace trigger credit_memo_stays before delete on erp.credit_memo for each row
  execute function erp.refuse_posted('Credit memo', 'memo_no',
    'Take back what is applied of it (erp.apply_credit) and invoice the amount again.');
create or replace trigger credit_memo_line_posted before update on erp.credit_memo_line for each row
  when (new is distinct from old)
  execute function erp.refuse_posted('Credit memo line', 'line_no',
    'Invoice the difference, or issue another credit memo.');
create or replace trigger credit_memo_line_stays before delete on erp.credit_memo_line for each row
  execute function erp.refuse_posted('Credit memo line', 'line_no',
    'Invoice the difference, or issue another credit memo.');

create or replace trigger payment_posted before update on erp.payment for each row
  when ((new.payment_id, new.payment_no, new.customer_id, new.payment_date, new.amount, new.key, new.entered_by,
    new.entered_at)
    is distinct from (old.payment_id, old.payment_no, old.customer_id, old.payment_date, old.amount, old.key,
      old.entered_by, old.entered_at))
  execute function erp.refuse_posted('Payment', 'payment_no', 'Take it back (erp.reverse_payment) and enter it again.');
create or replace trigger payment_stays before delete on erp.payment for each row
  execute function erp.refuse_posted('Payment', 'payment_no', 'Take it back (erp.reverse_payment).');
create or replace trigger payment_application_posted before update on erp.payment_application for each row
  when (new is distinct from old)
  execute function erp.refuse_posted('Application', 'application_id',
    'Insert it again with the amount negative (erp.apply_credit).');
create or replace trigger payment_application_stays before delete on erp.payment_application for each row
  execute function erp.refuse_posted('Application', 'application_id',
    'Insert it again with the amount negative (erp.apply_credit).');

-- What has been charged with an invoice.
create or replace trigger shipment_freight_posted before update on erp.shipment for each row
  when (old.invoice_id is not null and (new.freight, new.invoice_id) is distinct from (old.freight, old.invoice_id))
  execute function erp.refuse_posted('Shipment', 'shipment_id',
    'Its freight is invoiced: issue a credit memo (erp.issue_credit).');
create or replace trigger shipment_stays before delete on erp.shipment for each row when (old.invoice_id is not null
  and old.freight <> 0)
  execute function erp.refuse_posted('Shipment', 'shipment_id',
    'It is invoiced: issue a credit memo (erp.issue_credit).');

-- TRUNCATE asks no row.
create or replace function erp.refuse_truncate() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'What is in %.% stays: it is not truncated.', tg_table_schema, tg_table_name
    using errcode = 'PT409', constraint = tg_table_name || '_stays';
end
$$;
create or replace trigger invoice_not_truncated before truncate on erp.invoice
  for each statement execute function erp.refuse_truncate();
create or replace trigger invoice_line_not_truncated before truncate on erp.invoice_line
  for each statement execute function erp.refuse_truncate();
create or replace trigger credit_memo_not_truncated before truncate on erp.credit_memo
  for each statement execute function erp.refuse_truncate();
create or replace trigger credit_memo_line_not_truncated before truncate on erp.credit_memo_line
  for each statement execute function erp.refuse_truncate();
create or replace trigger payment_not_truncated before truncate on erp.payment
  for each statement execute function erp.refuse_truncate();
create or replace trigger payment_application_not_truncated before truncate
  on erp.payment_application for each statement execute function erp.refuse_truncate();
create or replace trigger sales_order_not_truncated before truncate
  on erp.sales_order for each statement execute function erp.refuse_truncate();
create or replace trigger sales_order_line_not_truncated before truncate on erp.sales_order_line
  for each statement execute function erp.refuse_truncate();

-- Lines come with their document, and each is what its quantity and price make.
-- Documents of opened books have lines as those books had them; a credit of an
-- invoice line may take the cent that rounding left over (see return_limit.sql).
create or replace function erp.invoice_line_comes() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  bad record;
begin
  select i.invoice_no, n.line_no, n.line_total, round(n.qty * n.unit_price, 2) as right_total,
    i.made_in is distinct from erp.this_transaction() as late into bad
  from new_rows n join erp.invoice i using (invoice_id)
  where i.made_in is distinct from erp.this_transaction()
    or i.opened_total is null and n.line_total <> round(n.qty * n.unit_price, 2)
  limit 1;
  if not found then
    return null;
  end if;
  if bad.late then
    raise exception 'Invoice % is posted: no line can be added. Issue another invoice.', bad.invoice_no
      using errcode = 'PT409', constraint = 'invoice_line_posted';
  end if;
  raise exception 'Line % of invoice % is %, its quantity times its price.', bad.line_no, bad.invoice_no,
    bad.right_total
    using errcode = 'PT409', constraint = 'invoice_line_total', column = 'line_total', detail = format('It says %s.',
      trim_scale(bad.line_total));
end
$$;
create or replace trigger invoice_line_comes after insert on erp.invoice_line
  referencing new table as new_rows for each statement execute function erp.invoice_line_comes();

create or replace function erp.credit_memo_line_comes() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  bad record;
begin
  select m.memo_no, n.line_no, n.line_total, round(n.qty * n.unit_price, 2) as right_total,
    m.made_in is distinct from erp.this_transaction() as late into bad
  from new_rows n join erp.credit_memo m using (credit_memo_id)
  where m.made_in is distinct from erp.this_transaction()
    or m.opened_total is null and n.line_total <> round(n.qty * n.unit_price, 2)
      and (n.invoice_line_no is null or n.line_total not between 0 and round(n.qty * n.unit_price, 2) + 1)
  limit 1;
  if not found then
    return null;
  end if;
  if bad.late then
    raise exception 'Credit memo % is posted: no line can be added. Issue another credit memo.', bad.memo_no
      using errcode = 'PT409', constraint = 'credit_memo_line_posted';
  end if;
  raise exception 'Line % of credit memo % is %, its quantity times its price.', bad.line_no, bad.memo_no,
    bad.right_total
    using errcode = 'PT409', constraint = 'credit_memo_line_total', column = 'line_total',
      detail = format('It says %s.', trim_scale(bad.line_total));
end
$$;
create or replace trigger credit_memo_line_comes after insert on erp.credit_memo_line
  referencing new table as new_rows for each statement execute function erp.credit_memo_line_comes();

-- A document that states its total is held to it when its transaction ends.
create or replace function erp.total_stated() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  made record;
begin
  if tg_table_name = 'invoice' then
    select i.invoice_no as no, i.tax + i.freight as beside, i.opened_total,
      (select round(sum(l.line_total), 2) from erp.invoice_line l where l.invoice_id = i.invoice_id) as lines into made
    from erp.invoice i where i.invoice_id = new.invoice_id;
  else
    select m.memo_no as no, 0::numeric as beside, m.opened_total,
      (select round(sum(l.line_total), 2) from erp.credit_memo_line l where l.credit_memo_id = m.credit_memo_id)
        as lines into made
    from erp.credit_memo m where m.credit_memo_id = new.credit_memo_id;
  end if;
  if not found or made.opened_total is not null and made.lines is null or new.total = coalesce(made.lines,
    0) + made.beside then
    return null;
  end if;
  raise exception '% % says a total of %, and its lines, tax and freight add up to %.',
    case tg_table_name when 'invoice' then 'Invoice' else 'Credit memo' end, made.no, new.total,
      coalesce(made.lines, 0) + made.beside
    using errcode = 'PT409', constraint = tg_table_name || '_total', column = 'total',
      hint = 'Insert the lines in the same transaction. A total without lines, out of other books, is stated as opened_total.';
end
$$;
drop trigger if exists invoice_total_stated on erp.invoice;
create constraint trigger invoice_total_stated after insert on erp.invoice deferrable initially deferred for each row
  when (new.opened_total is not null or new.total <> new.tax + new.freight) execute function erp.total_stated();
drop trigger if exists credit_memo_total_stated on erp.credit_memo;
create constraint trigger credit_memo_total_stated after insert on erp.credit_memo deferrable initially deferred
  for each row
  when (new.opened_total is not null or new.total <> 0) execute function erp.total_stated();

-- A next number that is set by hand begins anew; where no gap may be is told by
-- first_no.
create or replace function erp.document_series_before() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'INSERT' then
    new.first_no := coalesce(new.first_no, new.next_no);
  elsif new.next_no <> old.next_no + 1 then
    new.first_no := new.next_no;
  else
    new.first_no := old.first_no;
  end if;
  return new;
end
$$;
create or replace trigger document_series_before before insert or update on erp.document_series
  for each row execute function erp.document_series_before();
