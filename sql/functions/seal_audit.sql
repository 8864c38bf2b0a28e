-- The chain over the audit log. A row is written without it, so that no
-- transaction waits for another; the server seals what has been committed every few
-- seconds, in the order in which it finds it. Each hash holds the one before, so
-- a row that is changed, cut or slipped in between breaks the chain at its place.
--
-- What this does not hold off: who owns the tables can switch the triggers off,
-- and change a row in the seconds before it is sealed, or write the whole chain
-- anew. Against the latter portal proof says where the chain ends: kept
-- elsewhere, that line tells.

-- What is old goes by portal.forget_audit (sql/functions/forget_audit.sql), and the
-- proof goes on from what that left.

-- The text of a row that is hashed. The columns are named, so that one that is
-- added later changes no hash; source came later, and rows from before have none.
-- The caller sets the time zone.
create or replace function portal.audit_text(a portal.audit) returns text
language sql stable
as $$
  select (jsonb_build_array(a.audit_id, a.at, a.actor, a.program, a.db_login, a.db_role, a.action, a.customer_id,
    a.subject, a.data, a.xid::text)
    || case when a.source is null then '[]' else jsonb_build_array(a.source) end)::text
$$;

create or replace function portal.history_digest(h erp.order_status_history) returns text
language sql stable set timezone = 'UTC'
as $$
  select encode(sha256(convert_to(
    jsonb_build_array(h.history_id, h.order_id, h.from_status, h.to_status, h.at, h.actor, h.program, h.reason)::text,
      'UTF8')), 'hex')
$$;

-- One digest of many rows of the history, by their ids.
create or replace function portal.history_digest(p_ranges int8multirange) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC'
as $$
  select encode(sha256(convert_to(coalesce(string_agg(
    jsonb_build_array(h.history_id, h.order_id, h.from_status, h.to_status, h.at, h.actor, h.program, h.reason)::text,
      E'\n' order by h.history_id), ''), 'UTF8')), 'hex')
  from unnest(p_ranges) r join erp.order_status_history h on h.history_id >= lower(r) and h.history_id < upper(r)
$$;

-- Takes rows of the history as they are into the log, as one row. Null: all that
-- have no row yet, those from before there was a log of them and those that were
-- loaded past the triggers. Returns how many.
create or replace function portal.adopt_history(p_history_ids bigint[] default null) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  ranges int8multirange;
  rows bigint;
begin
  select range_agg(int8range(h.history_id, h.history_id, '[]')), count(*) into ranges, rows
  from erp.order_status_history h
  where case when p_history_ids is not null then h.history_id = any (p_history_ids)
    else not exists (select from portal.history_told() t where t.history_id = h.history_id) end;
  if rows > 0 then
    insert into portal.audit (action, data)
    values ('order_status', jsonb_build_object('rows', jsonb_build_array(null, rows), 'history', ranges::text, 'digest',
      portal.history_digest(ranges)));
  end if;
  return rows;
end
$$;

-- The rows of the history that the log has, with their digest; those that it
-- has by ranges without one.
create or replace function portal.history_told() returns table (audit_id bigint, history_id bigint, digest text)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select a.audit_id, (a.data ->> 'history_id')::bigint, a.data ->> 'digest' from portal.audit a
  where a.action = 'order_status' and a.data ? 'history_id'
  union all
  select a.audit_id, h.history_id, null
  from portal.audit a cross join lateral unnest((a.data ->> 'history')::int8multirange) r
  join erp.order_status_history h on h.history_id >= lower(r) and h.history_id < upper(r)
  where a.action = 'order_status' and a.data ? 'history'
$$;

-- Seals what has been committed since. One at a time: a second caller has nothing
-- to do. Returns how many rows, at most 10,000; there may be more then.
create or replace function portal.seal_audit() returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC'
as $$
declare
  most constant int := 10000;
  head portal.audit_head;
  from_xid xid8;
  now_seen pg_snapshot;
  a record;
  n int := 0;
begin
  select * into head from portal.audit_head for update skip locked;
  if not found then
    return 0;
  end if;
  from_xid := pg_snapshot_xmin(head.seen);
  for a in
    -- what is older than all that was open the last time is sealed
    select x.audit_id, convert_to(portal.audit_text(x), 'UTF8') as content, pg_current_snapshot() as seen
    from portal.audit x
    where x.xid >= from_xid and not exists (select from portal.audit_chain c where c.audit_id = x.audit_id)
    order by x.audit_id
    limit most
  loop
    head.chain_no := head.chain_no + 1;
    head.hash := sha256(head.hash || a.content);
    insert into portal.audit_chain (chain_no, audit_id, hash) values (head.chain_no, a.audit_id, head.hash);
    now_seen := a.seen;
    n := n + 1;
  end loop;
  if n > 0 then
    update portal.audit_head set chain_no = head.chain_no, hash = head.hash, seen = case when n < most then now_seen
      else head.seen end;
  end if;
  return n;
end
$$;
grant execute on function portal.seal_audit() to portal_work;

