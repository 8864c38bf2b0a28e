-- People who were invited: counted by the hour like other invitations, audited and told to the
-- customer's open pages like log-ins.
create or replace function portal.invited_person_counted() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if nullif(current_setting('portal.actor', true), '') is not null then
    perform portal.count_invitation(new.customer_id, new.login_id);
  end if;
  return null;
end
$$;
create or replace trigger invited_person_counted after insert or update of token_hash on portal.invited_person
  for each row execute function portal.invited_person_counted();

create or replace function portal.invited_person_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v portal.invited_person := coalesce(new, old);
  shown constant text[] := array['customer_role', 'spend_limit', 'spend_period', 'sign_off_all', 'disabled', 'name',
    'email'];
  changes jsonb;
begin
  if tg_op = 'INSERT' then
    changes := jsonb_build_object('invited', true) || (select jsonb_object_agg(f.key, jsonb_build_array(null, f.value))
      from jsonb_each(to_jsonb(new)) f where f.key in ('customer_role', 'spend_limit', 'spend_period', 'sign_off_all'));
  elsif tg_op = 'UPDATE' then
    changes := (select jsonb_object_agg(f.key, jsonb_build_array(to_jsonb(old) -> f.key, f.value))
      from jsonb_each(to_jsonb(new)) f where f.key = any (shown) and to_jsonb(old) -> f.key is distinct from f.value);
  end if;
  if changes is not null then
    insert into portal.audit (action, customer_id, subject, data)
    values ('person', v.customer_id, v.email::text, jsonb_build_object('login', v.email) || changes);
  end if;
  perform portal.emit('access', v.customer_id, '');
  return null;
end
$$;
create or replace trigger invited_person_changed after insert or update or delete on portal.invited_person
  for each row execute function portal.invited_person_changed();

-- Whichever program makes a log-in of the customer for the address: it is the one that was invited.
create or replace function portal.invited_person_came() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  delete from portal.invited_person v where v.customer_id = new.customer_id and v.email operator(public.=) new.email;
  return null;
end
$$;
create or replace trigger invited_person_came after insert or update of email, customer_id on portal.login
  for each row when (new.customer_id is not null) execute function portal.invited_person_came();
