-- +goose Up
-- Who may touch what. portal_web serves customers: it sees only the rows of
-- the customer its transaction acts for, no cost and no price column, and it
-- writes through functions. Everybody else with a grant on a table sees all of
-- it: the wall is a restrictive policy for portal_web alone, so that programs
-- of the ERP work as before.

grant usage on schema erp, portal to portal_web, portal_desk, portal_work;

-- +goose StatementBegin
do $$
declare
  fence record;
begin
  for fence in
    select * from (values
      ('erp.customer', 'customer_id = portal.customer_id()'),
      ('erp.web_access', 'customer_id = portal.customer_id()'),
      ('erp.ship_to', 'customer_id = portal.customer_id()'),
      ('erp.customer_item', 'customer_id = portal.customer_id()'),
      ('erp.authorized_item', 'customer_id = portal.customer_id()'),
      ('erp.price_contract', 'customer_id = portal.customer_id()'),
      ('erp.price_group', 'customer_id = portal.customer_id()'),
      ('erp.sales_order', 'customer_id = portal.customer_id()'),
      ('erp.sales_order_line', 'exists (select from erp.sales_order o where o.order_id = sales_order_line.order_id and o.customer_id = portal.customer_id())'),
      ('erp.order_status_history', 'exists (select from erp.sales_order o where o.order_id = order_status_history.order_id and o.customer_id = portal.customer_id())'),
      ('erp.shipment', 'exists (select from erp.sales_order o where o.order_id = shipment.order_id and o.customer_id = portal.customer_id())'),
      ('erp.shipment_line', 'exists (select from erp.sales_order o where o.order_id = shipment_line.order_id and o.customer_id = portal.customer_id())'),
      ('erp.invoice', 'customer_id = portal.customer_id()'),
      ('erp.invoice_line', 'exists (select from erp.invoice i where i.invoice_id = invoice_line.invoice_id and i.customer_id = portal.customer_id())'),
      ('erp.credit_memo', 'customer_id = portal.customer_id()'),
      ('erp.credit_memo_line', 'exists (select from erp.credit_memo m where m.credit_memo_id = credit_memo_line.credit_memo_id and m.customer_id = portal.customer_id())'),
      ('erp.payment', 'customer_id = portal.customer_id()'),
      ('erp.payment_application', 'exists (select from erp.invoice i where i.invoice_id = payment_application.invoice_id and i.customer_id = portal.customer_id())'),
      ('erp.credit_request', 'customer_id = portal.customer_id()'),
      ('erp.credit_request_line', 'exists (select from erp.credit_request r where r.request_id = credit_request_line.request_id and r.customer_id = portal.customer_id())'),
      ('portal.cart', 'customer_id = portal.customer_id()'),
      ('portal.cart_line', 'exists (select from portal.cart c where c.cart_id = cart_line.cart_id and c.customer_id = portal.customer_id())'),
      ('portal.favorite', 'customer_id = portal.customer_id()'),
      ('portal.document', 'customer_id = portal.customer_id()')
    ) as fences (of_table, own_rows)
  loop
    execute format('alter table %s enable row level security', fence.of_table);
    execute format('create policy open_to_programs on %s using (true) with check (true)', fence.of_table);
    execute format('create policy own_customer_only on %s as restrictive to portal_web using (%s) with check (%2$s)',
      fence.of_table, fence.own_rows);
  end loop;
end
$$;
-- +goose StatementEnd

grant select on
  erp.company, erp.category, erp.route, erp.route_day, erp.route_holiday, erp.credit_reason, erp.order_move,
  erp.item_picture,
  erp.customer, erp.web_access, erp.ship_to, erp.customer_item, erp.authorized_item,
  erp.sales_order, erp.sales_order_line, erp.order_status_history, erp.shipment, erp.shipment_line,
  erp.invoice, erp.invoice_line, erp.credit_memo, erp.credit_memo_line, erp.payment, erp.payment_application,
  erp.credit_request, erp.credit_request_line,
  portal.cart, portal.cart_line, portal.favorite, portal.document
to portal_web;
-- No cost, no level's column, no unit's own price: prices come from erp.price.
grant select (item_id, item_no, description, details, category_id, base_uom, barcode, active, discontinued,
  substitute_item_id, allow_backorder, fractional, created_at, search) on erp.item to portal_web;
grant select (item_id, uom, factor, barcode) on erp.item_uom to portal_web;
grant insert, update, delete on portal.cart, portal.cart_line, portal.favorite to portal_web;

grant select, insert, update, delete on all tables in schema erp to portal_desk;
revoke insert, update, delete on erp.clock, erp.order_move, erp.company from portal_desk;
grant usage, select on all sequences in schema erp to portal_desk;
grant select on portal.audit, portal.login to portal_desk;
grant insert on portal.audit to portal_desk;
revoke select on portal.login from portal_desk;
grant select (login_id, customer_id, staff_role, email, name, locked_until, disabled, last_login_at, created_at)
  on portal.login to portal_desk;

grant select on all tables in schema erp to portal_work;
grant insert, update, delete on erp.sales_order, erp.order_review to portal_work;
grant select, insert, update, delete on all tables in schema portal to portal_work;
grant usage, select on all sequences in schema portal to portal_work;

-- Functions are for those who are granted them, one by one.
alter default privileges for role portal_owner revoke execute on functions from public;
revoke execute on all functions in schema erp, portal from public;
grant execute on function erp.now(), erp.today(), portal.customer_id(), portal.actor() to public;

-- +goose Down
revoke all on all tables in schema erp, portal from portal_web, portal_desk, portal_work;
