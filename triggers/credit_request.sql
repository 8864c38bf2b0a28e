-- Requests to return goods: which moves are legal, what each needs, the history,
-- and the step that follows by itself. Holds for every program that writes
-- erp.credit_request; how much may be returned is in return_limit.sql.

-- Whether goods of a request must be back before the credit.
create or replace function erp.request_awaits_goods(p_request_id bigint) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select exists (select from erp.credit_request_line l join erp.credit_reason s using (reason_code)
    where l.request_id = p_request_id and s.goods_return and coalesce(l.qty_approved, l.qty) > 0)
$$;
grant execute on function erp.request_awaits_goods(bigint) to portal_desk, portal_work;

create or replace function erp.credit_request_before() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  bad record;
begin
  if tg_op = 'INSERT' then
    if new.status not in ('REQUESTED', 'IN_REVIEW') then
      raise exception 'A new request cannot start as %.', new.status
        using errcode = 'PT409', constraint = 'credit_request_move', column = 'status';
    end if;
    if not exists (select from erp.invoice i where i.invoice_id = new.invoice_id and i.customer_id = new.customer_id)
      and exists (select from erp.invoice i where i.invoice_id = new.invoice_id) then
      raise exception 'The invoice belongs to another customer than the request.'
        using errcode = 'PT409', constraint = 'credit_request_customer';
    end if;
    return new;
  end if;

  if (new.customer_id, new.invoice_id, new.request_no, new.request_key) is distinct from (old.customer_id,
    old.invoice_id, old.request_no, old.request_key) then
    raise exception 'The customer, the invoice and the number of request % are fixed.', old.request_no
      using errcode = 'PT409', constraint = 'credit_request_identity';
  end if;
  if old.status = 'CREDITED' and new.credit_memo_id is distinct from old.credit_memo_id then
    raise exception 'Request % is credited: its credit memo is fixed.', old.request_no
      using errcode = 'PT409', constraint = 'credit_request_identity';
  end if;
  if new.credit_memo_id is distinct from old.credit_memo_id and exists (
    select from erp.credit_memo m where m.credit_memo_id = new.credit_memo_id and m.customer_id <> new.customer_id) then
    raise exception 'The credit memo belongs to another customer than request %.', old.request_no
      using errcode = 'PT409', constraint = 'credit_request_customer';
  end if;
  if new.goods_received_at is distinct from old.goods_received_at and new.status <> 'AWAITING_GOODS' then
    raise exception 'Request % does not wait for goods.', old.request_no
      using errcode = 'PT409', constraint = 'credit_request_goods';
  end if;
  if new.status = old.status then
    return new;
  end if;

  if not exists (select from erp.credit_request_move m where m.from_status = old.status
    and m.to_status = new.status) then
    raise exception 'Request % cannot go from % to %.', old.request_no, old.status, new.status
      using errcode = 'PT409', constraint = 'credit_request_move', column = 'status',
        hint = 'The legal moves are in erp.credit_request_move.';
  end if;
  if new.status_reason is not distinct from old.status_reason and new.status not in ('REJECTED', 'AWAITING_GOODS') then
    new.status_reason := null;
  end if;
  if old.goods_received_at is not null and new.status <> 'CREDITED' then
    raise exception 'The goods of request % are back: it can only be credited.', old.request_no
      using errcode = 'PT409', constraint = 'credit_request_goods', column = 'status';
  end if;
  if new.status = 'APPROVED' and not exists (
    select from erp.credit_request_line l where l.request_id = new.request_id
      and coalesce(l.qty_approved, l.qty) > 0) then
    raise exception 'Nothing of request % is approved: reject it instead.', old.request_no
      using errcode = 'PT409', constraint = 'credit_request_nothing', column = 'status';
  end if;
  if new.status = 'AWAITING_GOODS' and not erp.request_awaits_goods(new.request_id) then
    raise exception 'No goods of request % have to come back.', old.request_no
      using errcode = 'PT409', constraint = 'credit_request_goods', column = 'status';
  end if;
  if new.status = 'CREDITED' then
    if new.goods_received_at is null and erp.request_awaits_goods(new.request_id) then
      raise exception 'The goods of request % are not back yet.', old.request_no
        using errcode = 'PT409', constraint = 'credit_request_goods', column = 'status';
    end if;
    if new.credit_memo_id is null then
      return new; -- the table's own check says it
    end if;
    -- or what the memo does not count could be asked for once more
    select l.invoice_line_no, l.qty, coalesce(m.qty, 0) as credited into bad
    from (
      select x.invoice_id, x.invoice_line_no,
        sum(case when s.goods_return then least(x.qty_approved, coalesce(x.qty_received, x.qty_approved))
          else x.qty_approved end) as qty
      from erp.credit_request_line x join erp.credit_reason s using (reason_code)
      where x.request_id = new.request_id group by 1, 2
    ) l
    left join lateral (
      select sum(y.qty) as qty from erp.credit_memo_line y
      where y.credit_memo_id = new.credit_memo_id and y.invoice_id = l.invoice_id
        and y.invoice_line_no = l.invoice_line_no
    ) m on true
    where coalesce(m.qty, 0) <> l.qty
    order by 1 limit 1;
    if found then
      raise exception 'The credit memo credits % of line %, and % are approved and back.', trim_scale(bad.credited),
        bad.invoice_line_no, trim_scale(bad.qty)
        using errcode = 'PT409', constraint = 'credit_request_memo_lines', column = 'status',
          hint = format('select erp.issue_request_memo(%L) makes one that fits.', old.request_no);
    end if;
  end if;
  return new;
