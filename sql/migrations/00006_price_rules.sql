-- +goose Up
-- The desk lists an item's contracts over all customers, and what was changed
-- of an item's prices.
create index price_contract_item on erp.price_contract (item_id);
create index audit_subject on portal.audit (subject, at desc) where subject <> '';

-- +goose Down
drop index portal.audit_subject;
drop index erp.price_contract_item;
