-- Every change of a price rule or of an item's level prices is in the audit
-- log, whichever program made it: who, when, and each column that changed as
-- [old, new]. The rule's id is always there: [null, 7] came, [7, null] went,
-- [7, 7] was changed. One insert a statement, so that a price list of 100,000
-- rows stays one.
--
-- The old and the new rows are joined by hash: the plan is kept for the session,
-- and one made for a single row would compare every row with every other.
create or replace function portal.price_rule_audited() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_nestloop = off
as $$
declare
  id_column text := tg_argv[0];
begin
  if tg_op = 'INSERT' then
    insert into portal.audit (action, customer_id, subject, data)
    select tg_table_name, (r.n ->> 'customer_id')::bigint, coalesce(
      (select i.item_no from erp.item i where i.item_id = (r.n ->> 'item_id')::bigint),
      (select c.name from erp.category c where c.category_id = (r.n ->> 'category_id')::bigint), ''), (
      select jsonb_object_agg(f.key, jsonb_build_array(null, f.value))
      from jsonb_each(r.n) f where f.value <> 'null' and f.key not in ('customer_id', 'item_id', 'category_id'))
    from (select to_jsonb(n) as n from new_rows n) r;
  elsif tg_op = 'DELETE' then
    insert into portal.audit (action, customer_id, subject, data)
    select tg_table_name, (r.p ->> 'customer_id')::bigint, coalesce(
      (select i.item_no from erp.item i where i.item_id = (r.p ->> 'item_id')::bigint),
      (select c.name from erp.category c where c.category_id = (r.p ->> 'category_id')::bigint), ''), (
      select jsonb_object_agg(f.key, jsonb_build_array(f.value, null))
      from jsonb_each(r.p) f where f.value <> 'null' and f.key not in ('customer_id', 'item_id', 'category_id'))
    from (select to_jsonb(p) as p from old_rows p) r;
  else
    insert into portal.audit (action, customer_id, subject, data)
    select tg_table_name, (r.j ->> 'customer_id')::bigint, coalesce(
      (select i.item_no from erp.item i where i.item_id = (r.j ->> 'item_id')::bigint),
      (select c.name from erp.category c where c.category_id = (r.j ->> 'category_id')::bigint), ''), (
      select jsonb_object_agg(f.key, jsonb_build_array(r.p -> f.key, r.n -> f.key))
      from jsonb_object_keys(r.j) f(key) where f.key = id_column or r.p -> f.key is distinct from r.n -> f.key)
    from (
      -- a rule whose id is changed goes and comes
      select x.n, y.p, coalesce(x.n, y.p) as j
      from (select to_jsonb(n) as n from new_rows n) x
      full join (select to_jsonb(p) as p from old_rows p) y on x.n -> id_column = y.p -> id_column
      where x.n is distinct from y.p
    ) r;
  end if;
  return null;
end
$$;

create or replace trigger price_contract_insert_audited after insert on erp.price_contract
  referencing new table as new_rows for each statement execute function portal.price_rule_audited('contract_id');
create or replace trigger price_contract_update_audited after update on erp.price_contract
  referencing old table as old_rows new table as new_rows
    for each statement execute function portal.price_rule_audited('contract_id');
create or replace trigger price_contract_delete_audited after delete on erp.price_contract
  referencing old table as old_rows for each statement execute function portal.price_rule_audited('contract_id');
create or replace trigger price_group_insert_audited after insert on erp.price_group
  referencing new table as new_rows for each statement execute function portal.price_rule_audited('group_id');
create or replace trigger price_group_update_audited after update on erp.price_group
  referencing old table as old_rows new table as new_rows
    for each statement execute function portal.price_rule_audited('group_id');
create or replace trigger price_group_delete_audited after delete on erp.price_group
  referencing old table as old_rows for each statement execute function portal.price_rule_audited('group_id');
create or replace trigger price_break_insert_audited after insert on erp.price_break
  referencing new table as new_rows for each statement execute function portal.price_rule_audited('break_id');
create or replace trigger price_break_update_audited after update on erp.price_break
  referencing old table as old_rows new table as new_rows
    for each statement execute function portal.price_rule_audited('break_id');
create or replace trigger price_break_delete_audited after delete on erp.price_break
  referencing old table as old_rows for each statement execute function portal.price_rule_audited('break_id');

create or replace function portal.item_price_audited() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_nestloop = off
as $$
begin
  insert into portal.audit (action, subject, data)
  select 'price_level', n.item_no, (
    select jsonb_object_agg(v.name, jsonb_build_array(v.was, v.became))
    from (values ('price_a', p.price_a, n.price_a), ('price_b', p.price_b, n.price_b),
      ('price_c', p.price_c, n.price_c),
      ('price_d', p.price_d, n.price_d), ('price_e', p.price_e, n.price_e), ('cost', p.cost, n.cost))
        as v(name, was, became)
    where v.was is distinct from v.became)
  from new_rows n join old_rows p using (item_id)
  where (n.price_a, n.price_b, n.price_c, n.price_d, n.price_e, n.cost)
    is distinct from (p.price_a, p.price_b, p.price_c, p.price_d, p.price_e, p.cost);
  return null;
end
$$;
create or replace trigger item_price_audited after update on erp.item
  referencing old table as old_rows new table as new_rows
    for each statement execute function portal.item_price_audited();
