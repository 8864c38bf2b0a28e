-- Price lists. A file's rows go into the temporary table price_row as they were
-- written; "resolve" makes price_todo of them, typed and matched with what is
-- there; what is wrong goes to price_bad, in the reader's words; "apply" writes.
-- These statements stand apart from queries/ because their tables exist only
-- while a file is loaded. All of it ends with the transaction.
--
-- No order waits for any of this. Changing a price locks the item's row FOR NO
-- KEY UPDATE, and a new rule locks its customer and item FOR KEY SHARE; placing
-- an order takes FOR KEY SHARE of the items, FOR NO KEY UPDATE of the customer
-- and the rows of erp.stock, which no price list touches.

-- name: begin
-- One list at a time: two that wait for each other's rules would deadlock.
select pg_try_advisory_xact_lock(7265002);

-- name: bad
create temp table price_bad (line int not null, field text not null, message text not null) on commit drop;

-- name: counts
select count(*) filter (where t.state = 'new')::int as new, count(*) filter (where t.state = 'changed')::int as changed,
  count(*) filter (where t.state = 'same')::int as unchanged,
  (select count(distinct b.line)::int from pg_temp.price_bad b) as bad, (select count(*)::int from pg_temp.price_bad)
    as found
from pg_temp.price_todo t;

-- name: problems
select b.line, b.field as column, b.message from pg_temp.price_bad b order by b.line, b.field limit @row_limit;

-- name: match
-- A row goes with the rule that stands at the same place for the same levels
-- and begins on the same day; of several alike, the first with the first.
create index on pg_temp.price_todo (place);
create index on pg_temp.price_there (place);
analyze pg_temp.price_todo;
analyze pg_temp.price_there;
with mine as (
  select t.line, t.place, t.levels, d.first_day, row_number() over (partition by t.place, t.levels, d.first_day
    order by t.line) as n
  from pg_temp.price_todo t cross join lateral (select case when isfinite(lower(t.valid)) then lower(t.valid)
    end as first_day) d
), theirs as (
  select r.*, d.first_day, row_number() over (partition by r.place, r.levels, d.first_day order by r.rule_id) as n
  from pg_temp.price_there r cross join lateral (select case when isfinite(lower(r.valid)) then lower(r.valid)
    end as first_day) d
)
update pg_temp.price_todo t set rule_id = r.rule_id,
  state = case when t.says = r.says and coalesce(upper(t.valid), 'infinity') = coalesce(upper(r.valid), 'infinity')
    then 'same' else 'changed' end
from mine m join theirs r on r.place = m.place and r.n = m.n and (r.levels, r.first_day) is not distinct from (m.levels,
  m.first_day)
where m.line = t.line;
update pg_temp.price_there r set matched = true from pg_temp.price_todo t where t.rule_id = r.rule_id;

-- name: overlaps
-- Against what is there and not in the file, and against the file's other rows.
-- A bad row leaves its rule as it was, which may then be in the way of another:
-- repeated until nothing new is found.
with overlapping as (
  select distinct on (t.line) t.line, t.rule_id,
    case when x.line is not null then 'This overlaps line ' || x.line || '.'
      else concat_ws(' ', 'This overlaps the rule at', x.says,
        case when isfinite(lower(x.valid)) then 'from ' || to_char(lower(x.valid), 'FMDD Mon YYYY') end,
        case when isfinite(upper(x.valid)) then 'until ' || to_char(upper(x.valid) - 1, 'FMDD Mon YYYY') end) ||
          ', which is there already.'
    end as message
  from pg_temp.price_todo t
  join lateral (
    select null::int as line, r.says, r.levels, r.valid from pg_temp.price_there r where r.place = t.place
      and not r.matched
    union all
    select o.line, o.says, o.levels, o.valid from pg_temp.price_todo o where o.place = t.place
      and (o.line < t.line or o.state = 'same' and o.line <> t.line)
  ) x on x.valid && t.valid and (x.levels is null and t.levels is null or x.levels && t.levels)
  where t.state <> 'same'
  order by t.line, x.line nulls first
), noted as (
  insert into pg_temp.price_bad select o.line, 'valid_from', o.message from overlapping o
), freed as (
  update pg_temp.price_there r set matched = false from overlapping o where r.rule_id = o.rule_id
), gone as (
  delete from pg_temp.price_todo t using overlapping o where o.line = t.line
)
select count(*)::int from overlapping;

