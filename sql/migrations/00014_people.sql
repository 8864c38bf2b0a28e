-- +goose Up
-- More than one person per customer: what each log-in may do, how much it may
-- order before somebody signs off, invitations, and the orders that wait for a
-- signature. Log-ins that are there may do what they could: an approver without
-- a limit is what the one log-in of a customer always was.

alter table erp.web_access add column many_logins boolean not null default false;
comment on column erp.web_access.many_logins is
  'Approvers of the customer manage its log-ins in the portal. Off: only staff do; roles and limits that are set keep holding.';

alter table portal.login add column customer_role text not null default 'approver';
alter table portal.login add column spend_limit numeric(14,2);
alter table portal.login add column spend_period text not null default 'order';
alter table portal.login add column sign_off_all boolean not null default false;
alter table portal.login add constraint login_customer_role check (customer_role in ('buyer', 'approver', 'accounts', 'view'));
alter table portal.login add constraint login_spend_limit check (spend_limit >= 0);
alter table portal.login add constraint login_spend_period check (spend_period in ('order', 'day', 'week', 'month'));
comment on column portal.login.customer_role is
  'Of a customer''s log-in: buyer orders; approver does, signs off and manages people; accounts sees invoices and the account, no ordering; view only looks, without invoices and account.';
comment on column portal.login.spend_limit is
  'Merchandise before tax that it may order in spend_period (in the company''s time zone; weeks begin on Monday) without a signature. Null: no limit, 0: none.';
comment on column portal.login.sign_off_all is 'Every order of it needs a signature.';

alter table erp.sales_order add column signed_off_by text;
alter table erp.sales_order add column signed_off_total numeric(14,2);
comment on column erp.sales_order.signed_off_by is 'Who of the customer signed the order off before it was sent. Null: it needed nobody.';
comment on column erp.sales_order.signed_off_total is 'The total that was signed off.';
create index sales_order_of_login on erp.sales_order (login_id, submitted_at) where login_id is not null;

-- +goose StatementBegin
create function portal.login_id() returns bigint
language sql stable parallel safe
as $$ select nullif(current_setting('portal.login_id', true), '')::bigint $$;
-- +goose StatementEnd
comment on function portal.login_id() is 'The log-in this transaction acts for (setting portal.login_id); null outside a request.';
grant execute on function portal.login_id() to public;

-- +goose StatementBegin
create function portal.login_may(p_login_id bigint, p_customer_id bigint, p_what text) returns boolean
language sql stable security definer set search_path = pg_catalog
as $$
  select coalesce(
    (select not l.disabled and case p_what
        when 'order' then l.customer_role in ('buyer', 'approver')
        when 'standing' then l.customer_role in ('buyer', 'approver') and l.spend_limit is null and not l.sign_off_all
        when 'invoices' then l.customer_role <> 'view'
        when 'account' then l.customer_role <> 'view'
        when 'sign_off' then l.customer_role = 'approver'
        when 'people' then l.customer_role = 'approver' and coalesce(
          (select w.many_logins from erp.web_access w where w.customer_id = l.customer_id), false)
      end
      from portal.login l where l.login_id = p_login_id and l.customer_id = p_customer_id),
    p_what in ('order', 'standing', 'invoices', 'account'))
$$;
-- +goose StatementEnd
comment on function portal.login_may(bigint, bigint, text) is
  'What the role of a customer''s log-in allows: order, standing (orders that are made without anybody), invoices, account, sign_off, people. Of whoever is none of the customer''s own (programs, staff) nothing is held back, but nobody else signs off or manages people.';

-- +goose StatementBegin
create function portal.may(p_what text) returns boolean
language sql stable security definer set search_path = pg_catalog
as $$ select portal.login_may(portal.login_id(), portal.customer_id(), p_what) $$;
-- +goose StatementEnd
comment on function portal.may(text) is 'What the log-in that this transaction acts for may: see portal.login_may.';
grant execute on function portal.may(text) to portal_web, portal_desk, portal_work;

