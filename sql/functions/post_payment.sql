-- Enters a payment and applies it: to the invoices named, with the amounts
-- given, and what is left to the oldest by due date where asked; the rest stays
-- open. A repeated key finds the payment it made. Returns the payment's number.
create or replace function erp.post_payment(
  p_customer_no text, p_amount numeric, p_date date, p_method text, p_reference text, p_key uuid,
  p_invoice_nos text[], p_amounts numeric[], p_oldest_first boolean
) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  customer bigint := (select c.customer_id from erp.customer c where c.customer_no = p_customer_no);
  made erp.payment;
  chosen record;
  rest numeric;
begin
  if customer is null then
    raise exception 'There is no customer %.', p_customer_no using errcode = 'PT404';
  end if;
  if p_key is not null then
    -- the same form sent twice at once waits here for the first
    perform pg_advisory_xact_lock(hashtextextended('payment:' || p_key, 0));
    select * into made from erp.payment p where p.key = p_key;
    if found then
      return made.payment_no;
    end if;
  end if;
  if coalesce(p_amount, 0) <= 0 or p_amount <> round(p_amount, 2) then
    raise exception 'Enter an amount above zero, in cents at most.' using errcode = 'PT422', column = 'amount';
  end if;
  if p_date is null or p_date > erp.today() then
    raise exception 'Enter the day it came in, up to today.' using errcode = 'PT422', column = 'payment_date';
  end if;
  if (select coalesce(sum(a), 0) from unnest(p_amounts) a) > p_amount then
    raise exception 'The invoices take %, more than the payment.', (select to_char(sum(a), 'FM999,999,999,990.00')
      from unnest(p_amounts) a)
      using errcode = 'PT422', column = 'amount';
  end if;
  insert into erp.payment (customer_id, payment_date, method, reference, amount, key)
    values (customer, p_date, coalesce(nullif(btrim(p_method), ''), 'check'), btrim(coalesce(p_reference, '')),
      p_amount, p_key)
    returning * into made;
  for chosen in
    select a.invoice_no, a.amount, i.invoice_id, i.open_amount, a.n
    from unnest(p_invoice_nos, p_amounts) with ordinality as a(invoice_no, amount, n)
    left join erp.invoice i on i.invoice_no = a.invoice_no and i.customer_id = customer
    where a.amount is not null and a.amount <> 0
    order by i.invoice_id
  loop
    if chosen.invoice_id is null then
      raise exception 'There is no invoice % of this customer.', chosen.invoice_no using errcode = 'PT422',
        column = 'apply-' || chosen.invoice_no;
    end if;
    if chosen.amount < 0 or chosen.amount > chosen.open_amount then
      raise exception 'Invoice %: only % is open.', chosen.invoice_no,
        to_char(chosen.open_amount, 'FM999,999,999,990.00')
        using errcode = 'PT422', column = 'apply-' || chosen.invoice_no;
    end if;
    insert into erp.payment_application (payment_id, invoice_id, amount, applied_on)
      values (made.payment_id, chosen.invoice_id, chosen.amount, p_date);
  end loop;
  if p_oldest_first then
    rest := p_amount - (select coalesce(sum(a), 0) from unnest(p_amounts) a);
    perform erp.hold_invoices(array(select i.invoice_id from erp.invoice i where i.customer_id = customer
      and i.open_amount > 0 order by 1));
    insert into erp.payment_application (payment_id, invoice_id, amount, applied_on)
    select made.payment_id, w.invoice_id, least(w.open_amount, rest - w.before), p_date
    from (
      select i.invoice_id, i.open_amount,
        coalesce(sum(i.open_amount) over (order by i.due_date, i.invoice_id rows between unbounded preceding
          and 1 preceding), 0) as before
      from erp.invoice i where i.customer_id = customer and i.open_amount > 0
    ) w
    where w.before < rest;
  end if;
  return made.payment_no;
end
$$;
grant execute on function erp.post_payment(text, numeric, date, text, text, uuid, text[], numeric[],
  boolean) to portal_desk;

-- Applies what is open of a payment or a credit memo to an invoice; a negative
-- amount takes it back. Dated today.
create or replace function erp.apply_credit(p_kind text, p_doc_no text, p_invoice_no text, p_amount numeric)
  returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  i erp.invoice;
  source record;
  applied numeric;
