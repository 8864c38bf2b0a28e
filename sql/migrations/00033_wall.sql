-- +goose Up
-- Functions that act for their owner look for names in pg_catalog, and last of
-- all among the session's temporary objects. Where pg_temp is not named it comes
-- first, and a domain "date" that somebody made there is taken for PostgreSQL's
-- own: its check then runs with the owner's rights.

-- +goose StatementBegin
do $$
declare
  f regprocedure;
begin
  for f in
    select p.oid::regprocedure
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname in ('erp', 'portal') and 'search_path=pg_catalog' = any (p.proconfig)
  loop
    execute format('alter function %s set search_path = pg_catalog, pg_temp', f);
  end loop;
end
$$;
-- +goose StatementEnd

-- Numbers are drawn by triggers/number.sql: whoever may not insert a document
-- draws none.
revoke execute on function erp.next_invoice_no(), erp.next_no(text) from public;
alter table erp.sales_order alter column order_no drop default;
alter table erp.invoice alter column invoice_no drop default;
alter table erp.credit_memo alter column memo_no drop default;
alter table erp.payment alter column payment_no drop default;
alter table erp.credit_request alter column request_no drop default;

-- portal_auth: log-ins, sessions, and the event log that open pages hear of, for a
-- process that serves pages. It reads no hash, and no role does: see
-- sql/functions/password.sql and docs/decisions/0011.
grant usage on schema erp, portal to portal_auth;
grant select (login_id, customer_id, staff_role, email, disabled, failed_count, failed_since, locked_until, last_login_at)
  on portal.login to portal_auth;
grant update (password_hash, password_changed_at, failed_count, failed_since, locked_until, last_login_at) on portal.login to portal_auth;
grant select, delete on portal.session, portal.invitation, portal.password_reset to portal_auth;
grant insert (login_id, token_hash, expires_at, user_agent, source), update (seen_at, expires_at) on portal.session to portal_auth;
grant select, insert, update on portal.login_source, portal.login_block to portal_auth;
grant select (customer_id, customer_no, name, active) on erp.customer to portal_auth;
grant select (customer_id, enabled) on erp.web_access to portal_auth;
grant select on portal.event, portal.event_floor, portal.event_epoch, portal.migration, portal.wall to portal_auth;
grant select on sequence portal.event_missed to portal_auth;
grant select, insert, update, delete on portal.event_node to portal_auth;
grant select (item_id, item_no) on erp.item to portal_auth;

-- All columns of log-ins but the hash. A new column is granted by its migration.
revoke select on portal.login from portal_work;
grant select (login_id, customer_id, staff_role, email, name, password_changed_at, failed_count, failed_since, locked_until, disabled,
  last_login_at, created_at, customer_role, spend_limit, spend_period, sign_off_all) on portal.login to portal_work;

-- +goose Down
grant select on portal.login to portal_work;
revoke all on all tables in schema erp, portal from portal_auth;
revoke all on all sequences in schema portal from portal_auth;
revoke usage on schema erp, portal from portal_auth;
alter table erp.credit_request alter column request_no set default erp.next_no('credit_request');
alter table erp.payment alter column payment_no set default erp.next_no('payment');
alter table erp.credit_memo alter column memo_no set default erp.next_no('credit_memo');
alter table erp.invoice alter column invoice_no set default erp.next_invoice_no();
alter table erp.sales_order alter column order_no set default erp.next_no('order');
grant execute on function erp.next_invoice_no(), erp.next_no(text) to public;
