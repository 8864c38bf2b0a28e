package listener_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/listener"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// sources are all the ways to be woken. Each must pass every test of this file,
// which know portal.EventSource only.
var sources = map[string]func(testing.TB, *pgtest.DB) portal.EventSource{
	"notify": func(t testing.TB, db *pgtest.DB) portal.EventSource {
		return listener.NewNotify(listener.Config{ConnString: db.URL, Logger: logTo(t)})
	},
	"wal": func(t testing.TB, db *pgtest.DB) portal.EventSource {
		return listener.NewWAL(listener.WALConfig{Config: listener.Config{ConnString: db.URL, Logger: logTo(t)}})
	},
}

// patience bounds every wait; nothing here takes that long.
const patience = 30 * time.Second

// conform runs a test against every source, each on a database of its own.
func conform(t *testing.T, test func(*testing.T, *pgtest.DB, *stream)) {
	t.Parallel()
	for name, open := range sources {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.New(t)
			test(t, db, listen(t, open(t, db)))
		})
	}
}

// stream is what a running source has delivered.
type stream struct {
	t    testing.TB
	stop func() error // ends the source and returns Run's error

	mu      sync.Mutex
	batches []portal.Batch
	events  []portal.Event
	grown   chan struct{} // closed when more has come
}

// listen runs a source and waits until it works as it is meant to.
func listen(t testing.TB, source portal.EventSource) *stream {
	t.Helper()
	s := start(t, source)
	if w, ok := source.(*listener.WAL); ok { // or the log would be polled, as far as a short test goes
		eventually(t, "the stream stands", func() bool { return w.Stats().Streaming })
	}
	return s
}

// start runs a source and waits for the position it starts from.
func start(t testing.TB, source portal.EventSource) *stream {
	t.Helper()
	s := &stream{t: t, grown: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- source.Run(ctx, s.deliver) }()
	s.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() {
		if err := s.stop(); !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
	s.wait("the first position", func() bool { return len(s.batches) > 0 })
	return s
}

func (s *stream) deliver(b portal.Batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches = append(s.batches, b)
	s.events = append(s.events, b.Events...)
	close(s.grown)
	s.grown = make(chan struct{})
}

// wait returns when what has come satisfies ok, which is called under the lock.
func (s *stream) wait(what string, ok func() bool) {
	s.t.Helper()
	deadline := time.After(patience)
	for {
		s.mu.Lock()
		done, grown := ok(), s.grown
		s.mu.Unlock()
		if done {
			return
		}
		select {
		case <-grown:
		case <-deadline:
			batches, events := s.soFar()
			s.t.Fatalf("never came: %s; have %d events in %d batches", what, len(events), len(batches))
		}
	}
}

// until waits for an event of a ref.
func (s *stream) until(ref string) {
	s.t.Helper()
	s.wait("event "+ref, func() bool {
		return slices.ContainsFunc(s.events, func(e portal.Event) bool { return e.Ref == ref })
	})
}

// soFar returns what has come; the source goes on meanwhile.
func (s *stream) soFar() ([]portal.Batch, []portal.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.batches), slices.Clone(s.events)
}

// refs are those of all events so far, in the order they came.
func (s *stream) refs() []string {
	_, events := s.soFar()
	refs := make([]string, len(events))
	for i, e := range events {
		refs[i] = e.Ref
	}
	return refs
}

// finish writes a last event, waits for it, and returns all refs before it.
func (s *stream) finish(db *pgtest.DB) []string {
	s.t.Helper()
	emit(s.t, db, "the last")
	s.until("the last")
	refs := s.refs()
	return refs[:slices.Index(refs, "the last")]
}

func (s *stream) want(got []string, want ...string) {
	s.t.Helper()
	if !slices.Equal(got, want) {
		s.t.Errorf("got %v, want %v", got, want)
	}
}

// execer is a pool, a connection or a transaction.
type execer interface {
	Query(context.Context, string, ...any) (pgx.Rows, error)
}

// tell writes events as a trigger does, within what on is.
func tell(t testing.TB, on execer, refs ...string) {
	t.Helper()
	rows, _ := on.Query(context.Background(), `select portal.emit('order', 1, ref) from unnest($1::text[]) as ref`, refs)
	rows.Close()
	if err := rows.Err(); err != nil {
		t.Error(err)
	}
}

func emit(t testing.TB, db *pgtest.DB, refs ...string) {
	t.Helper()
	tell(t, db.Pool, refs...)
}

