-- The price proof. Three things stand beside each other: the receipt that the
-- database wrote when an order line got its price (portal.price_receipt), the
-- line, and the invoice line. They have to be the same, and the receipt has to
-- be what erp.price gave. Beyond prices it proves that documents add up, and
-- that each customer's documents, open amounts and aging are one figure.
--
-- Each function below returns one row a difference. Detail is for staff.

-- The audit log of what the price of an item goes by, for a customer.
create or replace function portal.price_audit(p_customer_id bigint, p_item_no text) returns setof portal.audit
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select a.* from portal.audit a
  where a.subject = p_item_no and a.subject <> ''
    and (a.action in ('price_break', 'price_level', 'price_basis') or a.action = 'price_contract'
      and a.customer_id = p_customer_id)
  union all
  select a.* from portal.audit a where a.subject = 'all items' and a.action = 'price_basis'
  union all
  select a.* from portal.audit a where a.customer_id = p_customer_id and a.subject <> p_item_no
    and a.action in ('price_group', 'price_basis')
$$;

-- "12.50 contract 7": a price with where it comes from.
create or replace function portal.price_text(p_price numeric, p_step text, p_rule_id bigint) returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select concat_ws(' ', coalesce(trim_scale(p_price)::text, 'no price'), p_step, p_rule_id) $$;

-- Order lines against their newest receipt, and that against what erp.price
-- gave when it was written. No difference: a price with its reason
-- (override_reason), a substitute that costs less, an item that had no price, a
-- rule that was being changed at that moment.
create or replace function portal.proof_of_order_lines(p_order_ids bigint[])
returns table (kind text, subject text, line_no int, customer_id bigint, detail text)
language sql stable security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan
as $$
  select x.kind, t.order_no, t.line_no, t.customer_id, x.detail
  from (
    select o.order_no, o.customer_id, o.source, l.*, r.receipt_id, r.unit_price as receipt_price, r.price_step
      as receipt_step, r.price_rule_id as receipt_rule,
      r.asked_price, r.asked_step, r.asked_rule_id, r.began_at, r.written_at, r.program
    from (select distinct u.order_id from unnest(p_order_ids) as u(order_id)) s
    join erp.sales_order o using (order_id)
    join erp.sales_order_line l using (order_id)
    left join (
      select distinct on (p.order_id, p.line_no) p.*
      from portal.price_receipt p join (select distinct u.order_id from unnest(p_order_ids) as u(order_id)) v
        using (order_id)
      order by p.order_id, p.line_no, p.receipt_id desc
    ) r on r.order_id = l.order_id and r.line_no = l.line_no
    where l.unit_price is not null
      and (r.receipt_id is null and o.source <> 'IMPORT'
        or (l.unit_price, l.price_step, l.price_rule_id) is distinct from (r.unit_price, r.price_step, r.price_rule_id)
          and r.receipt_id is not null
        or r.unit_price <> r.asked_price
        or r.asked_price is not null and r.price_step <> 'manual'
          and (r.price_step, r.price_rule_id) is distinct from (r.asked_step, r.asked_rule_id))
  ) t
  join erp.item i on i.item_id = t.item_id
  cross join lateral (
    select 'no_receipt' as kind, format('%s has no receipt: it was written past the triggers',
      portal.price_text(t.unit_price, t.price_step, t.price_rule_id)) as detail
    where t.receipt_id is null
    union all
    select 'order_line', format('the line says %s, its receipt %s', portal.price_text(t.unit_price, t.price_step,
      t.price_rule_id),
      portal.price_text(t.receipt_price, t.receipt_step, t.receipt_rule))
    where t.receipt_id is not null and (t.unit_price, t.price_step, t.price_rule_id) is distinct from (t.receipt_price,
      t.receipt_step, t.receipt_rule)
    union all
    select 'order_price', format('%s took %s, the price function gave %s', coalesce(nullif(t.program, ''), 'a program'),
      portal.price_text(t.receipt_price, t.receipt_step, t.receipt_rule), portal.price_text(t.asked_price, t.asked_step,
        t.asked_rule_id))
    where (t.receipt_price <> t.asked_price
        or t.asked_price is not null and t.receipt_step <> 'manual'
          and (t.receipt_step, t.receipt_rule) is distinct from (t.asked_step, t.asked_rule_id))
      and btrim(t.override_reason) = ''
      and not (t.substitute_for_line is not null and t.receipt_price <= t.asked_price)
      -- the program may have asked before a change that the receipt has seen
      and t.written_at >= portal.audit_begins()
      and not exists (select from portal.price_audit(t.customer_id, i.item_no) a
        where a.at between t.began_at - interval '2 minutes' and t.written_at)
  ) x
