package sql_test

import (
	"fmt"
	"strings"
	"testing"

	"portal.example/portal/internal/pgtest"
)

// stateOf is an order's status with the quantities of its lines: "PICKING 4
// allocated 6 shipped".
func stateOf(t *testing.T, db *pgtest.DB, no string) string {
	t.Helper()
	return pgtest.Value[string](t, db,
		`select concat_ws(' ', o.status, nullif(sum(l.qty_allocated), 0) || ' allocated',
			nullif(sum(l.qty_shipped), 0) || ' shipped',
		nullif(sum(l.qty_backordered), 0) || ' backordered', nullif(sum(l.qty_cancelled), 0) || ' cancelled')
		from erp.sales_order o join erp.sales_order_line l using (order_id) where o.order_no = '`+no+`' group by o.order_id`)
}

func wantState(t *testing.T, db *pgtest.DB, no, want, when string) {
	t.Helper()
	if got := stateOf(t, db, no); got != want {
		t.Errorf("%s: %s, want %s", when, got, want)
	}
	if wrong := pgtest.Value[string](t, db,
		`select coalesce(string_agg(invariant || ' ' || subject || ': ' || detail, '; '), '')
			from erp.check_invariants()`); wrong != "" {
		t.Errorf("%s: %s", when, wrong)
	}
}

// ship inserts a shipment of quantities by line as plain SQL does.
func ship(t *testing.T, db *pgtest.DB, no string, qtys ...int) (id int64) {
	t.Helper()
	id = pgtest.Value[int64](t, db, "insert into erp.shipment (order_id, carrier, tracking_no) select order_id, 'ups', "+
		"'1Z' from erp.sales_order where order_no = '"+no+"' returning shipment_id")
	for i, q := range qtys {
		if q > 0 {
			pgtest.Exec(t, db, fmt.Sprintf("insert into erp.shipment_line (shipment_id, order_id, line_no, qty) select "+
				"shipment_id, order_id, %d, %d from erp.shipment where shipment_id = %d", i+1, q, id))
		}
	}
	return id
}

