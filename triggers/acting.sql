-- Staff who look at the portal as a customer or act as one: the begin, the end
-- and each order stand in the audit log, and where staff act (not where they
-- only look) the customer's open pages are told.
create or replace function portal.acting_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  s record;
begin
  for s in
    select n.session_id, n.acting_for as customer_id, n.acting, n.source,
      coalesce(l.email::text, 'login ' || n.login_id) as staff, c.customer_no
    from changed_rows n
    join erp.customer c on c.customer_id = n.acting_for
    left join portal.login l on l.login_id = n.login_id
    where n.acting is not null
    order by n.session_id
  loop
    insert into portal.audit (actor, action, customer_id, subject, data, source)
    values (s.staff, case s.acting when 'order' then 'acting' else 'preview' end || case tg_op when 'INSERT'
      then '_begin' else '_end' end,
      s.customer_id, s.customer_no, jsonb_build_object('session', s.session_id), nullif(s.source, ''));
    if s.acting = 'order' then
      perform portal.emit('notice', s.customer_id, 'acting');
    end if;
  end loop;
  return null;
end
$$;
create or replace trigger session_acting_begun after insert on portal.session
  referencing new table as changed_rows for each statement execute function portal.acting_changed();
create or replace trigger session_acting_ended after delete on portal.session
  referencing old table as changed_rows for each statement execute function portal.acting_changed();

create or replace function portal.order_entered() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into portal.audit (actor, action, customer_id, subject)
  select n.entered_by, 'acting_order', n.customer_id, n.order_no
  from new_rows n where n.entered_by is not null order by n.order_id;
  return null;
end
$$;
create or replace trigger sales_order_entered after insert on erp.sales_order
  referencing new table as new_rows for each statement execute function portal.order_entered();
