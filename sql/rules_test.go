package sql_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"portal.example/portal/internal/pgtest"
)

// world is a small distributor: two customers, a few items.
func world(t *testing.T) *pgtest.DB {
	t.Helper()
	db := pgtest.New(t)
	pgtest.Exec(t, db, `
		insert into erp.customer (customer_no, name, price_level) values ('C1', 'One', 'C'), ('C2', 'Two', 'B');
		insert into erp.item (item_no, description, price_a, price_b, price_c, price_d, cost) values
			('OIL5', 'Oil', 30, 28.5, 27, 25.5, 20), ('RICE', 'Rice', 22.10, null, 20, null, 10),
			('NONE', 'No price', null, null, null, null, 8);
		insert into erp.item_uom (item_id, uom, factor) select item_id, 'CS', 4 from erp.item where item_no = 'OIL5';
		insert into erp.stock (item_id, on_hand) select item_id, 100 from erp.item`)
	return db
}

// refused runs a statement that must be refused, by a constraint or by one of
// our own refusals, and returns its name.
func refused(t *testing.T, db *pgtest.DB, statement string) string {
	t.Helper()
	_, err := db.Pool.Exec(context.Background(), statement)
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		t.Fatalf("not refused: %s (%v)", statement, err)
	}
	return pg.ConstraintName
}

// newOrder inserts an order of customer C1 as plain SQL would, with lines
// "ITEM QTY [UOM]".
func newOrder(t *testing.T, db *pgtest.DB, lines ...string) string {
	t.Helper()
	no := pgtest.Value[string](t, db,
		"insert into erp.sales_order (customer_id) select customer_id from erp.customer where customer_no = 'C1' "+
			"returning order_no")
	for i, l := range lines {
		f := append(strings.Fields(l), "")
		pgtest.Exec(t, db, fmt.Sprintf(`insert into erp.sales_order_line (order_id, line_no, item_id, qty, uom)
			select o.order_id, %d, i.item_id, %s, '%s' from erp.sales_order o, erp.item i where o.order_no = '%s'
				and i.item_no = '%s'`, i+1, f[1], f[2], no, f[0]))
	}
	return no
}

func setStatus(t *testing.T, db *pgtest.DB, no string, statuses ...string) {
	t.Helper()
	for _, s := range statuses {
		pgtest.Exec(t, db, "update erp.sales_order set status = '"+s+"' where order_no = '"+no+"'")
	}
}

func stockOf(t *testing.T, db *pgtest.DB, item string) string {
	t.Helper()
	return pgtest.Value[string](t, db,
		"select trim_scale(on_hand) || '/' || trim_scale(allocated) from erp.stock join erp.item using (item_id) where "+
			"item_no = '"+item+"'")
}