// The status follows the quantities and the deliveries, whoever writes them:
// an order is never complete while something of it is open.
func TestStatusFollowsShipments(t *testing.T) {
	t.Parallel()
	db := world(t)
	no := newOrder(t, db, "OIL5 10", "RICE 5")
	line := func(n int, set string) string {
		return fmt.Sprintf("update erp.sales_order_line set %s where line_no = %d and order_id = (select order_id from "+
			"erp.sales_order where order_no = '%s')", set, n, no)
	}
	if c := refused(t, db, line(1, "qty_shipped = 6")); c != "order_move" {
		t.Errorf("shipping an order that is not approved refused by %q", c)
	}
	setStatus(t, db, no, "APPROVED")
	pgtest.Exec(t, db, line(2, "qty_picked = 1"))
	wantState(t, db, no, "PICKING 15 allocated", "one picked by plain SQL")
	first := ship(t, db, no, 6)
	wantState(t, db, no, "PICKING 9 allocated 6 shipped", "six of the first line")
	pgtest.Exec(t, db, fmt.Sprintf("update erp.shipment set delivered_at = now(), delivered_to = 'Kim' where "+
		"shipment_id = %d", first))
	wantState(t, db, no, "PICKING 9 allocated 6 shipped", "the first parcel has arrived, the rest is open")
	if c := refused(t, db, "update erp.sales_order set status = 'DELIVERED' where order_no = '"+no+
		"'"); c != "order_move" {
		t.Errorf("delivering what is open refused by %q", c)
	}
	second := ship(t, db, no, 4, 5)
	wantState(t, db, no, "SHIPPED 15 shipped", "all has left")
	if got := stockOf(t, db, "OIL5"); got != "90/0" {
		t.Errorf("stock %s", got)
	}

	// what is corrected comes back to where it was
	pgtest.Exec(t, db, fmt.Sprintf("update erp.shipment_line set qty = 3 where shipment_id = %d and line_no = 1", second))
	wantState(t, db, no, "PICKING 1 allocated 14 shipped", "one less in the parcel")
	if got := stockOf(t, db, "OIL5"); got != "91/1" {
		t.Errorf("stock %s", got)
	}
	pgtest.Exec(t, db, fmt.Sprintf("update erp.shipment_line set qty = 4 where shipment_id = %d and line_no = 1", second))
	wantState(t, db, no, "SHIPPED 15 shipped", "and in again")
	pgtest.Exec(t, db, fmt.Sprintf("delete from erp.shipment_line where shipment_id = %d and line_no = 2", second))
	wantState(t, db, no, "PICKING 5 allocated 10 shipped", "a line taken out")
	third := ship(t, db, no, 0, 5)
	pgtest.Exec(t, db, fmt.Sprintf("update erp.shipment set delivered_at = now() where shipment_id = %d", third))
	wantState(t, db, no, "SHIPPED 15 shipped", "one of three parcels on its way")
	pgtest.Exec(t, db, fmt.Sprintf("update erp.shipment set delivered_at = now() where shipment_id = %d", second))
	wantState(t, db, no, "DELIVERED 15 shipped", "the last parcel has arrived")
	pgtest.Exec(t, db, fmt.Sprintf("update erp.shipment set delivered_at = null where shipment_id = %d", second))
	wantState(t, db, no, "SHIPPED 15 shipped", "it had not")
	pgtest.Exec(t, db, fmt.Sprintf("delete from erp.shipment where shipment_id = %d", second))
	wantState(t, db, no, "PICKING 4 allocated 11 shipped", "it never left")
	if got := stockOf(t, db, "OIL5"); got != "94/4" {
		t.Errorf("stock %s", got)
	}
	if c := refused(t, db, line(1, "qty_shipped = 0")); c != "sales_order_line_has_shipments" {
		t.Errorf("less shipped than the parcels hold refused by %q", c)
	}
	pgtest.Exec(t, db, "select erp.invoice_order('"+no+"')")
	if c := refused(t, db, fmt.Sprintf("delete from erp.shipment where shipment_id = %d",
		first)); c != "shipment_invoiced" {
		t.Errorf("taking back what is invoiced refused by %q", c)
	}
	if c := refused(t, db, "update erp.sales_order set warehouse = 'EAST' where order_no = '"+no+
		"'"); c != "sales_order_warehouse" {
		t.Errorf("another warehouse refused by %q", c)
	}

	// the last open quantity is cancelled: the parcels have all arrived
	pgtest.Exec(t, db, line(1, "qty_cancelled = 4, cancel_reason = 'Out of stock'"))
	wantState(t, db, no, "DELIVERED 11 shipped 4 cancelled", "the rest is cancelled")
	pgtest.Exec(t, db, line(1, "qty_cancelled = 3"))
	wantState(t, db, no, "PICKING 1 allocated 11 shipped 3 cancelled", "one of it after all")

	// nothing left of an order that never shipped
	none := newOrder(t, db, "OIL5 3")
	setStatus(t, db, none, "APPROVED")
	pgtest.Exec(t, db, "update erp.sales_order_line set qty_cancelled = 3 where order_id = (select order_id from "+
		"erp.sales_order where order_no = '"+none+"')")
	wantState(t, db, none, "CANCELLED 3 cancelled", "every line cancelled")
	if c := refused(t, db, "update erp.sales_order_line set qty_cancelled = 0 where order_id = (select order_id from "+
		"erp.sales_order where order_no = '"+none+"')"); c != "order_closed" {
		t.Errorf("opening a cancelled order refused by %q", c)
	}

	// plain SQL on a line alone, with no parcel at all
	alone := newOrder(t, db, "OIL5 10")
	setStatus(t, db, alone, "APPROVED")
	pgtest.Exec(t, db, "update erp.sales_order_line set qty_shipped = 6 where order_id = (select order_id from "+
		"erp.sales_order where order_no = '"+alone+"')")
	wantState(t, db, alone, "PICKING 4 allocated 6 shipped", "six by a line")
	pgtest.Exec(t, db, "update erp.sales_order_line set qty_shipped = 10 where order_id = (select order_id from "+
		"erp.sales_order where order_no = '"+alone+"')")
	wantState(t, db, alone, "SHIPPED 10 shipped", "ten by a line")
	setStatus(t, db, alone, "DELIVERED")
	wantState(t, db, alone, "DELIVERED 10 shipped", "delivered by the header")
}

