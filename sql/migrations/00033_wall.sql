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

-- +goose Down
alter table erp.credit_request alter column request_no set default erp.next_no('credit_request');
alter table erp.payment alter column payment_no set default erp.next_no('payment');
alter table erp.credit_memo alter column memo_no set default erp.next_no('credit_memo');
alter table erp.invoice alter column invoice_no set default erp.next_invoice_no();
alter table erp.sales_order alter column order_no set default erp.next_no('order');
grant execute on function erp.next_invoice_no(), erp.next_no(text) to public;
