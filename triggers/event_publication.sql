-- What the source `wal` streams: inserts into the event log and nothing else. It
-- costs nothing while nobody streams, and may stand under any wal_level.
do $$
begin
  if not exists (select from pg_publication where pubname = 'portal_event') then
    create publication portal_event for table only portal.event with (publish = 'insert');
  end if;
end
$$;
