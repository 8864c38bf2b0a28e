package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// WriteTaxOptions say what to measure. All are required but for those said to
// be optional.
type WriteTaxOptions struct {
	DatabaseURL string // of a superuser: triggers are turned off for sessions, and commits delayed
	Writers     []int
	Modes       []string          // of TaxNone and so on; any other name needs a statement in Before
	Before      map[string]string // optional: a statement by mode, executed before each of its turns
	Changes     []string          // seen, unseen
	Rounds      int
	Duration    time.Duration                    // of one turn
	Flush       time.Duration                    // optional: how long a commit is delayed, to play an ordinary disk
	Progress    func(format string, args ...any) // optional
}

// The modes that need no statement to set them.
const (
	TaxNone    = "none"    // the writers' sessions have all triggers off
	TaxCurrent = "current" // the database as it is: triggers on, and whatever a running portal asks of them
	// As current, and each transaction notifies a listening connection, as triggers do for a node that sleeps
	TaxNotify = "notify"
	TaxWAL    = "wal" // as current, and a temporary logical slot is read meanwhile
)

// What is changed of an order.
const (
	ChangeSeen   = "seen"   // its note, which the customer reads
	ChangeUnseen = "unseen" // a column that is not shown
)

// ordersAWriter is how many orders each writer changes in turn; no two writers
// wait for one another's rows.
const ordersAWriter = 16

// TaxPoint is one mode with a number of writers.
type TaxPoint struct {
	Mode    string  `json:"mode"`
	Change  string  `json:"change"`
	Writers int     `json:"writers"`
	Rate    float64 `json:"commits_a_second"`
	Share   float64 `json:"share_of_none"` // 0: mode none was not measured
	Commit  Latency `json:"commit"`
	Spread  float64 `json:"spread"` // between the slowest and the fastest round, as a part of the rate
}

// WriteTaxResult is what the portal's triggers leave of the commits.
type WriteTaxResult struct {
	Points   []TaxPoint        `json:"points"`
	Settings map[string]string `json:"settings"`
	Rounds   int               `json:"rounds"`
	TurnMS   float64           `json:"turn_ms"`
}

// taxRun is one measurement at work.
type taxRun struct {
	WriteTaxOptions
	conn *pgx.Conn
	who  []person
}

