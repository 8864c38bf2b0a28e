-- Whether who asks may ask for returns: the switch of the account, and a role
-- that sees invoices.
create or replace function portal.assert_returns(p_customer_id bigint) returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.assert_customer(p_customer_id);
  if not portal.login_may(portal.login_id(), p_customer_id, 'invoices') then
    raise exception 'Your log-in does not see invoices, and cannot return what is on them. Ask whoever manages the log-ins of your account.'
      using errcode = 'PT403', constraint = 'role_no_returns';
  end if;
  if not exists (select from erp.web_access w where w.customer_id = p_customer_id and w.can_return) then
    raise exception 'Returns are not open for your account here. Please call us.'
      using errcode = 'PT403', constraint = 'can_return';
  end if;
end
$$;

-- The reasons for a return, and until which day each holds for an invoice: the
-- shorter of the reason's own limit and the account's. Null: no limit.
create or replace function portal.return_reasons(p_customer_id bigint, p_invoice_no text)
returns table (reason_code text, name text, goods_return boolean, needs_text boolean, until date, late boolean,
  sort int)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select s.reason_code, s.name, s.goods_return, s.needs_text, i.invoice_date + least(s.days_limit, w.return_days),
    coalesce(erp.today() > i.invoice_date + least(s.days_limit, w.return_days), false), s.sort
  from erp.invoice i join erp.web_access w using (customer_id) cross join erp.credit_reason s
  where i.invoice_no = p_invoice_no and i.customer_id = p_customer_id and portal.assert_customer(p_customer_id)
$$;
grant execute on function portal.return_reasons(bigint, text) to portal_web;

-- A customer asks to return lines of one of its invoices. All or nothing, and
-- once for a key: sent again, it answers with the request that it made.
-- request_no is null where something is refused; findings then has one element
-- for each objection: code, line, field, detail.
--   no_lines          nothing with a quantity
--   qty               the quantity is missing, below zero, or of an item that comes whole
--   over              more than is left: detail has left, credited, pending
--   reason            there is none
--   reason_late       its time is over: detail has until
--   text              the reason wants words
create or replace function portal.request_return(p_customer_id bigint, p_key uuid, p_invoice_no text,
  p_line_nos int[], p_qtys numeric[], p_reasons text[], p_notes text[], p_note text)
returns table (request_no text, repeated boolean, findings jsonb)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  inv erp.invoice;
  made erp.credit_request;
  found_json jsonb;
begin
  perform portal.assert_returns(p_customer_id);
  select * into inv from erp.invoice i where i.invoice_no = p_invoice_no and i.customer_id = p_customer_id;
  if not found then
    raise exception 'There is no such invoice.' using errcode = 'PT404', constraint = 'own_customer_only';
  end if;
  select * into made from erp.credit_request r where r.customer_id = p_customer_id and r.request_key = p_key;
  if found then
    return query select made.request_no, true, '[]'::jsonb;
    return;
  end if;
  if inv.kind <> 'invoice' then
    raise exception 'This document is an adjustment: nothing on it can be returned.'
      using errcode = 'PT409', constraint = 'return_adjustment';
  end if;

  -- who claims the same lines waits here; what they did is seen from now on
  perform erp.claim_returns(array_agg(inv.invoice_id), array_agg(u.line_no)) from unnest(p_line_nos) as u(line_no);
  select * into made from erp.credit_request r where r.customer_id = p_customer_id and r.request_key = p_key;
  if found then
    return query select made.request_no, true, '[]'::jsonb;
    return;
  end if;

  select jsonb_agg(jsonb_build_object('code', f.code, 'line', f.line_no, 'field', f.field, 'detail', f.detail)
    order by f.line_no, f.field) into found_json
  from (
    select l.line_no, x.code, x.field, x.detail
    from unnest(p_line_nos, p_qtys, p_reasons, p_notes) with ordinality as l(line_no, qty, reason, note, ord)
    left join erp.invoice_line i on i.invoice_id = inv.invoice_id and i.line_no = l.line_no
    left join erp.item t on t.item_id = i.item_id
    left join (select r.* from erp.return_room(array_fill(inv.invoice_id, array[coalesce(cardinality(p_line_nos), 0)]),
      p_line_nos) r) room on room.line_no = l.line_no
    left join (select r.* from portal.return_reasons(p_customer_id, p_invoice_no) r) s on s.reason_code = l.reason
    cross join lateral (values
      ('qty', 'qty', jsonb_build_object('uom', i.uom, 'whole', not coalesce(t.fractional, true)), l.qty is null
        or l.qty <= 0
        or i.item_id is not null and not t.fractional and l.qty * i.factor <> trunc(l.qty * i.factor)),
      ('over', 'qty', jsonb_build_object('left', coalesce(room.room, 0), 'credited', room.credited, 'pending',
        room.pending, 'uom', i.uom),
        l.qty > coalesce(room.room, 0) or exists (
          select from unnest(p_line_nos) with ordinality as b(line_no, ord) where b.line_no = l.line_no
            and b.ord < l.ord)),
      ('reason', 'reason', '{}', s.reason_code is null),
      ('reason_late', 'reason', jsonb_build_object('until', s.until, 'name', s.name), s.late),
      ('text', 'note', jsonb_build_object('name', s.name), s.needs_text and coalesce(erp.clean_text(l.note), '') = '')
    ) as x(code, field, detail, holds)
    where x.holds
    union all
    select null, 'no_lines', '', '{}' where coalesce(cardinality(p_line_nos), 0) = 0
  ) f;
  if found_json is not null then
    return query select null::text, false, found_json;
    return;
  end if;

  insert into erp.credit_request (customer_id, invoice_id, note, request_key, login_id)
  values (p_customer_id, inv.invoice_id, btrim(coalesce(p_note, '')), p_key,
    (select l.login_id from portal.login l where l.login_id = portal.login_id() and l.customer_id = p_customer_id))
  returning * into made;
  insert into erp.credit_request_line (request_id, line_no, invoice_id, invoice_line_no, qty, reason_code, note)
  select made.request_id, row_number() over (order by l.line_no), inv.invoice_id, l.line_no, l.qty, l.reason,
    erp.clean_text(coalesce(l.note, ''))
  from unnest(p_line_nos, p_qtys, p_reasons, p_notes) as l(line_no, qty, reason, note);
  return query select made.request_no, false, '[]'::jsonb;
