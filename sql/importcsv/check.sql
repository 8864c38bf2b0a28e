-- What is wrong with the files as a whole: keys that are there twice, references
-- to nothing, documents that do not add up. Every file is staged in import_<name>
-- (empty where there is none), bad rows too, with their bad cells null; import_bad
-- takes what is found, in the words of who has to mend it.
--
-- Each step adds to import_bad. All run in the import's transaction.

-- step: bad
create temp table import_bad (file text not null, line int not null, field text not null, value text not null,
  message text not null) on commit drop;

-- step: names
-- What a reference may go to: what is in the files and what is there.
analyze pg_temp.import_customers;
analyze pg_temp.import_items;
analyze pg_temp.import_units;
analyze pg_temp.import_history;
analyze pg_temp.import_open_invoices;
create temp table known_customer on commit drop as
  select s.customer_no, max(coalesce(s.terms_days, 30)) as terms_days from pg_temp.import_customers s
    where s.customer_no is not null group by 1
  union all
  select c.customer_no, c.terms_days from erp.customer c
  where not exists (select from pg_temp.import_customers s where s.customer_no = c.customer_no);
create temp table known_item on commit drop as
  select s.item_no, max(coalesce(s.base_uom, 'EA')) as base_uom, max(s.description)
    as description from pg_temp.import_items s where s.item_no is not null group by 1
  union all
  select i.item_no, i.base_uom, i.description from erp.item i
  where not exists (select from pg_temp.import_items s where s.item_no = i.item_no);
create temp table known_unit on commit drop as
  select k.item_no, k.base_uom as uom, 1::numeric as factor from known_item k
  union
  (select distinct on (s.item_no, s.uom) s.item_no, s.uom, s.factor
   from pg_temp.import_units s join known_item k using (item_no) where s.uom <> k.base_uom order by s.item_no, s.uom,
     s.line)
  union
  select k.item_no, u.uom, u.factor from erp.item_uom u join erp.item i using (item_id) join known_item k
    using (item_no)
  where u.uom <> k.base_uom and not exists (select from pg_temp.import_units s where s.item_no = k.item_no
    and s.uom = u.uom);
create temp table known_category on commit drop as
  select s.category from pg_temp.import_categories s where s.category is not null
  union select s.parent from pg_temp.import_categories s where s.parent is not null
  union select s.category from pg_temp.import_items s where s.category is not null
  union select c.name from erp.category c;
create temp table known_ship_to on commit drop as
  select s.customer_no, s.code from pg_temp.import_ship_tos s where s.code is not null
  union select c.customer_no, t.code from erp.ship_to t join erp.customer c using (customer_id);
create unique index on known_customer (customer_no);
create unique index on known_item (item_no);
create index on known_unit (item_no, uom);
analyze known_customer, known_item, known_unit, known_category, known_ship_to;

-- step: twice
insert into import_bad
select d.file, d.line, d.field, d.value, format('This is in line %s already.', d.first)
from (
  select 'customers' as file, s.line, 'customer_no' as field, s.customer_no as value,
    min(s.line) over (partition by s.customer_no) as first from pg_temp.import_customers s
      where s.customer_no is not null
  union all
  select 'web_access', s.line, 'customer_no', s.customer_no, min(s.line) over (partition by s.customer_no)
    from pg_temp.import_web_access s where s.customer_no is not null
  union all
  select 'ship_tos', s.line, 'code', s.code, min(s.line) over (partition by s.customer_no, s.code)
    from pg_temp.import_ship_tos s where s.customer_no is not null and s.code is not null
  union all
  select 'categories', s.line, 'category', s.category, min(s.line) over (partition by s.category)
    from pg_temp.import_categories s where s.category is not null
  union all
  select 'items', s.line, 'item_no', s.item_no, min(s.line) over (partition by s.item_no) from pg_temp.import_items s
    where s.item_no is not null
  union all
  select 'units', s.line, 'uom', s.uom, min(s.line) over (partition by s.item_no, s.uom) from pg_temp.import_units s
    where s.item_no is not null and s.uom is not null
  union all
  select 'stock', s.line, 'item_no', s.item_no, min(s.line) over (partition by s.item_no,
    coalesce(s.warehouse, co.warehouse)) from pg_temp.import_stock s cross join erp.company co
      where s.item_no is not null
  union all
  select 'open_invoices', s.line, 'invoice_no', s.invoice_no, min(s.line) over (partition by s.invoice_no)
    from pg_temp.import_open_invoices s where s.invoice_no is not null
) d
where d.line > d.first;

