package listener

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"portal.example/portal"
)

// channel is what triggers notify.
const channel = "portal_event"

// lostPayload is what a trigger notifies that could not write its event.
const lostPayload = "lost"

// Notify is the event source that NOTIFY wakes: one connection listens, and
// reads the log when it is woken and at every poll. Wake-ups that arrive
// together are one read. It implements portal.EventSource. Run is called once,
// Stats at any time.
type Notify struct {
	cfg    Config
	counts counts
	cursor portal.Cursor // everything visible in it has been delivered
	missed int64         // events that could not be written, as known when last connected
}

// NewNotify prepares a source; Run starts it.
func NewNotify(cfg Config) *Notify { return &Notify{cfg: cfg.withDefaults()} }

// Run implements portal.EventSource. Its first batch is the position it starts
// from. After a lost connection it connects again and catches up from where it
// stood. A connection string that cannot be read is the error that no retry
// mends.
func (n *Notify) Run(ctx context.Context, deliver func(portal.Batch)) error {
	connect, err := n.cfg.open()
	if err != nil {
		return err
	}
	pause := n.cfg.BackoffMin
	for {
		reads := n.counts.reads.Load()
		err := n.listen(ctx, connect, deliver)
		n.counts.connected.Store(false)
		n.counts.notifyHealthy.Store(false)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if n.counts.reads.Load() > reads {
			pause = n.cfg.BackoffMin
		}
		n.counts.reconnects.Add(1)
		n.cfg.Logger.Warn("event source lost its connection", "error", err, "again_in", pause)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(jitter(pause)):
		}
		pause = min(2*pause, n.cfg.BackoffMax)
	}
}

// listen works one connection until it fails or ctx ends.
func (n *Notify) listen(ctx context.Context, connect func(context.Context) (*pgx.Conn, error),
	deliver func(portal.Batch)) error {
	s, err := n.begin(ctx, connect)
	if err != nil {
		return err
	}
	defer hangUp(ctx, s.conn)
	missed, err := s.reader.missed(ctx)
	if err != nil {
		return err
	}
	if n.cursor == "" {
		if n.cursor, err = s.reader.position(ctx); err != nil {
			return err
		}
		deliver(portal.Batch{Cursor: n.cursor})
	} else {
		s.lost = missed != n.missed // announced while we were away
	}
	n.missed = missed
	n.counts.connected.Store(true)
	for woken := true; ; {
		events, err := n.read(ctx, s, woken, deliver)
		if err != nil {
			return err
		}
		if s.lost {
			s.lost = false
			if n.missed, err = s.reader.missed(ctx); err != nil {
				return err
			}
			n.counts.resyncs.Add(1)
			n.cfg.Logger.Error("an event could not be written to the log: is its disk full? Open pages load again")
			deliver(portal.Batch{Cursor: n.cursor, Resync: true})
		}
		if err := s.adapt(ctx, events); err != nil {
			return err
		}
		if err := s.test(ctx); err != nil {
			return err
		}
		if woken, err = s.wait(ctx); err != nil {
			return err
		}
	}
}

// read delivers what is new. A batch without events is delivered, too, when the
// position has moved: clients are to know a fresh one.
func (n *Notify) read(ctx context.Context, s *session, woken bool, deliver func(portal.Batch)) (events int, err error) {
	batch, err := s.reader.since(ctx, n.cursor)
	if err != nil {
		return 0, err
	}
	n.counts.reads.Add(1)
	n.counts.lastRead.Store(time.Now().UnixMicro())
	if batch.Cursor == n.cursor && !batch.Resync {
		return 0, nil
	}
	n.cursor = batch.Cursor
	n.counts.events.Add(int64(len(batch.Events)))
	if !woken && !s.fast {
		n.counts.pollEvents.Add(int64(len(batch.Events)))
	}
	if batch.Resync {
		n.counts.resyncs.Add(1)
		n.cfg.Logger.Warn("events were missed: pruned, restored to an earlier state, or too many at once",
			"position", batch.Cursor)
	}
	deliver(batch)
	return len(batch.Events), nil
}

// session is one connection that listens.
type session struct {
	notify *Notify
	conn   *pgx.Conn
	reader *reader
	pooled bool
	node   int  // its row in portal.event_node
	lost   bool // an event could not be written
	pace

	testAt   time.Time // of the next self-test
	testing  bool      // testAt is when its notification is late
	suspects bool      // the last self-test failed, and was logged
}

