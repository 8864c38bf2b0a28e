package realtime

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"portal.example/portal"
)

// Config sets up a Hub. The zero value of a number takes its default.
type Config struct {
	EventLog portal.EventLog // the past, for sockets that come back
	// Alive reports whether a session still lives. Asked once a socket is
	// registered, so that no session ends unheard in between.
	Alive func(ctx context.Context, id portal.SessionID) (bool, error)

	QueueBytes   int           // most bytes that wait for one socket; default 256 KiB
	PingEvery    time.Duration // default 25 s; finds half-open sockets
	CursorEvery  time.Duration // how often an idle socket gets a fresh cursor; default 30 s
	WriteTimeout time.Duration // for one frame; default 10 s
	Logger       *slog.Logger
}

// shards is how many parts the customers are spread over, so that sockets that
// come and go rarely meet a delivery at one lock.
const shards = 16

// Hub knows the open sockets and gives them their events. It is safe for
// concurrent use; Deliver must come from one goroutine, to keep the order.
// Close ends it.
type Hub struct {
	config Config
	parts  [shards]part
	items  itemIndex

	cursor    atomic.Value // portal.Cursor of the last batch
	sockets   atomic.Int64
	queued    atomic.Int64
	frames    atomic.Int64
	slow      atomic.Int64
	resyncs   atomic.Int64
	lastBatch atomic.Int64

	closing  chan struct{}
	closed   sync.Once
	serving  sync.WaitGroup
	everyone sync.RWMutex // held for reading while a socket registers
}

// part holds the sockets of some customers; those of staff are customer 0.
type part struct {
	mu   sync.RWMutex
	subs map[portal.CustomerID]map[*client]struct{}
}

// New makes a hub and starts its timer.
func New(config Config) *Hub {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&config.PingEvery, 25*time.Second)
	def(&config.CursorEvery, 30*time.Second)
	def(&config.WriteTimeout, 10*time.Second)
	if config.QueueBytes == 0 {
		config.QueueBytes = 256 << 10
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	h := &Hub{config: config, closing: make(chan struct{})}
	for i := range h.parts {
		h.parts[i].subs = map[portal.CustomerID]map[*client]struct{}{}
	}
	h.items.watchers = map[string]map[*client]struct{}{}
	h.cursor.Store(portal.Cursor(""))
	go h.tick()
	return h
}

// Stats returns the counters as they stand.
func (h *Hub) Stats() Stats {
	return Stats{Sockets: int(h.sockets.Load()), QueueBytes: h.queued.Load(), Frames: h.frames.Load(),
		SlowClosed: h.slow.Load(), Resyncs: h.resyncs.Load(), LastBatch: time.UnixMicro(h.lastBatch.Load())}
}

func (h *Hub) part(c portal.CustomerID) *part { return &h.parts[uint64(c)%shards] }

func (h *Hub) add(c *client) {
	p := h.part(c.who.CustomerID)
	p.mu.Lock()
	defer p.mu.Unlock()
	set := p.subs[c.who.CustomerID]
	if set == nil {
		set = map[*client]struct{}{}
		p.subs[c.who.CustomerID] = set
	}
	set[c] = struct{}{}
	h.sockets.Add(1)
}

func (h *Hub) remove(c *client) {
	p := h.part(c.who.CustomerID)
	p.mu.Lock()
	if set := p.subs[c.who.CustomerID]; set != nil {
		delete(set, c)
		if len(set) == 0 {
			delete(p.subs, c.who.CustomerID)
		}
	}
	p.mu.Unlock()
	h.items.set(c, nil)
	h.sockets.Add(-1)
}

