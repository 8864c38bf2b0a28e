package sql_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"portal.example/portal/internal/pgtest"
)

// returnWorld has invoice 10442 of customer C1: line 1 is 10 OIL5 at 27.00, line
// 2 is 3 RICE at 0.335 (1.01 in all), line 3 is 2 CS of OIL5, and invoice 10443
// is of C2.
func returnWorld(t *testing.T) *pgtest.DB {
	t.Helper()
	db := world(t)
	pgtest.Exec(t, db, `
		insert into erp.invoice (invoice_id, invoice_no, customer_id) overriding system value
			select 1, '10442', customer_id from erp.customer where customer_no = 'C1' union all
			select 2, '10443', customer_id from erp.customer where customer_no = 'C2';
		insert into erp.invoice_line (invoice_id, line_no, item_id, uom, factor, qty, unit_price, line_total)
			select v.invoice_id, v.line_no, i.item_id, v.uom, v.factor, v.qty, v.price, round(v.qty * v.price, 2)
			from (values (1, 1, 'OIL5', 'EA', 1, 10, 27.00), (1, 2, 'RICE', 'EA', 1, 3, 0.335),
			(1, 3, 'OIL5', 'CS', 4, 2, 108.00), (2, 1, 'OIL5', 'EA', 1, 10, 30.00))
				as v(invoice_id, line_no, item_no, uom, factor, qty, price) join erp.item i using (item_no)`)
	return db
}

// ask inserts a request of one line as plain SQL would and returns its number.
func ask(t *testing.T, db *pgtest.DB, line int, qty, reason string) (string, error) {
	t.Helper()
	var no string
	err := db.Pool.QueryRow(t.Context(),
		`with r as (insert into erp.credit_request (customer_id, invoice_id) select customer_id, 1 from erp.customer
			where customer_no = 'C1' returning request_id, request_no),
		l as (insert into erp.credit_request_line (request_id, line_no, invoice_id, invoice_line_no, qty, reason_code)
		select request_id, 1, 1, $1::int, $2::text::numeric, $3::text from r)
		select request_no from r`, line, qty, reason).Scan(&no)
	return no, err
}

func mustAsk(t *testing.T, db *pgtest.DB, line int, qty, reason string) string {
	t.Helper()
	no, err := ask(t, db, line, qty, reason)
	if err != nil {
		t.Fatalf("ask for %s of line %d: %v", qty, line, err)
	}
	return no
}

func setRequest(no, status string) string {
	return fmt.Sprintf("update erp.credit_request set status = '%s', status_reason = 'so' where request_no = '%s'", status,
		no)
}

func constraintOf(err error) string {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.ConstraintName
	}
	return fmt.Sprint(err)
}

// credit is a credit memo of plain SQL against a line of invoice 1.
func credit(line int, qty, total string) string {
	return fmt.Sprintf(
		`with m as (insert into erp.credit_memo (customer_id) select customer_id from erp.invoice where invoice_id = 1
			returning credit_memo_id)
		insert into erp.credit_memo_line
			(credit_memo_id, line_no, invoice_id, invoice_line_no, qty, unit_price, line_total, uom)
		select credit_memo_id, 1, 1, %d, %[2]s, %[3]s / %[2]s.0, %[3]s,
			(select uom from erp.invoice_line where invoice_id = 1 and line_no = %[1]d) from m`, line, qty, total)
}