func TestPriceLevels(t *testing.T) {
	t.Parallel()
	db := world(t)
	price := func(customer, item, uom, qty string) string {
		t.Helper()
		return pgtest.Value[string](t, db,
			fmt.Sprintf(`select coalesce(trim_scale(unit_price)::text, '-') || ' ' || step from erp.price(
			(select customer_id from erp.customer where customer_no = '%s'), array[(select item_id from erp.item
			where item_no = '%s')],
			array[nullif('%s', '')], array[%s])`, customer, item, uom, qty))
	}
	for _, c := range [][5]string{
		{"C1", "OIL5", "", "1", "27 level"},
		{"C1", "OIL5", "CS", "1", "108 level"},
		{"C2", "RICE", "", "1", "22.1 level"}, // B is empty: the next dearer filled one
		{"C1", "RICE", "", "1", "20 level"},
		{"C1", "NONE", "", "1", "- none"},
		{"C1", "OIL5", "PALLET", "1", "- none"}, // not a unit of it
		{"nobody", "OIL5", "", "1", "30 list"},
	} {
		if got := price(c[0], c[1], c[2], c[3]); got != c[4] {
			t.Errorf("%s %s %s: %s, want %s", c[0], c[1], c[2], got, c[4])
		}
	}
	pgtest.Exec(t, db, `insert into erp.price_contract (customer_id, item_id, kind, value, valid, min_qty, uom)
		select c.customer_id, i.item_id, k.kind, k.value, k.valid::daterange, k.min_qty, k.uom
		from erp.customer c, erp.item i, (values ('fixed', 22.75, '[2026-01-01,2026-06-30]', 0, null),
		('fixed', 21, '[2026-01-01,2026-06-30]', 12, null),
			('percent_off', 10, '[2026-07-01,]', 0, null), ('cost_plus', 25, '[2026-07-01,]', 0, 'CS')) as k(kind, value, valid,
			min_qty, uom)
		where c.customer_no = 'C1' and i.item_no = 'OIL5'`)
	for at, want := range map[string][3]string{
		"2026-01-01 00:00:00-05": {"22.75 contract", "91 contract", "84 contract"},
		"2026-06-30 23:59:59-04": {"22.75 contract", "91 contract", "84 contract"},
		"2026-07-01 00:00:00-04": {"24.3 contract", "100 contract", "100 contract"},
		"2025-12-31 23:59:59-05": {"27 level", "108 level", "108 level"},
	} {
		pgtest.Exec(t, db, "select erp.set_clock('"+at+"')")
		for i, q := range [][2]string{{"", "1"}, {"CS", "1"}, {"CS", "3"}} {
			if got := price("C1", "OIL5", q[0], q[1]); got != want[i] {
				t.Errorf("at %s %v: %s, want %s", at, q, got, want[i])
			}
		}
	}
	if until := pgtest.Value[string](t, db,
		`select to_char(valid_until at time zone 'America/New_York', 'YYYY-MM-DD HH24:MI') from erp.price(
		(select customer_id from erp.customer where customer_no = 'C1'), array[(select item_id from erp.item
		where item_no = 'OIL5')],
		array[null], array[1], '2026-03-01 12:00-05')`); until != "2026-07-01 00:00" {
		t.Errorf("valid until %s", until)
	}
	if c := refused(t, db,
		`insert into erp.price_contract (customer_id, item_id, value, valid) select customer_id, item_id, 1,
			'[2026-06-30,2026-07-02]' from erp.price_contract limit 1`); c != "price_contract_no_overlap" {
		t.Errorf("overlap refused by %s", c)
	}
}

func TestOrderMoves(t *testing.T) {
	t.Parallel()
	db := world(t)
	all := []string{"SUBMITTED", "APPROVED", "PICKING", "SHIPPED", "DELIVERED", "ON_HOLD", "REJECTED", "CANCELLED"}
	path := map[string][]string{"SUBMITTED": nil, "APPROVED": {"APPROVED"}, "PICKING": {"APPROVED", "PICKING"},
		"SHIPPED": {"APPROVED", "PICKING", "SHIPPED"}, "DELIVERED": {"APPROVED", "PICKING", "SHIPPED", "DELIVERED"},
		"ON_HOLD": {"ON_HOLD"}, "CANCELLED": {"CANCELLED"}}
	for from, steps := range path {
		for _, to := range all {
			if from == to {
				continue
			}
			no := newOrder(t, db, "OIL5 1")
			setStatus(t, db, no, steps...)
			legal := pgtest.Value[bool](t, db,
				"select exists (select from erp.order_move where from_status = '"+from+"' and to_status = '"+to+"')")
			_, err := db.Pool.Exec(context.Background(),
				"update erp.sales_order set status = $1, status_reason = 'because' where order_no = $2", to, no)
			if (err == nil) != legal {
				t.Errorf("%s → %s: legal %v, got %v", from, to, legal, err)
			}
			var steps int
			if err := db.Pool.QueryRow(context.Background(),
				"select count(*) from erp.order_status_history join erp.sales_order using (order_id) where order_no = $1 and "+
					"to_status = $2", no, to).Scan(&steps); err != nil {
				t.Fatal(err)
			}
			if legal && steps == 0 {
				t.Errorf("%s → %s left no history", from, to)
			}
			// leave the stock as it was
			pgtest.Exec(t, db, "update erp.sales_order set status = 'CANCELLED' where order_no = '"+no+
				"' and status in ('SUBMITTED', 'APPROVED', 'PICKING', 'ON_HOLD')")
		}
	}
	no := newOrder(t, db, "OIL5 1")
	if c := refused(t, db, "update erp.sales_order set status = 'REJECTED' where order_no = '"+no+
		"'"); c != "sales_order_rejected_has_reason" {
		t.Errorf("rejecting without any reason refused by %q", c)
	}
	if c := refused(t, db, "update erp.sales_order set status = 'REJECTED', status_reason = ' ' where order_no = '"+no+
		"'"); c != "sales_order_rejected_has_reason" {
		t.Errorf("rejecting without a reason refused by %q", c)
	}
}

