-- name: mail_claim
-- The mail, locked until the transaction ends. What its reader may not see (any
-- more) is not to be sent.
select m.mail_id, m.message_id::text as message_id, m.kind, m.recipient, m.ref, m.data, m.secret, m.status, m.login_id,
  coalesce(l.name, v.name, '') as name, coalesce(c.name, '') as customer, coalesce(w.see_prices, false) as see_prices,
  m.customer_id, m.document_id, co.time_zone, co.currency,
  v.login_id is not null and exists (select from portal.login x where x.email = v.email) as has_login,
  case
    when l.login_id is null and v.login_id is null then 'its log-in is gone'
    when l.disabled or v.disabled then 'the log-in is closed'
    when l.staff_role is null and not (c.active and w.enabled) then 'the customer''s access is closed'
    when m.kind in ('invitation', 'password_reset') and m.secret = '' then 'its link has ended'
    when k.needs = 'balance' and not w.see_balance then 'the customer does not see its balance'
    when k.needs in ('balance', 'account') and not portal.login_may(l.login_id, l.customer_id, 'account')
      then 'the log-in does not see the account'
    else ''
  end as forbidden
from portal.mail m
cross join erp.company co
left join portal.login l on l.login_id = m.login_id and l.customer_id is not distinct from m.customer_id
left join portal.invited_person v on m.kind = 'invitation' and m.login_id is null and v.customer_id = m.customer_id
  and v.email = m.recipient::citext
left join erp.customer c on c.customer_id = m.customer_id
left join erp.web_access w on w.customer_id = m.customer_id
left join portal.news_kind k on k.kind = m.kind
where m.mail_id = @mail_id
for update of m skip locked;

-- name: mail_there
select exists (select from portal.mail m where m.mail_id = @mail_id);

-- name: mail_document
select d.name, d.media_type, d.data from portal.document d where d.document_id = @document_id
  and d.customer_id = @customer_id;

-- name: mail_order
-- An order, or of one shipment of it what is in it, or what was changed in one
-- transaction.
select o.order_no, coalesce(o.po_no, '') as po_no, o.submitted_at, coalesce(o.delivery_date::text, '') as delivery_date,
  coalesce(concat_ws(', ', nullif(t.name, ''), nullif(t.city, '')), '') as ship_to,
  case when @see_prices and @shipment_id::bigint = 0 and @change_id::bigint = 0 then o.total end as total,
  coalesce((select replace(r.tracking_url, '{tracking_no}', @tracking_no)
    from erp.carrier r where @tracking_no <> '' and lower(btrim(@carrier::text)) in (lower(r.code), lower(r.name))
    order by lower(r.code) = lower(btrim(@carrier)) desc, r.code limit 1), '') as tracking_url,
  exists (select from erp.sales_order_line x where x.order_id = o.order_id and x.qty_allocated + x.qty_backordered > 0)
    as open,
  l.count, l.lines
from erp.sales_order o
left join erp.ship_to t using (ship_to_id)
cross join lateral (
  select count(*)::int as count,
    coalesce(jsonb_agg(jsonb_build_object('item_no', x.item_no, 'description', x.description, 'uom', x.uom,
      'qty', x.qty, 'was', x.was, 'note', x.note, 'total', x.total) order by x.line_no) filter (where x.n <= 40), '[]')
        as lines
  from (
    select l.line_no, i.item_no, i.description, l.uom,
      case when @shipment_id::bigint <> 0 then s.qty when @change_id::bigint <> 0 then c.to_qty
        else l.qty - l.qty_cancelled end as qty,
      c.from_qty as was, coalesce(c.reason, '') as note,
      case when @see_prices and @shipment_id = 0 and @change_id = 0 then l.line_total end as total,
      row_number() over (order by l.line_no) as n
    from erp.sales_order_line l
    join erp.item i using (item_id)
    left join erp.shipment_line s on @shipment_id <> 0 and s.shipment_id = @shipment_id and s.order_id = l.order_id
      and s.line_no = l.line_no
    left join lateral (
      -- of one edit: all that was changed at that moment
      select (array_agg(h.from_qty order by h.change_id))[1] as from_qty,
        (array_agg(h.to_qty order by h.change_id desc))[1] as to_qty,
        max(h.reason) as reason
      from erp.order_change h
      where @change_id <> 0 and h.order_id = l.order_id and h.line_no = l.line_no and h.change_id >= @change_id
        and h.at = (select f.at from erp.order_change f where f.change_id = @change_id)
      having count(*) > 0
    ) c on true
    where l.order_id = o.order_id
      and (@shipment_id = 0 or s.shipment_id is not null) and (@change_id = 0 or c.to_qty is not null)
  ) x
) l
where o.order_no = @ref and o.customer_id = @customer_id;