// WriteTax has writers change orders as fast as they can, in turns of all
// modes, round after round, so that what else the machine does falls on all
// alike.
func WriteTax(ctx context.Context, o WriteTaxOptions) (WriteTaxResult, error) {
	result := WriteTaxResult{Rounds: o.Rounds, TurnMS: millis(o.Duration)}
	if o.Progress == nil {
		o.Progress = func(string, ...any) {}
	}
	if err := o.check(); err != nil {
		return result, err
	}
	conn, err := pgx.Connect(ctx, o.DatabaseURL)
	if err != nil {
		return result, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	run := &taxRun{WriteTaxOptions: o, conn: conn}
	if run.who, err = people(ctx, conn, slices.Max(o.Writers)*ordersAWriter); err != nil {
		return result, err
	}
	defer func() {
		if err := sweep(context.WithoutCancel(ctx), conn); err != nil {
			o.Progress("%v", err)
		}
	}()
	if result.Settings, err = run.settings(ctx); err != nil {
		return result, err
	}
	if o.Flush > 0 && result.Settings["fsync"] == "off" {
		return result, errors.New("commits are delayed only while fsync is on: measure a server that keeps its data " +
			"(initdb, pg_ctl start)")
	}
	if slices.Contains(o.Modes, TaxWAL) && result.Settings["wal_level"] != "logical" {
		return result, fmt.Errorf("mode %s needs wal_level = logical; it is %s", TaxWAL, result.Settings["wal_level"])
	}
	type key struct {
		mode, change string
		writers      int
	}
	took, rates := map[key][]time.Duration{}, map[key][]float64{}
	for round := range o.Rounds {
		for _, writers := range o.Writers {
			for _, change := range o.Changes {
				for i := range o.Modes {
					mode := o.Modes[i]
					if round%2 == 1 { // there and back: A B B A
						mode = o.Modes[len(o.Modes)-1-i]
					}
					d, rate, err := run.turn(ctx, mode, change, writers)
					if err != nil {
						return result, fmt.Errorf("%s, %d writers: %w", mode, writers, err)
					}
					o.Progress("round %d of %d: %d writers, change %s, %s: %.0f commits/s", round+1, o.Rounds, writers,
						change, mode, rate)
					k := key{mode, change, writers}
					took[k], rates[k] = append(took[k], d...), append(rates[k], rate)
				}
			}
		}
	}
	for _, change := range o.Changes {
		for _, writers := range o.Writers {
			none := mean(rates[key{TaxNone, change, writers}])
			for _, mode := range o.Modes {
				k := key{mode, change, writers}
				p := TaxPoint{Mode: mode, Change: change, Writers: writers, Rate: mean(rates[k]), Commit: latency(took[k])}
				p.Spread = (slices.Max(rates[k]) - slices.Min(rates[k])) / p.Rate
				if none > 0 {
					p.Share = p.Rate / none
				}
				result.Points = append(result.Points, p)
			}
		}
	}
	return result, nil
}

func mean(list []float64) float64 {
	sum := 0.
	for _, v := range list {
		sum += v
	}
	return sum / float64(max(1, len(list)))
}

func (o WriteTaxOptions) check() error {
	if len(o.Writers) == 0 || slices.Min(o.Writers) < 1 || o.Rounds < 1 || o.Duration <= 0 || len(o.Modes) == 0 {
		return errors.New("at least one writer, one mode, one round and some time are needed")
	}
	for _, m := range o.Modes {
		if !slices.Contains([]string{TaxNone, TaxCurrent, TaxNotify, TaxWAL}, m) && o.Before[m] == "" {
			return fmt.Errorf("mode %q is none of %s, %s, %s, %s: it needs a statement that sets it", m, TaxNone,
				TaxCurrent, TaxNotify, TaxWAL)
		}
	}
	for _, c := range o.Changes {
		if c != ChangeSeen && c != ChangeUnseen {
			return fmt.Errorf("change %q: there are %s and %s", c, ChangeSeen, ChangeUnseen)
		}
	}
	return nil
}

// settings are those that decide what a commit costs.
func (r *taxRun) settings(ctx context.Context) (map[string]string, error) {
	out := map[string]string{"commit_delay_us": strconv.FormatInt(r.Flush.Microseconds(), 10)}
	for _, name := range []string{"server_version", "wal_level", "fsync", "full_page_writes", "shared_buffers"} {
		var value string
		if err := r.conn.QueryRow(ctx, "select current_setting($1)", name).Scan(&value); err != nil {
			return nil, err
		}
		out[name] = value
	}
	var listeners int
	err := r.conn.QueryRow(ctx, "select count(*) from pg_stat_activity where datname = current_database() and "+
		"application_name = 'portal listener'").Scan(&listeners)
	out["portals_listening"] = strconv.Itoa(listeners)
	return out, err
}

// turn is all writers at work in one mode.
func (r *taxRun) turn(ctx context.Context, mode, change string, n int) (took []time.Duration, rate float64, err error) {
	if sql := r.Before[mode]; sql != "" {
		if _, err := r.conn.Exec(ctx, sql); err != nil {
			return nil, 0, fmt.Errorf("set the mode: %w", err)
		}
	}
	w, err := openWriters(ctx, r.DatabaseURL, n)
	if err != nil {
		return nil, 0, err
	}
	defer w.close()
	set := "set synchronous_commit = on"
	if mode == TaxNone {
		set += "; set session_replication_role = replica"
	}
	if r.Flush > 0 {
		set += fmt.Sprintf("; set commit_delay = %d; set commit_siblings = 0", r.Flush.Microseconds())
	}
	for _, c := range w.conns {
		if err := c.PgConn().Exec(ctx, set).Close(); err != nil {
			return nil, 0, err
		}
	}
	var end func() error
	switch mode {
	case TaxNotify:
		end, err = r.listen(ctx)
	case TaxWAL:
		end, err = readSlot(ctx, r.conn, r.DatabaseURL)
	}
	if err != nil {
		return nil, 0, err
	}
	if end != nil {
		defer func() { err = errors.Join(err, end()) }()
	}

	statement := "update erp.sales_order set note = $1 where order_id = $2"
	if change == ChangeUnseen {
		statement = "update erp.sales_order set entered_by = $1 where order_id = $2"
	}
	var mu sync.Mutex
	var writing sync.WaitGroup
	var failed error
	start := time.Now()
	until := start.Add(r.Duration)
	for i, conn := range w.conns {
		writing.Go(func() {
			var mine []time.Duration
			var err error
			for k := 0; err == nil && ctx.Err() == nil; k++ {
				begun := time.Now()
				if begun.After(until) {
					break
				}
				// one transaction, one round trip
				b := &pgx.Batch{}
				b.Queue(statement, strconv.FormatInt(begun.UnixNano(), 36), r.who[i*ordersAWriter+k%ordersAWriter].orderID)
				if mode == TaxNotify {
					b.Queue("select pg_notify('portal_bench', '')::text")
				}
				if err = conn.SendBatch(ctx, b).Close(); err == nil {
					mine = append(mine, time.Since(begun))
				}
			}
			mu.Lock()
			defer mu.Unlock()
			took, failed = append(took, mine...), errors.Join(failed, err)
		})
	}
	writing.Wait()
	if failed = errors.Join(failed, ctx.Err()); failed != nil {
		return nil, 0, failed
	}
	return took, float64(len(took)) / time.Since(start).Seconds(), nil
}

// listen has one connection listen for the writers' notifications.
func (r *taxRun) listen(ctx context.Context) (end func() error, err error) {
	conn, err := pgx.Connect(ctx, r.DatabaseURL)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, "listen portal_bench"); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for err := error(nil); err == nil; {
			_, err = conn.WaitForNotification(ctx)
		}
	}()
	return func() error {
		stop()
		<-done
		return conn.Close(context.WithoutCancel(ctx))
	}, nil
}