-- step: codes
-- Numbers that differ by case only and barcodes that two items or units would
-- have, in the files and against what is there; unless the company allows them.
insert into import_bad
with refused as (select from erp.company c where c.duplicate_codes = 'refuse'),
number as (
  select s.line, s.item_no, min(s.line) over w as first, first_value(s.item_no) over w as other
  from pg_temp.import_items s where s.item_no is not null and coalesce(s.active, true)
  window w as (partition by lower(s.item_no) order by s.line)
),
code as (
  select s.file, s.line, s.item_no, s.uom, s.barcode, erp.barcode_key(s.barcode) as key, s.n
  from (
    select 'items' as file, 1 as n, i.line, i.item_no, coalesce(i.base_uom, 'EA') as uom, i.barcode
      from pg_temp.import_items i where coalesce(i.active, true)
    union all
    select 'units', 2, u.line, u.item_no, u.uom, u.barcode from pg_temp.import_units u
    where not exists (select from pg_temp.import_items i where i.item_no = u.item_no and not i.active)
  ) s
  where s.barcode is not null and s.item_no is not null
),
twice as (
  select c.*, first_value(c.file) over w as first_file, first_value(c.line) over w as first_line,
    first_value(c.item_no || ' ' || coalesce(c.uom, '')) over w as first_item
  from code c window w as (partition by c.key order by c.n, c.line)
)
select 'items', n.line, 'item_no', n.item_no, format('%s in line %s differs from this by case only.', n.other, n.first)
from number n, refused where n.other <> n.item_no
union all
select 'items', s.line, 'item_no', s.item_no, format('Item %s in the database differs from this by case only.',
  i.item_no)
from pg_temp.import_items s join erp.item i on lower(i.item_no) = lower(s.item_no) and i.item_no <> s.item_no, refused
where i.active and coalesce(s.active, true) and not exists (select from pg_temp.import_items x
  where x.item_no = i.item_no)
union all
select t.file, t.line, 'barcode', t.barcode, format('%s.csv, line %s, has it for %s already.', t.first_file,
  t.first_line, t.first_item)
from twice t, refused where t.first_item <> t.item_no || ' ' || coalesce(t.uom, '')
union all
select c.file, c.line, 'barcode', c.barcode, format('In the database it is that of %s %s.', d.item_no, d.uom)
from code c
join (
  select i.item_no, i.base_uom as uom, erp.barcode_key(i.barcode) as key, 'items' as file from erp.item i where i.active
    and i.barcode is not null
  union all
  select i.item_no, u.uom, erp.barcode_key(u.barcode), 'units' from erp.item_uom u join erp.item i using (item_id)
    where i.active and u.barcode is not null
) d on d.key = c.key and (d.item_no, d.uom) is distinct from (c.item_no, c.uom), refused
where case d.file when 'items' then not exists (select from pg_temp.import_items x where x.item_no = d.item_no)
  else not exists (select from pg_temp.import_units x where x.item_no = d.item_no and x.uom = d.uom)
    and not exists (select from pg_temp.import_items x where x.item_no = d.item_no and not x.active) end;

-- step: warnings
-- Barcodes as long as a GTIN whose check digit is not right: an ERP's own codes,
-- or a digit that was mistyped.
select w.file || '.csv', w.line, 'barcode', w.barcode,
  'Its last digit is not the check digit of a GTIN. It is taken as a code of your own.'
from (
  select 'items' as file, 1 as n, i.line, i.barcode from pg_temp.import_items i
  union all
  select 'units', 2, u.line, u.barcode from pg_temp.import_units u
) w
where w.barcode ~ '^([0-9]{8}|[0-9]{12,14})$' and erp.gtin(w.barcode) is null
order by w.n, w.line
limit $1;

