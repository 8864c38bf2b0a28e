-- Links by mail are limited by the hour, so that nobody has the portal flood
-- somebody's mailbox, or its mail server's good name be spent.

-- Counts a link that is asked for, and refuses where the subject has had p_most
-- within the last hour. A subject is a customer, an account, a network.
create or replace function portal.count_link(p_kind text, p_subject text, p_most int, p_refusal text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  -- one after the other
  perform pg_advisory_xact_lock(hashtextextended('link_asked:' || p_kind || ':' || p_subject, 0));
  if (select count(*) from portal.link_asked a
      where a.kind = p_kind and a.subject = p_subject and a.asked_at > erp.now() - interval '1 hour') >= p_most then
    raise exception '%', p_refusal using errcode = 'PT429', constraint = 'link_asked_most';
  end if;
  insert into portal.link_asked (kind, subject, asked_at) values (p_kind, p_subject, erp.now());
end
$$;

-- Somebody at a network has forgotten a password: 20 an hour there. The mails to
-- one account have a limit of their own, which says nothing to whoever asks
-- (portal.make_password_reset).
create or replace function portal.ask_password_reset_from(p_email text, p_source text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.count_link('reset', p_source, 20,
    'Too many new passwords were asked for from your network. Please try again in an hour.');
  perform portal.ask_password_reset(p_email);
end
$$;
grant execute on function portal.ask_password_reset_from(text, text) to portal_auth;

-- Counts an invitation, or a new link for one: 5 an hour to one log-in, 30 by the
-- people of a customer, 300 by one of the staff.
create or replace function portal.count_invitation(p_customer_id bigint, p_login_id bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.count_link('invitation', 'login ' || p_login_id, 5,
    'This person was sent five links within an hour. Please wait before you send another.');
  if portal.customer_id() is not null then
    perform portal.count_link('invitation', 'customer ' || p_customer_id, 30,
      'Your account has sent 30 invitations within an hour. Please go on in an hour, or ask us.');
  else
    perform portal.count_link('invitation', 'staff ' || portal.actor(), 300,
      'You have sent 300 invitations within an hour. Please go on in an hour.');
  end if;
end
$$;
