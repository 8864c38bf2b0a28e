package demo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal/internal/demo"
	"portal.example/portal/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// hash is of some password; nobody logs in here.
const hash = "$2a$04$4sRLLhms3ErVn/M1sZc7WOvybTyNztmrvj7HltsPnFbbEJSy4p1W6"

func seed(t *testing.T, number uint64, weeks int) (*pgtest.DB, demo.Summary) {
	t.Helper()
	db := pgtest.New(t)
	conn, err := pgx.Connect(context.Background(), db.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	start := time.Now()
	s, err := demo.Seed(context.Background(), conn,
		demo.Options{Seed: number, Now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), PasswordHash: hash, Weeks: weeks})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v in %s", s, time.Since(start))
	again, err := demo.Seed(context.Background(), conn, demo.Options{Seed: number, Now: time.Now(), PasswordHash: hash})
	if err != nil || again != (demo.Summary{}) {
		t.Errorf("a second seed made %+v (%v)", again, err)
	}
	return db, s
}

// The invariants are checked at the end of the test, as of every test. A seed
// takes seconds: one is whole, and those that are compared have a short history.
func TestSeed(t *testing.T) {
	t.Parallel()
	one, s := seed(t, 1, 0)
	if s.Customers != 60 || s.Items != 800 || s.Orders < 3000 {
		t.Errorf("made %+v", s)
	}
	two, _ := seed(t, 1, 6)
	again, _ := seed(t, 1, 6)
	other, _ := seed(t, 2, 6)
	const prints = `select md5(string_agg(row::text, '|' order by row::text)) from (
		select (order_no, customer_id, source, status, total) as row from erp.sales_order where source <> 'WEB'
			or status = 'DELIVERED'
		union all select (item_no, description, price_a, price_e, cost, barcode) from erp.item
		union all select (customer_no, name, price_level, credit_limit, null::text, null::text) from erp.customer
		union all select (invoice_no, customer_id, invoice_date, total, open_amount, null::text) from erp.invoice) x`
	a, b, c := pgtest.Value[string](t, two, prints), pgtest.Value[string](t, again, prints),
		pgtest.Value[string](t, other, prints)
	if a != b {
		t.Error("the same number made two distributors")
	}
	if a == c {
		t.Error("another number made the same distributor")
	}
	for _, table := range []string{"sales_order_line", "shipment_line", "invoice_line", "payment_application",
		"order_status_history", "item_picture", "price_contract"} {
		if n := pgtest.Value[int](t, one, "select count(*)::int from erp."+table); n == 0 {
			t.Errorf("erp.%s is empty", table)
		}
	}
	if n := pgtest.Value[int](t, one,
		`select count(*)::int from erp.invoice where customer_id <= 8 and open_amount > 0
			and due_date < '2026-11-23'`); n != 0 {
		t.Errorf("%d past-due invoices of the scenarios' customers", n)
	}
	t.Run("fixtures", func(t *testing.T) { fixtures(t, one) })
	t.Run("busy", func(t *testing.T) { busy(t, two) })
}

// The simulated office moves an order that a visitor placed through every step,
// and leaves the books in order.
func busy(t *testing.T, db *pgtest.DB) {
	pgtest.Exec(t, db, `update erp.sales_order set status = 'CANCELLED' where status in ('SUBMITTED', 'ON_HOLD');
		with o as (insert into erp.sales_order (order_no, customer_id, login_id) values ('SO-MINE', 3, 1) returning order_id)
		insert into erp.sales_order_line (order_id, line_no, item_id, qty) select order_id, 1, 2, 5 from o`)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, db.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(ctx,
		"listen portal_event; insert into portal.event_node (name, wants_notify) values ('the test', true)"); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	working, stop := context.WithCancel(ctx)
	var failed bytes.Buffer
	go func() {
		ended <- demo.Busy(working, db.Pool,
			demo.BusyOptions{Tempo: time.Millisecond, Seed: 7, Logger: slog.New(slog.NewTextHandler(&failed, nil))})
	}()
	for {
		if _, err := conn.WaitForNotification(ctx); err != nil {
			t.Fatalf("the order never was delivered and invoiced: %v", err)
		}
		var done bool
		if err := conn.QueryRow(ctx, "select status = 'DELIVERED' and invoiced_at is not null from erp.sales_order where "+
			"order_no = 'SO-MINE'").Scan(&done); err != nil {
			t.Fatal(err)
		}
		if done {
			break
		}
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	if failed.Len() > 0 {
		t.Errorf("failed on the way:\n%s", failed.String())
	}
	steps := pgtest.Value[string](t, db,
		"select string_agg(to_status, ' ' order by history_id) from erp.order_status_history join erp.sales_order using "+
			"(order_id) where order_no = 'SO-MINE'")
	if steps != "SUBMITTED APPROVED PICKING SHIPPED DELIVERED" {
		t.Errorf("steps: %s", steps)
	}
}

// The customers and items of the scenarios are there at their prices.
func fixtures(t *testing.T, db *pgtest.DB) {
	price := func(customer, item string) string {
		t.Helper()
		return pgtest.Value[string](t, db,
			fmt.Sprintf(
				`select trim_scale(unit_price)::text from erp.price((select customer_id from erp.customer where customer_no = '%s'),
			array[(select item_id from erp.item where item_no = '%s')], array[null], array[1], '2026-03-01 12:00-05')`, customer,
				item))
	}
	for customer, want := range map[string]string{"C1001": "30", "C1002": "28.5", "C1003": "27", "C1004": "25.5",
		"C1005": "24", "C1006": "22.75", "C1008": "26"} {
		if got := price(customer, "OIL5"); got != want {
			t.Errorf("%s OIL5: %s, want %s", customer, got, want)
		}
	}
	if got := price("C1002", "RICE25"); got != "22.1" {
		t.Errorf("C1002 RICE25: %s", got)
	}
	if got := price("C1003", "SALT1"); got != "0.335" {
		t.Errorf("C1003 SALT1: %s", got)
	}
}
