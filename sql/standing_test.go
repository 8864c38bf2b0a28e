package sql_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql"
)

// standing is a database with a customer on a route of Tuesdays and Fridays,
// whose cutoff is the day before at 15:00, and a standing order of it.
type standing struct {
	*pgtest.DB
	t    *testing.T
	work *sql.StandingWork
	db   *sql.DB
}

func newStanding(t *testing.T) *standing {
	t.Helper()
	db := pgtest.New(t)
	pgtest.Exec(t, db, `
		select erp.set_clock('2026-06-01 09:00-04');
		insert into erp.route (route_id, code, name) values (1, 'NORTH', 'North');
		insert into erp.route_day (route_id, weekday) values (1, 2), (1, 5);
		insert into erp.customer (customer_id, customer_no, name, route_id) values (1, 'C1', 'One', 1),
			(2, 'C2', 'Two', null);
		insert into erp.item (item_id, item_no, description, price_a, allow_backorder) values (1, 'OIL5', 'Oil', 30, true),
			(2, 'LAST1', 'Last', 5, false), (3, 'SALT1', 'Salt', 0.4, true);
		insert into erp.stock (item_id, on_hand) values (1, 1000), (2, 5), (3, 1000);
		insert into portal.standing_order (customer_id, name, po_no) values (1, 'Weekly', 'PO-7');
		insert into portal.standing_order_line (standing_order_id, item_id, uom, qty) values (1, 1, 'EA', 2),
			(1, 2, 'EA', 1)`)
	open, err := sql.Open(t.Context(), sql.Config{URL: db.URL, WorkConns: 8, WebConns: 4, DeskConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(open.Close)
	return &standing{db, t, sql.NewStandingWork(open.Work), open}
}

// at moves the clock and runs the job once; what it did, in words.
func (s *standing) at(clock string) string {
	s.t.Helper()
	pgtest.Exec(s.t, s.DB, "select erp.set_clock('"+clock+"')")
	return s.run()
}

func (s *standing) run() string {
	s.t.Helper()
	done, err := s.work.RunStandingOrders(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSuffix(strings.TrimPrefix(fmt.Sprint(done), "map["), "]")
}

func (s *standing) runs() string {
	s.t.Helper()
	return pgtest.Value[string](s.t, s.DB,
		`select coalesce(string_agg(to_char(run_date, 'MM-DD ') || outcome, ', ' order by run_date), '')
			from portal.standing_run`)
}

func (s *standing) orders() string {
	s.t.Helper()
	return pgtest.Value[string](s.t, s.DB,
		`select coalesce(string_agg(o.source || ' ' || o.status || ' ' || coalesce(o.standing_order,
			'-') || ' ' || o.requested_date || ' ' || o.po_no || ' ' || o.total, ', ' order by o.order_id), '')
			from erp.sales_order o`)
}

func (s *standing) notice() string {
	s.t.Helper()
	return pgtest.Value[string](s.t, s.DB,
		`select coalesce((select kind || ': ' || text || ' ' || link from portal.notice order by notice_id desc limit 1),
			'')`)
}

func (s *standing) exec(statement string) { s.t.Helper(); pgtest.Exec(s.t, s.DB, statement) }

func (s *standing) is(what, got, want string) {
	s.t.Helper()
	if got != want {
		s.t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

// The first date whose order could be made in time is announced a day before,
// and made a day before its cutoff at the price of that moment, exactly once.
func TestStandingOrder(t *testing.T) {
	t.Parallel()
	s := newStanding(t)
	// for Tuesday it is too late: its order would have been made on Sunday
	s.is("at first", s.run(), "")
	s.is("nearly a day before", s.at("2026-06-02 14:59:59-04"), "")
	s.is("a day before", s.at("2026-06-02 15:00-04"), "announced:1") // for Friday: sent on Wednesday at 15:00
	s.is("the notice", s.notice(), "info: Standing order “Weekly” for Fri 5 Jun will be sent Wed 3 Jun 15:00. Change "+
		"it or skip it until then. /standing-orders/1")
	s.is("again", s.run(), "")
	s.exec("update erp.item set price_a = 31 where item_id = 1")
	s.is("a second before", s.at("2026-06-03 14:59:59-04"), "")
	s.is("due", s.at("2026-06-03 15:00-04"), "made:1")
	s.is("order", s.orders(), "WEB SUBMITTED Weekly 2026-06-05 PO-7 67.00")
	s.is("notice", s.notice(),
		"success: Order SO-100001 was sent from the standing order “Weekly” for Fri 5 Jun. /orders/SO-100001")
	s.is("who", pgtest.Value[string](t, s.DB, "select submitted_by from erp.sales_order"), "standing order")
	for range 3 {
		s.is("again", s.run(), "")
	}
	s.is("approval", pgtest.Value[string](t, s.DB,
		"select count(*)::text from river.river_job where kind = 'order_approval'"), "1")

	// a holiday moves the run: the date is the same date, so no second order
	s.exec("insert into erp.route_holiday (holiday, replacement) values ('2026-06-05', '2026-06-06')")
	s.is("moved", s.run(), "")
	s.is("Tuesday after", s.at("2026-06-07 15:00-04"), "made:1")
	s.is("runs", s.runs(), "06-05 made, 06-09 made")
}

// Two nodes at the same moment, and the end of one in the middle, make one
// order a date.
func TestStandingOrderTwoNodes(t *testing.T) {
	t.Parallel()
	s := newStanding(t)
	s.exec(
		`insert into portal.standing_order (customer_id, name, every) select 1, 'N' || g, 1 from generate_series(1, 10) g;
		insert into portal.standing_order_line (standing_order_id, item_id, uom, qty) select standing_order_id, 1, 'EA', 1
			from portal.standing_order where name <> 'Weekly';
		select erp.set_clock('2026-06-03 15:00-04')`)
	ended, end := context.WithCancel(t.Context())
	defer end()
	var wg sync.WaitGroup
	for n := range 6 {
		wg.Go(func() {
			ctx := t.Context()
			if n == 0 {
				ctx = ended
			}
			if _, err := s.work.RunStandingOrders(ctx); err != nil && n > 0 {
				t.Error(err)
			}
		})
		if n == 2 {
			end() // one is killed while the others work
		}
	}
	wg.Wait()
	s.run()
	if got := pgtest.Value[string](t, s.DB,
		"select count(*) || ' ' || count(distinct standing_order) from erp.sales_order"); got != "11 11" {
		t.Errorf("orders and standing orders: %s, want 11 11", got)
	}
	if got := pgtest.Value[int](t, s.DB, "select count(*)::int from portal.notice where kind = 'success'"); got != 11 {
		t.Errorf("%d notices of 11 orders", got)
	}
}

// A paused or skipped date makes nothing; both go on afterwards.
func TestStandingOrderPauseAndSkip(t *testing.T) {
	t.Parallel()
	s := newStanding(t)
	s.exec("select portal.set_standing_run(1, '2026-06-05', 'skip')")
	s.is("skipped", s.at("2026-06-03 15:00-04"), "")
	s.exec("select portal.set_standing_run(1, '2026-06-05', 'unskip')")
	s.is("taken back while its cutoff is ahead", s.run(), "made:1")
	if _, err := s.Pool.Exec(t.Context(), "select portal.set_standing_run(1, '2026-06-05', 'skip')"); err == nil ||
		!strings.Contains(err.Error(), "was made already") {
		t.Errorf("skip what was made: %v", err)
	}
	s.exec("select portal.set_standing_run(1, '2026-06-09', 'skip'); update portal.standing_order set paused = true")
	for _, clock := range []string{"2026-06-07 15:00-04", "2026-06-10 15:00-04", "2026-06-14 14:00-04"} {
		s.is("paused at "+clock, s.at(clock), "")
	}
	s.exec("update portal.standing_order set paused = false")
	s.is("resumed before the next is due", s.run(), "announced:1")
	s.is("due", s.at("2026-06-14 15:00-04"), "made:1")
	s.is("runs", s.runs(), "06-05 made, 06-09 skipped, 06-16 made")

	s.exec("update portal.standing_order set paused = true")
	s.at("2026-06-17 15:30-04") // Friday's should have been made
	s.exec("update portal.standing_order set paused = false")
	s.is("what was paused away stays away", s.run(), "")
	s.exec("update portal.standing_order set ends_on = '2026-06-22'")
	s.is("ended", s.at("2026-06-21 15:00-04"), "")
	s.is("runs", s.runs(), "06-05 made, 06-09 skipped, 06-16 made")
}

// After an outage, dates whose cutoff has passed are told and not made; one
// whose cutoff is ahead is made late rather than never.
func TestStandingOrderOutage(t *testing.T) {
	t.Parallel()
	s := newStanding(t)
	s.is("a week later", s.at("2026-06-11 14:59:59-04"), "made:1 missed:2")
	s.is("runs", s.runs(), "06-05 missed, 06-09 missed, 06-12 made")
	if got := pgtest.Value[string](t, s.DB,
		"select text from portal.notice where kind = 'warning' order by notice_id limit 1"); !strings.HasPrefix(got,
		"Standing order “Weekly” for Fri 5 Jun was not sent: its cutoff, Thu 4 Jun 15:00, passed") {
		t.Errorf("notice: %s", got)
	}
	s.is("the cutoff itself is late", s.at("2026-06-15 15:00-04"), "missed:1")
}

// Lines that cannot be had are left out and named; where nothing is left, or a
// rule refuses the whole, there is no order, and it may be tried again.
func TestStandingOrderRefusals(t *testing.T) {
	t.Parallel()
	s := newStanding(t)
	s.exec(`insert into portal.standing_order_line (standing_order_id, item_id, uom, qty) values (1, 3, 'EA', 10);
		update portal.standing_order_line set qty = 6 where item_id = 2;
		update erp.item set discontinued = true where item_id = 3`)
	s.is("due", s.at("2026-06-03 15:00-04"), "made:1")
	s.is("order", s.orders(), "WEB SUBMITTED Weekly 2026-06-05 PO-7 60.00")
	s.is("notice", s.notice(), "warning: Order SO-100001 was sent from the standing order “Weekly” for Fri 5 Jun. Left "+
		"out: LAST1: 5 left. SALT1 is discontinued. /orders/SO-100001")

	for n, c := range []struct{ what, change, back, why string }{
		{"minimum", "update erp.web_access set min_order = 100", "update erp.web_access set min_order = null",
			"Your minimum order is 100.00: 40.00 is missing."},
		{"maximum", "update erp.web_access set max_order = 50", "update erp.web_access set max_order = null",
			"Your maximum order is 50.00: this is 10.00 over."},
		{"credit", "update erp.web_access set credit_check = 'block'; update erp.customer set credit_limit = 1",
			"update erp.customer set credit_limit = null", "Your account cannot take this order at the moment. Please call us."},
		{"view only", "update erp.web_access set can_order = false", "update erp.web_access set can_order = true",
			"Your account may look but not order. Please call us to order."},
		{"no PO", "update erp.web_access set require_po = true; update portal.standing_order set po_no = ''",
			"update erp.web_access set require_po = false; update portal.standing_order set po_no = 'PO-7'",
			"Enter your PO number: your orders need one."},
		{"all withdrawn", "update erp.item set active = false", "update erp.item set active = true",
			"No line of it can be ordered now. OIL5 is not available to your account. LAST1 is not available to your " +
				"account. SALT1 is not available to your account."},
	} {
		before := s.orders()
		day := pgtest.Value[string](t, s.DB, fmt.Sprintf("select to_char(date '2026-06-09' + %d, 'YYYY-MM-DD')", 7*n))
		s.exec(c.change)
		due := pgtest.Value[string](t, s.DB, "select (timestamptz '"+day+" 15:00-04' - interval '2 days')::text")
		s.at("2026-06-05 12:00-04")
		s.exec(
			"delete from portal.standing_run where run_date > '2026-06-05'; update portal.standing_order set starts_on = '" +
				day + "', active_since = '2026-06-01'; select erp.set_clock('2026-06-01')")
		s.is(c.what, s.at(due), "failed:1")
		s.is(c.what+" makes nothing", s.orders(), before)
		if !strings.Contains(s.notice(), "could not be sent, and nothing was ordered. "+c.why) {
			t.Errorf("%s: %s", c.what, s.notice())
		}
		if strings.Contains(pgtest.Value[string](t, s.DB, "select string_agg(findings::text, '') from portal.standing_run"),
			`"room"`) {
			t.Errorf("%s: credit figures are kept where the customer may read", c.what)
		}
		s.is("not by itself again", s.run(), "")
		s.exec(c.back)
		s.exec("select portal.set_standing_run(1, '" + day + "', 'retry')")
		s.is(c.what+", tried again", s.run(), "made:1")
	}
	if _, err := s.Pool.Exec(t.Context(), "select portal.set_standing_run(1, '2026-06-05', 'retry')"); err == nil {
		t.Error("what was made is tried again")
	}
}

// Every n-th run, and every n weeks on a weekday, with and without a route.
func TestStandingOrderRhythms(t *testing.T) {
	t.Parallel()
	s := newStanding(t)
	dates := func(id int) string {
		return pgtest.Value[string](t, s.DB,
			fmt.Sprintf(
				`select coalesce(string_agg(to_char(run_date, 'MM-DD') || case when delivery_date <> run_date
					then '>' || to_char(delivery_date, 'MM-DD') else '' end
			|| to_char(cutoff at time zone 'America/New_York', ' DD HH24:MI'), ', ' order by delivery_date), '')
			from portal.standing_dates(%d, 4)`, id))
	}
	s.exec(`insert into portal.standing_order (customer_id, name, every) values (1, 'Second', 2);
		insert into portal.standing_order (customer_id, name, rhythm, every, weekday) values (1, 'Mondays', 'weeks', 2, 1),
			(2, 'Thursdays', 'weeks', 1, 4);
		insert into portal.standing_order (customer_id, name) values (2, 'Nowhere')`)
	s.is("every second run, the first since the start too late", dates(2),
		"06-09 08 15:00, 06-16 15 15:00, 06-23 22 15:00, 06-30 29 15:00")
	s.is("every other Monday, on the run after it", dates(3),
		"06-15>06-16 15 15:00, 06-29>06-30 29 15:00, 07-13>07-14 13 15:00, 07-27>07-28 27 15:00")
	s.is("Thursdays without a route", dates(4), "06-04 03 15:00, 06-11 10 15:00, 06-18 17 15:00, 06-25 24 15:00")
	s.is("runs without a route", dates(5), "")
	s.exec(
		`insert into portal.standing_run (standing_order_id, run_date, delivery_date, outcome)
			values (2, '2026-06-09', '2026-06-09', 'made'), (2, '2026-06-23', '2026-06-23', 'skipped');
		insert into erp.route_holiday (holiday, replacement) values ('2026-06-12', null), ('2026-06-23', '2026-06-24')`)
	s.is("a dropped run does not count, a moved one keeps its name", dates(2),
		"06-19 18 15:00, 06-26 25 15:00, 07-03 02 15:00, 07-10 09 15:00")
	s.exec(
		"delete from erp.route_holiday where holiday = '2026-06-12'; update portal.standing_order set hours_before = 48")
	s.is("skipped and moved", dates(2), "06-16 15 15:00, 06-23>06-24 23 15:00, 06-30 29 15:00, 07-07 06 15:00")
	// an address that is deleted takes no order elsewhere
	s.exec(`insert into erp.ship_to (ship_to_id, customer_id, code, name) values (8, 1, 'Y', 'Ours');
		update portal.standing_order set ship_to_id = 8 where standing_order_id = 1; delete from erp.ship_to
			where ship_to_id = 8`)
	s.is("paused", pgtest.Value[string](t, s.DB,
		"select paused::text from portal.standing_order where standing_order_id = 1"), "true")
	s.is("and told", s.notice(), "warning: Standing order “Weekly” is paused: the address it goes to was deleted. "+
		"Choose another and resume it. /standing-orders/1")

	pgtest.Exec(t, s.DB, "insert into erp.ship_to (ship_to_id, customer_id, code, name) values (7, 2, 'X', 'Theirs')")
	if _, err := s.Pool.Exec(t.Context(),
		"update portal.standing_order set ship_to_id = 7 where standing_order_id = 1"); err == nil {
		t.Error("a standing order goes to another customer's address")
	}
}

// The wall: a customer's requests see and touch their own standing orders and
// notices, and no other's.
func TestStandingOrdersOfOthers(t *testing.T) {
	t.Parallel()
	s := newStanding(t)
	s.at("2026-06-02 15:00-04")
	s.exec("insert into portal.login (login_id, customer_id, email, password_hash) overriding system value values (2, " +
		"2, 'two@x.example', '$2a$04$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')")
	store := sql.NewStandingStore(s.db)
	two := portal.Session{ID: 1, LoginID: 2, CustomerID: 2, Email: "two@x.example", Role: portal.RoleBuyer}
	if list, err := store.StandingOrders(t.Context(), two); err != nil || len(list) != 0 {
		t.Errorf("list: %v %v", list, err)
	}
	if list, err := store.Notices(t.Context(), two); err != nil || len(list) != 0 {
		t.Errorf("notices: %v %v", list, err)
	}
	_, read := store.StandingOrder(t.Context(), two, 1)
	_, _, save := store.SaveStandingOrder(t.Context(), two, 1,
		portal.StandingOrderEdit{Name: "Mine", Rhythm: "weeks", Weekday: "1"}, nil)
	_, lines := store.SetStandingLines(t.Context(), two, 1, []portal.EntryRow{{Ref: "OIL5", Qty: "1"}}, "")
	for what, err := range map[string]error{"read": read, "save": save, "lines": lines,
		"pause":  store.PauseStandingOrder(t.Context(), two, 1, true),
		"skip":   store.SetStandingRun(t.Context(), two, 1, day("2026-06-09"), "skip"),
		"delete": store.DeleteStandingOrder(t.Context(), two, 1), "put away": store.PutAway(t.Context(), two, 1)} {
		if portal.ErrorCode(err) != portal.CodeNotFound {
			t.Errorf("%s: %v", what, err)
		}
	}
	tx, err := s.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	var rows int
	if _, err := tx.Exec(t.Context(),
		"select set_config('portal.customer_id', '2', true); set local role portal_web"); err != nil {
		t.Fatal(err)
	}
	if err := tx.QueryRow(t.Context(),
		`select (select count(*) from portal.standing_order where customer_id = 1) + (select count(*)
			from portal.standing_order_line)
		+ (select count(*) from portal.standing_run) + (select count(*) from portal.notice)`).Scan(&rows); err != nil ||
		rows != 0 {
		t.Errorf("the role of C2's requests sees %d rows of C1 (%v)", rows, err)
	}
}

// Skipping a date while the job makes its order: one of the two comes first,
// and the other finds that out.
func TestStandingOrderSkipRacesJob(t *testing.T) {
	t.Parallel()
	s := newStanding(t)
	s.exec(`insert into portal.standing_order (customer_id, name) select 1, 'N' || g from generate_series(2, 12) g;
		insert into portal.standing_order_line (standing_order_id, item_id, uom, qty) select standing_order_id, 1, 'EA', 1
			from portal.standing_order where name <> 'Weekly';
		select erp.set_clock('2026-06-03 15:00-04')`)
	skipped := make([]bool, 13)
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := s.work.RunStandingOrders(t.Context()); err != nil {
			t.Error(err)
		}
	})
	for id := 1; id <= 12; id++ {
		wg.Go(func() {
			_, err := s.Pool.Exec(t.Context(), "select portal.set_standing_run($1, '2026-06-05', 'skip')", id)
			skipped[id] = err == nil
		})
	}
	wg.Wait()
	s.run()
	for id := 1; id <= 12; id++ {
		got := pgtest.Value[string](t, s.DB,
			`select r.outcome || ' ' || (select count(*) from erp.sales_order o join portal.standing_order n
				on n.name = o.standing_order where n.standing_order_id = $1)
			from portal.standing_run r where r.standing_order_id = $1`, id)
		if want := map[bool]string{true: "skipped 0", false: "made 1"}[skipped[id]]; got != want {
			t.Errorf("standing order %d: %s, want %s", id, got, want)
		}
	}
}
