-- +goose Up
-- A quantity far above everything a customer ever ordered must be confirmed once:
-- a line that was put into the cart by hand keeps the question until it is answered.
alter table portal.cart_line
  add column unusual_above numeric,
  add column unusual_of_item boolean,
  add constraint cart_line_unusual check ((unusual_above is null) = (unusual_of_item is null));
comment on column portal.cart_line.unusual_above is
  'The quantity is far above this one, in base units, the largest that the customer ever ordered at once, and nobody has confirmed it: the cart cannot be sent. Null: there is nothing to confirm.';
comment on column portal.cart_line.unusual_of_item is
  'unusual_above is of the item itself; else of anything in its category, and the item was never ordered.';

-- few, and counted every few seconds
create index statement_failed on portal.statement (statement_id) where status = 'FAILED';

-- +goose Down
drop index portal.statement_failed;
drop function if exists portal.unusual_finding(portal.cart_line, int);
alter table portal.cart_line drop column unusual_of_item, drop column unusual_above;
