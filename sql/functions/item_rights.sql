-- Which items a customer's catalogue holds: the active ones, and where the
-- account is limited to authorized items, only those.
create or replace function portal.in_catalogue(p_customer_id bigint, p_item_ids bigint[]) returns setof bigint
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
#variable_conflict use_column
begin
  return query
  select i.item_id
  from erp.item i
  where portal.assert_customer(p_customer_id)
    and i.item_id = any (p_item_ids)
    and i.active
    and (not coalesce((select w.authorized_items_only from erp.web_access w where w.customer_id = p_customer_id), false)
         or exists (select from erp.authorized_item a where a.customer_id = p_customer_id and a.item_id = i.item_id));
end
$$;
grant execute on function portal.in_catalogue(bigint, bigint[]) to portal_web, portal_desk, portal_work, portal_auth;