-- step: references
insert into import_bad
select r.file, r.line, r.field, r.value, format(r.message, r.value)
from (
  select s.file, s.line, 'customer_no' as field, s.customer_no as value,
    'Customer %s is neither in customers.csv nor in the database.' as message
  from (
    select 'ship_tos' as file, line, customer_no from pg_temp.import_ship_tos
    union all select 'web_access', line, customer_no from pg_temp.import_web_access
    union all select 'contracts', line, customer_no from pg_temp.import_contracts
    union all select 'groups', line, customer_no from pg_temp.import_groups
    union all select 'history', line, customer_no from pg_temp.import_history
    union all select 'open_invoices', line, customer_no from pg_temp.import_open_invoices
  ) s
  where s.customer_no is not null and not exists (select from known_customer k where k.customer_no = s.customer_no)
  union all
  select 'web_access', s.line, 'customer_no', s.customer_no,
    'Customer %s has no row in erp.web_access: insert it first.'
  from pg_temp.import_web_access s join erp.customer c using (customer_no)
  where not exists (select from erp.web_access w where w.customer_id = c.customer_id)
  union all
  select s.file, s.line, s.field, s.item_no, 'Item %s is neither in items.csv nor in the database.'
  from (
    select 'items' as file, line, 'substitute_item_no' as field, substitute_item_no as item_no from pg_temp.import_items
    union all select 'units', line, 'item_no', item_no from pg_temp.import_units
    union all select 'contracts', line, 'item_no', item_no from pg_temp.import_contracts
    union all select 'breaks', line, 'item_no', item_no from pg_temp.import_breaks
    union all select 'stock', line, 'item_no', item_no from pg_temp.import_stock
    union all select 'history', line, 'item_no', item_no from pg_temp.import_history
  ) s
  where s.item_no is not null and not exists (select from known_item k where k.item_no = s.item_no)
  union all
  select s.file, s.line, 'uom', s.uom, 'The item has no unit %s: it is neither its base unit nor in units.csv.'
  from (
    select 'contracts' as file, line, item_no, uom from pg_temp.import_contracts
    union all select 'history', line, item_no, uom from pg_temp.import_history
  ) s
  where s.uom is not null and exists (select from known_item k where k.item_no = s.item_no)
    and not exists (select from known_unit u where u.item_no = s.item_no and u.uom = s.uom)
  union all
  select s.file, s.line, 'route', s.route, 'There is no route %s: make it at the desk first.'
  from (select 'customers' as file, line, route from pg_temp.import_customers union all select 'ship_tos', line, route
    from pg_temp.import_ship_tos) s
  where s.route is not null and not exists (select from erp.route r where r.code = s.route)
  union all
  select 'groups', s.line, 'category', s.category, 'There is no category %s, neither in the files nor in the database.'
  from pg_temp.import_groups s
  where s.category is not null and not exists (select from known_category k where k.category = s.category)
  union all
  select 'history', s.line, 'ship_to', s.ship_to, 'The customer has no delivery address %s.'
  from pg_temp.import_history s
  where s.ship_to is not null and exists (select from known_customer k where k.customer_no = s.customer_no)
    and not exists (select from known_ship_to t where t.customer_no = s.customer_no and t.code = s.ship_to)
) r;

-- step: masters
insert into import_bad
select s.file, s.line, 'tax_rate', trim_scale(s.tax_rate)::text, 'A rate is at most 1: 0.08875 is 8.875 %.'
from (select 'customers' as file, line, tax_rate from pg_temp.import_customers union all select 'ship_tos', line,
  tax_rate from pg_temp.import_ship_tos) s
where s.tax_rate > 1
union all
select 'items', s.line, 'substitute_item_no', s.substitute_item_no, 'An item is no substitute of its own.'
from pg_temp.import_items s where s.substitute_item_no = s.item_no
union all
select 'units', s.line, 'factor', trim_scale(s.factor)::text, format('%s is the item''s base unit: its factor is 1.',
  s.uom)
