-- The duties of staff, held at the tables that they write. A transaction that acts for
-- somebody of the staff (portal.staff_id) writes what portal.duty_rule and
-- portal.duty_of_move allow them; the ERP's programs, jobs and the command line are not
-- asked. Only what a statement or function writes itself counts: what triggers do in
-- consequence (stock that is allocated, an order that is shipped now) is not asked again.

-- One of these duties a statement on the table needs. Of an update, whose columns are
-- looked at row by row, that of any part.
create or replace function portal.duties_for(p_table text, p_operation text) returns text[]
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(distinct r.duty), '{}') from portal.duty_rule r
  where r.table_name = p_table and (r.part = p_operation
    or p_operation = 'update' and r.part not in ('insert', 'delete')
    or r.part = '' and not exists (select from portal.duty_rule x where x.table_name = p_table
      and x.part = p_operation))
$$;

create or replace function portal.duty_of_statement() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  needed constant text[] := portal.duties_for(tg_table_schema || '.' || tg_table_name, lower(tg_op));
begin
  if needed = '{}' then
    raise exception 'No duty writes %.%: this needs a row in portal.duty_rule.', tg_table_schema, tg_table_name
      using errcode = 'PT403', constraint = 'duty_needed';
  end if;
  perform portal.assert_duty(variadic needed);
  return null;
end
$$;

create or replace function portal.duty_of_columns() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  of_table constant text := tg_table_schema || '.' || tg_table_name;
  part record;
begin
  for part in
    select array_agg(distinct r.duty) as duties
    from (
      select coalesce((select x.part from portal.duty_rule x where x.table_name = of_table and x.part = n.key limit 1),
        '') as part
      from jsonb_each(to_jsonb(new)) n
      where n.value is distinct from to_jsonb(old) -> n.key
    ) changed
    join portal.duty_rule r on r.table_name = of_table and r.part = changed.part
    group by changed.part
  loop
    perform portal.assert_duty(variadic part.duties);
  end loop;
  return new;
end
$$;

-- Who keeps the accounts may also approve an order whose credit was released.
create or replace function portal.duty_of_order_move() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  needed text[];
begin
  select coalesce(array_agg(m.duty), '{}') into needed from portal.duty_of_move m
  where m.from_status = old.status and m.to_status = new.status;
  if new.status = 'APPROVED' and new.credit_released_at is not null then
    needed := needed || 'credit'::text;
  end if;
  if needed <> '{}' then -- else it is no legal move, which says so itself
    perform portal.assert_duty(variadic needed);
  end if;
  return new;
end
$$;

-- Writes the triggers of the tables that have rules. Their names put them before the others
-- of a row, so that they see what was written and not what follows from it. What asks whether
-- staff write stands there as an expression: a call of portal.staff_id would be read and put
-- in place anew by every statement, of the ERP as well.
create or replace function portal.write_duty_triggers() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  of_staff constant text := $when$current_setting('portal.staff_id', true) <> ''$when$;
  t record;
begin
  for t in
    select r.table_name, bool_or(r.part not in ('', 'insert', 'delete')) as columns
    from portal.duty_rule r group by r.table_name
  loop
    execute format('create or replace trigger assert_duty before insert or update or delete on %s for each statement
      when (%s and pg_trigger_depth() = 0) execute function portal.duty_of_statement()', t.table_name, of_staff);
    if t.columns then
      execute format('create or replace trigger assert_duty_columns before update on %s for each row
        when (%s and pg_trigger_depth() = 0 and old.* is distinct from new.*)
        execute function portal.duty_of_columns()', t.table_name, of_staff);
    end if;
  end loop;
end
$$;