// Over no path of plain SQL more is returned than was invoiced.
func TestReturnLimit(t *testing.T) {
	t.Parallel()
	db := returnWorld(t)
	pgtest.Exec(t, db, credit(1, "3", "81"))
	first := mustAsk(t, db, 1, "2", "damaged")
	if _, err := ask(t, db, 1, "6", "damaged"); constraintOf(err) != "return_limit" ||
		!strings.Contains(err.Error(), "5 left") {
		t.Errorf("6 of 5: %v", err)
	}
	second := mustAsk(t, db, 1, "5", "damaged")
	for what, statement := range map[string]string{
		"a line of a request": "update erp.credit_request_line set qty = 3 where request_id = (select request_id from " +
			"erp.credit_request where request_no = '" + first + "')",
		"one more line": "insert into erp.credit_request_line (request_id, line_no, invoice_id, invoice_line_no, " +
			"qty, reason_code) select request_id, 2, 1, 1, 1, 'damaged' from erp.credit_request where request_no = '" + first +
			"'",
		"many lines at once": "insert into erp.credit_request_line (request_id, line_no, invoice_id, invoice_line_no, " +
			"qty, reason_code) select request_id, 2 + n, 1, 2, 2, 'damaged' from erp.credit_request, generate_series(1, 2) n " +
			"where request_no = '" + first + "'",
		"a credit memo":     credit(1, "1", "27"),
		"from another line": "update erp.credit_request_line set invoice_line_no = 2 where qty = 5",
	} {
		if got := refused(t, db, statement); got != "return_limit" {
			t.Errorf("%s: %s", what, got)
		}
	}
	for statement, want := range map[string]string{
		"update erp.credit_memo_line set qty = 4 where invoice_line_no = 1":        "credit_memo_line_posted",
		"update erp.invoice_line set qty = 9 where invoice_id = 1 and line_no = 1": "invoice_line_posted",
		strings.Replace(credit(1, "1", "27"), "(select uom from erp.invoice_line where invoice_id = 1 and line_no = 1)",
			"'CS'", 1): "credit_memo_line_uom",
		strings.Replace(credit(1, "1", "27"), "credit_memo_id, 1, 1, 1,", "credit_memo_id, 1, 2, 1,",
			1): "credit_memo_customer",
		"update erp.credit_request_line set invoice_id = 2 where qty = 5":                                                      "credit_request_invoice",
		"insert into erp.credit_request (customer_id, invoice_id) select customer_id, 2 from erp.invoice where invoice_id = 1": "credit_request_customer",
		"insert into erp.credit_request (customer_id, invoice_id, status) select customer_id, 1, 'APPROVED' from " +
			"erp.invoice where invoice_id = 1": "credit_request_move",
	} {
		if got := refused(t, db, statement); got != want {
			t.Errorf("%s: %s", statement, got)
		}
	}
	// one that is rejected gives its quantity back, and asks for it again when it comes back
	pgtest.Exec(t, db, setRequest(second, "REJECTED"))
	third := mustAsk(t, db, 1, "5", "damaged")
	if got := refused(t, db, setRequest(second, "IN_REVIEW")); got != "return_limit" {
		t.Errorf("back to life: %s", got)
	}
	// fewer approved are free again
	pgtest.Exec(t, db, "select erp.decide_request('"+third+"', array[1], array[2], array['two were fine'])")
	pgtest.Exec(t, db, setRequest(second, "REJECTED")) // nothing changes
	if left := pgtest.Value[string](t, db, "select room::text from erp.return_room(array[1], array[1])"); left != "3" {
		t.Errorf("%s left, want 3", left)
	}
	// more credited than the line cost
	if got := refused(t, db, credit(2, "1", "1.02")); got != "return_amount" {
		t.Errorf("more money than the line: %s", got)
	}
	pgtest.Exec(t, db, "delete from erp.credit_request where request_no = '"+third+"'")
	if left := pgtest.Value[string](t, db, "select room::text from erp.return_room(array[1], array[1])"); left != "5" {
		t.Errorf("%s left of a deleted request, want 5", left)
	}
}

// Two who ask for the same last five at the same moment: one has them, in every
// isolation level.
func TestReturnLimitRace(t *testing.T) {
	t.Parallel()
	db := returnWorld(t)
	pgtest.Exec(t, db, credit(1, "5", "135"))
	for _, level := range []pgx.TxIsoLevel{pgx.ReadCommitted, pgx.RepeatableRead, pgx.Serializable} {
		const writers = 6
		start, done := make(chan struct{}), make(chan error, writers)
		for i := range writers {
			go func() {
				done <- pgx.BeginTxFunc(context.WithoutCancel(t.Context()), db.Pool, pgx.TxOptions{IsoLevel: level},
					func(tx pgx.Tx) error {
						var n int
						// The snapshot
						if err := tx.QueryRow(t.Context(), "select count(*)::int from erp.credit_request_line").Scan(&n); err != nil {
							return err
						}
						<-start
						if i%2 == 0 {
							_, err := tx.Exec(t.Context(), credit(1, "5", "135"))
							return err
						}
						_, err := tx.Exec(t.Context(),
							`with r as (insert into erp.credit_request (customer_id, invoice_id) select customer_id, 1 from erp.invoice
								where invoice_id = 1 returning request_id)
						insert into erp.credit_request_line (request_id, line_no, invoice_id, invoice_line_no, qty, reason_code)
							select request_id, 1, 1, 1, 5, 'damaged' from r`)
						return err
					})
			}()
		}
		close(start)
		passed := 0
		for range writers {
			switch err := <-done; {
			case err == nil:
				passed++
			case constraintOf(err) != "return_limit" && !strings.Contains(err.Error(), "(SQLSTATE 40001)"):
				t.Errorf("%s: %v", level, err)
			}
		}
		if passed != 1 {
			t.Errorf("%s: %d of %d have the last five", level, passed, writers)
		}
		// back to the first memo, past the triggers, since posted memos stay
		pgtest.Exec(t, db, `delete from erp.credit_request; set local session_replication_role = replica;
			delete from erp.credit_memo_line where credit_memo_id > (select min(credit_memo_id) from erp.credit_memo);
			delete from erp.credit_memo where credit_memo_id > (select min(credit_memo_id) from erp.credit_memo);
			update erp.return_claim set qty = 5, amount = 135`)
	}
}