from pg_temp.import_units s join known_item k using (item_no) where s.uom = k.base_uom and s.factor <> 1
union all
select 'units', s.line, 'factor', '0', 'A factor is above 0.' from pg_temp.import_units s where s.factor = 0
union all
select 'breaks', s.line, 'min_qty', '0', 'A quantity break begins above 0.' from pg_temp.import_breaks s
  where s.min_qty = 0
union all
select 'breaks', s.line, 'price', '', 'Give either price or use_level.'
from pg_temp.import_breaks s where s.problems is null and (s.price is null) = (s.use_level is null)
union all
select s.file, s.line, 'value', trim_scale(s.value)::text, 'More than 100 percent off is not a price.'
from (select 'contracts' as file, line, kind, value from pg_temp.import_contracts union all select 'groups', line, kind,
  value from pg_temp.import_groups) s
where s.kind = 'percent_off' and s.value > 100
union all
select s.file, s.line, 'valid_to', s.valid_to::text, 'The last day is before the first.'
from (
  select 'contracts' as file, line, valid_from, valid_to from pg_temp.import_contracts
  union all select 'groups', line, valid_from, valid_to from pg_temp.import_groups
  union all select 'breaks', line, valid_from, valid_to from pg_temp.import_breaks) s
where s.valid_to < s.valid_from
union all
select 'stock', s.line, 'on_hand', trim_scale(s.on_hand)::text,
  format('%s are picked for open orders: there cannot be less.', trim_scale(p.qty))
from pg_temp.import_stock s cross join erp.company co join erp.item i using (item_no)
cross join lateral (
  select sum((l.qty_picked - l.qty_shipped) * l.factor) as qty
  from erp.sales_order_line l join erp.sales_order o using (order_id)
  where l.item_id = i.item_id and l.qty_allocated > 0 and o.warehouse = coalesce(s.warehouse, co.warehouse)) p
where s.on_hand < p.qty;

-- step: circles
insert into import_bad
with recursive parent as (
  select s.category, s.parent, s.line from pg_temp.import_categories s where s.parent is not null
  union all
  select c.name, p.name, 0 from erp.category c join erp.category p on p.category_id = c.parent_id
  where not exists (select from pg_temp.import_categories s where s.category = c.name)
), up as (
  select p.category, p.parent, p.line, 1 as steps from parent p where p.line > 0
  union all
  select u.category, p.parent, u.line, u.steps + 1 from up u join parent p on p.category = u.parent
    where u.parent <> u.category and u.steps < 50
)
select distinct 'categories', u.line, 'parent', u.category, 'This category would stand under itself.' from up u
  where u.parent = u.category;

-- step: rules
-- Dated prices, one place a row: two that hold on the same day contradict each
-- other. A rule of the database that begins on the same day as a row is the one
-- that the row changes.
create temp table import_rule on commit drop as
select 'contracts' as file, s.line, jsonb_build_array(s.customer_no, s.item_no, coalesce(s.uom, ''),
  trim_scale(coalesce(s.min_qty, 0))) as place, daterange(s.valid_from, s.valid_to, '[]') as valid, null::text as levels
from pg_temp.import_contracts s where s.problems is null and coalesce(s.valid_to >= s.valid_from, true)
union all
select 'groups', s.line, jsonb_build_array(s.customer_no, s.category), daterange(s.valid_from, s.valid_to, '[]'), null
from pg_temp.import_groups s where s.problems is null and coalesce(s.valid_to >= s.valid_from, true)
union all
select 'breaks', s.line, jsonb_build_array(s.item_no, trim_scale(s.min_qty)), daterange(s.valid_from, s.valid_to, '[]'),
  s.levels
from pg_temp.import_breaks s where s.problems is null and coalesce(s.valid_to >= s.valid_from, true);
create index on import_rule (file, place);
create temp table there_rule on commit drop as
select 'contracts' as file, r.contract_id as rule_id, jsonb_build_array(c.customer_no, i.item_no, coalesce(r.uom, ''),
  trim_scale(r.min_qty)) as place, r.valid, null::text as levels
