package listener

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// Config sets up a Notify. The zero value of a duration takes its default.
type Config struct {
	// ConnString reaches the server itself: LISTEN brings nothing through a
	// pooler in transaction mode, and cannot run on a standby.
	ConnString string

	// Poll is how often the log is read without being woken. It bounds how
	// long an event waits whose wake-up was lost. Default 250 ms.
	Poll time.Duration

	// Logger takes reconnects. Default: nothing is logged.
	Logger *slog.Logger
}

// Stats are what operators may want to know of a source.
type Stats struct {
	Connected  bool
	Events     int64 // delivered since the start
	Reads      int64 // of the log
	WakeUps    int64 // notifications received
	Reconnects int64
	LastRead   time.Time
}

// Notify is the event source that NOTIFY wakes: one connection listens, and
// reads the log when it is woken and at every poll. Wake-ups that arrive
// together are one read. It implements portal.EventSource. Run may be called
// once; Stats at any time, from any goroutine.
type Notify struct {
	config     Config
	connected  atomic.Bool
	events     atomic.Int64
	reads      atomic.Int64
	wakeUps    atomic.Int64
	reconnects atomic.Int64
	lastRead   atomic.Int64
}

// NewNotify prepares a source; Run starts it.
func NewNotify(config Config) *Notify {
	if config.Poll == 0 {
		config.Poll = 250 * time.Millisecond
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	return &Notify{config: config}
}

// Stats returns the counters as they stand.
func (n *Notify) Stats() Stats {
	return Stats{Connected: n.connected.Load(), Events: n.events.Load(), Reads: n.reads.Load(), WakeUps: n.wakeUps.Load(),
		Reconnects: n.reconnects.Load(), LastRead: time.UnixMicro(n.lastRead.Load())}
}

// Run implements portal.EventSource. It reconnects with growing pauses and
// catches up from the last position.
func (n *Notify) Run(ctx context.Context, deliver func(portal.Batch)) error {
	const first, most = 50 * time.Millisecond, 3 * time.Second
	var position portal.Cursor
	pause := first
	for {
		began := time.Now()
		err := n.listen(ctx, &position, deliver)
		n.connected.Store(false)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Since(began) > most {
			pause = first
		}
		n.reconnects.Add(1)
		n.config.Logger.Warn("event listener lost its connection", "error", err, "again_in", pause)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause/2 + rand.N(pause/2)):
		}
		pause = min(pause*2, most)
	}
}

// listen works one connection until it fails or ctx ends.
func (n *Notify) listen(ctx context.Context, position *portal.Cursor, deliver func(portal.Batch)) error {
	config, err := pgx.ParseConfig(n.config.ConnString)
	if err != nil {
		return fmt.Errorf("event listener: %w", err)
	}
	config.RuntimeParams["application_name"] = "portal listener"
	config.ConnectTimeout = 5 * time.Second
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("event listener: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	// first listen, then look: a commit in between wakes us
	if _, err := conn.Exec(ctx, "set role portal_work; listen portal_event"); err != nil {
		return fmt.Errorf("event listener: %w", err)
	}
	if *position == "" {
		if *position, err = now(ctx, conn); err != nil {
			return err
		}
	}
	n.connected.Store(true)
	for {
		batch, err := read(ctx, conn, *position)
		if err != nil {
			return err
		}
		n.reads.Add(1)
		n.lastRead.Store(time.Now().UnixMicro())
		*position = batch.Cursor
		if len(batch.Events) > 0 || batch.Resync {
			n.events.Add(int64(len(batch.Events)))
			deliver(batch)
		}
		if err := n.wait(ctx, conn); err != nil {
			return err
		}
	}
}

// wait returns when a notification came or the poll is due, with all
// notifications that came together taken in.
func (n *Notify) wait(ctx context.Context, conn *pgx.Conn) error {
	timed, cancel := context.WithTimeout(ctx, n.config.Poll)
	defer cancel()
	_, err := conn.WaitForNotification(timed)
	switch {
	case err == nil:
		n.wakeUps.Add(1)
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, context.DeadlineExceeded) && !conn.IsClosed():
		return nil
	}
	return fmt.Errorf("event listener: wait: %w", err)
}
