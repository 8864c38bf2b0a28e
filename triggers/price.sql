-- A customer's own prices and catalogue: told to that customer alone.
create or replace function portal.customer_price_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
declare
  c bigint;
begin
  if tg_op = 'DELETE' then
    for c in select distinct p.customer_id from old_rows p order by 1 loop
      perform portal.emit('catalog', c, '');
    end loop;
  else
    for c in select distinct n.customer_id from new_rows n order by 1 loop
      perform portal.emit('catalog', c, '');
    end loop;
  end if;
  return null;
end
$$;
create or replace trigger customer_price_inserted after insert on erp.price_contract
  referencing new table as new_rows for each statement execute function portal.customer_price_changed();
create or replace trigger customer_price_updated after update on erp.price_contract
  referencing new table as new_rows for each statement execute function portal.customer_price_changed();
create or replace trigger customer_price_deleted after delete on erp.price_contract
  referencing old table as old_rows for each statement execute function portal.customer_price_changed();
create or replace trigger customer_price_inserted after insert on erp.price_group
  referencing new table as new_rows for each statement execute function portal.customer_price_changed();
create or replace trigger customer_price_updated after update on erp.price_group
  referencing new table as new_rows for each statement execute function portal.customer_price_changed();
create or replace trigger customer_price_deleted after delete on erp.price_group
  referencing old table as old_rows for each statement execute function portal.customer_price_changed();
create or replace trigger customer_price_inserted after insert on erp.authorized_item
  referencing new table as new_rows for each statement execute function portal.customer_price_changed();
create or replace trigger customer_price_updated after update on erp.authorized_item
  referencing new table as new_rows for each statement execute function portal.customer_price_changed();
create or replace trigger customer_price_deleted after delete on erp.authorized_item
  referencing old table as old_rows for each statement execute function portal.customer_price_changed();
create or replace trigger customer_price_inserted after insert on erp.customer_item
  referencing new table as new_rows for each statement execute function portal.customer_price_changed();
create or replace trigger customer_price_updated after update on erp.customer_item
  referencing new table as new_rows for each statement execute function portal.customer_price_changed();
create or replace trigger customer_price_deleted after delete on erp.customer_item
  referencing old table as old_rows for each statement execute function portal.customer_price_changed();