-- name: mail_sign_off
select coalesce(o.order_no, '') as order_no, coalesce(s.po_no, '') as po_no, s.requested_at as submitted_at,
  coalesce(s.requested_date::text, '') as delivery_date,
    coalesce(concat_ws(', ', nullif(t.name, ''), nullif(t.city, '')), '') as ship_to,
  case when @see_prices then (select sum(round(l.seen_price * coalesce(l.signed_qty, l.qty), 2))
    from portal.sign_off_line l where l.sign_off_id = s.sign_off_id) end as total,
  '' as tracking_url, false as open, l.count, l.lines
from portal.sign_off s
left join erp.ship_to t using (ship_to_id)
left join erp.sales_order o on o.order_id = s.order_id
cross join lateral (
  select count(*)::int as count,
    coalesce(jsonb_agg(jsonb_build_object('item_no', x.item_no, 'description', x.description, 'uom', x.uom,
      'qty', x.qty, 'note', '', 'total', x.total) order by x.line_no) filter (where x.n <= 40), '[]') as lines
  from (
    select l.line_no, i.item_no, i.description, l.uom, coalesce(l.signed_qty, l.qty) as qty,
      case when @see_prices then round(l.seen_price * coalesce(l.signed_qty, l.qty), 2) end as total,
        row_number() over (order by l.line_no) as n
    from portal.sign_off_line l join erp.item i using (item_id)
    where l.sign_off_id = s.sign_off_id
  ) x
) l
where s.sign_off_id::text = @ref and s.customer_id = @customer_id;

-- name: mail_written
update portal.mail m set subject = @subject, body_text = @body_text, body_html = @body_html where m.mail_id = @mail_id;

-- name: mail_done
-- The link of a mail that was sent is out of the house.
update portal.mail m
set status = @status, attempts = m.attempts + 1, tried_at = erp.now(), last_error = @error,
  sent_at = case when @status = 'sent' then erp.now() end, secret = case when @status = 'sent' then '' else m.secret end
where m.mail_id = @mail_id;

-- name: mail_reset
select portal.make_password_reset(@email, @token);

-- name: mail_invitation
select portal.mail_invitation(@login_id, @token);

-- name: remind_cutoffs
select portal.remind_cutoffs();

-- name: mail_list
select m.mail_id, m.kind, m.recipient, coalesce(c.customer_no, '') as customer_no, m.subject, m.status, m.attempts,
  m.last_error, m.created_at, m.sent_at
from portal.mail_shown m left join erp.customer c using (customer_id)
where (@status = '' or m.status = @status) and (@kind = '' or m.kind = @kind)
  and (@query = '' or m.recipient ilike '%' || @pattern || '%')
  and (@before::bigint = 0 or m.mail_id < @before)
order by m.mail_id desc
limit @row_limit;

-- name: mail_counts
select m.status, count(*)::int as n from portal.mail_shown m group by 1;

-- name: mail_one
-- Where a link stands nobody reads it here, whoever the mail is for.
select m.mail_id, m.kind, m.recipient, coalesce(c.customer_no, '') as customer_no, m.subject, m.status, m.attempts,
  m.last_error, m.created_at, m.sent_at,
  m.message_id::text as message_id, m.tried_at, coalesce(d.name, '') as attachment, m.body_text, m.body_html
from portal.mail_shown m left join erp.customer c using (customer_id) left join portal.document d
  on d.document_id = m.document_id
where m.mail_id = @mail_id;

-- name: mail_retry
with again as (
  update portal.mail m set status = 'queued', last_error = '' where m.mail_id = @mail_id
    and m.status in ('failed', 'kept') returning m.mail_id
)
select count(*)::int as n, portal.enqueue_mails(array_agg(a.mail_id)) from again a;

-- name: mail_prune
-- One batch of what is done with: a mail's letter and a notification say
-- nothing new after so long.
with old as (
  select m.mail_id from portal.mail m where m.created_at < erp.now() - @older_than::interval and m.status <> 'queued'
  order by m.created_at limit @batch for update skip locked
)
delete from portal.mail m using old where m.mail_id = old.mail_id;

-- name: mail_forgotten
-- Mails that wait though their job is gone: cancelled by somebody, or given up.
select portal.enqueue_mails(array_agg(m.mail_id order by m.mail_id))
from portal.mail m
where m.status = 'queued' and coalesce(m.tried_at, m.created_at) < erp.now() - interval '1 hour'
  and not exists (
    select from river.river_job j
    where j.kind = 'mail' and j.state in ('available', 'running', 'retryable', 'scheduled', 'pending')
      and j.args ->> 'mail_id' = m.mail_id::text);

-- name: notification_prune
with old as (
  select n.notification_id from portal.notification n where n.created_at < erp.now() - @older_than::interval
  order by n.created_at limit @batch for update skip locked
)
delete from portal.notification n using old where n.notification_id = old.notification_id;

-- name: secret_end
-- Links that have ended, in mails that were not sent.
with gone as (
  delete from portal.password_reset r where r.expires_at <= erp.now()
)
update portal.mail m set secret = ''
where m.secret <> '' and m.created_at < erp.now() - case m.kind when 'password_reset' then interval '1 hour'
  else interval '7 days' end;