// begin opens a transaction that ends with the test at the latest.
func begin(t testing.TB, db *pgtest.DB) pgx.Tx {
	t.Helper()
	tx, err := db.Pool.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	return tx
}

func commit(t testing.TB, tx pgx.Tx) {
	t.Helper()
	if err := tx.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// terminate ends the connections of the portal's listeners to this database, or
// those for replication only, and waits until they have ended.
func terminate(t testing.TB, db *pgtest.DB, replication bool) int64 {
	t.Helper()
	return pgtest.Value[int64](t, db, `select count(*) filter (where pg_terminate_backend(pid, 5000)) from pg_stat_activity
		where datname = current_database() and application_name like 'portal listener%'
		and (not $1 or backend_type = 'walsender')`, replication)
}

func TestStartsFromNow(t *testing.T) {
	t.Parallel()
	for name, open := range sources {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.New(t)
			emit(t, db, "before")
			s := listen(t, open(t, db))
			batches, _ := s.soFar()
			if b := batches[0]; b.Cursor == "" || len(b.Events) != 0 || b.Resync {
				t.Errorf("first batch %+v", b)
			}
			emit(t, db, "after")
			s.want(s.finish(db), "after")
			batches, _ = s.soFar()
			if last := batches[len(batches)-1].Cursor; !pgtest.Value[bool](t, db,
				`select pg_snapshot_xmax(split_part($1, '@', 1)::pg_snapshot) >= pg_snapshot_xmax(split_part($2, '@',
					1)::pg_snapshot)`, string(last), string(batches[0].Cursor)) {
				t.Errorf("position went from %s back to %s", batches[0].Cursor, last)
			}
		})
	}
}

func TestEventIsWhole(t *testing.T) {
	conform(t, func(t *testing.T, db *pgtest.DB, s *stream) {
		before := time.Now().Add(-time.Second)
		pgtest.Exec(t, db, `select portal.emit('order', 42, 'SO-1', '{"status": "SHIPPED"}')`)
		pgtest.Exec(t, db, `select portal.emit('catalog', null, '')`)
		s.finish(db)
		_, events := s.soFar()
		one, two := events[0], events[1]
		if one.ID == 0 || one.Kind != portal.EventOrder || one.CustomerID != 42 || one.Ref != "SO-1" ||
			string(one.Data) != `{"status": "SHIPPED"}` || one.At.Before(before) || one.At.After(time.Now().Add(time.Second)) {
			t.Errorf("event %+v %s", one, one.Data)
		}
		if two.Kind != portal.EventCatalog || two.CustomerID != 0 || two.Ref != "" || len(two.Data) != 0 || two.ID <= one.ID {
			t.Errorf("event %+v", two)
		}
	})
}

func TestRollbackIsNeverShown(t *testing.T) {
	conform(t, func(t *testing.T, db *pgtest.DB, s *stream) {
		tx := begin(t, db)
		tell(t, tx, "undone")
		emit(t, db, "meanwhile")
		s.until("meanwhile")
		if err := tx.Rollback(context.Background()); err != nil {
			t.Fatal(err)
		}
		s.want(s.finish(db), "meanwhile")
	})
}

