-- name: login_add
insert into portal.login (email, customer_id, staff_role, customer_role, name, password_hash)
select @email::citext, c.customer_id, nullif(@staff_role, ''), coalesce(nullif(@customer_role, ''), 'approver'), @name,
  @password_hash
from (select 1) one
left join erp.customer c on c.customer_no = @customer_no
where c.customer_id is not null or @staff_role <> '';

-- name: login_reset
with calm as (select portal.unlock_login(@email))
update portal.login l set password_hash = @password_hash, password_changed_at = erp.now() from calm
  where l.email = @email::citext;

-- name: login_unlock
select portal.unlock_login(l.email::text) from portal.login l where l.email = @email::citext;

-- name: login_list
select p.email, p.belongs_to, p.name, p.state, p.last_login_at
from (
  select l.email::text as email, l.staff_role, c.customer_no,
    case when l.staff_role is not null then 'staff: ' || l.staff_role else c.customer_no || ' ' || c.name || ', ' ||
      l.customer_role end as belongs_to,
    l.name,
    case when l.disabled then 'disabled'
      when exists (select from portal.invitation v where v.login_id = l.login_id) then 'invited'
      when portal.login_locked_until(l.email::text) is not null then
        'locked until ' || to_char(portal.login_locked_until(l.email::text), 'HH24:MI')
      else 'active' end as state,
    l.last_login_at
  from portal.login l left join erp.customer c using (customer_id)
  union all
  select v.email::text, null, c.customer_no, c.customer_no || ' ' || c.name || ', ' || v.customer_role, v.name,
    case when v.disabled then 'disabled' else 'invited' end, null
  from portal.invited_person v join erp.customer c using (customer_id)
) p
where @customer_no = '' or p.customer_no = @customer_no
order by p.staff_role nulls last, p.customer_no, p.email;
