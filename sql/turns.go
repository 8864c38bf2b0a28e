package sql

import (
	"context"
	"slices"
	"sync"

	"portal.example/portal"
)

// turns shares a few places among many who ask, fairly: whoever waits in one line
// waits for the others of the line, and the lines take turns. So a thousand
// log-ins from one network delay one from another by a single place. Safe for
// concurrent use.
type turns struct {
	mu    sync.Mutex
	free  int
	lines []*line // those with somebody in them, who is next first
}

type line struct {
	who     string
	waiting []chan struct{}
}

// The most who may wait: in one line, and in all. Beyond that a turn would come
// after the browser has given up.
const (
	lineMost  = 20
	linesMost = 500
)

var errBusy = portal.Errorf(portal.CodeTooMany, "Too many people log in at this moment. Please try again in a minute.")

func newTurns(places int) *turns { return &turns{free: places} }

// take waits for a place; give ends it. CodeTooMany where too many wait already.
func (t *turns) take(ctx context.Context, who string) error {
	t.mu.Lock()
	if t.free > 0 {
		t.free--
		t.mu.Unlock()
		return nil
	}
	mine, err := t.queue(who)
	t.mu.Unlock()
	if err != nil {
		return err
	}
	select {
	case <-mine:
		return nil
	case <-ctx.Done():
		if !t.leave(who, mine) {
			t.give() // it came in the same moment
		}
		return ctx.Err()
	}
}

// queue stands behind the last of a line; t.mu is held.
func (t *turns) queue(who string) (chan struct{}, error) {
	i := slices.IndexFunc(t.lines, func(l *line) bool { return l.who == who })
	if i < 0 {
		if len(t.lines) >= linesMost {
			return nil, errBusy
		}
		t.lines = append(t.lines, &line{who: who})
		i = len(t.lines) - 1
	}
	l := t.lines[i]
	if len(l.waiting) >= lineMost {
		return nil, errBusy
	}
	mine := make(chan struct{})
	l.waiting = append(l.waiting, mine)
	return mine, nil
}

// leave gives up a place in a line; false: its turn had come.
func (t *turns) leave(who string, mine chan struct{}) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.IndexFunc(t.lines, func(l *line) bool { return l.who == who })
	if i < 0 {
		return false
	}
	l := t.lines[i]
	at := slices.Index(l.waiting, mine)
	if at < 0 {
		return false
	}
	if l.waiting = slices.Delete(l.waiting, at, at+1); len(l.waiting) == 0 {
		t.lines = slices.Delete(t.lines, i, i+1)
	}
	return true
}

// give hands the place to the first of the next line.
func (t *turns) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) == 0 {
		t.free++
		return
	}
	l := t.lines[0]
	t.lines = slices.Delete(t.lines, 0, 1)
	close(l.waiting[0])
	if l.waiting = l.waiting[1:]; len(l.waiting) > 0 {
		t.lines = append(t.lines, l) // behind all others
	}
}
