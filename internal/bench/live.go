package bench

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// LiveOptions say what to measure. All are required but for those said to be
// optional.
type LiveOptions struct {
	URL           string // the portal's, http://…
	DatabaseURL   string // of a user that may write erp and portal
	Sockets       []int  // one customer each; measured one after another
	Modes         []string
	Rate          float64 // events a second, each to one customer
	BroadcastRate float64 // events a second, each to everybody
	Writers       int     // connections that commit
	Duration      time.Duration
	Settle        time.Duration // how long idle sockets are left alone before memory is read
	Reconnect     bool
	PID           int                              // optional: of the portal, where it has no metrics
	MetricsToken  string                           // optional
	Progress      func(format string, args ...any) // optional
}

// What can be measured.
const (
	ModeSingle    = "single"
	ModeBroadcast = "broadcast"
)

// LivePoint is one measurement. Frames and Listen are from the moment before
// COMMIT was sent until the event was there: at the socket, and at a bare
// connection that only listens, in the same run.
type LivePoint struct {
	Sockets   int     `json:"sockets"`
	Mode      string  `json:"mode"` // single, broadcast or reconnect
	Commits   int     `json:"commits"`
	Rate      float64 `json:"commits_a_second"`
	Frames    Latency `json:"socket"`
	Listen    Latency `json:"bare_listen"`
	Verdict   Verdict `json:"sequence"`
	CPUMicros float64 `json:"server_cpu_us_a_message"` // all the process did meanwhile, over frames written; 0: unknown

	Broadcast *Spread        `json:"broadcast,omitempty"`
	Reconnect *ReconnectTime `json:"reconnect,omitempty"`
}

// Spread is when the sockets had a broadcast, over all broadcasts.
type Spread struct {
	First  Latency `json:"first_socket"`
	Median Latency `json:"median_socket"`
	Last   Latency `json:"last_socket"`
}

// ReconnectTime is what happened when all sockets but a few were cut at once.
type ReconnectTime struct {
	Cut      int     `json:"cut"`
	Stayed   int     `json:"stayed"`
	Together float64 `json:"all_greeted_ms"` // since the cut, the jitter of 200 to 1500 ms included
}

// LiveMemory is what idle sockets keep resident in the server.
type LiveMemory struct {
	Sockets      int     `json:"sockets"`
	BytesASocket int64   `json:"bytes_a_socket"` // 0: unknown
	Opened       float64 `json:"all_open_ms"`
}

// LiveResult is all that was measured.
type LiveResult struct {
	Points []LivePoint  `json:"points"`
	Memory []LiveMemory `json:"memory"`
}

// Flawless tells whether every sequence check passed.
func (r LiveResult) Flawless() bool {
	return !slices.ContainsFunc(r.Points, func(p LivePoint) bool { return !p.Verdict.Flawless() })
}

// liveRun is one measurement at work.
type liveRun struct {
	LiveOptions
	server   process
	ledger   *ledger
	crowd    *crowd
	writers  *writers
	baseline *baseline
	result   LiveResult
}

