-- The one door into the event log. Triggers hand over what changed; the row is
-- part of their transaction, so a rolled-back change is never reported.
--
-- Called from triggers that have fixed the search path and act for the owner: to
-- do so once more would cost more than the row. It asks for the caller's rights.
--
-- The setting portal.event_state, of the transaction, says what went before in it:
-- nothing (empty), written, notified (listeners as well), or lost.

-- Documents of one kind, each with its customer, number and facts.
create or replace function portal.emit_all(p_kind text, p_customer_ids bigint[], p_refs text[], p_data jsonb[])
  returns void
language plpgsql
as $$
declare
  before text := coalesce(current_setting('portal.event_state', true), '');
begin
  if before = 'lost' then
    return;
  end if;
  begin
    if before <> '' then
      -- a document that several statements of one transaction touch is one event,
      -- unless its facts differ from the last time
      select array_agg(d.customer_id order by d.n), array_agg(d.ref order by d.n), array_agg(d.data order by d.n)
        into p_customer_ids, p_refs, p_data
      from unnest(p_customer_ids, p_refs, p_data) with ordinality as d(customer_id, ref, data, n)
      where not exists (
        select from (
          select e.data from portal.event e
          where e.xid = pg_current_xact_id() and e.ref = d.ref and e.kind = p_kind
            and e.customer_id is not distinct from d.customer_id
          order by e.event_id desc limit 1
        ) last where last.data is not distinct from d.data);
    end if;
    insert into portal.event (kind, customer_id, ref, data)
    select p_kind, d.customer_id, d.ref, d.data
    from unnest(p_customer_ids, p_refs, p_data) with ordinality as d(customer_id, ref, data, n) order by d.n;
    if not found then
      return;
    end if;
  exception when others then
    -- A full log or disk stops no program's work: everybody is told to look again.
    raise warning 'An event could not be written (%): open pages are told to load again.', sqlerrm;
    perform set_config('portal.event_state', 'lost', true), pg_notify('portal_event', 'lost'),
      nextval('portal.event_missed');
    return;
  end;

  -- Wakes the listeners once the transaction has committed, if one of them wants
  -- it: NOTIFY makes commits wait for each other. The payload is empty, so that
  -- PostgreSQL sends one notification a transaction. A queue that a dead listener
  -- has filled by half is left alone, since NOTIFY fails when it is full; nodes look
  -- at the log now and then in any case.
  if before = 'notified' then
    return;
  end if;
  if exists (select from portal.event_node n where n.wants_notify) and pg_notification_queue_usage() < 0.5 then
    perform pg_notify('portal_event', '');
    before := set_config('portal.event_state', 'notified', true);
  elsif before = '' then
    before := set_config('portal.event_state', 'written', true);
  end if;
end
$$;

drop function if exists portal.wake(); -- of earlier versions

create or replace function portal.emit(p_kind text, p_customer_id bigint, p_ref text, p_data jsonb default null)
  returns void
language plpgsql
as $$
begin
  perform portal.emit_all(p_kind, array[p_customer_id], array[p_ref], array[p_data]);
end
$$;

-- Documents that one statement changed. A few are told by number; of many,
-- each customer concerned is told once, without a number: read the list again.
-- Of a bulk load, which concerns most of them, all are told in one event. That
-- one is never of a kind that is not for customers who do not see their
-- balance: their pages look at the invoices, as those of the others do.
create or replace function portal.emit_documents(p_kind text, p_customer_ids bigint[], p_refs text[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  customers bigint[];
begin
  if cardinality(p_refs) <= 25 then
    perform portal.emit_all(p_kind, p_customer_ids, p_refs, null);
    return;
  end if;
  customers := array(select distinct u.customer_id from unnest(p_customer_ids) as u(customer_id) order by 1);
  if cardinality(customers) <= 250 then
    perform portal.emit_all(p_kind, customers, array_fill(''::text, array[cardinality(customers)]), null);
  else
    perform portal.emit(case when p_kind in ('payment', 'credit', 'statement') then 'invoice' else p_kind end, null,
      '');
  end if;
end
$$;

-- What a node calls before it reads: the epoch of its positions. A log that came
-- from another server by dump and restore has transactions that are still to
-- come here; they go.
create or replace function portal.begin_epoch() returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  known text;
begin
  if exists (select from portal.event e where e.xid >= pg_snapshot_xmax(pg_current_snapshot())
    and e.xid <> pg_current_xact_id())
    or exists (select from portal.event_floor f where f.pruned_xid >= pg_snapshot_xmax(pg_current_snapshot())) then
    delete from portal.event e where e.xid >= pg_snapshot_xmax(pg_current_snapshot());
    update portal.event_floor f set pruned_xid = '0' where f.pruned_xid >= pg_snapshot_xmax(pg_current_snapshot());
    delete from portal.event_epoch;
  end if;
  insert into portal.event_epoch default values on conflict do nothing;
  select p.epoch into known from portal.event_epoch p;
  return known;
end
$$;
grant execute on function portal.begin_epoch() to portal_work, portal_auth;
