// Package realtime is the websocket side of the portal: GET /live, its frames,
// and the hub that sends each event to the sockets of the customers concerned.
// Each socket has a queue of limited length; a page that was away for a while
// gets the events it missed.
//
// Where events come from is not its business: Deliver is handed batches. It reads
// older events through portal.EventLog, and the caller has authenticated the visitor.
package realtime

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"portal.example/portal"
	"portal.example/portal/health"
)

// Config of a Hub. EventLog is required; the zero value of everything else
// takes the default named.
type Config struct {
	// EventLog answers replays and checks what a socket asks to watch.
	EventLog portal.EventLog

	// Alive returns those of the sessions that still live. A socket asks once it
	// is registered, so that a session that ended between authentication and
	// registration does not live on in a socket; again when the session's known
	// time is over; and after a resync, when the news of its end may be among
	// what was missed. Those who ask at the same time share a question. Nil:
	// every session lives until its event comes.
	Alive func(context.Context, []portal.SessionID) ([]portal.SessionID, error)

	// QueueBytes bounds what waits for one socket, in bytes as sent. Beyond it
	// the socket is closed with 4008. A batch of more than half of it is told as
	// a resync instead. Default 256 KiB.
	QueueBytes int

	// TailEvents is how many of the newest events are kept, so that the gaps of
	// sockets that come back together are read from the log once. Default
	// 20,000.
	TailEvents int

	// Shards are locked one at a time, so that a delivery holds up arriving
	// sockets of its own shard only. Default 16.
	Shards int

	// PingEvery is how long after an answered ping the next is sent, so that
	// half-open sockets are found and middlemen see traffic. Default 25 s.
	PingEvery time.Duration

	// PongTimeout is how long a ping may go unanswered. Default 10 s; at most
	// PingEvery.
	PongTimeout time.Duration

	// CursorEvery is how long a socket may go without a cursor; then one is sent
	// without events, so that no client's cursor grows older than the log.
	// Default 30 s.
	CursorEvery time.Duration

	// WriteTimeout bounds one write to a socket that does not take it. Default
	// 10 s.
	WriteTimeout time.Duration

	// QueryTimeout bounds each question to EventLog and Alive, waiting for a
	// turn included. Default 10 s.
	QueryTimeout time.Duration

	// Queries is how many such questions may be under way at once, so that a
	// thousand sockets that return together leave the pool to the pages.
	// Default 8.
	Queries int

	// SessionSockets is how many sockets one session may have open; more are
	// refused with 429. Zero or less: any number. Tabs of one browser share one.
	SessionSockets int

	// Origins are host patterns, besides the request's own host, from which
	// pages may connect. Default: none.
	Origins []string

	Logger *slog.Logger     // default: discards
	Now    func() time.Time // the wall's clock, for the age of events and the end of sessions; default: time.Now
}

func (c Config) withDefaults() Config {
	set(&c.QueueBytes, 256<<10)
	set(&c.TailEvents, 20_000)
	set(&c.Shards, 16)
	set(&c.PingEvery, 25*time.Second)
	set(&c.PongTimeout, 10*time.Second)
	set(&c.CursorEvery, 30*time.Second)
	set(&c.WriteTimeout, 10*time.Second)
	set(&c.QueryTimeout, 10*time.Second)
	set(&c.Queries, 8)
	c.PongTimeout = min(c.PongTimeout, c.PingEvery)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func set[T int | time.Duration](v *T, otherwise T) {
	if *v <= 0 {
		*v = otherwise
	}
}

// Hub holds the open sockets. Make it with New, end it with Close. Safe for
// concurrent use; Deliver calls follow one another.
type Hub struct {
	cfg    Config
	shards []*shard
	counts counts

	ctx    context.Context // of the questions to the database
	cancel context.CancelFunc

	asking   chan struct{} // a place for each question under way
	sessions sessions
	open     sync.WaitGroup
	wheel    sync.WaitGroup

	started time.Time // when its clock began

	mu     sync.Mutex
	closed bool

	delivering sync.Mutex
	cursor     portal.Cursor // of the last batch
	begun      chan struct{} // closed when there is a first position

	past past
	tail tail
	poll poll
}

// New starts a hub without sockets.
func New(cfg Config) *Hub {
	cfg = cfg.withDefaults()
	h := &Hub{cfg: cfg, counts: counts{lag: health.NewHistogram(lagBounds...)}, started: time.Now(),
		asking: make(chan struct{}, cfg.Queries), begun: make(chan struct{}), tail: tail{most: cfg.TailEvents}}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	h.shards = make([]*shard, cfg.Shards)
	for i := range h.shards {
		h.shards[i] = &shard{rooms: map[portal.CustomerID]*room{}}
	}
	h.wheel.Go(h.spin)
	return h
}

// now is the hub's clock, which pings and time limits go by: it only goes forward,
// and a second of it is a second, whatever is done to the machine's.
func (h *Hub) now() time.Time { return h.started.Add(time.Since(h.started)) }

// Close tells every socket to come back later (1012) and waits until all have
// gone, or until ctx ends; those left are then cut off and ctx's error is
// returned. New sockets are refused from the beginning. Repeated calls wait
// too.
func (h *Hub) Close(ctx context.Context) error {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	for _, sh := range h.shards {
		sh.close()
	}
	h.cancel()
	gone := make(chan struct{})
	go func() {
		h.open.Wait()
		h.wheel.Wait()
		close(gone)
	}()
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
	}
	left := 0
	for _, sh := range h.shards {
		left += sh.cut()
	}
	return fmt.Errorf("close hub: %d sockets cut off: %w", left, ctx.Err())
}

// enter counts a socket in, unless the hub is closing.
func (h *Hub) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.open.Add(1)
	return true
}

// hasBegun waits until the event source has said where it begins: a socket that
// is greeted with a position from before would miss what lies between.
func (h *Hub) hasBegun(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.QueryTimeout)
	defer cancel()
	select {
	case <-h.begun:
		return true
	case <-h.ctx.Done():
	case <-ctx.Done():
	}
	return false
}

// ask puts one question to the database, in its turn and time.
func (h *Hub) ask(question func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(h.ctx, h.cfg.QueryTimeout)
	defer cancel()
	select {
	case h.asking <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("wait for a turn to ask: %w", ctx.Err())
	}
	defer func() { <-h.asking }()
	return question(ctx)
}

// shardOf returns the shard of a customer; staff, who have none, share one.
func (h *Hub) shardOf(id portal.CustomerID) *shard {
	return h.shards[h.shardIndex(id)]
}

func (h *Hub) shardIndex(id portal.CustomerID) int {
	return int(uint64(id) % uint64(len(h.shards)))
}
