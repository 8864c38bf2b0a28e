package sql_test

import (
	"errors"
	"strings"
	"testing"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql"
)

// unprintable is a printer that one customer's statement cannot pass.
type unprintable struct{ customer string }

func (p unprintable) StatementPDF(s portal.Statement) ([]byte, error) {
	if s.CustomerNo == p.customer {
		return nil, errors.New("no such letter")
	}
	return []byte("%PDF"), nil
}

func (p unprintable) InvoicePDF(portal.InvoiceDetail) ([]byte, error) { return nil, nil }

// A statement that cannot be printed fails once, where operators read why, and
// holds up no other. The same figures would fail again.
func TestUnprintableStatement(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pgtest.Exec(t, db, `
		insert into erp.customer (customer_id, customer_no, name) values (1, 'A', 'Aurora'), (2, 'B', 'Borealis');
		insert into portal.statement (customer_id, period_from, period_to) select c, erp.today(), erp.today()
			from unnest(array[1, 2]) c`)
	work := sql.NewStatementWork(openWork(t, db).Work, unprintable{"A"})
	if n, err := work.MakeStatements(t.Context(), 20); err != nil || n != 2 {
		t.Fatalf("%d statements dealt with: %v", n, err)
	}
	if got := pgtest.Value[string](t, db,
		"select string_agg(customer_id || ' ' || status || ' ' || attempts, ', ' order by customer_id) from portal.statement"); got != "1 FAILED 1, 2 READY 0" {
		t.Errorf("the statements are %s", got)
	}
	if got := pgtest.Value[string](t, db,
		"select error from portal.statement where customer_id = 1"); got != "no such letter" {
		t.Errorf("operators read %q", got)
	}
	if n, err := work.MakeStatements(t.Context(), 20); err != nil || n != 0 {
		t.Errorf("it is tried again: %d, %v", n, err)
	}

	// nor does one that the database does not store
	pgtest.Exec(t, db, `
		alter table portal.document add constraint document_not_of_a check (customer_id <> 1);
		delete from portal.statement;
		insert into portal.statement (customer_id, period_from, period_to) select c, erp.today(), erp.today()
			from unnest(array[1, 2]) c`)
	work = sql.NewStatementWork(openWork(t, db).Work, unprintable{})
	for range 5 { // three tries of the one, one of the other, and nothing left
		_, err := work.MakeStatements(t.Context(), 20)
		if err != nil && !strings.Contains(err.Error(), "document_not_of_a") {
			t.Fatal(err)
		}
	}
	if got := pgtest.Value[string](t, db,
		"select string_agg(customer_id || ' ' || status, ', ' order by customer_id) from portal.statement"); got != "1 FAILED, 2 READY" {
		t.Errorf("the statements are %s", got)
	}
}
