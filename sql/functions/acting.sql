-- Staff look at the portal as a customer (preview, which only reads) or act as
-- one (order). It is a session of its own that hangs on the staff's, one at a
-- time: it ends with that session, when the customer's access ends, when
-- another is begun, and after an hour at the latest. Who sells may; an administrator may
-- look, to see what Web Access shows. No log-in of the customer
-- is used, so no password is seen or changed. Begin and end are in the audit
-- log by a trigger, whatever statement makes or deletes the row.
create or replace function portal.begin_acting(p_session_id bigint, p_customer_no text, p_mode text) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  mine portal.session;
  c record;
  made bigint;
begin
  select s.* into mine from portal.session s join portal.login l using (login_id)
    where s.session_id = p_session_id and s.parent_id is null and l.staff_role is not null
      and exists (select from portal.session_now n where n.session_id = s.session_id and n.stage = 'full')
    for update of s;
  if not found then
    raise exception 'Only staff who are logged in can open the portal of a customer.'
      using errcode = 'PT403', constraint = 'acting_staff_only';
  end if;
  if not exists (select from portal.user_duty u where u.user_id = mine.login_id
    and (u.duty = 'sales' or u.duty = 'administrator' and p_mode = 'preview')) then
    raise exception 'This needs the duty Sales.' using errcode = 'PT403', constraint = 'duty_needed', detail = 'sales';
  end if;
  select x.customer_id, x.customer_no, x.name, x.active, w.enabled into c
    from erp.customer x left join erp.web_access w using (customer_id) where x.customer_no = p_customer_no;
  if not found then
    raise exception 'There is no customer %.', p_customer_no using errcode = 'PT404';
  end if;
  if not (c.active and coalesce(c.enabled, false)) then
    raise exception 'The portal is closed to %: open it in Web Access first.', c.name
      using errcode = 'PT409', constraint = 'portal_closed';
  end if;
  delete from portal.session s where s.parent_id = p_session_id;
  insert into portal.session (login_id, parent_id, acting_for, acting, expires_at, user_agent, source)
  values (mine.login_id, p_session_id, c.customer_id, p_mode, least(mine.expires_at, erp.now() + interval '1 hour'),
    mine.user_agent, mine.source)
  returning session_id into made;
  return made;
end
$$;
grant execute on function portal.begin_acting(bigint, text, text) to portal_work;

-- Whether somebody of the staff acts as a customer now, for its own pages to
-- say so.
create or replace function portal.staff_acting(p_customer_id bigint) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select exists (select from portal.session s
    where s.acting_for = p_customer_id and s.acting = 'order' and s.expires_at > erp.now())
    and portal.assert_customer(p_customer_id)
$$;
grant execute on function portal.staff_acting(bigint) to portal_web, portal_desk, portal_work;
