-- Orders that have been picked, shipped or invoiced stay, with their lines and
-- prices; what an order's total is and what is invoiced of its lines follows from
-- other rows. Why figures are computed once more instead of marking who may write
-- them: see posted.sql.
create or replace function erp.sales_order_posted() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  right_total numeric;
begin
  if (new.order_id, new.order_no, new.customer_id, new.source, new.made_in)
    is distinct from (old.order_id, old.order_no, old.customer_id, old.source, old.made_in) then
    raise exception 'The customer, the number and the source of order % are fixed.', old.order_no
      using errcode = 'PT409', constraint = 'sales_order_identity';
  end if;
  if new.total <> old.total then
    right_total := coalesce((select sum(l.line_total) from erp.sales_order_line l where l.order_id = old.order_id), 0);
    if pg_trigger_depth() = 1 and new.total <> right_total then
      raise exception 'The total of order % is what its lines add up to: change their quantities.', old.order_no
        using errcode = 'PT409', constraint = 'sales_order_total', column = 'total',
          hint = 'erp.edit_order changes the quantities of an open order.';
    end if;
    new.total := right_total;
  end if;
  return new;
end
$$;
create or replace trigger sales_order_posted before update on erp.sales_order for each row
  when ((new.order_id, new.order_no, new.customer_id, new.source, new.made_in, new.total)
    is distinct from (old.order_id, old.order_no, old.customer_id, old.source, old.made_in, old.total))
  execute function erp.sales_order_posted();

create or replace function erp.sales_order_made() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  new.made_in := erp.this_transaction();
  return new;
end
$$;
create or replace trigger sales_order_made before insert on erp.sales_order
  for each row execute function erp.sales_order_made();

-- A total that a program states with a new order is held to its lines when the
-- transaction ends.
create or replace function erp.sales_order_total_stated() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  made record;
begin
  select o.order_no, o.total, (select coalesce(sum(l.line_total), 0) from erp.sales_order_line l
    where l.order_id = o.order_id) as lines into made
  from erp.sales_order o where o.order_id = new.order_id;
  if found and made.total <> made.lines or new.total <> made.lines then
    raise exception 'Order % says a total of %, and its lines add up to %.', made.order_no, new.total, made.lines
      using errcode = 'PT409', constraint = 'sales_order_total', column = 'total',
        hint = 'Leave the total to the lines.';
  end if;
  return null;
end
$$;
drop trigger if exists sales_order_total_stated on erp.sales_order;
create constraint trigger sales_order_total_stated after insert on erp.sales_order deferrable initially deferred
  for each row
  when (new.total <> 0) execute function erp.sales_order_total_stated();

create or replace function erp.sales_order_line_posted() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  right_invoiced numeric;
begin
  if tg_op = 'DELETE' then
    raise exception 'Line % of order % has been picked, shipped or invoiced and stays. Cancel what is open of it (qty_cancelled), or issue a credit memo.',
      old.line_no, (select o.order_no from erp.sales_order o where o.order_id = old.order_id)
      using errcode = 'PT409', constraint = 'sales_order_line_stays';
  end if;
  if old.unit_price is not null and (new.unit_price is null or new.line_total is null) then
    raise exception 'Line % of order % has a price and keeps one.', old.line_no,
      (select o.order_no from erp.sales_order o where o.order_id = old.order_id)
      using errcode = 'PT409', constraint = 'sales_order_line_priced', column = 'unit_price';
  end if;
  if (new.unit_price, new.price_step, new.price_rule_id) is distinct from (old.unit_price, old.price_step,
    old.price_rule_id)
    and old.qty_shipped + old.qty_invoiced > 0 then
    raise exception 'Line % of order % has shipped: its price stays. Issue a credit memo for the difference (erp.issue_credit).',
      old.line_no, (select o.order_no from erp.sales_order o where o.order_id = old.order_id)
      using errcode = 'PT409', constraint = 'sales_order_line_price_fixed', column = 'unit_price';
  end if;
  if new.qty_invoiced <> old.qty_invoiced then
    right_invoiced := coalesce((select sum(l.qty) from erp.invoice_line l where l.order_id = old.order_id
      and l.order_line_no = old.line_no), 0);
    if pg_trigger_depth() = 1 and new.qty_invoiced <> right_invoiced then
      raise exception 'What is invoiced of line % of order % follows from its invoices: invoice what has shipped (erp.invoice_order).',
        old.line_no, (select o.order_no from erp.sales_order o where o.order_id = old.order_id)
        using errcode = 'PT409', constraint = 'sales_order_line_qty_invoiced', column = 'qty_invoiced';
    end if;
    new.qty_invoiced := right_invoiced;
  end if;
  return new;
end
$$;
create or replace trigger sales_order_line_posted before update on erp.sales_order_line for each row
  when ((new.unit_price, new.price_step, new.price_rule_id, new.qty_invoiced) is distinct from (old.unit_price,
    old.price_step, old.price_rule_id, old.qty_invoiced)
    or new.line_total is null and old.line_total is not null)
  execute function erp.sales_order_line_posted();
create or replace trigger sales_order_line_stays before delete on erp.sales_order_line for each row
  when (old.qty_picked + old.qty_shipped + old.qty_invoiced > 0)
  execute function erp.sales_order_line_posted();