func TestSavepoints(t *testing.T) {
	conform(t, func(t *testing.T, db *pgtest.DB, s *stream) {
		tx := begin(t, db)
		tell(t, tx, "1")
		undone, err := tx.Begin(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		tell(t, undone, "2")
		if err := undone.Rollback(context.Background()); err != nil {
			t.Fatal(err)
		}
		kept, err := tx.Begin(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		tell(t, kept, "3")
		commit(t, kept)
		emit(t, db, "meanwhile")
		s.until("meanwhile")
		commit(t, tx)
		s.want(s.finish(db), "meanwhile", "1", "3")
	})
}

// A transaction that uses NOTIFY cannot be prepared, so nobody is woken here.
func TestPreparedTransaction(t *testing.T) {
	conform(t, func(t *testing.T, db *pgtest.DB, s *stream) {
		for _, name := range []string{"kept", "undone"} {
			pgtest.Exec(t, db,
				fmt.Sprintf(`begin; insert into portal.event (kind, ref) values ('order', '%s'); prepare transaction '%[1]s'`,
					name+db.Name))
		}
		emit(t, db, "meanwhile")
		s.until("meanwhile")
		pgtest.Exec(t, db, `commit prepared 'kept`+db.Name+`'`)
		pgtest.Exec(t, db, `rollback prepared 'undone`+db.Name+`'`)
		s.until("kept" + db.Name)
		s.want(s.finish(db), "meanwhile", "kept"+db.Name)
	})
}

func TestLongTransactionDelaysOnlyItself(t *testing.T) {
	conform(t, func(t *testing.T, db *pgtest.DB, s *stream) {
		long := begin(t, db)
		tell(t, long, "long 1")
		var want []string
		for i := range 100 {
			ref := fmt.Sprint("short ", i)
			emit(t, db, ref)
			if i%20 == 0 {
				s.until(ref) // while the other is open
			}
			want = append(want, ref)
		}
		s.until("short 99")
		tell(t, long, "long 2")
		s.want(s.refs(), want...)
		commit(t, long)
		s.want(s.finish(db), append(want, "long 1", "long 2")...)
	})
}

func TestHundredThousandRowsInOneTransaction(t *testing.T) {
	conform(t, func(t *testing.T, db *pgtest.DB, s *stream) {
		const n = 100_000
		pgtest.Exec(t, db, `
			insert into portal.event (kind, customer_id, ref) select 'order', n % 100 + 1, n::text
				from generate_series(1, 100000) as n;
			select pg_notify('portal_event', '')`)
		s.until(fmt.Sprint(n)) // more together with it would be too many at once
		refs := s.finish(db)
		if len(refs) != n {
			t.Fatalf("%d events", len(refs))
		}
		for i, ref := range refs {
			if ref != fmt.Sprint(i+1) {
				t.Fatalf("event %d is %s", i, ref)
			}
		}
	})
}

// documents are rows that writers lock, count up and tell of, as orders are.
type documents struct {
	t       testing.TB
	db      *pgtest.DB
	writers sync.WaitGroup
}

func newDocuments(t testing.TB, db *pgtest.DB, n int) *documents {
	pgtest.Exec(t, db, `create table document (ref text primary key, version int not null default 0)`)
	pgtest.Exec(t, db, `insert into document (ref) select 'doc ' || n from generate_series(1, $1::int) as n`, n)
	return &documents{t: t, db: db}
}

// write starts a writer of n transactions over the documents; every fourth
// is rolled back, every third touches two documents.
func (d *documents) write(seed, n int) {
	d.writers.Go(func() {
		for i := range n {
			err := pgx.BeginFunc(context.Background(), d.db.Pool, func(tx pgx.Tx) error {
				_, err := tx.Exec(context.Background(), `
					with touched as (
						update document set version = version + 1
						where ref = any (array(select ref from document order by hashtext(ref || $1::text) limit $2 for update))
						returning ref, version)
					select portal.emit('order', 1, ref, jsonb_build_object('version', version)) from touched`,
					fmt.Sprint(seed, "/", i), 1+i%3/2)
				if err == nil && i%4 == 3 {
					err = errUndo
				}
				return err
			})
			switch {
			case err == nil, errors.Is(err, errUndo):
			case strings.Contains(err.Error(), "40P01"): // two documents in the other order: one of the two is told to give way
			default:
				d.t.Errorf("writer %d: %v", seed, err)
				return
			}
		}
	})
}

// checkCursors holds every position that was handed out against the log: what
// it sees, and the first one did not, must have been delivered by then.
func (s *stream) checkCursors(db *pgtest.DB) {
	s.t.Helper()
	batches, _ := s.soFar()
	first := string(batches[0].Cursor)
	delivered := map[int64]bool{}
	var last portal.Cursor
	for _, b := range batches {
		for _, e := range b.Events {
			delivered[e.ID] = true
		}
		if b.Cursor == last {
			continue
		}
		last = b.Cursor
		seen := pgtest.Value[[]int64](s.t, db, `
			select coalesce(array_agg(event_id), '{}') from portal.event
			where pg_visible_in_snapshot(xid, split_part($1, '@', 1)::pg_snapshot)
			and not pg_visible_in_snapshot(xid, split_part($2, '@', 1)::pg_snapshot)`,
			string(last), first)
		for _, id := range seen {
			if !delivered[id] {
				s.t.Fatalf("position %s sees event %d, which had not been delivered", last, id)
			}
		}
	}
	if string(last) == first {
		s.t.Error("no position but the first was handed out")
	}
}

var errUndo = errors.New("undo")

// check compares what was delivered with what stands: every version of every
// document once, in order.
func (d *documents) check(s *stream) {
	d.t.Helper()
	_, events := s.soFar()
	next := map[string]int{}
	for _, e := range events {
		if !strings.HasPrefix(e.Ref, "doc ") {
			continue
		}
		var data struct{ Version int }
		if err := json.Unmarshal(e.Data, &data); err != nil {
			d.t.Fatal(err)
		}
		next[e.Ref]++
		if data.Version != next[e.Ref] {
			d.t.Fatalf("%s: version %d came where %d was due", e.Ref, data.Version, next[e.Ref])
		}
	}
	rows, _ := d.db.Pool.Query(context.Background(), `select ref, version from document`)
	stand, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct {
		Ref     string
		Version int
	}])
	if err != nil {
		d.t.Fatal(err)
	}
	total := 0
	for _, row := range stand {
		if next[row.Ref] != row.Version {
			d.t.Errorf("%s: %d events for %d versions", row.Ref, next[row.Ref], row.Version)
		}
		total += row.Version
	}
	if total == 0 {
		d.t.Error("nothing was written")
	}
}

