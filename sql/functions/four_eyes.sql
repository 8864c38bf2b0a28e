-- Four eyes: from company.four_eyes_amount on, a payment, a credit memo or the release of
-- an order's credit that one person enters at the desk waits until a second one with the
-- duty credit has approved it. Nothing is posted until then. That no other way around it
-- is taken is held by triggers/four_eyes.sql; programs other than the desk are not asked.

-- Posts what is entered, and returns the number of the document. p_args are those of the
-- function that posts it, by name.
create or replace function portal.post_entry(p_kind text, p_customer_no text, p_args jsonb) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  case p_kind
    when 'payment' then
      return erp.post_payment(p_customer_no, (p_args ->> 'amount')::numeric, (p_args ->> 'day')::date,
        p_args ->> 'method',
        p_args ->> 'reference', (p_args ->> 'key')::uuid,
        array(select a from jsonb_array_elements_text(p_args -> 'invoice_nos') with ordinality as x(a, n) order by n),
        array(select a::numeric from jsonb_array_elements_text(p_args -> 'amounts') with ordinality as x(a, n)
          order by n),
        (p_args ->> 'oldest_first')::boolean);
    when 'credit' then
      return erp.issue_credit(p_customer_no, (p_args ->> 'amount')::numeric, p_args ->> 'reason',
        p_args ->> 'invoice_no');
    when 'return' then
      return erp.issue_request_memo(p_args ->> 'request_no', p_args ->> 'memo_no');
    when 'release' then
      perform erp.release_credit(p_args ->> 'order_no', p_args ->> 'reason', (p_args ->> 'shown_over')::numeric,
        (p_args ->> 'shown_hold')::boolean);
      return p_args ->> 'order_no';
  end case;
end
$$;

-- The amount that a second person looks at: of an order, its total.
create or replace function portal.entry_amount(p_kind text, p_doc_no text) returns numeric
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select case p_kind
    when 'payment' then (select p.amount from erp.payment p where p.payment_no = p_doc_no)
    when 'release' then (select o.total from erp.sales_order o where o.order_no = p_doc_no)
    else (select m.total from erp.credit_memo m where m.memo_no = p_doc_no)
  end
$$;

-- Enters it: posted at once below the amount, and where four eyes are off; else it waits
-- as entry_id. It is tried first, so that what cannot be posted is told to who types it.
create or replace function portal.enter_money(p_kind text, p_customer_no text, p_args jsonb, out doc_no text,
  out entry_id bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  least_amount constant numeric := (select co.four_eyes_amount from erp.company co);
  before portal.held_entry;
  total numeric;
  posted text;
begin
  perform portal.assert_duty('credit');
  if p_args ->> 'key' is not null then
    perform pg_advisory_xact_lock(hashtextextended('payment:' || (p_args ->> 'key')::uuid, 0));
    select * into before from portal.held_entry e where e.key = (p_args ->> 'key')::uuid;
    if before.status = 'REJECTED' then
      raise exception 'This was rejected by %: %', before.decided_by,
        before.reason using errcode = 'PT409', constraint = 'entry_decided';
    elsif found then
      doc_no := before.doc_no;
      entry_id := case when before.doc_no is null then before.entry_id end;
      return;
    end if;
  end if;
  begin
    posted := portal.post_entry(p_kind, p_customer_no, p_args);
    total := portal.entry_amount(p_kind, posted);
    if total >= least_amount and portal.staff_id() is not null then
      raise exception 'waits' using errcode = 'PT100';
    end if;
    doc_no := posted;
    return;
  exception when sqlstate 'PT100' then -- not PT000, which is every refusal
    null; -- and nothing of it was posted
  end;
  insert into portal.held_entry (kind, customer_id, amount, args, key, entered_by_id)
  select p_kind, c.customer_id, total, p_args, (p_args ->> 'key')::uuid, portal.staff_id()
  from erp.customer c where c.customer_no = p_customer_no
  returning held_entry.entry_id into entry_id;
exception when unique_violation then
  raise exception 'This waits for a second person already.' using errcode = 'PT409', constraint = 'entry_waits';
end
$$;
grant execute on function portal.enter_money(text, text, jsonb) to portal_desk;

-- Holds an entry that waits, for who may decide about it.
create or replace function portal.entry_to_decide(p_entry_id bigint) returns portal.held_entry
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  e portal.held_entry;
begin
  perform portal.assert_duty('credit');
  if portal.staff_id() is null then
    raise exception 'A person decides about this, at the desk.' using errcode = 'PT403', constraint = 'entry_by_person';
  end if;
  select * into e from portal.held_entry h where h.entry_id = p_entry_id for update;
  if not found then
    raise exception 'There is no such entry.' using errcode = 'PT404';
  end if;
  if e.status <> 'WAITING' then
    raise exception 'This was % by % meanwhile. Nothing was changed.', lower(e.status), e.decided_by
      using errcode = 'PT409', constraint = 'entry_decided';
  end if;
  return e;
end
$$;

-- A second person approves: now it is posted, under both names.
create or replace function portal.approve_entry(p_entry_id bigint) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  e portal.held_entry := portal.entry_to_decide(p_entry_id);
  me constant text := portal.actor();
  made text;
begin
  if e.entered_by_id = portal.staff_id() then
    raise exception 'You entered this yourself: somebody else with the duty Credit approves it.'
      using errcode = 'PT409', constraint = 'held_entry_four_eyes';
  end if;
  perform set_config('portal.actor', e.entered_by || ', approved by ' || me, true);
  made := portal.post_entry(e.kind, (select c.customer_no from erp.customer c where c.customer_id = e.customer_id),
    e.args);
  if portal.entry_amount(e.kind, made) is distinct from e.amount then
    raise exception 'It would come to % now, and % was entered. Nothing was posted: reject it, and have it entered again.',
        portal.entry_amount(e.kind, made), e.amount
      using errcode = 'PT409', constraint = 'entry_changed';
  end if;
  if e.kind = 'release' and e.args ->> 'status' = 'APPROVED' then
    update erp.sales_order o set status = 'APPROVED' where o.order_no = made and erp.is_undecided(o.status);
  end if;
  perform set_config('portal.actor', me, true);
  update portal.held_entry h set status = 'APPROVED', decided_by = me, decided_by_id = portal.staff_id(),
    decided_at = erp.now(), doc_no = made
    where h.entry_id = p_entry_id;
  return made;
end
$$;
grant execute on function portal.approve_entry(bigint) to portal_desk;

-- Rejected, or taken back by who entered it: nothing is posted.
create or replace function portal.reject_entry(p_entry_id bigint, p_reason text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  e portal.held_entry := portal.entry_to_decide(p_entry_id);
begin
  if coalesce(erp.clean_text(p_reason), '') = '' then
    raise exception 'Say why: who entered it reads it.' using errcode = 'PT422', column = 'reason';
  end if;
  update portal.held_entry h set status = 'REJECTED', decided_by = portal.actor(), decided_by_id = portal.staff_id(),
    decided_at = erp.now(),
      reason = erp.clean_text(p_reason)
    where h.entry_id = e.entry_id;
end
$$;
grant execute on function portal.reject_entry(bigint, text) to portal_desk;
