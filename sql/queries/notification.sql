-- name: notification_list
-- The log-in's own news and what its whole customer is told, as one list.
select x.id, x.at, x.kind, x.ref, x.data, x.read_at
from (
  (select 'n' || n.notification_id as id, n.created_at as at, n.kind, n.ref, n.data, n.read_at
   from portal.notification n
   where n.login_id = @login_id and n.customer_id = @customer_id
     and (@before_at::timestamptz is null or (n.created_at, 'n' || n.notification_id) < (@before_at, @before_id))
   order by n.created_at desc, 'n' || n.notification_id desc limit @row_limit)
  union all
  (select 'c' || n.notice_id, n.at, '', '', jsonb_build_object('text', n.text, 'link', n.link, 'status', n.kind),
    n.read_at
   from portal.notice n
   where n.customer_id = @customer_id
     and (@before_at::timestamptz is null or (n.at, 'c' || n.notice_id) < (@before_at, @before_id))
   order by n.at desc, 'c' || n.notice_id desc limit @row_limit)
) x
order by x.at desc, x.id desc
limit @row_limit;

-- name: notification_open
with opened as (
  update portal.notification n set read_at = coalesce(n.read_at, erp.now())
  where n.notification_id = @id and n.login_id = @login_id and n.customer_id = @customer_id
  returning n.kind, n.ref, n.data
)
select o.kind, o.ref, o.data from opened o;

-- name: notice_open
with opened as (
  update portal.notice n set read_at = coalesce(n.read_at, erp.now()) where n.notice_id = @id
    and n.customer_id = @customer_id
  returning n.link
)
select o.link from opened o;

-- name: notification_read_all
update portal.notification n set read_at = erp.now() where n.login_id = @login_id and n.customer_id = @customer_id
  and n.read_at is null;

-- name: notice_read_all
update portal.notice n set read_at = erp.now() where n.customer_id = @customer_id and n.read_at is null;

-- name: mail_choices
select k.kind, coalesce(m.by_mail, k.by_mail) as by_mail
from portal.news_kind k
left join portal.mail_choice m on m.login_id = @login_id and m.kind = k.kind
cross join erp.company co
join erp.web_access w on w.customer_id = @customer_id
where portal.may(case k.needs when 'balance' then 'account' else k.needs end)
  and (k.needs <> 'balance' or w.see_balance)
  and (k.kind <> 'cutoff_reminder' or (co.cutoff_reminders and w.can_order))
  and (k.needs <> 'sign_off' or exists (select from portal.sign_off s where s.customer_id = @customer_id)
    or w.many_logins)
order by k.sort;

-- name: mail_choose
insert into portal.mail_choice (login_id, kind, by_mail)
select @login_id, k.kind, k.kind = any (coalesce(@kinds::text[], '{}')) from portal.news_kind k
  where k.kind = any (@offered::text[])
on conflict (login_id, kind) do update set by_mail = excluded.by_mail;

-- name: login_reset_use
delete from portal.password_reset r
where r.token_hash = @token_hash and r.login_id in (select p.login_id from portal.password_reset_of(@token_hash) p)
returning r.login_id;

-- name: login_invitation_gone
-- A password that was set by another link makes the invitation pointless.
delete from portal.invitation v where v.login_id = @login_id;

-- name: login_reset_of
select p.email from portal.password_reset_of(@token_hash) p;

-- name: login_forgot
select portal.ask_password_reset_from(@email, @source);

-- name: notification_unread
select (select count(*) from portal.notification n where n.login_id = @login_id and n.customer_id = @customer_id
  and n.read_at is null)::int
  + (select count(*) from portal.notice n where n.customer_id = @customer_id and n.read_at is null)::int;
