-- name: price_customer
select c.customer_no, c.name, c.price_level from erp.customer c where c.customer_no = @customer_no;

-- name: price_item
select i.item_no, i.description, i.base_uom from erp.item i where i.item_no = @item_no;

-- name: price_customer_contracts
select pc.contract_id, c.customer_no, c.name as customer_name, i.item_no, i.description, i.base_uom, pc.uom, pc.kind,
  pc.value, pc.min_qty, d.valid_from, d.valid_to, d.state
from erp.customer c
join erp.price_contract pc using (customer_id)
join erp.item i using (item_id)
cross join lateral erp.rule_dates(pc.valid) d
where c.customer_no = @customer_no
  and (@all or upper(pc.valid) > erp.today() or upper_inf(pc.valid))
  and (@query = '' or lower(i.item_no) like @prefix or i.description ilike all (@words::text[]))
  and (@after_no = '' or (i.item_no, pc.contract_id) > (@after_no, @after_id::bigint))
order by i.item_no, pc.contract_id
limit @row_limit;

-- name: price_item_contracts
select pc.contract_id, c.customer_no, c.name as customer_name, i.item_no, i.description, i.base_uom, pc.uom, pc.kind,
  pc.value, pc.min_qty, d.valid_from, d.valid_to, d.state
from erp.item i
join erp.price_contract pc using (item_id)
join erp.customer c using (customer_id)
cross join lateral erp.rule_dates(pc.valid) d
where i.item_no = @item_no
  and (@all or upper(pc.valid) > erp.today() or upper_inf(pc.valid))
  and (@query = '' or lower(c.customer_no) like @prefix or c.name ilike all (@words::text[]))
  and (@after_no = '' or (c.customer_no, pc.contract_id) > (@after_no, @after_id::bigint))
order by c.customer_no, pc.contract_id
limit @row_limit;

-- name: price_contract
select pc.contract_id, c.customer_no, c.name as customer_name, i.item_no, i.description, i.base_uom, pc.uom, pc.kind,
  pc.value, pc.min_qty, d.valid_from, d.valid_to, d.state
from erp.customer c
join erp.price_contract pc using (customer_id)
join erp.item i using (item_id)
cross join lateral erp.rule_dates(pc.valid) d
where c.customer_no = @customer_no and pc.contract_id = @rule_id;

-- name: price_groups
select g.group_id, g.category_id, k.name as category, g.kind, g.value, d.valid_from, d.valid_to, d.state
from erp.customer c
join erp.price_group g using (customer_id)
join erp.category k using (category_id)
cross join lateral erp.rule_dates(g.valid) d
where c.customer_no = @customer_no and (@all or upper(g.valid) > erp.today() or upper_inf(g.valid))
order by k.name, g.group_id;

-- name: price_breaks
select b.break_id, b.min_qty, b.price, b.use_level, b.levels::text[] as levels, d.valid_from, d.valid_to, d.state
from erp.item i
join erp.price_break b using (item_id)
cross join lateral erp.rule_dates(b.valid) d
where i.item_no = @item_no and (@all or upper(b.valid) > erp.today() or upper_inf(b.valid))
order by b.min_qty, b.levels nulls first, b.break_id;

-- name: price_hold_contract
-- As it is now, held until the transaction ends.
select pc.contract_id, c.customer_no, c.name as customer_name, i.item_no, i.description, i.base_uom, pc.uom, pc.kind,
  pc.value, pc.min_qty, d.valid_from, d.valid_to, d.state
from erp.customer c
join erp.price_contract pc using (customer_id)
join erp.item i using (item_id)
cross join lateral erp.rule_dates(pc.valid) d
where c.customer_no = @owner and pc.contract_id = @rule_id
for update of pc;

-- name: price_hold_group
select g.group_id, g.category_id, k.name as category, g.kind, g.value, d.valid_from, d.valid_to, d.state
from erp.customer c
join erp.price_group g using (customer_id)
join erp.category k using (category_id)
cross join lateral erp.rule_dates(g.valid) d
where c.customer_no = @owner and g.group_id = @rule_id
for update of g;

-- name: price_hold_break
select b.break_id, b.min_qty, b.price, b.use_level, b.levels::text[] as levels, d.valid_from, d.valid_to, d.state
from erp.item i
join erp.price_break b using (item_id)
cross join lateral erp.rule_dates(b.valid) d
where i.item_no = @owner and b.break_id = @rule_id
for update of b;

-- name: price_categories
-- As a list to choose from: each below its parents.
with recursive tree as (
  select c.category_id, c.name as name, array[c.name] as path from erp.category c where c.parent_id is null
  union all
  select c.category_id, t.name || ' › ' || c.name, t.path || c.name from tree t join erp.category c
    on c.parent_id = t.category_id
  where cardinality(t.path) < 50
)
select t.category_id, t.name from tree t order by t.path;

