-- A node hears the log over this connection. $1 its name, $2 how it hears,
-- $3 whether it wants to be notified.
insert into portal.event_node (name, source, pid, wants_notify)
values ($1, $2, pg_backend_pid(), $3)
returning node_id
