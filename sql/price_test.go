package sql_test

import (
	"fmt"
	"testing"

	"portal.example/portal/internal/pgtest"
)

// ladder is the world of the acceptance scenarios 1 to 7.
const ladder = `
	insert into erp.category (category_id, parent_id, name) values (1, null, 'Food'), (2, 1, 'Oils');
	insert into erp.item (item_id, item_no, description, category_id, price_a, price_b, price_c, price_d, price_e,
		cost) values
		(1, 'OIL5', 'Olive oil', 2, 30, 28.5, 27, 25.5, 24, 18), (2, 'RICE25', 'Rice', 1, 22.10, null, 20, null, 18.35, null),
		(3, 'SALT1', 'Salt', 1, null, null, 0.335, null, null, null);
	insert into erp.item_uom (item_id, uom, factor) values (1, 'CS', 4);
	insert into erp.price_break (item_id, min_qty, price) values (1, 12, 23.40);
	insert into erp.customer (customer_id, customer_no, name, price_level) values
		(1, 'C1001', 'A', 'A'), (2, 'C1002', 'B', 'B'), (3, 'C1003', 'C', 'C'), (4, 'C1004', 'D', 'D'),
		(5, 'C1005', 'E', 'E'),
		(6, 'C1006', 'contract', 'C'), (7, 'C1007', 'group', 'C'), (8, 'C1008', 'dear contract', 'C');
	insert into erp.price_contract (customer_id, item_id, value, valid) values (6, 1, 22.75, '[2026-01-01,2026-06-30]'),
		(8, 1, 26, '(,)');
	insert into erp.price_group (customer_id, category_id, value) values (7, 1, 10);
	select erp.set_clock('2026-03-01 12:00-05')`

func TestPriceLadder(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pgtest.Exec(t, db, ladder)
	price := func(customer int, items, uoms, qtys string) string {
		t.Helper()
		return pgtest.Value[string](t, db,
			fmt.Sprintf(`select string_agg(concat_ws(' ', coalesce(trim_scale(unit_price)::text, '-'), step,
			'next ' || trim_scale(next_qty) || ' at ' || trim_scale(next_price)), ', ' order by ord)
			from erp.price(%d, array[%s]::bigint[], array[%s]::text[], array[%s]::numeric[])`, customer, items, uoms, qtys))
	}
	check := func(customer int, items, uoms, qtys, want string) {
		t.Helper()
		if got := price(customer, items, uoms, qtys); got != want {
			t.Errorf("customer %d, items %s %s %s:\n got  %s\n want %s", customer, items, uoms, qtys, got, want)
		}
	}
	check(6, "1", "null", "1", "22.75 contract")
	check(7, "1", "null", "1", "24.3 group") // the nearest ancestor with a rule is Food; a group goes before a break
	check(3, "1", "null", "12", "23.4 break")
	check(3, "1", "null", "11", "27 level next 12 at 23.4")
	check(2, "2", "null", "1", "22.1 level")
	check(4, "2", "null", "1", "20 level")
	check(3, "1", "'CS'", "3", "93.6 break")
	check(3, "1,1", "'CS',null", "2,4", "93.6 break, 23.4 break")
	check(3, "1", "'CS'", "2", "108 level next 12 at 93.6")
	check(8, "1", "null", "12", "26 contract")
	pgtest.Exec(t, db, "update erp.company set price_policy = 'lowest_wins'")
	check(8, "1", "null", "12", "23.4 break")
	check(8, "1", "null", "1", "26 contract next 12 at 23.4")
	check(6, "1", "null", "12", "22.75 contract")

	// a contract of the base unit counts in cases; a percentage takes a case's own price
	pgtest.Exec(t, db, `update erp.item_uom set price = 100 where item_id = 1;
		insert into erp.price_contract (customer_id, item_id, kind, uom, value) values (3, 1, 'fixed', 'EA', 20),
			(4, 1, 'percent_off', null, 10), (5, 1, 'cost_plus', 'CS', 25)`)
	check(3, "1", "'CS'", "1", "80 contract")
	check(4, "1", "'CS'", "1", "90 contract")
	check(5, "1", "'CS'", "1", "90 contract")
	check(5, "1", "null", "1", "24 level next 12 at 23.4")

	// A break never makes dearer: a pallet's own price stays although 60 reach a
	// break that is dearer by the pallet; so it is for a level's price, for
	// "use level", for the lower of contract and break, and for what is next.
	pgtest.Exec(t, db,
		`insert into erp.item (item_id, item_no, description, price_a, price_c) values (4, 'SYRUP', 'Syrup', 35, 33),
			(5, 'DEAR', 'Dear by the dozen', 10, 8);
		insert into erp.item_uom (item_id, uom, factor, price) values (4, 'PL', 60, 1500), (4, 'HB', 0.5, 15.9),
			(5, 'CS', 12, null);
		insert into erp.price_break (item_id, min_qty, price, use_level) values (4, 18, 31.915, null), (4, 100, null, 'C'),
			(4, 600, 24.9, null),
			(5, 12, 9, null), (5, 24, null, 'A'), (5, 36, 8, null), (5, 48, 7.9, null)`)
	check(1, "4", "'PL'", "1", "1500 level next 600 at 1494")
	check(1, "4", "null", "18", "31.915 break next 600 at 24.9")
	// A lower break may be reached and left: the highest minimum counts
	check(1, "4", "null", "100", "33 break next 600 at 24.9")
	check(1, "4", "'HB'", "36", "15.9 level next 600 at 12.45")
	check(1, "4,4", "'PL',null", "1,18", "1500 level next 600 at 1494, 31.915 break next 600 at 24.9")
	check(1, "4", "'PL'", "10", "1494 break")
	check(3, "5", "null", "12", "8 level next 48 at 7.9")
	check(3, "5", "null", "36", "8 level next 48 at 7.9")
	check(3, "5", "'CS'", "3", "96 level next 48 at 94.8")
	check(1, "5", "null", "12", "9 break next 36 at 8")
	check(1, "5", "null", "24", "9 break next 36 at 8") // level A is no lower than itself: the break before it holds
	pgtest.Exec(t, db, "insert into erp.price_contract (customer_id, item_id, value) values (3, 5, 8.5)")
	check(3, "5", "null", "12", "8.5 contract next 48 at 7.9") // the lower of the two wins, and the dozen is none
	pgtest.Exec(t, db, "delete from erp.price_contract where item_id = 5; update erp.item set price_a = null, price_c "+
		"= null where item_id = 5")
	check(3, "5", "null", "12", "9 break next 36 at 8") // nothing to be dearer than

	// a case's own price is on the line of an order as on the screen, 7 × 0.335 is 2.35
	pgtest.Exec(t, db, `insert into erp.stock (item_id, on_hand) values (3, 100);
		with o as (insert into erp.sales_order (customer_id, source) values (3, 'PHONE') returning order_id)
		insert into erp.sales_order_line (order_id, line_no, item_id, qty) select order_id, 1, 3, 7 from o`)
	if got := pgtest.Value[string](t, db,
		"select trim_scale(unit_price) || ' ' || price_step || ' ' || line_total || ' ' || total from "+
			"erp.sales_order_line join erp.sales_order using (order_id)"); got != "0.335 level 2.35 2.35" {
		t.Errorf("salt: %s", got)
	}
}