-- What is wrong with the chain and the history: rows that are gone, are not what
-- was sealed, or came in past the sealing. Since null: from the first row.
create or replace function portal.verify_audit(p_since timestamptz default null)
returns table (kind text, subject text, line_no int, customer_id bigint, detail text)
language sql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC'
as $$
  with begins as materialized (
    select coalesce((select min(c.chain_no) from portal.audit_chain c where c.sealed_at >= p_since), case
      when p_since is null then h.base_no + 1 else h.chain_no end) as chain_no,
      pg_snapshot_xmin(h.seen) as sealed_below, h.chain_no as last_no, h.hash as last_hash, h.base_no, h.base_hash
    from portal.audit_head h
  ), forgotten as materialized (
    select coalesce(range_agg(t.told), '{}') as audit_ids from portal.forgotten_told() t
  ), link as materialized (
    select c.chain_no, c.audit_id, c.hash, c.sealed_at, lag(c.chain_no) over w as no_before,
      case when c.chain_no = b.base_no + 1 then b.base_hash else lag(c.hash) over w end as hash_before
    from begins b join portal.audit_chain c on c.chain_no >= b.chain_no - 1
    window w as (order by c.chain_no)
  )
  select 'audit_cut', 'audit ' || l.audit_id, 0, null::bigint,
    format('the row is gone; it was sealed on %s', to_char(l.sealed_at, 'YYYY-MM-DD HH24:MI:SS'))
  from link l cross join forgotten f left join portal.audit a using (audit_id) where a.audit_id is null
    and not f.audit_ids @> l.audit_id
  union all
  select 'audit_forged', 'audit ' || l.audit_id, 0, a.customer_id,
    format('%s %s by %s on %s is not what was sealed on %s', a.action, a.subject, a.actor,
      to_char(a.at, 'YYYY-MM-DD HH24:MI:SS'),
      to_char(l.sealed_at, 'YYYY-MM-DD HH24:MI:SS'))
  from link l join portal.audit a using (audit_id)
  where l.hash_before is not null
    and l.hash <> sha256(l.hash_before || convert_to(portal.audit_text(a), 'UTF8'))
  union all
  select 'audit_chain', 'chain ' || l.chain_no, 0, null::bigint,
    format('the link before it is missing, before audit %s', l.audit_id)
  from link l cross join begins b
  where l.chain_no >= b.chain_no and l.chain_no > b.base_no + 1 and l.no_before is distinct from l.chain_no - 1
  union all
  select 'audit_chain', 'the end', 0, null::bigint, format('link %s is not where the chain ended', b.last_no)
  from begins b left join portal.audit_chain c on c.chain_no = b.last_no
  where b.last_no > b.base_no and c.hash is distinct from b.last_hash
  union all
  select 'audit_chain', 'the beginning', 0, null::bigint,
    format('no row of the log says that all up to link %s was forgotten', b.base_no)
  from begins b
  where b.base_no > 0 and not exists (select from portal.audit a where a.action = 'audit_forgotten'
    and (a.data ->> 'up_to')::bigint = b.base_no and a.data ->> 'hash' = encode(b.base_hash, 'hex'))
  union all
  select 'audit_late', 'audit ' || a.audit_id, 0, a.customer_id,
    format('%s %s by %s, dated %s, came in past the sealing', a.action, a.subject, a.actor,
      to_char(a.at, 'YYYY-MM-DD HH24:MI:SS'))
  from begins b join portal.audit a on a.xid < b.sealed_below
  where not exists (select from portal.audit_chain c where c.audit_id = a.audit_id)
    and (p_since is null or a.at >= p_since)
  union all
  select case when h.history_id is null then 'history_cut' else 'history_forged' end, a.subject || ' step ' ||
    (a.data ->> 'history_id'), 0, a.customer_id,
    format('step %s → %s, audit %s, of %s', coalesce(a.data #>> '{status,0}', 'new'), a.data #>> '{status,1}',
      a.audit_id, to_char(a.at, 'YYYY-MM-DD HH24:MI:SS'))
  from portal.audit a
  left join erp.order_status_history h on h.history_id = (a.data ->> 'history_id')::bigint
  where a.action = 'order_status' and a.data ? 'history_id' and (p_since is null or a.at >= p_since)
    and (h.history_id is null or portal.history_digest(h) <> a.data ->> 'digest')
  union all
  select 'history_forged', 'audit ' || a.audit_id, 0, null::bigint,
    format('%s steps, rows %s of the history, are not what they were on %s', a.data #>> '{rows,1}',
      a.data ->> 'history', to_char(a.at, 'YYYY-MM-DD HH24:MI:SS'))
  from portal.audit a
  where a.action = 'order_status' and a.data ? 'history'
    and portal.history_digest((a.data ->> 'history')::int8multirange) <> a.data ->> 'digest'
  union all
  select 'history_untold', 'history ' || h.history_id, 0, null::bigint,
    format('order %s, %s → %s of %s: the log has no row of it', h.order_id, coalesce(h.from_status, 'new'), h.to_status,
      to_char(h.at, 'YYYY-MM-DD HH24:MI:SS'))
  from erp.order_status_history h
  where (p_since is null or h.at >= p_since) and not exists (select from portal.history_told() t
    where t.history_id = h.history_id)
$$;
grant execute on function portal.verify_audit(timestamptz) to portal_work;
