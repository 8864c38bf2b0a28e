-- People of a customer: every change of what a log-in may do is in the audit
-- log with who and when, whatever program made it, and is told to the
-- customer's open pages; and nobody takes the last approver away.
create or replace function portal.person_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  c record;
begin
  for c in
    select n.login_id, n.customer_id, n.email::text as email,
      (select jsonb_object_agg(f.key, jsonb_build_array(to_jsonb(p) -> f.key, f.value))
       from jsonb_each(to_jsonb(n)) f
       where f.key in ('customer_role', 'spend_limit', 'spend_period', 'sign_off_all', 'disabled', 'name', 'email',
         'customer_id', 'staff_role')
         and to_jsonb(p) -> f.key is distinct from f.value) as changes,
      -- that it is another, never its hash; one that was only hashed again is none
      case when n.password_hash <> p.password_hash and n.hash_raised_at is not distinct from p.hash_raised_at
        then '{"password": ["before", "changed"]}'::jsonb end as password,
      p.customer_role = 'approver' and not p.disabled and (n.customer_role <> 'approver' or n.disabled
        or n.customer_id is distinct from p.customer_id) as lost,
      p.customer_id as was_customer_id
    from new_rows n join old_rows p using (login_id)
    where p.customer_id is not null or n.customer_id is not null
    order by n.customer_id, n.login_id
  loop
    if c.lost then
      -- one after the other, so that two cannot take each other away
      perform from erp.customer x where x.customer_id = c.was_customer_id for no key update;
      if not exists (
          select from portal.login l
          where l.customer_id = c.was_customer_id and l.customer_role = 'approver' and not l.disabled
            and not exists (select from portal.invitation v where v.login_id = l.login_id))
        -- staff may close the only log-in there is
        and (portal.customer_id() is not null or exists (
          select from portal.login l where l.customer_id = c.was_customer_id and not l.disabled)) then
        raise exception 'Somebody has to be left who signs off: make another log-in an approver first.'
          using errcode = 'PT409', constraint = 'login_last_approver', column = 'customer_role';
      end if;
    end if;
    if c.changes is not null or c.password is not null then
      insert into portal.audit (action, customer_id, subject, data)
      values ('person', c.customer_id, c.email, jsonb_build_object('login', c.email) || coalesce(c.changes, '{}') ||
        coalesce(c.password, '{}'));
    end if;
    if c.changes is not null then
      perform portal.emit('access', c.customer_id, '');
    end if;
  end loop;
  return null;
end
$$;
-- Log-ins that come and go, and those of staff.
create or replace function portal.login_audited() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  -- never a hash; failures and locks are no change of the person
  left_out constant text[] := array['password_hash', 'failed_count', 'failed_since', 'locked_until', 'last_login_at',
    'created_at', 'password_changed_at',
    'hash_raised_at'];
begin
  if tg_op = 'INSERT' then
    if (select count(*) from (select from new_rows limit 26) few) > 25 then
      insert into portal.audit (action, data) select 'login',
        jsonb_build_object('rows', jsonb_build_array(null, count(*))) from new_rows;
      return null;
    end if;
    insert into portal.audit (action, customer_id, subject, data)
    select 'login', n.customer_id, n.email::text, (
      select jsonb_object_agg(f.key, jsonb_build_array(null, f.value)) from jsonb_each(to_jsonb(n)) f
      where f.value <> 'null' and not f.key = any (left_out))
    from new_rows n order by n.login_id;
  elsif tg_op = 'DELETE' then
    insert into portal.audit (action, customer_id, subject, data)
    select 'login', p.customer_id, p.email::text, (
      select jsonb_object_agg(f.key, jsonb_build_array(f.value, null)) from jsonb_each(to_jsonb(p)) f
      where f.value <> 'null' and not f.key = any (left_out))
    from old_rows p order by p.login_id;
  else
    insert into portal.audit (action, subject, data)
    select 'login', n.email::text, coalesce((
      select jsonb_object_agg(f.key, jsonb_build_array(to_jsonb(p) -> f.key, f.value)) from jsonb_each(to_jsonb(n)) f
      where to_jsonb(p) -> f.key is distinct from f.value and not f.key = any (left_out)), '{}')
      || case when x.another then '{"password": ["before", "changed"]}' else '{}' end::jsonb
    from new_rows n join old_rows p using (login_id)
    cross join lateral (
      select n.password_hash <> p.password_hash and n.hash_raised_at is not distinct from p.hash_raised_at as another) x
    where n.customer_id is null and p.customer_id is null
      and (x.another or to_jsonb(n) - left_out <> to_jsonb(p) - left_out)
    order by n.login_id;
  end if;
  return null;
end
$$;
create or replace trigger login_insert_audited after insert on portal.login
  referencing new table as new_rows for each statement execute function portal.login_audited();
create or replace trigger login_update_audited after update on portal.login
  referencing old table as old_rows new table as new_rows for each statement execute function portal.login_audited();
create or replace trigger login_delete_audited after delete on portal.login
  referencing old table as old_rows for each statement execute function portal.login_audited();

create or replace trigger person_changed after update on portal.login
  referencing old table as old_rows new table as new_rows for each statement execute function portal.person_changed();

create or replace function portal.invitation_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.emit('access', c.customer_id, '')
  from (select distinct l.customer_id from changed_rows x join portal.login l using (login_id)
    where l.customer_id is not null order by 1) c;
  return null;
end
$$;
create or replace trigger invitation_inserted after insert on portal.invitation
  referencing new table as changed_rows for each statement execute function portal.invitation_changed();
create or replace trigger invitation_updated after update on portal.invitation
  referencing new table as changed_rows for each statement execute function portal.invitation_changed();
create or replace trigger invitation_deleted after delete on portal.invitation
  referencing old table as changed_rows for each statement execute function portal.invitation_changed();
