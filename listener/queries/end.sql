-- Ends the listener of process $1, if one of ours has it still.
select pg_terminate_backend(a.pid) from pg_stat_activity a where a.pid = $1
  and a.application_name like 'portal listener%'
