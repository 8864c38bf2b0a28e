-- Whether quantities of items, in base units, are in stock. short is null for
-- accounts that may not see stock: asking often enough would tell the figure.
create or replace function portal.supply(p_customer_id bigint, p_item_ids bigint[], p_qtys numeric[])
returns table (item_id bigint, short boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
  select a.item_id, case when w.see_stock <> 'hidden' then a.qty > coalesce(s.on_hand - s.allocated, 0) end
  from (select u.item_id, sum(u.qty) as qty from unnest(p_item_ids, p_qtys) as u(item_id, qty) group by 1) a
  cross join erp.company co
  join erp.web_access w on w.customer_id = p_customer_id
  left join erp.stock s on s.item_id = a.item_id and s.warehouse = co.warehouse
  where portal.assert_customer(p_customer_id)
$$;
grant execute on function portal.supply(bigint, bigint[], numeric[]) to portal_web, portal_desk, portal_work;
