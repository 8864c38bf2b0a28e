-- The functions of sql/functions/order_status.sql follow the rows of erp.order_status: a
-- migration that adds a status, or changes what one means, needs to do no more.
create or replace function erp.order_status_written() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform erp.write_order_status();
  return null;
end
$$;
create or replace trigger order_status_written
  after insert or update or delete on erp.order_status
  for each statement execute function erp.order_status_written();
