-- Items that a scanner's code or a customer's own number means: a barcode of
-- the item or of one of its units, or the number that this customer gave it.
create or replace function portal.exact_items(p_customer_id bigint, p_query text) returns table (item_id bigint)
language sql stable
as $$
  select i.item_id from erp.item i where i.barcode = p_query
  union all select u.item_id from erp.item_uom u where u.barcode = p_query
  union all select c.item_id from erp.customer_item c where c.customer_id = p_customer_id and lower(c.their_item_no) = lower(p_query)
$$;
grant execute on function portal.exact_items(bigint, text) to portal_web;
