-- Invitations that somebody makes in the portal, on whatever page, are limited by
-- the hour; what a program loads from elsewhere (no portal.actor) is not.
create or replace function portal.invitation_counted() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if nullif(current_setting('portal.actor', true), '') is not null then
    perform portal.count_invitation((select l.customer_id from portal.login l where l.login_id = new.login_id),
      new.login_id);
  end if;
  return null;
end
$$;
drop trigger if exists invitation_counted on portal.invitation;
create trigger invitation_counted after insert or update of token_hash on portal.invitation
  for each row execute function portal.invitation_counted();
