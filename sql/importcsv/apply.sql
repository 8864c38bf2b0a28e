-- What is staged and checked goes into the ERP's tables, a statement a table.
-- $1 of a "change" step are the columns that its file has: what it does not have
-- stays as it is.

-- step: customers_change
update erp.customer c set name = n.name, price_level = n.price_level, terms_days = n.terms_days,
  credit_limit = n.credit_limit,
  credit_hold = n.credit_hold, route_id = n.route_id, country = n.country, active = n.active, tax_rate = n.tax_rate,
    bill_to = n.bill_to
from (
  select o.customer_id, s.name,
    case when 'price_level' = any ($1::text[]) then coalesce(s.price_level, 'A') else o.price_level end as price_level,
    case when 'terms_days' = any ($1) then coalesce(s.terms_days, 30) else o.terms_days end as terms_days,
    case when 'credit_limit' = any ($1) then s.credit_limit else o.credit_limit end as credit_limit,
    case when 'credit_hold' = any ($1) then coalesce(s.credit_hold, false) else o.credit_hold end as credit_hold,
    case when 'route' = any ($1) then r.route_id else o.route_id end as route_id,
    case when 'country' = any ($1) then coalesce(s.country, '') else o.country end as country,
    case when 'active' = any ($1) then coalesce(s.active, true) else o.active end as active,
    case when 'tax_rate' = any ($1) then coalesce(s.tax_rate, 0) else o.tax_rate end as tax_rate,
    case when 'bill_to' = any ($1) then coalesce(s.bill_to, '') else o.bill_to end as bill_to
  from pg_temp.import_customers s join erp.customer o using (customer_no) left join erp.route r on r.code = s.route
) n
where c.customer_id = n.customer_id
  and (c.name, c.price_level, c.terms_days, c.credit_limit, c.credit_hold, c.route_id, c.country, c.active, c.tax_rate,
    c.bill_to)
  is distinct from (n.name, n.price_level, n.terms_days, n.credit_limit, n.credit_hold, n.route_id, n.country, n.active,
    n.tax_rate, n.bill_to);

-- step: customers_add
insert into erp.customer (customer_no, name, price_level, terms_days, credit_limit, credit_hold, route_id, country,
  active, tax_rate, bill_to)
select s.customer_no, s.name, coalesce(s.price_level, 'A'), coalesce(s.terms_days, 30), s.credit_limit,
  coalesce(s.credit_hold, false), r.route_id,
  coalesce(s.country, ''), coalesce(s.active, true), coalesce(s.tax_rate, 0), coalesce(s.bill_to, '')
from pg_temp.import_customers s left join erp.route r on r.code = s.route
where not exists (select from erp.customer c where c.customer_no = s.customer_no)
order by s.line;

-- step: switches
select s.column_name, s.kind,
  array(select v.value from erp.web_access_choice v where v.column_name = s.column_name order by v.sort) as choices
from erp.web_access_switch s order by s.sort;

-- step: web_access_change
-- New customers have a row by now. An empty cell is null, which only a limit may be.
select erp.set_web_access(s.customer_no, v.switches)
from pg_temp.import_web_access s
join erp.customer c using (customer_no)
join erp.web_access w using (customer_id)
cross join lateral (
  select coalesce(jsonb_object_agg(f.key, f.value), '{}') as switches
  from jsonb_each(to_jsonb(s)) f join erp.web_access_switch x on x.column_name = f.key
  where f.key = any ($1::text[]) and (f.value <> 'null' or x.kind in ('amount', 'days'))
) v
where to_jsonb(w) || v.switches <> to_jsonb(w)
order by s.line;

-- step: ship_tos_change
update erp.ship_to t set name = n.name, address1 = n.address1, address2 = n.address2, city = n.city, region = n.region,
  postal_code = n.postal_code, country = n.country, phone = n.phone, route_id = n.route_id, active = n.active,
    tax_rate = n.tax_rate
