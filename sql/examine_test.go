package sql_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal/internal/pgtest"
	"portal.example/portal/jobs"
	"portal.example/portal/sql"
)

// A database on which much is not as it should be: the doctor finds all of it,
// and says what to do.
func TestExamineFinds(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := pgtest.Private(t)
	if err := sql.Migrate(ctx, db.URL, jobs.Migrate); err != nil {
		t.Fatal(err)
	}
	connect := func(name string) *pgx.Conn {
		config, err := pgx.ParseConfig(db.URL)
		if err != nil {
			t.Fatal(err)
		}
		config.RuntimeParams["application_name"] = name
		conn, err := pgx.ConnectConfig(ctx, config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close(ctx) })
		return conn
	}
	examine := func() map[string]sql.Checkup {
		found, err := sql.Examine(ctx,
			sql.Examination{URL: db.URL, Stuck: time.Millisecond, LongTransaction: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		bad := map[string]sql.Checkup{}
		for _, f := range found {
			if !f.OK {
				bad[f.What] = f
			}
		}
		return bad
	}
	if bad := examine(); len(bad) != 0 {
		t.Errorf("a fresh database: %+v", bad)
	}

	pgtest.Exec(t, db, `select pg_create_physical_replication_slot('old_standby', true);
		insert into portal.event (kind, at) values ('catalog', now() - interval '90 hours');
		insert into river.river_job (args, kind, queue, state, max_attempts, attempt, finalized_at)
			values ('{}', 'housekeeping', 'default', 'completed', 1, 1, now() - interval '3 hours')`)
	for range 5 { // a segment each
		pgtest.Exec(t, db, "insert into portal.event (kind) values ('catalog')")
		pgtest.Exec(t, db, "select pg_switch_wal()")
	}
	for _, name := range []string{"portal listener", "month end"} {
		if _, err := connect(name).Exec(ctx, "begin; insert into portal.event (kind) values ('catalog')"); err != nil {
			t.Fatal(err)
		}
	}
	bad := examine()
	for _, want := range []struct{ what, advice string }{
		{"no replication slot keeps WAL", "old_standby holds"},
		{"the event log has about", "Look for long transactions"},
		{"housekeeping prunes the event log", "is a node running"},
		{"no listener of the portal hangs (1 listen, 1 hang)", "pg_terminate_backend"},
		{"no transaction has been open", "(month end) for"},
	} {
		found := false
		for what, f := range bad {
			if strings.HasPrefix(what, want.what) {
				found = true
				delete(bad, what)
				if !strings.Contains(f.Advice, want.advice) {
					t.Errorf("%s: advises %q", what, f.Advice)
				}
			}
		}
		if !found {
			t.Errorf("not found: %s", want.what)
		}
	}
	if len(bad) != 0 {
		t.Errorf("found as well: %+v", bad)
	}
}

// What operators see of the database, read by the role that has least of it.
func TestOpsFigures(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	d := pgtest.New(t)
	db, err := sql.Open(ctx, sql.Config{URL: d.URL, WebConns: 1, DeskConns: 1, WorkConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	pgtest.Exec(t, d,
		`insert into portal.event (kind, at) values ('catalog', now() - interval '1 hour'), ('catalog', now());
		insert into portal.mail (key, kind, recipient, status, created_at)
			values ('a', (select kind from portal.news_kind limit 1), 'a@x.example', 'queued',
			erp.now() - interval '10 minutes'), ('b', (select kind from portal.news_kind limit 1), 'b@x.example', 'failed',
			erp.now());
		insert into erp.customer (customer_no, name) values ('C1', 'One');
		insert into portal.statement (customer_id, period_from, period_to, status) select customer_id, '2026-01-01',
			'2026-01-31', s from erp.customer, unnest(array['FAILED', 'QUEUED']) s;
		select portal.prove_prices(true)`)
	store := sql.NewOpsStore(db)
	f, err := store.Figures(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if f.Bytes < 1<<20 || f.Connections < 1 || f.MaxConnections < f.Connections || !f.SeesAll || f.LogBytes == 0 ||
		f.LogOldestSeconds < 3600 || f.LogOldestSeconds > 3700 ||
		f.NotifyUsage != 0 || f.MailsQueued != 1 || f.MailsFailed != 1 || f.StatementsFailed != 1 ||
		f.MailOldestSeconds < 600 || f.ProofAt == nil || f.ProofOpen != 0 {
		t.Errorf("%+v", f)
	}
	// the role is back, for who takes the connection next
	var role string
	if err := db.Work.QueryRow(ctx, "select current_user").Scan(&role); err != nil || role != "portal_work" {
		t.Errorf("%s, %v", role, err)
	}
}