// Goods that come in are given out oldest first, by update, by insert and by
// the desk's function; what is expected tells each backorder its day.
func TestReceiptsFillBackorders(t *testing.T) {
	t.Parallel()
	db := world(t)
	pgtest.Exec(t, db, `select erp.set_clock('2026-11-26 10:00-05');
		insert into erp.item (item_no, description, price_a) values ('NEW1', 'New', 3);
		insert into erp.item_uom (item_id, uom, factor) select item_id, 'CS', 4 from erp.item where item_no = 'NEW1'`)
	first := newOrder(t, db, "NEW1 5")
	pgtest.Exec(t, db, "select erp.set_clock('2026-11-26 11:00-05')")
	second := newOrder(t, db, "NEW1 2 CS", "OIL5 1")
	third := newOrder(t, db, "NEW1 1")
	setStatus(t, db, third, "ON_HOLD")
	day := func(no string, line int) string {
		t.Helper()
		return pgtest.Value[string](t, db,
			fmt.Sprintf(`select coalesce(max(b.expected_on::text), 'to follow') from erp.sales_order o
			cross join lateral portal.backorders_of_order(o.customer_id, o.order_id) b where o.order_no = '%s'
			and b.line_no = %d`, no, line))
	}
	if got := day(first, 1); got != "to follow" {
		t.Errorf("nothing is expected: %s", got)
	}
	pgtest.Exec(t, db,
		`insert into erp.stock_expected (item_id, expected_on, qty) select item_id, d.day, d.qty from erp.item,
		(values (date '2026-11-25', 100), ('2026-12-04', 6), ('2026-12-09', 8)) as d(day, qty) where item_no = 'NEW1'`)
	for no, want := range map[string]string{first: "2026-12-04", second: "2026-12-09", third: "2026-12-09"} {
		if got := day(no, 1); got != want {
			t.Errorf("%s is expected %s, want %s (what is overdue promises nothing)", no, got, want)
		}
	}
	more := pgtest.Value[string](t, db,
		"select coalesce(erp.expected_on(item_id, 'MAIN', 1)::text, 'to follow') from erp.item where item_no = 'NEW1'")
	if more != "to follow" {
		t.Errorf("one more than is expected: %s", more)
	}

	// a first row of stock: the oldest first, whole cases only
	pgtest.Exec(t, db, "insert into erp.stock (item_id, on_hand) select item_id, 7 from erp.item where item_no = 'NEW1'")
	wantState(t, db, first, "SUBMITTED 5 allocated", "insert")
	wantState(t, db, second, "SUBMITTED 1 allocated 2 backordered", "two are no case")
	wantState(t, db, third, "ON_HOLD 1 allocated", "but one for the third")
	pgtest.Exec(t, db, "update erp.stock set on_hand = 11 where item_id = (select item_id from erp.item where item_no "+
		"= 'NEW1')")
	wantState(t, db, second, "SUBMITTED 2 allocated 1 backordered", "update")
	pgtest.Exec(t, db, "update erp.sales_order set status = 'CANCELLED' where order_no = '"+first+"'")
	wantState(t, db, second, "SUBMITTED 3 allocated", "what a cancelled order had")
	pgtest.Exec(t, db, "update erp.sales_order set status = 'REJECTED', status_reason = 'no' where order_no = '"+third+"'")
	if got := stockOf(t, db, "NEW1"); got != "11/8" {
		t.Errorf("stock %s", got)
	}
	fourth := newOrder(t, db, "NEW1 10")
	wantState(t, db, fourth, "SUBMITTED 3 allocated 7 backordered", "the rest")
	pgtest.Exec(t, db, "update erp.sales_order_line set qty = 1 where line_no = 1 and order_id = (select order_id from "+
		"erp.sales_order where order_no = '"+second+"')")
	wantState(t, db, fourth, "SUBMITTED 7 allocated 3 backordered", "a quantity cut")
	pgtest.Exec(t, db, "select erp.receive_stock('NEW1', 103)")
	wantState(t, db, fourth, "SUBMITTED 10 allocated", "received")
	if got := pgtest.Value[string](t, db,
		"select string_agg(expected_on || ' ' || qty, ', ' order by expected_on) from erp.stock_expected"); got != "2026-12-04 3, 2026-12-09 8" {
		t.Errorf("still expected: %s", got)
	}
	if c := refused(t, db, "select erp.receive_stock('NEW1', 0)"); c != "received_qty" {
		t.Errorf("receiving nothing refused by %q", c)
	}
	// an order in another warehouse gives back there
	pgtest.Exec(t, db, "insert into erp.stock (item_id, warehouse, on_hand) select item_id, 'EAST', 9 from erp.item "+
		"where item_no = 'NEW1'")
	east := pgtest.Value[string](t, db,
		"insert into erp.sales_order (customer_id, warehouse) select min(customer_id), 'EAST' from erp.customer returning "+
			"order_no")
	pgtest.Exec(t, db, "insert into erp.sales_order_line (order_id, line_no, item_id, qty) select order_id, 1, "+
		"item_id, 4 from erp.sales_order, erp.item where order_no = '"+east+"' and item_no = 'NEW1'")
	pgtest.Exec(t, db, "delete from erp.sales_order where order_no = '"+east+"'")
	if got := pgtest.Value[string](t, db,
		"select trim_scale(allocated)::text from erp.stock where warehouse = 'EAST'"); got != "0" {
		t.Errorf("%s still allocated in the east", got)
	}
	wantState(t, db, fourth, "SUBMITTED 10 allocated", "at the end")
}

