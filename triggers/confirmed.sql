-- Money that is posted, credited, applied or taken back by a request of the portal: who asks has
-- proved lately who they are (portal.assert_request_confirmed). People are held by
-- portal.assert_manages, factors by portal.assert_confirmed.
create or replace function portal.money_confirmed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.assert_request_confirmed();
  return null;
end
$$;
create or replace trigger payment_confirmed before insert or update of amount, reversed_on on erp.payment
  for each statement execute function portal.money_confirmed();
create or replace trigger credit_memo_confirmed before insert on erp.credit_memo
  for each statement execute function portal.money_confirmed();
create or replace trigger payment_application_confirmed before insert on erp.payment_application
  for each statement execute function portal.money_confirmed();
