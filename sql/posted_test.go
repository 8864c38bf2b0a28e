package sql_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"portal.example/portal/internal/pgtest"
)

// postedWorld has of each kind of document one that is posted: order SO-SHIPPED
// (shipped and invoiced as invoice 1, paid by payment 1 in part and by memo 1),
// SO-PICKED, SO-OPEN that nobody has touched, invoice 2 of C2, invoice OLD of the
// books that were opened, payment 2 that is open, and a request for a return.
func postedWorld(t *testing.T) *pgtest.DB {
	t.Helper()
	db := world(t)
	pgtest.Exec(t, db, `
		insert into erp.sales_order (order_id, order_no, customer_id, source) overriding system value
			values (901, 'SO-SHIPPED', 1, 'PHONE'), (902, 'SO-PICKED', 1, 'PHONE'), (903, 'SO-OPEN', 1, 'PHONE');
		insert into erp.sales_order_line (order_id, line_no, item_id, qty) select o, 1, 1, 4
			from unnest(array[901, 902, 903]) o;
		update erp.sales_order set status = 'APPROVED' where order_id in (901, 902);
		update erp.sales_order_line set qty_picked = 2 where order_id = 902;
		select erp.ship_order('SO-SHIPPED', 'UPS', '1Z');
		update erp.shipment set freight = 5;
		select erp.invoice_order('SO-SHIPPED')`)
	pgtest.Exec(t, db, `
		begin;
		insert into erp.invoice (invoice_id, customer_id, invoice_no) overriding system value values (2020, 2, 'T-2');
		insert into erp.invoice_line (invoice_id, line_no, item_id, qty, unit_price, line_total)
			values (2020, 1, 1, 9, 10, 90);
		commit;
		insert into erp.invoice (invoice_id, customer_id, invoice_no, opened_total, due_date) overriding system value
			values (2030, 1, 'OLD', 500, erp.today() + 3);
		insert into erp.payment (payment_id, payment_no, customer_id, amount) overriding system value
			values (71, 'P-1', 1, 40), (72, 'P-2', 1, 60);
		insert into erp.payment_application (payment_id, invoice_id, amount) values (71, 2030, 30);
		select erp.issue_credit('C1', 12, 'courtesy', 'OLD');
		with r as (insert into erp.credit_request (customer_id, invoice_id) select 1, invoice_id from erp.invoice
			where order_id = 901 returning request_id, invoice_id)
		insert into erp.credit_request_line (request_id, line_no, invoice_id, invoice_line_no, qty, reason_code)
			select request_id, 1, invoice_id, 1, 1, 'damaged' from r`)
	// a program of the ERP, as an operator sets one up
	role := erpRole(db)
	pgtest.Exec(t, db, "create role "+role+`;
		grant usage on schema erp to `+role+`; grant usage on all sequences in schema erp to `+role+`;
		grant select, insert, update, delete, truncate on all tables in schema erp to `+role)
	t.Cleanup(func() { pgtest.Exec(t, db, "drop owned by "+role+"; drop role "+role) })
	return db
}

// erpRole is a plain role with grants on erp's tables. Roles are the server's, so
// each test has its own.
func erpRole(db *pgtest.DB) string { return "erp_program_of_" + db.Name }

