package listener

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"portal.example/portal"
)

// WALConfig sets up a WAL. Of Config, Poll is also how often a position is
// taken for clients, and TestEvery has no meaning.
type WALConfig struct {
	Config

	// Replicate opens the replication connection instead of ConnString, to the
	// same server as Connect. Needed if Connect is given.
	Replicate func(context.Context) (*pgconn.PgConn, error)
}

// WAL is the event source that reads PostgreSQL's write-ahead log: inserts into
// portal.event come decoded from a temporary replication slot, transaction by
// transaction in the order of the commits, and nobody need be notified of them.
// A second connection takes positions, and reads the log of events wherever
// there is no stream: at the start, after a loss, while the slot waits for
// transactions that are open, and for as long as the server refuses one. It
// implements portal.EventSource. Run is called once, Stats at any time.
type WAL struct {
	cfg    WALConfig
	counts counts
	stands standing

	cursor portal.Cursor    // the last one handed out
	held   portal.Snapshot  // of it; what it sees has been delivered
	more   map[int64]uint64 // events delivered that it does not see, with their transactions
	lost   atomic.Bool      // pages are to be told that an event could not be written
	missed int64            // events that could not be written, as known when last connected
}

// NewWAL prepares a source; Run starts it.
func NewWAL(cfg WALConfig) *WAL {
	cfg.Config = cfg.withDefaults()
	return &WAL{cfg: cfg, more: map[int64]uint64{}}
}

// Run implements portal.EventSource. Its first batch is the position it starts
// from. After a lost connection it connects again and catches up from where it
// stood. A connection string that cannot be read is the error that no retry
// mends.
func (w *WAL) Run(ctx context.Context, deliver func(portal.Batch)) error {
	connect, err := w.cfg.open()
	if err != nil {
		return err
	}
	replicate, err := w.cfg.replication()
	if err != nil {
		return err
	}
	pause := w.cfg.BackoffMin
	for {
		began := time.Now()
		err := w.work(ctx, connect, replicate, deliver)
		w.counts.connected.Store(false)
		w.stands.streaming.Store(false)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Since(began) > w.cfg.BackoffMax {
			pause = w.cfg.BackoffMin
		}
		w.counts.reconnects.Add(1)
		w.stands.say(err)
		w.cfg.Logger.Warn("event source lost its connection", "error", err, "again_in", pause)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(jitter(pause)):
		}
		pause = min(2*pause, w.cfg.BackoffMax)
	}
}

// replication checks what no retry can mend and returns how to connect.
func (c WALConfig) replication() (func(context.Context) (*pgconn.PgConn, error), error) {
	if c.Replicate != nil {
		return c.Replicate, nil
	}
	if c.ConnString == "" {
		return nil, errors.New("event source: Connect without Replicate")
	}
	parsed, err := pgx.ParseConfig(c.ConnString) // not pgconn's: the string may hold settings of pgx
	if err != nil {
		return nil, fmt.Errorf("event source: %w", err)
	}
	config := parsed.Config.Copy()
	config.RuntimeParams["application_name"] = "portal listener wal"
	config.RuntimeParams["replication"] = "database"
	// what the decoder reads
	config.RuntimeParams["datestyle"] = "ISO"
	config.RuntimeParams["timezone"] = "UTC"
	config.RuntimeParams["client_encoding"] = "UTF8"
	return func(ctx context.Context) (*pgconn.PgConn, error) { return pgconn.ConnectConfig(ctx, config) }, nil
}

// work uses one pair of connections until either fails or ctx ends.
func (w *WAL) work(ctx context.Context, connect func(context.Context) (*pgx.Conn, error),
	replicate func(context.Context) (*pgconn.PgConn, error), deliver func(portal.Batch)) error {
	side, err := w.beside(ctx, connect)
	if err != nil {
		return err
	}
	defer hangUp(ctx, side.conn)
	if err := w.resume(ctx, side, deliver); err != nil {
		return err
	}
	w.counts.connected.Store(true)
	stream, err := w.untilStream(ctx, side, replicate, deliver)
	if err != nil {
		return err
	}
	defer stream.close()
	if err := w.handOver(ctx, side, stream, deliver); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if err := stream.begin(ctx, w.cfg.ReadTimeout); err != nil {
		return err
	}

	// Positions are taken meanwhile; a server that is slow to answer must not
	// keep events waiting.
	marks := make(chan mark, 1)
	var taking sync.WaitGroup
	taking.Go(func() {
		if err := w.takeMarks(ctx, side, marks); err != nil {
			cancel(err)
		}
	})
	defer taking.Wait()
	defer cancel(nil)
	w.stands.delivered.Store(uint64(stream.start))
	w.stands.streaming.Store(true)
	w.stands.say(nil)
	w.cfg.Logger.Info("event source streams", "slot", stream.slot, "from", stream.start)
	err = (&following{WAL: w, stream: stream, marks: marks, deliver: deliver,
		decoder: decoder{most: w.cfg.MaxEvents}}).run(ctx)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// beside connects for what is not replication. It listens, too, though for one
// thing only: see unwritten.
func (w *WAL) beside(ctx context.Context, connect func(context.Context) (*pgx.Conn, error)) (*reader, error) {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.ReadTimeout)
	defer cancel()
	conn, err := connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("event source: connect: %w", err)
	}
	if err = conn.PgConn().Exec(ctx, w.cfg.setUp()).Close(); err == nil {
		_, err = enter(ctx, conn, w.cfg.Name, "wal", false)
	}
	if err != nil {
		_ = conn.Close(ctx)
		return nil, fmt.Errorf("event source: set up: %w", err)
	}
	return &reader{conn: conn, mode: pgx.QueryExecModeCacheStatement, timeout: w.cfg.ReadTimeout,
		most: w.cfg.MaxEvents}, nil
}

