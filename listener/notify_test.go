package listener_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/listener"
)

// logTo sends a source's log to the test's.
func logTo(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}

func TestConnStringThatCannotBeRead(t *testing.T) {
	t.Parallel()
	err := listener.NewNotify(listener.Config{ConnString: "postgres://%"}).Run(t.Context(), func(portal.Batch) {})
	if err == nil || t.Context().Err() != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestTooManyAtOnceIsAResync(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	n := listener.NewNotify(listener.Config{ConnString: db.URL, MaxEvents: 10, Logger: logTo(t)})
	s := listen(t, n)
	pgtest.Exec(t, db, `insert into portal.event (kind, ref) select 'order', n::text from generate_series(1, 10) as n`)
	s.until("10")
	pgtest.Exec(t, db, `insert into portal.event (kind, ref) select 'order', n::text from generate_series(11, 21) as n`)
	s.wait("a resync", func() bool {
		return slices.ContainsFunc(s.batches, func(b portal.Batch) bool { return b.Resync })
	})
	if refs := s.finish(db); len(refs) != 10 {
		t.Errorf("refs %v", refs)
	}
	if st := n.Stats(); st.Resyncs != 1 || st.Events != 11 {
		t.Errorf("stats %+v", st)
	}
}

func TestSelfTest(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	n := listener.NewNotify(listener.Config{ConnString: db.URL, TestEvery: 20 * time.Millisecond, Logger: logTo(t)})
	if st := n.Stats(); st.Connected || st.NotifyHealthy || !st.LastRead.IsZero() {
		t.Errorf("before Run: %+v", st)
	}
	s := listen(t, n)
	eventually(t, "healthy", func() bool { st := n.Stats(); return st.Connected && st.NotifyHealthy && st.WakeUps > 2 })
	s.finish(db)
	if st := n.Stats(); st.Events != 1 || st.LastRead.IsZero() || st.Reads == 0 {
		t.Errorf("stats %+v", st)
	}
	_ = s.stop()
	if st := n.Stats(); st.Connected || st.NotifyHealthy {
		t.Errorf("after Run: %+v", st)
	}
}

// Behind a pooler LISTEN succeeds and brings nothing: the self-test notices,
// the poll keeps the stream whole.
func TestDeafConnection(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	n := listener.NewNotify(listener.Config{
		Poll: 5 * time.Millisecond, TestEvery: 20 * time.Millisecond, Logger: logTo(t),
		Connect: func(ctx context.Context) (*pgx.Conn, error) {
			cfg, err := pgx.ParseConfig(db.URL)
			if err != nil {
				return nil, err
			}
			dial := cfg.DialFunc
			cfg.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := dial(ctx, network, address)
				return &deaf{Conn: conn, in: bufio.NewReaderSize(conn, 1<<20)}, err
			}
			return pgx.ConnectConfig(ctx, cfg)
		},
	})
	s := listen(t, n)
	var want []string
	for i := range 20 {
		emit(t, db, fmt.Sprint(i))
		want = append(want, fmt.Sprint(i))
	}
	s.want(s.finish(db), want...)
	eventually(t, "two self-tests failed", func() bool { return n.Stats().Reads > 20 })
	if st := n.Stats(); st.NotifyHealthy || st.WakeUps != 0 || st.PollEvents == 0 || !st.Connected {
		t.Errorf("stats %+v", st)
	}
}

// deaf takes notifications out of what the server says.
type deaf struct {
	net.Conn
	in   *bufio.Reader
	left int // bytes of the message that is being read
}

func (d *deaf) Read(p []byte) (int, error) {
	for d.left == 0 {
		head, err := d.in.Peek(5)
		if err != nil {
			return 0, err
		}
		n := 1 + int(binary.BigEndian.Uint32(head[1:]))
		if head[0] != 'A' {
			d.left = n
			break
		}
		if _, err := d.in.Peek(n); err != nil {
			return 0, err
		}
		if _, err := d.in.Discard(n); err != nil {
			return 0, err
		}
	}
	n, err := d.in.Read(p[:min(len(p), d.left)])
	d.left -= n
	return n, err
}

// eventually asks until the answer is yes.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(patience); !ok(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never came true: %s", what)
		}
	}
}
