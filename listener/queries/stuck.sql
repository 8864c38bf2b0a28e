-- Listeners of ours, other than node $1, that have not been seen for $2.
select n.pid, n.name
from portal.event_node n
where n.node_id <> $1 and n.seen_at < clock_timestamp() - $2::interval