// A request goes its way by plain SQL, with a history row a step, and no other
// way.
func TestRequestMoves(t *testing.T) {
	t.Parallel()
	db := returnWorld(t)
	no := mustAsk(t, db, 1, "4", "defective")
	history := func() string {
		return pgtest.Value[string](t, db,
			"select string_agg(concat_ws(' ', to_status, reason), ', ' order by history_id) from erp.credit_request_history "+
				"join erp.credit_request using (request_id) where request_no = $1", no)
	}
	for statement, want := range map[string]string{
		setRequest(no, "CREDITED"):       "credit_request_move",
		setRequest(no, "AWAITING_GOODS"): "credit_request_move",
		"update erp.credit_request set status = 'REJECTED' where request_no = '" + no +
			"'": "credit_request_rejected_has_reason",
		"update erp.credit_request set goods_received_at = now()": "credit_request_goods",
		"update erp.credit_request set invoice_id = 2":            "credit_request_identity",
	} {
		if got := refused(t, db, statement); got != want {
			t.Errorf("%s: %s, want %s", statement, got, want)
		}
	}
	pgtest.Exec(t, db, "update erp.credit_request set status = 'IN_REVIEW'")
	pgtest.Exec(t, db, "update erp.credit_request set status = 'APPROVED'")
	if got := history(); got != "REQUESTED, IN_REVIEW, APPROVED, AWAITING_GOODS" {
		t.Errorf("approved, where goods must come back: %s", got)
	}
	if got := pgtest.Value[string](t, db,
		`select string_agg(data ->> 'status', ' ' order by event_id) from portal.event where kind = 'credit' and ref = $1`,
		no); got != "REQUESTED IN_REVIEW APPROVED AWAITING_GOODS" {
		t.Errorf("told: %s", got)
	}
	for _, statement := range []string{"select erp.issue_request_memo('" + no + "')", setRequest(no, "CREDITED")} {
		if got := refused(t, db, statement); got != "credit_request_goods" {
			t.Errorf("credited before the goods are back: %s", got)
		}
	}
	if got := refused(t, db, "select erp.receive_request_goods('"+no+
		"', array[1], array[5])"); got != "credit_request_line_qty_received" {
		t.Errorf("more back than approved: %s", got)
	}
	if got := refused(t, db, "select erp.receive_request_goods('"+no+
		"', array[1], array[0])"); got != "credit_request_nothing" {
		t.Errorf("nothing back: %s", got)
	}
	pgtest.Exec(t, db, "select erp.receive_request_goods('"+no+"', array[1], array[3], array[1])")
	if got := pgtest.Value[string](t, db,
		"select on_hand::text from erp.stock join erp.item using (item_id) where item_no = 'OIL5'"); got != "103" {
		t.Errorf("%s on hand", got)
	}
	for _, statement := range []string{"select erp.receive_request_goods('" + no + "')", setRequest(no, "REJECTED"),
		setRequest(no, "IN_REVIEW")} {
		if got := refused(t, db, statement); got != "credit_request_goods" {
			t.Errorf("after the goods: %s: %s", statement, got)
		}
	}
	// by hand, step by step, as a program would that knows no function; a memo that does not fit is refused
	pgtest.Exec(t, db, "insert into erp.credit_memo (memo_no, customer_id) select 'CM-81', customer_id from "+
		"erp.invoice where invoice_id = 1")
	pgtest.Exec(t, db, "update erp.credit_request set credit_memo_id = (select credit_memo_id from erp.credit_memo "+
		"where memo_no = 'CM-81')")
	if got := refused(t, db, setRequest(no, "CREDITED")); got != "credit_request_memo_lines" {
		t.Errorf("with an empty memo: %s", got)
	}
	// a memo comes with its lines
	pgtest.Exec(t, db, `begin;
		insert into erp.credit_memo (memo_no, customer_id) select 'CM-82', customer_id from erp.invoice where invoice_id = 1;
		update erp.credit_request set credit_memo_id = (select credit_memo_id from erp.credit_memo where memo_no = 'CM-82');
		insert into erp.credit_memo_line (credit_memo_id, line_no, invoice_id, invoice_line_no, qty, unit_price, line_total)
			select credit_memo_id, 1, 1, 1, 3, 27, 81 from erp.credit_memo where memo_no = 'CM-82';
		commit`)
	pgtest.Exec(t, db, setRequest(no, "CREDITED"))
	if got := history(); got != "REQUESTED, IN_REVIEW, APPROVED, AWAITING_GOODS, AWAITING_GOODS Goods received: 3 of "+
		"4, CREDITED so" {
		t.Errorf("history %s", got)
	}
	if got := pgtest.Value[string](t, db, "select erp.issue_request_memo($1)", no); got != "CM-82" {
		t.Errorf("issued once more: %s", got)
	}
	if left := pgtest.Value[string](t, db, "select room::text from erp.return_room(array[1], array[1])"); left != "7" {
		t.Errorf("%s left, want 7", left)
	}
	if got := refused(t, db, "update erp.credit_request_line set qty = 5"); got != "credit_request_closed" {
		t.Errorf("a line of a credited request: %s", got)
	}
}

