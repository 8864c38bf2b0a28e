-- Receipts: whenever an order line gets a price, by whatever program, the
-- database asks erp.price itself and keeps both answers. A price that another
-- program thought out stands out against it for good.
--
-- Written for lines whose newest receipt is not what they say. The item's
-- quantity over the whole order is what breaks go by; it is handed over as a
-- line of its own beside lines of quantity 0, so that one line that is added to
-- a long order is one question and not the whole order again.
create or replace function portal.keep_price_receipts(p_order_ids bigint[], p_line_nos int[]) returns void
language plpgsql security definer set search_path = pg_catalog set enable_nestloop = on
as $$
begin
  insert into portal.price_receipt (order_id, line_no, total_qty, asked_price, asked_step, asked_rule_id, unit_price, price_step, price_rule_id)
  with line as materialized (
    select l.order_id, l.line_no, l.item_id, l.uom, l.unit_price, l.price_step, l.price_rule_id
    from unnest(p_order_ids, p_line_nos) as a(order_id, line_no)
    join erp.sales_order_line l using (order_id, line_no)
    left join lateral (
      select r.unit_price, r.price_step, r.price_rule_id, r.receipt_id from portal.price_receipt r
      where r.order_id = l.order_id and r.line_no = l.line_no order by r.receipt_id desc limit 1
    ) r on true
    where l.unit_price is not null
      and (r.receipt_id is null or (r.unit_price, r.price_step, r.price_rule_id) is distinct from (l.unit_price, l.price_step, l.price_rule_id))
  ), total as materialized (
    select l.order_id, l.item_id, sum((l.qty - l.qty_cancelled) * l.factor) as qty
    from erp.sales_order_line l
    where l.order_id = any (p_order_ids) and l.item_id in (select x.item_id from line x)
    group by 1, 2
  ), ask as (
    select o.order_id, o.customer_id, q.items, q.uoms, q.qtys, q.lines
    from (select distinct x.order_id from line x) d
    join erp.sales_order o using (order_id)
    cross join lateral (
      select array_agg(e.item_id order by e.line_no) as items, array_agg(e.uom order by e.line_no) as uoms,
        array_agg(e.qty order by e.line_no) as qtys, array_agg(e.line_no order by e.line_no) as lines
      from (
        select x.item_id, x.uom, 0::numeric as qty, x.line_no from line x where x.order_id = o.order_id
        union all
        select t.item_id, null, t.qty, null from total t where t.order_id = o.order_id
      ) e
    ) q
    where o.source <> 'IMPORT'
  ), asked as (
    select k.order_id, k.lines[p.ord] as line_no, p.unit_price, nullif(p.step, 'none') as step, p.rule_id
    from ask k cross join lateral erp.price(k.customer_id, k.items, k.uoms, k.qtys) p
    where k.lines[p.ord] is not null
  )
  select x.order_id, x.line_no, case when q.line_no is not null then t.qty end, q.unit_price, q.step, q.rule_id, x.unit_price, x.price_step, x.price_rule_id
  from line x
  left join total t on t.order_id = x.order_id and t.item_id = x.item_id
  left join asked q on q.order_id = x.order_id and q.line_no = x.line_no
  order by x.order_id, x.line_no;
end
$$;

-- Takes the prices of lines without a receipt as they are: of orders that were
-- loaded with triggers off, long past.
create or replace function portal.adopt_prices() returns bigint
language sql security definer set search_path = pg_catalog
as $$
  with kept as (
    insert into portal.price_receipt (order_id, line_no, priced_at, unit_price, price_step, price_rule_id)
    select l.order_id, l.line_no, o.submitted_at, l.unit_price, l.price_step, l.price_rule_id
    from erp.sales_order_line l join erp.sales_order o using (order_id)
    where l.unit_price is not null
      and not exists (select from portal.price_receipt r where r.order_id = l.order_id and r.line_no = l.line_no)
    returning 1
  )
  select count(*) from kept
$$;

create or replace function portal.order_line_receipt() returns trigger
language plpgsql security definer set search_path = pg_catalog set enable_nestloop = off
as $$
declare
  orders bigint[];
  lines int[];
begin
  if tg_op = 'INSERT' then
    select array_agg(n.order_id), array_agg(n.line_no) into orders, lines from new_rows n;
  else
    select array_agg(n.order_id), array_agg(n.line_no) into orders, lines
    from new_rows n join old_rows p using (order_id, line_no)
    where (n.unit_price, n.price_step, n.price_rule_id) is distinct from (p.unit_price, p.price_step, p.price_rule_id);
  end if;
  if orders is not null then
    perform portal.keep_price_receipts(orders, lines);
  end if;
  return null;
end
$$;
-- after sales_order_line_inserted, which prices lines that came without a price
create or replace trigger sales_order_line_receipt_inserted after insert on erp.sales_order_line
  referencing new table as new_rows for each statement execute function portal.order_line_receipt();
create or replace trigger sales_order_line_receipt_updated after update on erp.sales_order_line
  referencing old table as old_rows new table as new_rows for each statement execute function portal.order_line_receipt();

-- What erp.price goes by beside the rules, which price_audit.sql has: levels of
-- customers, units, categories, the company's policy. Without these rows the
-- proof could not tell a change from a slip.
create or replace function portal.price_basis_audited() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
declare
  was jsonb := to_jsonb(old);
  became jsonb := case when tg_op = 'UPDATE' then to_jsonb(new) else '{}' end;
begin
  insert into portal.audit (action, customer_id, subject, data)
  select 'price_basis', case tg_table_name when 'customer' then (was ->> 'customer_id')::bigint end,
    case when was ? 'item_id' then coalesce((select i.item_no from erp.item i where i.item_id = (was ->> 'item_id')::bigint), '')
      when tg_table_name in ('category', 'company') then 'all items' else '' end,
    jsonb_build_object('table', tg_table_name) || coalesce((
      select jsonb_object_agg(f.key, jsonb_build_array(was -> f.key, became -> f.key))
      from unnest(tg_argv) as f(key) where was -> f.key is distinct from became -> f.key), '{}');
  return null;
end
$$;
create or replace trigger customer_price_basis after update of price_level on erp.customer
  for each row when (old.price_level is distinct from new.price_level) execute function portal.price_basis_audited('price_level');
create or replace trigger item_price_basis after update of category_id, base_uom on erp.item
  for each row when ((old.category_id, old.base_uom) is distinct from (new.category_id, new.base_uom)) execute function portal.price_basis_audited('category_id', 'base_uom');
create or replace trigger item_uom_price_basis_changed after update of uom, factor, price on erp.item_uom
  for each row when ((old.uom, old.factor, old.price) is distinct from (new.uom, new.factor, new.price)) execute function portal.price_basis_audited('uom', 'factor', 'price');
create or replace trigger item_uom_price_basis_gone after delete on erp.item_uom
  for each row execute function portal.price_basis_audited('uom', 'factor', 'price');
create or replace trigger category_price_basis after update of parent_id on erp.category
  for each row when (old.parent_id is distinct from new.parent_id) execute function portal.price_basis_audited('parent_id');
create or replace trigger company_price_basis after update of price_policy, time_zone on erp.company
  for each row when ((old.price_policy, old.time_zone) is distinct from (new.price_policy, new.time_zone)) execute function portal.price_basis_audited('price_policy', 'time_zone');
