-- A buyer takes back an order that is still Submitted, where its Web Access
-- lets it. Returns false when the order is not this customer's or has moved on.
create or replace function portal.cancel_order(p_customer_id bigint, p_order_no text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.assert_customer(p_customer_id);
  if not exists (select from erp.web_access w where w.customer_id = p_customer_id and w.can_order) then
    raise exception 'Your account may look but not order. Please call us.'
      using errcode = 'PT403', constraint = 'view_only';
  end if;
  if not portal.login_may(portal.login_id(), p_customer_id, 'order') then
    raise exception 'Your log-in may look but not order. Ask whoever manages the log-ins of your account.'
      using errcode = 'PT403', constraint = 'role_no_order';
  end if;
  if exists (select from erp.web_access w where w.customer_id = p_customer_id and w.may_change = 'none') then
    raise exception 'Orders of your account cannot be cancelled here. Please call us.'
      using errcode = 'PT403', constraint = 'may_change';
  end if;
  update erp.sales_order o set status = 'CANCELLED', status_reason = 'Cancelled by the customer'
    where o.order_no = p_order_no and o.customer_id = p_customer_id and o.status = 'SUBMITTED';
  return found;
end
$$;
grant execute on function portal.cancel_order(bigint, text) to portal_web;
