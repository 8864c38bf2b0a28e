-- People of a customer: every change of what a log-in may do is in the audit
-- log with who and when, whatever program made it, and is told to the
-- customer's open pages; and nobody takes the last approver away.
create or replace function portal.person_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
declare
  c record;
begin
  for c in
    select n.login_id, n.customer_id, n.email::text as email,
      (select jsonb_object_agg(f.key, jsonb_build_array(to_jsonb(p) -> f.key, f.value))
       from jsonb_each(to_jsonb(n)) f
       where f.key in ('customer_role', 'spend_limit', 'spend_period', 'sign_off_all', 'disabled', 'name', 'email')
         and to_jsonb(p) -> f.key is distinct from f.value) as changes,
      p.customer_role = 'approver' and not p.disabled and (n.customer_role <> 'approver' or n.disabled or n.customer_id is distinct from p.customer_id) as lost,
      p.customer_id as was_customer_id
    from new_rows n join old_rows p using (login_id)
    where p.customer_id is not null
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
    if c.changes is not null then
      insert into portal.audit (action, customer_id, subject, data)
      values ('person', c.customer_id, c.email, jsonb_build_object('login', c.email) || c.changes);
      perform portal.emit('access', c.customer_id, '');
    end if;
  end loop;
  return null;
end
$$;
create or replace trigger person_changed after update on portal.login
  referencing old table as old_rows new table as new_rows for each statement execute function portal.person_changed();

create or replace function portal.invitation_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
  perform portal.emit('access', c.customer_id, '')
  from (select distinct l.customer_id from changed_rows x join portal.login l using (login_id) where l.customer_id is not null order by 1) c;
  return null;
end
$$;
create or replace trigger invitation_inserted after insert on portal.invitation
  referencing new table as changed_rows for each statement execute function portal.invitation_changed();
create or replace trigger invitation_updated after update on portal.invitation
  referencing new table as changed_rows for each statement execute function portal.invitation_changed();
create or replace trigger invitation_deleted after delete on portal.invitation
  referencing old table as changed_rows for each statement execute function portal.invitation_changed();