// writeAs runs statements as a role, without keeping them: the constraint that refused
// them (empty: accepted), how many rows they brought to the audit log, and what is
// not as it has to be after them.
func writeAs(t *testing.T, db *pgtest.DB, role,
	statements string) (refusal *pgconn.PgError, audited int, broken []string) {
	t.Helper()
	ctx := t.Context()
	tx, err := db.Pool.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(ctx) }()
	run := func(text string) error {
		_, err := tx.Conn().PgConn().Exec(ctx, text).ReadAll()
		return err
	}
	var before int
	if err := tx.QueryRow(ctx, "select count(*) from portal.audit").Scan(&before); err != nil {
		t.Fatal(err)
	}
	if err := run("set local role " + role + "; set local application_name = 'another program'"); err != nil {
		t.Fatal(err)
	}
	// what is checked at the end of a transaction is asked now
	if err := run(statements + "; set constraints all immediate"); err != nil {
		refusal, ok := errors.AsType[*pgconn.PgError](err)
		if !ok {
			t.Fatalf("%s: %v", statements, err)
		}
		return refusal, 0, nil
	}
	if err := run("reset role"); err != nil {
		t.Fatal(err)
	}
	if err := tx.QueryRow(ctx, "select count(*) - $1 from portal.audit", before).Scan(&audited); err != nil {
		t.Fatal(err)
	}
	rows, _ := tx.Query(ctx, "select invariant || ' ' || subject || ' ' || detail from erp.check_invariants()")
	if broken, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		t.Fatal(err)
	}
	return nil, audited, broken
}

// inWords says whether a refusal is one that people understand: the house's own
// error, or a constraint by name.
func inWords(e *pgconn.PgError) bool {
	return strings.HasPrefix(e.Code, "PT") && e.ConstraintName != "" || strings.HasPrefix(e.Code, "23") &&
		e.ConstraintName != "" || e.Code == "42501"
}

