-- The approval job's decision: approve a submitted order at once if no rule
-- objects, else leave it in the review queue with the reasons. Decides once:
-- an order that has moved or has been reviewed is left as it is. One without
-- lines waits for a minute: programs may commit the lines after the header.
-- Returns what it did: approved, queued, waiting, or settled (nothing to decide).
create or replace function erp.decide_order(p_order_id bigint) returns text
language plpgsql security definer set search_path = pg_catalog set jit = off
as $$
declare
  o erp.sales_order;
  objections int;
begin
  -- the customer first, as submit does: credit is decided one order at a time
  perform from erp.customer c
    where c.customer_id = (select s.customer_id from erp.sales_order s where s.order_id = p_order_id)
    for no key update;
  select * into o from erp.sales_order s where s.order_id = p_order_id for update;
  if not found or o.status <> 'SUBMITTED' or o.reviewed_at is not null then
    return 'settled';
  end if;
  if o.submitted_at > erp.now() - interval '1 minute'
    and not exists (select from erp.sales_order_line l where l.order_id = p_order_id) then
    return 'waiting';
  end if;

  insert into erp.order_review (order_id, code, detail)
  select p_order_id, f.code,
    case count(*) when 1 then min(f.detail::text)::jsonb else jsonb_build_object('lines', jsonb_agg(f.detail)) end
  from (
    select array_agg(sl.item_id order by sl.line_no) as item_ids, array_agg(sl.uom order by sl.line_no) as uoms,
      array_agg(sl.qty - sl.qty_cancelled order by sl.line_no) as qtys,
      array_agg(sl.unit_price order by sl.line_no) as prices
    from erp.sales_order_line sl
    where sl.order_id = p_order_id
  ) lines
  cross join lateral erp.order_findings(o.customer_id, lines.item_ids, lines.uoms, lines.qtys, lines.prices,
    o.po_no, o.ship_to_id, o.requested_date, p_order_id) f
  where f.action in ('refuse', 'queue')
  group by f.code;
  get diagnostics objections = row_count;

  if objections = 0 then
    update erp.sales_order s set status = 'APPROVED' where s.order_id = p_order_id;
    return 'approved';
  end if;
  update erp.sales_order s set reviewed_at = erp.now() where s.order_id = p_order_id;
  return 'queued';
end
$$;
grant execute on function erp.decide_order(bigint) to portal_work, portal_desk;
