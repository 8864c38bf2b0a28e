package sql_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"portal.example/portal/internal/pgtest"
)

// What one customer said of the columns of its files is seen, changed and taken
// away by no other, whatever its requests send.
func TestEntryColumnsAreTheCustomersOwn(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pgtest.Exec(t, db,
		`insert into erp.customer (customer_id, customer_no, name) overriding system value values (1, 'C1', 'One'),
			(2, 'C2', 'Two');
		insert into portal.login (login_id, customer_id, email, password_hash) overriding system value select n, n,
			n || '@x.example', '$2a$04$' || repeat('x', 53) from generate_series(1, 2) n;
		insert into portal.entry_columns (customer_id, shape, has_head, item_column) select n, sha256('a'), true, n
			from generate_series(1, 2) n`)
	as := func(customer, statement string) (rows int64, err error) {
		t.Helper()
		err = pgx.BeginTxFunc(t.Context(), db.Pool,
			pgx.TxOptions{BeginQuery: "begin; select set_config('portal.customer_id', '" + customer +
				"', true), set_config('portal.login_id', '" + customer + "', true); set local role portal_web"},
			func(tx pgx.Tx) error {
				tag, err := tx.Exec(t.Context(), statement)
				rows = tag.RowsAffected()
				if err != nil {
					return err
				}
				return pgx.ErrTxCommitRollback // nothing of it stays
			})
		if errors.Is(err, pgx.ErrTxCommitRollback) {
			err = nil
		}
		return rows, err
	}
	insert := func(customer string) string {
		return "insert into portal.entry_columns (customer_id, shape, has_head, item_column) values (" + customer +
			", sha256('b'), true, 0)"
	}
	for _, c := range []struct {
		statement string
		rows      int64 // of the one row that is its own
		refused   bool
	}{
		{"select from portal.entry_columns", 1, false},
		{"select from portal.entry_columns where customer_id = 1", 0, false},
		{"update portal.entry_columns set item_column = 9", 1, false},
		{"update portal.entry_columns set item_column = 9 where customer_id = 1", 0, false},
		{"update portal.entry_columns set customer_id = 1, shape = sha256('c')", 0, true},
		{"delete from portal.entry_columns", 1, false},
		{"delete from portal.entry_columns where customer_id = 1", 0, false},
		{insert("2"), 1, false},
		{insert("1"), 0, true},
	} {
		if rows, err := as("2", c.statement); (err != nil) != c.refused || err == nil && rows != c.rows {
			t.Errorf("%s: %d rows, %v", c.statement, rows, err)
		}
	}
	if _, err := as("", "select from portal.entry_columns"); err != nil {
		t.Error(err)
	} else if rows, _ := as("", "select from portal.entry_columns"); rows != 0 {
		t.Errorf("who is nobody's customer sees %d rows", rows)
	}
}
