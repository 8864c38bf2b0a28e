-- name: acting_begin
select portal.begin_acting(@session_id, @customer_no, @acting);

-- name: acting_for
-- Whose portal staff see in this session of theirs. All but the log-in is the
-- customer's; it lives while the customer may use the portal.
select a.session_id, a.login_id, c.customer_id, c.customer_no, c.name as customer_name, l.email::text as email, 'buyer'
  as role,
  a.created_at, a.seen_at, n.ends_at as expires_at, n.lasts_until, n.stage, a.user_agent, a.source, a.login_kind, false
    as idle, '{}'::text[] as duties, a.acting
from portal.session_now n
join portal.session a using (session_id)
join portal.login l on l.login_id = a.login_id
join erp.customer c on c.customer_id = a.acting_for
join erp.web_access w on w.customer_id = a.acting_for
where n.parent_id = @session_id and n.stage = 'full' and c.active and w.enabled;

-- name: acting_end
with ended as (
  delete from portal.session s where s.parent_id = @session_id returning s.acting_for
)
select coalesce((select c.customer_no from ended e join erp.customer c on c.customer_id = e.acting_for), '');
