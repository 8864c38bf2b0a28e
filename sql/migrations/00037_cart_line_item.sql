-- +goose Up
-- Whose cart holds an item: asked when its price changes, and when it is deleted.
-- Carts are small, so writes wait a moment only.
-- squawk-ignore require-concurrent-index-creation
create index cart_line_item_idx on portal.cart_line (item_id);

-- +goose Down
drop index portal.cart_line_item_idx;
