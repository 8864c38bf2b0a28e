package listener_test

import (
	"context"
	"sync"
	"testing"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/listener"
)

// BenchmarkCommitToBatch is from the beginning of a transaction of one event, as
// a trigger writes it, to the batch that has it; one at a time.
func BenchmarkCommitToBatch(b *testing.B) {
	for name, open := range sources {
		b.Run(name, func(b *testing.B) {
			db := pgtest.Private(b) // commits are waited for, as in production
			came, begun := make(chan int, 1), make(chan struct{})
			begin := sync.OnceFunc(func() { close(begun) })
			ctx, cancel := context.WithCancel(context.Background())
			ended := make(chan struct{})
			source := open(b, db)
			go func() {
				defer close(ended)
				_ = source.Run(ctx, func(batch portal.Batch) {
					begin()
					if len(batch.Events) > 0 {
						came <- len(batch.Events)
					}
				})
			}()
			defer func() { cancel(); <-ended }()
			<-begun
			if w, ok := source.(*listener.WAL); ok {
				eventually(b, "the stream stands", func() bool { return w.Stats().Streaming })
			}
			pgtest.Exec(b, db, `select portal.emit('order', 1, 'first')`)
			<-came
			for b.Loop() {
				pgtest.Exec(b, db, `select portal.emit('order', 1, 'SO-100023', '{"status": "SHIPPED"}')`)
				<-came
			}
		})
	}
}

// BenchmarkBigTransaction is a transaction of 100,000 events, from its commit to
// the last batch.
func BenchmarkBigTransaction(b *testing.B) {
	for name, open := range sources {
		b.Run(name, func(b *testing.B) {
			db := pgtest.Private(b)
			came := make(chan int, 100)
			ctx, cancel := context.WithCancel(context.Background())
			ended := make(chan struct{})
			source := open(b, db)
			go func() {
				defer close(ended)
				_ = source.Run(ctx, func(batch portal.Batch) { came <- len(batch.Events) })
			}()
			defer func() { cancel(); <-ended }()
			if w, ok := source.(*listener.WAL); ok {
				eventually(b, "the stream stands", func() bool { return w.Stats().Streaming })
			}
			for b.Loop() {
				b.StopTimer()
				tx := begin(b, db)
				if _, err := tx.Exec(context.Background(),
					`insert into portal.event (kind, customer_id, ref) select 'order', n % 100 + 1, n::text
						from generate_series(1, 99999) as n`); err != nil {
					b.Fatal(err)
				}
				tell(b, tx, "the last")
				b.StartTimer()
				commit(b, tx)
				for n := 0; n < 100_000; {
					n += <-came
				}
			}
		})
	}
}
