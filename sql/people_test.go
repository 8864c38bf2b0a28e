package sql_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"portal.example/portal/internal/pgtest"
)

// peopleWorld is world with log-ins of customer C1: an approver ann, and others
// as "name role [limit period]".
func peopleWorld(t *testing.T, people ...string) *pgtest.DB {
	t.Helper()
	db := world(t)
	pgtest.Exec(t, db, "update erp.web_access set many_logins = true")
	for _, p := range append([]string{"ann approver"}, people...) {
		f := append(strings.Fields(p), "", "")
		limit, period := "null", "order"
		if f[2] != "" {
			limit, period = f[2], f[3]
		}
		pgtest.Exec(t, db,
			fmt.Sprintf(
				`insert into portal.login (customer_id, email, name, password_hash, customer_role, spend_limit, spend_period)
			select customer_id, '%s@c1.example', '%[1]s', '$2a$04$' || repeat('x', 53), '%s', %s, '%s' from erp.customer
				where customer_no = 'C1'`, f[0], f[1], limit, period))
	}
	return db
}

func loginOf(t *testing.T, db *pgtest.DB, name string) string {
	t.Helper()
	return pgtest.Value[string](t, db, "select login_id::text from portal.login where name = '"+name+"'")
}

// as runs statements as a request of one of C1's people would, by the role of
// customers' requests, and returns the last one's first value.
func as(t *testing.T, db *pgtest.DB, name string, statements ...string) (value string, err error) {
	t.Helper()
	begin := "begin; select set_config('portal.customer_id', (select customer_id::text from erp.customer where " +
		"customer_no = 'C1'), true), " +
		"set_config('portal.login_id', '" + loginOf(t, db, name) + "', true), set_config('portal.actor', '" + name +
		"@c1.example', true); set local role portal_web"
	err = pgx.BeginTxFunc(context.Background(), db.Pool, pgx.TxOptions{BeginQuery: begin}, func(tx pgx.Tx) error {
		for i, s := range statements {
			if i < len(statements)-1 {
				if _, err := tx.Exec(context.Background(), s); err != nil {
					return err
				}
				continue
			}
			rows, _ := tx.Query(context.Background(), s)
			values, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
				all, err := row.Values()
				if len(all) == 0 {
					return "", err
				}
				return fmt.Sprint(all[0]), err
			})
			if err != nil {
				return err
			}
			value = strings.Join(values, " ")
		}
		return nil
	})
	return value, err
}

// send puts oil for 27.00 each into a person's cart and submits it: the order's
// number, "waits", or why not.
func send(t *testing.T, db *pgtest.DB, name, qty string) string {
	t.Helper()
	login := loginOf(t, db, name)
	pgtest.Exec(t, db,
		fmt.Sprintf(
			`insert into portal.cart (login_id, customer_id) select login_id, customer_id from portal.login where login_id = %s
				on conflict do nothing;
		insert into portal.cart_line (cart_id, item_id, uom, qty) select cart_id, item_id, 'EA', %s from portal.cart,
			erp.item where login_id = %[1]s and item_no = 'OIL5'`, login, qty))
	got, err := as(t, db, name,
		fmt.Sprintf(
			`select coalesce(s.order_no, case when s.sign_off_id is not null then 'waits' end, s.findings -> 0 ->> 'code')
		from portal.cart k, portal.submit_cart(%s, k.key, '', '', null, '') s where k.login_id = %[1]s`, login))
	if err != nil {
		t.Fatalf("%s sends %s: %v", name, qty, err)
	}
	return got
}

// A limit holds for the order, the day, the ISO week or the month of the
// company's time zone; what was cancelled or rejected does not use it up.
func TestSpendingLimitPeriods(t *testing.T) {
	t.Parallel()
	db := peopleWorld(t, "order buyer 54 order", "day buyer 54 day", "week buyer 54 week", "month buyer 54 month",
		"zero buyer 0 month", "free buyer", "every buyer")
	pgtest.Exec(t, db, "update portal.login set sign_off_all = true where name = 'every'; update erp.stock set on_hand "+
		"= 100000")
	clock := func(at string) { pgtest.Exec(t, db, "select erp.set_clock('"+at+"')") }
	try := func(name, qty string, passes bool) string {
		t.Helper()
		got := send(t, db, name, qty)
		if strings.HasPrefix(got, "SO-") != passes || !passes && got != "waits" {
			t.Errorf("%s of %s at %s: %s", qty, name, pgtest.Value[string](t, db, "select erp.now()::text"), got)
		}
		return got
	}
	// Sunday 1 March 2026, the evening: the week ends and the month has begun;
	// in UTC it is Monday already
	clock("2026-03-01 23:59:59-05")
	for _, name := range []string{"day", "week", "month"} {
		try(name, "1", true)
		try(name, "1", true) // the limit itself passes
		try(name, "1", false)
	}
	try("order", "2", true)
	try("order", "2", true)
	try("order", "3", false)
	try("zero", "1", false)
	try("free", "500", true)
	try("every", "1", false)

	clock("2026-03-02 00:00:00-05")
	last := try("day", "2", true)
	week := try("week", "2", true)
	try("month", "1", false)
	try("day", "1", false)

	// what is cancelled or rejected gives the room back
	pgtest.Exec(t, db, "update erp.sales_order set status = 'CANCELLED' where order_no = '"+last+
		"'; update erp.sales_order set status = 'REJECTED', status_reason = 'no truck' where order_no = '"+week+"'")
	try("day", "2", true)
	try("week", "2", true)
	try("week", "1", false)

	// the clocks go forward on Sunday 8 March: the day has 23 hours, the week
	// ends at midnight all the same
	clock("2026-03-08 23:59:59-04")
	try("week", "1", false)
	clock("2026-03-09 00:00:00-04")
	try("week", "1", true)
	clock("2026-03-31 23:59:59-04")
	try("month", "1", false)
	clock("2026-04-01 00:00:00-04")
	try("month", "1", true)
}

