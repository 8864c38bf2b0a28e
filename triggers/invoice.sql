-- Invoices: the total is the sum of the lines, tax and freight, the open amount
-- what of it is not yet applied, and an order line knows how much of it is
-- invoiced. An invoice out of opened books keeps its opened_total. What is posted
-- stays: see posted.sql.

-- What is posted in a closed period stays as it is.
create or replace function erp.assert_open_period(p_days date[]) returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  closed date := (select c.closed_through from erp.company c);
begin
  if closed is not null and exists (select from unnest(p_days) d where d <= closed) then
    raise exception 'The books are closed through %. Post it on a later day.', erp.day_text(closed)
      using errcode = 'PT409', constraint = 'closed_period';
  end if;
end
$$;

-- Two programs that change what hangs on one invoice wait for each other, and
-- the second adds up what the first has written: the lock comes before the sum.
create or replace function erp.hold_invoices(p_invoice_ids bigint[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$ select i.invoice_id from erp.invoice i where i.invoice_id = any (p_invoice_ids) order by i.invoice_id
  for no key update $$;

create or replace function erp.settle_invoices(p_invoice_ids bigint[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform erp.hold_invoices(p_invoice_ids);
  update erp.invoice i
    set open_amount = i.total - t.applied
    from (
      select a.invoice_id, coalesce((select sum(x.amount) from erp.payment_application x
        where x.invoice_id = a.invoice_id), 0) as applied
      from unnest(p_invoice_ids) as a(invoice_id)
    ) t
    where i.invoice_id = t.invoice_id and i.open_amount <> i.total - t.applied;
end
$$;

create or replace function erp.total_invoices(p_invoice_ids bigint[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform erp.hold_invoices(p_invoice_ids);
  update erp.invoice i
    set total = t.amount + i.tax + i.freight, open_amount = t.amount + i.tax + i.freight - t.applied
    from (
      select a.invoice_id,
        coalesce((select round(sum(x.line_total), 2) from erp.invoice_line x where x.invoice_id = a.invoice_id), 0)
          as amount,
        coalesce((select sum(x.amount) from erp.payment_application x where x.invoice_id = a.invoice_id), 0) as applied
      from unnest(p_invoice_ids) as a(invoice_id)
    ) t
    where i.invoice_id = t.invoice_id and i.opened_total is null
      and (i.total, i.open_amount) is distinct from (t.amount + i.tax + i.freight,
        t.amount + i.tax + i.freight - t.applied);
end
$$;

create or replace function erp.invoice_line_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op in ('INSERT', 'UPDATE') then
    perform erp.total_invoices(array(select distinct n.invoice_id from new_rows n order by 1));
  end if;
  if tg_op in ('DELETE', 'UPDATE') then
    perform erp.total_invoices(array(select distinct p.invoice_id from old_rows p order by 1));
  end if;
  if tg_op = 'INSERT' then
    -- the order before its lines, as everybody does
    perform erp.hold_orders(array(select distinct n.order_id from new_rows n where n.order_id is not null order by 1));
    update erp.sales_order_line l set qty_invoiced = l.qty_invoiced + n.qty
      from (select order_id, order_line_no, sum(qty) as qty from new_rows where order_id is not null group by 1, 2) n
      where l.order_id = n.order_id and l.line_no = n.order_line_no;
    update erp.sales_order o set invoiced_at = erp.now()
      where o.order_id in (select n.order_id from new_rows n) and o.invoiced_at is null
        and erp.is_shipped(o.status)
        and not exists (select from erp.sales_order_line l where l.order_id = o.order_id
          and l.qty_invoiced < l.qty_shipped);
  end if;
  return null;
end
$$;
create or replace trigger invoice_line_inserted after insert on erp.invoice_line
  referencing new table as new_rows for each statement execute function erp.invoice_line_changed();
create or replace trigger invoice_line_updated after update on erp.invoice_line
  referencing old table as old_rows new table as new_rows
    for each statement execute function erp.invoice_line_changed();
create or replace trigger invoice_line_deleted after delete on erp.invoice_line
  referencing old table as old_rows for each statement execute function erp.invoice_line_changed();

-- The total and the open amount follow from other rows: what is written is
-- computed once more (posted.sql says why).
create or replace function erp.invoice_settles() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  right_total numeric;
  right_open numeric;
begin
  if tg_op = 'INSERT' then
    perform erp.assert_open_period(array[new.invoice_date]);
    new.made_in := erp.this_transaction();
    if new.opened_total is not null and new.total not in (0, new.opened_total) then
      raise exception 'Invoice % says a total of %, and % as the total of the books it was opened with.',
        new.invoice_no, new.total, new.opened_total
        using errcode = 'PT409', constraint = 'invoice_total', column = 'total';
    end if;
    new.total := coalesce(new.opened_total, case when new.total = 0 then new.tax + new.freight else new.total end);
    if new.open_amount not in (0, new.total) then
      raise exception 'A new invoice is open as a whole: % of invoice % cannot be open. Enter what was paid of it and apply it (erp.post_payment).',
        new.open_amount, new.invoice_no using errcode = 'PT409', constraint = 'invoice_open', column = 'open_amount';
    end if;
    new.open_amount := new.total; -- nothing can be applied to it yet
    return new;
  end if;
  right_total := coalesce(old.opened_total, old.tax + old.freight
    + coalesce((select round(sum(l.line_total), 2) from erp.invoice_line l where l.invoice_id = old.invoice_id), 0));
  right_open := right_total - coalesce((select sum(a.amount) from erp.payment_application a
    where a.invoice_id = old.invoice_id), 0);
  if pg_trigger_depth() = 1 and new.total not in (old.total, right_total) then
    raise exception 'The total of invoice % is what its lines, tax and freight add up to. Issue a credit memo (erp.issue_credit) or another invoice.',
      old.invoice_no using errcode = 'PT409', constraint = 'invoice_total', column = 'total';
  end if;
  if pg_trigger_depth() = 1 and new.open_amount not in (old.open_amount, right_open) then
    raise exception 'What is open of invoice % is its total less what is applied. Apply a payment or a credit (erp.post_payment, erp.apply_credit).',
      old.invoice_no using errcode = 'PT409', constraint = 'invoice_open', column = 'open_amount';
  end if;
  new.total := right_total;
  new.open_amount := right_open;
  return new;
end
$$;
drop trigger if exists invoice_settles on erp.invoice;
create or replace trigger invoice_opens before insert on erp.invoice
  for each row execute function erp.invoice_settles();
create or replace trigger invoice_settles before update on erp.invoice
  for each row when ((new.total, new.open_amount) is distinct from (old.total,
    old.open_amount)) execute function erp.invoice_settles();

-- Of earlier versions: dates of posted documents stay.
drop trigger if exists invoice_moved on erp.invoice;
drop function if exists erp.invoice_moved(), erp.invoice_stays() cascade;

create or replace function portal.invoice_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.emit_documents('invoice', array_agg(n.customer_id order by n.invoice_id),
    array_agg(n.invoice_no order by n.invoice_id)) from new_rows n;
  return null;
end
$$;
create or replace trigger invoice_inserted after insert on erp.invoice
  referencing new table as new_rows for each statement execute function portal.invoice_changed();
create or replace trigger invoice_updated after update on erp.invoice
  referencing new table as new_rows for each statement execute function portal.invoice_changed();
