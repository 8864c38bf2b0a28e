-- Who empties the log by hand makes a gap for everybody who has not read it to
-- the end: a new epoch says so, once, to each position from before. The floor of
-- housekeeping would say it again and again while an older transaction is open.
create or replace function portal.event_truncated() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update portal.event_epoch set epoch = default;
  return null;
end
$$;

create or replace trigger event_truncated before truncate on portal.event
  for each statement execute function portal.event_truncated();
