-- name: frame
-- Around every page of a customer. The snapshot is taken here, before the
-- page's own data is read: what commits later is replayed to the page.
select
  to_jsonb(w) || jsonb_build_object('can_order', w.can_order and portal.may('order'),
    'see_balance', w.see_balance and portal.may('account'), 'can_return', w.can_return and portal.may('account'))
      as access,
  portal.may('order') as orders, portal.may('standing') as standing, portal.may('invoices') as invoices,
    portal.may('sign_off') as signs_off, portal.may('people') as people,
  coalesce(r.requests, false) or w.many_logins and portal.may('order') as requests,
  coalesce(r.to_sign, 0) as to_sign, coalesce(r.waiting, 0) as waiting,
  k.lines as cart_lines, k.total as cart_total, pg_current_snapshot()::text || '@' ||
    coalesce((select p.epoch from portal.event_epoch p), '') as cursor, co.time_zone, erp.now() as now, co.currency,
  portal.staff_acting(@customer_id) as staff_acting,
  n.notices, coalesce(t.id, '') as news_id, coalesce(t.at, erp.now()) as news_at, coalesce(t.kind, '') as news_kind,
    coalesce(t.ref, '') as news_ref, coalesce(t.data, '{}') as news_data
from erp.web_access w
cross join erp.company co
cross join lateral (
  select (select count(*) from portal.notice x where x.customer_id = @customer_id and x.read_at is null)::int
    + (select count(*) from portal.notification x where x.login_id = @login_id and x.customer_id = @customer_id
      and x.read_at is null)::int as notices
) n
left join lateral (
  -- the newest not read yet
  (select 'n' || x.notification_id as id, x.created_at as at, x.kind, x.ref, x.data
   from portal.notification x where x.login_id = @login_id and x.customer_id = @customer_id and x.read_at is null
   order by x.created_at desc, x.notification_id desc limit 1)
  union all
  (select 'c' || x.notice_id, x.at, '', '', jsonb_build_object('text', x.text, 'link', x.link, 'status', x.kind)
   from portal.notice x where x.customer_id = @customer_id and x.read_at is null
   order by x.at desc, x.notice_id desc limit 1)
  order by 2 desc, 1 desc limit 1
) t on true
cross join lateral (
  select count(*)::int as lines, case when w.see_prices then coalesce(sum(round(p.qty * p.unit_price, 2)), 0)
    end as total
  from (
    select array_agg(cl.item_id) as items, array_agg(cl.uom) as uoms, array_agg(cl.qty) as qtys
    from portal.cart k join portal.cart_line cl using (cart_id) where k.login_id = @login_id
      and k.customer_id = @customer_id
  ) a
  cross join lateral erp.price(@customer_id, a.items, a.uoms, a.qtys) p
) k
left join lateral (
  select true as requests, count(*)::int as waiting,
    (count(*) filter (where s.login_id <> @login_id or not portal.limited()))::int as to_sign
  from portal.sign_off s where s.customer_id = @customer_id and s.status = 'WAITING'
  having count(*) > 0
) r on true
where w.customer_id = @customer_id;

-- name: next_deliveries
-- The next run for the account (an empty code) and for each of its ship-tos,
-- which take the account's route where they have none of their own.
with
place as (
  select '' as code, c.route_id from erp.customer c where c.customer_id = @customer_id
  union all
  select s.code, coalesce(s.route_id, c.route_id)
  from erp.ship_to s join erp.customer c using (customer_id) where s.customer_id = @customer_id and s.active
),
next as materialized (
  select r.route_id, r.name, n.delivery_date, n.cutoff
  from (select distinct p.route_id from place p) p
  join erp.route r using (route_id)
  cross join lateral erp.next_deliveries(r.route_id) n
)
select p.code, n.name as route, n.delivery_date as date, n.cutoff, erp.now() as now
from place p join next n using (route_id)
order by p.code;

-- name: customer_aging
select a.* from erp.web_access w cross join lateral erp.aging(@customer_id) a
where w.customer_id = @customer_id and w.see_balance and portal.may('account');

-- name: dashboard_spend
-- Twelve months up to this one, and the same of the year before.
with
month as (
  select (date_trunc('month', erp.today()) - make_interval(months => n))::date as first from generate_series(0, 23) n
),
spend as (
  select date_trunc('month', i.invoice_date)::date as first, sum(i.total) as amount
  from erp.invoice i where i.customer_id = @customer_id and i.invoice_date >= (select min(m.first) from month m)
    and i.invoice_date <= (select erp.today())
  group by 1
  union all
  select date_trunc('month', m.memo_date)::date, -sum(m.total)
  from erp.credit_memo m where m.customer_id = @customer_id and m.memo_date >= (select min(x.first) from month x)
    and m.memo_date <= (select erp.today())
    and (select portal.sees_balance())
  group by 1
),
by_month as (select m.first, coalesce(sum(s.amount), 0) as amount from month m left join spend s using (first)
  group by 1)
select b.first as month, b.amount, p.amount as last_year
from by_month b join by_month p on p.first = (b.first - interval '1 year')::date
where exists (select from erp.web_access w where w.customer_id = @customer_id and w.see_prices)
  and portal.may('invoices')
order by b.first;

-- name: dashboard_top_items
-- Of the newest thousand invoices of a year: enough to see what is bought most,
-- and no more than a page has time for.
select t.item_no, t.description, x.invoices, case when w.see_prices then x.amount end as amount,
  t.item_id in (select portal.in_catalogue(@customer_id, array[t.item_id])) as in_catalog
from (
  select l.item_id, count(distinct l.invoice_id)::int as invoices, round(sum(l.line_total), 2) as amount
  from (
    select i.invoice_id from erp.invoice i
    where i.customer_id = @customer_id and i.kind = 'invoice' and i.invoice_date > (select erp.today()) - 365
    order by i.invoice_date desc, i.invoice_id desc limit 1000
  ) i
  join erp.invoice_line l using (invoice_id)
  where l.item_id is not null
  group by l.item_id
) x
join erp.item t using (item_id)
join erp.web_access w on w.customer_id = @customer_id
where t.active and portal.may('invoices')
order by case when w.see_prices then x.amount end desc nulls last, x.invoices desc, t.item_no
limit 8;

-- name: dashboard_open_orders
select o.status, count(*)::int as orders
from erp.sales_order o
join erp.order_status s on s.code = o.status
where o.customer_id = @customer_id and erp.is_open(o.status)
group by o.status, s.sort
order by s.sort;

-- name: profile
select c.customer_no, c.name, c.terms_days, coalesce(r.name, '') as route
from erp.customer c left join erp.route r using (route_id) where c.customer_id = @customer_id;

-- name: sees_prices
select w.see_prices from erp.web_access w where w.customer_id = @customer_id;