-- name: levels_rows
create temp table price_row (line int not null, item_no text, price_a text, price_b text, price_c text, price_d text,
  price_e text) on commit drop;

-- name: levels_resolve
-- A column that the file does not have is null and stays as it is.
analyze pg_temp.price_row;
create temp table price_todo on commit drop as
select r.line, i.item_id, r.item_no, 'same' as state,
  case when r.price_a is null then i.price_a else nullif(r.price_a, '')::numeric end as price_a,
  case when r.price_b is null then i.price_b else nullif(r.price_b, '')::numeric end as price_b,
  case when r.price_c is null then i.price_c else nullif(r.price_c, '')::numeric end as price_c,
  case when r.price_d is null then i.price_d else nullif(r.price_d, '')::numeric end as price_d,
  case when r.price_e is null then i.price_e else nullif(r.price_e, '')::numeric end as price_e
from pg_temp.price_row r left join erp.item i on i.item_no = r.item_no;
analyze pg_temp.price_todo;
insert into pg_temp.price_bad
select t.line, 'item_no', case when t.item_id is null then 'There is no item ' || t.item_no || '.'
  else 'Item ' || t.item_no || ' is on line ' || t.first || ' already.' end
from (select p.*, min(p.line) over (partition by p.item_id) as first from pg_temp.price_todo p) t
where t.item_id is null or t.line <> t.first;
delete from pg_temp.price_todo t using pg_temp.price_bad b where b.line = t.line;
update pg_temp.price_todo t set state = 'changed' from erp.item i
where i.item_id = t.item_id
  and (i.price_a, i.price_b, i.price_c, i.price_d, i.price_e) is distinct from (t.price_a, t.price_b, t.price_c,
    t.price_d, t.price_e);

-- name: levels_apply
-- In the order of the items, as everybody does who locks several.
with mine as materialized (
  select i.item_id, t.price_a, t.price_b, t.price_c, t.price_d, t.price_e
  from pg_temp.price_todo t join erp.item i using (item_id)
  where t.state = 'changed'
  order by i.item_id for no key update of i
)
update erp.item i set price_a = m.price_a, price_b = m.price_b, price_c = m.price_c, price_d = m.price_d,
  price_e = m.price_e
from mine m where i.item_id = m.item_id;

-- name: contracts_rows
create temp table price_row (line int not null, customer_no text, item_no text, uom text, kind text, value text,
  min_qty text,
  valid_from text, valid_to text) on commit drop;

-- name: contracts_resolve
analyze pg_temp.price_row;
create temp table price_todo on commit drop as
select r.line, null::bigint as rule_id, 'new' as state, null::text as place, null::char(1)[] as levels,
  r.kind || ' ' || trim_scale(r.value::numeric) as says,
  c.customer_id, i.item_id, nullif(r.uom, '') as uom, r.kind, r.value::numeric as value, coalesce(nullif(r.min_qty, ''),
    '0')::numeric as min_qty,
  daterange(nullif(r.valid_from, '')::date, nullif(r.valid_to, '')::date, '[]') as valid
from pg_temp.price_row r left join erp.customer c using (customer_no) left join erp.item i using (item_no);
insert into pg_temp.price_bad
  select t.line, 'customer_no', 'There is no customer ' || r.customer_no || '.' from pg_temp.price_todo t
    join pg_temp.price_row r using (line) where t.customer_id is null
  union all
  select t.line, 'item_no', 'There is no item ' || r.item_no || '.' from pg_temp.price_todo t join pg_temp.price_row r
    using (line) where t.item_id is null;
delete from pg_temp.price_todo t using pg_temp.price_bad b where b.line = t.line;
update pg_temp.price_todo t set place = concat_ws(' ', t.customer_id, t.item_id, trim_scale(t.min_qty), t.uom);
create temp table price_there on commit drop as
select r.contract_id as rule_id, concat_ws(' ', r.customer_id, r.item_id, trim_scale(r.min_qty), nullif(r.uom, ''))
  as place, null::char(1)[] as levels,
  r.kind || ' ' || trim_scale(r.value) as says, r.valid, false as matched
from erp.price_contract r
where exists (select from pg_temp.price_todo t where t.customer_id = r.customer_id and t.item_id = r.item_id);

