-- The approval job's decision: approve a submitted order at once if no rule
-- objects, else leave it in the review queue with the reasons. Decides once:
-- an order that has moved or has been reviewed is left as it is. One without
-- lines waits for a minute: programs may commit the lines after the header. One
-- that somebody is changing at the moment waits too.
-- Returns what it did: approved, queued, waiting, or settled (nothing to decide).
create or replace function erp.decide_order(p_order_id bigint) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
  o erp.sales_order;
  objections int;
begin
  -- The customer first, as submit does: credit is decided one order at a time.
  -- Everybody else locks an order before its customer, so an order that
  -- somebody is at is not waited for here.
  perform from erp.customer c
    where c.customer_id = (select s.customer_id from erp.sales_order s where s.order_id = p_order_id)
    for no key update;
  select * into o from erp.sales_order s where s.order_id = p_order_id for update skip locked;
  if not found and exists (select from erp.sales_order s where s.order_id = p_order_id) then
    return 'waiting';
  end if;
  if o.order_id is null or o.status <> 'SUBMITTED' or o.reviewed_at is not null then
    return 'settled';
  end if;
  if o.submitted_at > erp.now() - interval '1 minute'
    and not exists (select from erp.sales_order_line l where l.order_id = p_order_id) then
    return 'waiting';
  end if;

  objections := erp.review_order(p_order_id);
  if objections = 0 then
    update erp.sales_order s set status = 'APPROVED' where s.order_id = p_order_id;
    return 'approved';
  end if;
  update erp.sales_order s set reviewed_at = erp.now() where s.order_id = p_order_id;
  return 'queued';
end
$$;
grant execute on function erp.decide_order(bigint) to portal_work, portal_desk;
