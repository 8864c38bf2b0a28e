-- name: event_cursor_state
-- Whether the gap behind a cursor can be replayed: nothing of it pruned, and
-- the cursor of this database's past, not of a future it never had.
select
  f.pruned_xid >= pg_snapshot_xmin(@cursor::pg_snapshot)
    and not pg_visible_in_snapshot(f.pruned_xid, @cursor::pg_snapshot) as pruned,
  pg_snapshot_xmax(@cursor::pg_snapshot) > pg_snapshot_xmax(pg_current_snapshot()) as foreign_cursor
from portal.event_floor f;

-- name: event_since
-- What is visible now and was not at the cursor: from a transaction that was
-- running then, or that had not begun.
with now as materialized (select pg_current_snapshot() as snapshot)
select n.snapshot::text as cursor, e.event_id, e.kind, coalesce(e.customer_id, 0) as customer_id, e.ref, e.at, e.data
from now n
left join portal.event e on (
    e.xid >= pg_snapshot_xmax(@cursor::pg_snapshot)
    or e.xid = any (array(select pg_snapshot_xip(@cursor::pg_snapshot))))
  and e.kind not in ('session', 'ping')
  and (@staff or e.customer_id is null or e.customer_id = @customer_id)
  and (not @staff or e.kind not in ('cart', 'favorite', 'notice'))
  and (e.kind <> 'item' or e.ref = any (@items))
order by e.event_id;

-- name: event_visible
select i.item_no from erp.item i
where i.item_no = any (@items)
  and (@staff or i.item_id in (select portal.in_catalogue(@customer_id, array[i.item_id])));
