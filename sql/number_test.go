package sql_test

import (
	"testing"

	"portal.example/portal/internal/pgtest"
)

// Every series of the portal's own passes over what another program has taken.
func TestEverySeriesPassesOverWhatIsTaken(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pgtest.Exec(t, db, "insert into erp.customer (customer_id, customer_no, name) values (1, 'C1', 'Corner')")
	for _, c := range []struct{ take, draw, want string }{
		{"insert into erp.sales_order (order_no, customer_id) select 'SO-' || 100000 + n, 1 from generate_series(1, 10) n",
			"insert into erp.sales_order (customer_id) values (1) returning order_no", "SO-100011"},
		{"insert into erp.credit_memo (memo_no, customer_id, reason) select 'CM-' || n, 1, 'x' from generate_series(1, 10) n",
			"insert into erp.credit_memo (customer_id, reason) values (1, 'x') returning memo_no", "CM-11"},
		{"insert into erp.payment (payment_no, customer_id, amount) select 'PY-' || n, 1, 5 from generate_series(1, 10) n",
			"insert into erp.payment (customer_id, amount) values (1, 5) returning payment_no", "PY-11"},
		{"insert into erp.invoice (invoice_no, customer_id, due_date) select (10000 + n)::text, 1, erp.today() from " +
			"generate_series(1, 10) n",
			"insert into erp.invoice (customer_id, due_date) values (1, erp.today()) returning invoice_no", "10011"},
		{"insert into erp.credit_request (request_no, customer_id, invoice_id) select 'CR-' || n, 1, (select " +
			"min(invoice_id) from erp.invoice) from generate_series(1, 10) n",
			"insert into erp.credit_request (customer_id, invoice_id) values (1, (select min(invoice_id) from erp.invoice)) " +
				"returning request_no", "CR-11"},
	} {
		pgtest.Exec(t, db, c.take)
		if got := pgtest.Value[string](t, db, c.draw); got != c.want {
			t.Errorf("%s: %s, want %s", c.draw, got, c.want)
		}
	}
	// whatever else has numbers draws them from these, or from an identity
	if others := pgtest.Value[[]string](t, db,
		`select coalesce(array_agg(d.adrelid::regclass || '.' || a.attname), '{}') from pg_attrdef d
		join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum join pg_class c on c.oid = d.adrelid
		join pg_namespace n on n.oid = c.relnamespace
		where n.nspname in ('erp', 'portal') and pg_get_expr(d.adbin, d.adrelid) like '%nextval%'
		and c.relname <> 'migration'`); len(others) > 0 {
		t.Errorf("these draw numbers that may be taken: %v", others)
	}
}

// A number that was drawn and rolled back leaves no gap; one that was kept and not
// used is told until an invoice has it.
func TestInvoiceNumberThatWasDrawn(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pgtest.Exec(t, db,
		`insert into erp.customer (customer_id, customer_no, name) overriding system value values (1, 'C1', 'One');
		insert into erp.invoice (customer_id, opened_total) values (1, 10)`)
	gaps := func() int {
		t.Helper()
		return pgtest.Value[int](t, db, "select count(*)::int from erp.check_invariants() where invariant = 'invoice_gap'")
	}
	tx, err := db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var drawn string
	if err := tx.QueryRow(t.Context(), "select erp.next_invoice_no()").Scan(&drawn); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(t.Context()); err != nil || gaps() != 0 {
		t.Errorf("rolled back: %d gaps, %v", gaps(), err)
	}
	if kept := pgtest.Value[string](t, db, "select erp.next_invoice_no()"); kept != drawn || gaps() != 1 {
		t.Errorf("%s was drawn, then %s and kept: %d gaps", drawn, kept, gaps())
	}
	pgtest.Exec(t, db, "insert into erp.invoice (customer_id, opened_total) values (1, 10); insert into erp.invoice "+
		"(customer_id, invoice_no, opened_total) values (1, '"+drawn+"', 10)")
	if gaps() != 0 {
		t.Errorf("used: %d gaps", gaps())
	}
}
