-- The wall inside functions that run with their owner's rights: a transaction
-- that acts for a customer, and any of the role portal_web, may ask only about
-- that customer.
create or replace function portal.assert_customer(p_customer_id bigint) returns boolean
language plpgsql stable security definer set search_path = pg_catalog
as $$
begin
  if portal.customer_id() is null and current_setting('role', true) is distinct from 'portal_web' then
    return true;
  end if;
  if p_customer_id is distinct from portal.customer_id() then
    raise exception 'this request may not ask about another customer'
      using errcode = 'PT404', constraint = 'own_customer_only';
  end if;
  return true;
end
$$;
grant execute on function portal.assert_customer(bigint) to portal_web, portal_desk, portal_work;