// A line is sent short, or another item instead of it, and the order says so.
func TestShortAndSubstitute(t *testing.T) {
	t.Parallel()
	db := world(t)
	no := newOrder(t, db, "OIL5 10", "RICE 6")
	waits := newOrder(t, db, "OIL5 95") // five short
	setStatus(t, db, no, "APPROVED")
	pgtest.Exec(t, db, "update erp.sales_order_line set qty_picked = 7 where line_no = 1 and order_id = (select "+
		"order_id from erp.sales_order where order_no = '"+no+"')")
	if c := refused(t, db, "select erp.short_line('"+no+"', 1, ' ')"); c != "short_reason" {
		t.Errorf("no reason refused by %q", c)
	}
	pgtest.Exec(t, db, "select erp.short_line('"+no+"', 1, 'Out of stock', true)")
	wantState(t, db, no, "PICKING 13 allocated 3 cancelled", "three are not on the shelf")
	if got := stockOf(t, db, "OIL5"); got != "97/97" {
		t.Errorf("written off: %s", got)
	}
	wantState(t, db, waits, "SUBMITTED 90 allocated 5 backordered", "nobody is promised what is not there")
	if c := refused(t, db, "select erp.short_line('"+no+"', 1, 'Out of stock')"); c != "line_picked" {
		t.Errorf("short of what is picked refused by %q", c)
	}
	pgtest.Exec(t, db, "update erp.sales_order_line set qty_cancelled = 1, cancel_reason = 'Damaged' where line_no = 2 "+
		"and order_id = (select order_id from erp.sales_order where order_no = '"+no+"')")
	wantState(t, db, no, "PICKING 12 allocated 4 cancelled", "by plain SQL")

	// RICE20 instead of what is left of RICE
	pgtest.Exec(t, db, `insert into erp.item (item_no, description, price_a, price_c) values ('RICE20', 'Rice 20', 18, 17);
		insert into erp.stock (item_id, on_hand) select item_id, 4 from erp.item where item_no = 'RICE20'`)
	sub := func(args string) string { return "select erp.substitute_line('" + no + "', 2, " + args + ")" }
	for args, want := range map[string]string{"'RICE20', '', 4, null, 17.01": "substitute_price",
		"'RICE20', '', 5": "stock_short", "'NOPE', '', 1": "item_unknown", "'RICE', '', 1": "same_item",
		"'RICE20', '', 0": "substitute_qty", "'RICE20', '', 1, 9": "line_picked"} {
		if c := refused(t, db, sub(args)); c != want {
			t.Errorf("substitute %s refused by %q, want %q", args, c, want)
		}
	}
	pgtest.Exec(t, db, sub("'rice20', '', 2, 2"))
	pgtest.Exec(t, db, sub("'RICE20', '', 1, null, 15"))
	wantState(t, db, no, "PICKING 10 allocated 9 cancelled", "two substitutes")
	if got := pgtest.Value[string](t, db,
		`select string_agg(concat_ws(' ', line_no, trim_scale(qty), trim_scale(unit_price), price_step, substitute_for_line),
			', ' order by line_no)
		from erp.sales_order_line join erp.sales_order using (order_id) where line_no > 2 and order_no = '`+no+
			"'"); got != "3 2 17 level 2, 4 1 15 manual 2" {
		t.Errorf("substitutes: %s", got)
	}
	if got := pgtest.Value[string](t, db,
		`select cancel_reason from erp.sales_order_line join erp.sales_order using (order_id) where line_no = 2
			and order_no = '`+no+"'"); got != "Damaged; Replaced by RICE20" {
		t.Errorf("reason %q", got)
	}
	// a cut after a substitute says both, and each change says its own
	kept := newOrder(t, db, "OIL5 10")
	setStatus(t, db, kept, "APPROVED")
	pgtest.Exec(t, db, "select erp.substitute_line('"+kept+"', 1, 'RICE20', '', 1, 3)")
	edit(t, db, kept, "1", "5", "no truck space")
	pgtest.Exec(t, db, "select erp.short_line('"+kept+"', 1, 'damaged')")
	if got := pgtest.Value[string](t, db,
		`select trim_scale(l.qty) || ' ' || trim_scale(l.qty_cancelled) || ' ' || l.cancel_reason from erp.sales_order_line l
			join erp.sales_order using (order_id)
		where line_no = 1 and order_no = '`+kept+"'"); got != "10 10 Replaced by RICE20; no truck space; damaged" {
		t.Errorf("what was cancelled, and why: %s", got)
	}
	if got := pgtest.Value[string](t, db,
		`select string_agg(trim_scale(from_qty) || '>' || trim_scale(to_qty) || ' ' || reason, ', ' order by change_id)
			from erp.order_change join erp.sales_order using (order_id)
		where line_no = 1 and order_no = '`+kept+"'"); got != "10>7 Replaced by RICE20, 7>5 no truck space, 5>0 damaged" {
		t.Errorf("changes: %s", got)
	}
	pgtest.Exec(t, db, "delete from erp.sales_order where order_no = '"+kept+"'")
	pgtest.Exec(t, db, "select erp.ship_order('"+no+"', 'UPS', '1Z')")
	wantState(t, db, no, "SHIPPED 10 shipped 9 cancelled", "shipped")
	if c := refused(t, db, sub("'RICE20', '', 1")); c != "order_move" {
		t.Errorf("a substitute on a shipped order refused by %q", c)
	}
	if c := refused(t, db, "insert into erp.carrier (code, name, tracking_url) values ('X', 'X', "+
		"'javascript:alert(1)//{tracking_no}')"); c != "carrier_tracking_url" {
		t.Errorf("a script for a link refused by %q", c)
	}
	// one that has shipped is not deleted
	if c := refused(t, db, "delete from erp.sales_order where order_no = '"+no+"'"); c != "sales_order_stays" {
		t.Errorf("deleted: %q", c)
	}
	if left := pgtest.Value[string](t, db,
		"select coalesce(string_agg(detail, ', '), '') from erp.check_invariants()"); left != "" {
		t.Error(strings.TrimSpace(left))
	}
}
