package main

import (
	"cmp"
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"portal.example/portal/health"
	"portal.example/portal/sql"
)

// watch keeps what operators see of this node: a sample every few seconds, for
// the plots, and the figures of the database, which are read anew only when
// they are a few seconds old. Safe for concurrent use.
type watch struct {
	app   *app
	store *sql.OpsStore
	since time.Time
	every time.Duration     // between samples
	pages *health.Histogram // times to answer

	mu       sync.Mutex
	failures int64 // answers with 500 and above
	samples  []health.Sample

	reading sync.Mutex // held while the database is asked
	read    shared
}

// shared is what a node reads of the database, and when.
type shared struct {
	at       time.Time
	database *health.Database // nil: could not be read
	jobs     *health.Jobs     // likewise
}

const (
	sampleEvery = 5 * time.Second
	sampleCount = 15*60/5 + 1 // a quarter of an hour

	// sharedFor is how long the figures of the database are good for. Scrapes,
	// samples and the page ask as often as they like.
	sharedFor = 8 * time.Second
	jobsLimit = 2 * time.Second
)

func (a *app) newWatch() *watch {
	return &watch{app: a, store: sql.NewOpsStore(a.db), since: time.Now(), every: cmp.Or(a.sampleEvery, sampleEvery),
		pages: health.NewHistogram(
			2*time.Millisecond, 5*time.Millisecond, 10*time.Millisecond, 20*time.Millisecond, 35*time.Millisecond,
			50*time.Millisecond, 75*time.Millisecond, 100*time.Millisecond, 150*time.Millisecond, 250*time.Millisecond,
			500*time.Millisecond, time.Second, 2500*time.Millisecond, 5*time.Second, 10*time.Second)}
}

// run takes samples until ctx ends.
func (w *watch) run(ctx context.Context) {
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	for {
		w.add(w.sample(ctx))
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (w *watch) add(s health.Sample) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.samples) == sampleCount {
		w.samples = append(w.samples[:0], w.samples[1:]...)
	}
	w.samples = append(w.samples, s)
}

// observed counts one answered request.
func (w *watch) observed(status int, took time.Duration) {
	w.pages.Observe(took)
	if status >= 500 {
		w.mu.Lock()
		w.failures++
		w.mu.Unlock()
	}
}

// sample is this node now.
func (w *watch) sample(ctx context.Context) health.Sample {
	hub, source, read := w.app.hub.Stats(), w.app.source.Stats(), w.figures(ctx)
	now := time.Now()
	s := health.Sample{At: now,
		Sockets: hub.Sockets, QueueBytes: hub.QueueBytes, Resyncs: hub.Resyncs, SlowCloses: hub.SlowCloses, Lag: hub.Lag,
		Connected: source.Connected, WokenUp: source.NotifyHealthy, Reconnects: source.Reconnects, Events: source.Events,
		Pages: w.pages.Read(), Database: read.database, Jobs: read.jobs}
	if !source.LastRead.IsZero() {
		s.ReadAge = now.Sub(source.LastRead)
	}
	for _, p := range w.app.pools() {
		stat := p.pool.Stat()
		s.Pools = append(s.Pools, health.Pool{Name: p.name, Used: int(stat.AcquiredConns()), Idle: int(stat.IdleConns()),
			Max: int(stat.MaxConns()), Waits: stat.EmptyAcquireCount()})
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s.Failures = w.failures
	return s
}

// figures are those of the database, at most sharedFor old. Who asks while they
// are being read waits for the same answer, so ctx ends with the program and not
// with a request.
func (w *watch) figures(ctx context.Context) shared {
	w.reading.Lock()
	defer w.reading.Unlock()
	if time.Since(w.read.at) < sharedFor || w.app.db.Work == nil { // a process of customers' pages reads none
		return w.read
	}
	read := shared{}
	f, err := w.store.Figures(ctx)
	if err == nil {
		read.database = &f
	}
	ctx, cancel := context.WithTimeout(ctx, jobsLimit)
	defer cancel()
	js, jobsErr := w.app.jobs.Stats(ctx)
	if err = errors.Join(err, jobsErr); err != nil && ctx.Err() != context.Canceled &&
		(w.read.at.IsZero() || w.read.database != nil && w.read.jobs != nil) {
		w.app.logger.Warn("operators' figures cannot be read", "error", err) // once: the next readings say the same
	}
	if jobsErr == nil {
		read.jobs = &health.Jobs{CheckedAt: js.CheckedAt, Violations: js.ViolationCount,
			Queues: make([]health.Queue, len(js.Queues))}
		for i, q := range js.Queues {
			read.jobs.Queues[i] = health.Queue(q)
		}
	}
	read.at = time.Now()
	w.read = read
	return read
}

// state is what the operators' page shows.
func (w *watch) state() health.Node {
	w.mu.Lock()
	defer w.mu.Unlock()
	return health.Node{Name: w.app.node(), Version: version(), Since: w.since, Now: time.Now(), Every: w.every,
		Samples: append([]health.Sample(nil), w.samples...)}
}

// namedPool is a pool with the name that operators know it by.
type namedPool struct {
	name string
	pool interface{ Stat() *pgxpool.Stat }
}

func (a *app) pools() []namedPool {
	var out []namedPool
	for _, p := range []struct {
		name string
		pool *sql.Pool
	}{{"web", a.db.Web}, {"desk", a.db.Desk}, {"work", a.db.Work}, {"auth", a.db.Auth}} {
		if p.pool != nil {
			out = append(out, namedPool{p.name, p.pool})
		}
	}
	return out
}

// version is the program's, as the Go tool has written it into the binary.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v, revision, changed := info.Main.Version, "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(len(s.Value), 12)]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "+changes"
		}
	}
	if (v == "" || v == "(devel)") && revision != "" {
		v = revision + changed
	}
	if v == "" {
		v = "(devel)"
	}
	return v
}
