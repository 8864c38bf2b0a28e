-- News for a customer's log-ins: a row in portal.notification each, and a mail
-- to those who chose it, queued in the same transaction. Triggers call it, and
-- jobs. Kinds, who is told of them and what is mailed unasked are the rows of
-- portal.news_kind.
--
-- p_ref is the document's number, p_data facts that the words are made of; its
-- member "id" names the news where one document has several of a kind (else
-- p_document_id, else all of p_data does). The same news is told and mailed
-- once, however often this is called. p_login_ids narrows who is told; null:
-- whoever has the right. p_document_id is a portal.document to attach.
create or replace function portal.notify(p_kind text, p_customer_id bigint, p_ref text, p_data jsonb,
  p_login_ids bigint[] default null, p_document_id bigint default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (select from portal.news_kind k where k.kind = p_kind) then
    raise exception 'There is no kind of news "%": see portal.news_kind.',
      p_kind using errcode = 'invalid_parameter_value';
  end if;
  perform portal.notify_all(array(
    select (p_kind, p_customer_id, p_ref, p_data, t.login_id, p_document_id)::portal.news
    from unnest(coalesce(p_login_ids, array[null::bigint])) as t(login_id)));
end
$$;
grant execute on function portal.notify(text, bigint, text, jsonb, bigint[], bigint) to portal_work;

drop function if exists portal.notify_all(text[], bigint[], text[], jsonb[], bigint[], bigint[]); -- of earlier versions

-- The same for many pieces of news at once.
create or replace function portal.notify_all(p_news portal.news[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp set jit = off
  set plan_cache_mode = force_generic_plan
as $$
declare
  unread bigint[];
  mails bigint[];
begin
  if coalesce(cardinality(p_news), 0) = 0 then
    return;
  end if;
  with news as materialized (
    select k.kind, k.needs, k.for_all, u.customer_id, coalesce(u.ref, '') as ref,
      coalesce(u.data, '{}') as data, u.login_id, u.document_id, u.n,
      k.kind || ':' || coalesce(u.ref, '') || ':' || coalesce(u.data ->> 'id', u.document_id::text,
        md5(coalesce(u.data, '{}')::text)) as key
    from unnest(p_news) with ordinality as u(kind, customer_id, ref, data, login_id, document_id, n)
    join portal.news_kind k on k.kind = u.kind
    join erp.customer c on c.customer_id = u.customer_id
    join erp.web_access w on w.customer_id = u.customer_id
    where c.active and w.enabled and (k.needs <> 'balance' or w.see_balance)
  ),
  told as materialized (
    -- who has no password yet cannot read it, and is not bothered
    select distinct on (l.login_id, n.key) l.login_id, n.customer_id, n.kind, n.ref, n.data, n.document_id, n.key, n.n
    from news n
    join portal.login l on l.customer_id = n.customer_id and (n.login_id is null or l.login_id = n.login_id)
    where not l.disabled and not exists (select from portal.invitation v where v.login_id = l.login_id)
      and (n.for_all and n.login_id is not null
        or portal.login_may(l.login_id, l.customer_id, case n.needs when 'balance' then 'account' else n.needs end))
    order by l.login_id, n.key, n.n
  ),
  made as (
    insert into portal.notification (login_id, customer_id, kind, ref, data, key, document_id, read_at)
    select t.login_id, t.customer_id, t.kind, t.ref, t.data, t.key, t.document_id,
      -- nobody need read what they did themselves
      case when t.login_id = portal.login_id() then erp.now() end
    from told t order by t.n, t.login_id
    on conflict (login_id, key) do nothing
    returning *
  ),
  queued as (
    insert into portal.mail (key, kind, recipient, login_id, customer_id, notification_id, ref, data, document_id)
    select d.key || ':' || d.login_id, d.kind, l.email::text, d.login_id, d.customer_id, d.notification_id, d.ref,
      d.data, d.document_id
    from made d
    join portal.news_kind k on k.kind = d.kind
    join portal.login l on l.login_id = d.login_id
    left join portal.mail_choice m on m.login_id = d.login_id and m.kind = d.kind
    where coalesce(m.by_mail, k.by_mail)
    order by d.notification_id
    on conflict (key) do nothing
    returning mail_id
  )
  select (select array_agg(distinct d.customer_id) from made d where d.read_at is null),
    (select array_agg(q.mail_id order by q.mail_id) from queued q)
    into unread, mails;
  perform portal.emit('notice', c.customer_id, 'message') from unnest(unread) as c(customer_id);
  perform portal.enqueue_mails(mails);
end
$$;

-- For the exception handlers of the notify_ triggers: news is never why a program's
-- statement fails, so what is wrong is only logged. But a transaction that PostgreSQL
-- rolls back (class 40: serialization failure, deadlock) must fail, to be begun again.
create or replace function portal.news_failed(p_sqlstate text, p_message text) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if p_sqlstate like '40%' then
    raise exception using errcode = p_sqlstate, message = p_message;
  end if;
  raise warning 'news was not told: %', p_message;
end
$$;

-- Enqueues the job that sends each, in this transaction. A second job for a mail
-- that was sent finds nothing to do.
create or replace function portal.enqueue_mails(p_mail_ids bigint[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.enqueue('mail', array(select ('{"mail_id":' || m || '}')::json from unnest(p_mail_ids) as m));
end
$$;
grant execute on function portal.enqueue_mails(bigint[]) to portal_work;
