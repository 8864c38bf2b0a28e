-- Sets switches of a customer's Web Access. p_values is a JSON object: the switch's column, and
-- what it shall be; a limit that is null is none. What it does not name stays as it is. False:
-- there is no such customer, or it has no row.
--
-- The columns are those of erp.web_access_switch, so a new switch is saved without a change here.
create or replace function erp.set_web_access(p_customer_no text, p_values jsonb) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  unknown text;
  columns text;
  changed int;
begin
  select k.key into unknown from jsonb_object_keys(p_values) as k(key)
    where not exists (select from erp.web_access_switch s where s.column_name = k.key) order by 1 limit 1;
  if found then
    raise exception 'Web Access has no switch %.', unknown using errcode = 'PT422', column = unknown;
  end if;
  select string_agg(format('%I', s.column_name), ', ') into columns from erp.web_access_switch s;
  execute format('update erp.web_access w set (%1$s) = (select %1$s from jsonb_populate_record(w, $1))
    from erp.customer c where c.customer_id = w.customer_id and c.customer_no = $2', columns)
    using p_values, p_customer_no;
  get diagnostics changed = row_count;
  return changed > 0;
end
$$;
grant execute on function erp.set_web_access(text, jsonb) to portal_desk;
