-- The one door into the event log. Triggers hand over what changed; the row is
-- part of their transaction, so a rolled-back change is never told.
create or replace function portal.emit(p_kind text, p_customer_id bigint, p_ref text, p_data jsonb default null) returns void
language plpgsql security definer set search_path = pg_catalog
as $$
declare
  told jsonb;
begin
  -- a document that several statements of one transaction touch is told once,
  -- unless what is told differs from the last time
  select e.data into told
    from portal.event e
    where e.xid = pg_current_xact_id() and e.ref = p_ref and e.kind = p_kind and e.customer_id is not distinct from p_customer_id
    order by e.event_id desc limit 1;
  if found and told is not distinct from p_data then
    return;
  end if;
  insert into portal.event (kind, customer_id, ref, data) values (p_kind, p_customer_id, p_ref, p_data);
  perform portal.wake();
end
$$;

-- Documents that one statement changed. A few are told by number; of many,
-- each customer concerned is told once, without a number: read the list again.
-- Of a bulk load, which concerns most of them, all are told in one event. That
-- one is never of a kind that is not for customers who do not see their
-- balance: their pages look at the invoices, as those of the others do.
create or replace function portal.emit_documents(p_kind text, p_customer_ids bigint[], p_refs text[]) returns void
language plpgsql security definer set search_path = pg_catalog
as $$
declare
  customers bigint[];
begin
  if cardinality(p_refs) <= 25 then
    perform portal.emit(p_kind, d.customer_id, d.ref)
    from unnest(p_customer_ids, p_refs) with ordinality as d(customer_id, ref, n) order by d.n;
    return;
  end if;
  customers := array(select distinct u.customer_id from unnest(p_customer_ids) as u(customer_id) order by 1);
  if cardinality(customers) <= 250 then
    perform portal.emit(p_kind, c.customer_id, '') from unnest(customers) with ordinality as c(customer_id, n) order by c.n;
  else
    perform portal.emit(case when p_kind in ('payment', 'credit', 'statement') then 'invoice' else p_kind end, null, '');
  end if;
end
$$;

-- Wakes the listeners once the transaction has committed. The payload is empty,
-- so that PostgreSQL sends one notification a transaction.
create or replace function portal.wake() returns void
language sql security definer set search_path = pg_catalog
as $$ select pg_notify('portal_event', '') $$;