from erp.price_contract r join erp.customer c using (customer_id) join erp.item i using (item_id)
where exists (select from pg_temp.import_contracts)
union all
select 'groups', r.group_id, jsonb_build_array(c.customer_no, k.name), r.valid, null
from erp.price_group r join erp.customer c using (customer_id) join erp.category k using (category_id)
where exists (select from pg_temp.import_groups)
union all
select 'breaks', r.break_id, jsonb_build_array(i.item_no, trim_scale(r.min_qty)), r.valid, r.levels::text
from erp.price_break r join erp.item i using (item_id)
where exists (select from pg_temp.import_breaks);
create index on there_rule (file, place);
analyze import_rule, there_rule;
alter table import_rule add column rule_id bigint;
update import_rule s set rule_id = t.rule_id
from there_rule t
where t.file = s.file and t.place = s.place and t.levels is not distinct from s.levels
  and coalesce(lower(t.valid), '-infinity') = coalesce(lower(s.valid), '-infinity');
insert into import_bad
select distinct on (s.file, s.line) s.file, s.line, 'valid_from', coalesce(lower(s.valid)::text, ''), x.message
from import_rule s
cross join lateral (
  select format('This holds on days of line %s as well.', o.line) as message, o.line as n
  from import_rule o where o.file = s.file and o.place = s.place and o.line < s.line and o.valid && s.valid
    and (o.levels is null and s.levels is null or o.levels::text[] && s.levels::text[])
  union all
  select format('This holds on days of a price that is in the database already, for %s.', t.valid), 0
  from there_rule t where t.file = s.file and t.place = s.place and t.valid && s.valid
    and t.rule_id is distinct from s.rule_id
    and (t.levels is null and s.levels is null or t.levels::text[] && s.levels::text[])
    and not exists (select from import_rule o where o.rule_id = t.rule_id and o.file = t.file)
) x
order by s.file, s.line, x.n;

-- step: documents
-- One row a document, of history.csv or brought forward.
create temp table import_document on commit drop as
with head as (
  select distinct on (h.invoice_no) h.invoice_no, h.line, coalesce(h.kind, 'invoice') as kind, h.customer_no,
    h.invoice_date, h.due_date, h.paid_on,
    h.po_no, h.ship_to, coalesce(h.tax, 0) as tax, coalesce(h.freight, 0) as freight
  from pg_temp.import_history h
  where h.invoice_no is not null
  order by h.invoice_no, h.line
), sums as (
  select h.invoice_no, sum(coalesce(h.line_total, round(h.qty * h.unit_price, 2))) as amount,
    bool_and(h.problems is null) as whole
  from pg_temp.import_history h where h.invoice_no is not null group by 1
)
select 'history' as file, h.line, o.line as open_line, h.invoice_no as document_no, h.kind, h.customer_no,
  h.invoice_date as document_date,
  greatest(coalesce(o.due_date, h.due_date, h.invoice_date + k.terms_days), h.invoice_date) as due_date,
    coalesce(o.paid_on, h.paid_on) as paid_on,
  h.po_no, h.ship_to, h.tax, h.freight, round(s.amount, 2) + h.tax + h.freight as total, coalesce(o.open_amount, 0)
    as open_amount, s.whole, h.due_date as due_written,
  null::bigint as customer_id, null::bigint as id, 0::bigint as n
from head h
join sums s using (invoice_no)
left join known_customer k using (customer_no)
left join (select distinct on (x.invoice_no) x.* from pg_temp.import_open_invoices x order by x.invoice_no, x.line) o
  using (invoice_no)
union all
select 'open_invoices', o.line, o.line, o.invoice_no, coalesce(o.kind, 'invoice'), o.customer_no, o.invoice_date,
  greatest(coalesce(o.due_date, o.invoice_date + k.terms_days), o.invoice_date), o.paid_on,
  o.po_no, null, 0, 0, o.total, o.open_amount, o.problems is null, o.due_date, null, null, 0
from pg_temp.import_open_invoices o
left join known_customer k using (customer_no)
where o.invoice_no is not null and not exists (select from pg_temp.import_history h where h.invoice_no = o.invoice_no);
create index on import_document (document_no);
analyze import_document;

