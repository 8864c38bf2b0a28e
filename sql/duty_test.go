package sql_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
)

// addStaff adds log-ins of staff, each with the duties behind its e-mail; "all" is every duty.
func addStaff(t testing.TB, db *pgtest.DB, people map[string]string) {
	t.Helper()
	for email, duties := range people {
		pgtest.Exec(t, db, `
			with l as (
				insert into portal.login (staff_role, email, password_hash) values ('desk', $1, '$2a$04$' || repeat('x', 53)) returning login_id
			)
			insert into portal.user_duty (user_id, duty)
			select l.login_id, d.code from l cross join portal.duty d where $2 = 'all' or d.code = any (string_to_array($2, ' '))`, email, duties)
	}
}

const setDuties = "select portal.set_duties((select login_id from portal.login where email = $1), string_to_array($2, ' '))"

func dutiesOf(t testing.TB, db *pgtest.DB, email string) string {
	t.Helper()
	return pgtest.Value[string](t, db, "select array_to_string(portal.duties(login_id), ' ') from portal.login where email = $1", email)
}

func TestSetDuties(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	addStaff(t, db, map[string]string{"ann@x.example": "administrator", "walt@x.example": ""})
	pgtest.Exec(t, db, "insert into erp.customer (customer_no, name) values ('C1', 'Harbor')")
	pgtest.Exec(t, db, "insert into portal.login (customer_id, email, password_hash) select customer_id, 'buyer@c1.example', '$2a$04$' || repeat('x', 53) from erp.customer")

	pgtest.Exec(t, db, setDuties, "walt@x.example", "credit warehouse warehouse")
	pgtest.Exec(t, db, setDuties, "walt@x.example", "warehouse sales")
	if got := dutiesOf(t, db, "walt@x.example"); got != "sales warehouse" {
		t.Errorf("Walt has %s", got)
	}
	if got := pgtest.Value[string](t, db, "select string_agg(data ->> 'duties', ' ' order by audit_id) from portal.audit where action = 'duty' and subject = 'walt@x.example'"); got !=
		`[null, ["credit", "warehouse"]] [["credit"], null] [null, ["sales"]]` {
		t.Errorf("the audit has %s", got)
	}

	for _, c := range []struct{ name, as, email, duties, constraint string }{
		{"an unknown duty", "", "walt@x.example", "sales king", "unknown_duty"},
		{"a customer", "", "buyer@c1.example", "sales", "staff_only"},
		{"nobody", "", "nobody@x.example", "sales", "staff_only"},
		{"the last administrator", "", "ann@x.example", "sales", "last_administrator"},
		{"without the duty", "walt@x.example", "walt@x.example", "sales warehouse administrator", "duty_needed"},
	} {
		before := dutiesOf(t, db, "walt@x.example") + dutiesOf(t, db, "ann@x.example")
		err := asStaffOf(t, db, c.as, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), setDuties, c.email, c.duties)
			return err
		})
		if got := constraintOf(err); got != c.constraint {
			t.Errorf("%s: %v", c.name, err)
		}
		if after := dutiesOf(t, db, "walt@x.example") + dutiesOf(t, db, "ann@x.example"); after != before {
			t.Errorf("%s: from %s to %s", c.name, before, after)
		}
	}
}

// asStaffOf runs f as the desk's role for a log-in of staff; for a program where there is no e-mail.
func asStaffOf(t testing.TB, db *pgtest.DB, email string, f func(tx pgx.Tx) error) error {
	t.Helper()
	return pgx.BeginFunc(t.Context(), db.Pool, func(tx pgx.Tx) error {
		if email != "" {
			if _, err := tx.Exec(t.Context(), `select set_config('portal.staff_id', login_id::text, true), set_config('portal.actor', email::text, true)
				from portal.login where email = $1`, email); err != nil {
				return err
			}
			if _, err := tx.Exec(t.Context(), "set local role portal_desk"); err != nil {
				return err
			}
		}
		return f(tx)
	})
}

// Whatever takes the last administrator away is refused, by whatever program.
func TestLastAdministrator(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	addStaff(t, db, map[string]string{"ann@x.example": "all", "walt@x.example": "administrator", "ina@x.example": "administrator"})
	pgtest.Exec(t, db, `insert into portal.invitation (login_id, token_hash, expires_at)
		select login_id, sha256('x'), erp.now() + interval '1 day' from portal.login where email = 'ina@x.example'`)
	pgtest.Exec(t, db, "update portal.login set disabled = true where email = 'walt@x.example'")
	for _, statement := range []string{
		"update portal.login set disabled = true where email = 'ann@x.example'",
		"delete from portal.login where email = 'ann@x.example'",
		"delete from portal.user_duty where duty = 'administrator'",
		"update portal.user_duty set duty = 'sales' where duty = 'administrator' and user_id = (select login_id from portal.login where email = 'ann@x.example')",
		"insert into erp.customer (customer_no, name) values ('C1', 'Harbor'); update portal.login set staff_role = null, customer_id = (select customer_id from erp.customer) where email = 'ann@x.example'",
	} {
		_, err := db.Pool.Exec(t.Context(), statement, pgx.QueryExecModeSimpleProtocol)
		if got := constraintOf(err); got != "last_administrator" && !strings.Contains(statement, "set duty =") {
			t.Errorf("%s: %v", statement, err)
		}
		if err == nil {
			t.Errorf("%s: went through", statement)
		}
	}
	pgtest.Exec(t, db, "update portal.login set disabled = false where email = 'walt@x.example'")
	pgtest.Exec(t, db, "delete from portal.login where email = 'ann@x.example'")
}

// Two who take each other's duty away at once: one of them stays.
func TestAdministratorsAtTheSameTime(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	addStaff(t, db, map[string]string{"ann@x.example": "administrator", "bea@x.example": "administrator"})
	errs := make([]error, 2)
	var both sync.WaitGroup
	for i, other := range []string{"ann@x.example", "bea@x.example"} {
		both.Go(func() {
			_, errs[i] = db.Pool.Exec(t.Context(), setDuties, other, "sales")
		})
	}
	both.Wait()
	if left := pgtest.Value[int](t, db, "select count(*)::int from portal.user_duty where duty = 'administrator'"); left != 1 {
		t.Errorf("%d administrators are left: %v", left, errs)
	}
}

// The program's list of duties is the database's.
func TestDutiesOfTheProgram(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	rows := pgtest.Value[[]string](t, db, "select array_agg(code order by sort) from portal.duty")
	if len(rows) != len(portal.Duties) {
		t.Fatalf("the database has %v", rows)
	}
	labels := pgtest.Value[[]string](t, db, "select array_agg(label order by sort) from portal.duty")
	for i, d := range portal.Duties {
		if rows[i] != string(d) || labels[i] != d.Label() {
			t.Errorf("%s stands where the database has %s", d, rows[i])
		}
	}
}

// errRollBack ends a transaction whose statement went through.
var errRollBack = errors.New("roll back")

// rolledBack is nil where nothing but errRollBack ended it.
func rolledBack(err error) error {
	if errors.Is(err, errRollBack) {
		return nil
	}
	return err
}
