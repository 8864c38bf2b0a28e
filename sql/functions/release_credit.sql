-- A person takes the responsibility for an order over the credit limit, or of
-- an account on credit hold: it may be approved and picked as far as the
-- customer's exposure stays at what it is now. Who, when, up to what and why
-- stand on the order and in the audit log. Returns the exposure accepted.
--
-- Who saw figures says which: by how much it was over (0: not at all), and
-- whether the account was on hold. What is worse by now is not released, but told.
create or replace function erp.release_credit(p_order_no text, p_reason text, p_shown_over numeric default null,
  p_shown_hold boolean default null)
returns numeric
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  o erp.sales_order;
  c erp.customer;
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
  if not erp.is_changeable(o.status) then
    raise exception 'Order % is %: its credit is not asked for any more.', p_order_no, lower(o.status)
      using errcode = 'PT409', constraint = 'order_closed';
  end if;
  select * into c from erp.customer x where x.customer_id = o.customer_id for no key update;
  accepted := erp.credit_ahead(o.order_id) + erp.order_to_invoice(o.order_id);
  perform erp.check_shown_credit(p_order_no, accepted - c.credit_limit, c.credit_hold, p_shown_over, p_shown_hold);
  update erp.sales_order s
    set credit_released_by = portal.actor(), credit_released_at = erp.now(), credit_released_amount = accepted,
      credit_release_reason = erp.clean_text(p_reason)
    where s.order_id = o.order_id;
  return accepted;
end
$$;
grant execute on function erp.release_credit(text, text, numeric, boolean) to portal_desk;

-- Refuses where an order stands worse with its credit than was shown to whoever
-- decides. A null was not shown and is not compared.
create or replace function erp.check_shown_credit(p_order_no text, p_over numeric, p_hold boolean, p_shown_over numeric,
  p_shown_hold boolean) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp
as $$
begin
  if p_hold and not p_shown_hold then
    raise exception 'The account of order % was put on credit hold meanwhile. Nothing was done: look at it again.',
      p_order_no
      using errcode = 'PT409', constraint = 'credit_changed';
  end if;
  if p_over > p_shown_over and p_over > 0 then
    raise exception 'Order % is over credit by % by now, and the page showed %. Nothing was done: look at it again.',
      p_order_no, round(p_over, 2), round(p_shown_over, 2)
      using errcode = 'PT409', constraint = 'credit_changed';
  end if;
end
$$;