func TestStockFollowsLines(t *testing.T) {
	t.Parallel()
	db := world(t)
	no := newOrder(t, db, "OIL5 10", "OIL5 5 CS")
	if got := stockOf(t, db, "OIL5"); got != "100/30" {
		t.Fatalf("after the order %s", got)
	}
	line := func(n int, set string) {
		t.Helper()
		pgtest.Exec(t, db, fmt.Sprintf("update erp.sales_order_line set %s where line_no = %d and order_id = (select "+
			"order_id from erp.sales_order where order_no = '%s')", set, n, no))
	}
	line(1, "qty = 8")
	if got := stockOf(t, db, "OIL5"); got != "100/28" {
		t.Errorf("quantity cut: %s", got)
	}
	line(1, "qty = 12")
	if got := stockOf(t, db, "OIL5"); got != "100/32" {
		t.Errorf("quantity raised: %s", got)
	}
	setStatus(t, db, no, "APPROVED")
	line(1, "qty_shipped = 6") // plain SQL on a line: the badge must not say complete
	if got := pgtest.Value[string](t, db,
		"select status from erp.sales_order where order_no = '"+no+"'"); got != "PICKING" {
		t.Errorf("part shipped: %s", got)
	}
	if got := stockOf(t, db, "OIL5"); got != "94/26" {
		t.Errorf("part shipped: %s", got)
	}
	if c := refused(t, db, "update erp.sales_order set status = 'CANCELLED' where order_no = '"+no+
		"'"); c != "order_part_shipped" {
		t.Errorf("cancelling a part-shipped order refused by %q", c)
	}
	pgtest.Exec(t, db, "select erp.ship_order('"+no+"', 'UPS', '1Z')")
	if got := pgtest.Value[string](t, db,
		"select status from erp.sales_order where order_no = '"+no+"'"); got != "SHIPPED" {
		t.Errorf("rest shipped: %s", got)
	}
	if got := stockOf(t, db, "OIL5"); got != "68/0" {
		t.Errorf("rest shipped: %s", got)
	}

	no = newOrder(t, db, "OIL5 70")
	if got := pgtest.Value[string](t, db,
		"select trim_scale(qty_allocated) || '+' || trim_scale(qty_backordered) from erp.sales_order_line join "+
			"erp.sales_order using (order_id) where order_no = '"+no+"'"); got != "68+2" {
		t.Errorf("short order: %s", got)
	}
	setStatus(t, db, no, "APPROVED", "PICKING")
	if c := refused(t, db, "update erp.sales_order set status = 'SHIPPED' where order_no = '"+no+
		"'"); c != "order_has_backorders" {
		t.Errorf("shipping with backorders refused by %q", c)
	}
	pgtest.Exec(t, db, "update erp.stock set on_hand = on_hand + 1 where item_id = (select item_id from erp.item where "+
		"item_no = 'OIL5')")
	if got := stockOf(t, db, "OIL5"); got != "69/69" {
		t.Errorf("one came in for the backorder: %s", got)
	}
	setStatus(t, db, no, "CANCELLED")
	if got := stockOf(t, db, "OIL5"); got != "69/0" {
		t.Errorf("cancelled: %s", got)
	}
	if c := refused(t, db, "update erp.stock set on_hand = -1"); c != "stock_on_hand_not_negative" {
		t.Errorf("negative stock refused by %q", c)
	}
	pgtest.Exec(t, db, "delete from erp.sales_order where order_no = '"+newOrder(t, db, "RICE 5")+"'")
	if got := stockOf(t, db, "RICE"); got != "100/0" {
		t.Errorf("deleted order: %s", got)
	}
}

