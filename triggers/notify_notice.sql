-- What a customer is told on its pages (portal.notice: what became of standing
-- orders) is mailed, in the same words, to those who may order; but not what
-- only announces.
create or replace function portal.notify_notice() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  mails bigint[];
begin
  with queued as (
    insert into portal.mail (key, kind, recipient, login_id, customer_id, data)
    select 'notice:' || n.notice_id || ':' || l.login_id, 'standing_order', l.email::text, l.login_id, n.customer_id,
      jsonb_build_object('text', n.text, 'link', n.link, 'tone', n.kind)
    from new_rows n
    join erp.customer c using (customer_id)
    join erp.web_access w using (customer_id)
    join portal.news_kind k on k.kind = 'standing_order'
    join portal.login l using (customer_id)
    left join portal.mail_choice m on m.login_id = l.login_id and m.kind = k.kind
    where n.kind <> 'info' and c.active and w.enabled and not l.disabled and coalesce(m.by_mail, k.by_mail)
      and portal.login_may(l.login_id, l.customer_id, k.needs)
      and not exists (select from portal.invitation v where v.login_id = l.login_id)
    order by n.notice_id, l.login_id
    on conflict (key) do nothing
    returning mail_id
  )
  select array_agg(q.mail_id order by q.mail_id) into mails from queued q;
  perform portal.enqueue_mails(mails);
  return null;
exception when others then
  perform portal.news_failed(sqlstate, sqlerrm);
  return null;
end
$$;
create or replace trigger notify_notice after insert on portal.notice
  referencing new table as new_rows for each statement execute function portal.notify_notice();