// resume takes the position to start from, or catches up from where we stood.
func (w *WAL) resume(ctx context.Context, side *reader, deliver func(portal.Batch)) error {
	missed, err := side.missed(ctx)
	if err != nil {
		return err
	}
	if w.cursor != "" && missed != w.missed {
		w.lost.Store(true) // announced while we were away
	}
	w.missed = missed
	if w.cursor == "" {
		at, err := side.position(ctx)
		if err != nil {
			return err
		}
		if err := w.advance(at); err != nil {
			return err
		}
		deliver(portal.Batch{Cursor: at})
	}
	return w.read(ctx, side, deliver)
}

// untilStream reads the log at every poll until there is a slot to stream from.
// What keeps the server from giving one is tried again and again: the right may
// be granted, another node may give its slot back.
func (w *WAL) untilStream(ctx context.Context, side *reader, replicate func(context.Context) (*pgconn.PgConn, error),
	deliver func(portal.Batch)) (*walStream, error) {
	type opened struct {
		stream *walStream
		err    error
	}
	ctx, cancel := context.WithCancel(ctx)
	results := make(chan opened, 1)
	opening := false
	open := func() {
		opening = true
		go func() {
			s, err := openStream(ctx, replicate, w.cfg.ReadTimeout)
			results <- opened{s, err}
		}()
	}
	defer func() {
		cancel()
		if opening {
			if late := <-results; late.stream != nil {
				late.stream.close()
			}
		}
	}()
	poll := time.NewTicker(w.cfg.Poll)
	defer poll.Stop()
	var again <-chan time.Time
	pause := w.cfg.BackoffMin
	long := time.NewTimer(5 * time.Second)
	defer long.Stop()
	open()
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case r := <-results:
			opening = false
			if r.err == nil {
				return r.stream, nil
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			w.stands.say(r.err)
			w.cfg.Logger.Warn("event source cannot stream: the log is polled", "error", r.err,
				"every", w.cfg.Poll, "again_in", pause)
			again = time.After(jitter(pause))
			pause = min(2*pause, w.patience())
		case <-again:
			open()
		case <-long.C:
			if opening {
				w.stands.say(errWaits)
				w.cfg.Logger.Info("event source does not stream yet", "because", errWaits, "every", w.cfg.Poll)
			}
		case <-poll.C:
			if err := w.read(ctx, side, deliver); err != nil {
				return nil, err
			}
		}
	}
}

// errWaits is no failure; a transaction may be open for as long as it likes.
var errWaits = errors.New("the replication slot waits for transactions that were open when it was asked for; the " +
	"log is polled meanwhile")

// patience bounds the pause before a server that refuses a slot is asked again.
// The log is polled meanwhile, so it need not be short.
func (w *WAL) patience() time.Duration { return 10 * w.cfg.BackoffMax }

// read delivers what the log has that was not delivered before.
func (w *WAL) read(ctx context.Context, side *reader, deliver func(portal.Batch)) error {
	batch, err := side.since(ctx, w.cursor)
	if err != nil {
		return err
	}
	w.counts.reads.Add(1)
	w.counts.lastRead.Store(time.Now().UnixMicro())
	lost := side.unwritten() || w.lost.Swap(false)
	if batch.Cursor == w.cursor && !batch.Resync && !lost {
		return nil
	}
	batch.Events = w.unknown(batch.Events)
	if batch.Resync {
		clear(w.more) // their numbers may be others' by now
	}
	batch.Resync = batch.Resync || lost
	if err := w.advance(batch.Cursor); err != nil {
		return err
	}
	w.counts.pollEvents.Add(int64(len(batch.Events)))
	w.hand(batch, deliver)
	return nil
}

