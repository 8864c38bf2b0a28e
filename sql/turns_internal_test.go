package sql

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"

	"portal.example/portal"
)

// waiting is how many stand in line.
func (t *turns) waiting() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for _, l := range t.lines {
		n += len(l.waiting)
	}
	return n
}

// A crowd that came first delays somebody else by one of its own, and not by all
// of it.
func TestTurnsAreFair(t *testing.T) {
	t.Parallel()
	places := newTurns(1)
	if err := places.take(t.Context(), "crowd"); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var order []string
	var wait sync.WaitGroup
	stand := func(who string, n int) {
		for range n {
			before := places.waiting()
			wait.Go(func() {
				if err := places.take(t.Context(), who); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				order = append(order, who)
				mu.Unlock()
				places.give()
			})
			for places.waiting() == before { // until it stands in line
				runtime.Gosched()
			}
		}
	}
	stand("crowd", 10)
	stand("ann", 2)
	stand("ben", 1)
	places.give()
	wait.Wait()
	want := append([]string{"crowd", "ann", "ben", "crowd", "ann"}, slices.Repeat([]string{"crowd"}, 8)...)
	if !slices.Equal(order, want) {
		t.Errorf("in turn: %q", order)
	}
}

// A line has an end, lines have a number, and who leaves takes no place along.
func TestTurnsEnd(t *testing.T) {
	t.Parallel()
	places := newTurns(1)
	if err := places.take(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	for range lineMost {
		wait.Go(func() {
			if err := places.take(ctx, "crowd"); !errors.Is(err, context.Canceled) {
				t.Errorf("left: %v", err)
			}
		})
	}
	for places.waiting() < lineMost {
		runtime.Gosched()
	}
	if err := places.take(ctx, "crowd"); portal.ErrorCode(err) != portal.CodeTooMany {
		t.Errorf("behind a full line: %v", err)
	}
	leave()
	wait.Wait()
	if n := places.waiting(); n != 0 || len(places.lines) != 0 {
		t.Errorf("%d wait in %d lines after all have left", n, len(places.lines))
	}
	for i := range linesMost {
		places.mu.Lock()
		_, err := places.queue(fmt.Sprint(i))
		places.mu.Unlock()
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := places.take(t.Context(), "one more"); portal.ErrorCode(err) != portal.CodeTooMany {
		t.Errorf("one line more: %v", err)
	}
}
