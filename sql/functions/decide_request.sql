-- What staff do with a request to return goods. The triggers on
-- erp.credit_request hold the rules for plain SQL as well; these functions take
-- the locks in order and have the words.

create or replace function erp.request_to_decide(p_request_no text) returns erp.credit_request
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  r erp.credit_request;
begin
  select * into r from erp.credit_request q where q.request_no = p_request_no for update;
  if not found then
    raise exception 'There is no request %.', p_request_no using errcode = 'PT404';
  end if;
  return r;
end
$$;

-- Takes a request into review, one that has been decided on anew.
create or replace function erp.review_request(p_request_no text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  r erp.credit_request := erp.request_to_decide(p_request_no);
begin
  if r.status <> 'IN_REVIEW' then
    update erp.credit_request q set status = 'IN_REVIEW' where q.request_id = r.request_id;
  end if;
end
$$;
grant execute on function erp.review_request(text) to portal_desk;

-- Approves what is named of the lines, all of those that are not; 0 takes a
-- line out. p_notes say why a line has fewer, p_reason why the request has.
-- Where goods must come back it then awaits them; with nothing left of it, it is
-- rejected. Returns the status it has come to.
create or replace function erp.decide_request(p_request_no text, p_line_nos int[], p_qtys numeric[],
  p_notes text[] default null, p_reason text default null)
returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  r erp.credit_request := erp.request_to_decide(p_request_no);
  why text := nullif(erp.clean_text(p_reason), '');
  notes text;
  bad record;
begin
  if r.status not in ('REQUESTED', 'IN_REVIEW') then
    raise exception 'Request % is % already.', p_request_no,
      lower(replace(r.status, '_', ' ')) using errcode = 'PT409', constraint = 'credit_request_move';
  end if;
  select w.line_no, w.qty, l.qty as asked into bad
  from unnest(p_line_nos, p_qtys) as w(line_no, qty)
  left join erp.credit_request_line l on l.request_id = r.request_id and l.line_no = w.line_no
  where l.line_no is null or w.qty is null or w.qty < 0 or w.qty > l.qty
  order by w.line_no limit 1;
  if found then
    raise exception '%', case when bad.asked is null then format('There is no line %s.', bad.line_no)
        else format('Line %s: approve 0 to %s.', bad.line_no, trim_scale(bad.asked)) end
      using errcode = 'PT422', constraint = 'credit_request_line_qty_approved', column = 'qty',
        detail = coalesce(bad.line_no, 0)::text;
  end if;
  select l.line_no into bad
  from erp.credit_request_line l join unnest(p_line_nos, p_qtys, p_notes) as w(line_no, qty, note) using (line_no)
  where l.request_id = r.request_id and w.qty < l.qty and coalesce(erp.clean_text(w.note), '') = '' order by 1 limit 1;
  if found and why is null then
    raise exception 'Say why fewer: the customer reads it.'
      using errcode = 'PT422', constraint = 'credit_request_fewer_has_reason', column = 'reason';
  end if;
  update erp.credit_request_line l
    set qty_approved = coalesce(w.qty, l.qty), decision_note = case when w.qty < l.qty
      then coalesce(erp.clean_text(w.note), '') else '' end
    from erp.credit_request_line k left join unnest(p_line_nos, p_qtys, p_notes) as w(line_no, qty, note)
      using (line_no)
    where l.request_id = r.request_id and k.request_id = l.request_id and k.line_no = l.line_no;
  select string_agg(distinct l.decision_note, ' · ') into notes
  from erp.credit_request_line l where l.request_id = r.request_id and l.decision_note <> '';
  if exists (select from erp.credit_request_line l where l.request_id = r.request_id and l.qty_approved > 0) then
    update erp.credit_request q set status = 'APPROVED', status_reason = coalesce(why, notes)
      where q.request_id = r.request_id;
  else
    update erp.credit_request q set status = 'REJECTED', status_reason = coalesce(why, notes)
      where q.request_id = r.request_id;
  end if;
  return (select q.status from erp.credit_request q where q.request_id = r.request_id);
end
$$;
grant execute on function erp.decide_request(text, int[], numeric[], text[], text) to portal_desk;

create or replace function erp.reject_request(p_request_no text, p_reason text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  r erp.credit_request := erp.request_to_decide(p_request_no);
begin
  if coalesce(erp.clean_text(p_reason), '') = '' then
    raise exception 'Say why: the customer reads it.'
      using errcode = 'PT422', constraint = 'credit_request_rejected_has_reason', column = 'reason';
  end if;
  if r.status <> 'REJECTED' then
    update erp.credit_request q set status = 'REJECTED', status_reason = erp.clean_text(p_reason)
      where q.request_id = r.request_id;
  end if;
end
$$;
grant execute on function erp.reject_request(text, text) to portal_desk;

-- The goods are here: how many of each line that must come back, all that was
-- approved of those not named. Lines of p_restock go back on the shelf, where
-- the oldest orders that wait have them first.
create or replace function erp.receive_request_goods(p_request_no text, p_line_nos int[] default null,
  p_qtys numeric[] default null, p_restock int[] default null)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  r erp.credit_request := erp.request_to_decide(p_request_no);
  bad record;
begin
  if r.status <> 'AWAITING_GOODS' or r.goods_received_at is not null then
    raise exception '%', case when r.goods_received_at is not null
      then format('The goods of request %s are recorded already.', p_request_no)
        else format('Request %s does not wait for goods.', p_request_no) end
      using errcode = 'PT409', constraint = 'credit_request_goods';
  end if;
  select w.line_no, l.qty_approved into bad
  from unnest(p_line_nos, p_qtys) as w(line_no, qty)
  left join erp.credit_request_line l on l.request_id = r.request_id and l.line_no = w.line_no
  where l.line_no is null or w.qty is null or w.qty < 0 or w.qty > l.qty_approved
  order by w.line_no limit 1;
  if found then
    raise exception '%', case when bad.qty_approved is null then format('There is no line %s.', bad.line_no)
        else format('Line %s: 0 to %s can have come back.', bad.line_no, trim_scale(bad.qty_approved)) end
      using errcode = 'PT422', constraint = 'credit_request_line_qty_received', column = 'qty',
        detail = coalesce(bad.line_no, 0)::text;
  end if;
  update erp.credit_request_line l
    set qty_received = coalesce((select w.qty from unnest(p_line_nos, p_qtys) as w(line_no, qty)
      where w.line_no = l.line_no), l.qty_approved)
    from erp.credit_reason s
    where l.request_id = r.request_id and s.reason_code = l.reason_code and s.goods_return;
  if not exists (
    select from erp.credit_request_line l join erp.credit_reason s using (reason_code)
    where l.request_id = r.request_id and case when s.goods_return then l.qty_received else l.qty_approved end > 0) then
    raise exception 'Nothing came back: reject the request instead.'
      using errcode = 'PT422', constraint = 'credit_request_nothing', column = 'qty';
  end if;
  update erp.credit_request q set goods_received_at = erp.now() where q.request_id = r.request_id;
  insert into erp.stock as s (item_id, warehouse, on_hand)
  select i.item_id, co.warehouse, trim_scale(sum(l.qty_received * i.factor))
  from erp.credit_request_line l
  join erp.invoice_line i on i.invoice_id = l.invoice_id and i.line_no = l.invoice_line_no
  cross join erp.company co
  where l.request_id = r.request_id and l.line_no = any (p_restock) and l.qty_received > 0 and i.item_id is not null
  group by 1, 2 order by 1
  on conflict (item_id, warehouse) do update set on_hand = s.on_hand + excluded.on_hand;
end
$$;
grant execute on function erp.receive_request_goods(text, int[], numeric[], int[]) to portal_desk;

-- Issues the credit memo of a request at the invoice lines' prices, and closes
-- the request with it. A line is rounded to cents half away from zero; the last
-- part of an invoice line takes what is left of its amount, so that the parts
-- are never more than the line. The memo is applied to the invoice as far as
-- that is open; the rest of it stays open. Without a number it takes the next.
-- Once only: of a request that is credited it answers the memo's number.
create or replace function erp.issue_request_memo(p_request_no text, p_memo_no text default null,
  p_apply boolean default true) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  r erp.credit_request := erp.request_to_decide(p_request_no);
  made erp.credit_memo;
  inv erp.invoice;
  l record;
  before record;
  n int := 0;
begin
  if r.status = 'CREDITED' then
    return (select m.memo_no from erp.credit_memo m where m.credit_memo_id = r.credit_memo_id);
  end if;
  if r.status not in ('APPROVED', 'AWAITING_GOODS') then
    raise exception 'Request % is %: only an approved one can be credited.', p_request_no,
      lower(replace(r.status, '_', ' '))
      using errcode = 'PT409', constraint = 'credit_request_move';
  end if;
  if r.goods_received_at is null and erp.request_awaits_goods(r.request_id) then
    raise exception 'The goods of request % are not back yet.',
      p_request_no using errcode = 'PT409', constraint = 'credit_request_goods';
  end if;
  -- all lines at once, in their order
  perform erp.claim_returns(array_agg(x.invoice_id), array_agg(x.invoice_line_no)) from erp.credit_request_line x
    where x.request_id = r.request_id;

  loop
    begin
      if coalesce(btrim(p_memo_no), '') = '' then
        insert into erp.credit_memo (customer_id, invoice_id, reason) values (r.customer_id, r.invoice_id,
          'Return ' || r.request_no) returning * into made;
      else
        insert into erp.credit_memo (memo_no, customer_id, invoice_id, reason)
        values (btrim(p_memo_no), r.customer_id, r.invoice_id, 'Return ' || r.request_no) returning * into made;
      end if;
      exit;
    exception when unique_violation then
      -- somebody gave the number by hand: take the next
      if coalesce(btrim(p_memo_no), '') <> '' or n > 1000 then
        raise exception 'There is a credit memo % already.',
          btrim(p_memo_no) using errcode = 'PT422', constraint = 'credit_memo_no_key', column = 'memo_no';
      end if;
      n := n + 1;
    end;
  end loop;
  -- from here on the memo's lines stand in for the request's
  update erp.credit_request q set credit_memo_id = made.credit_memo_id where q.request_id = r.request_id;

  n := 0;
  for l in
    select i.*, case when s.goods_return then least(x.qty_approved, coalesce(x.qty_received, x.qty_approved))
      else x.qty_approved end as credit
    from erp.credit_request_line x
    join erp.credit_reason s using (reason_code)
    join erp.invoice_line i on i.invoice_id = x.invoice_id and i.line_no = x.invoice_line_no
    where x.request_id = r.request_id order by x.line_no
  loop
    continue when l.credit <= 0;
    n := n + 1;
    select coalesce(sum(m.qty), 0) as qty, coalesce(sum(m.line_total), 0) as amount into before
    from erp.credit_memo_line m where m.invoice_id = l.invoice_id and m.invoice_line_no = l.line_no;
    insert into erp.credit_memo_line (credit_memo_id, line_no, item_id, invoice_id, invoice_line_no, description, uom,
      factor, qty, unit_price, line_total)
    values (made.credit_memo_id, n, l.item_id, l.invoice_id, l.line_no, l.description, l.uom, l.factor, l.credit,
      l.unit_price,
      case when before.qty + l.credit >= l.qty then greatest(round(l.line_total, 2) - before.amount, 0)
        else least(round(l.credit * l.unit_price, 2), greatest(round(l.line_total, 2) - before.amount, 0)) end);
  end loop;
  update erp.credit_request q set status = 'CREDITED' where q.request_id = r.request_id;

  if p_apply then
    perform erp.hold_invoices(array[r.invoice_id]);
    select * into inv from erp.invoice i where i.invoice_id = r.invoice_id;
    select * into made from erp.credit_memo m where m.credit_memo_id = made.credit_memo_id;
    if least(inv.open_amount, made.open_amount) > 0 then
      insert into erp.payment_application (credit_memo_id, invoice_id, amount)
      values (made.credit_memo_id, inv.invoice_id, least(inv.open_amount, made.open_amount));
    end if;
  end if;
  return made.memo_no;
end
$$;
grant execute on function erp.issue_request_memo(text, text, boolean) to portal_desk;