-- name: price_customer_audit
select a.at, a.actor, a.program, a.action, a.data, a.subject, c.customer_no
from erp.customer c join portal.audit a using (customer_id)
where c.customer_no = @customer_no and a.action in ('price_contract', 'price_group')
order by a.at desc, a.audit_id desc
limit @row_limit;

-- name: price_item_audit
select a.at, a.actor, a.program, a.action, a.data, a.subject, c.customer_no
from portal.audit a left join erp.customer c using (customer_id)
where a.subject = @item_no and a.subject <> '' and a.action in ('price_break', 'price_level', 'price_contract')
order by a.at desc, a.audit_id desc
limit @row_limit;

-- name: price_units
-- An item and the units it is sold in, the base unit first.
select i.item_id, array[i.base_uom] || array(select u.uom from erp.item_uom u
  where u.item_id = i.item_id and u.uom <> i.base_uom order by u.factor, u.uom) as units
from erp.item i where i.item_no = @item_no;

-- name: price_customer_id
select c.customer_id from erp.customer c where c.customer_no = @customer_no;

-- name: price_add_contract
insert into erp.price_contract (customer_id, item_id, uom, kind, value, min_qty, valid)
values (@customer_id, @item_id, @uom::text, @kind, @value::numeric, @min_qty::numeric, daterange(@from::date, @to::date,
  '[]'));

-- name: price_save_contract
update erp.price_contract pc set item_id = @item_id, uom = @uom::text, kind = @kind, value = @value::numeric,
  min_qty = @min_qty::numeric,
  valid = daterange(@from::date, @to::date, '[]')
where pc.contract_id = @rule_id and pc.customer_id = @customer_id;

-- name: price_contract_in_the_way
select pc.kind, pc.value, case when not lower_inf(pc.valid) and isfinite(lower(pc.valid)) then lower(pc.valid)
  end as valid_from,
  case when not upper_inf(pc.valid) and isfinite(upper(pc.valid)) then upper(pc.valid) - 1 end as valid_to,
  case when lower(pc.valid) > erp.today() then 'coming' when upper(pc.valid) <= erp.today() then 'ended' else 'current'
    end as state
from erp.price_contract pc
where pc.customer_id = @customer_id and pc.item_id = @item_id and coalesce(pc.uom, '') = coalesce(@uom::text, '')
  and pc.min_qty = @min_qty::numeric
  and pc.valid && daterange(@from::date, @to::date, '[]') and pc.contract_id <> @rule_id
order by pc.valid limit 1;

-- name: price_add_group
insert into erp.price_group (customer_id, category_id, kind, value, valid)
values (@customer_id, @category_id, @kind, @value::numeric, daterange(@from::date, @to::date, '[]'));

-- name: price_save_group
update erp.price_group g set category_id = @category_id, kind = @kind, value = @value::numeric,
  valid = daterange(@from::date, @to::date, '[]')
where g.group_id = @rule_id and g.customer_id = @customer_id;

-- name: price_group_in_the_way
select g.kind, g.value, case when not lower_inf(g.valid) and isfinite(lower(g.valid)) then lower(g.valid)
  end as valid_from,
  case when not upper_inf(g.valid) and isfinite(upper(g.valid)) then upper(g.valid) - 1 end as valid_to,
  case when lower(g.valid) > erp.today() then 'coming' when upper(g.valid) <= erp.today() then 'ended' else 'current'
    end as state
from erp.price_group g
where g.customer_id = @customer_id and g.category_id = @category_id
  and g.valid && daterange(@from::date, @to::date, '[]') and g.group_id <> @rule_id
order by g.valid limit 1;

-- name: price_add_break
insert into erp.price_break (item_id, min_qty, price, use_level, levels, valid)
values (@item_id, @min_qty::numeric, @price::numeric, @use_level::text, @levels::text[]::char(1)[],
  daterange(@from::date, @to::date, '[]'));

-- name: price_save_break
update erp.price_break b set min_qty = @min_qty::numeric, price = @price::numeric, use_level = @use_level::text,
  levels = @levels::text[]::char(1)[], valid = daterange(@from::date, @to::date, '[]')
where b.break_id = @rule_id and b.item_id = @item_id;

-- name: price_break_in_the_way
-- No constraint forbids it, and the price takes the older; here it is a slip. A
-- break for some levels goes before one for all, so those two may stand
-- together.
select case when b.price is null then 'level ' || b.use_level else trim_scale(b.price)::text end as words, case
  when not lower_inf(b.valid) and isfinite(lower(b.valid)) then lower(b.valid) end as valid_from,
  case when not upper_inf(b.valid) and isfinite(upper(b.valid)) then upper(b.valid) - 1 end as valid_to,
  case when lower(b.valid) > erp.today() then 'coming' when upper(b.valid) <= erp.today() then 'ended' else 'current'
    end as state