func TestManyWritersExactlyOnceInOrder(t *testing.T) {
	conform(t, func(t *testing.T, db *pgtest.DB, s *stream) {
		docs := newDocuments(t, db, 20)
		long := begin(t, db) // its xid is under way all the time
		tell(t, long, "long")
		for w := range 8 {
			docs.write(w, 100)
		}
		docs.writers.Wait()
		commit(t, long)
		s.finish(db)
		docs.check(s)
		s.checkCursors(db)
	})
}

// Both connections of a source that has two are killed, or the replication
// connection only, in turns.
func TestConnectionKilled(t *testing.T) {
	conform(t, func(t *testing.T, db *pgtest.DB, s *stream) {
		docs := newDocuments(t, db, 20)
		for w := range 4 {
			docs.write(w, 100)
		}
		written := make(chan struct{})
		go func() { docs.writers.Wait(); close(written) }()
		kills, rounds := int64(0), 0
		for over := false; !over; {
			select {
			case <-written:
				over = true
			default:
				n := len(s.refs())
				s.wait("more events", func() bool { // between two kills something comes through
					select {
					case <-written:
						return true
					default:
						return len(s.events) > n
					}
				})
				rounds++
				kills += terminate(t, db, rounds%2 == 0)
			}
		}
		s.finish(db)
		docs.check(s)
		s.checkCursors(db)
		if kills == 0 {
			t.Error("nothing was killed")
		}
	})
}

func TestServerRestarts(t *testing.T) {
	t.Parallel()
	for name, open := range sources {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.Private(t)
			s := listen(t, open(t, db))
			emit(t, db, "1")
			s.until("1")
			db.Server().Restart(t)
			db.Pool.Reset()
			emit(t, db, "2")
			s.until("2")
			emit(t, db, "3")
			db.Server().Kill(t)
			db.Server().Start(t)
			db.Pool.Reset()
			emit(t, db, "4")
			// A crash may give a lost transaction's number to the fourth event,
			// which then looks delivered; so after it a gap is said.
			if got := s.finish(db); !slices.Equal(got, []string{"1", "2", "3", "4"}) &&
				!slices.Equal(got, []string{"1", "2", "3"}) {
				t.Errorf("got %v", got)
			}
			batches, _ := s.soFar()
			resyncs := 0
			for _, b := range batches {
				if b.Resync {
					resyncs++
				}
			}
			if resyncs != 1 {
				t.Errorf("%d resyncs after a restart, which loses nothing, and a crash", resyncs)
			}
		})
	}
}

// What was pruned while the source was away is said, and the stream goes on.
func TestPrunedGapIsSaid(t *testing.T) {
	t.Parallel()
	for name, open := range sources {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.Private(t)
			s := listen(t, open(t, db))
			emit(t, db, "1")
			s.until("1")
			// nobody but the superuser gets in while the log is written and pruned
			pgtest.Exec(t, db, `alter role portal_work rename to portal_work_away`)
			terminate(t, db, false)
			emit(t, db, "lost")
			pgtest.Exec(t, db, `with gone as (delete from portal.event returning xid)
				update portal.event_floor set pruned_xid = (select xid from gone order by xid desc limit 1)`)
			emit(t, db, "covered by the resync")
			pgtest.Exec(t, db, `alter role portal_work_away rename to portal_work`)
			s.wait("a resync", func() bool {
				return slices.ContainsFunc(s.batches, func(b portal.Batch) bool { return b.Resync })
			})
			s.want(s.finish(db), "1")
			batches, _ := s.soFar()
			resyncs := 0
			for _, b := range batches {
				if b.Resync {
					resyncs++
				}
			}
			if resyncs != 1 {
				t.Errorf("%d resyncs", resyncs)
			}
		})
	}
}
