package sql_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"portal.example/portal/internal/pgtest"
)

// TestPaymentRace applies two payments to one invoice at the same moment, over
// and over: what is open afterwards is what neither has paid.
func TestPaymentRace(t *testing.T) {
	t.Parallel()
	db := world(t)
	const rounds, payers = 6, 8
	pgtest.Exec(t, db, "insert into erp.invoice (invoice_id, customer_id, opened_total) select n, 1, 100 from "+
		"generate_series(1, $1) n", rounds)
	pgtest.Exec(t, db, "insert into erp.payment (payment_id, customer_id, amount) select n, 1, 1000 from "+
		"generate_series(1, $1) n", payers)
	for invoice := range rounds {
		var wg sync.WaitGroup
		refused := make([]error, payers)
		for payer := range payers {
			wg.Go(func() {
				_, refused[payer] = db.Pool.Exec(context.Background(),
					"insert into erp.payment_application (payment_id, invoice_id, amount) values ($1, $2, 30)", payer+1, invoice+1)
			})
		}
		wg.Wait()
		took := 0
		for _, err := range refused {
			if err == nil {
				took++
			} else if !strings.Contains(err.Error(), "invoice_open_amount") {
				t.Errorf("refused with %v", err)
			}
		}
		open := pgtest.Value[string](t, db, "select trim_scale(open_amount)::text from erp.invoice where invoice_id = $1",
			invoice+1)
		if took != 3 || open != "10" {
			t.Errorf("%d of %d payments of 30 were applied to an invoice of 100, %s is open", took, payers, open)
		}
	}
}

