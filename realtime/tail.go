package realtime

import (
	"context"
	"errors"
	"slices"
	"sync"

	"portal.example/portal"
)

// tail is the newest part of the stream, kept so that the gaps of sockets that
// come back are filled from memory: after a restart ten thousand of them return
// within seconds with nearly the same position. What lies before it is read from
// the log once for all. Safe for concurrent use.
type tail struct {
	most int // events

	mu      sync.Mutex
	from    portal.Snapshot // all that is not visible in it and was delivered is in parts
	to      portal.Cursor   // of the last part; empty: nothing is known
	parts   []part
	events  int
	beyond  *portal.Snapshot // so far back the log holds too much
	reading chan struct{}    // closed when the reading that is under way is over; nil: none is
}

// part is what one batch brought.
type part struct {
	events []portal.Event
	newest uint64 // highest transaction of events
	to     portal.Cursor
}

func newPart(events []portal.Event, to portal.Cursor) part {
	p := part{events: events, to: to}
	for _, e := range events {
		p.newest = max(p.newest, e.XID)
	}
	return p
}

// add is told every batch before a socket is.
func (t *tail) add(b portal.Batch) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if b.Cursor == "" {
		b.Cursor = t.to
	}
	if t.to == "" || b.Resync || !sameEpoch(b.Cursor, t.to) {
		t.restart(b.Cursor)
		return
	}
	t.to = b.Cursor
	if len(b.Events) == 0 {
		return
	}
	t.parts = append(t.parts, newPart(b.Events, b.Cursor))
	t.events += len(b.Events)
	for t.events > t.most && len(t.parts) > 1 {
		t.drop()
	}
}

// drop lets the oldest part go. A source may be ahead of its positions: what is
// not visible at the part's own stays.
func (t *tail) drop() {
	first := t.parts[0]
	t.parts = slices.Delete(t.parts, 0, 1)
	t.events -= len(first.events)
	t.from, _ = first.to.Snapshot()
	var ahead []portal.Event
	for _, e := range first.events {
		if !t.from.Shows(e.XID) {
			ahead = append(ahead, e)
		}
	}
	if len(ahead) > 0 {
		t.parts[0] = newPart(append(ahead, t.parts[0].events...), t.parts[0].to)
		t.events += len(ahead)
	}
}

func sameEpoch(a, b portal.Cursor) bool {
	_, of := a.Split()
	_, is := b.Split()
	return of == is
}

// restart begins at a position that cannot be reached from the one before.
func (t *tail) restart(at portal.Cursor) {
	t.parts, t.events, t.beyond = nil, 0, nil
	t.from, _ = at.Snapshot()
	t.to = at
}

// since returns those of the events after a position that are wanted, and the
// position after them; false if the tail does not go back so far.
func (t *tail) since(after portal.Cursor,
	wanted func(*portal.Event) bool) (events []portal.Event, to portal.Cursor, ok bool) {
	seen, ok := after.Snapshot()
	if !ok {
		return nil, "", false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.to == "" || !sameEpoch(after, t.to) || !seen.Holds(t.from) {
		return nil, "", false
	}
	for _, p := range t.parts {
		if p.newest < seen.Xmin {
			continue
		}
		for i := range p.events {
			if e := &p.events[i]; !seen.Shows(e.XID) && wanted(e) {
				events = append(events, *e)
			}
		}
	}
	return events, t.to, true
}

// errBeyond says that the tail cannot be made to go back to a position.
var errBeyond = errors.New("beyond what is kept")

// reach makes the tail go back to a position, if that can be done by one
// reading of the log that is not too long. Those who want it at the same time
// wait for the one who reads.
func (t *tail) reach(ctx context.Context, after portal.Cursor,
	read func(context.Context, portal.Cursor, int) (portal.Batch, error)) error {
	seen, ok := after.Snapshot()
	if !ok {
		return errBeyond
	}
	for {
		t.mu.Lock()
		if t.to == "" || !sameEpoch(after, t.to) || t.beyond != nil && t.beyond.Holds(seen) {
			t.mu.Unlock()
			return errBeyond
		}
		if seen.Holds(t.from) {
			t.mu.Unlock()
			return nil
		}
		over := t.reading
		if over == nil {
			t.reading = make(chan struct{})
			t.mu.Unlock()
			return t.readFrom(ctx, after, seen, read)
		}
		t.mu.Unlock()
		select {
		case <-over:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// readFrom is the reading that others wait for.
func (t *tail) readFrom(ctx context.Context, after portal.Cursor, seen portal.Snapshot,
	read func(context.Context, portal.Cursor, int) (portal.Batch, error)) error {
	batch, err := read(ctx, after, t.most)
	t.mu.Lock()
	defer t.mu.Unlock()
	close(t.reading)
	t.reading = nil
	switch {
	case err != nil:
		return err
	case len(batch.Events) == t.most:
		t.beyond = &seen
		return errBeyond
	case !sameEpoch(batch.Cursor, t.to):
		return errBeyond
	}
	t.extend(seen, batch)
	return nil
}

// extend puts what was read from the log since a position before what has been
// delivered. What was read and is still to be delivered is left to the delivery.
func (t *tail) extend(from portal.Snapshot, read portal.Batch) {
	delivered, _ := t.to.Snapshot()
	events := make([]portal.Event, 0, len(read.Events))
	has := make(map[int64]bool, len(read.Events))
	for _, e := range read.Events {
		if delivered.Shows(e.XID) {
			events = append(events, e)
			has[e.ID] = true
		}
	}
	for _, p := range t.parts { // delivered since the log was read, or ahead of the position
		for _, e := range p.events {
			if !has[e.ID] {
				events = append(events, e)
			}
		}
	}
	t.from, t.parts, t.events = from, nil, len(events)
	if len(events) > 0 {
		t.parts = []part{newPart(events, t.to)}
	}
}
