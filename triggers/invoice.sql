-- Invoices: the total is the sum of the lines, the open amount what is not yet
-- applied, and an order line knows how much of it is invoiced.
create or replace function erp.settle_invoices(p_invoice_ids bigint[]) returns void
language plpgsql security definer set search_path = pg_catalog
as $$
begin
  update erp.invoice i
    set total = t.total, open_amount = t.total - t.applied
    from (
      select a.invoice_id, round(coalesce(l.amount, 0), 2) + i.tax + i.freight as total, coalesce(p.amount, 0) as applied
      from unnest(p_invoice_ids) as a(invoice_id)
      join erp.invoice i using (invoice_id)
      left join lateral (select sum(x.line_total) as amount from erp.invoice_line x where x.invoice_id = a.invoice_id) l on true
      left join lateral (select sum(x.amount) as amount from erp.payment_application x where x.invoice_id = a.invoice_id) p on true
    ) t
    where i.invoice_id = t.invoice_id and (i.total, i.open_amount) is distinct from (t.total, t.total - t.applied);
end
$$;

create or replace function erp.invoice_line_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
  if tg_op in ('INSERT', 'UPDATE') then
    perform erp.settle_invoices(array(select distinct n.invoice_id from new_rows n order by 1));
  end if;
  if tg_op in ('DELETE', 'UPDATE') then
    perform erp.settle_invoices(array(select distinct p.invoice_id from old_rows p order by 1));
  end if;
  if tg_op = 'INSERT' then
    -- the order before its lines, as everybody does
    perform erp.hold_orders(array(select distinct n.order_id from new_rows n where n.order_id is not null order by 1));
    update erp.sales_order_line l set qty_invoiced = l.qty_invoiced + n.qty
      from (select order_id, order_line_no, sum(qty) as qty from new_rows where order_id is not null group by 1, 2) n
      where l.order_id = n.order_id and l.line_no = n.order_line_no;
    update erp.sales_order o set invoiced_at = erp.now()
      where o.order_id in (select n.order_id from new_rows n) and o.invoiced_at is null
        and o.status in ('SHIPPED', 'DELIVERED')
        and not exists (select from erp.sales_order_line l where l.order_id = o.order_id and l.qty_invoiced < l.qty_shipped);
  end if;
  return null;
end
$$;
create or replace trigger invoice_line_inserted after insert on erp.invoice_line
  referencing new table as new_rows for each statement execute function erp.invoice_line_changed();
create or replace trigger invoice_line_updated after update on erp.invoice_line
  referencing old table as old_rows new table as new_rows for each statement execute function erp.invoice_line_changed();
create or replace trigger invoice_line_deleted after delete on erp.invoice_line
  referencing old table as old_rows for each statement execute function erp.invoice_line_changed();

create or replace function erp.invoice_settles() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
  if (new.tax, new.freight) is distinct from (old.tax, old.freight) then
    new.total := new.total + (new.tax - old.tax) + (new.freight - old.freight);
    new.open_amount := new.open_amount + (new.tax - old.tax) + (new.freight - old.freight);
  end if;
  return new;
end
$$;
create or replace trigger invoice_settles before update of tax, freight on erp.invoice
  for each row execute function erp.invoice_settles();

create or replace function portal.invoice_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
  perform portal.emit_documents('invoice', array_agg(n.customer_id order by n.invoice_id), array_agg(n.invoice_no order by n.invoice_id)) from new_rows n;
  return null;
end
$$;
create or replace trigger invoice_inserted after insert on erp.invoice
  referencing new table as new_rows for each statement execute function portal.invoice_changed();
create or replace trigger invoice_updated after update on erp.invoice
  referencing new table as new_rows for each statement execute function portal.invoice_changed();
