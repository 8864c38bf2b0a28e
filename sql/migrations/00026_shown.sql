-- +goose Up
-- A confirmation covers what stood on the page that sent it: forms carry the
-- lines and prices that their page showed (sql/functions/shown.sql).

create table portal.seal (
  only_row boolean primary key default true,
  key bytea not null default sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')),
  constraint seal_only_row check (only_row)
);
comment on table portal.seal is
  'The key of sealed prices (portal.sealed_price). It belongs to the owner alone: no role reads it, so it has no policies; it concerns no customer, no money and no page, so it has no audit and no event.';
comment on column portal.seal.key is 'A new key makes the forms of open pages ask once more, and nothing else.';
insert into portal.seal default values;

-- they take what the page showed in place of two switches
drop function if exists portal.submit_cart(bigint, uuid, text, text, date, text, boolean, boolean);
drop function if exists portal.approve_sign_off(bigint, int[], numeric[], text, date, boolean, boolean);
drop function if exists portal.change_order(bigint, text, int[], numeric[], int, boolean);
drop function if exists portal.place_order(bigint, bigint, uuid, bigint[], text[], numeric[], numeric[], text, bigint, date, text, boolean, boolean, boolean, text, text);
drop function if exists erp.release_credit(text, text);

-- +goose Down
drop function if exists portal.submit_cart(bigint, uuid, text, text, date, text, text, text, text);
drop function if exists portal.approve_sign_off(bigint, int[], numeric[], text, date, text, text, text);
drop function if exists portal.change_order(bigint, text, int[], numeric[], int, text);
drop function if exists portal.place_order(bigint, bigint, uuid, bigint[], text[], numeric[], numeric[], text, bigint, date, text, text[], jsonb, text, boolean, boolean, text, text);
drop function if exists erp.release_credit(text, text, numeric, boolean);
drop table portal.seal;
