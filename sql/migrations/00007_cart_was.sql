-- +goose Up
alter table portal.cart_line add column was_price numeric(14,4);
comment on column portal.cart_line.was_price is 'On a line that was reordered: what it cost then. Shown beside today''s price.';

-- +goose Down
alter table portal.cart_line drop column was_price;
