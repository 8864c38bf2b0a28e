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
  (select coalesce(nullif(pg_stat_get_live_tuples(c.oid), 0), greatest(c.reltuples, 0)::bigint) from pg_class c where c.oid = 'portal.event'::regclass) as log_rows,
  pg_total_relation_size('portal.event') as log_bytes,
  coalesce(extract(epoch from clock_timestamp() - (select e.at from portal.event e order by e.at limit 1)), 0)::float8 as log_oldest_seconds,
  pg_notification_queue_usage() as notify_usage,
  coalesce((
    select jsonb_agg(jsonb_build_object('name', s.slot_name, 'active', s.active, 'ours', s.slot_name like 'portal%' and s.database = current_database(),
      'retained_bytes', greatest(coalesce(pg_wal_lsn_diff(w.lsn, s.restart_lsn), 0), 0),
      'lag_bytes', greatest(coalesce(pg_wal_lsn_diff(w.lsn, coalesce(s.confirmed_flush_lsn, s.restart_lsn)), 0), 0)) order by s.slot_name)
    from pg_replication_slots s), '[]') as slots,
  (select count(*)::int from portal.mail m where m.status = 'queued') as mails_queued,
  coalesce((select greatest(extract(epoch from erp.now() - min(m.created_at)), 0) from portal.mail m where m.status = 'queued'), 0)::float8 as mail_oldest_seconds,
  (select count(*)::int from portal.mail m where m.status = 'failed' and m.created_at > erp.now() - interval '1 day') as mails_failed,
  (select r.started_at from portal.proof_run r where r.seconds is not null order by r.run_id desc limit 1) as proof_at,
  (select count(*)::int from portal.proof_difference d where d.resolved_at is null and d.acknowledged_at is null) as proof_open
from wal w;

-- name: ops_transactions
-- Of the sessions that the log-in may see. Without pg_read_all_stats those are
-- its own; prepared transactions everybody sees.
select pg_has_role('pg_read_all_stats', 'usage') as sees_all,
  greatest(
    (select max(extract(epoch from clock_timestamp() - a.xact_start)) from pg_stat_activity a
      where a.datname = current_database() and a.pid <> pg_backend_pid() and a.backend_type in ('client backend', 'background worker')),
    (select max(extract(epoch from clock_timestamp() - p.prepared)) from pg_prepared_xacts p where p.database = current_database()),
    0)::float8 as seconds;