-- name: contracts_units
-- Asked of what would be written only: a rule may be older than its unit's end.
with unknown as (
  select t.line, t.rule_id, i.item_no || ' is not sold by ' || t.uom || '.' as message
  from pg_temp.price_todo t join erp.item i using (item_id)
  where t.state <> 'same' and t.uom <> i.base_uom
    and not exists (select from erp.item_uom u where u.item_id = t.item_id and u.uom = t.uom)
), noted as (
  insert into pg_temp.price_bad select u.line, 'uom', u.message from unknown u
), freed as (
  update pg_temp.price_there r set matched = false from unknown u where r.rule_id = u.rule_id
)
delete from pg_temp.price_todo t using unknown u where u.line = t.line;

-- name: contracts_change
-- First what gets shorter, so that at no moment two rules overlap.
update erp.price_contract r set kind = t.kind, value = t.value, valid = t.valid
from pg_temp.price_todo t
where r.contract_id = t.rule_id and t.state = 'changed'
  and @shorter = (coalesce(upper(t.valid), 'infinity') <= coalesce(upper(r.valid), 'infinity'));

-- name: contracts_add
insert into erp.price_contract (customer_id, item_id, uom, kind, value, min_qty, valid)
select t.customer_id, t.item_id, t.uom, t.kind, t.value, t.min_qty, t.valid from pg_temp.price_todo t
  where t.state = 'new' order by t.line;

-- name: groups_rows
create temp table price_row (line int not null, customer_no text, category text, kind text, value text, valid_from text,
  valid_to text) on commit drop;

-- name: groups_resolve
analyze pg_temp.price_row;
create temp table price_todo on commit drop as
select r.line, null::bigint as rule_id, 'new' as state, null::text as place, null::char(1)[] as levels,
  r.kind || ' ' || trim_scale(r.value::numeric) as says,
  c.customer_id, k.category_id, r.kind, r.value::numeric as value,
  daterange(nullif(r.valid_from, '')::date, nullif(r.valid_to, '')::date, '[]') as valid
from pg_temp.price_row r
left join erp.customer c using (customer_no)
left join (select btrim(g.name) as name, min(g.category_id) as category_id from erp.category g group by 1) k
  on k.name = r.category;
insert into pg_temp.price_bad
  select t.line, 'customer_no', 'There is no customer ' || r.customer_no || '.' from pg_temp.price_todo t
    join pg_temp.price_row r using (line) where t.customer_id is null
  union all
  select t.line, 'category', 'There is no category ' || r.category || '.' from pg_temp.price_todo t
    join pg_temp.price_row r using (line) where t.category_id is null;
delete from pg_temp.price_todo t using pg_temp.price_bad b where b.line = t.line;
update pg_temp.price_todo t set place = concat_ws(' ', t.customer_id, t.category_id);
create temp table price_there on commit drop as
select r.group_id as rule_id, concat_ws(' ', r.customer_id, r.category_id) as place, null::char(1)[] as levels,
  r.kind || ' ' || trim_scale(r.value) as says, r.valid, false as matched
from erp.price_group r
where exists (select from pg_temp.price_todo t where t.customer_id = r.customer_id and t.category_id = r.category_id);

-- name: groups_change
update erp.price_group r set kind = t.kind, value = t.value, valid = t.valid
from pg_temp.price_todo t
where r.group_id = t.rule_id and t.state = 'changed'
  and @shorter = (coalesce(upper(t.valid), 'infinity') <= coalesce(upper(r.valid), 'infinity'));

-- name: groups_add
insert into erp.price_group (customer_id, category_id, kind, value, valid)
select t.customer_id, t.category_id, t.kind, t.value, t.valid from pg_temp.price_todo t where t.state = 'new'
  order by t.line;

-- name: breaks_rows
create temp table price_row (line int not null, item_no text, min_qty text, price text, use_level text, levels text,
  valid_from text, valid_to text) on commit drop;

-- name: breaks_resolve
-- Levels are compared sorted, each once.
analyze pg_temp.price_row;
create temp table price_todo on commit drop as
select r.line, null::bigint as rule_id, 'new' as state, null::text as place, string_to_array(nullif(r.levels, ''),
  ',')::char(1)[] as levels,
  coalesce('level ' || nullif(r.use_level, ''), trim_scale(nullif(r.price, '')::numeric)::text) as says,
  i.item_id, r.min_qty::numeric as min_qty, nullif(r.price, '')::numeric as price, nullif(r.use_level, '') as use_level,
  daterange(nullif(r.valid_from, '')::date, nullif(r.valid_to, '')::date, '[]') as valid
