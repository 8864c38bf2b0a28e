-- Links by mail: of an invitation, and of a new password. The tables of links
-- keep the SHA-256 of a token; the token itself stands in the mail's row until
-- the mail is sent, since it has to be written into it.

-- Somebody has forgotten a password. What was typed goes to a job as it is, so
-- that a known and an unknown address take the same way, and the same time.
create or replace function portal.ask_password_reset(p_email text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.enqueue('password_reset', array[json_build_object('email', p_email)]);
end
$$;
grant execute on function portal.ask_password_reset(text) to portal_work, portal_auth;

-- Makes the link, good for an hour and once, and queues its mail. Nothing for an
-- address that nobody logs in with, or may not, as staff where local log-ins are closed; nor again within five minutes,
-- nor a sixth time within an hour, so that nobody is flooded with mail. True if a
-- mail was queued.
create or replace function portal.make_password_reset(p_email text, p_token text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  l portal.login;
  hash bytea := sha256(convert_to(p_token, 'UTF8'));
  made bigint;
begin
  select * into l from portal.login x where x.email operator(public.=) p_email::public.citext and not x.disabled
    and (x.staff_role is not null and portal.logs_in_locally(x.login_id) or exists (select from erp.web_access w
      join erp.customer c using (customer_id)
      where w.customer_id = x.customer_id and w.enabled and c.active));
  if not found then
    return false;
  end if;
  insert into portal.password_reset as r (login_id, token_hash, expires_at)
    values (l.login_id, hash, erp.now() + interval '1 hour')
  on conflict (login_id) do update set token_hash = excluded.token_hash, made_at = erp.now(),
    expires_at = excluded.expires_at
    where r.made_at < erp.now() - interval '5 minutes';
  if not found or (select count(*) from portal.link_asked a
      where a.kind = 'reset' and a.subject = 'login ' || l.login_id
        and a.asked_at > erp.now() - interval '1 hour') >= 5 then
    return false;
  end if;
  insert into portal.link_asked (kind, subject, asked_at) values ('reset', 'login ' || l.login_id, erp.now());
  perform portal.add_act('reset_asked', l.email::text, l.customer_id, l.email::text, '{}', null);
  insert into portal.mail (key, kind, recipient, login_id, customer_id, secret)
  values ('password_reset:' || encode(hash, 'hex'), 'password_reset', l.email::text, l.login_id, l.customer_id, p_token)
  returning mail_id into made;
  perform portal.enqueue_mails(array[made]);
  return true;
end
$$;
grant execute on function portal.make_password_reset(text, text) to portal_work;

-- Whose link a token is, while it serves.
create or replace function portal.password_reset_of(p_token_hash bytea) returns table (login_id bigint, email text)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select l.login_id, l.email::text
  from portal.password_reset r join portal.login l using (login_id)
  left join erp.customer c using (customer_id)
  left join erp.web_access w using (customer_id)
  where r.token_hash = p_token_hash and r.expires_at > erp.now() and not l.disabled
    and (l.staff_role is not null and portal.logs_in_locally(l.login_id) or (c.active and w.enabled))
$$;
grant execute on function portal.password_reset_of(bytea) to portal_work, portal_auth;

-- Mails an invitation that was made in this transaction, or just before it.
create or replace function portal.mail_invitation(p_login_id bigint, p_token text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  hash bytea := sha256(convert_to(p_token, 'UTF8'));
  i record;
  made bigint;
begin
  select v.customer_id, v.email::text, null::bigint as login_id, null::text as staff_role into i
    from portal.invited_person v where v.login_id = p_login_id and v.token_hash = hash and v.expires_at > erp.now()
  union all
  select l.customer_id, l.email::text, l.login_id, l.staff_role
    from portal.login l join portal.invitation v using (login_id)
    where l.login_id = p_login_id and v.token_hash = hash and v.expires_at > erp.now();
  if not found then
    raise exception 'There is no such invitation.' using errcode = 'PT404', constraint = 'own_customer_only';
  end if;
  if i.staff_role is not null then
    perform portal.hold_staff(i.login_id);
  else
    perform portal.assert_manages(i.customer_id, p_login_id);
  end if;
  insert into portal.mail (key, kind, recipient, login_id, customer_id, secret)
  values ('invitation:' || encode(hash, 'hex'), 'invitation', i.email, i.login_id, i.customer_id, p_token)
  on conflict (key) do nothing
  returning mail_id into made;
  perform portal.enqueue_mails(array[made]);
end
$$;
grant execute on function portal.mail_invitation(bigint, text) to portal_web, portal_desk;
