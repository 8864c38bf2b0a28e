-- Takes out the nodes whose backend is gone.
delete from portal.event_node n where not exists (select from pg_stat_activity a where a.pid = n.pid)
