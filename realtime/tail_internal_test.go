package realtime

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"portal.example/portal"
)

// history is a database with transactions under way, its log, and a source that
// delivers from it.
type history struct {
	rand      *rand.Rand
	next      uint64 // transaction number
	running   map[uint64][]portal.Event
	committed []portal.Event // in order of commit
	delivered []portal.Event
	cursors   []portal.Cursor // handed out so far
}

func (h *history) now() portal.Cursor {
	var running []uint64
	for xid := range h.running {
		running = append(running, xid)
	}
	slices.Sort(running)
	xmin := h.next
	text := make([]string, len(running))
	for i, xid := range running {
		xmin = min(xmin, xid)
		text[i] = fmt.Sprint(xid)
	}
	return portal.CursorOf(fmt.Sprint(xmin, ":", h.next, ":", strings.Join(text, ",")), "e")
}

// step begins, goes on with, commits or rolls back a transaction.
func (h *history) step() {
	var open []uint64
	for xid := range h.running {
		open = append(open, xid)
	}
	slices.Sort(open)
	if len(open) == 0 || h.rand.IntN(4) == 0 {
		h.running[h.next] = nil
		h.next++
		return
	}
	xid := open[h.rand.IntN(len(open))]
	switch h.rand.IntN(5) {
	case 0:
		delete(h.running, xid)
	case 1, 2:
		h.committed = append(h.committed, h.running[xid]...)
		delete(h.running, xid)
	default:
		h.running[xid] = append(h.running[xid], portal.Event{ID: h.rand.Int64(), XID: xid})
	}
}

// deliver hands over what is committed. Of a source that lags, the position may
// be one from before.
func (h *history) deliver(t *tail, lags bool) {
	b := portal.Batch{Cursor: h.now(), Events: slices.Clone(h.committed[len(h.delivered):])}
	if lags && len(h.cursors) > 0 && h.rand.IntN(2) == 0 {
		b.Cursor = h.cursors[len(h.cursors)-1]
	}
	h.delivered = append(h.delivered, b.Events...)
	h.cursors = append(h.cursors, b.Cursor)
	t.add(b)
}

func all(*portal.Event) bool { return true }

// Whatever position a socket comes back with, it gets from memory what was
// delivered and is not visible at its position: all of it, and nothing else.
func TestTailIsTheLog(t *testing.T) {
	for seed := range uint64(300) {
		h := &history{rand: rand.New(rand.NewPCG(seed, 1)), next: 100, running: map[uint64][]portal.Event{}}
		kept := &tail{most: 5 + h.rand.IntN(40)}
		lags := seed%2 == 1
		hits, readings := 0, 0
		for range 300 {
			h.step()
			if h.rand.IntN(6) == 0 {
				h.deliver(kept, lags)
			}
			if len(h.cursors) == 0 || h.rand.IntN(6) > 0 {
				continue
			}
			after := h.cursors[h.rand.IntN(len(h.cursors))]
			seen, _ := after.Snapshot()
			got, to, ok := kept.since(after, all)
			if !ok {
				err := kept.reach(t.Context(), after, func(_ context.Context, c portal.Cursor, most int) (portal.Batch, error) {
					readings++
					b := portal.Batch{Cursor: h.now()}
					for _, e := range h.committed {
						if !seen.Shows(e.XID) && len(b.Events) < most {
							b.Events = append(b.Events, e)
						}
					}
					slices.SortFunc(b.Events, func(a, b portal.Event) int { return int(a.XID) - int(b.XID) })
					return b, nil
				})
				if err != nil {
					continue
				}
				if got, to, ok = kept.since(after, all); !ok {
					t.Fatalf("seed %d: the tail was made to reach %s, and does not", seed, after)
				}
			}
			hits++
			want := map[int64]bool{}
			for _, e := range h.delivered {
				if !seen.Shows(e.XID) {
					want[e.ID] = true
				}
			}
			for _, e := range got {
				if !want[e.ID] {
					t.Fatalf("seed %d: after %s came an event of transaction %d, twice or out of place", seed, after, e.XID)
				}
				delete(want, e.ID)
			}
			if len(want) > 0 {
				t.Fatalf("seed %d: after %s %d events are missing", seed, after, len(want))
			}
			if to != h.cursors[len(h.cursors)-1] {
				t.Fatalf("seed %d: the position is %s", seed, to)
			}
		}
		if hits == 0 {
			t.Errorf("seed %d: nothing was asked", seed)
		}
	}
}

func TestTailOfAnotherEpoch(t *testing.T) {
	kept := &tail{most: 10}
	kept.add(portal.Batch{Cursor: "10:10:@a"})
	kept.add(portal.Batch{Cursor: "11:11:@a", Events: []portal.Event{{ID: 1, XID: 10}}})
	if got, _, ok := kept.since("10:10:@a", all); !ok || len(got) != 1 {
		t.Errorf("got %v, %v", got, ok)
	}
	for _, after := range []portal.Cursor{"10:10:@b", "9:9:@a", "7", "", "10:10:"} {
		if _, _, ok := kept.since(after, all); ok {
			t.Errorf("%q was answered", after)
		}
	}
	kept.add(portal.Batch{Cursor: "5:5:@b", Resync: true})
	if _, _, ok := kept.since("11:11:@a", all); ok {
		t.Error("a position from before the crash was answered")
	}
	if got, _, ok := kept.since("5:5:@b", all); !ok || len(got) != 0 {
		t.Errorf("got %v, %v", got, ok)
	}
}
