package bench

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// everybody is the recipient of a broadcast.
const everybody = -1

// ledger is what was committed, when, and for whom. Safe for concurrent use.
type ledger struct {
	mu   sync.RWMutex
	byID map[int64]int
	list []entry
}

// entry is one event. sent is the moment before COMMIT went out, in Unix
// nanoseconds.
type entry struct {
	id   int64
	to   int // index of the receiver, or everybody
	sent int64
	done bool // the server has said that it is committed
}

func newLedger() *ledger { return &ledger{byID: map[int64]int{}} }

// sending enters an event; COMMIT follows at once.
func (l *ledger) sending(id int64, to int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.list)
	l.byID[id] = n
	l.list = append(l.list, entry{id: id, to: to, sent: time.Now().UnixNano()})
	return n
}

// committed says that an event must arrive.
func (l *ledger) committed(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list[n].done = true
}

func (l *ledger) find(id int64) (n int, e entry, ok bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if n, ok = l.byID[id]; ok {
		e = l.list[n]
	}
	return n, e, ok
}

func (l *ledger) entries() []entry {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return slices.Clone(l.list)
}

// Verdict is what the sequence checks of all sockets found.
type Verdict struct {
	Expected   int `json:"expected"`
	Lost       int `json:"lost"`          // committed, and never at the socket
	Doubled    int `json:"doubled"`       // twice over one connection, a replay at its beginning aside
	Repeated   int `json:"repeated"`      // again after a reconnect, or in its replay: allowed, clients drop it by id
	OutOfOrder int `json:"out_of_order"`  // behind a later event of the same document
	Wrong      int `json:"wrong"`         // of another customer
	Unreadable int `json:"unreadable"`    // frames that are not what they should be
	Resyncs    int `json:"resyncs"`       // told to read everything again
	Excused    int `json:"resynced_over"` // not at the socket, but before a resync that covers it
}

func (v *Verdict) add(o Verdict) {
	v.Expected += o.Expected
	v.Lost += o.Lost
	v.Doubled += o.Doubled
	v.Repeated += o.Repeated
	v.OutOfOrder += o.OutOfOrder
	v.Wrong += o.Wrong
	v.Unreadable += o.Unreadable
	v.Resyncs += o.Resyncs
	v.Excused += o.Excused
}

// Flawless tells whether nothing went wrong.
func (v Verdict) Flawless() bool { return v.Lost+v.Doubled+v.OutOfOrder+v.Wrong+v.Unreadable == 0 }

// arrival is when an event was there: n of the ledger, microseconds after it
// was sent.
type arrival struct{ n, micros int32 }

// receiver checks what one socket gets. Not safe for concurrent use.
type receiver struct {
	ledger   *ledger
	own      int    // its index
	ref      string // the document whose events are its own
	seen     bits
	here     bits // over this connection; nil on the first, where seen says it
	replay   bool // the next frame with events is the replay
	newest   map[string]int64
	arrivals []arrival
	resyncAt int64
	cursor   string
	found    Verdict
}

func newReceiver(l *ledger, own int, ref string) *receiver {
	return &receiver{ledger: l, own: own, ref: ref, newest: map[string]int64{}}
}

// reconnected begins another connection.
func (r *receiver) reconnected() { r.here, r.replay = bits{}, true }

// liveFrame is what the server sends.
type liveFrame struct {
	Hello  *struct{ Cursor string }
	Cursor string
	Resync bool
	Events []struct {
		ID        int64
		Kind, Ref string
	}
}

// lastFrame remembers the frame that was decoded last: a broadcast is the same
// bytes at every socket. Safe for concurrent use.
type lastFrame struct {
	at atomic.Pointer[struct {
		raw   []byte
		frame liveFrame
	}]
}

func (c *lastFrame) decode(raw []byte) (liveFrame, error) {
	if p := c.at.Load(); p != nil && bytes.Equal(p.raw, raw) {
		return p.frame, nil
	}
	p := &struct {
		raw   []byte
		frame liveFrame
	}{raw: slices.Clone(raw)}
	if err := json.Unmarshal(raw, &p.frame); err != nil {
		return liveFrame{}, err
	}
	c.at.Store(p)
	return p.frame, nil
}

// take checks one frame that was there at a time, in Unix nanoseconds.
func (r *receiver) take(f liveFrame, at int64) {
	if f.Hello != nil {
		r.cursor = f.Hello.Cursor
	}
	if f.Cursor != "" {
		r.cursor = f.Cursor
	}
	if f.Resync {
		r.found.Resyncs++
		r.resyncAt = at
	}
	replayed := r.replay && len(f.Events) > 0
	if len(f.Events) > 0 {
		r.replay = false
	}
	for _, e := range f.Events {
		n, entry, known := r.ledger.find(e.ID)
		switch {
		case known && entry.to != everybody && entry.to != r.own,
			!known && e.Kind == "order" && e.Ref != r.ref && strings.HasPrefix(e.Ref, orderPrefix):
			r.found.Wrong++
			continue
		case !known:
			continue
		}
		again := r.seen.has(n)
		if r.here == nil && again || r.here != nil && r.here.has(n) {
			r.found.Doubled++
			continue
		}
		if r.here != nil && !replayed {
			r.here.set(n) // what waited during the replay may be in both
		}
		if again {
			r.found.Repeated++
			continue
		}
		r.seen.set(n)
		// order holds within a document; an event without one is in no order with
		// those of other transactions
		if e.ID < r.newest[e.Ref] && e.Ref != "" {
			r.found.OutOfOrder++
		}
		r.newest[e.Ref] = max(r.newest[e.Ref], e.ID)
		r.arrivals = append(r.arrivals, arrival{int32(n), int32((at - entry.sent) / 1000)})
	}
}

// verdict compares with what should have come: the events of these numbers.
func (r *receiver) verdict(all []entry, due ...[]int) Verdict {
	v := r.found
	for _, list := range due {
		v.Expected += len(list)
		for _, n := range list {
			switch {
			case r.seen.has(n):
			case all[n].sent < r.resyncAt:
				v.Excused++
			default:
				v.Lost++
			}
		}
	}
	return v
}

// bits is a set of small numbers that grows.
type bits []uint64

func (b bits) has(n int) bool { return n/64 < len(b) && b[n/64]&(1<<(n%64)) != 0 }

func (b *bits) set(n int) {
	for n/64 >= len(*b) {
		*b = append(*b, 0)
	}
	(*b)[n/64] |= 1 << (n % 64)
}
