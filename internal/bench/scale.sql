-- A distributor of a given size, for measuring: $1 customers, $2 items. Names,
-- prices and stock are arithmetic, so two runs are alike.
create function pg_temp.scale(customers int, items int) returns void language plpgsql as $$
begin
  insert into erp.category (name, sort) select 'Category ' || g, g from generate_series(1, 24) g;
  insert into erp.item (item_no, description, category_id, price_a, price_b, price_c, price_d, price_e, cost, barcode)
  select 'I' || lpad(g::text, 6, '0'),
    (array['Olive', 'Sunflower', 'Basmati', 'Fine', 'Smoked', 'Golden', 'Alpine', 'Harvest'])[1 + g % 8] || ' ' ||
    (array['oil', 'rice', 'salt', 'flour', 'sugar', 'beans', 'napkins', 'gloves', 'towels', 'foil', 'vinegar',
      'pasta'])[1 + g / 8 % 12] || ' ' ||
    (array['1 lb', '5 lb', '25 lb', '1 gal', '5 gal', '100 ct', '500 ct'])[1 + g / 96 % 7] || ' grade ' || g % 97,
    (select min(category_id) from erp.category) + g % 24,
    10 + g % 90, case when g % 3 > 0 then 9 + g % 90 end, 8 + g % 90, case when g % 4 > 0 then 7.5 + g % 90 end,
      7 + g % 90, 5 + g % 90,
    lpad((4000000000000 + g)::text, 13, '0')
  from generate_series(1, items) g;
  insert into erp.item_uom (item_id, uom, factor) select item_id, 'CS', 12 from erp.item where item_id % 3 = 0;
  insert into erp.stock (item_id, on_hand) select item_id, item_id % 500 from erp.item;
  insert into erp.customer (customer_no, name, price_level, credit_limit)
  select 'B' || lpad(g::text, 5, '0'), 'Customer ' || g, (array['A', 'B', 'C', 'D', 'E'])[1 + g % 5], case
    when g % 4 = 0 then 50000 end
  from generate_series(1, customers) g;
  insert into erp.price_contract (customer_id, item_id, value, valid)
  select c.customer_id, i.item_id, 6, '[2020-01-01,2099-12-31]'
  from erp.customer c
  cross join lateral (select (c.customer_id * 7919 + k * 104729) % items + (select min(item_id) from erp.item)
    as item_id from generate_series(1, 40) k) i
  where c.customer_no like 'B%'
  group by 1, 2;
end $$;
select pg_temp.scale($1, $2);
