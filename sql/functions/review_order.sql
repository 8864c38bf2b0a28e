-- Writes down what the rules object to in an order as it stands, in place of
-- what they objected to before, and returns how much that is.
create or replace function erp.review_order(p_order_id bigint) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
  objections int;
begin
  delete from erp.order_review v where v.order_id = p_order_id;
  insert into erp.order_review (order_id, code, detail)
  select p_order_id, f.code,
    case count(*) when 1 then min(f.detail::text)::jsonb else jsonb_build_object('lines', jsonb_agg(f.detail)) end
  from erp.sales_order o
  cross join lateral (
    select array_agg(sl.item_id order by sl.line_no) as item_ids, array_agg(sl.uom order by sl.line_no) as uoms,
      array_agg(sl.qty - sl.qty_cancelled order by sl.line_no) as qtys,
      array_agg(sl.unit_price order by sl.line_no) as prices
    from erp.sales_order_line sl
    where sl.order_id = p_order_id
  ) lines
  cross join lateral erp.order_findings(o.customer_id, lines.item_ids, lines.uoms, lines.qtys, lines.prices,
    o.po_no, o.ship_to_id, o.requested_date, p_order_id) f
  where o.order_id = p_order_id and f.action in ('refuse', 'queue')
  group by f.code;
  get diagnostics objections = row_count;
  return objections;
end
$$;
