-- Notices: a new one, and one that was put away, show at once on every open
-- page of the customer. The event has no text; pages read it under their own
-- rights.
create or replace function portal.notice_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.emit('notice', c.customer_id, 'message') from (select distinct n.customer_id from new_rows n
    order by 1) c;
  return null;
end
$$;
create or replace trigger notice_inserted after insert on portal.notice
  referencing new table as new_rows for each statement execute function portal.notice_changed();
create or replace trigger notice_updated after update on portal.notice
  referencing new table as new_rows for each statement execute function portal.notice_changed();
