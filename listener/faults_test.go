package listener_test

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
)

// More of what every source must pass: starts, gaps and servers that go away.

// each runs a test against every source, each on a database of its own, which
// the test starts when it is ready.
func each(t *testing.T, database func(testing.TB) *pgtest.DB,
	test func(*testing.T, *pgtest.DB, func(*pgtest.DB) portal.EventSource)) {
	t.Parallel()
	for name, open := range sources {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, database(t), func(db *pgtest.DB) portal.EventSource { return open(t, db) })
		})
	}
}

func (s *stream) resyncs() (n int) {
	batches, _ := s.soFar()
	for _, b := range batches {
		if b.Resync {
			n++
		}
	}
	return n
}

// An ERP's batch may be open for hours when the portal starts, with a thousand
// others coming and going.
func TestStartsBesideOpenTransactionAndWriters(t *testing.T) {
	each(t, pgtest.New, func(t *testing.T, db *pgtest.DB, open func(*pgtest.DB) portal.EventSource) {
		docs := newDocuments(t, db, 20)
		long := begin(t, db)
		tell(t, long, "long 1")
		s := start(t, open(db))
		for w := range 4 {
			docs.write(w, 50)
		}
		emit(t, db, "meanwhile")
		s.until("meanwhile")
		second := begin(t, db) // of which a slot sees the beginning
		tell(t, second, "second")
		commit(t, long)
		s.until("long 1")
		for w := range 4 {
			docs.write(10+w, 50)
		}
		docs.writers.Wait()
		commit(t, second)
		refs := s.finish(db)
		docs.check(s)
		s.checkCursors(db)
		refs = slices.DeleteFunc(refs, func(ref string) bool { return strings.HasPrefix(ref, "doc ") })
		s.want(refs, "meanwhile", "long 1", "second")
	})
}

func TestBulkUpdateTellsEveryDocumentOnce(t *testing.T) {
	conform(t, func(t *testing.T, db *pgtest.DB, s *stream) {
		docs := newDocuments(t, db, 2_000)
		for range 3 {
			pgtest.Exec(t, db, `with touched as (update document set version = version + 1 returning ref, version)
				select portal.emit('order', 1, ref, jsonb_build_object('version', version)) from touched`)
		}
		docs.write(1, 20)
		docs.writers.Wait()
		if refs := s.finish(db); len(refs) < 6_000 {
			t.Errorf("%d events", len(refs))
		}
		docs.check(s)
	})
}

// A fresh position comes though nothing happened but transactions without
// events: who comes back with an old one has more to read.
func TestIdleSourceHandsOutPositions(t *testing.T) {
	conform(t, func(t *testing.T, db *pgtest.DB, s *stream) {
		xid := pgtest.Value[string](t, db, `select pg_current_xact_id()::text`)
		s.wait("a position that sees "+xid, func() bool {
			return pgtest.Value[bool](t, db,
				`select pg_visible_in_snapshot($1::text::xid8, split_part($2, '@', 1)::pg_snapshot)`, xid,
				string(s.batches[len(s.batches)-1].Cursor))
		})
		if _, events := s.soFar(); len(events) != 0 {
			t.Errorf("events %v", events)
		}
	})
}

// Whoever empties the log takes what was not read yet away; that is said.
func TestLogTruncated(t *testing.T) {
	conform(t, func(t *testing.T, db *pgtest.DB, s *stream) {
		emit(t, db, "1")
		s.until("1")
		tx := begin(t, db)
		tell(t, tx, "2")
		if _, err := tx.Exec(context.Background(), `truncate portal.event`); err != nil {
			t.Fatal(err)
		}
		commit(t, tx)
		s.wait("the second event, or that there was something", func() bool {
			last := s.batches[len(s.batches)-1]
			return last.Resync || s.events[len(s.events)-1].Ref == "2"
		})
		emit(t, db, "3")
		s.until("3")
		if got := s.finish(db); !slices.Equal(got, []string{"1", "2", "3"}) && !slices.Equal(got, []string{"1", "3"}) {
			t.Errorf("got %v", got)
		}
	})
}

// shut keeps everybody out of a database, and the listeners first of all, until
// what it returns is called.
func shut(t testing.TB, db *pgtest.DB) (open func()) {
	t.Helper()
	allow := func(yes bool) {
		// no database can shut itself
		conn, err := pgx.Connect(context.Background(), db.Server().URL("postgres"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		if _, err := conn.Exec(context.Background(),
			fmt.Sprintf(`alter database %s with allow_connections %v`, db.Name, yes)); err != nil {
			t.Fatal(err)
		}
	}
	pgtest.Exec(t, db, `select 'a connection of ours stays'`)
	allow(false)
	if terminate(t, db, false) == 0 {
		t.Error("nobody was there")
	}
	return func() { allow(true) }
}

func TestEventsWhileAway(t *testing.T) {
	conform(t, func(t *testing.T, db *pgtest.DB, s *stream) {
		emit(t, db, "1")
		s.until("1")
		before := begin(t, db)
		tell(t, before, "open before")
		across := begin(t, db)
		tell(t, across, "open across")
		open := shut(t, db)
		commit(t, before)
		emit(t, db, "2", "3")
		open()
		s.until("3")
		commit(t, across)
		s.want(s.finish(db), "1", "open before", "2", "3", "open across")
		s.checkCursors(db)
		if n := s.resyncs(); n != 0 {
			t.Errorf("%d resyncs", n)
		}
	})
}

// Nothing of the old server is waited for; what the new one lacks, or has given
// the same numbers, is covered by a resync.
func TestFailsOverToPromotedStandby(t *testing.T) {
	each(t, pgtest.Private, func(t *testing.T, db *pgtest.DB, open func(*pgtest.DB) portal.EventSource) {
		standby := db.Server().Standby(t)
		both := *db
		both.URL = eitherOf(t, db.URL, standby.URL(db.Name))
		s := listen(t, open(&both))
		emit(t, db, "1")
		s.until("1")
		second := pgtest.Connect(t, standby, db.Name)
		at := pgtest.Value[string](t, db, `select pg_current_wal_insert_lsn()::text`)
		eventually(t, "the standby has it all", func() bool {
			return pgtest.Value[bool](t, second, `select pg_last_wal_replay_lsn() >= $1::text::pg_lsn`, at)
		})
		db.Server().Kill(t)
		if !pgtest.Value[bool](t, second, `select pg_promote()`) {
			t.Fatal("not promoted")
		}
		emit(t, second, "2")
		s.wait("a resync", func() bool {
			return slices.ContainsFunc(s.batches, func(b portal.Batch) bool { return b.Resync })
		})
		if got := s.finish(second); !slices.Equal(got, []string{"1", "2"}) && !slices.Equal(got, []string{"1"}) {
			t.Errorf("got %v", got)
		}
	})
}

// eitherOf is the URL that finds whichever of two servers takes writes.
func eitherOf(t testing.TB, one, two string) string {
	t.Helper()
	a, err := url.Parse(one)
	if err != nil {
		t.Fatal(err)
	}
	b, err := url.Parse(two)
	if err != nil {
		t.Fatal(err)
	}
	q := a.Query()
	q.Set("host", q.Get("host")+","+b.Query().Get("host"))
	q.Set("port", fmt.Sprintf("%s,%s", q.Get("port"), b.Query().Get("port")))
	q.Set("target_session_attrs", "read-write")
	a.RawQuery = q.Encode()
	return a.String()
}
