-- $2: whether triggers are to notify the node $1.
update portal.event_node n set wants_notify = $2, seen_at = clock_timestamp() where n.node_id = $1
