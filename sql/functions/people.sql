-- The people of a customer: its log-ins, and whom it has invited, seen and changed
-- by its approvers where erp.web_access.many_logins is on, and by staff. The tables
-- are closed to customers' requests.
--
-- Whether an address has a log-in elsewhere, with another customer or with staff, is
-- nobody's business here: no function below looks at log-ins of other customers.

create or replace function portal.people(p_customer_id bigint)
returns table (login_id bigint, email text, name text, customer_role text, spend_limit numeric, spend_period text,
  sign_off_all boolean,
  disabled boolean, last_login_at timestamptz, invited_until timestamptz, spent numeric)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform portal.assert_customer(p_customer_id);
  -- staff who see the portal as the customer see them at the desk as well
  if portal.customer_id() is not null and portal.acting_by() is null and not portal.may('people') then
    raise exception 'Your log-in does not manage the people of your account.'
      using errcode = 'PT403', constraint = 'role_no_people';
  end if;
  return query
  select p.* from (
    select l.login_id, l.email::text, l.name, l.customer_role, l.spend_limit, l.spend_period, l.sign_off_all,
      l.disabled, l.last_login_at,
      v.expires_at, case when l.spend_limit is not null and l.spend_period <> 'order'
        then portal.spent(l.login_id, l.spend_period) end
    from portal.login l left join portal.invitation v using (login_id)
    where l.customer_id = p_customer_id
    union all
    select v.login_id, v.email::text, v.name, v.customer_role, v.spend_limit, v.spend_period, v.sign_off_all,
      v.disabled, null,
      v.expires_at, case when v.spend_limit is not null and v.spend_period <> 'order' then 0 end
    from portal.invited_person v
    where v.customer_id = p_customer_id
  ) p (login_id, email, name, customer_role, spend_limit, spend_period, sign_off_all, disabled, last_login_at,
    invited_until, spent)
  order by p.disabled, lower(coalesce(nullif(p.name, ''), p.email)), p.login_id;
end
$$;
grant execute on function portal.people(bigint) to portal_web, portal_desk;

-- How a colleague is called; null for whoever is not one.
create or replace function portal.person_name(p_login_id bigint) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(nullif(btrim(l.name), ''), l.email::text) from portal.login l
  where l.login_id = p_login_id and l.customer_id = portal.customer_id()
$$;
grant execute on function portal.person_name(bigint) to portal_web;

-- Whether the log-in of this transaction may not order what it likes without a
-- signature.
create or replace function portal.limited() returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select exists (select from portal.login l
    where l.login_id = portal.login_id() and l.customer_id = portal.customer_id() and (l.spend_limit is not null
      or l.sign_off_all))
$$;
grant execute on function portal.limited() to portal_web;