from (
  select o.ship_to_id, s.name,
    case when 'address1' = any ($1::text[]) then coalesce(s.address1, '') else o.address1 end as address1,
    case when 'address2' = any ($1) then coalesce(s.address2, '') else o.address2 end as address2,
    case when 'city' = any ($1) then coalesce(s.city, '') else o.city end as city,
    case when 'region' = any ($1) then coalesce(s.region, '') else o.region end as region,
    case when 'postal_code' = any ($1) then coalesce(s.postal_code, '') else o.postal_code end as postal_code,
    case when 'country' = any ($1) then coalesce(s.country, '') else o.country end as country,
    case when 'phone' = any ($1) then coalesce(s.phone, '') else o.phone end as phone,
    case when 'route' = any ($1) then r.route_id else o.route_id end as route_id,
    case when 'active' = any ($1) then coalesce(s.active, true) else o.active end as active,
    case when 'tax_rate' = any ($1) then s.tax_rate else o.tax_rate end as tax_rate
  from pg_temp.import_ship_tos s join erp.customer c using (customer_no) join erp.ship_to o
    on o.customer_id = c.customer_id and o.code = s.code
  left join erp.route r on r.code = s.route
) n
where t.ship_to_id = n.ship_to_id
  and (t.name, t.address1, t.address2, t.city, t.region, t.postal_code, t.country, t.phone, t.route_id, t.active,
    t.tax_rate)
  is distinct from (n.name, n.address1, n.address2, n.city, n.region, n.postal_code, n.country, n.phone, n.route_id,
    n.active, n.tax_rate);

-- step: ship_tos_add
insert into erp.ship_to (customer_id, code, name, address1, address2, city, region, postal_code, country, phone,
  route_id, active, tax_rate)
select c.customer_id, s.code, s.name, coalesce(s.address1, ''), coalesce(s.address2, ''), coalesce(s.city, ''),
  coalesce(s.region, ''),
  coalesce(s.postal_code, ''), coalesce(s.country, ''), coalesce(s.phone, ''), r.route_id, coalesce(s.active, true),
    s.tax_rate
from pg_temp.import_ship_tos s join erp.customer c using (customer_no) left join erp.route r on r.code = s.route
where not exists (select from erp.ship_to t where t.customer_id = c.customer_id and t.code = s.code)
order by s.line;

-- step: categories_needed
select exists (select from known_category k where not exists (select from erp.category c where c.name = k.category))
  or exists (select from pg_temp.import_categories s join erp.category c on c.name = s.category left join erp.category p
    on p.name = s.parent
    where 'parent' = any ($1::text[]) and c.parent_id is distinct from p.category_id);

-- step: categories_add
insert into erp.category (name, sort)
select k.category, coalesce((select max(c.sort) from erp.category c), 0) + row_number() over (order by k.category)
from known_category k where not exists (select from erp.category c where c.name = k.category);

-- step: categories_change
update erp.category c set parent_id = p.category_id
from pg_temp.import_categories s left join erp.category p on p.name = s.parent
where c.name = s.category and 'parent' = any ($1::text[]) and c.parent_id is distinct from p.category_id;

-- step: items_change
update erp.item i set description = n.description, details = n.details, category_id = n.category_id,
  base_uom = n.base_uom,
  price_a = n.price_a, price_b = n.price_b, price_c = n.price_c, price_d = n.price_d, price_e = n.price_e,
    cost = n.cost,
  barcode = n.barcode, active = n.active, discontinued = n.discontinued, allow_backorder = n.allow_backorder,
    fractional = n.fractional, taxable = n.taxable
