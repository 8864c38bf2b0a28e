-- The triggers that hold the duties of staff follow the rows of portal.duty_rule: a
-- migration that adds a table adds its rows, and needs to do no more.
create or replace function portal.duty_rule_written() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.write_duty_triggers();
  return null;
end
$$;
create or replace trigger duty_rule_written after insert or update or delete on portal.duty_rule
  for each statement execute function portal.duty_rule_written();

select portal.write_duty_triggers();

create or replace trigger assert_duty_move before update on erp.sales_order for each row
  when (current_setting('portal.staff_id', true) <> '' and pg_trigger_depth() = 0 and old.status <> new.status)
  execute function portal.duty_of_order_move();