// hand delivers a batch.
func (w *WAL) hand(batch portal.Batch, deliver func(portal.Batch)) {
	w.counts.events.Add(int64(len(batch.Events)))
	if batch.Resync {
		w.counts.resyncs.Add(1)
		w.cfg.Logger.Warn("events were missed: pruned, restored to an earlier state, or too many at once",
			"position", batch.Cursor)
	}
	deliver(batch)
}

// unknown leaves out events that the stream has delivered, though the cursor
// does not see them.
func (w *WAL) unknown(events []portal.Event) []portal.Event {
	if len(w.more) == 0 {
		return events
	}
	fresh := events[:0]
	for _, e := range events {
		if _, delivered := w.more[e.ID]; !delivered {
			fresh = append(fresh, e)
		}
	}
	return fresh
}

// advance makes a cursor the one that is handed out: all that it sees has been
// delivered.
func (w *WAL) advance(to portal.Cursor) error {
	seen, ok := to.Snapshot()
	if !ok {
		return fmt.Errorf("event source: cursor %q is not a snapshot", to)
	}
	w.cursor, w.held = to, seen
	for id, xid := range w.more {
		if seen.Shows(xid) {
			delete(w.more, id)
		}
	}
	return nil
}

// handOver delivers what committed before the stream begins and no poll has
// found: what the slot's snapshot sees and the cursor does not. The snapshot is
// made of the write-ahead log itself, so it differs from the stream in nothing,
// while one of our own may not see a commit yet that is already in the log.
func (w *WAL) handOver(ctx context.Context, side *reader, stream *walStream, deliver func(portal.Batch)) error {
	tx, err := side.conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return fmt.Errorf("event source: hand over: %w", err)
	}
	defer func() { _ = tx.Rollback(ctx) }()
	if _, err := tx.Exec(ctx, "set transaction snapshot '"+stream.snapshot+"'"); err != nil {
		return fmt.Errorf("event source: hand over: %w", err)
	}
	var edge uint64
	if err := tx.QueryRow(ctx, `select pg_snapshot_xmax(pg_current_snapshot())`).Scan(&edge); err != nil {
		return fmt.Errorf("event source: hand over: %w", err)
	}
	// The last poll may have seen more than the slot's snapshot. The log is
	// asked as if it had not, or it would take the cursor for one of a future.
	_, epoch := w.cursor.Split()
	batch, err := side.since(ctx, portal.CursorOf(w.held.Below(edge).String(), epoch))
	if err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("event source: hand over: %w", err)
	}
	w.counts.reads.Add(1)
	w.counts.lastRead.Store(time.Now().UnixMicro())
	batch.Events, batch.Cursor = w.unknown(batch.Events), w.cursor
	if len(batch.Events) == 0 && !batch.Resync {
		return nil
	}
	for _, e := range batch.Events {
		w.more[e.ID] = e.XID
	}
	w.counts.pollEvents.Add(int64(len(batch.Events)))
	w.hand(batch, deliver)
	return nil
}

// unwritten reports whether a trigger has told, since the last call, that it
// could not write its event (a full disk must not fail the ERP's statement):
// with this payload, and as the only notification that a WAL heeds. It asks the
// server nothing; notifications come with the answers to other questions.
func (r *reader) unwritten() (lost bool) {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	for {
		n, err := r.conn.WaitForNotification(over)
		if err != nil {
			return lost
		}
		lost = lost || n.Payload == lostPayload
	}
}

// mark is a position that may be handed out once the stream has passed lsn.
type mark struct {
	cursor portal.Cursor
	lsn    pglogrepl.LSN
}

// takeMarks takes positions. First the snapshot, then the place in the
// write-ahead log: whatever the one sees has its commit before the other.
func (w *WAL) takeMarks(ctx context.Context, side *reader, marks chan<- mark) error {
	poll := time.NewTicker(w.cfg.Poll)
	defer poll.Stop()
	var last mark
	for {
		m, err := side.mark(ctx)
		if err != nil {
			return err
		}
		w.counts.reads.Add(1)
		w.counts.lastRead.Store(time.Now().UnixMicro())
		w.stands.written.Store(uint64(m.lsn))
		if side.unwritten() {
			w.lost.Store(true)
		}
		if m.cursor != last.cursor {
			last = m
			select {
			case marks <- m:
			case <-ctx.Done():
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-poll.C:
		}
	}
}

// mark takes the present position.
func (r *reader) mark(ctx context.Context) (mark, error) {
	cursor, err := r.position(ctx)
	if err != nil {
		return mark{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	var lsn string
	err = r.conn.QueryRow(ctx, walPlaceSQL, r.mode).Scan(&lsn)
	if err != nil {
		return mark{}, fmt.Errorf("read position of the write-ahead log: %w", err)
	}
	at, err := pglogrepl.ParseLSN(lsn)
	return mark{cursor: cursor, lsn: at}, err
}
