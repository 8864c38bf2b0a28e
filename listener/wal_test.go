package listener_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/listener"
)

func newWAL(t testing.TB, url string, more ...func(*listener.WALConfig)) *listener.WAL {
	cfg := listener.WALConfig{Config: listener.Config{ConnString: url, Logger: logTo(t)}}
	for _, f := range more {
		f(&cfg)
	}
	return listener.NewWAL(cfg)
}

func TestWALConnStringThatCannotBeRead(t *testing.T) {
	t.Parallel()
	if err := newWAL(t, "postgres://%").Run(t.Context(), func(portal.Batch) {}); err == nil || t.Context().Err() != nil {
		t.Errorf("Run: %v", err)
	}
	half := newWAL(t, "", func(c *listener.WALConfig) {
		c.Connect = func(context.Context) (*pgx.Conn, error) { panic("connected") }
	})
	if err := half.Run(t.Context(), func(portal.Batch) {}); err == nil {
		t.Error("one of two connections is given, and Run went on")
	}
}

func TestWALTooManyAtOnceIsAResync(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	w := newWAL(t, db.URL, func(c *listener.WALConfig) { c.MaxEvents = 10 })
	s := listen(t, w)
	pgtest.Exec(t, db, `insert into portal.event (kind, ref) select 'order', n::text from generate_series(1, 10) as n`)
	s.until("10")
	pgtest.Exec(t, db, `insert into portal.event (kind, ref) select 'order', n::text from generate_series(11, 21) as n`)
	s.wait("a resync", func() bool {
		return slices.ContainsFunc(s.batches, func(b portal.Batch) bool { return b.Resync })
	})
	if refs := s.finish(db); len(refs) != 10 {
		t.Errorf("refs %v", refs)
	}
	if st := w.Stats(); st.Resyncs != 1 || st.Events != 11 {
		t.Errorf("stats %+v", st)
	}
	// many small ones are no gap, however many come at once
	tell(t, db.Pool, "a", "b")
	for i := range 40 {
		emit(t, db, fmt.Sprint("small ", i))
	}
	s.until("small 39")
	batches, _ := s.soFar()
	for _, b := range batches {
		if len(b.Events) > 10 {
			t.Errorf("a batch of %d events", len(b.Events))
		}
	}
}

func TestWALStats(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	w := newWAL(t, db.URL)
	if st := w.Stats(); st.Connected || st.Streaming || !st.LastRead.IsZero() {
		t.Errorf("before Run: %+v", st)
	}
	s := listen(t, w)
	s.finish(db)
	if st := w.Stats(); !st.Connected || !st.Streaming || st.Trouble != "" || st.Events != 1 || st.PollEvents != 0 ||
		st.WakeUps != 1 || st.LastRead.IsZero() {
		t.Errorf("while it streams: %+v", st)
	}
	eventually(t, "what was written is confirmed", func() bool { return w.Stats().LagBytes < 1<<20 })
	_ = s.stop()
	if st := w.Stats(); st.Connected || st.Streaming || st.LagBytes != 0 {
		t.Errorf("after Run: %+v", st)
	}
	if n := pgtest.Value[int](t, db,
		`select count(*)::int from pg_replication_slots where database = current_database()`); n != 0 {
		t.Errorf("%d slots are left", n)
	}
}

// A trigger that could not write its event says so by NOTIFY, whichever source
// there is; what else is notified concerns nobody here.
func TestWALHearsOfUnwrittenEvent(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	w := newWAL(t, db.URL)
	s := listen(t, w)
	pgtest.Exec(t, db, `select pg_notify('portal_event', '')`)
	emit(t, db, "1")
	s.until("1")
	pgtest.Exec(t, db, `select pg_notify('portal_event', 'lost')`)
	s.wait("a resync", func() bool {
		return slices.ContainsFunc(s.batches, func(b portal.Batch) bool { return b.Resync })
	})
	s.want(s.finish(db), "1")
	if n := s.resyncs(); n != 1 {
		t.Errorf("%d resyncs", n)
	}
}

// A migration may add columns while the stream goes on.
func TestWALReadsColumnsByName(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	w := newWAL(t, db.URL)
	s := listen(t, w)
	emit(t, db, "1")
	s.until("1")
	pgtest.Exec(t, db, `alter table portal.event add column extra text not null default 'x';
		alter table portal.event rename column ref to moved; alter table portal.event add column ref text not null default '';
		insert into portal.event (kind, customer_id, moved, ref, data)
			values ('order', 7, 'not this', '2', '{"status": "SHIPPED"}')`)
	s.until("2")
	_, events := s.soFar()
	if e := events[1]; e.CustomerID != 7 || string(e.Data) != `{"status": "SHIPPED"}` || e.Kind != portal.EventOrder {
		t.Errorf("event %+v", e)
	}
	if st := w.Stats(); st.PollEvents != 0 || st.Reconnects != 0 {
		t.Errorf("stats %+v", st)
	}
}

