package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// FaultsOptions say what to break. All are required but for Progress.
type FaultsOptions struct {
	DatabaseURL string                              // of a migrated database, and a superuser
	Portal      func(arguments ...string) *exec.Cmd // the portal as a process of its own
	Sockets     int                                 // over two nodes
	Rate        float64                             // events a second
	// How long events flow over each fault, which comes after a quarter of it
	Each     time.Duration
	Progress func(format string, args ...any)
}

// FaultPoint is one fault and what came of it.
type FaultPoint struct {
	Fault   string  `json:"fault"`
	Sockets int     `json:"sockets"`
	Commits int     `json:"commits"`
	Verdict Verdict `json:"sequence"`
	// From the fault until all were greeted again and the last late event was there
	Recovered float64     `json:"recovered_ms"`
	Others    Latency     `json:"others"` // commit to frame at sockets that the fault was not about, meanwhile
	Codes     map[int]int `json:"closing_codes,omitempty"`
}

// FaultsResult is all of them.
type FaultsResult struct {
	Points []FaultPoint `json:"points"`
}

// Flawless tells whether no fault lost anything.
func (r FaultsResult) Flawless() bool {
	return !slices.ContainsFunc(r.Points, func(p FaultPoint) bool { return !p.Verdict.Flawless() })
}

// late is what makes an event part of a fault's time to recover.
const late = 100 * time.Millisecond

// faultRun is one measurement at work.
type faultRun struct {
	FaultsOptions
	conn    *pgx.Conn
	who     []person
	writers *writers
	result  FaultsResult
}

// Faults starts portals of its own on the database, lets events flow to many
// sockets, and breaks one thing after another.
func Faults(ctx context.Context, o FaultsOptions) (FaultsResult, error) {
	if o.Progress == nil {
		o.Progress = func(string, ...any) {}
	}
	if o.Sockets < 10 || o.Rate <= 0 || o.Each <= 0 {
		return FaultsResult{}, errors.New("ten sockets at least, a rate and some time are needed")
	}
	conn, err := pgx.Connect(ctx, o.DatabaseURL)
	if err != nil {
		return FaultsResult{}, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	r := &faultRun{FaultsOptions: o, conn: conn}
	if r.who, err = people(ctx, conn, o.Sockets); err != nil {
		return r.result, err
	}
	defer func() {
		if err := sweep(context.WithoutCancel(ctx), conn); err != nil {
			o.Progress("%v", err)
		}
	}()
	if r.writers, err = openWriters(ctx, o.DatabaseURL, 4); err != nil {
		return r.result, err
	}
	defer r.writers.close()

	for _, fault := range []func(context.Context) error{r.killed, r.ended, r.listenerGone, r.readersStall} {
		if err := fault(ctx); err != nil {
			return r.result, err
		}
	}
	return r.result, nil
}

// node is a portal as a process.
type node struct {
	url  string
	cmd  *exec.Cmd
	gone chan struct{}
}

var served = regexp.MustCompile(`http://[0-9.:]+`)

// start begins n nodes and returns when they serve.
func (r *faultRun) start(n int) ([]*node, func(), error) {
	var nodes []*node
	stop := func() {
		for _, x := range nodes {
			_ = x.cmd.Process.Kill()
			<-x.gone
		}
	}
	for range n {
		cmd := r.Portal("serve", "--addr", "127.0.0.1:0", "--plain-http", "--database-url", r.DatabaseURL, "--log", "error")
		var said bytes.Buffer
		cmd.Stderr = &said
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			stop()
			return nil, nil, fmt.Errorf("start a portal: %w", err)
		}
		x := &node{cmd: cmd, gone: make(chan struct{})}
		nodes = append(nodes, x)
		url := make(chan string, 1)
		go func() {
			defer close(x.gone)
			for lines := bufio.NewScanner(out); lines.Scan(); {
				if at := served.FindString(lines.Text()); at != "" {
					url <- at
				}
			}
			_ = cmd.Wait()
		}()
		select {
		case x.url = <-url:
		case <-x.gone:
			stop()
			return nil, nil, fmt.Errorf("the portal did not start: %s", strings.TrimSpace(said.String()))
		case <-time.After(30 * time.Second):
			stop()
			return nil, nil, errors.New("the portal did not serve within 30 s")
		}
	}
	return nodes, stop, nil
}

