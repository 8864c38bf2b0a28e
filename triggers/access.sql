-- Web Access: every customer has a row; each change is in the audit log with
-- who and when, whatever program made it, is told to the customer's open
-- pages, and ends its sessions when the portal is closed to it.
create or replace function portal.customer_inserted() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into erp.web_access (customer_id) select n.customer_id from new_rows n on conflict do nothing;
  return null;
end
$$;
create or replace trigger customer_inserted after insert on erp.customer
  referencing new table as new_rows for each statement execute function portal.customer_inserted();

-- All who look at the portal as this customer: its own log-ins, and staff.
create or replace function portal.end_sessions(p_customer_id bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  delete from portal.session s
  where s.acting_for = p_customer_id
     or s.login_id in (select l.login_id from portal.login l where l.customer_id = p_customer_id);
end
$$;

create or replace function portal.web_access_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  c record;
begin
  for c in
    select n.customer_id, n.enabled,
      (select jsonb_object_agg(f.key, jsonb_build_array(to_jsonb(p) -> f.key, f.value))
       from jsonb_each(to_jsonb(n)) f where to_jsonb(p) -> f.key is distinct from f.value) as changes
    from new_rows n join old_rows p using (customer_id)
    where n is distinct from p
    order by n.customer_id
  loop
    insert into portal.audit (action, customer_id, subject, data) values ('web_access', c.customer_id, 'Web Access',
      c.changes);
    perform portal.emit('access', c.customer_id, '');
    if not c.enabled then
      perform portal.end_sessions(c.customer_id);
    end if;
  end loop;
  return null;
end
$$;
create or replace trigger web_access_updated after update on erp.web_access
  referencing old table as old_rows new table as new_rows
    for each statement execute function portal.web_access_changed();

create or replace function portal.web_access_inserted() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  c record;
begin
  -- new customers come with defaults and nobody listening; only a row of a
  -- customer that has log-ins is news
  for c in select n.customer_id, to_jsonb(n) - 'customer_id' as set from new_rows n
    where exists (select from portal.login l where l.customer_id = n.customer_id) order by 1
  loop
    insert into portal.audit (action, customer_id, subject, data)
    select 'web_access', c.customer_id, 'Web Access', jsonb_object_agg(f.key, jsonb_build_array(null, f.value))
      from jsonb_each(c.set) f;
    perform portal.emit('access', c.customer_id, '');
  end loop;
  return null;
end
$$;
create or replace trigger web_access_inserted after insert on erp.web_access
  referencing new table as new_rows for each statement execute function portal.web_access_inserted();

-- Without a row the portal is closed.
create or replace function portal.web_access_deleted() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  c record;
begin
  for c in select p.customer_id, to_jsonb(p) - 'customer_id' as was from old_rows p
    where exists (select from portal.login l where l.customer_id = p.customer_id) order by 1
  loop
    insert into portal.audit (action, customer_id, subject, data)
    select 'web_access', c.customer_id, 'Web Access', jsonb_object_agg(f.key, jsonb_build_array(f.value, null))
      from jsonb_each(c.was) f;
    perform portal.emit('access', c.customer_id, '');
    perform portal.end_sessions(c.customer_id);
  end loop;
  return null;
end
$$;
create or replace trigger web_access_deleted after delete on erp.web_access
  referencing old table as old_rows for each statement execute function portal.web_access_deleted();

create or replace function portal.customer_updated() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  c record;
begin
  for c in
    select n.customer_id, n.active, n.price_level is distinct from p.price_level as repriced
    from new_rows n join old_rows p using (customer_id)
    where n is distinct from p
    order by n.customer_id
  loop
    perform portal.emit('access', c.customer_id, '');
    if c.repriced then
      perform portal.emit('catalog', c.customer_id, '');
    end if;
    if not c.active then
      perform portal.end_sessions(c.customer_id);
    end if;
  end loop;
  return null;
end
$$;
create or replace trigger customer_updated after update on erp.customer
  referencing old table as old_rows new table as new_rows for each statement execute function portal.customer_updated();