from (
  select o.item_id, s.description,
    case when 'details' = any ($1::text[]) then coalesce(s.details, '') else o.details end as details,
    case when 'category' = any ($1) then k.category_id else o.category_id end as category_id,
    case when 'base_uom' = any ($1) then coalesce(s.base_uom, 'EA') else o.base_uom end as base_uom,
    case when 'price_a' = any ($1) then s.price_a else o.price_a end as price_a,
    case when 'price_b' = any ($1) then s.price_b else o.price_b end as price_b,
    case when 'price_c' = any ($1) then s.price_c else o.price_c end as price_c,
    case when 'price_d' = any ($1) then s.price_d else o.price_d end as price_d,
    case when 'price_e' = any ($1) then s.price_e else o.price_e end as price_e,
    case when 'cost' = any ($1) then s.cost else o.cost end as cost,
    case when 'barcode' = any ($1) then s.barcode else o.barcode end as barcode,
    case when 'active' = any ($1) then coalesce(s.active, true) else o.active end as active,
    case when 'discontinued' = any ($1) then coalesce(s.discontinued, false) else o.discontinued end as discontinued,
    case when 'allow_backorder' = any ($1) then coalesce(s.allow_backorder, true)
      else o.allow_backorder end as allow_backorder,
    case when 'fractional' = any ($1) then coalesce(s.fractional, false) else o.fractional end as fractional,
    case when 'taxable' = any ($1) then coalesce(s.taxable, true) else o.taxable end as taxable
  from pg_temp.import_items s join erp.item o using (item_no) left join erp.category k on k.name = s.category
) n
where i.item_id = n.item_id
  and (i.description, i.details, i.category_id, i.base_uom, i.price_a, i.price_b, i.price_c, i.price_d, i.price_e,
    i.cost, i.barcode,
    i.active, i.discontinued, i.allow_backorder, i.fractional, i.taxable)
  is distinct from (n.description, n.details, n.category_id, n.base_uom, n.price_a, n.price_b, n.price_c, n.price_d,
    n.price_e, n.cost, n.barcode,
    n.active, n.discontinued, n.allow_backorder, n.fractional, n.taxable);

-- step: items_add
insert into erp.item (item_no, description, details, category_id, base_uom, price_a, price_b, price_c, price_d, price_e,
  cost, barcode,
  active, discontinued, allow_backorder, fractional, taxable)
select s.item_no, s.description, coalesce(s.details, ''), k.category_id, coalesce(s.base_uom, 'EA'), s.price_a,
  s.price_b, s.price_c, s.price_d, s.price_e,
  s.cost, s.barcode, coalesce(s.active, true), coalesce(s.discontinued, false), coalesce(s.allow_backorder, true),
    coalesce(s.fractional, false), coalesce(s.taxable, true)
from pg_temp.import_items s left join erp.category k on k.name = s.category
where not exists (select from erp.item i where i.item_no = s.item_no)
order by s.line;

-- step: substitutes_change
update erp.item i set substitute_item_id = o.item_id
from pg_temp.import_items s left join erp.item o on o.item_no = s.substitute_item_no
where i.item_no = s.item_no and 'substitute_item_no' = any ($1::text[])
  and i.substitute_item_id is distinct from o.item_id;

-- step: units_change
update erp.item_uom u set factor = n.factor, price = n.price, barcode = n.barcode
from (
  select o.item_id, o.uom, s.factor,
    case when 'price' = any ($1::text[]) then s.price else o.price end as price,
    case when 'barcode' = any ($1) then s.barcode else o.barcode end as barcode
  from pg_temp.import_units s join erp.item i using (item_no) join erp.item_uom o on o.item_id = i.item_id
    and o.uom = s.uom
) n
where u.item_id = n.item_id and u.uom = n.uom and (u.factor, u.price, u.barcode) is distinct from (n.factor, n.price,
  n.barcode);

-- step: units_add
insert into erp.item_uom (item_id, uom, factor, price, barcode)
select i.item_id, s.uom, s.factor, s.price, s.barcode
from pg_temp.import_units s join erp.item i using (item_no)
where not exists (select from erp.item_uom u where u.item_id = i.item_id and u.uom = s.uom);

-- step: contracts_change
update erp.price_contract r set kind = s.kind, value = s.value, valid = x.valid
from import_rule x join pg_temp.import_contracts s using (line)
where x.file = 'contracts' and r.contract_id = x.rule_id and $1::text[] is not null
  and (r.kind, r.value, r.valid) is distinct from (s.kind, s.value, x.valid);

-- step: contracts_add
insert into erp.price_contract (customer_id, item_id, uom, kind, value, min_qty, valid)
select c.customer_id, i.item_id, s.uom, s.kind, s.value, coalesce(s.min_qty, 0), x.valid
from import_rule x join pg_temp.import_contracts s using (line) join erp.customer c using (customer_no) join erp.item i
  using (item_no)
where x.file = 'contracts' and x.rule_id is null
order by s.line;

-- step: groups_change
update erp.price_group r set kind = s.kind, value = s.value, valid = x.valid
from import_rule x join pg_temp.import_groups s using (line)
where x.file = 'groups' and r.group_id = x.rule_id and $1::text[] is not null
  and (r.kind, r.value, r.valid) is distinct from (s.kind, s.value, x.valid);

