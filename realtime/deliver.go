package realtime

import (
	"strconv"

	"portal.example/portal"
)

// Deliver hands a batch to every socket it concerns. It never waits for a
// socket.
func (h *Hub) Deliver(b portal.Batch) {
	h.delivering.Lock()
	defer h.delivering.Unlock()
	d := h.sort(b)
	first := h.cursor == "" && d.cursor != ""
	h.cursor = d.cursor
	h.tail.add(b) // first: who comes in between gets it twice, not never
	for i, sh := range h.shards {
		d.round = &round{}
		sh.deliver(d, d.customers[i])
		d.round.start()
	}
	if first {
		close(h.begun)
	}
	if len(d.recheck) > 0 {
		go func() { // it asks the database
			for _, s := range d.recheck {
				s.verify()
			}
		}()
	}
}

// delivery is a batch sorted by who hears what. Every event and every frame is
// encoded once, when the first socket needs it.
type delivery struct {
	hub      *Hub
	events   []portal.Event
	resync   bool
	cursor   portal.Cursor // after the batch: for the last frame of it that a socket gets
	before   portal.Cursor // for its other frames
	cursorAt int64         // when sockets told now need a cursor again
	now      int64

	everybody []int                       // events for every customer
	staff     []int                       // events for staff
	own       map[portal.CustomerID][]int // events for one customer
	customers [][]portal.CustomerID       // keys of own, by shard
	items     map[string][]int            // events of kind item, by item number
	ended     map[portal.SessionID]bool   // sessions whose sockets are closed
	access    map[portal.CustomerID]bool  // customers whose rights have changed

	encoded   [][]byte
	broadcast *message
	watched   map[audience]*message
	round     *round    // of the shard that is told
	recheck   []*socket // what they watch may no longer be theirs
}

// audience of the events of one item: a customer that has events of its own
// among them, staff, or the rest.
type audience struct {
	ref  string
	who  portal.CustomerID
	desk bool
}

// message is one frame in the making.
type message struct {
	events      []int
	last, other []byte
	at          int64 // when the oldest of the events was written, in Unix nanoseconds
	tooMuch     bool  // told as a resync
}

func (h *Hub) sort(b portal.Batch) *delivery {
	now := h.now()
	d := &delivery{hub: h, events: b.Events, resync: b.Resync, cursor: b.Cursor, before: h.cursor,
		now: now.UnixNano(), cursorAt: now.Add(h.cfg.CursorEvery).UnixNano(),
		customers: make([][]portal.CustomerID, len(h.shards))}
	if d.cursor == "" {
		d.cursor = h.cursor
	}
	if len(b.Events) == 0 {
		return d
	}
	d.encoded = make([][]byte, len(b.Events))
	d.own = map[portal.CustomerID][]int{}
	d.access = map[portal.CustomerID]bool{}
	for i, e := range b.Events {
		switch e.Kind {
		case portal.EventPing:
			continue
		case portal.EventSession:
			if id, err := strconv.ParseInt(e.Ref, 10, 64); err == nil {
				if d.ended == nil {
					d.ended = map[portal.SessionID]bool{}
				}
				d.ended[portal.SessionID(id)] = true
			}
			continue
		case portal.EventItem:
			if d.items == nil {
				d.items, d.watched = map[string][]int{}, map[audience]*message{}
			}
			d.items[e.Ref] = append(d.items[e.Ref], i)
			continue
		case portal.EventAccess:
			d.access[e.CustomerID] = true
		}
		if staffHear(e.Kind) {
			d.staff = append(d.staff, i)
		}
		if e.CustomerID == 0 {
			d.everybody = append(d.everybody, i)
			continue
		}
		if d.own[e.CustomerID] == nil {
			shard := h.shardIndex(e.CustomerID)
			d.customers[shard] = append(d.customers[shard], e.CustomerID)
		}
		d.own[e.CustomerID] = append(d.own[e.CustomerID], i)
	}
	return d
}

// staffHear leaves out what is between a customer's own devices.
func staffHear(k portal.EventKind) bool {
	return k != portal.EventCart && k != portal.EventFavorite && k != portal.EventNotice
}

