-- Programs may insert rows with ids of their own. The counter behind the column
-- does not hear of it, and would give the same id again: this moves it behind the
-- highest that is there. Only ever forwards. p_table is named with its schema.
create or replace function erp.pass_taken_ids(p_table text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  id record;
  highest bigint;
  counter bigint;
begin
  for id in
    select a.attname, pg_get_serial_sequence(p_table, a.attname) as seq
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    where a.attrelid = to_regclass(p_table) and a.attidentity <> '' and n.nspname in ('erp', 'portal')
  loop
    execute format('select max(%I) from %s', id.attname, to_regclass(p_table)) into highest;
    execute format('select last_value from %s', id.seq) into counter;
    if highest > counter then
      perform setval(id.seq::regclass, highest);
    end if;
  end loop;
end
$$;
grant execute on function erp.pass_taken_ids(text) to portal_web, portal_desk, portal_work;