// Live opens the sockets, commits at the rate, and compares.
func Live(ctx context.Context, o LiveOptions) (LiveResult, error) {
	if o.Progress == nil {
		o.Progress = func(string, ...any) {}
	}
	o.URL = strings.TrimRight(o.URL, "/")
	o.Writers = max(1, o.Writers)
	if err := o.check(); err != nil {
		return LiveResult{}, err
	}
	conn, err := pgx.Connect(ctx, o.DatabaseURL)
	if err != nil {
		return LiveResult{}, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	most := slices.Max(o.Sockets)
	if err := mayOpen(most + 100); err != nil {
		return LiveResult{}, err
	}
	o.Progress("making %d customers with a session and an order each", most+o.Writers)
	who, err := people(ctx, conn, most+o.Writers)
	if err != nil {
		return LiveResult{}, err
	}
	defer func() {
		o.Progress("taking away what was made")
		if err := sweep(context.WithoutCancel(ctx), conn); err != nil {
			o.Progress("%v", err)
		}
	}()
	run := &liveRun{LiveOptions: o, server: process{o.URL, o.MetricsToken, o.PID}}
	if run.writers, err = openWriters(ctx, o.DatabaseURL, o.Writers); err != nil {
		return LiveResult{}, err
	}
	defer run.writers.close()
	if run.baseline, err = openBaseline(ctx, o.DatabaseURL, who[most:]); err != nil {
		return LiveResult{}, err
	}
	defer run.baseline.close()
	if !run.baseline.quiet {
		o.Progress("the baseline's transactions run with triggers on: this user may not set session_replication_role")
	}
	if err := run.warm(ctx, who[:min(10, most)]); err != nil {
		return run.result, fmt.Errorf("warm up: %w", err)
	}
	empty := run.server.usage(ctx)
	for _, n := range o.Sockets {
		if err := run.measure(ctx, who[:n], empty); err != nil {
			return run.result, fmt.Errorf("%d sockets: %w", n, err)
		}
	}
	return run.result, nil
}

func (o LiveOptions) check() error {
	if len(o.Sockets) == 0 || slices.Min(o.Sockets) < 1 {
		return fmt.Errorf("sockets %v: at least one is needed", o.Sockets)
	}
	if o.Rate <= 0 || o.BroadcastRate <= 0 || o.Duration <= 0 {
		return fmt.Errorf("rates and duration have to be more than nothing")
	}
	for _, m := range o.Modes {
		if m != ModeSingle && m != ModeBroadcast {
			return fmt.Errorf("mode %q: there are %s and %s", m, ModeSingle, ModeBroadcast)
		}
	}
	return nil
}

// warm has a portal that has just started do what it will do, for a moment:
// what it keeps for that is not the sockets' memory, nor its first statements
// their latency.
func (r *liveRun) warm(ctx context.Context, who []person) error {
	r.Progress("warming up")
	l := newLedger()
	c, err := gather(ctx, l, who, func(int, int) string { return r.URL })
	if err != nil {
		return err
	}
	defer c.leave()
	_, err = r.writers.run(ctx, r.Rate, 0, min(time.Second, r.Duration),
		func(ctx context.Context, conn *pgx.Conn, n int) error {
			return changeOrder(ctx, conn, l, who[n%len(who)], n%len(who))
		})
	return err
}

// measure is all of one number of sockets.
func (r *liveRun) measure(ctx context.Context, who []person, empty usage) error {
	r.Progress("%d sockets: opening", len(who))
	r.ledger = newLedger()
	start := time.Now()
	crowd, err := gather(ctx, r.ledger, who, func(int, int) string { return r.URL })
	if err != nil {
		return err
	}
	r.crowd = crowd
	defer crowd.leave()
	memory := LiveMemory{Sockets: len(who), Opened: millis(time.Since(start))}
	if err := sleep(ctx, r.Settle); err != nil {
		return err
	}
	if now := r.server.usage(ctx); now.resident > 0 && len(who) >= 500 { // of few it is lost in what else the process does
		memory.BytesASocket = (now.resident - empty.resident) / int64(len(who))
	}
	r.result.Memory = append(r.result.Memory, memory)
	for _, mode := range r.Modes {
		switch mode {
		case ModeSingle:
			err = r.single(ctx, who)
		case ModeBroadcast:
			err = r.broadcast(ctx)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", mode, err)
		}
	}
	if r.Reconnect {
		if err := r.reconnect(ctx, who); err != nil {
			return fmt.Errorf("reconnect: %w", err)
		}
	}
	return nil
}

// phase commits for a while, beside the baseline at the same rate, and returns
// what was found without the latencies.
func (r *liveRun) phase(ctx context.Context, mode string, rate float64,
	commit func(ctx context.Context, conn *pgx.Conn, n int) error) (point LivePoint, from int, err error) {
	r.Progress("%d sockets: %s, %g commits/s for %v", len(r.crowd.members), mode, rate, r.Duration)
	from = r.crowd.begin()
	r.baseline.latency()
	before := r.server.usage(ctx)
	bare := make(chan error, 1)
	go func() {
		// half a beat beside, so that the two do not queue for the same flush
		_, err := r.baseline.run(ctx, rate, time.Duration(float64(time.Second)/rate/2), r.Duration, r.baseline.commit)
		bare <- err
	}()
	done, err := r.writers.run(ctx, rate, 0, r.Duration, commit)
	if e := <-bare; err == nil && e != nil {
		err = fmt.Errorf("baseline: %w", e)
	}
	if err != nil {
		return point, from, err
	}
	r.crowd.complete(ctx, from, 5*time.Second)
	after := r.server.usage(ctx)
	point = LivePoint{Sockets: len(r.crowd.members), Mode: mode, Rate: done, Listen: r.baseline.latency(),
		Verdict: r.crowd.verdict(from)}
	point.Commits = len(r.ledger.entries()) - from
	if frames := after.frames - before.frames; frames > 0 && after.cpu > before.cpu {
		point.CPUMicros = float64((after.cpu - before.cpu).Microseconds()) / float64(frames)
	} else if n := point.Verdict.Expected; n > 0 && after.cpu > before.cpu {
		point.CPUMicros = float64((after.cpu - before.cpu).Microseconds()) / float64(n)
	}
	return point, from, nil
}

func (r *liveRun) single(ctx context.Context, who []person) error {
	point, from, err := r.phase(ctx, ModeSingle, r.Rate, func(ctx context.Context, conn *pgx.Conn, n int) error {
		to := n % len(who)
		return changeOrder(ctx, conn, r.ledger, who[to], to)
	})
	if err != nil {
		return err
	}
	point.Frames = latency(flat(r.crowd.arrivals(from, nil)))
	r.result.Points = append(r.result.Points, point)
	return nil
}

func (r *liveRun) broadcast(ctx context.Context) error {
	point, from, err := r.phase(ctx, ModeBroadcast, r.BroadcastRate,
		func(ctx context.Context, conn *pgx.Conn, n int) error {
			return tellEverybody(ctx, conn, r.ledger, 0)
		})
	if err != nil {
		return err
	}
	lists := r.crowd.arrivals(from, nil)
	var first, median, last []time.Duration
	for _, took := range lists {
		if len(took) > 0 {
			slices.Sort(took)
			first, median, last = append(first, took[0]), append(median, took[len(took)/2]), append(last, took[len(took)-1])
		}
	}
	point.Frames = latency(flat(lists))
	point.Broadcast = &Spread{latency(first), latency(median), latency(last)}
	r.result.Points = append(r.result.Points, point)
	return nil
}

// reconnect cuts all sockets but a few at once. Events go on: every second one
// to a socket that stayed, the others to those that are away or coming back,
// and one to everybody while all are away.
func (r *liveRun) reconnect(ctx context.Context, who []person) error {
	stay := min(100, len(who)/2)
	cut := r.crowd.members[stay:]
	r.Progress("%d sockets: %d are cut, %d stay", len(who), len(cut), stay)
	var together time.Duration
	var failed error
	back := make(chan struct{})
	point, from, err := r.phase(ctx, "reconnect", r.Rate, func(ctx context.Context, conn *pgx.Conn, n int) error {
		if n == 0 {
			start := time.Now()
			for _, m := range cut {
				m.cut()
			}
			go func() {
				defer close(back)
				failed = r.crowd.together(context.WithoutCancel(ctx), 2*time.Minute)
				together = time.Since(start)
			}()
			return tellEverybody(ctx, conn, r.ledger, 0)
		}
		to := n / 2 % max(1, stay)
		if stay == 0 || n%2 == 1 {
			to = stay + n/2%len(cut)
		}
		return changeOrder(ctx, conn, r.ledger, who[to], to)
	})
	if err != nil {
		return err
	}
	<-back
	if failed != nil {
		return failed
	}
	r.crowd.complete(ctx, from, 5*time.Second)
	point.Verdict = r.crowd.verdict(from)
	point.Frames = latency(flat(r.crowd.arrivals(from, func(i int) bool { return i < stay })))
	point.CPUMicros = 0 // hand-shakes and replays are not messages
	point.Reconnect = &ReconnectTime{Cut: len(cut), Stayed: stay, Together: millis(together)}
	r.result.Points = append(r.result.Points, point)
	return nil
}

// Report says it in tables and a plot.
func (r LiveResult) Report() Report {
	out := newReport("Commit to frame at the socket, beside a bare pgx LISTEN in the same run")
	out.Result = r
	known := func(v float64, format string) string {
		if v == 0 {
			return "-"
		}
		return fmt.Sprintf(format, v)
	}
	over := func(a, b time.Duration) string {
		if a == 0 || b == 0 {
			return "-"
		}
		return fmt.Sprintf("%+.2f", millis(a-b))
	}
	times := Table{Title: "Latency, ms from before COMMIT is sent; over: socket minus bare LISTEN",
		Columns: []string{"sockets", "mode", "commits/s", "p50", "p95", "p99", "max", "LISTEN p50", "p95", "p99",
			"max", "over p50", "over p99", "CPU us/msg"}}
	checks := Table{Title: "Sequence, per client",
		Columns: []string{"sockets", "mode", "expected", "lost", "doubled", "wrong recipient", "out of order",
			"resyncs", "repeated after return"}}
	spread := Table{Title: "Broadcast, ms until the first, the median and the last socket had it",
		Columns: []string{"sockets", "broadcasts", "first p50", "median p50", "last p50", "last p95", "last max"}}
	comeback := Table{Title: "All cut at once: ms until all were greeted again; latency is of those that stayed",
		Columns: []string{"sockets", "cut", "all greeted", "stayed", "p50", "p95", "p99", "max"}}
	for _, p := range r.Points {
		row := []string{fmt.Sprint(p.Sockets), p.Mode, fmt.Sprintf("%.1f", p.Rate)}
		row = append(append(row, p.Frames.cells()...), p.Listen.cells()...)
		times.Rows = append(times.Rows,
			append(row, over(p.Frames.P50, p.Listen.P50), over(p.Frames.P99, p.Listen.P99), known(p.CPUMicros, "%.1f")))
		v := p.Verdict
		check := []string{fmt.Sprint(p.Sockets), p.Mode}
		for _, n := range []int{v.Expected, v.Lost, v.Doubled, v.Wrong, v.OutOfOrder, v.Resyncs, v.Repeated} {
			check = append(check, fmt.Sprint(n))
		}
		checks.Rows = append(checks.Rows, check)
		if b := p.Broadcast; b != nil {
			spread.Rows = append(spread.Rows, []string{fmt.Sprint(p.Sockets), fmt.Sprint(b.Last.Count), ms(b.First.P50),
				ms(b.Median.P50), ms(b.Last.P50), ms(b.Last.P95), ms(b.Last.Max)})
		}
		if c := p.Reconnect; c != nil {
			comeback.Rows = append(comeback.Rows,
				append([]string{fmt.Sprint(p.Sockets), fmt.Sprint(c.Cut), fmt.Sprintf("%.0f", c.Together), fmt.Sprint(c.Stayed)},
					p.Frames.cells()...))
		}
	}
	memory := Table{Title: "Idle sockets", Columns: []string{"sockets", "all open after ms", "KB resident each"}}
	for _, m := range r.Memory {
		memory.Rows = append(memory.Rows,
			[]string{fmt.Sprint(m.Sockets), fmt.Sprintf("%.0f", m.Opened), known(float64(m.BytesASocket)/1024, "%.1f")})
	}
	for _, t := range []Table{times, spread, comeback, checks, memory} {
		if len(t.Rows) > 0 {
			out.Tables = append(out.Tables, t)
		}
	}
	if len(r.Memory) > 0 {
		out.Notes = append(out.Notes,
			"Memory is what the process has grown by since before the first socket: right for a portal that has just started.")
	}
	out.Plot = r.plot()
	return out
}

// plot has a line for each percentile of each mode, over the sockets.
func (r LiveResult) plot() Plot {
	p := Plot{Title: "Commit to frame at the socket", X: "sockets", Unit: "ms, logarithmic", Log: true}
	var counts []int
	for _, m := range r.Memory {
		counts = append(counts, m.Sockets)
		p.Categories = append(p.Categories, fmt.Sprint(m.Sockets))
	}
	at := func(mode, name string, pick func(LivePoint) time.Duration) {
		s := Series{Name: name}
		found := false
		for _, n := range counts {
			v := math.NaN()
			for _, x := range r.Points {
				if x.Sockets == n && x.Mode == mode {
					v, found = millis(pick(x)), true
				}
			}
			s.Values = append(s.Values, v)
		}
		if found {
			p.Series = append(p.Series, s)
		}
	}
	at(ModeSingle, "single p50", func(x LivePoint) time.Duration { return x.Frames.P50 })
	at(ModeSingle, "single p95", func(x LivePoint) time.Duration { return x.Frames.P95 })
	at(ModeSingle, "single p99", func(x LivePoint) time.Duration { return x.Frames.P99 })
	at(ModeSingle, "LISTEN p50", func(x LivePoint) time.Duration { return x.Listen.P50 })
	at(ModeSingle, "LISTEN p99", func(x LivePoint) time.Duration { return x.Listen.P99 })
	at(ModeBroadcast, "broadcast p50", func(x LivePoint) time.Duration { return x.Frames.P50 })
	at(ModeBroadcast, "broadcast last", func(x LivePoint) time.Duration {
		if x.Broadcast == nil {
			return 0
		}
		return x.Broadcast.Last.P50
	})
	return p
}
