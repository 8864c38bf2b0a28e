-- Log-ins and their ends are in the audit log, whatever statement makes or deletes a session: who, from where, and of
-- an end why. What staff do as a customer has rows of its own (acting.sql).
create or replace function portal.session_audited() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  cause constant text := coalesce(current_setting('portal.session_end', true), '');
begin
  if tg_op = 'INSERT' then
    perform portal.add_act('logged_in', l.email::text, l.customer_id, l.email::text,
      jsonb_build_object('user_agent', nullif(n.user_agent, ''), 'session', n.session_id,
        'by', nullif(n.login_kind, 'password')), n.source)
    from new_rows n join portal.login l using (login_id) where n.parent_id is null order by n.session_id;
    return null;
  end if;
  perform portal.add_act(case when cause = 'logged_out' then 'logged_out' else 'session_ended' end,
    case when cause in ('logged_out', 'ended', 'replaced') then coalesce(l.email::text, 'login ' || p.login_id)
      else portal.actor() end,
    l.customer_id, coalesce(l.email::text, 'login ' || p.login_id),
    jsonb_build_object('cause', nullif(nullif(cause, 'logged_out'), ''), 'session', p.session_id),
    case when cause in ('logged_out', 'replaced') then p.source else current_setting('portal.source', true) end)
  from old_rows p left join portal.login l using (login_id) where p.parent_id is null order by p.session_id;
  return null;
end
$$;
create or replace trigger session_begun_audited after insert on portal.session
  referencing new table as new_rows for each statement execute function portal.session_audited();
create or replace trigger session_ended_audited after delete on portal.session
  referencing old table as old_rows for each statement execute function portal.session_audited();

-- Who they are was proved once more, or the second factor at log-in. For each row, so that a session that is only
-- seen costs nothing.
create or replace function portal.session_proof_audited() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.add_act(case when new.factor_at is distinct from old.factor_at then 'factor_proved'
    else 'confirmed' end,
    l.email::text, l.customer_id, l.email::text, jsonb_build_object('session', new.session_id), new.source)
  from portal.login l where l.login_id = new.login_id;
  return null;
end
$$;
create or replace trigger session_proof_audited after update on portal.session
  for each row when (new.confirmed_at is distinct from old.confirmed_at or new.factor_at is distinct from old.factor_at)
  execute function portal.session_proof_audited();

-- Wrong codes up to the one that locks: after it nothing is tried any more.
create or replace function portal.factor_failure_audited() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.add_act('factor_wrong', l.email::text, l.customer_id, l.email::text,
    jsonb_build_object('locked', case when new.locked_until is not null then true end), null)
  from portal.login l where l.login_id = new.login_id;
  return null;
end
$$;
create or replace trigger factor_failure_audited_first after insert on portal.factor_failure
  for each row execute function portal.factor_failure_audited();
create or replace trigger factor_failure_audited after update on portal.factor_failure
  for each row when (new.locked_until is null or new.locked_until is distinct from old.locked_until)
  execute function portal.factor_failure_audited();
