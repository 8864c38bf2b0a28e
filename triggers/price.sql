-- A customer's own prices and catalogue: told to that customer alone. Of many
-- at once (a price list), everybody is told once: a broadcast says nothing of
-- whose prices they are, and thousands of events would.
create or replace function portal.customer_price_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  told bigint[];
begin
  -- a rule that moves to another customer is news for both
  if tg_op = 'INSERT' then
    told := array(select distinct n.customer_id from new_rows n order by 1);
  elsif tg_op = 'DELETE' then
    told := array(select distinct p.customer_id from old_rows p order by 1);
  else
    told := array(select n.customer_id from new_rows n union select p.customer_id from old_rows p order by 1);
  end if;
  if cardinality(told) > 25 then
    perform portal.emit('catalog', null, '');
  else
    perform portal.emit('catalog', c, '') from unnest(told) with ordinality as t(c, n) order by n;
  end if;
  return null;
end
$$;
create or replace trigger customer_price_inserted after insert on erp.price_contract
  referencing new table as new_rows for each statement execute function portal.customer_price_changed();
create or replace trigger customer_price_updated after update on erp.price_contract
  referencing old table as old_rows new table as new_rows
    for each statement execute function portal.customer_price_changed();
create or replace trigger customer_price_deleted after delete on erp.price_contract
  referencing old table as old_rows for each statement execute function portal.customer_price_changed();
create or replace trigger customer_price_inserted after insert on erp.price_group
  referencing new table as new_rows for each statement execute function portal.customer_price_changed();
create or replace trigger customer_price_updated after update on erp.price_group
  referencing old table as old_rows new table as new_rows
    for each statement execute function portal.customer_price_changed();
create or replace trigger customer_price_deleted after delete on erp.price_group
  referencing old table as old_rows for each statement execute function portal.customer_price_changed();
create or replace trigger customer_price_inserted after insert on erp.authorized_item
  referencing new table as new_rows for each statement execute function portal.customer_price_changed();
create or replace trigger customer_price_updated after update on erp.authorized_item
  referencing old table as old_rows new table as new_rows
    for each statement execute function portal.customer_price_changed();
create or replace trigger customer_price_deleted after delete on erp.authorized_item
  referencing old table as old_rows for each statement execute function portal.customer_price_changed();
create or replace trigger customer_price_inserted after insert on erp.customer_item
  referencing new table as new_rows for each statement execute function portal.customer_price_changed();
create or replace trigger customer_price_updated after update on erp.customer_item
  referencing old table as old_rows new table as new_rows
    for each statement execute function portal.customer_price_changed();
create or replace trigger customer_price_deleted after delete on erp.customer_item
  referencing old table as old_rows for each statement execute function portal.customer_price_changed();
