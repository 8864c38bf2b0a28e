-- name: event_since
-- What is visible now and was not at the cursor: from a transaction that was
-- running then, or that had not begun. lost says that some of it cannot be
-- read: housekeeping has pruned a transaction that the cursor does not hold, or
-- the cursor is not of this database's past, or of another epoch. In one
-- statement, so that nothing is pruned between the question and the reading.
-- Of the whole log, or what one session hears; at most so many, null for all.
with now as materialized (
  select pg_current_snapshot() as snapshot,
    f.pruned_xid >= pg_snapshot_xmin(@cursor::pg_snapshot)
      or pg_snapshot_xmax(@cursor::pg_snapshot) > pg_snapshot_xmax(pg_current_snapshot())
      or p.epoch is null or (@epoch <> '' and @epoch <> p.epoch) as lost,
    p.epoch
  from portal.event_floor f left join portal.event_epoch p on true
)
select n.snapshot::text || '@' || coalesce(n.epoch, '') as cursor, n.lost, e.event_id, coalesce(e.xid::text::bigint, 0)
  as xid, e.kind,
  coalesce(e.customer_id, 0) as customer_id, e.ref, e.at, e.data
from now n
left join portal.event e on (
    e.xid >= pg_snapshot_xmax(@cursor::pg_snapshot)
    or e.xid = any (array(select pg_snapshot_xip(@cursor::pg_snapshot))))
  and (@whole or e.kind not in ('session', 'ping')
    and (@staff or e.customer_id is null or e.customer_id = @customer_id)
    and (not @staff or e.kind not in ('cart', 'favorite', 'notice'))
    and (e.kind <> 'item' or e.ref = any (@items)))
order by e.event_id
limit @most;

-- name: event_visible
select i.item_no from erp.item i
where i.item_no = any (@items)
  and (@staff or i.item_id in (select portal.in_catalogue(@customer_id, array[i.item_id])));

-- name: event_now
select pg_current_snapshot()::text || '@' || portal.begin_epoch();