// The approval job asks the same rule: an order that came another way, or that
// grew after it was made, waits for staff; what was signed off does not.
func TestSpendingLimitAtApproval(t *testing.T) {
	t.Parallel()
	db := peopleWorld(t, "bea buyer 54 day")
	decide := func(no string) string {
		t.Helper()
		got := pgtest.Value[string](t, db, "select erp.decide_order(order_id) from erp.sales_order where order_no = '"+no+"'")
		return got + " " + pgtest.Value[string](t, db,
			"select coalesce(string_agg(code, ' '), '') from erp.order_review join erp.sales_order using (order_id) where "+
				"order_no = '"+no+"'")
	}
	first, second := send(t, db, "bea", "1"), send(t, db, "bea", "1")
	if got := decide(second); got != "approved " {
		t.Errorf("the second order, within the limit: %s", got)
	}
	if got := decide(first); got != "approved " {
		t.Errorf("the first, which the second does not count against: %s", got)
	}
	plain := newOrder(t, db, "OIL5 1")
	pgtest.Exec(t, db, "update erp.sales_order set login_id = "+loginOf(t, db, "bea")+" where order_no = '"+plain+"'")
	if got := decide(plain); got != "queued over_spending_limit" {
		t.Errorf("an order by plain SQL: %s", got)
	}

	if got := send(t, db, "bea", "2"); got != "waits" {
		t.Fatalf("over the limit: %s", got)
	}
	signed, err := as(t, db, "ann", "select order_no from portal.approve_sign_off(1, null, null, '', null)")
	if err != nil {
		t.Fatal(err)
	}
	if got := decide(signed); got != "approved " {
		t.Errorf("signed off: %s", got)
	}
	// neither a limit lowered meanwhile nor a program makes the rule forget it
	if got := send(t, db, "bea", "2"); got != "waits" {
		t.Fatalf("over the limit: %s", got)
	}
	grown, err := as(t, db, "ann", "select order_no from portal.approve_sign_off(2, null, null, '', null)")
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, db, "insert into erp.sales_order_line (order_id, line_no, item_id, qty) select order_id, 9, "+
		"item_id, 1 from erp.sales_order, erp.item where order_no = '"+grown+"' and item_no = 'RICE'")
	if got := decide(grown); got != "queued over_spending_limit" {
		t.Errorf("grown after the signature: %s", got)
	}
}

// An order that its buyer changes may get smaller, but not grow past the limit:
// there would be no signature for it.
func TestSpendingLimitOfAChange(t *testing.T) {
	t.Parallel()
	db := peopleWorld(t, "bea buyer 54 day", "free buyer")
	pgtest.Exec(t, db, "update erp.web_access set auto_approve = false, may_change = 'edit'")
	change := func(name, no, qty string) string {
		t.Helper()
		got, err := as(t, db, name, "select c.changed || ' ' || coalesce(c.findings -> 0 ->> 'code', '') from "+
			"portal.change_order(portal.customer_id(), '"+no+"', array[1], array["+qty+"]) c")
		if err != nil {
			t.Fatalf("change to %s: %v", qty, err)
		}
		return strings.TrimSpace(got)
	}
	no := send(t, db, "bea", "1")
	for _, c := range [][2]string{{"2", "1"}, {"3", "0 over_spending_limit"}, {"1", "1"}} {
		if got := change("bea", no, c[0]); got != c[1] {
			t.Errorf("to %s: %s, want %s", c[0], got, c[1])
		}
	}
	pgtest.Exec(t, db, "update portal.login set spend_limit = 0 where name = 'bea'")
	if got := change("free", no, "0.5"); strings.Contains(got, "over_spending_limit") {
		t.Errorf("smaller, over a limit that was lowered meanwhile: %s", got)
	}
	pgtest.Exec(t, db, "update portal.login set spend_limit = null, customer_role = 'view' where name = 'bea'")
	if got := change("bea", no, "3"); got != "0 role_no_order" {
		t.Errorf("by who only looks: %s", got)
	}
	// and no standing order is set up, or tried again, by who has a limit
	pgtest.Exec(t, db, "update portal.login set spend_limit = 54, customer_role = 'buyer' where name = 'bea'")
	insert := "insert into portal.standing_order (customer_id, name, rhythm, every, weekday) values " +
		"(portal.customer_id(), 'Weekly', 'weeks', 1, 2)"
	if _, err := as(t, db, "bea", insert); err == nil || !strings.Contains(err.Error(), "row-level security") {
		t.Errorf("a standing order over no limit: %v", err)
	}
	if _, err := as(t, db, "free", insert); err != nil {
		t.Errorf("without a limit: %v", err)
	}
}

