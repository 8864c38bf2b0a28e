-- Invoices what has been shipped and not invoiced, at the order line's price:
-- nothing is priced again. Returns the invoice number.
create or replace function erp.invoice_order(p_order_no text) returns text
language plpgsql security definer set search_path = pg_catalog
as $$
declare
  o erp.sales_order;
  made erp.invoice;
begin
  select * into o from erp.sales_order s where s.order_no = p_order_no for update;
  if not found then
    raise exception 'There is no order %.', p_order_no using errcode = 'PT404';
  end if;
  if not exists (select from erp.sales_order_line l where l.order_id = o.order_id and l.qty_shipped > l.qty_invoiced) then
    raise exception 'Nothing shipped on order % is waiting for an invoice.', p_order_no
      using errcode = 'PT409', constraint = 'nothing_to_invoice';
  end if;
  insert into erp.invoice (customer_id, order_id, ship_to_id, po_no, due_date)
  select o.customer_id, o.order_id, o.ship_to_id, o.po_no, erp.today() + c.terms_days
  from erp.customer c where c.customer_id = o.customer_id
  returning * into made;
  insert into erp.invoice_line (invoice_id, line_no, item_id, order_id, order_line_no, description, uom, factor, qty,
    unit_price, price_step, price_rule_id, line_total)
  select made.invoice_id, row_number() over (order by l.line_no), l.item_id, l.order_id, l.line_no, i.description, l.uom, l.factor,
    l.qty_shipped - l.qty_invoiced, l.unit_price, l.price_step, l.price_rule_id,
    round((l.qty_shipped - l.qty_invoiced) * l.unit_price, 2)
  from erp.sales_order_line l join erp.item i using (item_id)
  where l.order_id = o.order_id and l.qty_shipped > l.qty_invoiced;
  return made.invoice_no;
end
$$;
grant execute on function erp.invoice_order(text) to portal_desk;