// Deliver hands a batch to the sockets concerned. It never blocks on a socket.
func (h *Hub) Deliver(b portal.Batch) {
	h.cursor.Store(b.Cursor)
	h.lastBatch.Store(time.Now().UnixMicro())
	if b.Resync {
		frame := resyncFrame(b.Cursor)
		h.resyncs.Add(1)
		h.each(func(c *client) { c.send(frame) })
		return
	}
	var everybody, staff []portal.Event
	own := map[portal.CustomerID][]portal.Event{}
	for _, e := range b.Events {
		switch e.Kind {
		case portal.EventPing:
		case portal.EventSession:
			h.endSession(e)
		case portal.EventItem:
			// before the frames with the cursor: a socket whose position has
			// moved has had all of the batch
			h.items.deliver(e)
		default:
			if e.CustomerID == 0 {
				everybody = append(everybody, e)
			} else {
				own[e.CustomerID] = append(own[e.CustomerID], e)
			}
			if forStaff(e) {
				staff = append(staff, e)
			}
		}
	}
	if len(everybody) > 0 {
		common := eventsFrame(b.Cursor, everybody)
		h.each(func(c *client) {
			if c.who.CustomerID != 0 && len(own[c.who.CustomerID]) == 0 {
				c.send(common)
			}
		})
	}
	for customer, events := range own {
		h.sendTo(customer, eventsFrame(b.Cursor, merge(events, everybody)))
	}
	if len(staff) > 0 {
		h.sendTo(0, eventsFrame(b.Cursor, staff))
	}
}

// forStaff reports whether the distributor's people hear of an event: what a
// customer does with its own lists is the customer's.
func forStaff(e portal.Event) bool {
	switch e.Kind {
	case portal.EventCart, portal.EventFavorite, portal.EventNotice, portal.EventSession, portal.EventPing:
		return false
	}
	return true
}

// merge joins two lists that are each in order of their ids.
func merge(a, b []portal.Event) []portal.Event {
	if len(b) == 0 {
		return a
	}
	out := make([]portal.Event, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if a[0].ID < b[0].ID {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	return append(append(out, a...), b...)
}

func (h *Hub) sendTo(customer portal.CustomerID, frame []byte) {
	p := h.part(customer)
	p.mu.RLock()
	defer p.mu.RUnlock()
	for c := range p.subs[customer] {
		c.send(frame)
	}
}

func (h *Hub) each(f func(*client)) {
	for i := range h.parts {
		p := &h.parts[i]
		p.mu.RLock()
		for _, set := range p.subs {
			for c := range set {
				f(c)
			}
		}
		p.mu.RUnlock()
	}
}

func (h *Hub) endSession(e portal.Event) {
	id, err := strconv.ParseInt(e.Ref, 10, 64)
	if err != nil {
		return
	}
	p := h.part(e.CustomerID)
	p.mu.RLock()
	defer p.mu.RUnlock()
	for c := range p.subs[e.CustomerID] {
		if c.who.ID == portal.SessionID(id) {
			c.end(CloseSessionEnded, "session ended")
		}
	}
}

// tick pings all sockets and gives idle ones a fresh cursor, until Close.
func (h *Hub) tick() {
	ping := time.NewTicker(h.config.PingEvery)
	defer ping.Stop()
	cursor := time.NewTicker(h.config.CursorEvery)
	defer cursor.Stop()
	for {
		select {
		case <-h.closing:
			return
		case <-ping.C:
			h.each(func(c *client) { go c.ping() })
		case <-cursor.C:
			at := h.cursor.Load().(portal.Cursor)
			if at == "" {
				continue
			}
			frame := eventsFrame(at, nil)
			h.each(func(c *client) {
				if !c.heard.Swap(false) {
					c.send(frame)
					c.heard.Store(false)
				}
			})
		}
	}
}

// Close tells all sockets to come back later (1012) and waits until they are
// gone or ctx ends. New ones are refused from now on.
func (h *Hub) Close(ctx context.Context) error {
	h.everyone.Lock()
	h.closed.Do(func() { close(h.closing) })
	h.everyone.Unlock()
	h.each(func(c *client) { c.end(CloseRestarting, "restarting") })
	gone := make(chan struct{})
	go func() { h.serving.Wait(); close(gone) }()
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
