package pgtest

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"portal.example/portal/internal/localpg"
)

func TestMain(m *testing.M) { Main(m) }

// recorder stands in for the test that is given a database, and keeps its
// failures to itself.
type recorder struct {
	testing.TB
	failures []string
	cleanups []func()
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Failed() bool     { return len(r.failures) > 0 }
func (r *recorder) Errorf(f string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(f, args...))
}
func (r *recorder) Fatalf(f string, args ...any) { r.Errorf(f, args...); runtime.Goexit() }
func (r *recorder) Fatal(args ...any)            { r.Fatalf("%s", fmt.Sprint(args...)) }

// record runs a test with its cleanups, as the testing package does, and
// returns its failures.
func record(t testing.TB, test func(testing.TB)) []string {
	r := &recorder{TB: t}
	run := func(f func()) {
		done := make(chan struct{})
		go func() { defer close(done); f() }()
		<-done
	}
	run(func() { test(r) })
	for i := len(r.cleanups) - 1; i >= 0; i-- {
		run(r.cleanups[i])
	}
	return r.failures
}

func TestDatabasesAreApart(t *testing.T) {
	t.Parallel()
	for i := range 4 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			db := New(t)
			Exec(t, db, `create table mine (n int); create schema own`)
			Exec(t, db, `insert into mine values ($1)`, i)
			if got := Value[[]int](t, db, `select array_agg(n) from mine`); len(got) != 1 || got[0] != i {
				t.Errorf("test %d sees %v", i, got)
			}
		})
	}
}

func TestEndDropsTheDatabase(t *testing.T) {
	t.Parallel()
	var name string
	var stray *DB
	if failures := record(t, func(tb testing.TB) {
		stray = Empty(tb)
		name = stray.Name
		Exec(tb, stray, `create table t ()`)
	}); len(failures) != 0 {
		t.Errorf("failures: %q", failures)
	}
	db := Empty(t)
	if Value[bool](t, db, `select exists (select from pg_database where datname = $1)`, name) {
		t.Errorf("%s is left", name)
	}
	if err := stray.Pool.Ping(context.Background()); err == nil {
		t.Error("its pool still works")
	}
}

func TestEndDoesNotHang(t *testing.T) {
	t.Parallel()
	var name string
	failures := record(t, func(tb testing.TB) {
		db := Empty(tb)
		name = db.Name
		if _, err := db.Pool.Begin(context.Background()); err != nil {
			tb.Fatal(err)
		}
	})
	if len(failures) != 1 || !strings.Contains(failures[0], "1 connections of the pool were not given back") {
		t.Errorf("failures: %q", failures)
	}
	if Value[bool](t, Empty(t), `select exists (select from pg_database where datname = $1)`, name) {
		t.Errorf("%s is left", name)
	}
}

func TestInvariantsAreChecked(t *testing.T) {
	t.Parallel()
	failures := record(t, func(tb testing.TB) {
		Exec(tb, Empty(tb), `
			create schema erp;
			create function erp.check_invariants() returns table (rule text, detail text)
				language sql as $$ values ('balance', 'C1001 is off by 0.01'), ('stock', 'OIL5') $$`)
	})
	if len(failures) != 2 || !strings.Contains(failures[0], `{"rule": "balance", "detail": "C1001 is off by 0.01"}`) {
		t.Errorf("failures: %q", failures)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	db := Empty(t)
	for name, want := range map[string]string{
		"fsync": "off", "synchronous_commit": "off", "wal_level": "logical",
		"max_connections": "300", "max_prepared_transactions": "10", "application_name": t.Name(),
	} {
		if got := Value[string](t, db, `select current_setting($1)`, name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
}

func TestHelpersFailTheTest(t *testing.T) {
	t.Parallel()
	for sql, use := range map[string]func(testing.TB, *DB, string){
		`select 1 / 0`:                 func(tb testing.TB, db *DB, sql string) { Exec(tb, db, sql) },
		`select 1 where false`:         func(tb testing.TB, db *DB, sql string) { Value[int](tb, db, sql) },
		`select generate_series(1, 2)`: func(tb testing.TB, db *DB, sql string) { Value[int](tb, db, sql) },
	} {
		failures := record(t, func(tb testing.TB) { use(tb, Empty(tb), sql) })
		if len(failures) != 1 || !strings.Contains(failures[0], sql) {
			t.Errorf("%s: failures %q", sql, failures)
		}
	}
}

func TestPrivateServer(t *testing.T) {
	t.Parallel()
	db := Private(t)
	url := db.URL
	Exec(t, db, `create table kept (n int)`)
	for n, interrupt := range []func(testing.TB){
		db.Server().Restart,
		func(t testing.TB) { db.Server().Kill(t); db.Server().Start(t) },
		func(t testing.TB) { db.Server().Stop(t); db.Server().Start(t) },
	} {
		Exec(t, db, `insert into kept values ($1)`, n)
		interrupt(t)
		db.Pool.Reset() // its connections are dead; a caller finds out by an error
		if got := Value[int](t, db, `select count(*) from kept`); got != n+1 {
			t.Errorf("after interruption %d: %d rows", n, got)
		}
	}
	if got := db.Server().URL(db.Name); got != url {
		t.Errorf("the address changed from %s to %s", url, got)
	}
	db.Server().Kill(t) // and is left down
}

func TestSharedServerCannotBeStopped(t *testing.T) {
	t.Parallel()
	failures := record(t, func(tb testing.TB) { Empty(tb).Server().Restart(tb) })
	if len(failures) != 1 || !strings.Contains(failures[0], "shared with other tests") {
		t.Errorf("failures: %q", failures)
	}
	Empty(t)
}

func TestSweep(t *testing.T) {
	t.Parallel()
	live := Empty(t)
	dir, err := newDir()
	if err != nil {
		t.Fatal(err)
	}
	// The remains of a process that died: files, and nobody's lock.
	if err := os.MkdirAll(dir+"/data/base", 0o700); err != nil {
		t.Fatal(err)
	}
	sweep()
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("a directory just made is gone: %v", err)
	}
	old := time.Now().Add(-2 * young)
	if err := os.Chtimes(dir, old, old); err != nil {
		t.Fatal(err)
	}
	sweep()
	if _, err := os.Stat(dir); err == nil {
		t.Errorf("%s is left", dir)
	}
	if _, err := os.Stat(shared.dir + "/data"); err != nil {
		t.Error(err)
	}
	if err := localpg.Remove(shared.dir); err == nil {
		t.Error("a live directory could be removed")
	}
	Exec(t, live, `select 1`)
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		if failures := record(b, func(tb testing.TB) { New(tb) }); len(failures) != 0 {
			b.Fatal(failures)
		}
	}
}
