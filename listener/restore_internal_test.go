package listener

import (
	"context"
	"testing"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
)

// A database restored to an earlier state has not reached the position yet.
func TestPositionOfAFutureThatNeverWas(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	const future portal.Cursor = "900000000000:900000000000:"
	n := NewNotify(Config{ConnString: db.URL})
	n.cursor = future
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var first *portal.Batch
	_ = n.Run(ctx, func(b portal.Batch) {
		if first == nil {
			first = &b
			cancel()
		}
	})
	if first == nil || !first.Resync || len(first.Events) != 0 || first.Cursor == "" || first.Cursor == future {
		t.Errorf("first batch %+v", first)
	}
}