// blow is a fault to be tried.
type blow struct {
	name    string
	members int
	nodes   int
	rate    float64
	lasts   time.Duration // 0: Each
	commit  func(l *ledger) func(ctx context.Context, conn *pgx.Conn, n int) error
	strike  func(ctx context.Context, nodes []*node, c *crowd) error
	mend    func(c *crowd)   // nil: it mends itself. Recovery is counted from then on
	about   func(i int) bool // the sockets that the fault is about
}

// try lets events flow, strikes, and looks what came of it.
func (r *faultRun) try(ctx context.Context, b blow) error {
	if b.lasts == 0 {
		b.lasts = r.Each
	}
	r.Progress("%s: starting %d portal(s) and %d sockets", b.name, b.nodes, b.members)
	nodes, stop, err := r.start(b.nodes)
	if err != nil {
		return err
	}
	defer stop()
	l := newLedger()
	// who loses one node tries the other
	c, err := gather(ctx, l, r.who[:b.members], func(i, attempt int) string { return nodes[(i+attempt)%len(nodes)].url })
	if err != nil {
		return fmt.Errorf("%s: %w", b.name, err)
	}
	defer c.leave()
	from := c.begin()
	var at time.Time
	var struck error
	var striking sync.WaitGroup
	striking.Go(func() {
		if struck = sleep(ctx, b.lasts/4); struck == nil {
			at = time.Now()
			struck = b.strike(ctx, nodes, c)
		}
	})
	_, err = r.writers.run(ctx, b.rate, 0, b.lasts, b.commit(l))
	striking.Wait()
	if err = errors.Join(err, struck); err != nil {
		return fmt.Errorf("%s: %w", b.name, err)
	}
	if b.mend != nil {
		at = time.Now()
		b.mend(c)
		_ = sleep(ctx, 500*time.Millisecond) // until who was closed notices
	}
	if err := c.together(ctx, 20*time.Second); err != nil {
		return fmt.Errorf("%s: %w", b.name, err)
	}
	c.complete(ctx, from, 10*time.Second)

	p := FaultPoint{Fault: b.name, Sockets: b.members, Commits: len(l.entries()) - from, Verdict: c.verdict(from),
		Codes: map[int]int{}}
	p.Others = latency(flat(c.arrivals(from, func(i int) bool { return !b.about(i) })))
	whole := at.UnixNano()
	for _, m := range c.members {
		m.mu.Lock()
		whole = max(whole, m.greets.Load())
		for _, code := range m.codes {
			p.Codes[code]++
		}
		m.mu.Unlock()
	}
	all := l.entries()
	for n, took := range c.arrivals(from, nil) {
		for _, d := range took {
			if d > late {
				whole = max(whole, all[from+n].sent+int64(d))
			}
		}
	}
	p.Recovered = millis(time.Duration(whole - at.UnixNano()))
	r.result.Points = append(r.result.Points, p)
	return nil
}

// single commits to one customer after the other.
func (r *faultRun) single(members int) func(*ledger) func(context.Context, *pgx.Conn, int) error {
	return func(l *ledger) func(context.Context, *pgx.Conn, int) error {
		return func(ctx context.Context, conn *pgx.Conn, n int) error {
			to := n % members
			return changeOrder(ctx, conn, l, r.who[to], to)
		}
	}
}

func ofFirstNode(i int) bool { return i%2 == 0 }

func (r *faultRun) killed(ctx context.Context) error {
	return r.try(ctx, blow{name: "a node killed -9", members: r.Sockets, nodes: 2, rate: r.Rate,
		commit: r.single(r.Sockets), about: ofFirstNode,
		strike: func(_ context.Context, nodes []*node, _ *crowd) error { return nodes[0].cmd.Process.Kill() }})
}

