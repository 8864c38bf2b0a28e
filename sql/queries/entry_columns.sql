-- name: entry_columns
select c.has_head as head, c.item_column::int as item, coalesce(c.quantity_column, -1)::int as quantity,
  coalesce(c.unit_column, -1)::int as unit,
  coalesce(c.all_units, '') as all_units, coalesce(c.decimal_sign, '') as sign
from portal.entry_columns c
where c.customer_id = @customer_id and c.shape = decode(@shape::text, 'hex');

-- name: entry_columns_keep
insert into portal.entry_columns as c (customer_id, shape, has_head, item_column, quantity_column, unit_column,
  all_units, decimal_sign)
values (@customer_id, decode(@shape::text, 'hex'), @head, @item, nullif(@quantity::int, -1), nullif(@unit::int, -1),
  nullif(@all_units::text, ''), nullif(@sign::text, ''))
on conflict (customer_id, shape) do update set has_head = excluded.has_head, item_column = excluded.item_column,
  quantity_column = excluded.quantity_column,
  unit_column = excluded.unit_column, all_units = excluded.all_units, decimal_sign = excluded.decimal_sign,
    answered_at = erp.now(), answered_by = portal.actor();

-- name: entry_columns_prune
-- Nobody has so many kinds of files: the oldest answers go.
delete from portal.entry_columns c
where c.customer_id = @customer_id and c.shape in (
  select o.shape from portal.entry_columns o where o.customer_id = @customer_id order by o.answered_at desc,
    o.shape offset 200);
