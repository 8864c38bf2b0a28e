-- What a customer may know of the stock of items, under its Web Access:
--   number       available, in base units, and the state
--   in_low_out   the state only
--   hidden       neither; orderable still tells whether it can be ordered
-- state: in, low (at or below the company's mark), out.
create or replace function portal.stock_shown(p_customer_id bigint, p_item_ids bigint[])
returns table (item_id bigint, available numeric, state text, orderable boolean)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
#variable_conflict use_column
begin
  return query
  select
    i.item_id,
    case when w.see_stock = 'number' then s.available end,
    case when w.see_stock <> 'hidden' then
      case when s.available <= 0 then 'out' when s.available <= co.low_stock then 'low' else 'in' end
    end,
    i.active and not i.discontinued and (s.available > 0 or (i.allow_backorder and w.allow_backorder))
  from unnest(p_item_ids) as asked(item_id)
  join erp.item i on i.item_id = asked.item_id
  cross join erp.company co
  join erp.web_access w on w.customer_id = p_customer_id
  cross join lateral (
    select coalesce(sum(st.on_hand - st.allocated), 0) as available
    from erp.stock st where st.item_id = i.item_id and st.warehouse = co.warehouse
  ) s
  where portal.assert_customer(p_customer_id);
end
$$;
grant execute on function portal.stock_shown(bigint, bigint[]) to portal_web, portal_desk, portal_work;
