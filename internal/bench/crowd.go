package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// How long a browser waits before it comes back, as the portal's own script.
const returnMin, returnMax = 200 * time.Millisecond, 1500 * time.Millisecond

// opening bounds how many sockets are being opened for the first time at once.
const opening = 64

// crowd is many browsers, each with a socket that is checked event by event
// and comes back with its cursor when it is lost.
type crowd struct {
	ledger  *ledger
	members []*member
	last    lastFrame
	reading sync.WaitGroup
	stop    context.CancelFunc
	opens   chan struct{}
	failed  chan error // what a first connection came to
}

// member is one of them.
type member struct {
	crowd  *crowd
	who    person
	node   func(attempt int) string // the portal's address for a connection
	greets atomic.Int64             // when it was greeted, in Unix nanoseconds; 0 while it is away
	stalls atomic.Bool              // reads no more

	mu       sync.Mutex
	receiver *receiver
	conn     net.Conn
	frames   *frames // of conn
	codes    []int   // with which the server has closed it
}

// gather opens a socket for each person, and returns when all are greeted. node
// says which portal a member's connection is for.
func gather(ctx context.Context, l *ledger, who []person, node func(member, attempt int) string) (*crowd, error) {
	// room for what else is open
	if err := mayOpen(len(who) + 100); err != nil {
		return nil, err
	}
	debug.SetGCPercent(400) // memory is cheaper here than the processor's time, which is the server's as well
	ctx, stop := context.WithCancel(ctx)
	c := &crowd{ledger: l, stop: stop, opens: make(chan struct{}, opening), failed: make(chan error, len(who))}
	for i, p := range who {
		m := &member{crowd: c, who: p, node: func(attempt int) string { return node(i, attempt) },
			receiver: newReceiver(l, i, p.orderNo)}
		c.members = append(c.members, m)
		c.reading.Go(func() { m.run(ctx) })
	}
	for range who {
		select {
		case err := <-c.failed:
			if err != nil {
				c.leave()
				return nil, err
			}
		case <-ctx.Done():
			c.leave()
			return nil, ctx.Err()
		}
	}
	return c, nil
}

// leave closes all sockets and waits until their readers are gone.
func (c *crowd) leave() {
	c.stop()
	for _, m := range c.members {
		m.cut()
	}
	c.reading.Wait()
}

// away is how many are not greeted.
func (c *crowd) away() (n int) {
	for _, m := range c.members {
		if m.greets.Load() == 0 {
			n++
		}
	}
	return n
}

// together waits until all are greeted.
func (c *crowd) together(ctx context.Context, most time.Duration) error {
	start := time.Now()
	for n := c.away(); n > 0; n = c.away() {
		if time.Since(start) > most {
			return fmt.Errorf("%d sockets were not greeted within %v", n, most)
		}
		if err := sleep(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// begin forgets what was found so far.
func (c *crowd) begin() (from int) {
	for _, m := range c.members {
		m.mu.Lock()
		m.receiver.found, m.receiver.arrivals = Verdict{}, nil
		m.mu.Unlock()
	}
	return len(c.ledger.entries())
}

// complete waits until every committed event has arrived wherever it should, or
// the patience is over.
func (c *crowd) complete(ctx context.Context, from int, patience time.Duration) {
	for end := time.Now().Add(patience); time.Now().Before(end) && ctx.Err() == nil; {
		_ = sleep(ctx, 100*time.Millisecond) // looking costs time that the last frames need
		if c.verdict(from).Lost == 0 {
			break
		}
	}
	_ = sleep(ctx, 100*time.Millisecond) // for what comes twice
}

// verdict is what was found of the events from one on, at all members.
func (c *crowd) verdict(from int) (v Verdict) {
	all := c.ledger.entries()
	due := map[int][]int{} // events by recipient
	for n, e := range all {
		if n >= from && e.done {
			due[e.to] = append(due[e.to], n)
		}
	}
	for i, m := range c.members {
		m.mu.Lock()
		v.add(m.receiver.verdict(all, due[i], due[everybody]))
		m.mu.Unlock()
	}
	return v
}

// arrivals are how long the events from one on took to the members wanted, by
// event.
func (c *crowd) arrivals(from int, wanted func(i int) bool) [][]time.Duration {
	out := make([][]time.Duration, len(c.ledger.entries())-from)
	for i, m := range c.members {
		if wanted != nil && !wanted(i) {
			continue
		}
		m.mu.Lock()
		for _, a := range m.receiver.arrivals {
			if int(a.n) >= from {
				out[int(a.n)-from] = append(out[int(a.n)-from], time.Duration(a.micros)*time.Microsecond)
			}
		}
		m.mu.Unlock()
	}
	return out
}

// run keeps a member's socket open until ctx ends.
func (m *member) run(ctx context.Context) {
	m.crowd.opens <- struct{}{}
	err := m.open(ctx, 0)
	<-m.crowd.opens
	if err != nil {
		m.crowd.failed <- err
		return
	}
	first := true
	for attempt := 1; ctx.Err() == nil; attempt++ {
		if err == nil {
			err = m.read(ctx, first)
			first = false
		}
		m.greets.Store(0)
		if ctx.Err() != nil || !m.returns(err) {
			return
		}
		if sleep(ctx, returnMin+rand.N(returnMax-returnMin)) != nil {
			return
		}
		err = m.open(ctx, attempt)
	}
}

// returns tells whether a browser would come back.
func (m *member) returns(err error) bool {
	var c closed
	if errors.As(err, &c) {
		m.mu.Lock()
		m.codes = append(m.codes, c.code)
		m.mu.Unlock()
		return c.code != 4001 && c.code != 4003
	}
	var r refused
	return !errors.As(err, &r) || r.status >= 500
}

// open connects with the cursor, if there is one.
func (m *member) open(ctx context.Context, attempt int) error {
	conn, f, err := openSocket(ctx, m.node(attempt), m.who.cookie, m.receiver.cursor)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() != nil { // leave has closed what it knew of
		_ = conn.Close()
		return ctx.Err()
	}
	if attempt > 0 {
		m.receiver.reconnected()
	}
	m.conn = conn
	m.frames = f
	return nil
}

// read takes frames until the socket ends.
func (m *member) read(ctx context.Context, first bool) error {
	conn, f := m.conn, m.frames
	defer conn.Close()
	for {
		raw, err := nextText(conn, f)
		if err != nil {
			if first && m.greets.Load() == 0 {
				m.crowd.failed <- fmt.Errorf("socket of %s before it was greeted: %w", m.who.orderNo, err)
			}
			return err
		}
		at := time.Now().UnixNano()
		frame, err := m.crowd.last.decode(raw)
		if err != nil {
			m.mu.Lock()
			m.receiver.found.Unreadable++
			m.mu.Unlock()
			continue
		}
		m.mu.Lock()
		m.receiver.take(frame, at)
		m.mu.Unlock()
		if frame.Hello != nil {
			m.greets.Store(at)
			if first {
				m.crowd.failed <- nil
				first = false
			}
		}
		for m.stalls.Load() && ctx.Err() == nil {
			_ = sleep(ctx, 20*time.Millisecond)
		}
	}
}

// cut ends its connection as a lost network would.
func (m *member) cut() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.conn != nil {
		m.greets.Store(0)
		_ = m.conn.Close()
	}
}

// receiveBuffer sets how much the kernel takes for it that is not read, in bytes.
func (m *member) receiveBuffer(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if tcp, ok := m.conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(n)
	}
}

// flat is all of a list of lists.
func flat(lists [][]time.Duration) []time.Duration { return slices.Concat(lists...) }
