package realtime

import (
	"slices"
	"sync"

	"github.com/coder/websocket"

	"portal.example/portal"
)

// staffRoom is where sockets of staff are; no customer has this id.
const staffRoom portal.CustomerID = 0

// shard holds the sockets of some customers. Its lock is taken before that of a
// socket. The cursor changes under the lock together with the queues, so what a
// registering socket reads is exactly where its live events begin.
type shard struct {
	mu     sync.Mutex
	closed bool
	cursor portal.Cursor
	rooms  map[portal.CustomerID]*room
	topics map[string]*topic // by item number; nil until somebody watches
}

// room holds the sockets of one customer, or of staff.
type room struct {
	id      portal.CustomerID
	sockets []*socket
}

// topic holds the sockets that watch one item.
type topic struct {
	ref     string
	sockets []*socket
}

// add registers a socket and returns the position its live events begin at. A
// socket that comes while the hub closes is told so.
func (sh *shard) add(s *socket) portal.Cursor {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	r := sh.rooms[s.room()]
	if r == nil {
		r = &room{id: s.room()}
		sh.rooms[r.id] = r
	}
	r.sockets = append(r.sockets, s)
	if sh.closed {
		s.end(websocket.StatusServiceRestart, "restarting")
	}
	return sh.cursor
}

func (sh *shard) remove(s *socket) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.unwatch(s)
	r := sh.rooms[s.room()]
	r.sockets = without(r.sockets, s)
	if len(r.sockets) == 0 {
		delete(sh.rooms, r.id)
	}
}

// watch makes refs the items that s watches and returns those it did not watch
// before. From here on s hears of them; its queue is held, so that what it has
// missed of them can be put before.
func (sh *shard) watch(s *socket, refs []string) (added []string) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for _, ref := range refs {
		if !slices.ContainsFunc(s.watched, func(t *topic) bool { return t.ref == ref }) {
			added = append(added, ref)
		}
	}
	sh.unwatch(s)
	if len(added) > 0 {
		s.hold()
	}
	if len(refs) == 0 {
		return nil
	}
	if sh.topics == nil {
		sh.topics = map[string]*topic{}
	}
	s.watched = make([]*topic, 0, len(refs))
	for _, ref := range refs {
		t := sh.topics[ref]
		if t == nil {
			t = &topic{ref: ref}
			sh.topics[ref] = t
		}
		t.sockets = append(t.sockets, s)
		s.watched = append(s.watched, t)
	}
	return added
}

func (sh *shard) unwatch(s *socket) {
	for _, t := range s.watched {
		t.sockets = without(t.sockets, s)
		if len(t.sockets) == 0 {
			delete(sh.topics, t.ref)
		}
	}
	s.watched = nil
}

// refs returns the items that s watches.
func (sh *shard) refs(s *socket) []string {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	refs := make([]string, len(s.watched))
	for i, t := range s.watched {
		refs[i] = t.ref
	}
	return refs
}

func (sh *shard) close() {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.closed = true
	sh.each(func(s *socket) { s.end(websocket.StatusServiceRestart, "restarting") })
}

// cut ends the connections that are left, and returns how many they were.
func (sh *shard) cut() (n int) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.each(func(s *socket) { s.cut(); n++ })
	return n
}

// each is called under the lock.
func (sh *shard) each(do func(*socket)) {
	for _, r := range sh.rooms {
		for _, s := range r.sockets {
			do(s)
		}
	}
}

// without takes one socket out of a list whose order does not matter.
func without(list []*socket, s *socket) []*socket {
	i := slices.Index(list, s)
	if i < 0 {
		return list
	}
	last := len(list) - 1
	list[i], list[last] = list[last], nil
	return list[:last]
}
