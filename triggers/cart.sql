-- Carts and favourites: the same on every device of the customer, at once.
create or replace function portal.own_list_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  c bigint;
begin
  if tg_op = 'DELETE' then
    for c in select distinct p.customer_id from old_rows p order by 1 loop
      perform portal.emit(tg_argv[0], c, '');
    end loop;
  else
    for c in select distinct n.customer_id from new_rows n order by 1 loop
      perform portal.emit(tg_argv[0], c, '');
    end loop;
  end if;
  return null;
end
$$;
create or replace trigger favorite_inserted after insert on portal.favorite
  referencing new table as new_rows for each statement execute function portal.own_list_changed('favorite');
create or replace trigger favorite_deleted after delete on portal.favorite
  referencing old table as old_rows for each statement execute function portal.own_list_changed('favorite');
create or replace trigger cart_updated after update on portal.cart
  referencing new table as new_rows for each statement execute function portal.own_list_changed('cart');

create or replace function portal.cart_line_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'DELETE' then
    perform portal.emit('cart', c.customer_id, '') from (
      select distinct k.customer_id from old_rows p join portal.cart k using (cart_id)) c;
  else
    perform portal.emit('cart', c.customer_id, '') from (
      select distinct k.customer_id from new_rows n join portal.cart k using (cart_id)) c;
  end if;
  return null;
end
$$;
create or replace trigger cart_line_inserted after insert on portal.cart_line
  referencing new table as new_rows for each statement execute function portal.cart_line_changed();
create or replace trigger cart_line_updated after update on portal.cart_line
  referencing new table as new_rows for each statement execute function portal.cart_line_changed();
create or replace trigger cart_line_deleted after delete on portal.cart_line
  referencing old table as old_rows for each statement execute function portal.cart_line_changed();

-- Shared lists are told as favourites are: the pages that show one show both.
create or replace trigger item_list_inserted after insert on portal.item_list
  referencing new table as new_rows for each statement execute function portal.own_list_changed('favorite');
create or replace trigger item_list_updated after update on portal.item_list
  referencing new table as new_rows for each statement execute function portal.own_list_changed('favorite');
create or replace trigger item_list_deleted after delete on portal.item_list
  referencing old table as old_rows for each statement execute function portal.own_list_changed('favorite');

create or replace function portal.item_list_line_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'DELETE' then
    perform portal.emit('favorite', c.customer_id, '') from (
      select distinct l.customer_id from old_rows p join portal.item_list l using (list_id)) c;
  else
    perform portal.emit('favorite', c.customer_id, '') from (
      select distinct l.customer_id from new_rows n join portal.item_list l using (list_id)) c;
  end if;
  return null;
end
$$;
create or replace trigger item_list_line_inserted after insert on portal.item_list_line
  referencing new table as new_rows for each statement execute function portal.item_list_line_changed();
create or replace trigger item_list_line_deleted after delete on portal.item_list_line
  referencing old table as old_rows for each statement execute function portal.item_list_line_changed();