func (r *faultRun) ended(ctx context.Context) error {
	return r.try(ctx, blow{name: "a node ended (TERM)", members: r.Sockets, nodes: 2, rate: r.Rate,
		commit: r.single(r.Sockets), about: ofFirstNode, strike: func(_ context.Context, nodes []*node, _ *crowd) error {
			return nodes[0].cmd.Process.Signal(syscall.SIGTERM)
		}})
}

// listenerGone terminates the backends that tell the nodes of events, by NOTIFY
// or from a slot.
func (r *faultRun) listenerGone(ctx context.Context) error {
	return r.try(ctx, blow{name: "listeners terminated", members: r.Sockets, nodes: 2, rate: r.Rate,
		commit: r.single(r.Sockets), about: func(int) bool { return false }, // all had to wait: theirs is the latency shown
		strike: func(ctx context.Context, _ []*node, _ *crowd) error {
			var n int
			err := r.conn.QueryRow(ctx,
				`select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database()
				and (application_name like 'portal listener%' or application_name like 'portal%'
				and backend_type = 'walsender')`).Scan(&n)
			if err == nil && n == 0 {
				err = errors.New("no listener was found")
			}
			return err
		}})
}

// stallEvent is what each broadcast carries while readers stall, in bytes: what
// the kernel and the queue hold for a socket is to fill up.
const stallEvent = 8 << 10

func (r *faultRun) readersStall(ctx context.Context) error {
	const members, stalling = 50, 5
	n := min(members, r.Sockets)
	return r.try(ctx, blow{name: fmt.Sprintf("%d of %d stop reading", stalling, n), members: n, nodes: 1, rate: 150,
		lasts: 6 * time.Second, about: func(i int) bool { return i < stalling },
		commit: func(l *ledger) func(context.Context, *pgx.Conn, int) error {
			return func(ctx context.Context, conn *pgx.Conn, _ int) error { return tellEverybody(ctx, conn, l, stallEvent) }
		},
		strike: func(_ context.Context, _ []*node, c *crowd) error {
			for _, m := range c.members[:stalling] {
				m.receiveBuffer(32 << 10) // or the kernel would take all of it
				m.stalls.Store(true)
			}
			return nil
		},
		mend: func(c *crowd) {
			for _, m := range c.members[:stalling] {
				m.receiveBuffer(1 << 20)
				m.stalls.Store(false)
			}
		}})
}

// Report says it in a table and a plot.
func (r FaultsResult) Report() Report {
	out := newReport("Faults while events flow")
	out.Result = r
	t := Table{Title: fmt.Sprintf("Recovered: ms from the fault (or from its end) until all were greeted and the last "+
		"event that took over %v was there", late),
		Columns: []string{"fault", "sockets", "commits", "expected", "lost", "doubled", "wrong", "out of order",
			"resyncs", "resynced over", "repeated", "recovered", "others p50", "p95", "p99", "max", "closed with"}}
	p := Plot{Title: "Time to recover from a fault", Unit: "ms", Bars: true}
	recovered := Series{Name: "recovered"}
	for _, x := range r.Points {
		v := x.Verdict
		row := []string{x.Fault}
		for _, n := range []int{x.Sockets, x.Commits, v.Expected, v.Lost, v.Doubled, v.Wrong, v.OutOfOrder, v.Resyncs,
			v.Excused, v.Repeated} {
			row = append(row, fmt.Sprint(n))
		}
		row = append(append(row, fmt.Sprintf("%.0f", x.Recovered)), x.Others.cells()...)
		var codes []string
		for code, n := range x.Codes {
			codes = append(codes, fmt.Sprintf("%d (%d)", code, n))
		}
		slices.Sort(codes)
		if len(codes) == 0 {
			codes = []string{"-"}
		}
		t.Rows = append(t.Rows, append(row, strings.Join(codes, ", ")))
		p.Categories, recovered.Values = append(p.Categories, x.Fault), append(recovered.Values, x.Recovered)
	}
	p.Series = []Series{recovered}
	out.Tables, out.Plot = []Table{t}, p
	return out
}

// Executable starts this very program again.
func Executable(arguments ...string) *exec.Cmd {
	path, err := os.Executable()
	if err != nil {
		path = os.Args[0]
	}
	return exec.Command(path, arguments...)
}
