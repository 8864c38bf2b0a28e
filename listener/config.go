package listener

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
)

// Config sets up a Notify. Of ConnString and Connect one is required; the zero
// value of everything else takes the default named.
type Config struct {
	// ConnString reaches the server itself: LISTEN brings nothing through a
	// pooler in transaction mode, and cannot run on a standby.
	ConnString string

	// Connect opens the connection instead of ConnString. It is called again
	// after every loss.
	Connect func(context.Context) (*pgx.Conn, error)

	// Role is what the connection becomes. Default portal_work.
	Role string

	// Poll is how often the log is read without being woken. It bounds how long
	// an event waits whose wake-up was lost. Default 250 ms.
	Poll time.Duration

	// FastPollAt is how many notifications a second make the node read the log by
	// itself, every FastPoll, and tell triggers not to notify; a quarter of it
	// does where commits wait for each other to notify. It asks to be notified
	// again at half. Defaults 250 and 2 ms; negative: it always wants to be
	// notified.
	FastPollAt float64
	FastPoll   time.Duration

	// over which it is counted how fast events come
	fastWindow, slowWindow time.Duration

	// Name is what the node is called in portal.event_node.
	Name string

	// FullAt is the part of NOTIFY's queue, of 1, that may be filled before a
	// listener of ours that has not been seen for three tests is ended. Default
	// 0.1.
	FullAt float64

	// ReadTimeout bounds connecting and each statement; a connection that does
	// not answer in time is given up. Default 30 s.
	ReadTimeout time.Duration

	// TestEvery is how often a notification is sent to oneself, to know that
	// they arrive. Default 15 s; negative: never.
	TestEvery time.Duration

	// BackoffMin and BackoffMax bound the pause before connecting again; it
	// doubles from one failure to the next, with jitter. Defaults 50 ms and 3 s.
	BackoffMin, BackoffMax time.Duration

	// MaxEvents bounds a batch. More than that at once, as after a long time
	// without the database, is delivered as a resync. Default 100,000.
	MaxEvents int

	// Logger takes losses and returns of the connection. Default: discards.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	set(&c.Poll, 250*time.Millisecond)
	set(&c.FastPollAt, 250)
	set(&c.FastPoll, 2*time.Millisecond)
	set(&c.fastWindow, 100*time.Millisecond)
	set(&c.slowWindow, time.Second)
	set(&c.FullAt, 0.1)
	set(&c.ReadTimeout, 30*time.Second)
	set(&c.TestEvery, 15*time.Second)
	set(&c.BackoffMin, 50*time.Millisecond)
	set(&c.BackoffMax, 3*time.Second)
	set(&c.MaxEvents, 100_000)
	set(&c.Role, "portal_work")
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func set[T comparable](v *T, otherwise T) {
	if zero := *new(T); *v == zero {
		*v = otherwise
	}
}

// open checks what no retry can mend and returns how to connect.
func (c Config) open() (func(context.Context) (*pgx.Conn, error), error) {
	if c.Connect != nil {
		return c.Connect, nil
	}
	parsed, err := pgx.ParseConfig(c.ConnString)
	if err != nil {
		return nil, fmt.Errorf("event source: %w", err)
	}
	return func(ctx context.Context) (*pgx.Conn, error) { return pgx.ConnectConfig(ctx, parsed) }, nil
}

// setUp is what a connection begins with. The log is read by transaction,
// whatever its size is thought to be: there is one plan for it.
func (c Config) setUp() string {
	return `set application_name = 'portal listener'; set idle_session_timeout = 0; set jit = off;
		set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set role ` + pgx.Identifier{c.Role}.Sanitize() +
		`; listen ` + channel
}

// jitter spreads a pause, so that nodes that were cut off together do not come
// back together.
func jitter(pause time.Duration) time.Duration { return pause/2 + rand.N(pause/2+1) }

// hangUp ends a connection; a server that is gone is not waited for.
func hangUp(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}
