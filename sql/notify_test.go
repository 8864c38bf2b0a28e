package sql_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"portal.example/portal/internal/pgtest"
)

// newsFixtures is a customer with a log-in of every role, one that is closed,
// one that has no password yet, and another customer.
const newsFixtures = `
	insert into erp.customer (customer_id, customer_no, name) values (1, 'C1', 'One'), (2, 'C2', 'Two');
	insert into erp.item (item_id, item_no, description, price_a) values (1, 'OIL5', 'Oil', 10);
	insert into erp.stock (item_id, on_hand) values (1, 100000);
	insert into portal.login (login_id, customer_id, email, password_hash, customer_role, disabled)
		select n, 1, who || '@one.example', '$2a$04$' || repeat('x', 53), coalesce(nullif(role, ''), 'buyer'), who = 'closed'
		from (values (1, 'approver', 'approver'), (2, 'buyer', 'buyer'), (3, 'accounts', 'accounts'), (4, 'view', 'view'),
		(5, 'closed', ''), (6, 'invited', '')) v(n, who, role);
	insert into portal.login (login_id, customer_id, email, password_hash)
		values (7, 2, 'other@two.example', '$2a$04$' || repeat('x', 53));
	insert into portal.invitation (login_id, token_hash, expires_at) values (6, sha256('x'), now() + interval '1 day');
	insert into erp.invoice (invoice_id, customer_id, invoice_no) values (1, 1, 'INV-1');
	insert into erp.invoice_line (invoice_id, line_no, item_id, qty, unit_price, line_total) values (1, 1, 1, 5, 10, 50);`

// told is who was told what, and who by mail as well (+), since the last call.
func told(t testing.TB, db *pgtest.DB) string {
	t.Helper()
	out := pgtest.Value[string](t, db,
		`select coalesce(string_agg(n.kind || ' ' || split_part(l.email::text, '@', 1) || case when m.mail_id is null then ''
			else '+' end || case when n.read_at is null then '' else ' (read)' end, ', ' order by n.kind, n.login_id), '')
		from portal.notification n join portal.login l using (login_id) left join portal.mail m using (notification_id)`)
	pgtest.Exec(t, db, "delete from portal.mail; delete from portal.notification; delete from river.river_job where "+
		"kind = 'mail'")
	return out
}

