-- Notifies the channel $1, says that node $2 is there, and reads how full NOTIFY's
-- queue is, of 1.
with seen as (
  update portal.event_node n set seen_at = clock_timestamp() where n.node_id = $2
)
select pg_notification_queue_usage() from (select pg_notify($1, '')) as ping