-- step: lines
insert into import_bad
select 'history', h.line, x.field, coalesce(x.value, ''), x.message
from pg_temp.import_history h
left join import_document d on d.document_no = h.invoice_no and d.file = 'history'
cross join lateral (values
  (h.item_no is null and h.description is null and h.problems is null, 'item_no', '',
    'A line has an item, or a description of what is charged.'),
  (h.line_total <> round(h.line_total, 2), 'line_total', trim_scale(h.line_total)::text,
    'A line is in cents: two decimals.'),
  -- the price has four decimals: a line may be off by what those cannot say
  (abs(h.line_total - h.qty * h.unit_price) > 0.005 + abs(h.qty) * 0.00005, 'line_total',
    trim_scale(h.line_total)::text,
    format('%s × %s makes %s.', trim_scale(h.qty), trim_scale(h.unit_price), round(h.qty * h.unit_price, 2))),
  (h.line > d.line and h.customer_no <> d.customer_no, 'customer_no', h.customer_no,
    format('Line %s of the same document is of customer %s.', d.line, d.customer_no)),
  (h.line > d.line and h.kind <> d.kind, 'kind', h.kind, format('Line %s says that the document is another kind: %s.',
    d.line, d.kind)),
  (h.line > d.line and h.invoice_date <> d.document_date, 'invoice_date', h.invoice_date::text,
    format('Line %s of the same document says %s.', d.line, d.document_date)),
  (h.line > d.line and h.tax <> d.tax, 'tax', h.tax::text, format('Tax is of the whole document: line %s says %s.',
    d.line, d.tax)),
  (h.line > d.line and h.freight <> d.freight, 'freight', h.freight::text,
    format('Freight is of the whole document: line %s says %s.', d.line, d.freight)),
  (h.line > d.line and h.po_no <> coalesce(d.po_no, ''), 'po_no', h.po_no, format('Line %s says %s.', d.line,
    coalesce(d.po_no, 'nothing'))),
  (h.line > d.line and h.ship_to <> coalesce(d.ship_to, ''), 'ship_to', h.ship_to, format('Line %s says %s.', d.line,
    coalesce(d.ship_to, 'nothing')))
) as x(wrong, field, value, message)
where x.wrong
  -- of a million lines hardly one is wrong: words are made for those alone
  and (h.item_no is null or h.line_total <> round(h.line_total, 2)
    or abs(h.line_total - h.qty * h.unit_price) > 0.005 + abs(h.qty) * 0.00005
    or h.line > d.line and (h.customer_no <> d.customer_no or h.kind <> d.kind or h.invoice_date <> d.document_date
      or h.tax <> d.tax
      or h.freight <> d.freight or h.po_no <> coalesce(d.po_no, '') or h.ship_to <> coalesce(d.ship_to, '')));

-- step: sums
insert into import_bad
select d.file, d.line, x.field, coalesce(x.value, ''), x.message
from import_document d
cross join (select erp.today() as today, co.closed_through as closed from erp.company co) t
cross join lateral (values
  (d.document_date <= t.closed, 'invoice_date', d.document_date::text, format('The books are closed through %s.',
    t.closed)),
  (coalesce(d.paid_on, d.due_date) <= t.closed and d.total > d.open_amount, 'paid_on',
    coalesce(d.paid_on, d.due_date)::text, format('The books are closed through %s.', t.closed)),
  (d.document_date > t.today, 'invoice_date', d.document_date::text, 'This date has not come yet.'),
  (d.paid_on > t.today, 'paid_on', d.paid_on::text, 'This date has not come yet.'),
  (d.due_written < d.document_date, 'due_date', d.due_written::text, 'It would be due before it was written.'),
  (d.kind = 'credit' and d.tax + d.freight <> 0, 'tax', (d.tax + d.freight)::text,
    'A credit memo has no tax or freight of its own: write them as lines without an item.'),
  (d.whole and d.total < 0, 'qty', d.total::text, case d.kind when 'credit'
    then 'A credit memo''s quantities are positive: it adds up to less than nothing.'
    else 'This adds up to less than nothing: a credit memo is kind credit, with positive quantities.' end),
  (d.file = 'open_invoices' and d.open_amount > d.total, 'open_amount', d.open_amount::text,
    format('More is open than the total of %s.', d.total)),
  (d.file = 'open_invoices' and d.open_amount = 0, 'open_amount', '0', 'Nothing of it is open: leave it out.'),
  (d.kind = 'payment' and d.open_amount < d.total, 'open_amount', d.open_amount::text,
    'Of a payment, give as total what is left of it.')
) as x(wrong, field, value, message)
where x.wrong
  and (d.file = 'open_invoices' or t.closed is not null or d.document_date > t.today or d.paid_on > t.today
    or d.due_written < d.document_date or d.kind = 'credit' or d.total < 0)
