-- +goose Up
-- Forms carry what their page said of the outcome (sql/functions/shown_outcome.sql):
-- the functions that compare it take one parameter more.
drop function if exists portal.submit_cart(bigint, uuid, text, text, date, text, text, text, text);
drop function if exists portal.approve_sign_off(bigint, int[], numeric[], text, date, text, text, text);
drop function if exists portal.place_order(bigint, bigint, uuid, bigint[], text[], numeric[], numeric[], text, bigint, date, text, text[], jsonb, text, boolean, boolean, text, text);

-- +goose Down
drop function if exists portal.submit_cart(bigint, uuid, text, text, date, text, text, text, text, text);
drop function if exists portal.approve_sign_off(bigint, int[], numeric[], text, date, text, text, text, text);
drop function if exists portal.place_order(bigint, bigint, uuid, bigint[], text[], numeric[], numeric[], text, bigint, date, text, text[], jsonb, text, boolean, boolean, text, text, jsonb);
