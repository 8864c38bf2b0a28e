-- The wall inside functions that run with their owner's rights: a transaction
-- that acts for a customer, and any of the role portal_web, may ask only about
-- that customer. So may a log-in that holds portal_web and not the staff's or
-- the jobs' role: it has these functions also before it becomes a role.
create or replace function portal.assert_customer(p_customer_id bigint) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  who name;
begin
  if p_customer_id = portal.customer_id() then
    return true;
  end if;
  who := portal.db_role();
  if portal.customer_id() is null and (not pg_has_role(who, 'portal_web', 'member')
    or pg_has_role(who, 'portal_desk', 'member') or pg_has_role(who, 'portal_work', 'member')) then
    return true;
  end if;
  raise exception 'this request may not ask about another customer'
    using errcode = 'PT404', constraint = 'own_customer_only';
end
$$;
grant execute on function portal.assert_customer(bigint) to portal_web, portal_desk, portal_work;
