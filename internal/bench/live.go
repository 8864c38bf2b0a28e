package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/jackc/pgx/v5"
)

// LiveOptions say what to measure. All are required but for PID.
type LiveOptions struct {
	URL         string // the portal's, http://…
	DatabaseURL string // of a user that may write erp and portal
	Sockets     int    // one customer each
	Rate        int    // events a second, each to one customer
	Duration    time.Duration
	PID         int // of the portal, to read its memory; 0: not read
}

// LiveReport is what was measured. Frames and Listen are from the moment before
// COMMIT was sent until the event was there: at the socket, and at a bare
// connection that only listens, in the same run.
type LiveReport struct {
	Frames       Latency
	Listen       Latency
	Lost         int
	WrongOrder   int
	Strangers    int   // events of another customer
	BytesASocket int64 // resident, idle; 0 if not read
}

func (r LiveReport) String() string {
	s := fmt.Sprintf("socket       %v\nbare LISTEN  %v\nlost %d, out of order %d, to a stranger %d", r.Frames, r.Listen, r.Lost, r.WrongOrder, r.Strangers)
	if r.BytesASocket > 0 {
		s += fmt.Sprintf("\nmemory of an idle socket %.1f KB resident", float64(r.BytesASocket)/1024)
	}
	return s
}

// Live opens the sockets, commits at the rate, and compares.
func Live(ctx context.Context, o LiveOptions) (LiveReport, error) {
	var report LiveReport
	conn, err := pgx.Connect(ctx, o.DatabaseURL)
	if err != nil {
		return report, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	who, err := people(ctx, conn, o.Sockets)
	if err != nil {
		return report, err
	}
	defer sweep(context.WithoutCancel(ctx), conn)

	before := resident(o.PID)
	run := &liveRun{sent: make([]atomic.Int64, o.Rate*int(o.Duration/time.Second)+o.Rate)}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var reading sync.WaitGroup
	for i := range who {
		c, err := dial(ctx, o.URL, who[i].cookie)
		if err != nil {
			return report, fmt.Errorf("socket %d: %w", i+1, err)
		}
		defer c.CloseNow()
		reading.Go(func() { run.read(ctx, c, who[i].orderNo) })
	}
	if o.PID != 0 && o.Sockets >= 100 {
		settle(ctx)
		report.BytesASocket = (resident(o.PID) - before) / int64(o.Sockets)
	}
	reading.Go(func() { run.listen(ctx, o.DatabaseURL) })
	settle(ctx)

	tick := time.NewTicker(time.Second / time.Duration(o.Rate))
	defer tick.Stop()
	end := time.After(o.Duration)
	n := 0
commits:
	for {
		select {
		case <-tick.C:
			p := who[n%len(who)]
			if err := run.commit(ctx, conn, p, n); err != nil {
				return report, err
			}
			n++
		case <-end:
			break commits
		}
	}
	settle(ctx)
	stop()
	reading.Wait()
	run.mu.Lock()
	defer run.mu.Unlock()
	report.Frames, report.Listen = latency(run.frames), latency(run.listened)
	report.Lost, report.WrongOrder, report.Strangers = n-len(run.frames), run.wrongOrder, run.strangers
	return report, nil
}

// settle waits for what is on its way.
func settle(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(1500 * time.Millisecond):
	}
}

type liveRun struct {
	sent []atomic.Int64 // when commit n was sent, in nanoseconds

	mu         sync.Mutex
	frames     []time.Duration
	listened   []time.Duration
	wrongOrder int
	strangers  int
	last       atomic.Int64 // the commit under way, for the bare listener
}

// commit changes one order; its reference number carries the count.
func (r *liveRun) commit(ctx context.Context, conn *pgx.Conn, p person, n int) error {
	if n >= len(r.sent) {
		return nil
	}
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx)
	if _, err := tx.Exec(ctx, "update erp.sales_order set note = $1 where order_id = $2", strconv.Itoa(n), p.orderID); err != nil {
		return err
	}
	// the event says which commit it is of, so that each can be told apart
	if _, err := tx.Exec(ctx, `update portal.event set data = data || jsonb_build_object('n', $1::int)
		where xid = pg_current_xact_id() and ref = $2`, n, p.orderNo); err != nil {
		return err
	}
	now := time.Now().UnixNano()
	r.sent[n].Store(now)
	r.last.Store(now)
	return tx.Commit(ctx)
}

func dial(ctx context.Context, url, cookie string) (*websocket.Conn, error) {
	header := http.Header{"Origin": {url}, "Cookie": {"portal_session=" + cookie + "; __Host-portal_session=" + cookie}}
	c, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(url, "http")+"/live", &websocket.DialOptions{HTTPHeader: header, CompressionMode: websocket.CompressionDisabled})
	return c, err
}

// read takes one socket's frames.
func (r *liveRun) read(ctx context.Context, c *websocket.Conn, own string) {
	newest := -1
	seen := map[int64]bool{}
	for {
		_, raw, err := c.Read(ctx)
		if err != nil {
			return
		}
		now := time.Now().UnixNano()
		var f struct {
			Events []struct {
				ID  int64
				Ref string
				N   *int
			}
		}
		if json.Unmarshal(raw, &f) != nil {
			continue
		}
		r.mu.Lock()
		for _, e := range f.Events {
			if e.Ref != own {
				r.strangers++
				continue
			}
			if e.N == nil || *e.N >= len(r.sent) || seen[e.ID] {
				continue
			}
			seen[e.ID] = true
			if *e.N < newest {
				r.wrongOrder++
			}
			newest = *e.N
			r.frames = append(r.frames, time.Duration(now-r.sent[*e.N].Load()))
		}
		r.mu.Unlock()
	}
}

// listen is what a bare connection can do: be woken by the same notification.
func (r *liveRun) listen(ctx context.Context, url string) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "listen portal_event"); err != nil {
		return
	}
	for {
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return
		}
		now := time.Now().UnixNano()
		if at := r.last.Load(); at != 0 {
			r.mu.Lock()
			r.listened = append(r.listened, time.Duration(now-at))
			r.mu.Unlock()
		}
	}
}

// resident is a process's memory in bytes (Linux), 0 where it cannot be read.
func resident(pid int) int64 {
	if pid == 0 {
		return 0
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb * 1024
		}
	}
	return 0
}
