package sql_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"portal.example/portal/internal/pgtest"
)

// People and money are changed by a request of the portal only where its session has proved lately who
// it is, whatever page or function comes to it. A program without a session is not asked.
func TestPeopleAndMoneyAreConfirmed(t *testing.T) {
	t.Parallel()
	db := peopleWorld(t, "bea buyer")
	pgtest.Exec(t, db, `
		insert into portal.login (staff_role, email, name, password_hash)
			values ('desk', 'desk@house.example', 'desk', '$2a$04$' || repeat('x', 53));
		insert into erp.invoice (customer_id, invoice_no)
			select customer_id, 'INV-1' from erp.customer where customer_no = 'C1';
		insert into erp.invoice_line (invoice_id, line_no, item_id, qty, unit_price, line_total)
			select invoice_id, 1, item_id, 5, 10, 50 from erp.invoice, erp.item where item_no = 'OIL5';
		insert into portal.session (session_id, login_id, token_hash, expires_at) overriding system value
			select v.id, l.login_id, sha256(v.id::text::bytea), erp.now() + interval '1 day'
			from (values (901, 'ann'), (902, 'desk')) v(id, name) join portal.login l using (name);
		insert into portal.session (session_id, login_id, expires_at, parent_id, acting_for, acting)
			overriding system value
			select 903, s.login_id, s.expires_at, s.session_id, c.customer_id, 'order'
			from portal.session s, erp.customer c where s.session_id = 902 and c.customer_no = 'C1'`)
	c1 := pgtest.Value[int64](t, db, "select customer_id from erp.customer where customer_no = 'C1'")
	bea := loginOf(t, db, "bea")
	// try runs a statement in a request of a session, 0 for a program's, undoes it and says what refused it
	try := func(role string, session int, statement string) string {
		t.Helper()
		begin := "begin; select set_config('portal.actor', 'somebody', true)"
		if session != 0 {
			begin += fmt.Sprintf(", set_config('portal.session_id', '%d', true)", session)
		}
		if role == "portal_web" {
			begin += fmt.Sprintf(", set_config('portal.customer_id', '%d', true), set_config('portal.login_id', '%s', true)",
				c1, loginOf(t, db, "ann"))
		}
		undone := errors.New("undone")
		err := pgx.BeginTxFunc(t.Context(), db.Pool, pgx.TxOptions{BeginQuery: begin + "; set local role " + role},
			func(tx pgx.Tx) error {
				if _, err := tx.Exec(context.Background(), statement); err != nil {
					return err
				}
				return undone
			})
		if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
			if pg.ConstraintName == "not_confirmed" && pg.Code == "PT403" {
				return "not confirmed"
			}
			return pg.Message
		}
		if !errors.Is(err, undone) {
			t.Fatal(err)
		}
		return "done"
	}
	invite := fmt.Sprintf("select portal.invite_person(%d, 'new@c1.example', 'New', 'buyer', null, 'order', false, sha256('x'))", c1)
	statements := []struct{ role, statement string }{
		{"portal_web", invite},
		{"portal_web", fmt.Sprintf("select portal.save_person(%d, %s, 'Bea', 'approver', null, 'order', false)", c1, bea)},
		{"portal_web", fmt.Sprintf("select portal.disable_person(%d, %s, true)", c1, bea)},
		{"portal_desk", invite},
		{"portal_desk", fmt.Sprintf("select portal.disable_person(%d, %s, true)", c1, bea)},
		{"portal_desk", "select portal.require_factor('C1', true)"},
		{"portal_desk", "select erp.post_payment('C1', 20, erp.today(), 'CHECK', '', null, '{}', '{}', true)"},
		{"portal_desk", "select erp.issue_credit('C1', 5, 'A courtesy', '')"},
		{"portal_owner", fmt.Sprintf("insert into erp.payment (customer_id, amount, method) values (%d, 5, 'CHECK')", c1)},
	}
	for _, s := range statements {
		session := 902
		if s.role == "portal_web" {
			session = 901
		}
		pgtest.Exec(t, db, "update portal.session set confirmed_at = null")
		if got := try(s.role, session, s.statement); got != "not confirmed" {
			t.Errorf("%s, never confirmed: %s: %s", s.role, s.statement, got)
		}
		if got := try(s.role, 0, s.statement); got != "done" {
			t.Errorf("%s, a program's: %s: %s", s.role, s.statement, got)
		}
		pgtest.Exec(t, db, "update portal.session set confirmed_at = erp.now() where parent_id is null")
		if got := try(s.role, session, s.statement); got != "done" {
			t.Errorf("%s, confirmed: %s: %s", s.role, s.statement, got)
		}
		pgtest.Exec(t, db, "update portal.session set confirmed_at = erp.now() - interval '16 minutes' where parent_id is null")
		if got := try(s.role, session, s.statement); got != "not confirmed" {
			t.Errorf("%s, a while ago: %s: %s", s.role, s.statement, got)
		}
		if got := try(s.role, 999, s.statement); got != "not confirmed" {
			t.Errorf("%s, of a session that is over: %s: %s", s.role, s.statement, got)
		}
	}
	// payments that are there: applied, and taken back
	pgtest.Exec(t, db, "select erp.post_payment('C1', 20, erp.today(), 'CHECK', '', null, '{}', '{}', false)")
	no := pgtest.Value[string](t, db, "select payment_no from erp.payment")
	for _, statement := range []string{"select erp.apply_credit('payment', '" + no + "', 'INV-1', 5)",
		"select erp.reverse_payment('" + no + "', erp.today(), 'No cover')"} {
		for confirmed, want := range map[string]string{"null": "not confirmed", "erp.now()": "done"} {
			pgtest.Exec(t, db, "update portal.session set confirmed_at = "+confirmed+" where parent_id is null")
			if got := try("portal_desk", 902, statement); got != want {
				t.Errorf("%s, confirmed %s: %s", statement, confirmed, got)
			}
		}
	}
	// staff who act as the customer prove who they are themselves
	for confirmed, want := range map[string]bool{"null": false, "erp.now()": true} {
		pgtest.Exec(t, db, "update portal.session set confirmed_at = "+confirmed+" where session_id = 902")
		if got := pgtest.Value[bool](t, db, "select portal.is_confirmed(903)"); got != want {
			t.Errorf("acting, with the staff's own session confirmed %s: %v", confirmed, got)
		}
	}
}