from pg_temp.price_row r left join erp.item i using (item_no);
insert into pg_temp.price_bad
  select t.line, 'item_no', 'There is no item ' || r.item_no || '.' from pg_temp.price_todo t join pg_temp.price_row r
    using (line) where t.item_id is null
  union all
  select t.line, 'min_qty', 'The quantity must be above zero.' from pg_temp.price_todo t where t.min_qty <= 0;
delete from pg_temp.price_todo t using pg_temp.price_bad b where b.line = t.line;
update pg_temp.price_todo t set place = concat_ws(' ', t.item_id, trim_scale(t.min_qty));
create temp table price_there on commit drop as
select r.break_id as rule_id, concat_ws(' ', r.item_id, trim_scale(r.min_qty)) as place,
  case when r.levels is not null then array(select distinct l from unnest(r.levels) l order by l) end as levels,
  coalesce('level ' || r.use_level, trim_scale(r.price)::text) as says, r.valid, false as matched
from erp.price_break r
where exists (select from pg_temp.price_todo t where t.item_id = r.item_id);

-- name: breaks_change
update erp.price_break r set price = t.price, use_level = t.use_level, valid = t.valid
from pg_temp.price_todo t
where r.break_id = t.rule_id and t.state = 'changed'
  and @shorter = (coalesce(upper(t.valid), 'infinity') <= coalesce(upper(r.valid), 'infinity'));

-- name: breaks_add
insert into erp.price_break (item_id, min_qty, price, use_level, levels, valid)
select t.item_id, t.min_qty, t.price, t.use_level, t.levels, t.valid from pg_temp.price_todo t where t.state = 'new'
  order by t.line;

-- name: levels_export
-- An apostrophe keeps a spreadsheet from taking a number for a formula; reading
-- a file takes it away again.
copy (select regexp_replace(i.item_no, '^(?=[=+@''-])', '''') as item_no, trim_scale(i.price_a) as price_a,
  trim_scale(i.price_b) as price_b, trim_scale(i.price_c) as price_c,
    trim_scale(i.price_d) as price_d, trim_scale(i.price_e) as price_e
  from erp.item i order by i.item_no) to stdout with (format csv, header);

-- name: contracts_export
copy (select regexp_replace(c.customer_no, '^(?=[=+@''-])', '''') as customer_no,
  regexp_replace(i.item_no, '^(?=[=+@''-])', '''') as item_no, regexp_replace(r.uom, '^(?=[=+@''-])', '''') as uom,
    r.kind,
    trim_scale(r.value) as value, trim_scale(r.min_qty) as min_qty,
    case when isfinite(lower(r.valid)) then to_char(lower(r.valid), 'YYYY-MM-DD') end as valid_from,
    case when isfinite(upper(r.valid)) then to_char(upper(r.valid) - 1, 'YYYY-MM-DD') end as valid_to
  from erp.price_contract r join erp.customer c using (customer_id) join erp.item i using (item_id)
  order by c.customer_no, i.item_no, r.contract_id) to stdout with (format csv, header);

-- name: groups_export
copy (select regexp_replace(c.customer_no, '^(?=[=+@''-])', '''') as customer_no,
  regexp_replace(k.name, '^(?=[=+@''-])', '''') as category, r.kind, trim_scale(r.value) as value,
    case when isfinite(lower(r.valid)) then to_char(lower(r.valid), 'YYYY-MM-DD') end as valid_from,
    case when isfinite(upper(r.valid)) then to_char(upper(r.valid) - 1, 'YYYY-MM-DD') end as valid_to
  from erp.price_group r join erp.customer c using (customer_id) join erp.category k using (category_id)
  order by c.customer_no, k.name, r.group_id) to stdout with (format csv, header);

-- name: breaks_export
copy (select regexp_replace(i.item_no, '^(?=[=+@''-])', '''') as item_no, trim_scale(r.min_qty) as min_qty,
  trim_scale(r.price) as price, r.use_level,
    array_to_string(r.levels, ' ') as levels,
    case when isfinite(lower(r.valid)) then to_char(lower(r.valid), 'YYYY-MM-DD') end as valid_from,
    case when isfinite(upper(r.valid)) then to_char(upper(r.valid) - 1, 'YYYY-MM-DD') end as valid_to
  from erp.price_break r join erp.item i using (item_id)
  where r.levels is null or r.levels <> '{}'
  order by i.item_no, r.min_qty, r.break_id) to stdout with (format csv, header);