// Report says it in a table and a plot.
func (r WriteTaxResult) Report() Report {
	out := newReport("Commits of one order each that the ERP keeps")
	out.Result = r
	t := Table{Title: "Commits a second; share: of mode none, in the same rounds",
		Columns: []string{"change", "writers", "mode", "commits/s", "share", "spread", "commit ms p50", "p95", "p99", "max"}}
	for _, p := range r.Points {
		share := "-"
		if p.Share > 0 {
			share = fmt.Sprintf("%.2f", p.Share)
		}
		t.Rows = append(t.Rows,
			append([]string{p.Change, fmt.Sprint(p.Writers), p.Mode, fmt.Sprintf("%.0f", p.Rate), share,
				fmt.Sprintf("±%.0f %%", p.Spread*50)}, p.Commit.cells()...))
	}
	out.Tables = []Table{t}
	s := r.Settings
	out.Notes = append(out.Notes,
		fmt.Sprintf("PostgreSQL %s, wal_level %s, fsync %s, full_page_writes %s, synchronous_commit on, commit_delay %s "+
			"us; portals listening: %s; %d rounds of %.1f s a turn.",
			s["server_version"], s["wal_level"], s["fsync"], s["full_page_writes"], s["commit_delay_us"], s["portals_listening"],
			r.Rounds, r.TurnMS/1000))
	if s["fsync"] == "off" {
		out.Notes = append(out.Notes,
			"fsync is off: commits cost less here than where data is kept, and the share looks worse.")
	}
	out.Plot = r.plot()
	return out
}

// plot has a group of bars for each number of writers.
func (r WriteTaxResult) plot() Plot {
	p := Plot{Title: "Share of the commits without triggers", X: "writers", Unit: "share", Bars: true}
	at := func(s *Series, i int, v float64) {
		for len(s.Values) <= i {
			s.Values = append(s.Values, math.NaN())
		}
		s.Values[i] = v
	}
	for _, x := range r.Points {
		i := slices.Index(p.Categories, fmt.Sprint(x.Writers))
		if i < 0 {
			i = len(p.Categories)
			p.Categories = append(p.Categories, fmt.Sprint(x.Writers))
		}
		if x.Mode == TaxNone && x.Change == ChangeUnseen {
			continue // 1 as well
		}
		name := x.Mode
		if x.Change == ChangeUnseen {
			name += ", unseen"
		}
		k := slices.IndexFunc(p.Series, func(s Series) bool { return s.Name == name })
		if k < 0 {
			k = len(p.Series)
			p.Series = append(p.Series, Series{Name: name})
		}
		at(&p.Series[k], i, x.Share)
	}
	return p
}
