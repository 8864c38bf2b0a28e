package realtime

import "time"

// Turn does what is due at a time, without waiting for it.
func (h *Hub) Turn(now time.Time) { h.turn(now) }

// Watched is how many sockets watch an item.
func (h *Hub) Watched(ref string) (n int) {
	for _, sh := range h.shards {
		sh.mu.Lock()
		if t := sh.topics[ref]; t != nil {
			n += len(t.sockets)
		}
		sh.mu.Unlock()
	}
	return n
}
