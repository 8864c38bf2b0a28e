-- A person takes the responsibility for an order over the credit limit, or of
-- an account on credit hold: it may be approved and picked as far as the
-- customer's exposure stays at what it is now. Who, when, up to what and why
-- stand on the order and in the audit log. Returns the exposure accepted.
create or replace function erp.release_credit(p_order_no text, p_reason text) returns numeric
language plpgsql security definer set search_path = pg_catalog
as $$
declare
  o erp.sales_order;
  accepted numeric;
begin
  if nullif(erp.clean_text(p_reason), '') is null then
    raise exception 'Say why the credit of order % is released.', p_order_no
      using errcode = 'PT422', constraint = 'credit_release_has_reason', column = 'reason';
  end if;
  select * into o from erp.sales_order s where s.order_no = p_order_no for update;
  if not found then
    raise exception 'There is no order %.', p_order_no using errcode = 'PT404';
  end if;
  if o.status not in ('SUBMITTED', 'ON_HOLD', 'APPROVED') then
    raise exception 'Order % is %: its credit is not asked for any more.', p_order_no, lower(o.status)
      using errcode = 'PT409', constraint = 'order_closed';
  end if;
  perform from erp.customer c where c.customer_id = o.customer_id for no key update;
  accepted := erp.credit_ahead(o.order_id) + erp.order_to_invoice(o.order_id);
  update erp.sales_order s
    set credit_released_by = portal.actor(), credit_released_at = erp.now(), credit_released_amount = accepted,
      credit_release_reason = erp.clean_text(p_reason)
    where s.order_id = o.order_id;
  return accepted;
end
$$;
grant execute on function erp.release_credit(text, text) to portal_desk;
