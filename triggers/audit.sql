-- The audit log: whatever changes money, limits, access or status is in
-- portal.audit with who, when, and each changed column as [old, new], whichever
-- program wrote it. Prices are in price_audit.sql and price_receipt.sql, people in
-- person.sql, Web Access in access.sql.
--
-- One insert a statement. New rows have no old values: a statement that inserts
-- more than 25 is one row with their number and sum, so that an import is short;
-- changes and deletions are kept row by row, however many.
--
-- Old and new rows are joined by hash, as in price_audit.sql. A plan that cannot do
-- without a nested loop then looks so dear that PostgreSQL would compile it, which
-- costs more than the rows: hence no JIT.

-- What a row is called in the log, and whose it is.
create or replace function portal.audit_subject(p_table text, p_row jsonb, out subject text, out customer_id bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  id bigint;
begin
  customer_id := (p_row ->> 'customer_id')::bigint;
  case p_table
    when 'invoice_line' then
      select i.invoice_no, i.customer_id into subject, customer_id from erp.invoice i
        where i.invoice_id = (p_row ->> 'invoice_id')::bigint;
    when 'credit_memo_line' then
      select m.memo_no, m.customer_id into subject, customer_id from erp.credit_memo m
        where m.credit_memo_id = (p_row ->> 'credit_memo_id')::bigint;
    when 'payment_application' then
      select i.invoice_no into subject from erp.invoice i where i.invoice_id = (p_row ->> 'invoice_id')::bigint;
    when 'credit_request_line' then
      select r.request_no, r.customer_id into subject, customer_id from erp.credit_request r
        where r.request_id = (p_row ->> 'request_id')::bigint;
    when 'shipment' then
      select o.order_no, o.customer_id into subject, customer_id from erp.sales_order o
        where o.order_id = (p_row ->> 'order_id')::bigint;
    when 'authorized_item' then
      select i.item_no into subject from erp.item i where i.item_id = (p_row ->> 'item_id')::bigint;
    when 'ship_to' then
      subject := p_row ->> 'code';
    else
      subject := coalesce(p_row ->> 'doc_no', p_row ->> 'invoice_no', p_row ->> 'memo_no', p_row ->> 'payment_no',
        p_row ->> 'order_no', p_row ->> 'request_no',
        p_row ->> 'customer_no', p_row ->> 'series', '');
  end case;
  subject := coalesce(subject, '');
end
$$;

-- Arguments: the columns of the key (two, the second may be empty), and those that
-- are not worth a row, separated by commas.
create or replace function portal.rows_audited() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_nestloop = off set jit = off
as $$
declare
  key_1 constant text := tg_argv[0];
  key_2 constant text := tg_argv[1];
  left_out constant text[] := string_to_array(tg_argv[2], ',');
  n bigint;
begin
  if tg_op = 'INSERT' then
    select count(*) into n from (select from new_rows limit 26) few;
    if n = 0 then
      return null;
    elsif n > 25 then
      insert into portal.audit (action, data)
      select tg_table_name, jsonb_build_object('rows', jsonb_build_array(null, count(*)), 'amount',
        jsonb_build_array(null, coalesce(
        sum((r.j ->> 'line_total')::numeric), sum((r.j ->> 'total')::numeric), sum((r.j ->> 'amount')::numeric))))
      from (select to_jsonb(x) as j from new_rows x) r;
      return null;
    end if;
    insert into portal.audit (action, customer_id, subject, data)
    select tg_table_name, s.customer_id, s.subject, (
      select jsonb_object_agg(f.key, jsonb_build_array(null, f.value)) from jsonb_each(r.j) f
      where f.value not in ('null', '""') and not f.key = any (left_out) and f.key <> 'made_in')
    from (select to_jsonb(x) as j from new_rows x) r cross join lateral portal.audit_subject(tg_table_name, r.j) s;
  elsif tg_op = 'DELETE' then
    insert into portal.audit (action, customer_id, subject, data)
    select tg_table_name, s.customer_id, s.subject, (
      select jsonb_object_agg(f.key, jsonb_build_array(f.value, null)) from jsonb_each(r.j) f where f.value <> 'null')
    from (select to_jsonb(x) as j from old_rows x) r cross join lateral portal.audit_subject(tg_table_name, r.j) s;
  else
    -- materialized: else each row would be made into JSON again for each of its columns
    with a as materialized (select to_jsonb(x) as j from new_rows x), b as materialized (select to_jsonb(x) as j
      from old_rows x)
    insert into portal.audit (action, customer_id, subject, data)
    select tg_table_name, s.customer_id, s.subject, c.data
    from (
      select coalesce(b.j, a.j) as j, (
        select jsonb_object_agg(f.key, jsonb_build_array(b.j -> f.key, a.j -> f.key))
        from jsonb_object_keys(coalesce(a.j, b.j)) f(key)
        where not f.key = any (left_out) and b.j -> f.key is distinct from a.j -> f.key) as data
      from a full join b on a.j ->> key_1 = b.j ->> key_1 and coalesce(a.j ->> key_2, '') = coalesce(b.j ->> key_2, '')
      where a.j is distinct from b.j
    ) c cross join lateral portal.audit_subject(tg_table_name, c.j) s
    where c.data is not null;
  end if;
  return null;
end
$$;

-- Lines that come are one row a document: they do not change any more.
create or replace function portal.lines_audited() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
  id_column constant text := tg_argv[0];
  documents bigint;
begin
  select count(*) into documents from (select distinct to_jsonb(x) ->> id_column from new_rows x limit 26) few;
  if documents > 25 then
    insert into portal.audit (action, data)
    select tg_table_name, jsonb_build_object('lines', jsonb_build_array(null, count(*)), 'amount',
      jsonb_build_array(null, sum(x.line_total))) from new_rows x;
    return null;
  end if;
  insert into portal.audit (action, customer_id, subject, data)
  select tg_table_name, s.customer_id, s.subject, d.data
  from (
    select jsonb_build_object(id_column, r.j -> id_column) as j,
      jsonb_build_object('lines', jsonb_build_array(null, count(*)), 'amount',
        jsonb_build_array(null, sum((r.j ->> 'line_total')::numeric))) as data
    from (select to_jsonb(x) as j from new_rows x) r group by r.j -> id_column
  ) d cross join lateral portal.audit_subject(tg_table_name, d.j) s;
  return null;
end
$$;

create or replace trigger invoice_line_insert_audited after insert on erp.invoice_line
  referencing new table as new_rows for each statement execute function portal.lines_audited('invoice_id');
create or replace trigger credit_memo_line_insert_audited after insert on erp.credit_memo_line
  referencing new table as new_rows for each statement execute function portal.lines_audited('credit_memo_id');

-- The open amount of a document, and its total, follow from applications and
-- lines, which have rows of their own.
create or replace trigger invoice_insert_audited after insert on erp.invoice
  referencing new table as new_rows for each statement execute function portal.rows_audited('invoice_id', '',
    'open_amount');
create or replace trigger invoice_update_audited after update on erp.invoice
  referencing old table as old_rows new table as new_rows
    for each statement execute function portal.rows_audited('invoice_id', '', 'open_amount,total');
create or replace trigger credit_memo_insert_audited after insert on erp.credit_memo
  referencing new table as new_rows for each statement execute function portal.rows_audited('credit_memo_id', '',
    'open_amount');
create or replace trigger credit_memo_update_audited after update on erp.credit_memo
  referencing old table as old_rows new table as new_rows
    for each statement execute function portal.rows_audited('credit_memo_id', '', 'open_amount,total');
create or replace trigger payment_insert_audited after insert on erp.payment
  referencing new table as new_rows for each statement execute function portal.rows_audited('payment_id', '',
    'open_amount,key');
create or replace trigger payment_update_audited after update on erp.payment
  referencing old table as old_rows new table as new_rows
    for each statement execute function portal.rows_audited('payment_id', '', 'open_amount');
create or replace trigger payment_application_insert_audited after insert on erp.payment_application
  referencing new table as new_rows for each statement execute function portal.rows_audited('application_id', '', '');

-- Of an order, its first row and each step are in the status history, and with
-- it in the log (see order_history.sql); its total follows from the lines.
create or replace trigger sales_order_update_audited after update on erp.sales_order
  referencing old table as old_rows new table as new_rows
    for each statement execute function portal.rows_audited('order_id', '', 'status,total');
create or replace trigger sales_order_delete_audited after delete on erp.sales_order
  referencing old table as old_rows for each statement execute function portal.rows_audited('order_id', '', '');
create or replace trigger shipment_update_audited after update on erp.shipment
  referencing old table as old_rows new table as new_rows
    for each statement execute function portal.rows_audited('shipment_id', '', '');
create or replace trigger shipment_delete_audited after delete on erp.shipment
  referencing old table as old_rows for each statement execute function portal.rows_audited('shipment_id', '', '');

create or replace trigger credit_request_insert_audited after insert on erp.credit_request
  referencing new table as new_rows for each statement execute function portal.rows_audited('request_id', '', '');
create or replace trigger credit_request_update_audited after update on erp.credit_request
  referencing old table as old_rows new table as new_rows
    for each statement execute function portal.rows_audited('request_id', '', '');
create or replace trigger credit_request_delete_audited after delete on erp.credit_request
  referencing old table as old_rows for each statement execute function portal.rows_audited('request_id', '', '');
create or replace trigger credit_request_line_insert_audited after insert on erp.credit_request_line
  referencing new table as new_rows for each statement execute function portal.rows_audited('request_id', 'line_no',
    '');
create or replace trigger credit_request_line_update_audited after update on erp.credit_request_line
  referencing old table as old_rows new table as new_rows
    for each statement execute function portal.rows_audited('request_id', 'line_no', '');
create or replace trigger credit_request_line_delete_audited after delete on erp.credit_request_line
  referencing old table as old_rows for each statement execute function portal.rows_audited('request_id', 'line_no',
    '');

-- Limits, terms, holds, tax, and what an account may buy. The price level is in
-- the log as price_basis.
create or replace trigger customer_insert_audited after insert on erp.customer
  referencing new table as new_rows for each statement execute function portal.rows_audited('customer_id', '', '');
create or replace trigger customer_update_audited after update on erp.customer
  referencing old table as old_rows new table as new_rows
    for each statement execute function portal.rows_audited('customer_id', '', 'price_level');
create or replace trigger customer_delete_audited after delete on erp.customer
  referencing old table as old_rows for each statement execute function portal.rows_audited('customer_id', '', '');
create or replace trigger ship_to_update_audited after update on erp.ship_to
  referencing old table as old_rows new table as new_rows
    for each statement execute function portal.rows_audited('ship_to_id', '', '');
create or replace trigger ship_to_delete_audited after delete on erp.ship_to
  referencing old table as old_rows for each statement execute function portal.rows_audited('ship_to_id', '', '');
create or replace trigger authorized_item_insert_audited after insert on erp.authorized_item
  referencing new table as new_rows for each statement execute function portal.rows_audited('customer_id', 'item_id',
    '');
create or replace trigger authorized_item_update_audited after update on erp.authorized_item
  referencing old table as old_rows new table as new_rows
    for each statement execute function portal.rows_audited('customer_id', 'item_id', '');
create or replace trigger authorized_item_delete_audited after delete on erp.authorized_item
  referencing old table as old_rows for each statement execute function portal.rows_audited('customer_id', 'item_id',
    '');
create or replace trigger company_update_audited after update on erp.company
  referencing old table as old_rows new table as new_rows
    for each statement execute function portal.rows_audited('only_row', '', '');

-- What a second person decides about.
create or replace trigger held_entry_insert_audited after insert on portal.held_entry
  referencing new table as new_rows for each statement execute function portal.rows_audited('entry_id', '', 'key');
create or replace trigger held_entry_update_audited after update on portal.held_entry
  referencing old table as old_rows new table as new_rows
    for each statement execute function portal.rows_audited('entry_id', '', '');

-- A number that is drawn is no change.
create or replace function portal.document_series_audited() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into portal.audit (action, subject, data) values ('document_series', coalesce(new.series, old.series),
    jsonb_build_object('next_no', jsonb_build_array(old.next_no, new.next_no)));
  return null;
end
$$;
create or replace trigger document_series_audited after update on erp.document_series for each row
  when (new.series <> old.series or new.next_no <> old.next_no + 1) execute function portal.document_series_audited();
create or replace trigger document_series_coming_audited after insert or delete on erp.document_series for each row
  execute function portal.document_series_audited();

-- Order lines: one row an order and statement, each line by its number. Those that
-- come with their order are no change of it, nor is what is allocated to them then.
create or replace function portal.order_lines_audited() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_nestloop = off set jit = off
as $$
begin
  if tg_op = 'INSERT' then
    insert into portal.audit (action, customer_id, subject, data)
    select 'order_line', o.customer_id, o.order_no,
      jsonb_build_object('lines', jsonb_object_agg(n.line_no, jsonb_build_object(
      'item_id', jsonb_build_array(null, n.item_id), 'uom', jsonb_build_array(null, n.uom), 'qty',
        jsonb_build_array(null, n.qty),
      'unit_price', jsonb_build_array(null, n.unit_price))))
    from new_rows n join erp.sales_order o using (order_id)
    where o.made_in is distinct from erp.this_transaction()
    group by o.order_id;
    return null;
  elsif tg_op = 'DELETE' then
    insert into portal.audit (action, customer_id, subject, data)
    select 'order_line', o.customer_id, o.order_no, jsonb_build_object('lines', jsonb_object_agg(p.line_no, (
      select jsonb_object_agg(f.key, jsonb_build_array(f.value, null)) from jsonb_each(to_jsonb(p)) f
        where f.value not in ('null', '0', '""'))))
    from old_rows p join erp.sales_order o using (order_id)
    group by o.order_id;
    return null;
  end if;
  insert into portal.audit (action, customer_id, subject, data)
  select 'order_line', o.customer_id, o.order_no, jsonb_build_object('lines', jsonb_object_agg(c.line_no, c.data))
  from (
    select n.order_id, n.line_no,
      case when n.qty <> p.qty then jsonb_build_object('qty', jsonb_build_array(p.qty, n.qty)) else '{}' end
      || case when n.unit_price is distinct from p.unit_price then jsonb_build_object('unit_price',
        jsonb_build_array(p.unit_price, n.unit_price)) else '{}' end
      || case when n.price_step is distinct from p.price_step then jsonb_build_object('price_step',
        jsonb_build_array(p.price_step, n.price_step)) else '{}' end
      || case when n.price_rule_id is distinct from p.price_rule_id
        then jsonb_build_object('price_rule_id', jsonb_build_array(p.price_rule_id, n.price_rule_id)) else '{}' end
      || case when n.price_valid_until is distinct from p.price_valid_until
        then jsonb_build_object('price_valid_until', jsonb_build_array(p.price_valid_until, n.price_valid_until))
          else '{}' end
      || case when n.override_reason <> p.override_reason
        then jsonb_build_object('override_reason', jsonb_build_array(p.override_reason, n.override_reason))
          else '{}' end
      || case when n.qty_allocated <> p.qty_allocated then jsonb_build_object('qty_allocated',
        jsonb_build_array(p.qty_allocated, n.qty_allocated)) else '{}' end
      || case when n.qty_backordered <> p.qty_backordered
        then jsonb_build_object('qty_backordered', jsonb_build_array(p.qty_backordered, n.qty_backordered))
          else '{}' end
      || case when n.qty_picked <> p.qty_picked then jsonb_build_object('qty_picked', jsonb_build_array(p.qty_picked,
        n.qty_picked)) else '{}' end
      || case when n.qty_shipped <> p.qty_shipped then jsonb_build_object('qty_shipped',
        jsonb_build_array(p.qty_shipped, n.qty_shipped)) else '{}' end
      || case when n.qty_cancelled <> p.qty_cancelled then jsonb_build_object('qty_cancelled',
        jsonb_build_array(p.qty_cancelled, n.qty_cancelled)) else '{}' end
      || case when n.cancel_reason <> p.cancel_reason then jsonb_build_object('cancel_reason',
        jsonb_build_array(p.cancel_reason, n.cancel_reason)) else '{}' end
      || case when n.substitute_for_line is distinct from p.substitute_for_line
        then jsonb_build_object('substitute_for_line', jsonb_build_array(p.substitute_for_line, n.substitute_for_line))
          else '{}' end as data
    from new_rows n join old_rows p on p.order_id = n.order_id and p.line_no = n.line_no
    where n <> p
  ) c
  join erp.sales_order o using (order_id)
  where c.data <> '{}' and o.made_in is distinct from erp.this_transaction()
  group by o.order_id;
  return null;
end
$$;
create or replace trigger sales_order_line_insert_audited after insert on erp.sales_order_line
  referencing new table as new_rows for each statement execute function portal.order_lines_audited();
create or replace trigger sales_order_line_update_audited after update on erp.sales_order_line
  referencing old table as old_rows new table as new_rows
    for each statement execute function portal.order_lines_audited();
create or replace trigger sales_order_line_delete_audited after delete on erp.sales_order_line
  referencing old table as old_rows for each statement execute function portal.order_lines_audited();

-- The log and the history only grow. Who owns the tables has to switch the
-- trigger off to cut them, and then the chain tells (sql/functions/seal_audit.sql).
-- What is old goes by portal.forget_audit, which says which transaction it is.
create or replace function portal.refuse_forgetting() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'DELETE' and tg_table_name in ('audit', 'audit_chain')
    and exists (select from portal.audit_head h where h.forgetting = pg_current_xact_id()) then
    return null;
  end if;
  raise exception 'What is in %.% is never changed or deleted.', tg_table_schema, tg_table_name
    using errcode = 'PT409', constraint = tg_table_name || '_append_only';
end
$$;
create or replace trigger audit_append_only before update or delete or truncate on portal.audit
  for each statement execute function portal.refuse_forgetting();
create or replace trigger audit_chain_append_only before update or delete or truncate on portal.audit_chain
  for each statement execute function portal.refuse_forgetting();
create or replace trigger order_status_history_append_only before update
  or delete or truncate on erp.order_status_history
  for each statement execute function portal.refuse_forgetting();
