-- Who empties the log by hand makes a gap for everybody who has not read it to
-- the end. The floor says so, as it does when housekeeping prunes.
create or replace function portal.event_truncated() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
  -- the lock lets no other transaction with events be under way
  update portal.event_floor f set pruned_xid = greatest(f.pruned_xid, pg_current_xact_id(),
    (select e.xid from portal.event e order by e.xid desc limit 1));
  return null;
end
$$;

create or replace trigger event_truncated before truncate on portal.event
  for each statement execute function portal.event_truncated();
