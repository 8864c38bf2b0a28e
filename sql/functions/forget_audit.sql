-- How old rows leave the audit log: only here, only as erp.company says, and in a way that portal proof goes on from.
--
-- audit_keep takes the beginning of the chain away, rows and links. What is left is the hash of the last link that went
-- (portal.audit_head.base_hash), which the first link that stays builds on; the row audit_forgotten says the same,
-- and is sealed like any other. sign_in_keep takes rows of log-ins from the midst and leaves their links, so that the
-- chain holds; the row audit_forgotten says which.

-- From when on the log is whole.
create or replace function portal.audit_begins() returns timestamptz
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select h.base_at from portal.audit_head h $$;
grant execute on function portal.audit_begins() to portal_desk;

-- The rows that the log itself says were forgotten from the midst, by their ids: only log-ins were, and only such as
-- had been sealed for a month.
create or replace function portal.forgotten_told() returns table (audit_id bigint, told int8range)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select a.audit_id, r from portal.audit a cross join lateral unnest((a.data ->> 'rows_of')::int8multirange) r
  where a.action = 'audit_forgotten' and a.data ? 'rows_of'
    and not exists (select from portal.audit_chain c
      where c.audit_id >= lower(r) and c.audit_id < upper(r) and c.sealed_at > a.at - interval '28 days')
$$;

-- The history of orders has to stay provable when the rows that held it go: one row with the digest of all of it
-- takes their place. Of what is not what it was, there is none, and the proof tells.
create or replace function portal.keep_history_digest(p_up_to bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC'
as $$
declare
  ranges int8multirange;
begin
  select range_agg(x.r) into ranges
  from (
    select int8range(h.history_id, h.history_id, '[]') as r
    from portal.audit_chain c join portal.audit a using (audit_id)
    join erp.order_status_history h on h.history_id = (a.data ->> 'history_id')::bigint
    where c.chain_no <= p_up_to and a.action = 'order_status' and a.data ? 'history_id'
      and portal.history_digest(h) = a.data ->> 'digest'
    union all
    select unnest((a.data ->> 'history')::int8multirange)
    from portal.audit_chain c join portal.audit a using (audit_id)
    where c.chain_no <= p_up_to and a.action = 'order_status' and a.data ? 'history'
      and portal.history_digest((a.data ->> 'history')::int8multirange) = a.data ->> 'digest'
  ) x;
  if ranges is not null then
    insert into portal.audit (actor, action, data) values ('portal', 'order_status', jsonb_build_object(
      'rows', jsonb_build_array(null, (select sum(upper(r) - lower(r)) from unnest(ranges) r)), 'history', ranges::text,
      'digest', portal.history_digest(ranges)));
  end if;
end
$$;

-- Forgets what is older than the company keeps, at most p_batch rows of each kind, and returns how many. It waits until
-- there is a day's worth, since each time leaves a row that says so.
create or replace function portal.forget_audit(p_batch int) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  co erp.company;
  head portal.audit_head;
  cut portal.audit_chain;
  old bigint[];
  day_before constant timestamptz := clock_timestamp() - interval '1 day';
  n int := 0;
begin
  select * into co from erp.company;
  if co.audit_keep is null and co.sign_in_keep is null then
    return 0;
  end if;
  select * into head from portal.audit_head for update skip locked;
  if not found then
    return 0; -- it is being sealed
  end if;
  update portal.audit_head set forgetting = pg_current_xact_id();
  select * into cut from (
    select c.* from portal.audit_chain c where c.chain_no > head.base_no order by c.chain_no limit p_batch) c
  where c.sealed_at < clock_timestamp() - co.audit_keep
    and exists (select from portal.audit_chain f where f.chain_no = head.base_no + 1
      and f.sealed_at < day_before - co.audit_keep)
  order by c.chain_no desc limit 1;
  if found then
    perform portal.keep_history_digest(cut.chain_no);
    insert into portal.audit (actor, action, data) values ('portal', 'audit_forgotten', jsonb_build_object(
      'up_to', cut.chain_no, 'hash', encode(cut.hash, 'hex'), 'sealed_at', cut.sealed_at, 'keep', co.audit_keep::text));
    update portal.audit_head set base_no = cut.chain_no, base_hash = cut.hash, base_at = cut.sealed_at;
    delete from portal.audit a using portal.audit_chain c where c.chain_no <= cut.chain_no and a.audit_id = c.audit_id;
    get diagnostics n = row_count;
    delete from portal.audit_chain c where c.chain_no <= cut.chain_no;
  end if;
  old := array(
    select a.audit_id from portal.act_kind k join portal.audit a on a.action = k.code join portal.audit_chain c
      using (audit_id)
    where k.act_group = 'sign_in' and a.at < clock_timestamp() - co.sign_in_keep
      and c.sealed_at < clock_timestamp() - co.sign_in_keep
    order by a.at, a.audit_id limit p_batch);
  if exists (select from portal.audit a where a.audit_id = any (old) and a.at < day_before - co.sign_in_keep) then
    insert into portal.audit (actor, action, data) values ('portal', 'audit_forgotten', jsonb_build_object(
      'sign_ins', cardinality(old), 'rows_of', (select range_agg(int8range(x, x, '[]'))::text from unnest(old) x),
        'keep', co.sign_in_keep::text));
    delete from portal.audit a where a.audit_id = any (old);
    n := n + cardinality(old);
  end if;
  update portal.audit_head set forgetting = null;
  return n;
end
$$;
grant execute on function portal.forget_audit(int) to portal_work;