$$;

-- Receipts since a moment, and of some orders, asked for again, at the time and for the quantity of then: in one
-- call of erp.price for each customer and day, the lines of an item with one
-- total beside each other. explained where the audit log has a change since.
create or replace function portal.proof_of_receipts(p_since timestamptz, p_order_ids bigint[])
returns table (kind text, subject text, line_no int, customer_id bigint, detail text, explained boolean, asked bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan
as $$
  with receipt as materialized (
    select r.receipt_id, r.order_id, r.line_no, o.order_no, o.customer_id, l.item_id, l.uom, r.total_qty, r.asked_price,
      r.asked_step, r.asked_rule_id,
      r.snapshot, r.priced_at, (r.priced_at at time zone co.time_zone)::date as day,
      dense_rank() over (partition by o.customer_id, (r.priced_at at time zone co.time_zone)::date, l.item_id
        order by r.total_qty) as round
    from portal.price_receipt r
    join erp.sales_order o using (order_id)
    join erp.sales_order_line l on l.order_id = r.order_id and l.line_no = r.line_no
    cross join erp.company co
    where r.total_qty is not null and (r.written_at >= p_since or r.order_id = any (p_order_ids))
      -- what explains a difference from before is forgotten
      and r.written_at >= portal.audit_begins()
  ), question as (
    select e.customer_id, e.day, e.round, min(e.at) as at, array_agg(e.item_id order by e.uom nulls last, e.item_id)
      as items,
      array_agg(e.uom order by e.uom nulls last, e.item_id) as uoms, array_agg(e.qty order by e.uom nulls last,
        e.item_id) as qtys, count(e.uom) as units
    from (
      select r.customer_id, r.day, r.round, r.item_id, r.uom, 0::numeric as qty, min(r.priced_at) as at from receipt r
        group by 1, 2, 3, 4, 5
      union all
      select r.customer_id, r.day, r.round, r.item_id, null, min(r.total_qty), min(r.priced_at) from receipt r
        group by 1, 2, 3, 4
    ) e
    group by 1, 2, 3
  ), answer as materialized (
    select q.customer_id, q.day, q.round, p.item_id, p.uom, p.unit_price, nullif(p.step, 'none') as step, p.rule_id
    from question q cross join lateral erp.price(q.customer_id, q.items, q.uoms, q.qtys, q.at) p
    where p.ord <= q.units
  ), differing as (
    select r.*, a.unit_price, a.step, a.rule_id
    from receipt r
    left join answer a on a.customer_id = r.customer_id and a.day = r.day and a.round = r.round
      and a.item_id = r.item_id and a.uom = r.uom
    where (a.unit_price, a.step, a.rule_id) is distinct from (r.asked_price, r.asked_step, r.asked_rule_id)
  )
  select 'repriced', d.order_no, d.line_no, d.customer_id,
    format('the receipt of %s says %s, the price function for that day %s', to_char(d.priced_at, 'YYYY-MM-DD'),
      portal.price_text(d.asked_price, d.asked_step, d.asked_rule_id), portal.price_text(d.unit_price, d.step,
        d.rule_id)),
    exists (select from portal.price_audit(d.customer_id, i.item_no) a where not pg_visible_in_snapshot(a.xid,
      d.snapshot)), null::bigint
  from differing d join erp.item i on i.item_id = d.item_id
  union all
  select null, null, null, null, null, null, (select count(*) from receipt)
$$;

-- Invoice lines against their order line, which proof_of_order_lines holds
-- against its newest receipt; one that differs, against the receipt from before
-- the invoice, should the order have got another price since.
create or replace function portal.proof_of_invoice_lines(p_invoice_ids bigint[])
returns table (kind text, subject text, line_no int, customer_id bigint, detail text)
language sql stable security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan
as $$
  select k.kind, i.invoice_no, v.line_no, i.customer_id, k.detail
  from unnest(p_invoice_ids) as s(invoice_id)
  join erp.invoice_line v using (invoice_id)
  join erp.sales_order_line l on l.order_id = v.order_id and l.line_no = v.order_line_no
  join erp.invoice i on i.invoice_id = v.invoice_id
  cross join lateral (
    select 'invoice_line' as kind, format('invoiced %s, ordered %s', portal.price_text(v.unit_price, v.price_step,
      v.price_rule_id),
      portal.price_text(l.unit_price, l.price_step, l.price_rule_id)) as detail
    where (v.unit_price, v.price_step, v.price_rule_id) is distinct from (l.unit_price, l.price_step, l.price_rule_id)
      and not exists (
        select from (
          select r.unit_price, r.price_step, r.price_rule_id from portal.price_receipt r
          where r.order_id = v.order_id and r.line_no = v.order_line_no and r.priced_at <= i.issued_at
            order by r.receipt_id desc limit 1
        ) x where (x.unit_price, x.price_step, x.price_rule_id) is not distinct from (v.unit_price, v.price_step,
          v.price_rule_id))
    union all
    select 'invoice_line_total', format('%s × %s is %s, not %s', trim_scale(v.qty), trim_scale(v.unit_price),
      round(v.qty * v.unit_price, 2), trim_scale(v.line_total))
    where v.line_total <> round(v.qty * v.unit_price, 2)
  ) k
  where (v.unit_price, v.price_step, v.price_rule_id) is distinct from (l.unit_price, l.price_step, l.price_rule_id)
    or v.line_total <> round(v.qty * v.unit_price, 2)
$$;

-- What documents add up to, and what of them is open.
create or replace function portal.proof_of_documents(p_order_ids bigint[], p_invoice_ids bigint[], p_memo_ids bigint[])
returns table (kind text, subject text, line_no int, customer_id bigint, detail text)
language sql stable security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan
as $$
  select 'order_total', o.order_no, 0, o.customer_id, format('total %s, lines %s', o.total, coalesce(l.amount, 0))
  from unnest(p_order_ids) as s(order_id) join erp.sales_order o using (order_id)
  left join (select x.order_id, sum(x.line_total) as amount from unnest(p_order_ids) as z(order_id)
    join erp.sales_order_line x using (order_id) group by 1) l using (order_id)
  where o.total <> coalesce(l.amount, 0)
  union all
  select 'invoice_total', i.invoice_no, 0, i.customer_id, format('total %s, lines %s, tax %s, freight %s', i.total,
    round(l.amount, 2), i.tax, i.freight)
  from unnest(p_invoice_ids) as s(invoice_id) join erp.invoice i using (invoice_id)
  join (select x.invoice_id, sum(x.line_total) as amount from unnest(p_invoice_ids) as z(invoice_id)
    join erp.invoice_line x using (invoice_id) group by 1) l using (invoice_id)
  where i.total <> round(l.amount, 2) + i.tax + i.freight
  union all
  select 'invoice_open', i.invoice_no, 0, i.customer_id, format('open %s, total %s, applied %s', i.open_amount, i.total,
    coalesce(a.amount, 0))
  from unnest(p_invoice_ids) as s(invoice_id) join erp.invoice i using (invoice_id)
  left join (select x.invoice_id, sum(x.amount) as amount from unnest(p_invoice_ids) as z(invoice_id)
    join erp.payment_application x using (invoice_id) group by 1) a using (invoice_id)
  where i.open_amount <> i.total - coalesce(a.amount, 0)
  union all
  select 'memo_total', m.memo_no, 0, m.customer_id, format('total %s, lines %s', m.total, round(l.amount, 2))
  from unnest(p_memo_ids) as s(credit_memo_id) join erp.credit_memo m using (credit_memo_id)
  join (select x.credit_memo_id, sum(x.line_total) as amount from unnest(p_memo_ids) as z(credit_memo_id)
    join erp.credit_memo_line x using (credit_memo_id) group by 1) l using (credit_memo_id)
  where m.total <> round(l.amount, 2)
  union all
  select 'memo_open', m.memo_no, 0, m.customer_id, format('open %s, total %s, applied %s', m.open_amount, m.total,
    coalesce(a.amount, 0))
  from unnest(p_memo_ids) as s(credit_memo_id) join erp.credit_memo m using (credit_memo_id)
  left join (select x.credit_memo_id, sum(x.amount) as amount from unnest(p_memo_ids) as z(credit_memo_id)
    join erp.payment_application x using (credit_memo_id) group by 1) a using (credit_memo_id)
  where m.open_amount <> m.total - coalesce(a.amount, 0)
$$;

-- Every customer's ledger: documents less payments, against what is open of
-- each document, against the aging buckets. Open amounts are of now, so they are
-- compared where nothing is dated ahead.
create or replace function portal.proof_of_balances()
returns table (kind text, subject text, line_no int, customer_id bigint, detail text, customers bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan
as $$
  with today as (select erp.today() as day),
  book as materialized (
    select x.customer_id, sum(x.amount) filter (where x.day <= t.day) as documents, sum(x.open) as open,
      bool_or(x.day > t.day) as ahead
    from (
      select i.customer_id, i.total as amount, i.open_amount as open, i.invoice_date as day from erp.invoice i
      union all select m.customer_id, -m.total, -m.open_amount, m.memo_date from erp.credit_memo m
      union all select p.customer_id, -p.amount, -p.open_amount, p.payment_date from erp.payment p
      union all select p.customer_id, p.amount, 0, p.reversed_on from erp.payment p where p.reversed_on is not null
    ) x cross join today t
    group by 1
  ), ahead as (
    select distinct a.customer_id from erp.payment_application a cross join today t where a.applied_on > t.day
  )
  select 'balance', c.customer_no, 0, c.customer_id,
    format('documents %s, open amounts %s, aging %s', coalesce(b.documents, 0), coalesce(b.open, 0),
      coalesce(g.current_due + g.days_30 + g.days_60 + g.days_90, 0)), null::bigint
  from book b
  full join (select r.* from today t cross join lateral erp.aging_report(t.day) r) g using (customer_id)
  join erp.customer c using (customer_id)
  where coalesce(b.documents, 0) <> coalesce(g.current_due + g.days_30 + g.days_60 + g.days_90, 0)
    or coalesce(b.open, 0) <> coalesce(b.documents, 0) and not b.ahead and not exists (select from ahead a
      where a.customer_id = c.customer_id)
  union all
  select 'payment_open', p.payment_no, 0, p.customer_id, format('open %s, amount %s, applied %s', p.open_amount,
    p.amount, coalesce(a.amount, 0)), null
  from erp.payment p
  left join (select x.payment_id, sum(x.amount) as amount from erp.payment_application x where x.payment_id is not null
    group by 1) a using (payment_id)
  where p.open_amount <> case when p.reversed_on is null then p.amount else 0 end - coalesce(a.amount, 0)
  union all
  select null, null, null, null, null, (select count(*) from book)
$$;

-- Runs the proof and returns the run. Whole looks at everything; otherwise at
-- what came since an earlier run began, with an hour to spare for what had not
-- committed then, and at what is still different. The price function is asked
-- again for receipts of the last 31 days at most: those before were asked in
-- their own night. The caller's transaction is repeatable read, so that all of
-- it is one moment.
create or replace function portal.prove_prices(p_whole boolean) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp set jit = off set work_mem = '64MB'
  set plan_cache_mode = force_custom_plan
as $$
declare
  began constant timestamptz := clock_timestamp();
  since timestamptz;
  business_since timestamptz;
  run bigint;
  orders bigint[];
  invoices bigint[];
  memos bigint[];
  n_lines bigint;
  n_invoice_lines bigint;
begin
  if not pg_try_advisory_xact_lock(7265018) then
    raise exception 'A price proof is running just now.' using errcode = 'PT409', constraint = 'proof_running';
  end if;
  select max(r.started_at) - interval '1 hour' into since from portal.proof_run r where r.seconds is not null
    and not p_whole;
  insert into portal.proof_run (started_at, whole, since) values (began, since is null, since) returning run_id
    into run;
  if since is null then
    orders := array(select o.order_id from erp.sales_order o);
    invoices := array(select i.invoice_id from erp.invoice i);
    memos := array(select m.credit_memo_id from erp.credit_memo m);
  else
    business_since := erp.now() - (began - since);
    orders := array(
      select r.order_id from portal.price_receipt r where r.written_at >= since
      union select o.order_id from erp.sales_order o where o.submitted_at >= business_since
      union select o.order_id from portal.proof_difference d join erp.sales_order o on o.order_no = d.subject
        where d.resolved_at is null);
    invoices := array(
      select i.invoice_id from erp.invoice i where i.issued_at >= business_since
      union select a.invoice_id from erp.payment_application a where a.applied_on >= business_since::date - 1
      union select i.invoice_id from portal.proof_difference d join erp.invoice i on i.invoice_no = d.subject
        where d.resolved_at is null);
    orders := array(
      select u from unnest(orders) as u
      union select i.order_id from erp.invoice i where i.invoice_id = any (invoices) and i.order_id is not null);
    memos := array(
      select m.credit_memo_id from erp.credit_memo m where m.issued_at >= business_since
      union select a.credit_memo_id from erp.payment_application a where a.applied_on >= business_since::date - 1
        and a.credit_memo_id is not null
      union select m.credit_memo_id from portal.proof_difference d join erp.credit_memo m on m.memo_no = d.subject
        where d.resolved_at is null);
  end if;

  insert into portal.proof_difference as d (kind, subject, line_no, customer_id, detail, first_run, last_run)
  select f.kind, f.subject, f.line_no, f.customer_id, f.detail, run, run
  from (
    select * from portal.proof_of_order_lines(orders)
    union all select * from portal.proof_of_invoice_lines(invoices)
    union all select * from portal.proof_of_documents(orders, invoices, memos)
    -- what is still different is looked at again
    union all select * from portal.verify_audit(case when not exists (
      select from portal.proof_difference x where x.resolved_at is null and x.kind ~ '^(audit|history)_')
        then since end)
  ) f
  on conflict (kind, subject, line_no) do update set last_run = run, detail = excluded.detail,
    customer_id = excluded.customer_id,
    -- what is found again after it was mended, or with other figures, is news
    found_at = case when d.resolved_at is null then d.found_at else excluded.found_at end,
    first_run = case when d.resolved_at is null then d.first_run else run end,
    acknowledged_at = case when d.resolved_at is null and d.detail = excluded.detail then d.acknowledged_at end,
    acknowledged_by = case when d.resolved_at is null and d.detail = excluded.detail then d.acknowledged_by end,
    note = case when d.resolved_at is null and d.detail = excluded.detail then d.note else '' end,
    resolved_at = null;

  with r as materialized (
    select * from portal.proof_of_receipts(coalesce(since, began - interval '31 days'), array(
      select o.order_id from portal.proof_difference x join erp.sales_order o on o.order_no = x.subject
        where x.kind = 'repriced' and x.resolved_at is null))
  ), b as materialized (
    select * from portal.proof_of_balances()
  ), kept as (
    insert into portal.proof_difference as d (kind, subject, line_no, customer_id, detail, first_run, last_run)
    select distinct on (f.kind, f.subject, f.line_no) f.kind, f.subject, f.line_no, f.customer_id, f.detail, run, run
    from (
      select r.kind, r.subject, r.line_no, r.customer_id, r.detail from r where not r.explained
      union all select b.kind, b.subject, b.line_no, b.customer_id, b.detail from b where b.kind is not null
    ) f
    on conflict (kind, subject, line_no) do update set last_run = run, detail = excluded.detail,
      customer_id = excluded.customer_id,
      found_at = case when d.resolved_at is null then d.found_at else excluded.found_at end,
      first_run = case when d.resolved_at is null then d.first_run else run end,
      acknowledged_at = case when d.resolved_at is null and d.detail = excluded.detail then d.acknowledged_at end,
      acknowledged_by = case when d.resolved_at is null and d.detail = excluded.detail then d.acknowledged_by end,
      note = case when d.resolved_at is null and d.detail = excluded.detail then d.note else '' end,
      resolved_at = null
  )
  update portal.proof_run p
    set explained = (select count(*) from r where r.explained), repriced = coalesce((select sum(r.asked) from r), 0),
      customers = coalesce((select sum(b.customers) from b), 0)
    where p.run_id = run;

  -- what this run looked at and did not find is mended
  update portal.proof_difference d set resolved_at = clock_timestamp() where d.resolved_at is null
    and d.last_run <> run;
  select count(*) into n_lines from unnest(orders) as s(order_id) join erp.sales_order_line l using (order_id);
  select count(*) into n_invoice_lines from unnest(invoices) as s(invoice_id) join erp.invoice_line v
    using (invoice_id);
  update portal.proof_run p
    set order_lines = n_lines, invoice_lines = n_invoice_lines,
      documents = cardinality(orders) + cardinality(invoices) + cardinality(memos),
      audit_rows = (select h.chain_no from portal.audit_head h), audit_hash = (select encode(h.hash, 'hex')
        from portal.audit_head h),
      found = (select count(*) from portal.proof_difference d where d.resolved_at is null
        and d.acknowledged_at is null),
      seconds = extract(epoch from clock_timestamp() - began)
    where p.run_id = run;
  perform portal.emit('proof', null, '');
  return run;
end
$$;
grant execute on function portal.prove_prices(boolean) to portal_work;

-- Somebody has looked at a difference and says what it is.
create or replace function portal.acknowledge_difference(p_difference_id bigint, p_note text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if coalesce(erp.clean_text(p_note), '') = '' then
    raise exception 'Say what it is, or what was done about it.' using errcode = 'PT422', constraint = 'proof_note',
      column = 'note';
  end if;
  update portal.proof_difference d set acknowledged_at = clock_timestamp(), acknowledged_by = portal.actor(),
    note = btrim(p_note)
    where d.difference_id = p_difference_id and d.resolved_at is null;
  if not found then
    raise exception 'There is no such open difference. A later proof may have found it mended.' using errcode = 'PT404';
  end if;
  insert into portal.audit (action, customer_id, subject, data)
  select 'proof_acknowledged', d.customer_id, d.subject, jsonb_build_object('kind', d.kind, 'line', d.line_no, 'detail',
    d.detail, 'note', d.note)
  from portal.proof_difference d where d.difference_id = p_difference_id;
end
$$;
grant execute on function portal.acknowledge_difference(bigint, text) to portal_desk;