-- The wall holds roles as well: no invoice for who only looks, no cart for who
-- does not order.
create policy own_role_only on erp.invoice as restrictive to portal_web using ((select portal.may('invoices')));
create policy own_role_only on erp.credit_memo as restrictive to portal_web using ((select portal.may('account')));
create policy own_role_only on erp.payment as restrictive to portal_web using ((select portal.may('account')));
create policy own_role_only on erp.credit_request as restrictive to portal_web using ((select portal.may('account')));
create policy own_role_only on portal.document as restrictive to portal_web using ((select portal.may('account')));
-- +goose StatementBegin
do $$
declare
  of_table text;
begin
  foreach of_table in array array['portal.cart', 'portal.cart_line', 'portal.item_list', 'portal.item_list_line'] loop
    execute format('create policy ordering_only_insert on %s as restrictive for insert to portal_web with check ((select portal.may(''order'')))', of_table);
    execute format('create policy ordering_only_update on %s as restrictive for update to portal_web using ((select portal.may(''order'')))', of_table);
    execute format('create policy ordering_only_delete on %s as restrictive for delete to portal_web using ((select portal.may(''order'')))', of_table);
  end loop;
end
$$;
-- +goose StatementEnd
-- A standing order makes orders while nobody is there who could sign them off.
-- +goose StatementBegin
do $$
declare
  of_table text;
begin
  foreach of_table in array array['portal.standing_order', 'portal.standing_order_line'] loop
    execute format('create policy unlimited_only_insert on %s as restrictive for insert to portal_web with check ((select portal.may(''standing'')))', of_table);
    execute format('create policy unlimited_only_update on %s as restrictive for update to portal_web using ((select portal.may(''standing'')))', of_table);
    execute format('create policy unlimited_only_delete on %s as restrictive for delete to portal_web using ((select portal.may(''standing'')))', of_table);
  end loop;
end
$$;
-- +goose StatementEnd

create table portal.invitation (
  login_id bigint primary key,
  token_hash bytea not null,
  made_by text not null default portal.actor(),
  made_at timestamptz not null default erp.now(),
  expires_at timestamptz not null,
  constraint invitation_login_fk foreign key (login_id) references portal.login on delete cascade,
  constraint invitation_token_hash_key unique (token_hash),
  constraint invitation_token_hash_sha256 check (octet_length(token_hash) = 32)
);
comment on table portal.invitation is
  'Log-ins that have no password yet, with what is kept of the link that sets it: its SHA-256. The row goes when the link is used.';
grant select, insert, update, delete on portal.invitation to portal_work;

create table portal.sign_off (
  sign_off_id bigint generated always as identity primary key,
  customer_id bigint not null,
  login_id bigint not null,
  key uuid not null,
  status text not null default 'WAITING',
  po_no text,
  ship_to_id bigint,
  requested_date date,
  note text not null default '',
  reasons jsonb not null default '[]',
  requested_at timestamptz not null default erp.now(),
  decided_by text,
  decided_at timestamptz,
  reason text,
  returned_at timestamptz,
  order_id bigint,
  constraint sign_off_customer_fk foreign key (customer_id) references erp.customer on delete cascade,
  constraint sign_off_login_fk foreign key (login_id) references portal.login on delete cascade,
  constraint sign_off_ship_to_fk foreign key (ship_to_id) references erp.ship_to on delete set null,
  constraint sign_off_order_fk foreign key (order_id) references erp.sales_order on delete cascade,
  constraint sign_off_key unique (customer_id, key),
  constraint sign_off_status check (status in ('WAITING', 'APPROVED', 'REJECTED', 'WITHDRAWN')),
  constraint sign_off_decided check ((status = 'WAITING') = (decided_at is null)),
  constraint sign_off_approved_has_order check ((status = 'APPROVED') = (order_id is not null)),
  constraint sign_off_rejected_has_reason check (status <> 'REJECTED' or coalesce(btrim(reason), '') <> '')
);
comment on table portal.sign_off is
  'Carts that were sent and wait for a signature of the customer''s own people. No program of the distributor sees an order in them: the order is made when one is approved.';
