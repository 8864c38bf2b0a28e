package sql_test

import (
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql"
)

func openWork(t testing.TB, db *pgtest.DB) *sql.DB {
	t.Helper()
	store, err := sql.Open(t.Context(), sql.Config{URL: db.URL, WebConns: 1, DeskConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	return store
}

func prune(t testing.TB, house *sql.Housekeeper, olderThan time.Duration) int64 {
	t.Helper()
	n, err := house.PruneEvents(t.Context(), olderThan)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func eventRefs(t testing.TB, db *pgtest.DB) []string {
	t.Helper()
	return pgtest.Value[[]string](t, db, `select coalesce(array_agg(ref order by ref), '{}') from portal.event`)
}

func floor(t testing.TB, db *pgtest.DB) string {
	t.Helper()
	return pgtest.Value[string](t, db, `select pruned_xid::text from portal.event_floor`)
}

// The transactions here are of long ago: those running in other databases of
// the server would keep newer ones from being pruned.
func TestPruneEvents(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	house := sql.NewHousekeeper(openWork(t, db).Work)
	pgtest.Exec(t, db, `insert into portal.event (kind, ref, xid, at) values
		('notice', 'a', '10', now() - interval '74 hours'), ('notice', 'b', '100', now() - interval '73 hours'),
		('notice', 'c', '20', now() - interval '71 hours'), ('notice', 'd', '200', now())`)

	if n := prune(t, house, 72*time.Hour); n != 2 {
		t.Errorf("%d pruned", n)
	}
	if got := eventRefs(t, db); !slices.Equal(got, []string{"c", "d"}) {
		t.Errorf("left: %v", got)
	}
	if got := floor(t, db); got != "100" {
		t.Errorf("the floor is at %s, not at the highest transaction pruned", got)
	}

	// Nothing to prune moves nothing; an older transaction's event, written
	// late, does not lower the floor.
	if n := prune(t, house, 72*time.Hour); n != 0 {
		t.Errorf("%d pruned", n)
	}
	pgtest.Exec(t, db,
		`insert into portal.event (kind, ref, xid, at) values ('notice', 'e', '9', now() - interval '80 hours')`)
	if n := prune(t, house, 72*time.Hour); n != 1 {
		t.Errorf("%d pruned", n)
	}
	if got := floor(t, db); got != "100" {
		t.Errorf("the floor moved to %s", got)
	}
}

func TestPruneEventsInBatches(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	house := sql.NewHousekeeper(openWork(t, db).Work)
	pgtest.Exec(t, db,
		`insert into portal.event (kind, xid, at) select 'notice', g::text::xid8, now() - interval '73 hours'
			from generate_series(3, 502) g, generate_series(1, 5)`)
	if n := prune(t, house, 72*time.Hour); n != 2500 {
		t.Errorf("%d pruned", n)
	}
	if got := floor(t, db); got != "502" {
		t.Errorf("the floor is at %s", got)
	}
}

// While a transaction runs, a cursor may be waiting for it: what is above it
// stays, however old.
func TestPruneEventsSparesWhatACursorMayWaitFor(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	house := sql.NewHousekeeper(openWork(t, db).Work)
	ctx := t.Context()
	tx, err := db.Pool.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(ctx)
	if _, err := tx.Exec(ctx,
		`insert into portal.event (kind, ref, at) values ('notice', 'slow', now() - interval '73 hours')`); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, db, `insert into portal.event (kind, ref, at) values ('notice', 'quick', now() - interval '73 hours')`)
	// A cursor of now has seen quick, and not slow.
	cursor := pgtest.Value[string](t, db, `select pg_current_snapshot()::text`)
	if n := prune(t, house, 72*time.Hour); n != 0 {
		t.Errorf("%d pruned", n)
	}
	if err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	// Transactions of other databases hold it up for a moment.
	for deadline := time.Now().Add(time.Minute); len(eventRefs(t, db)) > 0; prune(t, house, 72*time.Hour) {
		if time.Now().After(deadline) {
			t.Fatal("nothing is pruned")
		}
	}
	// Whatever a cursor has not seen is at or below the floor, so the floor is
	// not below the cursor's oldest open transaction.
	if !pgtest.Value[bool](t, db, `select f.pruned_xid >= pg_snapshot_xmin($1::pg_snapshot) from portal.event_floor f`,
		cursor) {
		t.Error("the cursor is not below the floor")
	}
	// And a cursor from after has missed nothing.
	if pgtest.Value[bool](t, db,
		`select f.pruned_xid >= pg_snapshot_xmin(pg_current_snapshot()) from portal.event_floor f`) {
		t.Error("a new cursor is below the floor")
	}
}

func TestEndExpiredSessions(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	house := sql.NewHousekeeper(openWork(t, db).Work)
	conn, err := pgx.Connect(t.Context(), db.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	pgtest.Exec(t, db, `
		insert into erp.customer (customer_id, customer_no, name) values (1, 'C1001', 'Corner Shop');
		insert into portal.login (login_id, customer_id, staff_role, email, password_hash) values
			(1, 1, null, 'buyer@c1001.example', '$2a$04$' || repeat('x', 53)),
			(2, null, 'desk', 'desk@demo.example', '$2a$04$' || repeat('x', 53));
		insert into portal.session (session_id, login_id, token_hash, expires_at) values
			(11, 1, sha256('a'), erp.now() - interval '1 second'), (12, 1, sha256('b'), erp.now() + interval '1 hour'),
			(21, 2, sha256('c'), erp.now() - interval '1 day');
		insert into portal.login_try (account, place, failed_count, failed_since, locked_until) values
			('', 'counts', 3, erp.now() - interval '10 minutes', null),
			('', 'locked', 30, erp.now() - interval '20 minutes', erp.now() + interval '5 minutes'),
			('', 'over', 30, erp.now() - interval '40 minutes', erp.now() - interval '10 minutes'),
			('', 'stale', 3, erp.now() - interval '16 minutes', null);
		insert into portal.login_device (login_id, device, seen_at) values
			(1, sha256('used'), erp.now() - interval '300 days'), (1, sha256('gone'), erp.now() - interval '367 days');
		insert into portal.link_asked (kind, subject, asked_at) values
			('reset', 'counts', erp.now() - interval '59 minutes'), ('reset', 'over', erp.now() - interval '61 minutes');
		insert into portal.unknown_proxy (source, node, last_at) values
			('10.0.0.1', 'a', erp.now() - interval '6 days'), ('10.0.0.2', 'a', erp.now() - interval '8 days')`)
	if _, err := conn.Exec(t.Context(),
		`listen portal_event; insert into portal.event_node (name, wants_notify) values ('the test', true)`); err != nil {
		t.Fatal(err)
	}

	n, err := house.EndExpiredSessions(t.Context())
	if err != nil || n != 2 {
		t.Fatalf("%d ended, %v", n, err)
	}
	if _, err := conn.WaitForNotification(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := pgtest.Value[[]string](t, db,
		`select array_agg(ref || ' of ' || coalesce(customer_id::text, 'staff') order by ref)
		from portal.event where kind = 'session'`); !slices.Equal(got, []string{"11 of 1", "21 of staff"}) {
		t.Errorf("events %q", got)
	}
	if got := pgtest.Value[[]int64](t, db, `select array_agg(session_id) from portal.session`); !slices.Equal(got,
		[]int64{12}) {
		t.Errorf("sessions left: %v", got)
	}
	if got := pgtest.Value[[]string](t, db,
		`select array_agg(place order by place) from portal.login_try`); !slices.Equal(got, []string{"counts", "locked"}) {
		t.Errorf("tries left: %q", got)
	}
	if got := pgtest.Value[string](t, db,
		`select concat_ws(' ', (select count(*) from portal.login_device where device = sha256('used')),
			(select count(*) from portal.login_device),
		(select string_agg(subject, ',') from portal.link_asked), (select string_agg(source, ',')
		from portal.unknown_proxy))`); got != "1 1 counts 10.0.0.1" {
		t.Errorf("left: %s", got)
	}
	if n, err := house.EndExpiredSessions(t.Context()); err != nil || n != 0 {
		t.Errorf("again: %d ended, %v", n, err)
	}
}

func TestCheckInvariants(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	house := sql.NewHousekeeper(openWork(t, db).Work)
	got, err := house.CheckInvariants(t.Context())
	if err != nil || len(got) != 0 {
		t.Fatalf("%v, %v", got, err)
	}

	// A wrong total needs a program that goes around the triggers.
	pgtest.Exec(t, db, `
		insert into erp.customer (customer_id, customer_no, name) values (1, 'C1001', 'Corner Shop');
		set session_replication_role = replica;
		insert into erp.sales_order (order_no, customer_id, total) values ('SO-1', 1, 5);
		insert into erp.order_status_history (order_id, to_status) select order_id, status from erp.sales_order;
		set session_replication_role = origin`)
	got, err = house.CheckInvariants(t.Context())
	want := portal.Violation{Invariant: "order_total", Subject: "SO-1", Detail: "total 5.00, lines 0"}
	if err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("%v, %v", got, err)
	}
	pgtest.Exec(t, db, `update erp.sales_order set total = 0`)
}

// Old mails and notifications go, but not what waits; secrets of links that have
// ended go; what waits without a job gets one.
func TestKeepMails(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pgtest.Exec(t, db, newsFixtures)
	pgtest.Exec(t, db, `
		insert into portal.mail (mail_id, key, kind, recipient, status, sent_at, created_at,
			secret) overriding system value values
			(1, 'a', 'order_shipped', 'x@y.example', 'sent', now(), now() - interval '91 days', ''),
			(2, 'b', 'order_shipped', 'x@y.example', 'failed', null, now() - interval '91 days', ''),
			(3, 'c', 'order_shipped', 'x@y.example', 'sent', now(), now() - interval '89 days', ''),
			(4, 'd', 'order_shipped', 'x@y.example', 'queued', null, now() - interval '91 days', ''),
			(5, 'e', 'password_reset', 'x@y.example', 'kept', null, now() - interval '61 minutes', 's'),
			(6, 'f', 'invitation', 'x@y.example', 'kept', null, now() - interval '61 minutes', 's'),
			(7, 'g', 'order_shipped', 'x@y.example', 'queued', null, now() - interval '59 minutes', ''),
			(8, 'h', 'order_shipped', 'x@y.example', 'queued', null, now() - interval '2 hours', '');
		select portal.enqueue_mails(array[8]);
		insert into portal.password_reset (login_id, token_hash, expires_at)
			values (1, sha256('1'), now() - interval '1 minute'), (2, sha256('2'), now() + interval '1 minute');
		insert into portal.notification (login_id, customer_id, kind, key, created_at)
			values (1, 1, 'statement', 'old', now() - interval '91 days'), (1, 1, 'statement', 'new', now())`)
	store, err := sql.Open(t.Context(), sql.Config{URL: db.URL, WebConns: 1, DeskConns: 1, WorkConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if n, err := sql.NewHousekeeper(store.Work).KeepMails(t.Context(), 90*24*time.Hour); n != 3 || err != nil {
		t.Errorf("%d gone, %v", n, err)
	}
	for what, want := range map[string]string{
		"select string_agg(mail_id || secret, ' ' order by mail_id) from portal.mail":                     "3 4 5 6s 7 8",
		"select string_agg(key, ' ') from portal.notification":                                            "new",
		"select string_agg(login_id::text, ' ') from portal.password_reset":                               "2",
		"select string_agg(args ->> 'mail_id', ' ' order by id) from river.river_job where kind = 'mail'": "8 4",
	} {
		if got := pgtest.Value[string](t, db, what); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
}
