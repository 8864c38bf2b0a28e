-- Numbers of orders, invoices, credit memos, payments and requests: a row that
-- comes without one draws the next. In a trigger and not in the column's default,
-- since a default is computed with the rights of whoever inserts: so only who may
-- insert a document draws its number, and nobody else can use invoice numbers up.
-- The trigger's name is the first in the alphabet, so that the others see the number.
create or replace function erp.assign_number() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  case tg_table_name
    when 'sales_order' then new.order_no := erp.next_no('order');
    when 'invoice' then new.invoice_no := erp.next_invoice_no();
    when 'credit_memo' then new.memo_no := erp.next_no('credit_memo');
    when 'payment' then new.payment_no := erp.next_no('payment');
    when 'credit_request' then new.request_no := erp.next_no('credit_request');
  end case;
  return new;
end
$$;
create or replace trigger assign_number before insert on erp.sales_order
  for each row when (new.order_no is null) execute function erp.assign_number();
create or replace trigger assign_number before insert on erp.invoice
  for each row when (new.invoice_no is null) execute function erp.assign_number();
create or replace trigger assign_number before insert on erp.credit_memo
  for each row when (new.memo_no is null) execute function erp.assign_number();
create or replace trigger assign_number before insert on erp.payment
  for each row when (new.payment_no is null) execute function erp.assign_number();
create or replace trigger assign_number before insert on erp.credit_request
  for each row when (new.request_no is null) execute function erp.assign_number();

-- As a default would be, a number is drawn also where a session has the other
-- triggers off, to load or copy rows.
alter table erp.sales_order enable always trigger assign_number;
alter table erp.invoice enable always trigger assign_number;
alter table erp.credit_memo enable always trigger assign_number;
alter table erp.payment enable always trigger assign_number;
alter table erp.credit_request enable always trigger assign_number;