// Twenty orders race for the last five: one has them, and nobody else any.
func TestLastUnitsSoldOnce(t *testing.T) {
	t.Parallel()
	db := world(t)
	pgtest.Exec(t, db,
		`insert into erp.item (item_no, description, price_a, allow_backorder) values ('LAST1', 'Last', 5, false);
		insert into erp.stock (item_id, on_hand) select item_id, 5 from erp.item where item_no = 'LAST1'`)
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for range 20 {
		wg.Go(func() {
			err := pgx.BeginFunc(context.Background(), db.Pool, func(tx pgx.Tx) error {
				_, err := tx.Exec(context.Background(),
					`with o as (insert into erp.sales_order (customer_id) select min(customer_id) from erp.customer returning order_id)
					insert into erp.sales_order_line (order_id, line_no, item_id, qty) select o.order_id, 1, i.item_id, 5 from o,
						erp.item i where i.item_no = 'LAST1'`)
				return err
			})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.ConstraintName != "stock_short" {
				t.Errorf("refused by %v", err)
			}
		})
	}
	wg.Wait()
	if won != 1 {
		t.Errorf("%d orders have the last five", won)
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	db := world(t)
	pgtest.Exec(t, db,
		`insert into erp.route (route_id, code, name) overriding system value values (1, 'TF', 'Tuesday and Friday');
		insert into erp.route_day (route_id, weekday) values (1, 2), (1, 5);
		insert into erp.route_holiday (holiday, replacement) values ('2026-07-03', '2026-07-06')`)
	for at, want := range map[string]string{
		"2026-06-25 14:59": "2026-06-26", "2026-06-25 15:00": "2026-06-30", "2026-06-29 14:59:59": "2026-06-30",
		"2026-06-29 15:00:00": "2026-07-06", "2026-07-03 10:00": "2026-07-06", "2026-07-05 15:00": "2026-07-07",
		// both clock-change days are Sundays: Monday's cutoff is at its own wall clock
		"2026-03-09 14:59": "2026-03-10", "2026-03-09 15:00": "2026-03-13", "2026-11-02 14:59": "2026-11-03",
		"2026-11-02 15:00": "2026-11-06",
	} {
		got := pgtest.Value[string](t, db,
			"select delivery_date::text from erp.next_deliveries(1, timestamp '"+at+"' at time zone 'America/New_York')")
		if got != want {
			t.Errorf("at %s: %s, want %s", at, got, want)
		}
	}
}

func TestAgingBoundaries(t *testing.T) {
	t.Parallel()
	db := world(t)
	pgtest.Exec(t, db, `
		select erp.set_clock('2026-03-31 12:00-04');
		insert into erp.invoice (invoice_no, customer_id, invoice_date, due_date)
			select 'I' || d.n, c.customer_id, d.day, d.day + 30 from erp.customer c,
			(values (1, date '2026-03-02'), (2, '2026-03-01'), (3, '2026-01-31'), (4, '2026-01-30'), (5, '2026-01-01'),
			(6, '2025-12-31')) as d(n, day)
			where c.customer_no = 'C1';
		insert into erp.invoice_line (invoice_id, line_no, qty, unit_price, line_total) select invoice_id, 1, 1, 100, 100
			from erp.invoice`)
	for basis, want := range map[string]string{"invoice_date": "100|200|200|100|600|400",
		"due_date": "300|200|100|0|600|400"} {
		got := pgtest.Value[string](t, db,
			`select concat_ws('|', trim_scale(current_due), trim_scale(days_30), trim_scale(days_60), trim_scale(days_90),
				trim_scale(balance), trim_scale(past_due))
			from erp.aging((select customer_id from erp.customer where customer_no = 'C1'), '2026-03-31', '`+basis+`')`)
		if got != want {
			t.Errorf("%s: %s, want %s", basis, got, want)
		}
	}
	pgtest.Exec(t, db, `
		insert into erp.payment (customer_id, amount) select customer_id, 130 from erp.customer where customer_no = 'C1';
		insert into erp.payment_application (payment_id, invoice_id, amount) select payment_id, invoice_id, 60
			from erp.payment, erp.invoice where invoice_no = 'I4'`)
	got := pgtest.Value[string](t, db,
		`select concat_ws('|', trim_scale(current_due), trim_scale(days_30), trim_scale(days_60), trim_scale(balance))
			from erp.aging((select customer_id from erp.customer where customer_no = 'C1'))`)
	if got != "30|200|140|470" {
		t.Errorf("after a payment: %s", got)
	}
	if c := refused(t, db, "insert into erp.payment_application (payment_id, invoice_id, amount) select payment_id, "+
		"invoice_id, 71 from erp.payment, erp.invoice where invoice_no = 'I1'"); c != "payment_open_amount" {
		t.Errorf("over-applied payment refused by %q", c)
	}
}
