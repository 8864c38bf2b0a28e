-- Who empties the log by hand makes a gap for everybody who has not read it to
-- the end: a new epoch says so, once, to each position from before. The floor of
-- housekeeping would say it again and again while an older transaction is open.
create or replace function portal.event_truncated() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
  if to_regclass('portal.event_epoch') is not null then
    update portal.event_epoch set epoch = substr(md5(gen_random_uuid()::text), 1, 8);
  else
    update portal.event_floor f set pruned_xid = greatest(f.pruned_xid, pg_current_xact_id(),
      (select e.xid from portal.event e order by e.xid desc limit 1));
  end if;
  return null;
end
$$;

create or replace trigger event_truncated before truncate on portal.event
  for each statement execute function portal.event_truncated();
