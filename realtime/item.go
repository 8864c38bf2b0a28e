package realtime

import (
	"sync"

	"portal.example/portal"
)

// itemIndex knows which sockets show which items.
type itemIndex struct {
	mu       sync.RWMutex
	watchers map[string]map[*client]struct{} // by item number
}

// set replaces what a socket watches.
func (x *itemIndex) set(c *client, items []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, item := range c.watched {
		if set := x.watchers[item]; set != nil {
			delete(set, c)
			if len(set) == 0 {
				delete(x.watchers, item)
			}
		}
	}
	c.watched = items
	for _, item := range items {
		set := x.watchers[item]
		if set == nil {
			set = map[*client]struct{}{}
			x.watchers[item] = set
		}
		set[c] = struct{}{}
	}
}

// deliver gives an event of an item to those who watch it; one that is about
// one customer's view of it, to that customer's sockets alone.
func (x *itemIndex) deliver(e portal.Event) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	set := x.watchers[e.Ref]
	if len(set) == 0 {
		return
	}
	frame := eventsFrame("", []portal.Event{e})
	for c := range set {
		if e.CustomerID == 0 || e.CustomerID == c.who.CustomerID || c.who.Staff() {
			c.send(frame)
		}
	}
}