union all
select 'open_invoices', o.line, x.field, coalesce(x.value, ''), x.message
from pg_temp.import_open_invoices o
join import_document d on d.document_no = o.invoice_no and d.file = 'history'
cross join lateral (values
  (o.customer_no <> d.customer_no, 'customer_no', o.customer_no, format('history.csv, line %s, has it for customer %s.',
    d.line, d.customer_no)),
  (coalesce(o.kind, 'invoice') <> d.kind, 'kind', coalesce(o.kind, 'invoice'),
    format('history.csv, line %s, has it as %s.', d.line, d.kind)),
  (o.invoice_date <> d.document_date, 'invoice_date', o.invoice_date::text, format('history.csv, line %s, says %s.',
    d.line, d.document_date)),
  (o.due_date < d.document_date, 'due_date', o.due_date::text, 'It would be due before it was written.'),
  (d.whole and o.total <> d.total, 'total', o.total::text, format('The lines from history.csv, line %s, make %s.',
    d.line, d.total)),
  (o.open_amount > o.total, 'open_amount', o.open_amount::text, format('More is open than the total of %s.', o.total)),
  (o.paid_on > erp.today(), 'paid_on', o.paid_on::text, 'This date has not come yet.')
) as x(wrong, field, value, message)
where x.wrong;

-- step: there
-- A document that is in the books is never written twice.
insert into import_bad
select d.file, d.line, 'invoice_no', d.document_no,
  format('%s is in the database already, of customer %s, total %s. Documents are imported once: leave it out.', x.word,
    c.customer_no, x.total)
from import_document d
join lateral (
  select 'This invoice' as word, i.customer_id, i.total from erp.invoice i where i.invoice_no = d.document_no
    and d.kind = 'invoice'
  union all
  select 'This credit memo', m.customer_id, m.total from erp.credit_memo m where m.memo_no = d.document_no
    and d.kind = 'credit'
  union all
  select 'This payment', p.customer_id, p.amount from erp.payment p where p.payment_no = d.document_no
    and d.kind = 'payment'
) x on true
join erp.customer c on c.customer_id = x.customer_id;

-- step: used_up
-- Credits that are used up have paid for invoices: a customer's cannot have
-- paid for more than is paid.
insert into import_bad
select (array_agg(d.file order by d.line) filter (where d.kind = 'credit'))[1],
  min(d.line) filter (where d.kind = 'credit'), 'customer_no', d.customer_no,
  format('Credits of %s are used up, but only %s of the customer''s invoices is paid. A credit that is left over belongs in open_invoices.csv.',
    sum(d.total - d.open_amount) filter (where d.kind = 'credit'),
      coalesce(sum(d.total - d.open_amount) filter (where d.kind = 'invoice'), 0))
from import_document d
where d.whole and d.total >= d.open_amount
group by d.customer_no
having sum(d.total - d.open_amount) filter (where d.kind = 'credit') > coalesce(sum(d.total - d.open_amount) filter
  (where d.kind = 'invoice'), 0);

-- step: count
select count(*)::int from import_bad;

-- step: counts
select b.file, count(*)::int from import_bad b group by 1;

-- step: first
-- The first of each file.
select x.file || '.csv', x.line, x.field, x.value, x.message
from (select b.*, row_number() over (partition by b.file order by b.line, b.field) as n from import_bad b) x
where x.n <= $2
order by array_position($1::text[], x.file), x.line, x.field;