end
$$;
grant execute on function portal.request_return(bigint, uuid, text, int[], numeric[], text[], text[],
  text) to portal_web;

-- The customer takes a request back that nobody has decided on.
create or replace function portal.withdraw_request(p_customer_id bigint, p_request_no text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  r erp.credit_request;
begin
  perform portal.assert_customer(p_customer_id);
  if not portal.login_may(portal.login_id(), p_customer_id, 'invoices') then
    raise exception 'Your log-in may not do that. Ask whoever manages the log-ins of your account.'
      using errcode = 'PT403', constraint = 'role_no_returns';
  end if;
  select * into r from erp.credit_request q where q.request_no = p_request_no and q.customer_id = p_customer_id
    for update;
  if not found then
    raise exception 'There is no such request.' using errcode = 'PT404', constraint = 'own_customer_only';
  end if;
  if r.status = 'WITHDRAWN' then
    return;
  end if;
  if r.status not in ('REQUESTED', 'IN_REVIEW') then
    raise exception 'This request has been decided on and can no longer be withdrawn here. Please call us.'
      using errcode = 'PT409', constraint = 'credit_request_move';
  end if;
  update erp.credit_request q set status = 'WITHDRAWN' where q.request_id = r.request_id;
end
$$;
grant execute on function portal.withdraw_request(bigint, text) to portal_web;

-- Keeps a photo for a request that is made or to be made under a key. What
-- belongs to no request is forgotten after a day. p_data is what
-- internal/photo has made of the file; its kind is checked here again.
create or replace function portal.add_request_photo(p_customer_id bigint, p_key uuid, p_name text, p_media_type text,
  p_width int, p_height int, p_data bytea) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  made bigint;
  stands text;
begin
  perform portal.assert_returns(p_customer_id);
  -- the form sent once more
  select p.photo_id into made from portal.request_photo p
    where p.customer_id = p_customer_id and p.request_key = p_key and p.digest = sha256(p_data);
  if found then
    return made;
  end if;
  select r.status into stands from erp.credit_request r where r.customer_id = p_customer_id and r.request_key = p_key;
  if stands not in ('REQUESTED', 'IN_REVIEW') then
    raise exception 'This request has been decided on: no photo can be added to it.'
      using errcode = 'PT409', constraint = 'request_photo_closed';
  end if;
  -- of what belongs to no request the latest are enough, and a day
  delete from portal.request_photo p
    where p.customer_id = p_customer_id and p.request_key <> p_key
      and not exists (select from erp.credit_request r where r.customer_id = p.customer_id
        and r.request_key = p.request_key)
      and (p.added_at < erp.now() - interval '1 day' or p.photo_id not in (
        select k.photo_id from portal.request_photo k
        where k.customer_id = p_customer_id and k.request_key <> p_key
          and not exists (select from erp.credit_request r where r.customer_id = k.customer_id
            and r.request_key = k.request_key)
        order by k.photo_id desc limit 12));
  insert into portal.request_photo (customer_id, request_key, login_id, name, media_type, width, height, data)
  values (p_customer_id, p_key, (select l.login_id from portal.login l where l.login_id = portal.login_id()
    and l.customer_id = p_customer_id),
    left(erp.clean_text(coalesce(p_name, '')), 120), p_media_type, p_width, p_height, p_data)
  on conflict on constraint request_photo_once do nothing
  returning photo_id into made;
  return made;
end
$$;
grant execute on function portal.add_request_photo(bigint, uuid, text, text, int, int, bytea) to portal_web;

-- Takes photos out of a form that has not been sent yet.
create or replace function portal.drop_request_photos(p_customer_id bigint, p_key uuid, p_photo_ids bigint[])
  returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.assert_customer(p_customer_id);
  delete from portal.request_photo p
    where p.customer_id = p_customer_id and p.request_key = p_key and p.photo_id = any (p_photo_ids)
      and not exists (select from erp.credit_request r where r.customer_id = p.customer_id
        and r.request_key = p.request_key);
end
$$;
grant execute on function portal.drop_request_photos(bigint, uuid, bigint[]) to portal_web;