end
$$;
create or replace trigger credit_request_before before insert or update on erp.credit_request
  for each row execute function erp.credit_request_before();

create or replace function erp.credit_request_after() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  r record;
begin
  if tg_op = 'INSERT' then
    insert into erp.credit_request_history (request_id, from_status, to_status, at, actor, by_customer)
    select n.request_id, null, n.status, n.requested_at, n.requested_by, portal.customer_id() is not null
      and portal.acting_by() is null
    from new_rows n order by n.request_id;
    return null;
  end if;

  insert into erp.credit_request_history (request_id, from_status, to_status, by_customer, reason)
  select n.request_id, p.status, n.status, portal.customer_id() is not null and portal.acting_by() is null,
    case when n.status = 'AWAITING_GOODS' and p.status = 'APPROVED' then nullif(n.status_reason, p.status_reason)
      when n.status <> p.status then n.status_reason
      else (select format('Goods received: %s of %s', trim_scale(sum(coalesce(l.qty_received, l.qty_approved))),
        trim_scale(sum(l.qty_approved)))
        from erp.credit_request_line l join erp.credit_reason s using (reason_code) where l.request_id = n.request_id
          and s.goods_return) end
  from new_rows n join old_rows p using (request_id)
  where n.status <> p.status or p.goods_received_at is null and n.goods_received_at is not null
  order by n.request_id;

  for r in
    select n.request_id, n.status from new_rows n join old_rows p using (request_id) where n.status <> p.status
      order by n.request_id
  loop
    if r.status = 'APPROVED' then
      update erp.credit_request_line l set qty_approved = l.qty where l.request_id = r.request_id
        and l.qty_approved is null;
      if erp.request_awaits_goods(r.request_id) then
        update erp.credit_request q set status = 'AWAITING_GOODS' where q.request_id = r.request_id;
      end if;
    elsif r.status = 'IN_REVIEW' then
      -- decided anew
      update erp.credit_request_line l set qty_approved = null, qty_received = null, decision_note = ''
        where l.request_id = r.request_id and (l.qty_approved is not null or l.decision_note <> '');
    end if;
  end loop;
  return null;
end
$$;
create or replace trigger credit_request_made after insert on erp.credit_request
  referencing new table as new_rows for each statement execute function erp.credit_request_after();
-- after credit_request_updated, which tells of this step before the next is made
create or replace trigger credit_request_written after update on erp.credit_request
  referencing old table as old_rows new table as new_rows
    for each statement execute function erp.credit_request_after();

create or replace function erp.credit_request_line_before() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  r erp.credit_request;
begin
  -- held, so that it is not decided while a line is added
  select * into r from erp.credit_request q where q.request_id = new.request_id for share;
  if not found then
    return new; -- the foreign key says it
  end if;
  if r.status in ('CREDITED', 'WITHDRAWN') or tg_op = 'INSERT' and r.status not in ('REQUESTED', 'IN_REVIEW') then
    raise exception 'Request % is %: its lines stay as they are.', r.request_no, lower(replace(r.status, '_', ' '))
      using errcode = 'PT409', constraint = 'credit_request_closed';
  end if;
  if new.invoice_id <> r.invoice_id then
    raise exception 'Request % is about one invoice: another needs its own request.', r.request_no
      using errcode = 'PT409', constraint = 'credit_request_invoice';
  end if;
  return new;
end
$$;
create or replace trigger credit_request_line_before before insert or update on erp.credit_request_line
  for each row execute function erp.credit_request_line_before();

-- What changes of a line is told as its request's.
create or replace function portal.credit_request_line_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.emit('credit', r.customer_id, r.request_no, jsonb_build_object('status', r.status))
  from (select q.* from erp.credit_request q where q.request_id in (select n.request_id from new_rows n)
    order by q.request_id) r;
  return null;
end
$$;
create or replace trigger credit_request_line_told after update on erp.credit_request_line
  referencing new table as new_rows for each statement execute function portal.credit_request_line_changed();

-- Six photos a request are enough; those that come later are told.
create or replace function portal.request_photo_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  bad uuid;
begin
  perform pg_advisory_xact_lock(hashtextextended(k.request_key::text, 7265)) from (select distinct n.request_key
    from new_rows n order by 1) k;
  select p.request_key into bad
  from portal.request_photo p join (select distinct n.customer_id, n.request_key from new_rows n) k
    using (customer_id, request_key)
  group by p.request_key having count(*) > 6 limit 1;
  if found then
    raise exception 'Six photos are the most for a request.'
      using errcode = 'PT422', constraint = 'request_photo_count', column = 'photos';
  end if;
  perform portal.emit('credit', r.customer_id, r.request_no, jsonb_build_object('status', r.status))
  from (select distinct q.customer_id, q.request_no, q.status from new_rows n join erp.credit_request q
    using (customer_id, request_key)) r;
  return null;
end
$$;
create or replace trigger request_photo_inserted after insert on portal.request_photo
  referencing new table as new_rows for each statement execute function portal.request_photo_changed();
