-- The present snapshot and the epoch of the log, which is made sure of.
select pg_current_snapshot()::text, portal.begin_epoch()