// A whole line credits the line's cents; parts never add up to more, and the
// last takes what is left.
func TestRequestMemoCents(t *testing.T) {
	t.Parallel()
	db := returnWorld(t)
	give := func(line int, qty string) string {
		t.Helper()
		no := mustAsk(t, db, line, qty, "damaged")
		pgtest.Exec(t, db, "select erp.decide_request($1, null, null)", no)
		memo := pgtest.Value[string](t, db, "select erp.issue_request_memo($1)", no)
		return pgtest.Value[string](t, db, "select total || ' ' || open_amount from erp.credit_memo where memo_no = $1", memo)
	}
	// 3 × 0.335 = 1.005 is 1.01 on the invoice; a third of it rounds to 0.34
	for i, want := range []string{"0.34 0.00", "0.34 0.00", "0.33 0.00"} {
		if got := give(2, "1"); got != want {
			t.Errorf("part %d: %s, want %s", i+1, got, want)
		}
	}
	if got := give(3, "2"); got != "216.00 0.00" {
		t.Errorf("the whole of line 3: %s", got)
	}
	// paid in full but for 20.00: so much is applied, the rest stays open
	pgtest.Exec(t, db,
		`with p as (insert into erp.payment (customer_id, amount) select customer_id, open_amount - 20 from erp.invoice
			where invoice_id = 1 returning payment_id, amount)
		insert into erp.payment_application (payment_id, invoice_id, amount) select payment_id, 1, amount from p`)
	if got := give(1, "2"); got != "54.00 34.00" {
		t.Errorf("the memo and its open rest: %s", got)
	}
	// a number given by hand is passed over by the sequence, and not given twice
	no := mustAsk(t, db, 1, "1", "damaged")
	next := pgtest.Value[int](t, db, "select last_value::int + 1 from erp.memo_no_seq")
	pgtest.Exec(t, db, fmt.Sprintf("insert into erp.credit_memo (memo_no, customer_id) select 'CM-%d', customer_id "+
		"from erp.invoice where invoice_id = 1", next))
	pgtest.Exec(t, db, setRequest(no, "APPROVED"))
	if got := refused(t, db, fmt.Sprintf("select erp.issue_request_memo('%s', 'CM-%d')", no,
		next)); got != "credit_memo_no_key" {
		t.Errorf("a number twice: %s", got)
	}
	if got := pgtest.Value[string](t, db, "select erp.issue_request_memo($1)", no); got != fmt.Sprintf("CM-%d", next+1) {
		t.Errorf("the next number: %s", got)
	}
}