// deliver queues what concerns this shard's sockets. customers are those of the
// shard that have events of their own.
func (sh *shard) deliver(d *delivery, customers []portal.CustomerID) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.cursor = d.cursor
	if len(d.ended) > 0 {
		sh.each(func(s *socket) {
			if d.ended[s.who.ID] {
				s.end(closeSessionEnded, "session ended")
			}
		})
	}
	watchers := sh.watchers(d)
	tell := func(r *room) {
		if r == nil {
			return
		}
		m := d.of(r.id)
		if m == nil {
			return
		}
		check := d.access[r.id] || d.access[0]
		for _, s := range r.sockets {
			for _, item := range watchers[s] {
				d.tell(s, item, false)
			}
			delete(watchers, s)
			d.tell(s, m, true)
			if check && len(s.watched) > 0 {
				d.recheck = append(d.recheck, s)
			}
		}
	}
	if len(d.everybody) > 0 {
		for _, r := range sh.rooms {
			tell(r)
		}
	} else {
		for _, id := range customers {
			tell(sh.rooms[id])
		}
		if len(d.staff) > 0 {
			tell(sh.rooms[staffRoom])
		}
	}
	for s, items := range watchers {
		for i, item := range items {
			d.tell(s, item, i == len(items)-1)
		}
	}
	if d.resync {
		frame := resyncFrame(d.cursor)
		sh.each(func(s *socket) {
			d.hub.counts.resyncs.Add(1)
			s.push(d.round, frame, 0, d.cursorAt)
			s.checkFrom(d.now)
		})
	}
}

// watchers returns the sockets of the shard that watch items of the batch, with
// what each hears of them.
func (sh *shard) watchers(d *delivery) map[*socket][]*message {
	var found map[*socket][]*message
	for ref := range d.items {
		t := sh.topics[ref]
		if t == nil {
			continue
		}
		for _, s := range t.sockets {
			if m := d.item(ref, s); m != nil {
				if found == nil {
					found = map[*socket][]*message{}
				}
				found[s] = append(found[s], m)
			}
		}
	}
	return found
}

// item returns what a watching socket hears of an item: the events for
// everybody and its own customer's; staff hear all. Nil if there are none.
func (d *delivery) item(ref string, s *socket) *message {
	a := audience{ref: ref, desk: s.who.Staff()}
	mine := s.room()
	if !a.desk {
		for _, i := range d.items[ref] {
			if d.events[i].CustomerID == mine {
				a.who = mine
			}
		}
	}
	m, known := d.watched[a]
	if known {
		return m
	}
	var events []int
	for _, i := range d.items[ref] {
		if c := d.events[i].CustomerID; a.desk || c == 0 || c == a.who {
			events = append(events, i)
		}
	}
	if len(events) > 0 {
		m = &message{events: events}
	}
	d.watched[a] = m
	return m
}

// of returns what a room hears, items aside; nil for nothing.
func (d *delivery) of(id portal.CustomerID) *message {
	if id == staffRoom {
		if len(d.staff) == 0 {
			return nil
		}
		return &message{events: d.staff}
	}
	own := d.own[id]
	switch {
	case len(own) > 0:
		return &message{events: merge(own, d.everybody)}
	case len(d.everybody) == 0:
		return nil
	}
	if d.broadcast == nil {
		d.broadcast = &message{events: d.everybody}
	}
	return d.broadcast
}

// tell queues a message for one socket.
func (d *delivery) tell(s *socket, m *message, last bool) {
	frame := d.frame(m, last) // which sets m.at
	s.push(d.round, frame, m.at, d.cursorAt)
}

// frame encodes a message. The cursor after the batch is only for the last
// frame that a socket gets of it: a client that has this cursor has all before.
func (d *delivery) frame(m *message, last bool) []byte {
	at, cursor := &m.other, d.before
	if last {
		at, cursor = &m.last, d.cursor
	}
	if *at == nil {
		list := make([][]byte, len(m.events))
		for n, i := range m.events {
			if d.encoded[i] == nil {
				d.encoded[i] = appendEvent(nil, d.events[i])
			}
			list[n] = d.encoded[i]
			if at := d.events[i].At; !at.IsZero() && (m.at == 0 || at.UnixNano() < m.at) {
				m.at = at.UnixNano()
			}
		}
		*at = eventsFrame(cursor, list...)
		if len(*at) > d.hub.cfg.QueueBytes/2 {
			// nobody's queue is for that much; reading again is cheaper for all
			*at, m.tooMuch = resyncFrame(cursor), true
		}
	}
	if m.tooMuch {
		d.hub.counts.resyncs.Add(1)
	}
	return *at
}

// merge joins two ascending lists.
func merge(a, b []int) []int {
	if len(b) == 0 {
		return a
	}
	out := make([]int, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if a[0] < b[0] {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// checkFrom makes the wheel ask, from that time on, whether the session lives.
func (s *socket) checkFrom(at int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checkAt = at
}
