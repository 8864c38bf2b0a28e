-- Receipts: whenever an order line gets a price, by whatever program, the
-- database asks erp.price itself and keeps both answers. A price that another
-- program thought out stands out against it for good.
--
-- Written for lines whose newest receipt is not what they say. The item's
-- quantity over the whole order is what breaks go by; it is handed over as a
-- line of its own beside lines of quantity 0, so that one line that is added to
-- a long order is one question and not the whole order again.
--
-- Order by order, and joined by keys alone: the plans are kept for the session,
-- and have to do for a line and for two thousand.
create or replace function portal.keep_price_receipts(p_order_ids bigint[], p_line_nos int[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_nestloop = on
as $$
declare
  o record;
  lines int[];
  items bigint[];
  uoms text[];
  totals numeric[];
  sum_items bigint[];
  sum_qtys numeric[];
begin
  for o in
    select s.order_id, s.customer_id, s.source, a.line_nos
    from (select u.order_id, array_agg(u.line_no) as line_nos from unnest(p_order_ids, p_line_nos)
      as u(order_id, line_no) group by 1) a
    join erp.sales_order s using (order_id)
    order by s.order_id
  loop
    select array_agg(l.line_no order by l.line_no), array_agg(l.item_id order by l.line_no),
      array_agg(l.uom order by l.line_no), array_agg(l.total order by l.line_no)
      into lines, items, uoms, totals
    from (
      select x.line_no, x.item_id, x.uom, x.unit_price, x.price_step, x.price_rule_id,
        sum((x.qty - x.qty_cancelled) * x.factor) over (partition by x.item_id) as total
      from erp.sales_order_line x where x.order_id = o.order_id
    ) l
    left join lateral (
      select r.unit_price, r.price_step, r.price_rule_id, r.receipt_id from portal.price_receipt r
      where r.order_id = o.order_id and r.line_no = l.line_no order by r.receipt_id desc limit 1
    ) r on true
    where l.line_no = any (o.line_nos) and l.unit_price is not null
      and (r.receipt_id is null or (r.unit_price, r.price_step, r.price_rule_id) is distinct from (l.unit_price,
        l.price_step, l.price_rule_id));
    continue when lines is null;
    if o.source = 'IMPORT' then
      insert into portal.price_receipt (order_id, line_no, unit_price, price_step, price_rule_id)
      select l.order_id, l.line_no, l.unit_price, l.price_step, l.price_rule_id
      from erp.sales_order_line l where l.order_id = o.order_id and l.line_no = any (lines)
      order by l.line_no;
      continue;
    end if;
    select array_agg(t.item_id), array_agg(t.total) into sum_items, sum_qtys
    from (select u.item_id, min(u.total) as total from unnest(items, totals) as u(item_id, total) group by 1) t;
    insert into portal.price_receipt (order_id, line_no, total_qty, asked_price, asked_step, asked_rule_id, unit_price,
      price_step, price_rule_id)
    select l.order_id, l.line_no, totals[p.ord], p.unit_price, nullif(p.step, 'none'), p.rule_id, l.unit_price,
      l.price_step, l.price_rule_id
    from erp.price(o.customer_id, items || sum_items, uoms || array_fill(null::text, array[cardinality(sum_items)]),
      array_fill(0::numeric, array[cardinality(items)]) || sum_qtys) p
    join erp.sales_order_line l on l.order_id = o.order_id and l.line_no = lines[p.ord]
    where p.ord <= cardinality(lines);
  end loop;
end
$$;

-- Takes the prices of lines without a receipt as they are: of orders that were
-- loaded with triggers off, long past.
create or replace function portal.adopt_prices() returns bigint
language sql security definer set search_path = pg_catalog, pg_temp
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
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_nestloop = off
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
  referencing old table as old_rows new table as new_rows
    for each statement execute function portal.order_line_receipt();

-- What erp.price goes by beside the rules, which price_audit.sql has: levels of
-- customers, units, categories, the company's policy. Without these rows the
-- proof could not tell a change from a slip.
create or replace function portal.price_basis_audited() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  was jsonb := to_jsonb(old);
  became jsonb := case when tg_op = 'UPDATE' then to_jsonb(new) else '{}' end;
begin
  insert into portal.audit (action, customer_id, subject, data)
  select 'price_basis', case tg_table_name when 'customer' then (was ->> 'customer_id')::bigint end,
    case when was ? 'item_id'
      then coalesce((select i.item_no from erp.item i where i.item_id = (was ->> 'item_id')::bigint), '')
      when tg_table_name in ('category', 'company') then 'all items' else '' end,
    jsonb_build_object('table', tg_table_name) || coalesce((
      select jsonb_object_agg(f.key, jsonb_build_array(was -> f.key, became -> f.key))
      from unnest(tg_argv) as f(key) where was -> f.key is distinct from became -> f.key), '{}');
  return null;
end
$$;
create or replace trigger customer_price_basis after update of price_level on erp.customer
  for each row when (old.price_level is distinct from new.price_level)
    execute function portal.price_basis_audited('price_level');
create or replace trigger item_price_basis after update of category_id, base_uom on erp.item
  for each row when ((old.category_id, old.base_uom) is distinct from (new.category_id,
    new.base_uom)) execute function portal.price_basis_audited('category_id', 'base_uom');
create or replace trigger item_uom_price_basis_changed after update of uom, factor, price on erp.item_uom
  for each row when ((old.uom, old.factor, old.price) is distinct from (new.uom, new.factor,
    new.price)) execute function portal.price_basis_audited('uom', 'factor', 'price');
create or replace trigger item_uom_price_basis_gone after delete on erp.item_uom
  for each row execute function portal.price_basis_audited('uom', 'factor', 'price');
create or replace trigger category_price_basis after update of parent_id on erp.category
  for each row when (old.parent_id is distinct from new.parent_id)
    execute function portal.price_basis_audited('parent_id');
create or replace trigger company_price_basis after update of price_policy, time_zone on erp.company
  for each row when ((old.price_policy, old.time_zone) is distinct from (new.price_policy,
    new.time_zone)) execute function portal.price_basis_audited('price_policy', 'time_zone');
