-- The steps of the import, in their order; all run in one transaction.

-- step: stage
create temp table retail_row (
  row_no int not null,      -- among the data rows, from 1
  line_no int not null,     -- in the file
  document text not null,
  code text not null,
  description text not null,
  quantity numeric not null,
  at timestamp not null,
  price numeric not null,
  customer_no text not null,
  country text not null
) on commit drop;

-- step: overlap
-- a document of both halves counts once, as the second half has it
delete from retail_row r
using (select distinct s.document from retail_row s where s.row_no > $1) d
where r.row_no <= $1 and r.document = d.document;

-- step: index
create index on retail_row (document);
analyze retail_row;

-- step: documents
-- adjustments are the distributor's own, whoever they name
create temp table retail_document on commit drop as
select
  row_number() over (order by min(r.row_no)) as n,
  r.document,
  case left(r.document, 1) when 'C' then 'credit' when 'A' then 'adjustment' else 'invoice' end as kind,
  case when left(r.document, 1) <> 'A' then
    (array_agg(r.customer_no order by r.row_no) filter (where r.customer_no <> ''))[1] end as customer_no,
  min(r.at) as at,
  0::numeric as total,
  'new' as state
from retail_row r
group by r.document;
create unique index on retail_document (document);
create unique index on retail_document (n);
analyze retail_document;

-- step: strangers
-- a document belongs to one customer: the first that it names
delete from retail_row r
using retail_document d
where d.document = r.document and d.kind <> 'adjustment' and r.customer_no <> '' and r.customer_no <> d.customer_no
returning r.line_no, format('document %s belongs to customer %s, not %s', r.document, d.customer_no, r.customer_no);

-- step: totals
update retail_document d
set total = t.total
from (select r.document, round(sum(r.quantity * r.price), 2) as total from retail_row r group by 1) t
where t.document = d.document;

-- step: known
-- what is there already stays as it is
update retail_document d
set state = case when (e.customer_no, e.total) is distinct from
  (coalesce(d.customer_no, 'HOUSE'), case d.kind when 'credit' then -d.total else d.total end) then 'taken'
    else 'known' end
from (
  select i.invoice_no as document, c.customer_no, i.total from erp.invoice i join erp.customer c using (customer_id)
  union all
  select m.memo_no, c.customer_no, m.total from erp.credit_memo m join erp.customer c using (customer_id)
) e
where e.document = d.document;

-- step: taken
select min(r.line_no), format('document %s is there already with another customer or total', d.document)
from retail_document d join retail_row r using (document)
where d.state = 'taken' group by d.document order by 1;

-- step: house
insert into erp.customer (customer_no, name, house)
select 'HOUSE', 'House account', true
where exists (select from retail_document d where d.customer_no is null and d.state = 'new')
on conflict (customer_no) do nothing;

-- step: house_closed
update erp.web_access set enabled = false
where customer_id = (select customer_id from erp.customer where customer_no = 'HOUSE');

-- step: customers
insert into erp.customer (customer_no, name, country)
select distinct on (r.customer_no) r.customer_no, 'Customer ' || r.customer_no, r.country
from retail_row r
where r.customer_no <> ''
order by r.customer_no, r.at desc, r.row_no desc
on conflict (customer_no) do nothing;

-- step: items
-- Charges are on documents but not for sale in the catalogue.
insert into erp.item (item_no, description, price_a, active)
select c.code, coalesce(d.description, c.code), p.price,
  c.code !~ '^(POST|DOT|C2|C3|M|D|S|B|BANK CHARGES|AMAZONFEE|CRUK|ADJUST[0-9]*|TEST[0-9]+|GIFT(_.*)?)$'
from (select distinct r.code from retail_row r) c
left join (
  select distinct on (r.code) r.code, r.description
  from retail_row r where r.description <> '' order by r.code, r.at desc, r.row_no desc) d using (code)
left join (
  select distinct on (r.code) r.code, r.price
  from retail_row r where r.price > 0 order by r.code, r.at desc, r.row_no desc) p using (code)
order by c.code
on conflict (item_no) do nothing;

-- step: invoices
insert into erp.invoice (invoice_no, kind, customer_id, invoice_date, due_date, opened_total, issued_at)
select d.document, d.kind, c.customer_id, d.at::date, d.at::date + c.terms_days, d.total, d.at at time zone co.time_zone
from retail_document d
join erp.customer c on c.customer_no = coalesce(d.customer_no, 'HOUSE')
cross join erp.company co
where d.kind <> 'credit' and d.state = 'new'
order by d.n;

-- step: memos
insert into erp.credit_memo (memo_no, customer_id, memo_date, opened_total, issued_at)
select d.document, c.customer_id, d.at::date, -d.total, d.at at time zone co.time_zone
from retail_document d
join erp.customer c on c.customer_no = coalesce(d.customer_no, 'HOUSE')
cross join erp.company co
where d.kind = 'credit' and d.state = 'new'
order by d.n;

-- step: invoice_lines
insert into erp.invoice_line (invoice_id, line_no, item_id, description, uom, qty, unit_price, line_total)
select i.invoice_id, row_number() over (partition by r.document order by r.row_no), t.item_id,
  coalesce(nullif(r.description, ''), t.description),
  t.base_uom, r.quantity, r.price, r.quantity * r.price
from retail_document d
join retail_row r using (document)
join erp.invoice i on i.invoice_no = d.document
join erp.item t on t.item_no = r.code
where d.n between $1 and $2 and d.kind <> 'credit' and d.state = 'new';

-- step: memo_lines
insert into erp.credit_memo_line (credit_memo_id, line_no, item_id, description, uom, qty, unit_price, line_total)
select m.credit_memo_id, row_number() over (partition by r.document order by r.row_no), t.item_id,
  coalesce(nullif(r.description, ''), t.description),
  t.base_uom, -r.quantity, r.price, -r.quantity * r.price
from retail_document d
join retail_row r using (document)
join erp.credit_memo m on m.memo_no = d.document
join erp.item t on t.item_no = r.code
where d.n between $1 and $2 and d.kind = 'credit' and d.state = 'new';

-- step: numbers
-- our own invoices go on after the last imported number
update erp.document_series s set next_no = m.no + 1
from (select max(d.document::bigint) as no from retail_document d where d.kind = 'invoice' and d.state = 'new') m
where s.series = 'invoice' and m.no >= s.next_no;

-- step: summary
select
  count(*) filter (where d.kind = 'invoice' and d.state = 'new'),
  count(*) filter (where d.kind = 'credit' and d.state = 'new'),
  count(*) filter (where d.kind = 'adjustment' and d.state = 'new'),
  count(*) filter (where d.state = 'known'),
  coalesce(sum(l.lines) filter (where d.state = 'new'), 0),
  trim_scale(coalesce(sum(l.amount) filter (where d.state = 'new'), 0))::text
from retail_document d
join (select r.document, count(*) as lines, sum(r.quantity * r.price) as amount from retail_row r group by 1) l
  using (document);