// Who is told of what: by role and right, by who ordered, by what they chose.
func TestWhoIsTold(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pgtest.Exec(t, db, newsFixtures)
	for _, c := range []struct{ what, do, want string }{
		{"an order by phone",
			`insert into erp.sales_order (order_id, order_no, customer_id, source, status)
				values (101, 'SO-1', 1, 'PHONE', 'APPROVED');
			insert into erp.sales_order_line (order_id, line_no, item_id, qty) values (101, 1, 1, 5)`,
			"order_approved approver+, order_approved buyer+"},
		{"an order of a log-in, by itself",
			`begin; select set_config('portal.customer_id', '1', true), set_config('portal.login_id', '2', true);
			insert into erp.sales_order (order_id, order_no, customer_id, source, login_id) values (102, 'SO-2', 1, 'WEB', 2);
			insert into erp.sales_order_line (order_id, line_no, item_id, qty) values (102, 1, 1, 5); commit`,
			"order_received buyer (read)"},
		{"of one who only looks now", "update erp.sales_order set login_id = 4, status = 'APPROVED' where order_id = 102",
			"order_approved view+"},
		{"of one who is closed",
			"update erp.sales_order set login_id = 5, status = 'PICKING' where order_id = 102; update erp.sales_order set " +
				"status = 'SHIPPED' where order_id = 102", "order_shipped approver+, order_shipped buyer+"},
		{"its tracking number", "update erp.shipment set tracking_no = '1Z'; update erp.shipment set carrier = 'UPS'",
			"order_shipped approver+, order_shipped buyer+"},
		{"delivered", "update erp.sales_order set login_id = 2, status = 'DELIVERED' where order_id = 102",
			"order_delivered buyer"},
		{"changed, line by line in one transaction",
			`insert into erp.sales_order_line (order_id, line_no, item_id, qty) values (101, 2, 1, 5);
			begin; update erp.sales_order_line set qty = 4 where order_id = 101 and line_no = 1; update erp.sales_order_line
			set qty = 3 where order_id = 101 and line_no = 2; commit`,
			"order_changed approver+, order_changed buyer+"},
		{"on hold and back",
			"update erp.sales_order set status = 'ON_HOLD' where order_id = 101; update erp.sales_order set status = " +
				"'APPROVED' where order_id = 101", "order_approved approver+, order_approved buyer+"},
		{"cancelled by staff", "update erp.sales_order set status = 'CANCELLED' where order_id = 101",
			"order_cancelled approver+, order_cancelled buyer+"},
		{"a return", `insert into erp.credit_request (request_id, customer_id, invoice_id) values (1, 1, 1);
			update erp.credit_request set status = 'IN_REVIEW'; update erp.credit_request set status = 'REJECTED',
				status_reason = 'too old'`,
			"return_decided approver+, return_decided buyer+, return_decided accounts+"},
		{"one that goes on by itself", `insert into erp.credit_request (request_id, customer_id, invoice_id) values (2, 1, 1);
			insert into erp.credit_request_line (request_id, line_no, invoice_id, invoice_line_no, qty, reason_code)
				values (2, 1, 1, 1, 2, 'defective');
			update erp.credit_request set status = 'APPROVED' where request_id = 2`,
			"return_decided approver+, return_decided buyer+, return_decided accounts+"},
		{"a request for a signature",
			"insert into portal.sign_off (customer_id, login_id, key) values (1, 2, gen_random_uuid())",
			"sign_off_waiting approver+"},
		{"of the only approver", "insert into portal.sign_off (customer_id, login_id, key) values (1, 1, gen_random_uuid())",
			""},
		{"decided", "update portal.sign_off set status = 'REJECTED', reason = 'no', decided_at = now(), decided_by = " +
			"'approver@one.example'", "sign_off_decided buyer+"},
		{"a statement", "select portal.notify('statement', 1, '2026-03', null)",
			"statement approver+, statement buyer+, statement accounts+"},
		{"a statement to one who does not see it", "select portal.notify('statement', 1, '2026-04', null, array[4, 7])", ""},
		{"a statement while the balance is hidden",
			"update erp.web_access set see_balance = false; select portal.notify('statement', 1, '2026-05', null)", ""},
		{"without access",
			"update erp.web_access set enabled = false; update erp.sales_order set status = 'ON_HOLD' where order_id = 101 " +
				"and false; select portal.notify('order_received', 1, 'SO-9', null)", ""},
		{"of a customer that is gone", "select portal.notify('order_received', 99, 'SO-9', null)", ""},
		{"chosen otherwise", `update erp.web_access set enabled = true;
			insert into portal.mail_choice values (1, 'order_received', true), (2, 'order_approved', false);
			select portal.notify(k, 1, 'SO-9', null) from unnest(array['order_received', 'order_approved']) k`,
			"order_approved approver+, order_approved buyer, order_received approver+, order_received buyer"},
		{"a notice", "insert into portal.notice (customer_id, kind, text) values (1, 'success', 'Order SO-3 was sent from " +
			"the standing order.'), (1, 'info', 'It will be.')", ""},
		{"an imported order",
			"insert into erp.sales_order (customer_id, source, status) select 1, 'IMPORT', 'DELIVERED' from " +
				"generate_series(1, 3)", ""},
		{"old history", "insert into erp.sales_order (customer_id, source, status, submitted_at) values (1, 'DESK', " +
			"'APPROVED', now() - interval '1 week')", ""},
	} {
		mails := 0
		if c.what == "a notice" {
			mails = 2
		}
		pgtest.Exec(t, db, c.do)
		if mails > 0 {
			if n := pgtest.Value[int](t, db,
				"select count(*)::int from portal.mail m join river.river_job j on j.args ->> 'mail_id' = m.mail_id::text where "+
					"m.kind = 'standing_order'"); n != mails {
				t.Errorf("%s: %d mails, want %d", c.what, n, mails)
			}
		}
		if got := told(t, db); got != c.want {
			t.Errorf("%s: told %q, want %q", c.what, got, c.want)
		}
	}
}

// News is never why a program's statement fails, and is told once.
func TestNewsIsNeverInTheWay(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pgtest.Exec(t, db, newsFixtures)
	pgtest.Exec(t, db,
		`insert into erp.sales_order (order_id, order_no, customer_id, source) select n, 'SO-' || n, 1, 'PHONE'
			from generate_series(1, 3) n;
		insert into erp.sales_order_line (order_id, line_no, item_id, qty) select n, 1, 1, 1 from generate_series(1, 3) n`)
	told(t, db)
	pgtest.Exec(t, db, "alter table portal.mail add constraint broken check (false) not valid; update erp.sales_order "+
		"set status = 'APPROVED' where order_id = 1")
	if got := told(t, db); got != "" {
		t.Errorf("told %s", got)
	}
	pgtest.Exec(t, db, "alter table portal.mail drop constraint broken; update erp.sales_order set status = 'APPROVED' "+
		"where order_id = 2")
	for range 2 {
		pgtest.Exec(t, db, "select portal.notify(n.kind, n.customer_id, n.ref, n.data) from portal.notification n")
	}
	if n := pgtest.Value[int](t, db, "select count(*)::int from river.river_job where kind = 'mail' and queue = 'mail' "+
		"and state = 'available' and max_attempts = 100"); n != 2 {
		t.Errorf("%d jobs, want one a log-in", n)
	}
	if got := told(t, db); got != "order_approved approver+, order_approved buyer+" {
		t.Errorf("told %s", got)
	}
	pgtest.Exec(t, db, "begin; update erp.sales_order set status = 'APPROVED' where order_id = 3; rollback")
	if got := told(t, db); got != "" {
		t.Errorf("told of what was rolled back: %s", got)
	}
}

