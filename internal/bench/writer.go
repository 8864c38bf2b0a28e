package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// orderPrefix begins the numbers of the orders made for a measurement.
const orderPrefix = "SO-" + marker

// writers commit at a rate over several connections, each commit at its time
// whether the one before has been answered or not.
type writers struct {
	conns []*pgx.Conn
}

func openWriters(ctx context.Context, url string, n int) (*writers, error) {
	w := &writers{}
	for range n {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			w.close()
			return nil, err
		}
		w.conns = append(w.conns, conn)
	}
	return w, nil
}

func (w *writers) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for _, c := range w.conns {
		_ = c.Close(ctx)
	}
}

// run calls commit at the rate, beginning after offset, for as long as said.
// It returns how many were committed a second.
func (w *writers) run(ctx context.Context, rate float64, offset, d time.Duration,
	commit func(ctx context.Context, conn *pgx.Conn, n int) error) (float64, error) {
	due := make(chan int, 1024)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var committing sync.WaitGroup
	var done atomic.Int64
	start := time.Now()
	for _, conn := range w.conns {
		committing.Go(func() {
			for n := range due {
				if ctx.Err() != nil {
					continue
				}
				if err := commit(ctx, conn, n); err != nil {
					cancel(err)
					continue
				}
				done.Add(1)
			}
		})
	}
	every := time.Duration(float64(time.Second) / rate)
schedule:
	for n := 0; ; n++ {
		at := offset + time.Duration(n)*every
		if at >= d {
			break
		}
		if sleep(ctx, time.Until(start.Add(at))) != nil {
			break
		}
		select {
		case due <- n:
		case <-ctx.Done():
			break schedule
		}
	}
	close(due)
	committing.Wait()
	if err := context.Cause(ctx); err != nil {
		return 0, err
	}
	return float64(done.Load()) / max(d, time.Since(start)).Seconds(), nil
}

// changeOrder commits a change of one order that its customer sees, and enters
// the event into the ledger just before COMMIT.
func changeOrder(ctx context.Context, conn *pgx.Conn, l *ledger, p person, to int) error {
	b := &pgx.Batch{}
	b.Queue("begin")
	b.Queue("update erp.sales_order set note = $1 where order_id = $2",
		strconv.FormatInt(time.Now().UnixNano(), 36), p.orderID)
	b.Queue("select event_id from portal.event where xid = pg_current_xact_id() and ref = $1 order by event_id desc "+
		"limit 1", p.orderNo)
	return commitEvent(ctx, conn, l, b, to)
}

// tellEverybody commits an event for all. bytes is how much it carries besides.
func tellEverybody(ctx context.Context, conn *pgx.Conn, l *ledger, bytes int) error {
	b := &pgx.Batch{}
	b.Queue("begin")
	b.Queue("select portal.emit('catalog', null, '', case when $1 > 0 then jsonb_build_object('bench', repeat('x', "+
		"$1)) end)::text", bytes)
	b.Queue("select event_id from portal.event where xid = pg_current_xact_id() and kind = 'catalog' order by event_id " +
		"desc limit 1")
	return commitEvent(ctx, conn, l, b, everybody)
}

func commitEvent(ctx context.Context, conn *pgx.Conn, l *ledger, b *pgx.Batch, to int) error {
	var id int64
	results := conn.SendBatch(ctx, b)
	_, err := results.Exec()
	if err == nil {
		_, err = results.Exec()
	}
	if err == nil {
		if err = results.QueryRow().Scan(&id); errors.Is(err, pgx.ErrNoRows) {
			err = errors.New("the change made no event: are the triggers on?")
		}
	}
	if err = errors.Join(err, results.Close()); err != nil {
		_, _ = conn.Exec(ctx, "rollback")
		return err
	}
	n := l.sending(id, to)
	if err := conn.PgConn().Exec(ctx, "commit").Close(); err != nil {
		return err
	}
	l.committed(n)
	return nil
}

// baseline is the least a listener can do: a connection that waits for
// notifications, and transactions like those measured that send one. They run
// with triggers off, so that the portal hears nothing of them.
type baseline struct {
	*writers
	channel string
	spare   []person // customers without a socket
	quiet   bool     // triggers are off

	mu   sync.Mutex
	sent map[string]int64
	took []time.Duration
	stop context.CancelFunc
	done chan error
}

func openBaseline(ctx context.Context, url string, spare []person) (*baseline, error) {
	w, err := openWriters(ctx, url, len(spare))
	if err != nil {
		return nil, err
	}
	b := &baseline{writers: w, channel: "portal_bench", spare: spare, quiet: true, sent: map[string]int64{},
		done: make(chan error, 1)}
	for _, c := range w.conns {
		if _, err := c.Exec(ctx, "set session_replication_role = replica"); err != nil {
			b.quiet = false // not a superuser
		}
	}
	listener, err := pgx.Connect(ctx, url)
	if err == nil {
		_, err = listener.Exec(ctx, "listen "+b.channel)
	}
	if err != nil {
		w.close()
		return nil, fmt.Errorf("bare listener: %w", err)
	}
	ctx, b.stop = context.WithCancel(ctx)
	go func() {
		defer listener.Close(context.WithoutCancel(ctx))
		for {
			n, err := listener.WaitForNotification(ctx)
			if err != nil {
				b.done <- err
				return
			}
			now := time.Now().UnixNano()
			b.mu.Lock()
			if at, ok := b.sent[n.Payload]; ok {
				b.took = append(b.took, time.Duration(now-at))
				delete(b.sent, n.Payload)
			}
			b.mu.Unlock()
		}
	}()
	return b, nil
}

func (b *baseline) close() {
	b.stop()
	<-b.done //nolint:errcheck // it was told to stop, and says so
	b.writers.close()
}

// commit is a transaction of its own.
func (b *baseline) commit(ctx context.Context, conn *pgx.Conn, n int) error {
	key := strconv.Itoa(n)
	batch := &pgx.Batch{}
	batch.Queue("begin")
	batch.Queue("update erp.sales_order set note = $1 where order_id = $2", key, b.spare[n%len(b.spare)].orderID)
	batch.Queue("select pg_notify($1, $2)::text", b.channel, key)
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		_, _ = conn.Exec(ctx, "rollback")
		return err
	}
	b.mu.Lock()
	b.sent[key] = time.Now().UnixNano()
	b.mu.Unlock()
	return conn.PgConn().Exec(ctx, "commit").Close()
}

// latency is what was measured since the last time it was asked.
func (b *baseline) latency() Latency {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := latency(b.took)
	b.took, b.sent = nil, map[string]int64{}
	return out
}
