-- Factors that come and go are in the audit log, and told to their owner by mail,
-- whichever program changed them. Never a secret.
create or replace function portal.factor_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  f record;
begin
  for f in
    select r.login_id, l.customer_id, l.email::text as email, array_agg(r.kind || ' ' || r.name order by r.factor_id)
      as names
    from changed_rows r join portal.login l using (login_id)
    group by r.login_id, l.customer_id, l.email order by r.login_id
  loop
    insert into portal.audit (action, customer_id, subject, data)
    values ('factor', f.customer_id, f.email, jsonb_build_object('factor', case tg_op
      when 'INSERT' then jsonb_build_array(null, f.names) else jsonb_build_array(f.names, null) end));
    perform portal.mail_security(array[f.login_id], 'factor_changed', jsonb_build_object('text',
      (select string_agg(case r.kind when 'app' then 'The authenticator app' else 'The passkey'
        end || ' “' || r.name || '” was '
        || case tg_op when 'INSERT' then 'added.' else 'removed.' end, ' ' order by r.factor_id)
       from changed_rows r where r.login_id = f.login_id)));
  end loop;
  return null;
end
$$;
create or replace trigger factor_added after insert on portal.factor
  referencing new table as changed_rows for each statement execute function portal.factor_changed();
create or replace trigger factor_removed after delete on portal.factor
  referencing old table as changed_rows for each statement execute function portal.factor_changed();
