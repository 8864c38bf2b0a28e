-- Items, units, categories: an item that changed is told to those who watch
-- it; one that came, went or moved changes the catalogue of everybody. Many at
-- once are one catalog event.
create or replace function portal.emit_items(p_item_ids bigint[], p_catalog boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  changed text;
begin
  if p_item_ids = '{}' then
    return;
  end if;
  -- a catalog event makes every open page look again: for the stock of one
  -- long order, telling those who watch its items is cheaper
  if cardinality(p_item_ids) > (case when p_catalog then 25 else 250 end) then
    perform portal.emit('catalog', null, '');
    return;
  end if;
  for changed in select i.item_no from erp.item i where i.item_id = any (p_item_ids) order by i.item_id loop
    perform portal.emit('item', null, changed);
    if p_catalog then
      perform portal.emit('catalog', null, changed);
    end if;
  end loop;
end
$$;

-- Every page's head shows the total of the cart, and watches no items: customers
-- whose carts hold one of these items are told of their cart. Beyond what
-- emit_items tells one by one, everybody has been told of the catalog already.
create or replace function portal.emit_carts(p_item_ids bigint[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_nestloop = on
as $$
declare
  holders bigint[];
begin
  if cardinality(p_item_ids) not between 1 and 250 then
    return;
  end if;
  holders := array(
    select distinct k.customer_id from portal.cart_line l join portal.cart k using (cart_id)
    where l.item_id = any (p_item_ids) order by 1);
  if cardinality(holders) <= 250 then
    perform portal.emit_all('cart', holders, array_fill(''::text, array[cardinality(holders)]), null);
  else
    perform portal.emit('catalog', null, '');
  end if;
end
$$;

-- By hash: the plan is kept for the session, and one made when a single row
-- changed would compare every row of a price list with every other.
create or replace function portal.item_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_nestloop = off
as $$
declare
  listed bigint[];
  shown bigint[];
  priced bigint[];
begin
  if tg_op = 'INSERT' then
    perform portal.emit_items(array(select n.item_id from new_rows n where n.active), true);
  elsif tg_op = 'DELETE' then
    perform portal.emit('catalog', null, '') where exists (select from old_rows);
  else
    select array_agg(x.item_id) filter (where x.listed), array_agg(x.item_id) filter (where not x.listed
      and (x.shown or x.priced)),
        array_agg(x.item_id) filter (where x.priced)
      into listed, shown, priced
      from (
        select n.item_id,
          (n.active, n.category_id, n.description, n.item_no)
            is distinct from (p.active, p.category_id, p.description, p.item_no) as listed,
          (n.details, n.barcode, n.discontinued, n.substitute_item_id, n.allow_backorder, n.fractional)
            is distinct from (p.details, p.barcode, p.discontinued, p.substitute_item_id, p.allow_backorder,
              p.fractional) as shown,
          (n.base_uom, n.price_a, n.price_b, n.price_c, n.price_d, n.price_e, n.cost)
            is distinct from (p.base_uom, p.price_a, p.price_b, p.price_c, p.price_d, p.price_e, p.cost) as priced
        from new_rows n join old_rows p using (item_id)) x;
    perform portal.emit_items(coalesce(listed, '{}'), true);
    perform portal.emit_items(coalesce(shown, '{}'), false);
    perform portal.emit_carts(coalesce(priced, '{}'));
  end if;
  return null;
end
$$;
create or replace trigger item_inserted after insert on erp.item
  referencing new table as new_rows for each statement execute function portal.item_changed();
create or replace trigger item_updated after update on erp.item
  referencing old table as old_rows new table as new_rows for each statement execute function portal.item_changed();
create or replace trigger item_deleted after delete on erp.item
  referencing old table as old_rows for each statement execute function portal.item_changed();

create or replace function portal.item_part_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  changed bigint[];
begin
  if tg_op = 'DELETE' then
    changed := array(select distinct p.item_id from old_rows p);
  else
    changed := array(select distinct n.item_id from new_rows n);
  end if;
  perform portal.emit_items(changed, false);
  if tg_table_name <> 'item_picture' then
    perform portal.emit_carts(changed);
  end if;
  return null;
end
$$;
create or replace trigger item_uom_inserted after insert on erp.item_uom
  referencing new table as new_rows for each statement execute function portal.item_part_changed();
create or replace trigger item_uom_updated after update on erp.item_uom
  referencing new table as new_rows for each statement execute function portal.item_part_changed();
create or replace trigger item_uom_deleted after delete on erp.item_uom
  referencing old table as old_rows for each statement execute function portal.item_part_changed();
create or replace trigger item_picture_inserted after insert on erp.item_picture
  referencing new table as new_rows for each statement execute function portal.item_part_changed();
create or replace trigger item_picture_updated after update on erp.item_picture
  referencing new table as new_rows for each statement execute function portal.item_part_changed();
create or replace trigger price_break_inserted after insert on erp.price_break
  referencing new table as new_rows for each statement execute function portal.item_part_changed();
create or replace trigger price_break_updated after update on erp.price_break
  referencing new table as new_rows for each statement execute function portal.item_part_changed();
create or replace trigger price_break_deleted after delete on erp.price_break
  referencing old table as old_rows for each statement execute function portal.item_part_changed();

create or replace function portal.catalogue_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform portal.emit('catalog', null, '');
  return null;
end
$$;
create or replace trigger category_changed after insert or update or delete on erp.category
  for each statement execute function portal.catalogue_changed();
