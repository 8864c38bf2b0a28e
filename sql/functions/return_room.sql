-- What can still be returned of invoice lines, in the line's unit: invoiced −
-- credited − asked for and not settled. Of a decided request what was approved
-- counts; what its own credit memo holds already counts as credited only.
create or replace function erp.return_room(p_invoice_ids bigint[], p_line_nos int[])
returns table (invoice_id bigint, line_no int, invoiced numeric, credited numeric, pending numeric, room numeric,
  amount numeric, credited_amount numeric)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select l.invoice_id, l.line_no, l.qty, coalesce(c.qty, 0), coalesce(p.qty, 0),
    greatest(l.qty - coalesce(c.qty, 0) - coalesce(p.qty, 0), 0), round(l.line_total, 2), coalesce(c.amount, 0)
  from (select distinct u.invoice_id, u.line_no from unnest(p_invoice_ids, p_line_nos) as u(invoice_id, line_no)) k
  join erp.invoice_line l using (invoice_id, line_no)
  cross join lateral (
    select sum(m.qty) as qty, sum(m.line_total) as amount
    from erp.credit_memo_line m where m.invoice_id = l.invoice_id and m.invoice_line_no = l.line_no
  ) c
  cross join lateral (
    select sum(greatest(r.qty - coalesce((
      select sum(m.qty) from erp.credit_memo_line m
      where m.credit_memo_id = r.credit_memo_id and m.invoice_id = l.invoice_id and m.invoice_line_no = l.line_no), 0),
        0)) as qty
    from (
      select q.request_id, q.credit_memo_id, sum(coalesce(rl.qty_approved, rl.qty)) as qty
      from erp.credit_request_line rl join erp.credit_request q using (request_id)
      where rl.invoice_id = l.invoice_id and rl.invoice_line_no = l.line_no
        and q.status not in ('REJECTED', 'WITHDRAWN', 'CREDITED')
      group by 1, 2
    ) r
  ) p
$$;
grant execute on function erp.return_room(bigint[], int[]) to portal_desk, portal_work;

-- The same for a customer's own invoice, all its lines.
create or replace function portal.returnable(p_customer_id bigint, p_invoice_no text)
returns table (line_no int, invoiced numeric, credited numeric, pending numeric, room numeric)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select r.line_no, r.invoiced, r.credited, r.pending, r.room
  from (
    select array_agg(l.invoice_id) as invoice_ids, array_agg(l.line_no) as line_nos
    from erp.invoice i join erp.invoice_line l using (invoice_id)
    where i.invoice_no = p_invoice_no and i.customer_id = p_customer_id and portal.assert_customer(p_customer_id)
  ) k
  cross join lateral erp.return_room(k.invoice_ids, k.line_nos) r
$$;
grant execute on function portal.returnable(bigint, text) to portal_web, portal_desk;

-- The number of a request's credit memo, which its customer may know where it
-- may not see the amount.
create or replace function portal.request_memo_no(p_request_id bigint) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select m.memo_no
  from erp.credit_request r join erp.credit_memo m using (credit_memo_id)
  where r.request_id = p_request_id and portal.assert_customer(r.customer_id)
$$;
grant execute on function portal.request_memo_no(bigint) to portal_web, portal_desk;

-- What became of a line of a request: how much of it its memo credits, null
-- without one. The figure is a quantity, no amount.
create or replace function portal.request_credited(p_request_id bigint)
returns table (invoice_line_no int, qty numeric)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select m.invoice_line_no, sum(m.qty)
  from erp.credit_request r join erp.credit_memo_line m on m.credit_memo_id = r.credit_memo_id
    and m.invoice_id = r.invoice_id
  where r.request_id = p_request_id and r.status = 'CREDITED' and portal.assert_customer(r.customer_id)
  group by 1
$$;
grant execute on function portal.request_credited(bigint) to portal_web, portal_desk;
