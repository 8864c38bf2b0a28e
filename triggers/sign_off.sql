-- Requests to sign off an order: told to the customer's own people as a notice
-- that says no more than that something waits or was decided. Staff do not hear
-- it: there is no order yet.
create or replace function portal.sign_off_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.emit('notice', c.customer_id, 'approval') from (select distinct n.customer_id from new_rows n
    order by 1) c;
  return null;
end
$$;
create or replace trigger sign_off_inserted after insert on portal.sign_off
  referencing new table as new_rows for each statement execute function portal.sign_off_changed();
create or replace trigger sign_off_updated after update on portal.sign_off
  referencing new table as new_rows for each statement execute function portal.sign_off_changed();