// TestInvoiceNumbersHaveNoGaps draws numbers in transactions that end either
// way, at the same time.
func TestInvoiceNumbersHaveNoGaps(t *testing.T) {
	t.Parallel()
	db := world(t)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for n := range 6 {
				err := pgx.BeginFunc(context.Background(), db.Pool, func(tx pgx.Tx) error {
					if _, err := tx.Exec(context.Background(),
						"insert into erp.invoice (customer_id, opened_total) values (1, 1)"); err != nil {
						return err
					}
					if (worker+n)%3 == 0 {
						return fmt.Errorf("changed my mind")
					}
					return nil
				})
				if err != nil && err.Error() != "changed my mind" {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := pgtest.Value[string](t, db,
		"select concat_ws(' ', count(*), min(invoice_no::int), max(invoice_no::int)) from erp.invoice"); got != "32 10001 10032" {
		t.Errorf("invoices: %s", got)
	}
	if c := refused(t, db, "delete from erp.invoice where invoice_no = '10007'"); c != "invoice_stays" {
		t.Errorf("the deletion of a posted invoice is refused by %q", c)
	}
	// a program's own number is left out
	pgtest.Exec(t, db, "insert into erp.invoice (customer_id, invoice_no) values (1, '10033')")
	if got := pgtest.Value[string](t, db,
		"insert into erp.invoice (customer_id) values (1) returning invoice_no"); got != "10034" {
		t.Errorf("after a program's own 10033 comes %s", got)
	}
}

// TestClosedPeriod tries every way to change what is closed.
func TestClosedPeriod(t *testing.T) {
	t.Parallel()
	db := world(t)
	pgtest.Exec(t, db, `
		select erp.set_clock('2026-04-10 12:00-04');
		insert into erp.invoice (invoice_id, customer_id, invoice_date, due_date, opened_total)
			values (1, 1, '2026-03-10', '2026-04-09', 100), (2, 1, '2026-04-02', '2026-05-02', 100);
		insert into erp.invoice_line (invoice_id, line_no, qty, unit_price, line_total) values (1, 1, 1, 100, 100);
		insert into erp.payment (payment_id, customer_id, payment_date, amount) values (1, 1, '2026-03-20', 80),
			(2, 1, '2026-04-05', 30);
		insert into erp.credit_memo (credit_memo_id, customer_id, memo_date, opened_total) values (1, 1, '2026-03-25', 5);
		insert into erp.payment_application (payment_id, invoice_id, amount, applied_on) values (1, 1, 50, '2026-03-20');
		update erp.company set closed_through = '2026-03-31'`)
	before := pgtest.Value[string](t, db, "select a::text from erp.aging(1, '2026-03-31') a")
	for _, statement := range []string{ // what is posted never changes: TestPostedStatements
		"insert into erp.invoice (customer_id, invoice_date, due_date, opened_total) values (1, '2026-03-31', " +
			"'2026-04-30', 1)",
		"insert into erp.payment (customer_id, payment_date, amount) values (1, '2026-03-01', 1)",
		"update erp.payment set reversed_on = '2026-03-25' where payment_id = 1",
		"insert into erp.payment_application (payment_id, invoice_id, amount, applied_on) values (1, 1, 5, '2026-03-21')",
		"insert into erp.credit_memo (customer_id, memo_date, opened_total) values (1, '2026-03-02', 1)",
	} {
		if c := refused(t, db, statement); c != "closed_period" {
			t.Errorf("%s: refused by %q", statement, c)
		}
	}
	// what is posted now goes on, also against documents of the closed period
	pgtest.Exec(t, db, `
		insert into erp.payment_application (payment_id, invoice_id, amount, applied_on) values (1, 1, 30, '2026-04-10'),
			(2, 1, 20, '2026-04-10');
		insert into erp.payment_application (credit_memo_id, invoice_id, amount) values (1, 2, 5);
		update erp.payment set reversed_on = '2026-04-10', reversed_reason = 'bounced' where payment_id = 1`)
	if after := pgtest.Value[string](t, db, "select a::text from erp.aging(1, '2026-03-31') a"); after != before {
		t.Errorf("as of the closed day: %s, was %s", after, before)
	}
	if got := pgtest.Value[string](t, db,
		"select string_agg(trim_scale(open_amount)::text, ' ' order by invoice_id) from erp.invoice"); got != "80 95" {
		t.Errorf("open: %s", got)
	}
}

// TestPaymentComesBack reverses a payment that was applied to two invoices.
func TestPaymentComesBack(t *testing.T) {
	t.Parallel()
	db := world(t)
	pgtest.Exec(t, db, `
		select erp.set_clock('2026-04-10 12:00-04');
		insert into erp.invoice (invoice_id, customer_id, invoice_date, due_date, opened_total)
			values (1, 1, '2026-03-10', '2026-04-09', 100), (2, 1, '2026-03-12', '2026-04-11', 100);
		insert into erp.payment (payment_id, customer_id, payment_date, amount) values (1, 1, '2026-03-20', 180);
		insert into erp.payment_application (payment_id, invoice_id, amount, applied_on) values (1, 1, 100, '2026-03-20'),
			(1, 2, 50, '2026-03-21');
		update erp.payment set reversed_on = '2026-04-02', reversed_reason = 'bounced' where payment_id = 1`)
	for day, want := range map[string]string{"2026-03-19": "200", "2026-03-20": "20", "2026-04-01": "20",
		"2026-04-02": "200", "2026-04-10": "200"} {
		if got := pgtest.Value[string](t, db,
			"select concat_ws(' ', trim_scale(balance), trim_scale(erp.balance(1, $1::date))) from erp.aging(1, $1::date)",
			day); got != want+" "+want {
			t.Errorf("owed on %s: %s, want %s", day, got, want)
		}
	}
	if got := pgtest.Value[string](t, db,
		"select string_agg(concat_ws(' ', kind, trim_scale(amount), trim_scale(balance)), ', ') from erp.movements(1, "+
			"'2026-03-01', '2026-04-30')"); got !=
		"invoice 100 100, invoice 100 200, payment -180 20, reversal 180 200" {
		t.Errorf("movements: %s", got)
	}
	if c := refused(t, db,
		"update erp.payment set reversed_on = '2026-04-03' where payment_id = 1"); c != "payment_reversed_once" {
		t.Errorf("a second reversal is refused by %q", c)
	}
	if c := refused(t, db,
		"insert into erp.payment_application (payment_id, invoice_id, amount) values (1, 1, 10)"); c != "payment_open_amount" {
		t.Errorf("to apply what came back is refused by %q", c)
	}
}

// TestInvoiceTaxAndFreight invoices an order in two parts: tax of what is
// taxable at the ship-to's rate, rounded once, and each shipment's freight once.
func TestInvoiceTaxAndFreight(t *testing.T) {
	t.Parallel()
	db := world(t)
	pgtest.Exec(t, db, `
		update erp.customer set tax_rate = 0.05 where customer_no = 'C1';
		insert into erp.ship_to (customer_id, code, name, tax_rate) values (1, 'S', 'Store', 0.08875);
		update erp.item set taxable = false where item_no = 'RICE'`)
	no := newOrder(t, db, "OIL5 7", "RICE 3")
	pgtest.Exec(t, db, "update erp.sales_order set ship_to_id = (select ship_to_id from erp.ship_to), status = "+
		"'APPROVED' where order_no = $1", no)
	pgtest.Exec(t, db, "select erp.ship_order($1, 'Truck', '', array[1, 2], array[3, 3])", no)
	pgtest.Exec(t, db, "update erp.shipment set freight = 12.5")
	first := pgtest.Value[string](t, db, "select erp.invoice_order($1)", no)
	pgtest.Exec(t, db, "select erp.ship_order($1, 'Truck', '')", no)
	second := pgtest.Value[string](t, db, "select (erp.invoice_orders(array[$1]))[1]", no)
	for invoice, want := range map[string]string{
		first:  "148.19 7.19 0.088750 12.50", // 3 × 27.00 taxed, 3 × 20.00 not: 81 × 8.875 % = 7.18875
		second: "117.59 9.59 0.088750 0.00",  // 4 × 27.00 = 108 × 8.875 % = 9.585
	} {
		got := pgtest.Value[string](t, db,
			`select concat_ws(' ', total - (case when freight > 0 then 12.5 else 0 end), tax, tax_rate, freight)
				from erp.invoice where invoice_no = $1`, invoice)
		if got != want {
			t.Errorf("invoice %s: %s, want %s", invoice, got, want)
		}
	}
	if c := refused(t, db, "select erp.invoice_order('"+no+"')"); c != "nothing_to_invoice" {
		t.Errorf("a third invoice is refused by %q", c)
	}
}
