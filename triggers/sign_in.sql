-- Whoever logs in is told by mail when the password is another, whichever program
-- changed it. Not one that was never used (an invitation is accepted), and not many at
-- once, which is a program that loads log-ins.
create or replace function portal.password_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  whose bigint[];
begin
  select array_agg(n.login_id) into whose
  from new_rows n join old_rows p using (login_id)
  where n.password_hash <> p.password_hash and n.hash_raised_at is not distinct from p.hash_raised_at
    and n.last_login_at is not null;
  if cardinality(whose) <= 25 then
    perform portal.mail_security(whose, 'password_changed', '{}');
  end if;
  -- no browser goes on without the second factor
  update portal.browser b set trusted_until = null where b.login_id = any (whose) and b.trusted_until is not null;
  return null;
end
$$;
create or replace trigger password_changed after update on portal.login
  referencing old table as old_rows new table as new_rows for each statement execute function portal.password_changed();