// Two tabs of one person, each within the limit and together over it: one order
// and one request.
func TestSpendingLimitRace(t *testing.T) {
	t.Parallel()
	db := peopleWorld(t, "bea buyer 54 day")
	login := loginOf(t, db, "bea")
	pgtest.Exec(t, db, "insert into portal.cart (login_id, customer_id) select login_id, customer_id from portal.login "+
		"where name = 'bea'")
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			for range 4 {
				// each tab: its own cart as it finds it
				_, err := as(t, db, "bea", "select 1 from portal.cart where login_id = "+login+" for update",
					"insert into portal.cart_line (cart_id, item_id, uom, qty) select cart_id, item_id, 'EA', 1 from portal.cart, "+
						"erp.item where login_id = "+login+" and item_no = 'OIL5' on conflict do nothing",
					"select s.order_no from portal.cart k, portal.submit_cart(k.login_id, k.key, '', '', null, '') s where "+
						"k.login_id = "+login)
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if got := pgtest.Value[string](t, db,
		"select (select count(*) from erp.sales_order) || ' ' || (select sum(total) from erp.sales_order) || ' ' || "+
			"(select count(*) from portal.sign_off)"); got != "2 54.00 6" {
		t.Errorf("orders, their total and requests: %s", got)
	}
}

// The wall holds roles: by SQL as the role of customers' requests, too.
func TestRolesInTheDatabase(t *testing.T) {
	t.Parallel()
	db := peopleWorld(t, "bea buyer 0 order", "cid buyer", "acc accounts", "vic view")
	pgtest.Exec(t, db,
		`insert into erp.invoice (customer_id, total, open_amount, invoice_date, due_date) select customer_id, 0, 0,
			erp.today(), erp.today() from erp.customer;
		insert into erp.payment (customer_id, amount) select customer_id, 1 from erp.customer`)
	if got := send(t, db, "bea", "1"); got != "waits" {
		t.Fatal(got)
	}
	for name, want := range map[string]string{"ann": "1 1 1 1 -1", "bea": "1 1 1 1 -1", "cid": "1 1 0 0 -1",
		"acc": "1 1 0 0 -1", "vic": "0 0 0 0 0"} {
		got, err := as(t, db, name,
			`select concat_ws(' ', (select count(*) from erp.invoice), (select count(*) from erp.payment),
			(select count(*) from portal.sign_off), (select count(*) from portal.sign_off_line), (select trim_scale(balance)
			from erp.aging(portal.customer_id())))`)
		if err != nil || got != want {
			t.Errorf("%s sees %s of invoices, payments, requests, their lines and the balance, want %s (%v)",
				name, got, want, err)
		}
	}
	must := func(name, statement, constraint string) {
		t.Helper()
		_, err := as(t, db, name, statement)
		pg, ok := errors.AsType[*pgconn.PgError](err)
		if !ok || pg.ConstraintName != constraint && pg.Code != constraint {
			t.Errorf("%s: %s: %v", name, statement, err)
		}
	}
	for _, name := range []string{"acc", "vic"} {
		if got := send(t, db, name, "1"); got != "role_no_order" {
			t.Errorf("%s sends: %s", name, got)
		}
		pgtest.Exec(t, db, "delete from portal.cart_line")
		must(name, "insert into portal.cart_line (cart_id, item_id, uom, qty) select cart_id, 1, 'EA', 1 from portal.cart "+
			"where login_id = portal.login_id()", "42501")
		must(name, "insert into portal.item_list (customer_id, name) values (portal.customer_id(), 'x')", "42501")
		must(name, "select portal.cancel_order(portal.customer_id(), 'SO-1')", "role_no_order")
		must(name, "select portal.approve_sign_off(1, null, null, '', null)", "own_or_to_sign")
	}
	must("cid", "select portal.approve_sign_off(1, null, null, '', null)", "own_or_to_sign")
	must("bea", "select portal.approve_sign_off(1, null, null, '', null)", "role_no_sign_off")
	must("bea", "select portal.reject_sign_off(1, 'no')", "role_no_sign_off")
	must("bea", "select * from portal.people(portal.customer_id())", "role_no_people")
	must("bea", "select portal.submit_cart("+loginOf(t, db, "cid")+", gen_random_uuid(), '', '', null, '')",
		"own_login_only")
	must("ann", "select portal.disable_person(portal.customer_id(), portal.login_id(), true)", "own_login")
	must("ann", "select portal.save_person(portal.customer_id() + 1, portal.login_id(), '', 'view', null, 'order', false)",
		"own_customer_only")
	must("ann", "select email from portal.login", "42501")
	must("ann", "insert into portal.sign_off (customer_id, login_id, key) values (portal.customer_id(), "+
		"portal.login_id(), gen_random_uuid())", "42501")
	must("ann", "update portal.sign_off set status = 'APPROVED'", "42501")
	// a log-in that is closed while its request is on the way
	pgtest.Exec(t, db, "insert into portal.login (customer_id, email, name, password_hash) select customer_id, "+
		"'eve@c1.example', 'eve', password_hash from portal.login where name = 'ann'; update portal.login set disabled = "+
		"true where name = 'eve'")
	must("eve", "select portal.approve_sign_off(1, null, null, '', null)", "own_people_only")
	// switched off, nobody manages, and what was set keeps holding
	pgtest.Exec(t, db, "update erp.web_access set many_logins = false")
	must("ann", "select * from portal.people(portal.customer_id())", "role_no_people")
	if got := send(t, db, "bea", "1"); got != "waits" {
		t.Errorf("switched off, the limit is gone: %s", got)
	}
	if _, err := as(t, db, "ann", "select order_no from portal.approve_sign_off(1, null, null, '', null)"); err != nil {
		t.Errorf("switched off, nobody signs off what waits: %v", err)
	}
}

// Two approvers who take each other's right away at the same moment: one is
// left. Staff may close the only log-in of a customer.
func TestLastApprover(t *testing.T) {
	t.Parallel()
	db := peopleWorld(t, "eve approver", "bea buyer")
	var all sync.WaitGroup
	for _, pair := range [][2]string{{"ann", "eve"}, {"eve", "ann"}} {
		all.Go(func() {
			_, err := as(t, db, pair[0], "select portal.save_person(portal.customer_id(), "+loginOf(t, db, pair[1])+", '"+
				pair[1]+"', 'buyer', null, 'order', false)")
			if pg, ok := errors.AsType[*pgconn.PgError](err); err != nil &&
				(!ok || pg.ConstraintName != "role_no_people" && pg.ConstraintName != "login_last_approver") {
				t.Error(err)
			}
		})
	}
	all.Wait()
	approvers := func() int {
		return pgtest.Value[int](t, db,
			"select count(*)::int from portal.login where customer_role = 'approver' and not disabled")
	}
	if n := approvers(); n != 1 {
		t.Fatalf("%d approvers left", n)
	}
	for _, statement := range []string{"update portal.login set disabled = true where customer_role = 'approver'",
		"update portal.login set customer_role = 'view'"} {
		if c := refused(t, db, statement); c != "login_last_approver" {
			t.Errorf("%s refused by %s", statement, c)
		}
	}
	// somebody who was invited and has no password yet does not count
	pgtest.Exec(t, db,
		`insert into portal.login (customer_id, email, name, password_hash) select customer_id, 'new@c1.example', 'new',
			password_hash from portal.login where name = 'bea';
		insert into portal.invitation (login_id, token_hash, expires_at) select login_id, sha256('x'),
			erp.now() + interval '1 day' from portal.login where name = 'new'`)
	if c := refused(t, db,
		"update portal.login set disabled = true where customer_role = 'approver' and name <> 'new'"); c != "login_last_approver" {
		t.Errorf("closed beside somebody who is only invited: %s", c)
	}
	pgtest.Exec(t, db, "delete from portal.login where name in ('bea', 'new'); delete from portal.login where "+
		"customer_role <> 'approver'; update portal.login set disabled = true")
	if n := approvers(); n != 0 {
		t.Errorf("the only log-in cannot be closed: %d", n)
	}
	log := pgtest.Value[string](t, db,
		"select string_agg(actor || ' ' || (data ->> 'login') || ' ' || (data ->> 'customer_role'), ', ') from "+
			"portal.audit where action = 'person' and data ? 'customer_role'")
	if !strings.Contains(log, `["approver", "buyer"]`) || !strings.Contains(log, "@c1.example") {
		t.Errorf("audit log: %s", log)
	}
}