-- Who may change people: staff, and an approver who has no limit, since one who
-- has could lift it by way of another; and who has proved lately who they are. Holds the customer's row, so that two
-- who change at once do it one after the other.
create or replace function portal.assert_manages(p_customer_id bigint, p_login_id bigint default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  me portal.login;
begin
  perform portal.assert_customer(p_customer_id);
  perform from erp.customer c where c.customer_id = p_customer_id for no key update;
  if portal.customer_id() is not null then
    me := portal.acting_person();
    if not portal.may('people') then
      raise exception 'Your log-in does not manage the people of your account.'
        using errcode = 'PT403', constraint = 'role_no_people';
    end if;
    if me.spend_limit is not null or me.sign_off_all then
      raise exception 'Your own orders have a limit: an approver without one changes this list.'
        using errcode = 'PT403', constraint = 'limited_approver';
    end if;
    if me.login_id = p_login_id then
      raise exception 'Nobody changes their own log-in: ask another approver, or us.'
        using errcode = 'PT403', constraint = 'own_login';
    end if;
  end if;
  if p_login_id is not null
    and not exists (select from portal.login l where l.login_id = p_login_id and l.customer_id = p_customer_id)
    and not exists (select from portal.invited_person v where v.login_id = p_login_id
      and v.customer_id = p_customer_id) then
    raise exception 'There is no such log-in.' using errcode = 'PT404', constraint = 'own_customer_only';
  end if;
  perform portal.assert_request_confirmed();
end
$$;

-- Holds a person until the transaction ends, for who may change it, so that a
-- form can be compared with what is there.
create or replace function portal.hold_person(p_customer_id bigint, p_login_id bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.assert_manages(p_customer_id, p_login_id);
  perform from portal.login l where l.login_id = p_login_id and l.customer_id = p_customer_id for no key update;
  perform from portal.invited_person v where v.login_id = p_login_id and v.customer_id = p_customer_id
    for no key update;
end
$$;
grant execute on function portal.hold_person(bigint, bigint) to portal_web, portal_desk;

create or replace function portal.save_person(p_customer_id bigint, p_login_id bigint, p_name text, p_role text,
  p_limit numeric,
  p_period text, p_sign_off_all boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.assert_manages(p_customer_id, p_login_id);
  update portal.login l
    set name = erp.clean_text(p_name), customer_role = p_role, spend_limit = p_limit, spend_period = p_period,
      sign_off_all = p_sign_off_all
    where l.login_id = p_login_id
      and (l.name, l.customer_role, l.spend_limit, l.spend_period, l.sign_off_all)
        is distinct from (erp.clean_text(p_name), p_role, p_limit, p_period, p_sign_off_all);
  update portal.invited_person v
    set name = erp.clean_text(p_name), customer_role = p_role, spend_limit = p_limit, spend_period = p_period,
      sign_off_all = p_sign_off_all
    where v.login_id = p_login_id
      and (v.name, v.customer_role, v.spend_limit, v.spend_period, v.sign_off_all)
        is distinct from (erp.clean_text(p_name), p_role, p_limit, p_period, p_sign_off_all);
end
$$;
grant execute on function portal.save_person(bigint, bigint, text, text, numeric, text, boolean) to portal_web,
  portal_desk;

-- Closes a log-in, or opens it again. Its sessions end by the trigger on
-- portal.login. The link of who is only invited serves no more, or again.
create or replace function portal.disable_person(p_customer_id bigint, p_login_id bigint, p_disabled boolean)
  returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.assert_manages(p_customer_id, p_login_id);
  update portal.login l set disabled = p_disabled where l.login_id = p_login_id and l.disabled <> p_disabled;
  update portal.invited_person v set disabled = p_disabled where v.login_id = p_login_id and v.disabled <> p_disabled;
end
$$;
grant execute on function portal.disable_person(bigint, bigint, boolean) to portal_web, portal_desk;

-- Invites a person, and returns the number that the log-in will have once the link,
-- of which p_token_hash is the SHA-256, has set its password. It serves once, within a
-- week.
create or replace function portal.invite_person(p_customer_id bigint, p_email text, p_name text, p_role text,
  p_limit numeric,
  p_period text, p_sign_off_all boolean, p_token_hash bytea) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  made bigint;
begin
  perform portal.assert_manages(p_customer_id);
  if exists (select from portal.login l where l.customer_id = p_customer_id
    and l.email operator(public.=) p_email::public.citext)
    or exists (select from portal.invited_person v where v.customer_id = p_customer_id
      and v.email operator(public.=) p_email::public.citext) then
    raise exception 'This e-mail is on the list already.'
      using errcode = 'PT422', constraint = 'invited_person_email_key', column = 'email';
  end if;
  insert into portal.invited_person (login_id, customer_id, email, name, customer_role, spend_limit, spend_period,
    sign_off_all,
    token_hash, expires_at)
  values (nextval(pg_get_serial_sequence('portal.login', 'login_id')), p_customer_id, p_email::public.citext,
    erp.clean_text(p_name), p_role,
    p_limit, p_period, p_sign_off_all, p_token_hash, erp.now() + interval '7 days')
  returning login_id into made;
  return made;
end
$$;
grant execute on function portal.invite_person(bigint, text, text, text, numeric, text, boolean, bytea) to portal_web,
  portal_desk;

-- A new link for somebody who has not set a password; the one before ends.
create or replace function portal.renew_invitation(p_customer_id bigint, p_login_id bigint, p_token_hash bytea)
  returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.assert_manages(p_customer_id, p_login_id);
  update portal.invited_person v
    set token_hash = p_token_hash, made_by = portal.actor(), made_at = erp.now(),
      expires_at = erp.now() + interval '7 days'
    where v.login_id = p_login_id;
  if found then
    return;
  end if;
  update portal.invitation v
    set token_hash = p_token_hash, made_by = portal.actor(), made_at = erp.now(),
      expires_at = erp.now() + interval '7 days'
    where v.login_id = p_login_id;
  if not found then
    raise exception 'This log-in has its password already.' using errcode = 'PT409', constraint = 'invitation_used';
  end if;
  perform portal.add_act('invitation_renewed', portal.actor(), p_customer_id, (select l.email::text from portal.login l
    where l.login_id = p_login_id),
    '{}', current_setting('portal.source', true));
end
$$;
grant execute on function portal.renew_invitation(bigint, bigint, bytea) to portal_web, portal_desk;

-- Whose link a token is, while it serves. has_login: the address has got a log-in
-- elsewhere, so the link cannot make one; only who has the link learns of it.
create or replace function portal.invitation_of(p_token_hash bytea) returns table (email text, has_login boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select v.email::text, exists (select from portal.login l where l.email operator(public.=) v.email)
  from portal.invited_person v
  where v.token_hash = p_token_hash and v.expires_at > erp.now() and not v.disabled
  union all
  select l.email::text, false
  from portal.invitation v join portal.login l using (login_id)
  where v.token_hash = p_token_hash and v.expires_at > erp.now() and not l.disabled
$$;
grant execute on function portal.invitation_of(bytea) to portal_auth;

-- Uses a link up: makes the log-in that was invited, or gives the one that waits its
-- password. Returns its e-mail; null where the link does not serve.
create or replace function portal.accept_invitation(p_token_hash bytea, p_password_hash text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v portal.invited_person;
  who bigint;
  address text;
begin
  select x.* into v from portal.invited_person x
    where x.token_hash = p_token_hash and x.expires_at > erp.now() and not x.disabled for update;
  if found then
    if exists (select from portal.login l where l.email operator(public.=) v.email) then
      raise exception 'This e-mail has a log-in with us already, and a log-in serves one account. Have another address of yours invited, or ask us.'
        using errcode = 'PT409', constraint = 'invited_person_has_login';
    end if;
    perform set_config('portal.actor', v.email::text, true); -- for the audit: nobody is logged in yet
    -- the trigger on portal.login takes the invitation away
    insert into portal.login (login_id, customer_id, email, name, customer_role, spend_limit, spend_period,
      sign_off_all, password_hash)
    values (v.login_id, v.customer_id, v.email, v.name, v.customer_role, v.spend_limit, v.spend_period, v.sign_off_all,
      p_password_hash);
    return v.email::text;
  end if;
  delete from portal.invitation x using portal.login l
    where l.login_id = x.login_id and x.token_hash = p_token_hash and x.expires_at > erp.now() and not l.disabled
    returning l.login_id, l.email::text into who, address;
  perform set_config('portal.actor', address, true);
  update portal.login l set password_hash = p_password_hash, password_changed_at = erp.now() where l.login_id = who;
  return address;
end
$$;
grant execute on function portal.accept_invitation(bytea, text) to portal_auth;