// A log-in reads its own news only, and by today's rights.
func TestNewsBehindTheWall(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pgtest.Exec(t, db, newsFixtures)
	pgtest.Exec(t, db, "select portal.notify(k, 1, 'X', null) from unnest(array['statement', 'return_decided', "+
		"'order_approved']) k; select portal.notify('order_approved', 2, 'Y', null)")
	for _, c := range []struct{ first, login, want string }{
		{"", "2", "order_approved,return_decided,statement"},
		{"", "3", "return_decided,statement"},
		{"", "7", ""}, // of another customer
		{"update erp.web_access set see_balance = false", "2", "order_approved,return_decided"},
		{"update portal.login set customer_role = 'view' where login_id = 2", "2", "order_approved"},
	} {
		if c.first != "" {
			pgtest.Exec(t, db, c.first)
		}
		got := ""
		err := pgx.BeginTxFunc(t.Context(), db.Pool,
			pgx.TxOptions{BeginQuery: "begin; select set_config('portal.customer_id', '1', true), " +
				"set_config('portal.login_id', '" + c.login + "', true); set local role portal_web"}, func(tx pgx.Tx) error {
				return tx.QueryRow(t.Context(),
					"select coalesce(string_agg(kind, ',' order by kind), '') from portal.notification").Scan(&got)
			})
		if err != nil || got != c.want {
			t.Errorf("log-in %s after %q reads %q, want %q (%v)", c.login, c.first, got, c.want, err)
		}
	}
}

// Who is on a route and has not ordered is reminded, once a run.
func TestCutoffReminder(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pgtest.Exec(t, db, newsFixtures)
	pgtest.Exec(t, db, `
		update erp.company set time_zone = 'UTC';
		insert into erp.route (route_id, code, name, cutoff_days_before, cutoff_time)
			values (1, 'NORTH', 'North', 1, '15:00');
		insert into erp.route_day (route_id, weekday) values (1, 5);
		update erp.customer set route_id = 1;
		select erp.set_clock('2026-06-04 11:59Z')`) // Thursday; the truck leaves on Friday
	remind := func(what string, want int) {
		t.Helper()
		if got := pgtest.Value[int](t, db, "select portal.remind_cutoffs()"); got != want {
			t.Errorf("%s: %d customers reminded, want %d", what, got, want)
		}
	}
	remind("switched off", 0)
	pgtest.Exec(t, db, "update erp.company set cutoff_reminders = true")
	remind("more than three hours before", 0)
	pgtest.Exec(t, db, `select erp.set_clock('2026-06-04 12:01Z');
		insert into erp.sales_order (customer_id, source, submitted_at) values (2, 'PHONE', '2026-05-28 14:59Z'),
			(1, 'PHONE', '2026-05-28 15:01Z')`)
	told(t, db)
	remind("one has ordered since the last cutoff", 1)
	if got := pgtest.Value[string](t, db,
		"select data::text from portal.notification limit 1"); got != `{"id": "2026-06-05", "cutoff": "2026-06-04T15:00:00+00:00", "delivery_date": "2026-06-05"}` {
		t.Errorf("facts %s", got)
	}
	remind("again", 0)
	if got := told(t, db); got != "cutoff_reminder other+" {
		t.Errorf("told %s", got)
	}
	for what, first := range map[string]string{
		"may not order": "update erp.web_access set can_order = false where customer_id = 2",
		"after it":      "select erp.set_clock('2026-06-04 15:00Z')",
	} {
		pgtest.Exec(t, db, first)
		remind(what, 0)
	}
	pgtest.Exec(t, db, "update erp.web_access set can_order = true; update erp.sales_order set status = 'REJECTED', "+
		"status_reason = 'x' where customer_id = 1; select erp.set_clock('2026-06-04 14:00Z')")
	told(t, db)
	remind("an order that was rejected counts as none", 2)
	if got := told(t, db); got != "cutoff_reminder approver+, cutoff_reminder buyer+, cutoff_reminder other+" {
		t.Errorf("told %s", got)
	}
}
