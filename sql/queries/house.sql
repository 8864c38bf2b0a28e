-- name: event_prune
-- One batch, and in the same statement the highest transaction of it. Only
-- transactions below every one still running are touched: a cursor taken from
-- now on has seen all that is gone.
with old as (
  select e.event_id
  from portal.event e
  where e.at < clock_timestamp() - @older_than::interval and e.xid < pg_snapshot_xmin(pg_current_snapshot())
  order by e.event_id
  limit @batch
  for update skip locked
),
gone as (
  delete from portal.event e using old where e.event_id = old.event_id returning e.xid
),
floor as (
  update portal.event_floor f set pruned_xid = greatest(f.pruned_xid, g.xid)
  from (select gone.xid from gone order by gone.xid desc limit 1) g
  where f.only_row
)
select count(*) from gone;

-- name: session_expire
-- One batch; a trigger tells the sockets.
select portal.expire_sessions(@batch);

-- name: login_try_forget
-- A count whose window and lock are both over would begin anew at the next
-- failure, so forgetting it changes nothing.
delete from portal.login_try t
where t.failed_since < erp.now() - interval '15 minutes' and (t.locked_until is null or t.locked_until <= erp.now());

-- name: login_device_forget
delete from portal.login_device d where d.seen_at < erp.now() - interval '1 year';

-- name: link_asked_forget
delete from portal.link_asked a where a.asked_at < erp.now() - interval '1 hour';

-- name: unknown_proxy_forget
delete from portal.unknown_proxy p where p.last_at < erp.now() - interval '7 days';

-- name: invariants
select v.invariant, v.subject, v.detail from erp.check_invariants() v order by 1, 2, 3;

-- name: order_settle
select erp.settle_order(@order_id);

-- name: company_now
select erp.now() as now, co.time_zone from erp.company co;

-- name: today
select erp.today();

-- name: company_zone
select co.time_zone from erp.company co;

-- name: pass_taken_ids
select erp.pass_taken_ids(@table);

-- name: login_role_there
select exists (select from pg_roles r where r.rolname = @role);

-- name: login_role_memberships
-- What a log-in is a member of, beside what it should be.
select format('%I', g.rolname) from pg_auth_members m join pg_roles g on g.oid = m.roleid join pg_roles r
  on r.oid = m.member
where r.rolname = @role and g.rolname <> all (@kept::text[]);

-- name: login_reach
-- What the log-in of this connection may, whatever it becomes. It may inherit
-- nothing, so tables are looked up in the catalogue.
with role as (
  select x.rolname from pg_roles x where pg_has_role(session_user, x.oid, 'member')
),
secret as (
  select n.nspname || '.' || c.relname as name, c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where (n.nspname, c.relname) in (('portal', 'login'), ('erp', 'payment'))
)
select coalesce((select string_agg(r.rolname, ', ' order by r.rolname) from role r
    where r.rolname in ('portal_owner', 'portal_web', 'portal_desk', 'portal_work', 'portal_auth')), '') as roles,
  coalesce((select bool_or(has_column_privilege(r.rolname, s.oid, 'password_hash', 'select')) from role r, secret s
    where s.name = 'portal.login'), false) as reads_hashes,
  coalesce((select bool_or(has_table_privilege(r.rolname, s.oid, 'insert')) from role r, secret s
    where s.name = 'erp.payment'), false) as writes_payments,
  (select r.rolreplication from pg_roles r where r.rolname = session_user) as replicates;