-- step: groups_add
insert into erp.price_group (customer_id, category_id, kind, value, valid)
select c.customer_id, k.category_id, s.kind, s.value, x.valid
from import_rule x join pg_temp.import_groups s using (line) join erp.customer c using (customer_no) join erp.category k
  on k.name = s.category
where x.file = 'groups' and x.rule_id is null
order by s.line;

-- step: breaks_change
update erp.price_break r set price = s.price, use_level = s.use_level, valid = x.valid
from import_rule x join pg_temp.import_breaks s using (line)
where x.file = 'breaks' and r.break_id = x.rule_id and $1::text[] is not null
  and (r.price, r.use_level, r.valid) is distinct from (s.price, s.use_level, x.valid);

-- step: breaks_add
insert into erp.price_break (item_id, min_qty, price, use_level, levels, valid)
select i.item_id, s.min_qty, s.price, s.use_level, s.levels::char(1)[], x.valid
from import_rule x join pg_temp.import_breaks s using (line) join erp.item i using (item_no)
where x.file = 'breaks' and x.rule_id is null
order by s.line;

-- step: stock_change
update erp.stock t set on_hand = s.on_hand
from pg_temp.import_stock s cross join erp.company co join erp.item i using (item_no)
where t.item_id = i.item_id and t.warehouse = coalesce(s.warehouse, co.warehouse) and $1::text[] is not null
  and t.on_hand <> s.on_hand;

-- step: stock_add
insert into erp.stock (item_id, warehouse, on_hand)
select i.item_id, coalesce(s.warehouse, co.warehouse), s.on_hand
from pg_temp.import_stock s cross join erp.company co join erp.item i using (item_no)
where not exists (select from erp.stock t where t.item_id = i.item_id and t.warehouse = coalesce(s.warehouse,
  co.warehouse))
order by i.item_id;

-- step: number
-- The order in which documents are written: by day, so that ids follow dates.
with numbered as (
  select d.document_no, d.kind, row_number() over (order by d.document_date, d.file, d.line) as n from import_document d
)
update import_document d set customer_id = c.customer_id, n = x.n
from numbered x, erp.customer c
where x.document_no = d.document_no and x.kind = d.kind and c.customer_no = d.customer_no;
create unique index on import_document (n);
create index on pg_temp.import_history (invoice_no);
analyze import_document;

-- step: invoices
insert into erp.invoice (invoice_no, customer_id, ship_to_id, po_no, invoice_date, due_date, tax, freight, opened_total,
  issued_at)
select d.document_no, d.customer_id, t.ship_to_id, d.po_no, d.document_date, d.due_date, d.tax, d.freight, d.total,
  d.document_date::timestamp at time zone co.time_zone
from import_document d
cross join erp.company co
left join erp.ship_to t on t.customer_id = d.customer_id and t.code = d.ship_to
where d.kind = 'invoice' and d.n between $1 and $2
order by d.n;

-- step: memos
insert into erp.credit_memo (memo_no, customer_id, memo_date, opened_total, issued_at)
select d.document_no, d.customer_id, d.document_date, d.total, d.document_date::timestamp at time zone co.time_zone
from import_document d cross join erp.company co
where d.kind = 'credit' and d.n between $1 and $2
order by d.n;

-- step: ids
update import_document d set id = i.invoice_id from erp.invoice i
where d.kind = 'invoice' and d.n between $1 and $2 and i.invoice_no = d.document_no;

-- step: memo_ids
update import_document d set id = m.credit_memo_id from erp.credit_memo m
where d.kind = 'credit' and d.n between $1 and $2 and m.memo_no = d.document_no;

-- step: invoice_lines
insert into erp.invoice_line (invoice_id, line_no, item_id, description, uom, factor, qty, unit_price, line_total)
select d.id, row_number() over (partition by d.id order by h.line), i.item_id, coalesce(h.description, i.description),
  coalesce(h.uom, i.base_uom, 'EA'),
  coalesce(u.factor, 1), h.qty, h.unit_price, coalesce(h.line_total, round(h.qty * h.unit_price, 2))