// What is missing is said, in words that help, and events come by polling until
// it is there.
func TestWALNeedsReplicationRight(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	role := "walker_" + db.Name
	pgtest.Exec(t, db, `create role `+role+` login; grant portal_work to `+role)
	t.Cleanup(func() { pgtest.Exec(t, db, `drop role `+role) })
	u, err := url.Parse(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(role)
	w := newWAL(t, u.String(), func(c *listener.WALConfig) { c.BackoffMax = 50 * time.Millisecond })
	s := start(t, w)
	eventually(t, "the trouble is told",
		func() bool { return strings.Contains(w.Stats().Trouble, "alter role … replication") })
	emit(t, db, "polled")
	s.until("polled")
	pgtest.Exec(t, db, `alter role `+role+` replication`)
	eventually(t, "the stream stands", func() bool { return w.Stats().Streaming })
	s.want(s.finish(db), "polled")
	if st := w.Stats(); st.PollEvents != 1 || st.Trouble != "" {
		t.Errorf("stats %+v", st)
	}
	_ = s.stop()
}

func TestWALNeedsSettings(t *testing.T) {
	t.Parallel()
	db := pgtest.Private(t)
	server := db.Server()
	restart := func(settings map[string]string) {
		server.Stop(t)
		server.Set(t, settings)
		server.Start(t)
		db.Pool.Reset()
	}
	restart(map[string]string{"wal_level": "replica", "max_replication_slots": "1", "max_wal_senders": "2"})
	quick := func(c *listener.WALConfig) { c.BackoffMax = 20 * time.Millisecond }
	w := newWAL(t, db.URL, quick)
	s := start(t, w)
	troubled := func(w *listener.WAL, words string) {
		t.Helper()
		eventually(t, words, func() bool { return strings.Contains(w.Stats().Trouble, words) })
	}
	troubled(w, "set wal_level = logical")
	emit(t, db, "1")
	s.until("1")
	restart(map[string]string{"wal_level": "logical"})
	eventually(t, "the stream stands", func() bool { return w.Stats().Streaming })

	other := newWAL(t, db.URL, quick)
	start(t, other)
	troubled(other, "raise max_replication_slots")
	restart(map[string]string{"max_wal_senders": "1", "max_replication_slots": "2"})
	var second *listener.WAL
	eventually(t, "one of them streams", func() bool {
		second = w
		if w.Stats().Streaming {
			second = other
		}
		return w.Stats().Streaming != other.Stats().Streaming
	})
	troubled(second, "raise max_wal_senders")

	pgtest.Exec(t, db, `drop publication portal_event`)
	restart(map[string]string{"max_wal_senders": "5"})
	troubled(w, "run portal migrate")
	emit(t, db, "2")
	s.until("2")
}

// tapped dials a source's replication connection through conn.
func tapped(t testing.TB, db *pgtest.DB, tap func(net.Conn) net.Conn) func(*listener.WALConfig) {
	return func(c *listener.WALConfig) {
		c.Replicate = func(ctx context.Context) (*pgconn.PgConn, error) {
			cfg, err := pgconn.ParseConfig(db.URL)
			if err != nil {
				return nil, err
			}
			for name, value := range map[string]string{"replication": "database", "datestyle": "ISO", "timezone": "UTC",
				"application_name": "portal listener wal"} {
				cfg.RuntimeParams[name] = value
			}
			dial := cfg.DialFunc
			cfg.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := dial(ctx, network, address)
				if err != nil {
					return nil, err
				}
				return tap(conn), nil
			}
			return pgconn.ConnectConfig(ctx, cfg)
		}
	}
}

// messages passes on what a server says, each message as pass wants it.
type messages struct {
	net.Conn
	in   *bufio.Reader
	pass func([]byte) []byte
	out  []byte
}

func (m *messages) Read(p []byte) (int, error) {
	for len(m.out) == 0 {
		head, err := m.in.Peek(5)
		if err != nil {
			return 0, err
		}
		n := 1 + int(binary.BigEndian.Uint32(head[1:]))
		whole, err := m.in.Peek(n)
		if err != nil {
			return 0, err
		}
		m.out = m.pass(slices.Clone(whole))
		if _, err := m.in.Discard(n); err != nil {
			return 0, err
		}
	}
	n := copy(p, m.out)
	m.out = m.out[n:]
	return n, nil
}

