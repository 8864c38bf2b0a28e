-- The present place in the write-ahead log, as text. At the beginning of a page stands
-- its header (40 bytes at most), which no record ends behind: the stream would never pass
-- a place there while nothing is written, so the page's beginning is taken instead.
select case when at - '0/0' > 0 and (at - '0/0') % block <= 40 then at - (at - '0/0') % block else at end::text
from (select pg_current_wal_insert_lsn() as at, current_setting('wal_block_size')::numeric as block) as now
