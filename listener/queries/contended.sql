-- Whether commits wait to notify, more than now and then one for another: for the
-- lock on the database of oid 0, which commits that notify hold
-- (src/backend/commands/async.c, PreCommit_Notify).
select count(*) >= 2
from pg_locks
where locktype = 'object' and database = 0 and classid = 'pg_database'::regclass and objid = 0 and not granted