// A customer's request to the database sees and touches nothing of another's,
// and writes by the functions only.
func TestReturnWall(t *testing.T) {
	t.Parallel()
	db := returnWorld(t)
	no := mustAsk(t, db, 1, "2", "damaged")
	pgtest.Exec(t, db, `insert into portal.request_photo (customer_id, request_key, media_type, width, height, data)
		select customer_id, request_key, 'image/jpeg', 1, 1, '\xffd8ff' || decode(repeat('00', 20), 'hex')
			from erp.credit_request`)
	pgtest.Exec(t, db, "select erp.decide_request($1, null, null)", no)
	pgtest.Exec(t, db, "select erp.issue_request_memo($1)", no)
	pgtest.Exec(t, db,
		`insert into erp.web_access (customer_id) select customer_id from erp.customer on conflict do nothing;
		insert into portal.login (login_id, customer_id, email, password_hash, customer_role) overriding system value
			select 71, customer_id, 'view@c1.example', '$2a$04$' || repeat('x', 53), 'view' from erp.customer
				where customer_no = 'C1'`)
	as := func(customer string, login int, statement string) (n int, err error) {
		err = pgx.BeginFunc(t.Context(), db.Pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(),
				`select set_config('portal.customer_id', customer_id::text, true), set_config('portal.login_id', $2, true)
					from erp.customer where customer_no = $1`, customer, fmt.Sprint(login)); err != nil {
				return err
			}
			if _, err := tx.Exec(t.Context(), "set local role portal_web"); err != nil {
				return err
			}
			return tx.QueryRow(t.Context(), statement).Scan(&n)
		})
		return n, err
	}
	tables := []string{"erp.credit_request", "erp.credit_request_line", "erp.credit_request_history",
		"portal.request_photo", "erp.credit_memo", "erp.credit_memo_line"}
	for _, table := range tables {
		count := "select count(*)::int from " + table
		if n, err := as("C1", 0, count); n == 0 || err != nil {
			t.Errorf("its own %s: %d %v", table, n, err)
		}
		if n, err := as("C2", 0, count); n != 0 || err != nil {
			t.Errorf("another customer's %s: %d %v", table, n, err)
		}
		if n, err := as("C1", 71, count); n != 0 || err != nil {
			t.Errorf("%s for who only looks: %d %v", table, n, err)
		}
	}
	for statement, want := range map[string]string{
		"select count(*)::int from portal.returnable((select customer_id from erp.invoice limit 1) + 0, '10443')":    "",
		"select 1 from portal.request_return(1000, gen_random_uuid(), '10442', '{1}', '{1}', '{damaged}', '{}', '')": "PT404",
		"select 1 from portal.withdraw_request(portal.customer_id(), '" + no +
			"')": "PT404",
		"select 1 from erp.issue_request_memo('" + no +
			"')": "42501",
		"with u as (update erp.credit_request set status = 'WITHDRAWN' returning 1) select count(*)::int from u":        "42501",
		"with u as (insert into portal.request_photo (customer_id) values (1) returning 1) select count(*)::int from u": "42501",
		"select 1 from portal.request_return(portal.customer_id(), gen_random_uuid(), '10442', '{1}', '{1}', '{damaged}', " +
			"'{}', '')": "PT404",
	} {
		n, err := as("C2", 0, statement)
		pg, _ := errors.AsType[*pgconn.PgError](err)
		if want == "" && (err != nil || n == 0) || want != "" && (pg == nil || pg.Code != want) {
			t.Errorf("%s: %d %v, want %s", statement, n, err, want)
		}
	}
	pgtest.Exec(t, db, "update erp.web_access set see_balance = false")
	for _, table := range tables[4:] {
		if n, err := as("C1", 0, "select count(*)::int from "+table); n != 0 || err != nil {
			t.Errorf("%s with the balance hidden: %d %v", table, n, err)
		}
	}
	if _, err := db.Pool.Exec(t.Context(),
		`update portal.request_photo set media_type = 'image/png'`); constraintOf(err) != "request_photo_media_type" {
		t.Errorf("a photo that says it is another kind: %v", err)
	}
}