from erp.price_break b
where b.item_id = @item_id and b.min_qty = @min_qty::numeric and b.break_id <> @rule_id
  and b.valid && daterange(@from::date, @to::date, '[]')
  and (b.levels is null and @levels::text[] is null or b.levels && @levels::text[]::char(1)[])
order by b.valid limit 1;

-- name: price_end_contract
-- Yesterday is its last day; a rule that has not begun by then goes.
with gone as (
  delete from erp.price_contract r using erp.customer c where c.customer_id = r.customer_id and c.customer_no = @owner
    and r.contract_id = @rule_id
    and lower(r.valid) >= erp.today() returning 1
), ended as (
  update erp.price_contract r set valid = daterange(lower(r.valid), erp.today(), '[)')
  from erp.customer c where c.customer_id = r.customer_id and c.customer_no = @owner and r.contract_id = @rule_id
    and (lower_inf(r.valid) or lower(r.valid) < erp.today()) and (upper_inf(r.valid) or upper(r.valid) > erp.today())
      returning 1
)
select exists (select from gone) as gone, exists (select from ended) as ended;

-- name: price_delete_contract
delete from erp.price_contract r using erp.customer c where c.customer_id = r.customer_id and c.customer_no = @owner
  and r.contract_id = @rule_id;

-- name: price_end_group
-- Yesterday is its last day; a rule that has not begun by then goes.
with gone as (
  delete from erp.price_group r using erp.customer c where c.customer_id = r.customer_id and c.customer_no = @owner
    and r.group_id = @rule_id
    and lower(r.valid) >= erp.today() returning 1
), ended as (
  update erp.price_group r set valid = daterange(lower(r.valid), erp.today(), '[)')
  from erp.customer c where c.customer_id = r.customer_id and c.customer_no = @owner and r.group_id = @rule_id
    and (lower_inf(r.valid) or lower(r.valid) < erp.today()) and (upper_inf(r.valid) or upper(r.valid) > erp.today())
      returning 1
)
select exists (select from gone) as gone, exists (select from ended) as ended;

-- name: price_delete_group
delete from erp.price_group r using erp.customer c where c.customer_id = r.customer_id and c.customer_no = @owner
  and r.group_id = @rule_id;

-- name: price_end_break
-- Yesterday is its last day; a rule that has not begun by then goes.
with gone as (
  delete from erp.price_break r using erp.item i where i.item_id = r.item_id and i.item_no = @owner
    and r.break_id = @rule_id
    and lower(r.valid) >= erp.today() returning 1
), ended as (
  update erp.price_break r set valid = daterange(lower(r.valid), erp.today(), '[)')
  from erp.item i where i.item_id = r.item_id and i.item_no = @owner and r.break_id = @rule_id
    and (lower_inf(r.valid) or lower(r.valid) < erp.today()) and (upper_inf(r.valid) or upper(r.valid) > erp.today())
      returning 1
)
select exists (select from gone) as gone, exists (select from ended) as ended;

-- name: price_delete_break
delete from erp.price_break r using erp.item i where i.item_id = r.item_id and i.item_no = @owner
  and r.break_id = @rule_id;

-- name: price_why_ask
-- Whose price of what; the price is that of noon of the day.
select c.customer_no, c.name as customer_name, c.price_level, i.item_no, i.description, coalesce(@uom::text, i.base_uom)
  as uom, @qty::numeric as qty,
  coalesce(@date::date, erp.today()) as date,
  array[i.base_uom] || array(select u.uom from erp.item_uom u where u.item_id = i.item_id and u.uom <> i.base_uom
    order by u.factor, u.uom) as units,
  p.unit_price, p.step
from erp.company co
cross join erp.customer c
cross join erp.item i
cross join lateral erp.price(c.customer_id, array[i.item_id], array[@uom::text], array[@qty::numeric],
  (coalesce(@date::date, erp.today()) + time '12:00') at time zone co.time_zone) p
where c.customer_no = @customer_no and i.item_no = @item_no;

-- name: price_why
select w.step, w.rule_id, w.unit_price, w.wins, w.reason, w.valid_from, w.valid_until, w.min_qty, coalesce(w.detail, '')
  as detail
from erp.company co
cross join erp.customer c
cross join erp.item i
cross join lateral erp.price_why(c.customer_id, i.item_id, @uom::text, @qty::numeric,
  (coalesce(@date::date, erp.today()) + time '12:00') at time zone co.time_zone) with ordinality
    as w(step, rule_id, unit_price, wins, reason, valid_from, valid_until, min_qty, detail, ord)
where c.customer_no = @customer_no and i.item_no = @item_no
order by w.ord;
