package pgtest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"portal.example/portal/internal/localpg"
)

// DB is the database of one test. It and its pool end with the test.
type DB struct {
	Name string
	URL  string        // superuser's connection URL
	Pool *pgxpool.Pool // as superuser; closed at the end of the test

	server *Server
}

// Server returns the server the database is on.
func (db *DB) Server() *Server { return db.server }

// New returns a database with the portal's schema and no data. When the test
// has ended and the database has a function erp.check_invariants(), every row
// that it returns is a failure of the test.
func New(t testing.TB) *DB {
	t.Helper()
	must(t, shared.start())
	return sharedDB(t, template)
}

// Empty returns a database without any schema of ours.
func Empty(t testing.TB) *DB {
	t.Helper()
	must(t, shared.start())
	return sharedDB(t, "")
}

func sharedDB(t testing.TB, from string) *DB {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	name, err := shared.create(ctx, from)
	must(t, err)
	db, err := open(t, &Server{running: shared.server}, name)
	t.Cleanup(func() {
		db.end(t)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := shared.drop(ctx, name); err != nil {
			t.Errorf("pgtest: %v", err)
		}
	})
	must(t, err)
	return db
}

// open always returns a DB that end can be called on.
func open(t testing.TB, server *Server, name string) (*DB, error) {
	db := &DB{Name: name, URL: server.running.URL(name), server: server}
	cfg, err := pgxpool.ParseConfig(db.URL)
	if err != nil {
		return db, err
	}
	cfg.ConnConfig.RuntimeParams["application_name"] = t.Name() // cut to 63 bytes by PostgreSQL
	db.Pool, err = pgxpool.NewWithConfig(context.Background(), cfg)
	return db, err
}

// end checks the invariants and closes the pool, without waiting for ever: a
// test that failed inside a transaction has not given its connection back.
func (db *DB) end(t testing.TB) {
	if err := db.checkInvariants(t); err != nil {
		t.Errorf("pgtest: check invariants: %v", err)
	}
	if db.Pool == nil {
		return
	}
	closed := make(chan struct{})
	go func() { db.Pool.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(5 * time.Second):
		if !t.Failed() {
			t.Errorf("pgtest: %d connections of the pool were not given back: a transaction or rows left open",
				db.Pool.Stat().AcquiredConns())
		}
	}
}

func (db *DB) checkInvariants(t testing.TB) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, db.URL)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var exists bool
	err = conn.QueryRow(ctx, `select to_regprocedure('erp.check_invariants()') is not null`).Scan(&exists)
	if err != nil || !exists {
		return err
	}
	rows, err := conn.Query(ctx, `select to_jsonb(violation)::text from erp.check_invariants() violation`)
	if err != nil {
		return err
	}
	violations, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, violation := range violations {
		t.Errorf("invariant violated: %s", violation)
	}
	return nil
}

// Exec runs a statement, or several if there are no args, as superuser.
func Exec(t testing.TB, db *DB, sql string, args ...any) {
	t.Helper()
	ctx, cancel := statementContext(t)
	defer cancel()
	if _, err := db.Pool.Exec(ctx, sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// Value returns the one value that a query has to have, as superuser.
func Value[T any](t testing.TB, db *DB, sql string, args ...any) T {
	t.Helper()
	ctx, cancel := statementContext(t)
	defer cancel()
	rows, err := db.Pool.Query(ctx, sql, args...)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	v, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// statementContext outlives the test's own context, so that cleanups can ask
// the database, too.
func statementContext(t testing.TB) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(t.Context()), patience)
}

// Connect returns a database that is on a server already, as one that was copied
// with it to a standby. Its invariants are not checked.
func Connect(t testing.TB, server *Server, name string) *DB {
	t.Helper()
	db, err := open(t, server, name)
	must(t, err)
	t.Cleanup(db.Pool.Close)
	return db
}

// Private returns a database with the portal's schema on a server of its own,
// which the test may stop, kill and start again: see DB.Server. It is migrated
// like a house's, and takes about two seconds.
func Private(t testing.TB) *DB {
	t.Helper()
	shared.sweeping.Do(sweep)
	dir, err := newDir()
	must(t, err)
	s := &Server{private: true, cfg: localpg.Config{Dir: dir, Settings: settings("on")}}
	var db *DB
	t.Cleanup(func() {
		defer func() {
			if s.running != nil {
				s.running.StopNow()
			}
			if err := localpg.Remove(dir); err != nil {
				t.Errorf("pgtest: %v", err)
			}
		}()
		if db != nil {
			// The invariants hold after a crash as well, so a server that the
			// test left down comes up once more.
			s.Start(t)
			db.end(t)
		}
	})
	s.Start(t)

	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	const name = "portal"
	must(t, s.running.EnsureDatabase(ctx, name))
	if err := prepare(ctx, s.running.URL(name)); err != nil {
		must(t, fmt.Errorf("prepare: %w", err))
	}
	db, err = open(t, s, name)
	must(t, err)
	return db
}
