-- The present snapshot and, under the same one, the events visible in it but not
-- in the previous: those of transactions that were running then, or had not
-- begun. That is the same as "visible now and not visible then", but looks at
-- nothing behind a transaction that has been running for long.
--
-- lost: housekeeping has pruned a transaction that the previous snapshot may not
-- hold, or that snapshot is of a future this database never had (it was restored).
-- The epoch is empty where a crash has emptied its table.
with now as materialized (
  select pg_current_snapshot() as snapshot, f.pruned_xid, p.epoch
  from (values (1)) as one_row left join portal.event_floor f on true left join portal.event_epoch p on true
)
select n.snapshot::text, coalesce(n.epoch, '') as epoch,
  coalesce(n.pruned_xid >= pg_snapshot_xmin($1::text::pg_snapshot), false)
    or pg_snapshot_xmax($1::text::pg_snapshot) > pg_snapshot_xmax(n.snapshot) as lost,
  e.event_id, coalesce(e.xid::text::bigint, 0) as xid, e.kind, coalesce(e.customer_id, 0) as customer_id, e.ref, e.at,
    e.data
from now n
left join portal.event e
  on e.xid >= pg_snapshot_xmax($1::text::pg_snapshot)
  or e.xid = any (array(select pg_snapshot_xip($1::text::pg_snapshot)))
order by e.event_id
limit $2
