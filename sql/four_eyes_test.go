package sql_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"portal.example/portal/internal/pgtest"
)

// What stands between one person and a large amount is the database, whichever statement
// they find.
func TestFourEyesHeld(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	addStaff(t, db, map[string]string{"ann@x.example": "credit", "bob@x.example": "credit", "sam@x.example": "sales"})
	pgtest.Exec(t, db, "insert into erp.customer (customer_no, name, credit_limit) values ('C1', 'Harbor', 5); update erp.company set four_eyes_amount = 1000")
	pgtest.Exec(t, db, "insert into erp.item (item_no, description, price_a) values ('OIL', 'Oil', 30)")
	pgtest.Exec(t, db, "insert into erp.sales_order (order_no, customer_id) select 'SO1', customer_id from erp.customer")
	pgtest.Exec(t, db, "insert into erp.sales_order_line (order_id, line_no, item_id, qty) select order_id, 1, item_id, 100 from erp.sales_order, erp.item")
	enter := func(email, kind, args string) (entry *int64, err error) {
		err = asStaffOf(t, db, email, func(tx pgx.Tx) error {
			return tx.QueryRow(t.Context(), "select entry_id from portal.enter_money($1, 'C1', $2::jsonb)", kind, args).Scan(&entry)
		})
		return entry, err
	}
	run := func(email, statement string, args ...any) error {
		return asStaffOf(t, db, email, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), statement, args...)
			return err
		})
	}

	// around it
	for name, statement := range map[string]string{
		"the function that posts":    "select erp.post_payment('C1', 1000, erp.today(), 'check', 'x', null, null, null, false)",
		"the table":                  "insert into erp.payment (customer_id, amount) select customer_id, 1000 from erp.customer",
		"a credit memo":              "select erp.issue_credit('C1', 1000, 'x', null)",
		"a credit memo in two lines": "with m as (insert into erp.credit_memo (customer_id, reason) select customer_id, 'x' from erp.customer returning credit_memo_id) insert into erp.credit_memo_line (credit_memo_id, line_no, description, qty, unit_price, line_total) select credit_memo_id, n, 'x', 1, 600, 600 from m, generate_series(1, 2) n",
		"the release of an order":    "select erp.release_credit('SO1', 'x')",
	} {
		if err := run("ann@x.example", statement); constraintOf(err) != "four_eyes" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, statement := range map[string]string{
		"an entry of one's own making": "insert into portal.held_entry (kind, customer_id, amount, args, entered_by_id) select 'payment', customer_id, 1000, '{}', 999 from erp.customer",
		"the switch":                   "update erp.company set four_eyes_amount = null",
	} {
		if err := run("ann@x.example", statement); err == nil {
			t.Errorf("%s: went through", name)
		}
	}
	if n := pgtest.Value[int](t, db, "select (select count(*) from erp.payment)::int + (select count(*) from erp.credit_memo)::int"); n != 0 {
		t.Fatalf("%d documents", n)
	}

	const payment = `{"amount": "1000.00", "day": "%", "method": "check", "reference": "x", "key": null, "invoice_nos": [], "amounts": [], "oldest_first": false}`
	today := pgtest.Value[string](t, db, "select replace($1, '%', erp.today()::text)", payment)
	entry, err := enter("ann@x.example", "payment", today)
	if err != nil || entry == nil {
		t.Fatalf("enter: %v", err)
	}
	for _, c := range []struct{ name, email, constraint string }{
		{"who entered it", "ann@x.example", "held_entry_four_eyes"}, {"who has another duty", "sam@x.example", "duty_needed"}, {"no person", "", "entry_by_person"},
	} {
		if err := run(c.email, "select portal.approve_entry($1)", entry); constraintOf(err) != c.constraint {
			t.Errorf("approved by %s: %v", c.name, err)
		}
	}
	if _, err := db.Pool.Exec(t.Context(), "update portal.held_entry set status = 'APPROVED', decided_by = 'me', decided_by_id = entered_by_id, decided_at = erp.now(), doc_no = 'P1'"); constraintOf(err) != "held_entry_four_eyes" {
		t.Errorf("the same person twice: %v", err)
	}
	if _, err := db.Pool.Exec(t.Context(), "update portal.held_entry set amount = 5000"); constraintOf(err) != "entry_decided" {
		t.Errorf("another amount: %v", err)
	}
	if err := run("bob@x.example", "select portal.approve_entry($1)", entry); err != nil {
		t.Fatal(err)
	}
	if err := run("bob@x.example", "select portal.reject_entry($1, 'x')", entry); constraintOf(err) != "entry_decided" {
		t.Errorf("decided again: %v", err)
	}
	// an approval is for the document that was made of it
	if err := run("ann@x.example", "select erp.post_payment('C1', 1000, erp.today(), 'check', 'x', null, null, null, false)"); constraintOf(err) != "four_eyes" {
		t.Errorf("once more by the same approval: %v", err)
	}

	// the release of an order whose total rose while it waited
	release, err := enter("ann@x.example", "release", `{"order_no": "SO1", "reason": "they pay", "status": "APPROVED"}`)
	if err != nil || release == nil {
		t.Fatalf("release: %v", err)
	}
	if _, err := enter("bob@x.example", "release", `{"order_no": "SO1", "reason": "they pay", "status": "APPROVED"}`); constraintOf(err) != "entry_waits" {
		t.Errorf("entered twice: %v", err)
	}
	pgtest.Exec(t, db, "update erp.sales_order_line set qty = 101")
	if err := run("bob@x.example", "select portal.approve_entry($1)", release); constraintOf(err) != "entry_changed" {
		t.Errorf("a total that rose: %v", err)
	}
	if err := run("ann@x.example", "select portal.reject_entry($1, 'entered again')", release); err != nil {
		t.Errorf("taken back: %v", err)
	}

	// the ERP is not asked, nor anybody below the amount or with four eyes off
	pgtest.Exec(t, db, "select erp.post_payment('C1', 5000, erp.today(), 'check', 'x', null, null, null, false)")
	if entry, err := enter("ann@x.example", "credit", `{"amount": "999.99", "reason": "x", "invoice_no": ""}`); entry != nil || err != nil {
		t.Errorf("below the amount: %v", err)
	}
	pgtest.Exec(t, db, "update erp.company set four_eyes_amount = null")
	if entry, err := enter("ann@x.example", "payment", today); entry != nil || err != nil {
		t.Errorf("switched off: %v", err)
	}
}
