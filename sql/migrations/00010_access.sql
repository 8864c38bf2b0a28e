-- +goose Up
-- When an order is to arrive, who of the staff entered it for its customer,
-- and the sessions in which staff look at the portal as a customer or act as
-- one.

alter table erp.sales_order add column delivery_date date;
alter table erp.sales_order add column delivery_note text not null default '';
comment on column erp.sales_order.delivery_date is
  'When it is planned to arrive. Set from the route when the order is inserted without one; null without a route.';
comment on column erp.sales_order.delivery_note is 'Why that is another day than was asked for, in the customer''s words; else empty.';

-- +goose StatementBegin
create function portal.acting_by() returns text
language sql stable parallel safe
as $$ select nullif(current_setting('portal.acting_by', true), '') $$;
-- +goose StatementEnd
comment on function portal.acting_by() is 'Who of the staff this transaction acts for a customer on behalf of (setting portal.acting_by); else null.';
grant execute on function portal.acting_by() to public;

alter table erp.sales_order add column entered_by text default portal.acting_by();
comment on column erp.sales_order.entered_by is 'Who of the staff entered it in the portal, acting as the customer. Null: nobody.';

-- A log-in has a cart and stars for each customer it acts for: a buyer for its
-- own, staff for each whose portal they act in.
alter table portal.cart drop constraint cart_login_key;
alter table portal.cart add constraint cart_login_key unique (login_id, customer_id);
alter table portal.favorite drop constraint favorite_pkey;
alter table portal.favorite add constraint favorite_pkey primary key (login_id, customer_id, item_id);

alter table portal.session add column parent_id bigint;
alter table portal.session add column acting_for bigint;
alter table portal.session add column acting text;
alter table portal.session alter column token_hash drop not null;
alter table portal.session add constraint session_parent_fk foreign key (parent_id) references portal.session on delete cascade;
alter table portal.session add constraint session_acting_for_fk foreign key (acting_for) references erp.customer on delete cascade;
alter table portal.session add constraint session_acting check (acting in ('preview', 'order'));
alter table portal.session add constraint session_acting_whole check (num_nonnulls(parent_id, acting_for, acting) in (0, 3));
-- one of its own has a secret, one that hangs on another is found by it alone
alter table portal.session add constraint session_token_or_parent check ((token_hash is null) = (parent_id is not null));
alter table portal.session add constraint session_parent_key unique (parent_id);
create index session_acting_for on portal.session (acting_for) where acting_for is not null;
comment on column portal.session.acting is
  'Staff see the portal as the customer acting_for: preview reads only, order acts. Such a session hangs on the staff''s own (parent_id), and has no secret.';

-- +goose Down
delete from portal.session where parent_id is not null;
drop index portal.session_acting_for;
alter table portal.session drop column acting, drop column acting_for, drop column parent_id;
alter table portal.session alter column token_hash set not null;
delete from portal.cart k using portal.login l where l.login_id = k.login_id and l.customer_id is distinct from k.customer_id;
delete from portal.favorite f using portal.login l where l.login_id = f.login_id and l.customer_id is distinct from f.customer_id;
alter table portal.favorite drop constraint favorite_pkey;
alter table portal.favorite add constraint favorite_pkey primary key (login_id, item_id);
alter table portal.cart drop constraint cart_login_key;
alter table portal.cart add constraint cart_login_key unique (login_id);
alter table erp.sales_order drop column entered_by, drop column delivery_note, drop column delivery_date;
drop function portal.acting_by();
