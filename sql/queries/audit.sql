-- name: act_record
select portal.record_act(@session_id, @kind, @customer_no, @subject, @data::jsonb, @source);

-- name: login_failures_tell
select portal.tell_login_failures();

-- name: audit_forget
select portal.forget_audit(@batch);

-- name: audit_codes
-- The kinds of a group or a noun.
select array_agg(k.code order by k.code) from portal.act_kind k
where (@act_group = '' or k.act_group = @act_group) and (@noun = '' or k.noun = @noun);

-- name: audit_page
select a.audit_id as id, a.at, a.actor, a.program, a.action, a.subject, a.data, coalesce(k.act_group, '') as "group",
  coalesce(k.label, replace(a.action, '_', ' ')) as label, coalesce(k.noun, '') as noun, coalesce(c.customer_no, '')
    as customer_no,
  coalesce(a.source, '') as source, coalesce(a.db_login, '') as db_login
from portal.audit_page(@customer_id, @person, @subject, @codes, @from, @to, @before_at, @before_id, @row_limit) a
left join portal.act_kind k on k.code = a.action
left join erp.customer c on c.customer_id = a.customer_id
order by a.at desc, a.audit_id desc;

-- name: audit_begins
-- From when on the log is whole, and what the switches are called.
select nullif(portal.audit_begins(), '-infinity'),
  (select coalesce(jsonb_object_agg(s.column_name, coalesce(s.log_label, s.label)), '{}') from erp.web_access_switch s);

-- name: audit_days
-- Where days begin and end, in the company's zone.
select @from::date::timestamp at time zone co.time_zone, (@to::date + 1)::timestamp at time zone co.time_zone
  from erp.company co;
