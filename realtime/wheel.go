package realtime

import (
	"sync"
	"time"

	"portal.example/portal"
)

// spin turns the wheel until the hub closes and its sockets have gone: one
// ticker for the pings, idle cursors and time limits of all sockets.
func (h *Hub) spin() {
	every := min(h.cfg.PongTimeout, h.cfg.CursorEvery, h.cfg.WriteTimeout) / 10
	tick := time.NewTicker(min(max(every, time.Millisecond), time.Second))
	defer tick.Stop()
	over := make(chan struct{})
	go func() {
		<-h.ctx.Done()
		h.open.Wait()
		close(over)
	}()
	for {
		select {
		case <-tick.C:
			h.turn(h.now())
		case <-over:
			return
		}
	}
}

// turn does what is due at a time.
func (h *Hub) turn(now time.Time) {
	var check []*socket
	var writing round
	for i, sh := range h.shards {
		sh.mu.Lock()
		if i == 0 {
			h.past.keep(sh.cursor, now, h.cfg.CursorEvery)
		}
		var idle []byte // the same for all of the shard
		sh.each(func(s *socket) {
			due := s.turn(now)
			if due.cursor && sh.cursor != "" {
				if idle == nil {
					idle = eventsFrame(sh.cursor)
				}
				s.push(&writing, idle, 0, now.Add(h.cfg.CursorEvery).UnixNano())
			}
			if due.ping {
				s.control(&writing, pingFrame())
			}
			if due.check {
				check = append(check, s)
			}
		})
		sh.mu.Unlock()
	}
	writing.start()
	if len(check) > 0 {
		go func() {
			for _, s := range check {
				s.alive()
			}
		}()
	}
}

// due is what a socket needs now.
type due struct{ cursor, ping, check bool }

// recheckEvery is how long after its known end a session that was found alive,
// because its use has prolonged it, is asked for again.
const recheckEvery = 5 * time.Minute

func (s *socket) turn(now time.Time) (d due) {
	s.mu.Lock()
	at, cfg := now.UnixNano(), &s.hub.cfg
	dead := s.deadline != 0 && at > s.deadline
	if dead {
		s.deadline = 0
	}
	if s.code == 0 && !s.held {
		d.cursor = at >= s.cursorAt
		if d.check = s.checkAt != 0 && at >= s.checkAt; d.check {
			s.checkAt = now.Add(recheckEvery).UnixNano()
		}
		if at >= s.pingAt {
			switch {
			case s.pinging && s.unanswered.Load():
				dead = true
			case s.pinging:
				s.pinging = false
				s.pingAt = now.Add(cfg.PingEvery - cfg.PongTimeout).UnixNano()
			default:
				d.ping, s.pinging = true, true
				s.unanswered.Store(true)
				s.pingAt = now.Add(cfg.PongTimeout).UnixNano()
			}
		}
	}
	s.mu.Unlock()
	if dead {
		s.hub.counts.dead.Add(1)
		s.cut()
		return due{}
	}
	return d
}

// control queues a control frame; the socket stays due for a cursor.
func (s *socket) control(r *round, frame []byte) {
	s.mu.Lock()
	cursorAt := s.cursorAt
	s.mu.Unlock()
	s.push(r, frame, 0, cursorAt)
}

// past remembers a position of the stream that is a little old: older than
// whatever a page has just shown. Safe for concurrent use.
type past struct {
	mu           sync.Mutex
	older, newer portal.Cursor
	turned       time.Time
}

// keep is told the present cursor from time to time; every so often it moves on.
func (p *past) keep(now portal.Cursor, at time.Time, every time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at.Sub(p.turned) >= every {
		p.older, p.newer, p.turned = p.newer, now, at
	}
}

// cursor returns the older position, or the one given while there is none.
func (p *past) cursor(otherwise portal.Cursor) portal.Cursor {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.older == "" {
		return otherwise
	}
	return p.older
}