// The reasons come from the same rules as the price.
func TestPriceWhy(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pgtest.Exec(t, db, ladder+`;
		insert into erp.price_break (item_id, min_qty, use_level, levels) values (1, 6, 'E', '{A,B}');
		insert into erp.price_contract (customer_id, item_id, value, uom, min_qty, valid) values
			(6, 1, 80, 'CS', 0, '(,)'), (6, 1, 21, null, 24, '(,)'), (6, 1, 20, null, 0, '[2026-07-01,]'), (6, 1, 23, null, 0, '[,2025-12-31]')`)
	why := func(customer int, uom, qty string) string {
		t.Helper()
		return pgtest.Value[string](t, db,
			fmt.Sprintf(
				`select string_agg(concat_ws(' ', step, coalesce(trim_scale(unit_price)::text, '-'), reason), E'\n' order by n)
			from (select *, row_number() over () as n from erp.price_why(%d, 1, %s, %s)) w`, customer, uom, qty))
	}
	if got, want := why(6, "null", "12"), `contract 22.75 wins
contract 21 quantity_not_reached
contract 80 other_unit
contract 20 not_yet_valid
contract 23 expired
break 23.4 lost_to_earlier_step
break 24 other_level
level 27 lost_to_earlier_step
list 30 lost_to_earlier_step`; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	pgtest.Exec(t, db, "update erp.company set price_policy = 'lowest_wins'")
	if got, want := why(8, "'CS'", "3"), `contract 104 dearer
break 93.6 wins
break 96 other_level
level 108 lost_to_earlier_step
list 120 lost_to_earlier_step`; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// The case's own price is as low as its break
	pgtest.Exec(t, db, "update erp.item_uom set price = 93.6 where item_id = 1")
	if got, want := why(3, "'CS'", "3"), `break 93.6 not_lower
break 93.6 other_level
level 93.6 wins
list 93.6 lost_to_earlier_step`; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	pgtest.Exec(t, db, "update erp.item_uom set price = 90 where item_id = 1")
	// whatever is asked, exactly the row that erp.price names wins
	if bad := pgtest.Value[int](t, db,
		`select count(*)::int from generate_series(1, 8) c, generate_series(1, 3) i, unnest(array[null, 'EA', 'CS', 'XX']) u,
		unnest(array[1, 5, 12, 24]) q, unnest(array['2026-06-30 23:59-04', '2026-07-01 00:00-04']::timestamptz[]) at
		cross join lateral erp.price(c, array[i::bigint], array[u], array[q::numeric], at) p
		where (select count(*) from erp.price_why(c, i, u, q, at) w where w.wins and w.step = p.step
		and w.rule_id is not distinct from p.rule_id
			and round(w.unit_price, 4) = p.unit_price) <> (p.step <> 'none')::int`); bad != 0 {
		t.Errorf("%d lines whose winner is not the price", bad)
	}
}
