-- Invoices what has been shipped and not invoiced, at the order line's price:
-- nothing is priced again. Tax is of the taxable lines, at the ship-to's rate or
-- else the customer's, once for the document and rounded once; freight is that
-- of the shipments not charged yet, or what is given instead, untaxed. Returns
-- the invoice number.
create or replace function erp.invoice_order(p_order_no text, p_freight numeric default null) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  o erp.sales_order;
  made erp.invoice;
begin
  select * into o from erp.sales_order s where s.order_no = p_order_no for update;
  if not found then
    raise exception 'There is no order %.', p_order_no using errcode = 'PT404';
  end if;
  if not exists (select from erp.sales_order_line l where l.order_id = o.order_id
    and l.qty_shipped > l.qty_invoiced) then
    raise exception 'Nothing shipped on order % is waiting for an invoice.', p_order_no
      using errcode = 'PT409', constraint = 'nothing_to_invoice';
  end if;
  if p_freight < 0 or p_freight <> round(p_freight, 2) then
    raise exception 'Order %: enter the freight as an amount, 0 for none.', p_order_no using errcode = 'PT422',
      column = 'freight-' || p_order_no;
  end if;
  insert into erp.invoice (customer_id, order_id, ship_to_id, po_no, due_date, tax_rate, tax, freight)
  select o.customer_id, o.order_id, o.ship_to_id, o.po_no, erp.today() + c.terms_days, r.tax_rate,
    (select coalesce(round(sum(round((l.qty_shipped - l.qty_invoiced) * l.unit_price, 2)) * r.tax_rate, 2), 0)
      from erp.sales_order_line l join erp.item i using (item_id)
      where l.order_id = o.order_id and l.qty_shipped > l.qty_invoiced and i.taxable),
    coalesce(p_freight, (select sum(s.freight) from erp.shipment s where s.order_id = o.order_id
      and s.invoice_id is null), 0)
  from erp.customer c
  left join erp.ship_to t on t.ship_to_id = o.ship_to_id
  cross join lateral (select coalesce(t.tax_rate, c.tax_rate) as tax_rate) r
  where c.customer_id = o.customer_id
  returning * into made;
  update erp.shipment s set invoice_id = made.invoice_id where s.order_id = o.order_id and s.invoice_id is null;
  insert into erp.invoice_line (invoice_id, line_no, item_id, order_id, order_line_no, description, uom, factor, qty,
    unit_price, price_step, price_rule_id, line_total)
  select made.invoice_id, row_number() over (order by l.line_no), l.item_id, l.order_id, l.line_no, i.description,
    l.uom, l.factor,
    l.qty_shipped - l.qty_invoiced, l.unit_price, l.price_step, l.price_rule_id,
    round((l.qty_shipped - l.qty_invoiced) * l.unit_price, 2)
  from erp.sales_order_line l join erp.item i using (item_id)
  where l.order_id = o.order_id and l.qty_shipped > l.qty_invoiced;
  return made.invoice_no;
end
$$;
grant execute on function erp.invoice_order(text, numeric) to portal_desk;

-- Several orders at once, each with its freight (null: that of its shipments).
-- They are held before the first number is drawn, so that nobody who holds one
-- of them waits for the series meanwhile. Orders with nothing to invoice are
-- passed over. Returns the invoice numbers.
create or replace function erp.invoice_orders(p_order_nos text[], p_freights numeric[] default null) returns text[]
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform s.order_id from erp.sales_order s where s.order_no = any (p_order_nos) order by s.order_id for update;
  return array(
    select erp.invoice_order(s.order_no, a.freight)
    from unnest(p_order_nos, p_freights) as a(order_no, freight) join erp.sales_order s using (order_no)
    where exists (select from erp.sales_order_line l where l.order_id = s.order_id and l.qty_shipped > l.qty_invoiced)
    order by s.order_id);
end
$$;
grant execute on function erp.invoice_orders(text[], numeric[]) to portal_desk;