create index sign_off_of_customer on portal.sign_off (customer_id, sign_off_id desc);
create index sign_off_waiting on portal.sign_off (customer_id) where status = 'WAITING';
create index sign_off_login on portal.sign_off (login_id);
create unique index sign_off_order on portal.sign_off (order_id) where order_id is not null;

create table portal.sign_off_line (
  sign_off_id bigint not null,
  line_no int not null,
  item_id bigint not null,
  uom text not null,
  qty numeric not null,
  seen_price numeric(14,4),
  signed_qty numeric,
  primary key (sign_off_id, line_no),
  constraint sign_off_line_fk foreign key (sign_off_id) references portal.sign_off on delete cascade,
  constraint sign_off_line_item_fk foreign key (item_id) references erp.item on delete cascade,
  constraint sign_off_line_qty check (qty > 0),
  constraint sign_off_line_signed_qty check (signed_qty between 0 and qty)
);
comment on column portal.sign_off_line.seen_price is 'The unit price the requester agreed to.';
comment on column portal.sign_off_line.signed_qty is 'What was signed off of it; null while it waits.';
create index sign_off_line_item on portal.sign_off_line (item_id);

alter table portal.sign_off enable row level security;
create policy open_to_programs on portal.sign_off using (true) with check (true);
create policy own_or_to_sign on portal.sign_off as restrictive to portal_web
  using (customer_id = portal.customer_id() and (login_id = portal.login_id() or (select portal.may('sign_off'))));
alter table portal.sign_off_line enable row level security;
create policy open_to_programs on portal.sign_off_line using (true) with check (true);
create policy own_or_to_sign on portal.sign_off_line as restrictive to portal_web
  using (exists (select from portal.sign_off s where s.sign_off_id = sign_off_line.sign_off_id));
grant select on portal.sign_off, portal.sign_off_line to portal_web;
grant select, insert, update, delete on portal.sign_off, portal.sign_off_line to portal_work;

grant select (customer_role, spend_limit, spend_period, sign_off_all) on portal.login to portal_desk;

-- it answers with a request for a signature as well
drop function if exists portal.submit_cart(bigint, uuid, text, text, date, text, boolean, boolean);
-- it takes who signed off as well
drop function if exists portal.place_order(bigint, bigint, uuid, bigint[], text[], numeric[], numeric[], text, bigint, date, text, boolean, boolean, boolean, text);

-- +goose Down
drop function if exists portal.submit_cart(bigint, uuid, text, text, date, text, boolean, boolean);
drop table portal.sign_off_line, portal.sign_off, portal.invitation;
-- +goose StatementBegin
do $$
declare
  of_table text;
begin
  foreach of_table in array array['portal.cart', 'portal.cart_line', 'portal.item_list', 'portal.item_list_line'] loop
    execute format('drop policy ordering_only_insert on %1$s; drop policy ordering_only_update on %1$s; drop policy ordering_only_delete on %1$s', of_table);
  end loop;
  foreach of_table in array array['portal.standing_order', 'portal.standing_order_line'] loop
    execute format('drop policy unlimited_only_insert on %1$s; drop policy unlimited_only_update on %1$s; drop policy unlimited_only_delete on %1$s', of_table);
  end loop;
  foreach of_table in array array['erp.invoice', 'erp.credit_memo', 'erp.payment', 'erp.credit_request', 'portal.document'] loop
    execute format('drop policy own_role_only on %s', of_table);
  end loop;
end
$$;
-- +goose StatementEnd
drop function portal.may(text), portal.login_may(bigint, bigint, text), portal.login_id();
drop index erp.sales_order_of_login;
alter table erp.sales_order drop column signed_off_by, drop column signed_off_total;
alter table portal.login drop column customer_role, drop column spend_limit, drop column spend_period, drop column sign_off_all;
alter table erp.web_access drop column many_logins;
