-- name: ops_figures
-- What operators watch. Catalogues and two short indexes are read, no table:
-- it costs a millisecond, however much there is. Rows are PostgreSQL's own
-- estimate.
with wal as (
  select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end as lsn
)
select clock_timestamp() as at,
  pg_database_size(current_database()) as bytes,
  (select coalesce(sum(d.numbackends), 0)::int from pg_stat_database d) as connections,
  current_setting('max_connections')::int as max_connections,
  (select coalesce(nullif(pg_stat_get_live_tuples(c.oid), 0), greatest(c.reltuples, 0)::bigint) from pg_class c
    where c.oid = 'portal.event'::regclass) as log_rows,
  pg_total_relation_size('portal.event') as log_bytes,
  coalesce(extract(epoch from clock_timestamp() - (select e.at from portal.event e order by e.at limit 1)), 0)::float8
    as log_oldest_seconds,
  pg_notification_queue_usage() as notify_usage,
  coalesce((
    select jsonb_agg(jsonb_build_object('name', s.slot_name, 'active', s.active, 'ours', s.slot_name like 'portal%'
      and s.database = current_database(),
      'retained_bytes', greatest(coalesce(pg_wal_lsn_diff(w.lsn, s.restart_lsn), 0), 0),
      'lag_bytes', greatest(coalesce(pg_wal_lsn_diff(w.lsn, coalesce(s.confirmed_flush_lsn, s.restart_lsn)), 0), 0))
        order by s.slot_name)
    from pg_replication_slots s), '[]') as slots,
  (select count(*)::int from portal.mail m where m.status = 'queued') as mails_queued,
  coalesce((select greatest(extract(epoch from erp.now() - min(m.created_at)), 0) from portal.mail m
    where m.status = 'queued'), 0)::float8 as mail_oldest_seconds,
  (select count(*)::int from portal.mail m where m.status = 'failed' and m.created_at > erp.now() - interval '1 day')
    as mails_failed,
  (select count(*)::int from portal.statement s where s.status = 'FAILED') as statements_failed,
  (select r.started_at from portal.proof_run r where r.seconds is not null order by r.run_id desc limit 1) as proof_at,
  (select count(*)::int from portal.proof_difference d where d.resolved_at is null and d.acknowledged_at is null)
    as proof_open
from wal w;

-- name: ops_transactions
-- Of the sessions that the log-in may see. Without pg_read_all_stats those are
-- its own; prepared transactions everybody sees. Those that write hold up
-- pruning from any database of the server.
select pg_has_role('pg_read_all_stats', 'usage') as sees_all,
  greatest(
    (select max(extract(epoch from clock_timestamp() - a.xact_start)) from pg_stat_activity a
      where (a.datname = current_database() or a.backend_xid is not null) and a.pid <> pg_backend_pid()
        and a.backend_type in ('client backend', 'background worker')),
    (select max(extract(epoch from clock_timestamp() - p.prepared)) from pg_prepared_xacts p),
    0)::float8 as seconds;

-- name: examine_log
select coalesce(nullif(pg_stat_get_live_tuples('portal.event'::regclass), 0),
  (select count(*) from (select from portal.event limit 1000) few)) as rows,
  pg_total_relation_size('portal.event') as bytes,
  coalesce(extract(epoch from clock_timestamp() - (select e.at from portal.event e order by e.at limit 1)), 0)::float8
    as oldest_seconds,
  pg_notification_queue_usage() as usage;

-- name: examine_housekeeping
select extract(epoch from clock_timestamp() - max(j.finalized_at))::float8
from river.river_job j where j.kind = 'housekeeping' and j.state = 'completed';

-- name: examine_listeners
-- Ours, and which of them hang: at one statement or in one transaction for too
-- long, or writing to a client that does not read.
select a.pid,
  a.state_change < clock_timestamp() - @stuck::interval and (a.state <> 'idle' or a.wait_event = 'ClientWrite') as stuck
from pg_stat_activity a
where a.datname = current_database() and a.application_name like 'portal listener%'
  and coalesce(a.backend_type, '') <> 'walsender';

-- name: examine_server
select current_setting('wal_level') as wal_level,
  current_setting('max_replication_slots')::int - (select count(*)::int from pg_replication_slots) as free_slots,
  current_setting('max_wal_senders')::int - (select count(*)::int from pg_stat_replication) as free_senders,
  (select r.rolreplication or r.rolsuper from pg_roles r where r.rolname = session_user) as may_replicate,
  current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as max_connections,
  (select coalesce(sum(d.numbackends), 0)::int from pg_stat_database d) as connections,
  (select count(*)::int from pg_stat_activity a where a.application_name in ('portal', 'portal listener')
    or a.pid = pg_backend_pid()) as ours,
  (select r.rolconnlimit from pg_roles r where r.rolname = session_user) as login_limit;

-- name: examine_slots
select s.slot_name as name, coalesce(s.database, '') as database,
  greatest(coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn), 0), 0)::bigint as retained_bytes
from pg_replication_slots s where not s.active order by retained_bytes desc;

-- name: examine_transactions
select a.pid::text as who, coalesce(nullif(a.application_name, ''), a.usename::text, '?') as program,
  extract(epoch from clock_timestamp() - a.xact_start)::float8 as seconds
from pg_stat_activity a
where (a.datname = current_database() or a.backend_xid is not null) and a.pid <> pg_backend_pid()
  and a.backend_type in ('client backend', 'background worker') and a.xact_start < clock_timestamp() - @long::interval
union all
select p.gid, 'prepared transaction', extract(epoch from clock_timestamp() - p.prepared)::float8
from pg_prepared_xacts p where p.prepared < clock_timestamp() - @long::interval
order by seconds desc limit 3;

-- name: examine_version
select current_setting('server_version_num')::int, current_setting('server_version'), pg_is_in_recovery();

-- name: examine_migrated
select to_regclass('portal.migration') is not null and to_regclass('portal.installed') is not null;

-- name: examine_role
select coalesce((select pg_has_role(current_user, x.oid, 'member') from pg_roles x where x.rolname = @role), false);

-- name: examine_misled
-- In whatever schema. Where pg_temp is not named it is looked through first.
select p.oid::regprocedure::text from pg_proc p join pg_roles o on o.oid = p.proowner
where p.prosecdef and o.rolname = 'portal_owner'
  and not exists (select from unnest(p.proconfig) c where c ~ '^search_path=.*, ?"?pg_temp"?$')
order by 1;

-- name: examine_codes
-- Whether active items may share codes, and how many do.
select c.duplicate_codes = 'allow',
  (select count(*)::int from (select from erp.code_wanted w group by w.kind, w.code having count(*) > 1) x)
from erp.company c;

-- name: examine_invariants
select v.invariant, count(*)::int from erp.check_invariants() v group by 1 order by 1;

-- name: examine_jobs
select to_regclass('river.river_job') is not null;
