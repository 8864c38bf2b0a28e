-- No more is returned of an invoice line than was invoiced: credited and asked
-- for together, over whatever path the quantity comes: a line of a request or
-- of a credit memo, a request that comes back to life, an invoice line that
-- shrinks. Nor is more credited of a line than it cost.
--
-- Two who claim the same line wait for each other at its row of
-- erp.return_claim, taken in the order of the lines; the sum is made by a
-- statement after that, so that it counts what the other has committed. The row
-- is written, not only locked: REPEATABLE READ then fails instead of counting
-- the past.
create or replace function erp.claim_returns(p_invoice_ids bigint[], p_line_nos int[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  bad record;
begin
  if coalesce(cardinality(p_invoice_ids), 0) = 0 then
    return;
  end if;
  -- the lines first, as who changes one does
  perform from erp.invoice_line l
    where (l.invoice_id, l.line_no) in (select u.invoice_id, u.line_no from unnest(p_invoice_ids, p_line_nos)
      as u(invoice_id, line_no))
    order by l.invoice_id, l.line_no for share;
  insert into erp.return_claim as c (invoice_id, line_no)
  select l.invoice_id, l.line_no from erp.invoice_line l
  where (l.invoice_id, l.line_no) in (select u.invoice_id, u.line_no from unnest(p_invoice_ids, p_line_nos)
    as u(invoice_id, line_no))
  order by 1, 2
  on conflict (invoice_id, line_no) do update set qty = c.qty;

  -- what grows must fit; what is too much already may shrink
  select i.invoice_no, r.line_no, r.invoiced, c.qty as was,
    r.credited + r.pending > greatest(r.invoiced, 0) and r.credited + r.pending > c.qty as over into bad
  from erp.return_room(p_invoice_ids, p_line_nos) r
  join erp.return_claim c using (invoice_id, line_no)
  join erp.invoice i using (invoice_id)
  where r.credited + r.pending > greatest(r.invoiced, 0) and r.credited + r.pending > c.qty
     or r.credited_amount > greatest(r.amount, 0) and r.credited_amount > c.amount
  order by r.invoice_id, r.line_no limit 1;
  if found then
    if bad.over then
      raise exception '% left on line % of invoice %.', trim_scale(greatest(bad.invoiced - bad.was, 0)), bad.line_no,
        bad.invoice_no
        using errcode = 'PT422', constraint = 'return_limit', column = 'qty', detail = bad.line_no::text,
          hint = 'Invoiced less credited less what open requests ask for: erp.return_room.';
    end if;
    raise exception 'Line % of invoice % would be credited above what it cost.', bad.line_no, bad.invoice_no
      using errcode = 'PT422', constraint = 'return_amount', column = 'qty', detail = bad.line_no::text;
  end if;

  update erp.return_claim c set qty = r.credited + r.pending, amount = r.credited_amount
  from erp.return_room(p_invoice_ids, p_line_nos) r
  where c.invoice_id = r.invoice_id and c.line_no = r.line_no
    and (c.qty, c.amount) is distinct from (r.credited + r.pending, r.credited_amount);
end
$$;

-- Lines of requests and of credit memos.
create or replace function erp.return_line_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  invoices bigint[] := '{}';
  lines int[] := '{}';
  more bigint[];
  more_lines int[];
begin
  if tg_op in ('INSERT', 'UPDATE') then
    select coalesce(array_agg(n.invoice_id), '{}'), coalesce(array_agg(n.invoice_line_no), '{}') into invoices, lines
    from new_rows n where n.invoice_id is not null and n.invoice_line_no is not null;
  end if;
  if tg_op in ('UPDATE', 'DELETE') then
    select array_agg(p.invoice_id), array_agg(p.invoice_line_no) into more, more_lines
    from old_rows p where p.invoice_id is not null and p.invoice_line_no is not null;
    invoices := invoices || more;
    lines := lines || more_lines;
  end if;
  perform erp.claim_returns(invoices, lines);
  return null;
end
$$;
create or replace trigger credit_request_line_claims_inserted after insert on erp.credit_request_line
  referencing new table as new_rows for each statement execute function erp.return_line_changed();
create or replace trigger credit_request_line_claims_updated after update on erp.credit_request_line
  referencing old table as old_rows new table as new_rows for each statement execute function erp.return_line_changed();
create or replace trigger credit_request_line_claims_deleted after delete on erp.credit_request_line
  referencing old table as old_rows for each statement execute function erp.return_line_changed();
create or replace trigger credit_memo_line_claims_inserted after insert on erp.credit_memo_line
  referencing new table as new_rows for each statement execute function erp.return_line_changed();
create or replace trigger credit_memo_line_claims_updated after update on erp.credit_memo_line
  referencing old table as old_rows new table as new_rows for each statement execute function erp.return_line_changed();
create or replace trigger credit_memo_line_claims_deleted after delete on erp.credit_memo_line
  referencing old table as old_rows for each statement execute function erp.return_line_changed();

-- A request that comes back to life asks for its lines again; one that ends
-- gives them back.
create or replace function erp.credit_request_claims() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  invoices bigint[];
  lines int[];
begin
  select array_agg(l.invoice_id), array_agg(l.invoice_line_no) into invoices, lines
  from new_rows n join old_rows p using (request_id) join erp.credit_request_line l using (request_id)
  where (n.status, n.credit_memo_id) is distinct from (p.status, p.credit_memo_id);
  perform erp.claim_returns(invoices, lines);
  return null;
end
$$;
create or replace trigger credit_request_claims after update on erp.credit_request
  referencing old table as old_rows new table as new_rows
    for each statement execute function erp.credit_request_claims();

create or replace function erp.invoice_line_claimed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  bad record;
begin
  -- those that are too small now are few; the two tables are not joined before
  with small as materialized (
    select n.invoice_id, n.line_no, n.qty, n.line_total, c.qty as claimed, n.qty < c.qty as fewer
    from new_rows n join erp.return_claim c using (invoice_id, line_no)
    where n.qty < c.qty or round(n.line_total, 2) < c.amount
  )
  select i.invoice_no, s.line_no, s.claimed as qty, s.fewer into bad
  from small s join erp.invoice i using (invoice_id)
  where exists (select from old_rows p where p.invoice_id = s.invoice_id and p.line_no = s.line_no
    and (s.qty < p.qty or round(s.line_total, 2) < round(p.line_total, 2)))
  order by s.invoice_id, s.line_no limit 1;
  if found then
    raise exception 'Line % of invoice % has % credited or asked for: it cannot become less than that.', bad.line_no,
      bad.invoice_no, trim_scale(bad.qty)
      using errcode = 'PT409', constraint = case when bad.fewer then 'return_limit' else 'return_amount' end;
  end if;
  return null;
end
$$;
create or replace trigger invoice_line_claimed after update on erp.invoice_line
  referencing old table as old_rows new table as new_rows
    for each statement execute function erp.invoice_line_claimed();

-- A credit against an invoice line is in that line's unit, and of the same
-- customer.
create or replace function erp.credit_memo_line_before() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  l record;
begin
  if new.invoice_id is null or new.invoice_line_no is null then
    return new;
  end if;
  select x.uom, i.invoice_no, i.customer_id = m.customer_id as same_customer into l
  from erp.invoice_line x join erp.invoice i using (invoice_id) cross join erp.credit_memo m
  where x.invoice_id = new.invoice_id and x.line_no = new.invoice_line_no and m.credit_memo_id = new.credit_memo_id;
  if not found then
    return new; -- the foreign keys say it
  end if;
  if not l.same_customer then
    raise exception 'Invoice % belongs to another customer than the credit memo.', l.invoice_no
      using errcode = 'PT409', constraint = 'credit_memo_customer';
  end if;
  if new.uom <> l.uom then
    raise exception 'Line % of invoice % is in %: a credit against it is, too.', new.invoice_line_no, l.invoice_no,
      l.uom
      using errcode = 'PT422', constraint = 'credit_memo_line_uom', column = 'uom';
  end if;
  return new;
end
$$;
create or replace trigger credit_memo_line_before before insert or update on erp.credit_memo_line
  for each row execute function erp.credit_memo_line_before();