// TestPostedStatements writes to posted documents what no program may, and what it
// may. Want is the name that refuses it; empty: accepted, and in the audit log.
func TestPostedStatements(t *testing.T) {
	t.Parallel()
	db := postedWorld(t)
	type statement struct{ text, want string }
	var list []statement
	refusedBy := func(want string, texts ...string) {
		for _, text := range texts {
			list = append(list, statement{text, want})
		}
	}
	// every column that is fixed, of each document
	for _, of := range []struct{ table, where, refusal, sets string }{
		{"invoice", "invoice_id = 2030", "invoice_posted",
			"invoice_no = 'X'|customer_id = 2|invoice_date = invoice_date - 1|due_date = due_date + 30|tax = 1|freight = " +
				"1|tax_rate = 0.1|issued_at = issued_at - interval '1 day'|kind = 'adjustment'|order_id = 901|opened_total = " +
				"1|made_in = 'x'|invoice_id = 99"},
		{"invoice_line", "invoice_id = 2020",
			"invoice_line_posted",
			"qty = 8|unit_price = 9|line_total = 95|item_id = 2|description = 'x'|uom = 'CS'|factor = 2|line_no = 2|order_id " +
				"= 901, order_line_no = 1|price_step = 'list'|invoice_id = 2030"},
		{"credit_memo", "credit_memo_id > 0",
			"credit_memo_posted",
			"memo_no = 'X'|customer_id = 2|memo_date = memo_date - 1|issued_at = issued_at - interval '1 day'|invoice_id = " +
				"null|opened_total = 7|made_in = 'x'"},
		{"credit_memo_line", "credit_memo_id > 0",
			"credit_memo_line_posted", "qty = 2|unit_price = 9|line_total = 95|description = 'x'"},
		{"payment", "payment_id = 71", "payment_posted",
			"payment_no = 'X'|customer_id = 2|payment_date = payment_date - 1|amount = 41|key = gen_random_uuid()|entered_by " +
				"= 'me'|entered_at = now()"},
		{"payment_application", "payment_id = 71",
			"payment_application_posted",
			"amount = 1|invoice_id = 2020|payment_id = 72|applied_on = applied_on - 1|customer_id = 2"},
		{"sales_order", "order_id = 901", "sales_order_identity",
			"customer_id = 2|order_no = 'X'|source = 'IMPORT'|order_id = 99|made_in = 'x'"},
		{"sales_order_line", "order_id = 901", "sales_order_line_identity", "item_id = 2|uom = 'CS'|factor = 2|line_no = 3"},
		{"sales_order_line", "order_id = 901",
			"sales_order_line_price_fixed", "unit_price = 1|price_step = 'manual'|price_rule_id = 7"},
		{"invoice", "invoice_id = 2030", "invoice_total", "total = 1|total = 0, open_amount = 0"},
		{"invoice", "invoice_id = 2030", "invoice_open", "open_amount = 0|open_amount = 500"},
		{"credit_memo", "credit_memo_id > 0", "credit_memo_total", "total = 1, open_amount = 0"},
		{"credit_memo", "credit_memo_id > 0", "credit_memo_open", "open_amount = 12"},
		{"payment", "payment_id = 71", "payment_open", "open_amount = 0|open_amount = 40"},
		{"sales_order", "order_id = 901", "sales_order_total", "total = 1"},
		{"sales_order", "order_id = 903", "sales_order_total", "total = 0"},
		{"sales_order_line", "order_id = 901", "sales_order_line_qty_invoiced", "qty_invoiced = 0"},
	} {
		for _, set := range strings.Split(of.sets, "|") {
			refusedBy(of.refusal, fmt.Sprintf("update erp.%s set %s where %s", of.table, set, of.where))
		}
	}
	for table, where := range map[string]string{"invoice": "invoice_id = 2030", "invoice_line": "invoice_id = 2020",
		"credit_memo": "true", "credit_memo_line": "true", "payment": "payment_id = 71", "payment_application": "true",
		"sales_order": "order_id = 901", "sales_order_line": "order_id = 901"} {
		refusedBy(table+"_stays", "delete from erp."+table+" where "+where, "truncate erp."+table+" cascade")
	}
	refusedBy("sales_order_stays", "delete from erp.sales_order where order_no = 'SO-PICKED'")
	refusedBy("sales_order_line_priced", "update erp.sales_order_line set line_total = null where order_id = 903",
		"update erp.sales_order_line set unit_price = null where order_id = 903")
	refusedBy("sales_order_line_stays", "delete from erp.sales_order_line where order_id = 902")
	refusedBy("shipment_freight_posted", "update erp.shipment set freight = 0",
		"update erp.shipment set invoice_id = null")
	refusedBy("shipment_stays", "delete from erp.shipment")
	refusedBy("invoice_open", "insert into erp.invoice (customer_id, total, open_amount) values (1, 100, 60)",
		"insert into erp.invoice (customer_id, opened_total, open_amount) values (1, 100, 60)")
	refusedBy("invoice_total", "insert into erp.invoice (customer_id, total) values (1, 100)",
		"insert into erp.invoice (customer_id, total, opened_total) values (1, 100, 90)",
		"with i as (insert into erp.invoice (customer_id, total) values (1, 100) returning invoice_id) insert into "+
			"erp.invoice_line (invoice_id, line_no, qty, unit_price, line_total) select invoice_id, 1, 9, 10, 90 from i",
		"with i as (insert into erp.invoice (customer_id, opened_total) values (1, 100) returning invoice_id) insert into "+
			"erp.invoice_line (invoice_id, line_no, qty, unit_price, line_total) select invoice_id, 1, 9, 10, 90 from i")
	refusedBy("invoice_line_total", "with i as (insert into erp.invoice (customer_id) values (1) returning invoice_id) "+
		"insert into erp.invoice_line (invoice_id, line_no, qty, unit_price, line_total) select invoice_id, 1, 9, 10, 95 "+
		"from i")
	refusedBy("invoice_line_posted",
		"insert into erp.invoice_line (invoice_id, line_no, qty, unit_price, line_total) values (2020, 2, 1, 10, 10)")
	refusedBy("credit_memo_line_total", "with m as (insert into erp.credit_memo (customer_id) values (1) returning "+
		"credit_memo_id) insert into erp.credit_memo_line (credit_memo_id, line_no, qty, unit_price, line_total) select "+
		"credit_memo_id, 1, 9, 10, 95 from m")
	refusedBy("credit_memo_line_posted", "insert into erp.credit_memo_line (credit_memo_id, line_no, qty, unit_price, "+
		"line_total) select credit_memo_id, 2, 1, 10, 10 from erp.credit_memo")
	refusedBy("credit_memo_total", "insert into erp.credit_memo (customer_id, total) values (1, 100)")
	refusedBy("credit_memo_open", "insert into erp.credit_memo (customer_id, opened_total, open_amount) values (1, "+
		"100, 60)")
	refusedBy("payment_open", "insert into erp.payment (customer_id, amount, open_amount) values (1, 100, 60)")
	refusedBy("payment_application_taken_back",
		"insert into erp.payment_application (payment_id, invoice_id, amount) select p, invoice_id, a from erp.invoice, "+
			"(values (72, 20), (71, -5)) v(p, a) where order_id = 901")
	refusedBy("sales_order_total", "insert into erp.sales_order (customer_id, total) values (1, 100)")

	// the movements, and what is no amount, date, customer or number
	refusedBy("",
		"update erp.invoice set po_no = 'PO 7' where invoice_id = 2020",
		"update erp.payment set reversed_on = erp.today(), reversed_reason = 'bounced' where payment_id = 71",
		"insert into erp.payment_application (payment_id, invoice_id, amount) values (71, 2030, -10)",
		"insert into erp.payment (customer_id, amount) values (1, 5)",
		"with i as (insert into erp.invoice (customer_id) values (1) returning invoice_id) insert into erp.invoice_line "+
			"(invoice_id, line_no, qty, unit_price, line_total) select invoice_id, 1, 9, 10, 90 from i",
		"with i as (insert into erp.invoice (customer_id, total, open_amount) values (1, 90, 90) returning invoice_id) "+
			"insert into erp.invoice_line (invoice_id, line_no, qty, unit_price, line_total) select invoice_id, 1, 9, 10, 90 "+
			"from i",
		"insert into erp.invoice (customer_id, opened_total) values (1, 100)",
		"delete from erp.sales_order where order_no = 'SO-OPEN'",
		"delete from erp.sales_order_line where order_id = 903",
		"update erp.sales_order_line set unit_price = 1 where order_id = 903",
		"update erp.sales_order_line set qty = 3 where order_id = 903",
		"update erp.sales_order set status = 'APPROVED' where order_id = 903",
		"update erp.sales_order set po_no = 'PO 8' where order_id = 901",
		"update erp.customer set credit_limit = 7, terms_days = 3 where customer_id = 1",
		"update erp.customer set credit_hold = true where customer_id = 1",
		"insert into erp.authorized_item (customer_id, item_id) values (1, 1)",
		"update erp.credit_request set status = 'IN_REVIEW'",
		"update erp.credit_request_line set qty = 2",
	)
	tried, refusals, accepted := 0, 0, 0
	for _, role := range []string{"portal_desk", erpRole(db), "portal_owner"} {
		for _, s := range list {
			if role != "portal_owner" && strings.HasPrefix(s.text, "truncate") {
				continue // has no right to all that goes with it
			}
			tried++
			refusal, audited, broken := writeAs(t, db, role, s.text)
			switch {
			case refusal != nil:
				refusals++
				if refusal.ConstraintName != s.want || !inWords(refusal) {
					t.Errorf("%s: %s: refused by %q: %v", role, s.text, refusal.ConstraintName, refusal)
				}
			case s.want != "":
				t.Errorf("%s: %s: accepted, with %d rows in the audit log; broken %q", role, s.text, audited, broken)
			case audited == 0 || len(broken) > 0:
				t.Errorf("%s: %s: accepted with %d rows in the audit log, broken %q", role, s.text, audited, broken)
			default:
				accepted++
			}
		}
	}
	t.Logf("%d statements: %d refused, %d accepted with audit, 0 without", tried, refusals, accepted)
	if len(list) < 95 {
		t.Errorf("%d statements", len(list))
	}
}
