-- +goose Up
-- What is posted stays: which transaction made a document, which total the books
-- had that it was opened with, and an audit log that only grows and is sealed.

alter table erp.invoice add column made_in text, add column opened_total numeric(14,2);
alter table erp.credit_memo add column made_in text, add column opened_total numeric(14,2);
alter table erp.sales_order add column made_in text;
comment on column erp.invoice.made_in is
  'erp.this_transaction() of the transaction that inserted it, set by a trigger: lines come with it, later ones are refused. Null: from before the column.';
comment on column erp.credit_memo.made_in is 'As in erp.invoice.';
comment on column erp.sales_order.made_in is 'As in erp.invoice: lines of the same transaction are no change of the order.';
comment on column erp.invoice.opened_total is
  'The total that the books had from which this invoice was opened. It may have no lines, or lines with totals of their own, but they add up to it. Null: its total is what its lines, tax and freight add up to.';
comment on column erp.credit_memo.opened_total is 'As in erp.invoice.';

-- Documents that do not follow from their lines were opened with the books.
alter table erp.invoice disable trigger user;
update erp.invoice i set opened_total = i.total
where i.total <> i.tax + i.freight + (
    select coalesce(sum(round(l.qty * l.unit_price, 2)), 0) from erp.invoice_line l where l.invoice_id = i.invoice_id)
  or exists (select from erp.invoice_line l where l.invoice_id = i.invoice_id and l.line_total <> round(l.qty * l.unit_price, 2));
alter table erp.invoice enable trigger user;
alter table erp.credit_memo disable trigger user;
update erp.credit_memo m set opened_total = m.total
where m.total <> (select coalesce(round(sum(l.line_total), 2), 0) from erp.credit_memo_line l where l.credit_memo_id = m.credit_memo_id)
  or exists (select from erp.credit_memo_line l where l.credit_memo_id = m.credit_memo_id and l.invoice_id is null
    and l.line_total <> round(l.qty * l.unit_price, 2));
alter table erp.credit_memo enable trigger user;

-- Numbers without gaps: from which number on they are ours.
alter table erp.document_series add column first_no bigint;
update erp.document_series set first_no = next_no;
alter table erp.document_series alter column first_no set not null;
comment on column erp.document_series.first_no is 'From this number on up to next_no every number has its document. Follows a next_no that is set by hand.';
revoke update on erp.document_series from portal_desk;

-- The audit log also says as which database log-in and role somebody wrote. What
-- portal.actor() says, a program can choose; these it cannot.
-- +goose StatementBegin
create function portal.db_role() returns text
language sql stable parallel safe
as $$ select coalesce(nullif(current_setting('role', true), 'none'), session_user::text) $$;
-- +goose StatementEnd
comment on function portal.db_role() is 'The role that the session has taken, also inside of functions that act for the owner.';
grant execute on function portal.db_role() to public;
alter table portal.audit add column db_login text, add column db_role text;
alter table portal.audit alter column db_login set default session_user, alter column db_role set default portal.db_role();
comment on table portal.audit is
  'Who changed what: money, limits, access, prices, status, people. In data, a column that changed is [old, new]. Written by triggers for every program, never changed; sealed by portal.audit_chain.';
create index audit_xid on portal.audit (xid);
revoke insert, update, delete, truncate on portal.audit from portal_desk, portal_work;

create table portal.audit_chain (
  chain_no bigint primary key,
  audit_id bigint not null,
  hash bytea not null,
  sealed_at timestamptz not null default clock_timestamp(),
  constraint audit_chain_audit_key unique (audit_id)
);
comment on table portal.audit_chain is
  'Seals portal.audit: each hash is the SHA-256 of the hash before it and of a row of the log, so that no row can be cut, changed or slipped in without a trace. Rows are sealed once their transaction is over. Read and written by functions only: no role has a right to it, so it has no wall.';
create index audit_chain_sealed on portal.audit_chain (sealed_at);
create table portal.audit_head (
  only_row boolean primary key default true,
  chain_no bigint not null default 0,
  hash bytea not null default '\x',
  seen pg_snapshot not null default '1:1:',
  constraint audit_head_only_row check (only_row)
);
comment on table portal.audit_head is 'Where the chain ends, and which transactions it has seen. For functions only, like the chain.';
insert into portal.audit_head default values;

alter table portal.proof_run add column audit_rows bigint not null default 0, add column audit_hash text not null default '';
comment on column portal.proof_run.audit_hash is 'Where the chain over the audit log ended, in hexadecimal: kept elsewhere, it tells whether the chain was written anew.';

-- The history of an order that is deleted stays.
alter table erp.order_status_history drop constraint order_status_history_order_fk;
comment on table erp.order_status_history is
  'Every step of every order, written by triggers and never changed. Steps of a deleted order stay, the last of them to DELETED. portal.audit has a digest of each row.';
revoke insert, update, delete, truncate on erp.order_status_history from portal_desk, portal_work;

-- +goose Down
alter table erp.order_status_history add constraint order_status_history_order_fk
  foreign key (order_id) references erp.sales_order on delete cascade not valid;
alter table portal.proof_run drop column audit_rows, drop column audit_hash;
drop table portal.audit_head, portal.audit_chain;
drop index portal.audit_xid;
alter table portal.audit drop column db_login, drop column db_role;
drop function portal.db_role();
alter table erp.document_series drop column first_no;
alter table erp.sales_order drop column made_in;
alter table erp.credit_memo drop column made_in, drop column opened_total;
alter table erp.invoice drop column made_in, drop column opened_total;
