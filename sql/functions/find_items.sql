-- What a search and its filters find in a customer's catalogue: the one place
-- that says so, for lists, their counts and the lookup. place is the reason:
--
--   0  the code itself
--   1  a barcode of the item or one of its units, or the customer's own number
--   2  a code that begins so
--   3  all words, each as a beginning (p_words, a tsquery)
--   4  one of p_similar
--
-- Within a place the lower rank comes first: the code as typed, then the shorter
-- one; of what words
-- find, items that have p_whole as well, among them those that have p_lead,
-- among them those with fewer words. An empty p_query finds everything.
--
-- Words find thousands of items at times. p_part asks for these alone, without
-- looking whether their codes belong to an earlier place, which takes as long
-- again: whoever calls has had those.
--
-- It is one plain SELECT without settings or an owner's rights, so that the
-- planner sees through it, drops the filters that are off and reads a list off
-- its index. For that it must know the arguments: callers have each search
-- planned anew, and fetch what a page shows of its items apart.
create or replace function portal.find_items(
  p_customer_id bigint, p_login_id bigint, p_query text, p_exact bigint[], p_prefix text, p_words text, p_whole text,
    p_lead text,
  p_part boolean, p_similar bigint[], p_in_stock boolean, p_bought boolean, p_favorites boolean)
returns table (item_id bigint, item_no text, description text, category_id bigint, place int, rank int)
language sql stable
as $$
  select i.item_id, i.item_no, i.description, i.category_id,
    case
      when p_query = '' then 0
      when p_part then 3
      when lower(i.item_no) like p_prefix then
        case when lower(i.item_no) = lower(p_query) then 0 when i.item_id = any (p_exact) then 1 else 2 end
      when i.item_id = any (p_exact) then 1
      when i.item_id = any (p_similar) then 4
      else 3
    end,
    case
      when p_query = '' then 0
      when p_similar <> '{}' then array_position(p_similar, i.item_id)
      when not p_part and lower(i.item_no) like p_prefix then length(i.item_no) + case when i.item_no = p_query then 0
        else 1 end
      else length(i.search)
        + case when i.search @@ p_whole::tsquery then 0 else 20000 end
        + case when i.search @@ p_lead::tsquery then 0 else 10000 end
    end
  from erp.item i
  where i.active
    and (p_query = ''
      or i.search @@ p_words::tsquery
      or (not p_part and (lower(i.item_no) like p_prefix or i.item_id = any (p_exact) or i.item_id = any (p_similar))))
    and (not coalesce((select w.authorized_items_only from erp.web_access w where w.customer_id = p_customer_id), true)
      or i.item_id in (select a.item_id from erp.authorized_item a where a.customer_id = p_customer_id))
    and (not p_favorites or i.item_id in (select f.item_id from portal.favorite f where f.login_id = p_login_id
      and f.customer_id = p_customer_id))
    and (not p_bought or i.item_id in (
      select l.item_id from erp.sales_order o join erp.sales_order_line l using (order_id)
        where o.customer_id = p_customer_id and not erp.is_void(o.status)
      union all select l.item_id from erp.invoice v join erp.invoice_line l using (invoice_id)
        where v.customer_id = p_customer_id))
    -- item by item: a list needs to look at few
    and (not p_in_stock or (select true from portal.stocked_item s where s.item_id = i.item_id))
$$;
grant execute on function portal.find_items(bigint, bigint, text, bigint[], text, text, text, text, boolean, bigint[],
  boolean, boolean, boolean) to portal_web;