from import_document d
join pg_temp.import_history h on h.invoice_no = d.document_no
left join erp.item i on i.item_no = h.item_no
left join erp.item_uom u on u.item_id = i.item_id and u.uom = h.uom and h.uom <> i.base_uom
where d.kind = 'invoice' and d.file = 'history' and d.n between $1 and $2
union all
select d.id, 1, null, 'Brought forward', 'EA', 1, 1, d.total, d.total
from import_document d
where d.kind = 'invoice' and d.file = 'open_invoices' and d.n between $1 and $2;

-- step: memo_lines
insert into erp.credit_memo_line (credit_memo_id, line_no, item_id, description, uom, factor, qty, unit_price,
  line_total)
select d.id, row_number() over (partition by d.id order by h.line), i.item_id, coalesce(h.description, i.description),
  coalesce(h.uom, i.base_uom, 'EA'),
  coalesce(u.factor, 1), h.qty, h.unit_price, coalesce(h.line_total, round(h.qty * h.unit_price, 2))
from import_document d
join pg_temp.import_history h on h.invoice_no = d.document_no
left join erp.item i on i.item_no = h.item_no
left join erp.item_uom u on u.item_id = i.item_id and u.uom = h.uom and h.uom <> i.base_uom
where d.kind = 'credit' and d.file = 'history' and d.n between $1 and $2
union all
select d.id, 1, null, 'Brought forward', 'EA', 1, 1, d.total, d.total
from import_document d
where d.kind = 'credit' and d.file = 'open_invoices' and d.n between $1 and $2;

-- step: settle
-- What was paid, as far as it is known. A credit memo that is used up has paid
-- for the customer's invoices, the earliest settled first; what is left of them
-- was paid by money, one payment a customer and day: on paid_on, or on the due
-- date where the file does not say.
create temp table import_paid on commit drop as
select d.n, d.customer_id, d.id as invoice_id, d.total - d.open_amount as amount, p.paid_on,
  greatest(p.paid_on, d.document_date) as applied_on,
  sum(d.total - d.open_amount) over (partition by d.customer_id order by greatest(p.paid_on, d.document_date), d.n)
    as upto
from import_document d
cross join lateral (select coalesce(d.paid_on, least(d.due_date, erp.today())) as paid_on) p
where d.kind = 'invoice' and d.total > d.open_amount;
create index on import_paid (customer_id, upto);
create temp table import_used on commit drop as
select d.customer_id, d.id as credit_memo_id, d.document_date, d.total - d.open_amount as amount,
  sum(d.total - d.open_amount) over (partition by d.customer_id order by d.document_date, d.n) as upto
from import_document d where d.kind = 'credit' and d.total > d.open_amount;
analyze import_paid, import_used;
create temp table import_application on commit drop as
select u.customer_id, u.credit_memo_id, null::text as payment_no, p.n, p.invoice_id,
  least(p.upto, u.upto) - greatest(p.upto - p.amount, u.upto - u.amount) as amount,
  greatest(p.applied_on, u.document_date) as applied_on
from import_used u
join import_paid p on p.customer_id = u.customer_id and p.upto > u.upto - u.amount and p.upto - p.amount < u.upto;
create temp table import_payment on commit drop as
select x.customer_id, x.paid_on, sum(x.amount) as amount, 'IMPORT-' || nextval('erp.payment_no_seq') as payment_no
from (
  select p.customer_id, p.paid_on, p.amount - coalesce(a.amount, 0) as amount
  from import_paid p left join (select y.n, sum(y.amount) as amount from import_application y group by 1) a using (n)
) x
where x.amount > 0
group by 1, 2;
insert into import_application
select p.customer_id, null, y.payment_no, p.n, p.invoice_id, p.amount - coalesce(a.amount, 0), p.applied_on
from import_paid p
left join (select z.n, sum(z.amount) as amount from import_application z group by 1) a using (n)
join import_payment y on y.customer_id = p.customer_id and y.paid_on = p.paid_on
where p.amount > coalesce(a.amount, 0);
insert into import_payment
select d.customer_id, d.document_date, d.open_amount, d.document_no from import_document d where d.kind = 'payment';
create index on import_payment (payment_no);
create index on import_application (n);
analyze import_payment, import_application;