begin
  if p_kind = 'payment' then
    select p.customer_id, p.open_amount, p.payment_id as id into source from erp.payment p
      where p.payment_no = p_doc_no;
  else
    select m.customer_id, m.open_amount, m.credit_memo_id as id into source from erp.credit_memo m
      where m.memo_no = p_doc_no;
  end if;
  select * into i from erp.invoice x where x.invoice_no = btrim(p_invoice_no) and x.customer_id = source.customer_id;
  if source.id is null then
    raise exception 'There is no document %.', p_doc_no using errcode = 'PT404';
  end if;
  if i.invoice_id is null then
    raise exception 'There is no invoice % of this customer.', p_invoice_no using errcode = 'PT422',
      column = 'invoice_no';
  end if;
  if coalesce(p_amount, 0) = 0 or p_amount <> round(p_amount, 2) then
    raise exception 'Enter an amount, in cents at most.' using errcode = 'PT422', column = 'amount';
  end if;
  if p_amount > least(i.open_amount, source.open_amount) then
    raise exception 'At most % can be applied: % is open on the invoice, % of %.',
      to_char(least(i.open_amount, source.open_amount), 'FM999,999,999,990.00'),
      to_char(i.open_amount, 'FM999,999,999,990.00'), to_char(source.open_amount, 'FM999,999,999,990.00'),
        p_doc_no using errcode = 'PT422', column = 'amount';
  end if;
  if p_amount < 0 then
    applied := coalesce((select sum(a.amount) from erp.payment_application a where a.invoice_id = i.invoice_id
      and case p_kind when 'payment' then a.payment_id else a.credit_memo_id end = source.id), 0);
    if -p_amount > applied then
      raise exception 'Only % of it is applied to invoice %.', to_char(applied, 'FM999,999,999,990.00'),
        i.invoice_no using errcode = 'PT422', column = 'amount';
    end if;
  end if;
  insert into erp.payment_application (payment_id, credit_memo_id, invoice_id, amount)
    values (case when p_kind = 'payment' then source.id end, case when p_kind <> 'payment' then source.id end,
      i.invoice_id, p_amount);
end
$$;
grant execute on function erp.apply_credit(text, text, text, numeric) to portal_desk;

-- A payment that came back.
create or replace function erp.reverse_payment(p_payment_no text, p_on date, p_reason text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  p erp.payment;
begin
  select * into p from erp.payment x where x.payment_no = p_payment_no for update;
  if not found then
    raise exception 'There is no payment %.', p_payment_no using errcode = 'PT404';
  end if;
  if p.reversed_on is not null then
    raise exception 'Payment % has come back on % already.', p.payment_no, erp.day_text(p.reversed_on)
      using errcode = 'PT409', constraint = 'payment_reversed_once';
  end if;
  if p_on is null or p_on < p.payment_date or p_on > erp.today() then
    raise exception 'Enter the day it came back: from % up to today.',
      erp.day_text(p.payment_date) using errcode = 'PT422', column = 'reversed_on';
  end if;
  if coalesce(erp.clean_text(p_reason), '') = '' then
    raise exception 'Say why: the customer reads it.' using errcode = 'PT422', column = 'reason';
  end if;
  update erp.payment x set reversed_on = p_on, reversed_reason = erp.clean_text(p_reason)
    where x.payment_id = p.payment_id;
end
$$;
grant execute on function erp.reverse_payment(text, date, text) to portal_desk;

-- A credit memo over an amount, without goods: a rebate, a courtesy, a mistake.
-- One for an invoice is applied to it as far as that is open. Returns its number.
create or replace function erp.issue_credit(p_customer_no text, p_amount numeric, p_reason text, p_invoice_no text)
  returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  customer bigint := (select c.customer_id from erp.customer c where c.customer_no = p_customer_no);
  i erp.invoice;
  made erp.credit_memo;
  rest numeric;
begin
  if customer is null then
    raise exception 'There is no customer %.', p_customer_no using errcode = 'PT404';
  end if;
  if coalesce(p_amount, 0) <= 0 or p_amount <> round(p_amount, 2) then
    raise exception 'Enter an amount above zero, in cents at most.' using errcode = 'PT422', column = 'credit_amount';
  end if;
  if coalesce(erp.clean_text(p_reason), '') = '' then
    raise exception 'Say what for: the customer reads it.' using errcode = 'PT422', column = 'credit_reason';
  end if;
  if coalesce(btrim(p_invoice_no), '') <> '' then
    select * into i from erp.invoice x where x.invoice_no = btrim(p_invoice_no) and x.customer_id = customer;
    if not found then
      raise exception 'There is no invoice % of this customer.', p_invoice_no using errcode = 'PT422',
        column = 'credit_invoice';
    end if;
  end if;
  insert into erp.credit_memo (customer_id, invoice_id, reason)
    values (customer, i.invoice_id, erp.clean_text(p_reason)) returning * into made;
  insert into erp.credit_memo_line (credit_memo_id, line_no, description, qty, unit_price, line_total)
    values (made.credit_memo_id, 1, erp.clean_text(p_reason), 1, p_amount, p_amount);
  if i.invoice_id is not null then
    perform erp.hold_invoices(array[i.invoice_id]);
    rest := least(p_amount, (select x.open_amount from erp.invoice x where x.invoice_id = i.invoice_id));
    if rest > 0 then
      insert into erp.payment_application (credit_memo_id, invoice_id, amount)
        values (made.credit_memo_id, i.invoice_id, rest);
    end if;
  end if;
  return made.memo_no;
end
$$;
grant execute on function erp.issue_credit(text, numeric, text, text) to portal_desk;