// What cannot be decoded ends the stream; the log has it, and nothing comes twice.
func TestWALDecodingFails(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	var inserts atomic.Int64
	w := newWAL(t, db.URL, tapped(t, db, func(conn net.Conn) net.Conn {
		return &messages{Conn: conn, in: bufio.NewReaderSize(conn, 1<<20), pass: func(b []byte) []byte {
			// a CopyData message that holds an XLogData one that holds an Insert
			if b[0] == 'd' && len(b) > 30 && b[5] == 'w' && b[30] == 'I' && inserts.Add(1)%10 == 0 {
				b[30] = '?'
			}
			return b
		}}
	}))
	s := listen(t, w)
	docs := newDocuments(t, db, 20)
	for i := range 4 {
		docs.write(i, 25)
	}
	docs.writers.Wait()
	s.finish(db)
	docs.check(s)
	s.checkCursors(db)
	if st := w.Stats(); st.Reconnects == 0 {
		t.Errorf("stats %+v", st)
	}
}

// A network that was cut says nothing at all.
func TestWALServerGoesSilent(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	var cut atomic.Bool
	w := newWAL(t, db.URL,
		func(c *listener.WALConfig) {
			c.ReadTimeout, c.Poll = 500*time.Millisecond,
				50*time.Millisecond
		}, tapped(t, db, func(conn net.Conn) net.Conn {
			mute := atomic.Bool{} // this connection, for good
			return &messages{Conn: conn, in: bufio.NewReaderSize(conn, 1<<20), pass: func(b []byte) []byte {
				if cut.Load() {
					mute.Store(true)
				}
				if mute.Load() {
					return nil
				}
				return b
			}}
		}))
	s := listen(t, w)
	emit(t, db, "1")
	s.until("1")
	cut.Store(true)
	emit(t, db, "2")
	eventually(t, "the loss is noticed", func() bool { return w.Stats().Reconnects > 0 })
	cut.Store(false)
	s.want(s.finish(db), "1", "2")
	s.checkCursors(db)
}

// gated is a source whose batches wait at a gate.
type gated struct {
	*listener.WAL
	gate chan struct{} // closed: open
}

func (g gated) Run(ctx context.Context, deliver func(portal.Batch)) error {
	return g.WAL.Run(ctx, func(b portal.Batch) {
		if len(b.Events) > 0 {
			<-g.gate
		}
		deliver(b)
	})
}

// An operator may bound what slots keep. The stream of a node that falls behind
// is ended then, and the log has what it missed.
func TestWALSlotKeptTooMuch(t *testing.T) {
	t.Parallel()
	db := pgtest.Private(t)
	db.Server().Stop(t)
	db.Server().Set(t, map[string]string{"max_slot_wal_keep_size": "16MB"})
	db.Server().Start(t)
	db.Pool.Reset()
	w := newWAL(t, db.URL)
	gate := make(chan struct{})
	s := start(t, gated{w, gate})
	eventually(t, "the stream stands", func() bool { return w.Stats().Streaming })
	slot := pgtest.Value[string](t, db, `select slot_name::text from pg_replication_slots where active`)
	emit(t, db, "1")
	eventually(t, "the slot is gone", func() bool {
		pgtest.Exec(t, db,
			`create table bulk as select g from generate_series(1, 1000) g; drop table bulk; select pg_switch_wal()`)
		pgtest.Exec(t, db, `checkpoint`)
		return !pgtest.Value[bool](t, db, `select exists (select from pg_replication_slots where slot_name = $1 and active)`,
			slot)
	})
	emit(t, db, "2")
	close(gate)
	eventually(t, "another stream stands", func() bool { return w.Stats().Reconnects > 0 && w.Stats().Streaming })
	s.want(s.finish(db), "1", "2")
	s.checkCursors(db)
}

// An end does not wait for what the slot waits for, nor leave the server waiting.
func TestWALEndsWhileSlotWaits(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	long := begin(t, db)
	tell(t, long, "long")
	w := newWAL(t, db.URL)
	s := start(t, w)
	const waiting = `select count(*)::int from pg_stat_activity where datname = current_database()
		and backend_type = 'walsender'`
	eventually(t, "the slot is asked for", func() bool { return pgtest.Value[int](t, db, waiting) == 1 })
	emit(t, db, "polled")
	s.until("polled")
	if st := w.Stats(); st.Streaming || !st.Connected {
		t.Errorf("stats %+v", st)
	}
	_ = s.stop()
	eventually(t, "nobody waits", func() bool { return pgtest.Value[int](t, db, waiting) == 0 })
}
