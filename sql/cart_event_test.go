package sql_test

import (
	"testing"

	"portal.example/portal/internal/pgtest"
)

// The head of every page shows the cart's total and watches no items: whoever
// has an item in the cart is told of the cart when its price changes, and
// nobody else is.
func TestCartEvents(t *testing.T) {
	t.Parallel()
	db := world(t)
	pgtest.Exec(t, db, `
		insert into portal.login (login_id, customer_id, email, password_hash) overriding system value
			values (1, 1, 'a@c1.example', '$2a$04$' || repeat('x', 53)), (2, 2, 'a@c2.example', '$2a$04$' || repeat('x', 53));
		insert into portal.cart (cart_id, customer_id, login_id) overriding system value values (1, 1, 1), (2, 2, 2);
		insert into portal.cart_line (cart_id, item_id, uom, qty) select 1, item_id, base_uom, 2 from erp.item
			where item_no = 'OIL5';
		insert into portal.cart_line (cart_id, item_id, uom, qty) select 2, item_id, base_uom, 2 from erp.item
			where item_no = 'RICE'`)
	for _, c := range []struct{ statement, want string }{
		{"update erp.item set price_a = price_a + 1 where item_no = 'OIL5'", "1"},
		{"update erp.item set price_a = price_a + 1 where item_no in ('OIL5', 'RICE')", "1 2"},
		{"update erp.item set price_a = price_a where item_no = 'OIL5'", ""},
		{"update erp.item set price_a = price_a + 1 where item_no = 'NONE'", ""},
		{"update erp.item set description = 'Other', price_a = price_a + 1 where item_no = 'OIL5'", "1"},
		{"insert into erp.price_break (item_id, min_qty, price) select item_id, 2, 7 from erp.item where item_no = 'OIL5'",
			"1"},
		{"update erp.price_break set price = 6", "1"},
		{"delete from erp.price_break", "1"},
		{"update erp.item_uom set factor = factor where item_id = (select item_id from erp.item where item_no = 'OIL5')",
			"1"},
		{"update erp.stock set on_hand = on_hand + 1", ""},
	} {
		pgtest.Exec(t, db, "delete from portal.event")
		pgtest.Exec(t, db, c.statement)
		same(t, c.statement, pgtest.Value[string](t, db,
			"select coalesce(string_agg(customer_id::text, ' ' order by customer_id), '') from portal.event where kind = 'cart'"), c.want)
	}
}

// A whole price list, and an item that hundreds have in their carts, are one
// event for all.
func TestCartEventsOfMany(t *testing.T) {
	t.Parallel()
	db := world(t)
	pgtest.Exec(t, db, `
		insert into erp.customer (customer_no, name) select 'M' || n, 'Many ' || n from generate_series(1, 251) n;
		insert into portal.login (customer_id, email, password_hash)
			select customer_id, lower(customer_no) || '@many.example', '$2a$04$' || repeat('x', 53) from erp.customer
				where customer_no like 'M%';
		insert into portal.cart (customer_id, login_id) select customer_id, login_id from portal.login
			where email like '%@many.example';
		insert into portal.cart_line (cart_id, item_id, uom, qty)
			select c.cart_id, i.item_id, i.base_uom, 1 from portal.cart c, erp.item i where i.item_no = 'OIL5';
		insert into erp.item (item_no, description, price_a) select 'N' || n, 'New', 1 from generate_series(1, 251) n`)
	for _, c := range []struct{ statement, want string }{
		{"update erp.item set price_a = price_a + 1 where item_no = 'OIL5'", "item OIL5, catalog"},
		{"update erp.item set price_a = price_a + 1", "catalog"},
	} {
		pgtest.Exec(t, db, "delete from portal.event")
		pgtest.Exec(t, db, c.statement)
		same(t, c.statement, pgtest.Value[string](t, db,
			"select string_agg(trim(kind || ' ' || ref), ', ' order by event_id) from portal.event"), c.want)
	}
}