// begin connects and listens. Listening comes first, looking later: a commit in
// between wakes us.
func (n *Notify) begin(ctx context.Context, connect func(context.Context) (*pgx.Conn, error)) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, n.cfg.ReadTimeout)
	defer cancel()
	conn, err := connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("event source: connect: %w", err)
	}
	s := &session{notify: n, conn: conn, testAt: time.Now()}
	if err = conn.PgConn().Exec(ctx, n.cfg.setUp()).Close(); err == nil {
		var backend uint32
		err = conn.QueryRow(ctx, `select pg_backend_pid()`, pgx.QueryExecModeExec).Scan(&backend)
		s.pooled = backend != conn.PgConn().PID()
	}
	if err == nil {
		err = s.enter(ctx)
	}
	if err != nil {
		_ = conn.Close(ctx)
		return nil, fmt.Errorf("event source: listen: %w", err)
	}
	s.reader = &reader{conn: conn, mode: pgx.QueryExecModeCacheStatement, timeout: n.cfg.ReadTimeout,
		most: n.cfg.MaxEvents}
	if s.pooled { // prepared statements may be another backend's
		s.reader.mode = pgx.QueryExecModeExec
		n.cfg.Logger.Warn("event source is connected through a pooler: LISTEN needs a direct connection; the log is " +
			"polled meanwhile")
	}
	return s, nil
}

// wait returns when a notification came (woken) or the next look is due. All
// notifications that have come together are taken; while the node polls fast nobody is interrupted by them.
func (s *session) wait(ctx context.Context) (woken bool, err error) {
	timed, cancel := context.WithTimeout(ctx, s.pause())
	defer cancel()
	if s.fast {
		<-timed.Done()
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
	} else {
		n, err := s.conn.WaitForNotification(timed)
		switch {
		case err == nil:
			s.heard(n)
			s.counted++
			woken = true
		case ctx.Err() != nil:
			return false, ctx.Err()
		case errors.Is(err, context.DeadlineExceeded) && !s.conn.IsClosed():
			return false, nil
		default:
			return false, fmt.Errorf("event source: wait: %w", err)
		}
	}
	cancel()
	for { // under a context that is over only those already received come
		n, err := s.conn.WaitForNotification(timed)
		if err != nil {
			return woken, nil
		}
		s.heard(n)
	}
}

// testPatience bounds how long a self-test's notification may take.
const testPatience = 5 * time.Second

// test sends a notification to ourselves when it is time to, and notices when
// the last one has not come. Polling goes on whatever the outcome.
func (s *session) test(ctx context.Context) error {
	cfg := &s.notify.cfg
	if cfg.TestEvery < 0 || time.Now().Before(s.testAt) {
		return nil
	}
	if s.testing {
		s.notify.counts.notifyHealthy.Store(false)
		if !s.suspects {
			s.suspects = true
			cfg.Logger.Warn("notifications do not arrive: is there a pooler in between? The log is polled", "every", cfg.Poll,
				"pooler_seen", s.pooled)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, cfg.ReadTimeout)
	defer cancel()
	var full float64
	_, err := s.conn.Exec(ctx, goneSQL, pgx.QueryExecModeExec)
	if err == nil {
		err = s.conn.QueryRow(ctx, pingSQL, pgx.QueryExecModeExec, channel, s.node).Scan(&full)
	}
	if err != nil {
		return fmt.Errorf("event source: self-test: %w", err)
	}
	s.notify.counts.full.Store(math.Float64bits(full))
	if full >= cfg.FullAt {
		if err := s.unblock(ctx, full); err != nil {
			return err
		}
	}
	s.testing, s.testAt = true, time.Now().Add(min(testPatience, cfg.TestEvery))
	return nil
}

// heard takes a notification. Any of them ends a self-test: they arrive.
func (s *session) heard(n *pgconn.Notification) {
	s.notify.counts.wakeUps.Add(1)
	s.lost = s.lost || n.Payload == lostPayload
	if !s.testing {
		return
	}
	s.testing, s.suspects = false, false
	s.testAt = time.Now().Add(s.notify.cfg.TestEvery)
	s.notify.counts.notifyHealthy.Store(true)
}
