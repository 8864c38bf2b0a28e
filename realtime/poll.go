package realtime

import (
	"context"
	"sync"

	"portal.example/portal"
)

// poll asks whether sessions live, for many sockets at once: while a question is
// under way, those that come wait for the next. Safe for concurrent use.
type poll struct {
	mu     sync.Mutex
	asking bool
	next   *ballot // those that wait; nil if nobody does
}

// ballot is one question and its answer.
type ballot struct {
	ids   []portal.SessionID
	done  chan struct{}
	alive map[portal.SessionID]bool
	err   error
}

// alive reports whether a session lives.
func (p *poll) alive(h *Hub, id portal.SessionID) (bool, error) {
	p.mu.Lock()
	if p.next == nil {
		p.next = &ballot{done: make(chan struct{})}
	}
	b := p.next
	b.ids = append(b.ids, id)
	if !p.asking {
		p.asking = true
		go p.ask(h)
	}
	p.mu.Unlock()
	<-b.done
	return b.alive[id], b.err
}

// ask works off the ballots until nobody waits.
func (p *poll) ask(h *Hub) {
	for {
		p.mu.Lock()
		b := p.next
		p.next = nil
		p.asking = b != nil
		p.mu.Unlock()
		if b == nil {
			return
		}
		b.err = h.ask(func(ctx context.Context) error {
			list, err := h.cfg.Alive(ctx, b.ids)
			b.alive = make(map[portal.SessionID]bool, len(list))
			for _, id := range list {
				b.alive[id] = true
			}
			return err
		})
		close(b.done)
	}
}
