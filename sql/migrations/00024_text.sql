-- +goose Up
-- Lengths of what people and other programs write, and days within reason, held
-- against every program. Rows from before may be longer: then the constraint
-- stays not valid, which holds it for what is written from now on, and the
-- migration's notice names it.

-- +goose StatementBegin
do $$
declare
  k record;
begin
  for k in
    select t.of, c.name as column_name, c.most::int as most, split_part(t.of, '.', 2) || '_' || c.name || '_length' as name,
      format('length(%I::text) <= %s', c.name, c.most) as rule
    from (values
      ('erp.sales_order', '{order_no=60,po_no=60,note=2000,status_reason=1000,credit_release_reason=1000}'::text[]),
      ('erp.sales_order_line', '{override_reason=1000,cancel_reason=1000}'),
      ('erp.order_change', '{reason=1000}'),
      ('erp.invoice', '{invoice_no=60,po_no=60}'),
      ('erp.credit_memo', '{memo_no=60,reason=1000}'),
      ('erp.payment', '{payment_no=60,reference=80,reversed_reason=1000}'),
      ('erp.credit_request', '{note=2000,status_reason=1000}'),
      ('erp.credit_request_line', '{note=1000,decision_note=1000}'),
      ('erp.customer', '{customer_no=60,name=200,country=100,bill_to=1000}'),
      ('erp.customer_item', '{their_item_no=60}'),
      ('erp.ship_to', '{code=60,name=200,address1=200,address2=200,city=100,region=100,postal_code=40,country=100,phone=60}'),
      ('erp.item', '{item_no=60,description=300,details=10000,barcode=60}'),
      ('erp.item_uom', '{uom=20,barcode=60}'),
      ('erp.category', '{name=200}'),
      ('erp.carrier', '{name=200}'),
      ('erp.shipment', '{carrier=60,tracking_no=100,delivered_to=200}'),
      ('erp.stock_expected', '{note=200}'),
      ('erp.route', '{code=20,name=80}'),
      ('erp.route_holiday', '{name=80}'),
      ('erp.company', '{name=200,remit_to=1000}'),
      ('portal.cart', '{po_no=60,note=2000}'),
      ('portal.sign_off', '{po_no=60,note=2000,reason=1000}'),
      ('portal.standing_order', '{name=80,po_no=60,note=2000}'),
      ('portal.item_list', '{name=80}'),
      ('portal.login', '{email=254,name=80}'),
      ('portal.notice', '{text=2000}'),
      ('portal.proof_difference', '{note=1000}'),
      ('portal.request_photo', '{name=300}')) as t(of, columns)
    cross join lateral (select split_part(a, '=', 1) as name, split_part(a, '=', 2) as most from unnest(t.columns) a) c
    union all
    select d.of, d.column_name, null, split_part(d.of, '.', 2) || '_' || d.column_name || '_within_reason',
      format(case when d.column_name = 'valid'
        then 'lower(%I) between date ''1900-01-01'' and date ''2200-01-01''' -- an end of 9999 is how ERPs write none
        else '%I between date ''1900-01-01'' and date ''2200-01-01''' end, d.column_name)
    from (values ('erp.sales_order', 'requested_date'), ('portal.cart', 'requested_date'), ('portal.sign_off', 'requested_date'),
      ('erp.invoice', 'invoice_date'), ('erp.invoice', 'due_date'), ('erp.payment', 'payment_date'), ('erp.credit_memo', 'memo_date'),
      ('erp.stock_expected', 'expected_on'), ('portal.standing_order', 'starts_on'), ('portal.standing_order', 'ends_on'),
      ('portal.statement', 'period_from'), ('portal.statement', 'period_to'),
      ('erp.price_contract', 'valid'), ('erp.price_group', 'valid'), ('erp.price_break', 'valid')) as d(of, column_name)
  loop
    execute format('alter table %s add constraint %I check (%s) not valid', k.of, k.name, k.rule);
    begin
      execute format('alter table %s validate constraint %I', k.of, k.name);
    exception when check_violation then
      raise notice 'Rows of % from before do not satisfy constraint %: mend them, then validate it.', k.of, k.name;
    end;
  end loop;
end
$$;
-- +goose StatementEnd

-- What people search for and log in with, and was stored with its accents apart,
-- is stored as everybody types it from now on.
-- +goose StatementBegin
do $$
declare
  k record;
begin
  for k in
    select * from (values ('erp.item', 'description', 'text'), ('erp.item', 'details', 'text'), ('erp.customer_item', 'their_item_no', 'text'),
      ('erp.customer', 'name', 'text'), ('erp.ship_to', 'name', 'text'), ('erp.category', 'name', 'text'),
      ('portal.login', 'email', 'public.citext'), ('portal.login', 'name', 'text')) as c(of, name, type)
  loop
    begin
      execute format('update %s set %I = normalize(%2$I::text, NFC)::%s where %2$I::text is not NFC normalized', k.of, k.name, k.type);
    exception when unique_violation then
      raise notice 'Two rows of % have the same % but for how accents are written: mend one of them.', k.of, k.name;
    end;
  end loop;
end
$$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
do $$
declare
  k record;
begin
  for k in
    select c.conrelid::regclass as of, c.conname from pg_constraint c
    where c.contype = 'c' and c.connamespace in ('erp'::regnamespace, 'portal'::regnamespace)
      and pg_get_constraintdef(c.oid) ~ '^CHECK \(\(+(length\(|lower\(valid|[a-z_]+ >= ''1900)'
      and (c.conname like '%\_length' or c.conname like '%\_within\_reason')
  loop
    execute format('alter table %s drop constraint %I', k.of, k.conname);
  end loop;
end
$$;
-- +goose StatementEnd
