-- Numbers and barcodes that two items would share are refused, whoever writes
-- them, unless erp.company.duplicate_codes allows them. erp.code_taken has a row
-- for each code that is taken; its primary key makes two transactions that take
-- one code at once wait for each other, and one of them fail.

-- The codes of active items that are to be taken, or are.
create or replace view erp.code_wanted as
  select 'number' as kind, lower(i.item_no) as code, i.item_id, null::text as uom, i.item_no from erp.item i
    where i.active
  union all
  select 'barcode', erp.barcode_key(i.barcode), i.item_id, i.base_uom, i.item_no from erp.item i
  where i.active and i.barcode is not null and erp.barcode_key(i.barcode) is not null
  union all
  select 'barcode', erp.barcode_key(u.barcode), u.item_id, u.uom, i.item_no from erp.item_uom u join erp.item i
    using (item_id)
  where i.active and u.barcode is not null and erp.barcode_key(u.barcode) is not null
    and not (u.uom = i.base_uom and erp.barcode_key(u.barcode) is not distinct from erp.barcode_key(i.barcode));
grant select on erp.code_wanted to portal_desk, portal_work; -- who reads items; portal doctor

-- Takes the codes of these items, and gives back those they have no longer.
create or replace function erp.take_codes(p_item_ids bigint[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  clash record;
begin
  delete from erp.code_taken t where t.item_id = any (p_item_ids);
  if (select c.duplicate_codes <> 'refuse' from erp.company c) then
    return;
  end if;
  begin
    -- in one order, so that two who take many wait and do not deadlock
    insert into erp.code_taken (kind, code, item_id, uom)
    select w.kind, w.code, w.item_id, w.uom from erp.code_wanted w where w.item_id = any (p_item_ids) order by w.kind,
      w.code;
  exception when unique_violation then
    select w.kind, w.item_no, w.code, w.uom, o.item_no as other_no, o.uom as other_uom into clash
    from erp.code_wanted w
    join erp.code_wanted o on o.kind = w.kind and o.code = w.code and (o.item_id, coalesce(o.uom, '')) <> (w.item_id,
      coalesce(w.uom, ''))
    where w.item_id = any (p_item_ids)
    order by w.kind desc, w.code, w.item_no limit 1;
    if clash.kind is null then -- of a transaction that this one does not see yet
      raise exception 'Somebody else has just given an item the same number or barcode.'
        using errcode = 'PT409', constraint = 'item_code_taken';
    end if;
    if clash.kind = 'number' then
      raise exception 'There is an item % already: item % would differ from it by case only.', clash.other_no,
        clash.item_no
        using errcode = 'PT409', constraint = 'item_code_by_case', column = 'item_no',
        hint = 'If your ERP needs such numbers: update erp.company set duplicate_codes = ''allow''.';
    end if;
    raise exception 'Barcode % of % % is that of % % already.', ltrim(clash.code, '0'), clash.item_no, clash.uom,
      clash.other_no, clash.other_uom
      using errcode = 'PT409', constraint = 'item_barcode_taken', column = 'barcode',
      hint = 'If your ERP needs such barcodes: update erp.company set duplicate_codes = ''allow''.';
  end;
end
$$;

create or replace function erp.item_codes_written() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform erp.take_codes(array(select n.item_id from new_rows n order by n.item_id));
  return null;
end
$$;

create or replace function erp.item_codes_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  changed bigint[];
begin
  changed := array(
    select x.item_id from (
      select n.item_id, n.item_no, n.barcode, n.base_uom, n.active from new_rows n
      except select o.item_id, o.item_no, o.barcode, o.base_uom, o.active from old_rows o) x
    order by 1);
  if changed <> '{}' then
    perform erp.take_codes(changed);
  end if;
  return null;
end
$$;

create or replace function erp.item_unit_codes_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  changed bigint[];
begin
  if tg_op = 'DELETE' then
    changed := array(select distinct o.item_id from old_rows o where o.barcode is not null order by 1);
  elsif tg_op = 'INSERT' then
    changed := array(select distinct n.item_id from new_rows n where n.barcode is not null order by 1);
  else
    changed := array(
      select n.item_id from (select item_id, uom, barcode from new_rows except select item_id, uom, barcode
        from old_rows) n
      union
      select o.item_id from (select item_id, uom, barcode from old_rows except select item_id, uom, barcode
        from new_rows) o
      order by 1);
  end if;
  if changed <> '{}' then
    perform erp.take_codes(changed);
  end if;
  return null;
end
$$;

-- The switch: what is refused from now on must not be there.
create or replace function erp.duplicate_codes_switched() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if new.duplicate_codes is distinct from old.duplicate_codes then
    lock table erp.item, erp.item_uom in share row exclusive mode;
    delete from erp.code_taken;
    perform erp.take_codes(array(select i.item_id from erp.item i order by i.item_id));
  end if;
  return null;
end
$$;

create or replace trigger item_codes_inserted after insert on erp.item
  referencing new table as new_rows for each statement execute function erp.item_codes_written();
create or replace trigger item_codes_updated after update on erp.item
  referencing old table as old_rows new table as new_rows for each statement execute function erp.item_codes_changed();
create or replace trigger item_uom_codes_inserted after insert on erp.item_uom
  referencing new table as new_rows for each statement execute function erp.item_unit_codes_changed();
create or replace trigger item_uom_codes_updated after update on erp.item_uom
  referencing old table as old_rows new table as new_rows
    for each statement execute function erp.item_unit_codes_changed();
create or replace trigger item_uom_codes_deleted after delete on erp.item_uom
  referencing old table as old_rows for each statement execute function erp.item_unit_codes_changed();
create or replace trigger company_duplicate_codes after update on erp.company
  for each row execute function erp.duplicate_codes_switched();
