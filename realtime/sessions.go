package realtime

import (
	"sync"

	"portal.example/portal"
)

// sessions counts the open sockets of each session, from before they are
// registered, so that many at a time are counted one by one. Its lock is taken by
// itself.
type sessions struct {
	mu   sync.Mutex
	open map[portal.SessionID]int
}

// enter counts one more socket of a session, unless it has most of them already;
// 0: any number.
func (s *sessions) enter(id portal.SessionID, most int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if most > 0 && s.open[id] >= most {
		return false
	}
	if s.open == nil {
		s.open = map[portal.SessionID]int{}
	}
	s.open[id]++
	return true
}

func (s *sessions) leave(id portal.SessionID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[id]--; s.open[id] <= 0 {
		delete(s.open, id)
	}
}
