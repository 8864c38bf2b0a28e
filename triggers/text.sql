-- Text that people and other programs write is kept clean, whoever writes it:
-- a PO number of a tab or a no-break space is none, and é typed as two characters
-- is the é that somebody searches for. erp.clean_text says what clean is.

-- Cleans the columns that are its arguments: "po_no", "note:lines" where line
-- breaks stay, "po_no:null" where nothing written is null.
create or replace function erp.clean_columns() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  written jsonb := to_jsonb(new);
  clean jsonb := '{}';
  name text;
  how text;
  value text;
begin
  for i in 0 .. tg_nargs - 1 loop
    name := split_part(tg_argv[i], ':', 1);
    how := split_part(tg_argv[i], ':', 2);
    value := erp.clean_text(written ->> name, how = 'lines');
    if how = 'null' then
      value := nullif(value, '');
    end if;
    if value is distinct from written ->> name then
      clean := clean || jsonb_build_object(name, value);
    end if;
  end loop;
  return jsonb_populate_record(new, clean);
end
$$;

-- One trigger a table, which runs only where something is to be cleaned.
-- TextColumns in Go lists the same columns, with their lengths; a test compares.
do $$
declare
  t record;
begin
  for t in
    select k.of, string_agg(quote_ident(c.name), ', ' order by c.ord) as columns,
      string_agg(quote_literal(c.arg), ', ' order by c.ord) as args,
      string_agg(format(case c.how when 'null'
        then 'new.%I::text is distinct from nullif(erp.clean_text(new.%1$I::text), '''')'
        when 'lines' then 'new.%I::text is distinct from erp.clean_text(new.%1$I::text, true)'
        else 'new.%I::text is distinct from erp.clean_text(new.%1$I::text)' end, c.name), ' or ' order by c.ord)
          as dirty
    from (values
      ('erp.sales_order', '{order_no,po_no:null,note:lines,status_reason,credit_release_reason}'::text[]),
      ('erp.sales_order_line', '{override_reason,cancel_reason}'),
      ('erp.order_change', '{reason}'),
      ('erp.invoice', '{invoice_no,po_no:null}'),
      ('erp.credit_memo', '{memo_no,reason}'),
      ('erp.payment', '{payment_no,reference,reversed_reason}'),
      ('erp.credit_request', '{note:lines,status_reason}'),
      ('erp.credit_request_line', '{note,decision_note}'),
      ('erp.customer', '{customer_no,name,country,bill_to:lines}'),
      ('erp.customer_item', '{their_item_no}'),
      ('erp.ship_to', '{code,name,address1,address2,city,region,postal_code,country,phone}'),
      ('erp.item', '{item_no,description,details:lines,barcode:null}'),
      ('erp.item_uom', '{uom,barcode:null}'),
      ('erp.category', '{name}'),
      ('erp.carrier', '{name}'),
      ('erp.shipment', '{carrier,tracking_no,delivered_to}'),
      ('erp.stock_expected', '{note}'),
      ('erp.route', '{code,name}'),
      ('erp.route_holiday', '{name}'),
      ('erp.company', '{name,remit_to:lines}'),
      ('portal.cart', '{po_no,note:lines}'),
      ('portal.sign_off', '{po_no:null,note:lines,reason}'),
      ('portal.standing_order', '{name,po_no,note:lines}'),
      ('portal.item_list', '{name}'),
      ('portal.login', '{email,name}'),
      ('portal.invited_person', '{email,name}'),
      ('portal.notice', '{text}'),
      ('portal.proof_difference', '{note}'),
      ('portal.request_photo', '{name}')) as k(of, args)
    cross join lateral (select a.arg, a.ord, split_part(a.arg, ':', 1) as name, split_part(a.arg, ':', 2) as how
      from unnest(k.args) with ordinality as a(arg, ord)) c
    group by k.of
  loop
    execute format('create or replace trigger %I before insert or update of %s on %s for each row when (%s) execute function erp.clean_columns(%s)',
      split_part(t.of, '.', 2) || '_clean', t.columns, t.of, t.dirty, t.args);
  end loop;
end
$$;
