-- Invoices, lines and payments for the customers of scale.sql, as the triggers
-- would have left them: $1 invoices a customer with $2 lines each over the last
-- two years, four fifths of them paid, and one customer BIG with $3 invoices.
-- $4 of the customers want a monthly statement.
create function pg_temp.money(each int, lines int, big int, monthly int) returns void language plpgsql as $$
declare
  first_item bigint := (select min(item_id) from erp.item);
  items bigint := (select count(*) from erp.item);
  first_invoice bigint;
begin
  insert into erp.customer (customer_no, name, price_level, bill_to) values ('BIG', 'The biggest customer', 'C',
    E'1 Long Street\nPortland, OR 97201') on conflict do nothing;
  insert into portal.login (customer_id, email, password_hash)
    select customer_id, 'buyer@big.example', '$' || '2a$' || '04$' || repeat('x', 53) from erp.customer
      where customer_no = 'BIG' on conflict do nothing;
  update erp.web_access set monthly_statement = true
    where customer_id in (select customer_id from erp.customer where customer_no like 'B%' order by customer_no
      limit monthly);
  perform set_config('session_replication_role', 'replica', true);
  select coalesce(max(invoice_id), 0) into first_invoice from erp.invoice;
  insert into erp.invoice (invoice_id, invoice_no, customer_id, po_no, invoice_date, due_date, total, open_amount,
    issued_at)
  select first_invoice + n, 'M' || (first_invoice + n), customer_id, 'PO-' || n, day, day + 30, lines * 12.5, case
    when n % 5 = 0 then lines * 12.5 else 0 end, day
  from (
    select c.customer_id, row_number() over () as n, erp.today() - 1 - (k * 730 / (case when c.customer_no = 'BIG'
      then big else each end))::int as day
    from erp.customer c cross join lateral generate_series(0, case when c.customer_no = 'BIG' then big else each
      end - 1) k
    where c.customer_no like 'B%'
  ) i;
  insert into erp.invoice_line (invoice_id, line_no, item_id, description, uom, factor, qty, unit_price, price_step,
    line_total)
  select i.invoice_id, l, first_item + (i.invoice_id * 31 + l * 7919) % items, 'Item ' || l, 'EA', 1, 5, 2.5, 'level',
    12.5
  from erp.invoice i cross join generate_series(1, lines) l
  where i.invoice_id > first_invoice;
  insert into erp.payment (payment_id, payment_no, customer_id, payment_date, method, reference, amount, open_amount)
  select i.invoice_id, 'M' || i.invoice_id, i.customer_id, least(i.invoice_date + 25, erp.today()), 'check',
    i.invoice_id::text, i.total, 0
  from erp.invoice i where i.invoice_id > first_invoice and i.open_amount = 0;
  insert into erp.payment_application (payment_id, invoice_id, customer_id, amount, applied_on)
  select p.payment_id, p.payment_id, p.customer_id, p.amount, p.payment_date from erp.payment p
    where p.payment_id > first_invoice;
  perform set_config('session_replication_role', 'origin', true);
  perform setval(pg_get_serial_sequence('erp.invoice', 'invoice_id'), (select max(invoice_id) from erp.invoice)),
    setval(pg_get_serial_sequence('erp.payment', 'payment_id'), (select max(payment_id) from erp.payment));
end $$;
select pg_temp.money($1, $2, $3, $4);