-- step: payments
insert into erp.payment (payment_no, customer_id, payment_date, method, reference, amount)
select p.payment_no, p.customer_id, p.paid_on, 'import', 'Paid before the portal', p.amount
from import_payment p order by p.paid_on, p.customer_id, p.payment_no;

-- step: applications
insert into erp.payment_application (payment_id, credit_memo_id, invoice_id, amount, applied_on)
select p.payment_id, a.credit_memo_id, a.invoice_id, a.amount, a.applied_on
from import_application a left join erp.payment p on p.payment_no = a.payment_no
where a.n between $1 and $2;

-- step: prove
-- The database is the judge: each imported document as the file has it, and
-- each customer's balance by its documents, by what is open of them, and by
-- the aging buckets.
select x.what, x.subject, x.detail
from (
  select 'document' as what, d.document_no as subject,
    format('total %s and open %s in the books, %s and %s in the file', i.total, i.open_amount, d.total, d.open_amount)
      as detail
  from import_document d left join erp.invoice i on i.invoice_id = d.id
  where d.kind = 'invoice' and (i.total, i.open_amount) is distinct from (d.total, d.open_amount)
  union all
  select 'document', d.document_no, format('total %s and open %s in the books, %s and %s in the file', m.total,
    m.open_amount, d.total, d.open_amount)
  from import_document d left join erp.credit_memo m on m.credit_memo_id = d.id
  where d.kind = 'credit' and (m.total, m.open_amount) is distinct from (d.total, d.open_amount)
  union all
  select 'payment', y.payment_no, format('open %s', p.open_amount)
  from import_payment y left join erp.payment p using (payment_no)
  where p.open_amount is distinct from case when y.payment_no in (select d.document_no from import_document d
    where d.kind = 'payment') then y.amount else 0 end
  union all
  select 'lines', d.document_no, format('total %s, lines %s', d.total, l.amount + d.tax + d.freight)
  from import_document d join (select x.invoice_id, round(sum(x.line_total), 2) as amount from erp.invoice_line x
    group by 1) l on l.invoice_id = d.id
  where d.kind = 'invoice' and d.total <> l.amount + d.tax + d.freight
  union all
  select 'balance', c.customer_no, format('documents %s, open amounts %s, buckets %s', b.documents, b.open,
    coalesce(g.buckets, 0))
  from (
    select y.customer_id, sum(y.documents) as documents, sum(y.open) as open
    from (
      select i.customer_id, i.total as documents, i.open_amount as open from erp.invoice i
        where i.invoice_date <= erp.today()
      union all select m.customer_id, -m.total, -m.open_amount from erp.credit_memo m where m.memo_date <= erp.today()
      union all select p.customer_id, -p.amount, -p.open_amount from erp.payment p where p.payment_date <= erp.today()
      union all select p.customer_id, p.amount, 0 from erp.payment p where p.reversed_on <= erp.today()
    ) y
    group by 1
  ) b
  join erp.customer c using (customer_id)
  left join (select r.customer_id, r.current_due + r.days_30 + r.days_60 + r.days_90 as buckets
    from erp.aging_report(erp.today()) r) g using (customer_id)
  where b.customer_id in (select d.customer_id from import_document d)
    and (b.documents <> coalesce(g.buckets, 0)
      -- what is applied ahead of time is open until then
      or b.open <> b.documents and not exists (select from erp.payment_application f where f.customer_id = b.customer_id
        and f.applied_on > erp.today()))
) x
limit 20;

-- step: numbers
-- our own invoices go on after the last imported number
update erp.document_series s set next_no = m.no + 1
from (select max(d.document_no::bigint) as no from import_document d where d.kind = 'invoice'
  and d.document_no ~ '^[0-9]{1,15}$') m
where s.series = 'invoice' and m.no >= s.next_no;

-- step: summary
select
  count(*) filter (where d.kind = 'invoice'), count(*) filter (where d.kind = 'credit'),
  (select count(*) from import_payment), (select count(*) from pg_temp.import_history),
  coalesce(sum(d.total) filter (where d.kind = 'invoice'), 0)::text,
    coalesce(sum(case d.kind when 'invoice' then d.open_amount else -d.open_amount end), 0)::text,
  count(distinct d.customer_id) filter (where d.open_amount <> 0)
from import_document d;
