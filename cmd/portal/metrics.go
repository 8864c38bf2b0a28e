package main

import (
	"context"
	"crypto/subtle"
	"fmt"
	"net"
	nethttp "net/http"
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"portal.example/portal/health"
)

// metrics is what GET /metrics tells, read from the parts when it is asked.
type metrics struct {
	app      *app
	requests *prometheus.HistogramVec
}

func (a *app) newMetrics() *metrics {
	return &metrics{app: a, requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "portal_http_request_seconds", Help: "Time to answer, by first part of the address and class of status.",
		Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
	}, []string{"page", "status"})}
}

// pages are the first parts of addresses that are told apart; a label must not
// be the visitor's to choose.
var pages = map[string]bool{"": true, "login": true, "logout": true, "catalog": true, "my-items": true, "items": true,
	"favorites": true, "cart": true, "orders": true, "invoices": true, "profile": true, "notifications": true,
	"forgot": true, "reset": true, "desk": true, "ops": true, "assets": true}

// observed counts one answered request. Sockets last for hours and are not
// requests in this sense.
func (m *metrics) observed(path string, status int, took time.Duration) {
	page, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch {
	case page == "live":
		return
	case !pages[page]:
		page = "other"
	}
	if page != "assets" && page != "login" { // files, and what is slow on purpose
		m.app.watch.observed(status, took)
	}
	m.requests.WithLabelValues(page, string(rune('0'+status/100))+"xx").Observe(took.Seconds())
}

// handler serves the metrics to who knows the token; nobody, without one.
func (m *metrics) handler(token string) nethttp.Handler {
	if token == "" {
		return nil
	}
	serve := m.open()
	return nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || subtle.ConstantTimeCompare([]byte(given), []byte(token)) != 1 {
			nethttp.NotFound(w, r)
			return
		}
		serve.ServeHTTP(w, r)
	})
}

// open serves the metrics to whoever asks.
func (m *metrics) open() nethttp.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(m, m.requests, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// serveMetrics answers GET /metrics on an address of its own until ctx ends.
func (a *app) serveMetrics(ctx context.Context) error {
	if a.MetricsAddr == "" {
		return nil
	}
	l, err := net.Listen("tcp", a.MetricsAddr)
	if err != nil {
		return fmt.Errorf("cannot listen on %s for metrics: %w\nChoose another with --metrics-addr", a.MetricsAddr, err)
	}
	mux := nethttp.NewServeMux()
	mux.Handle("GET /metrics", a.metrics.open())
	server := &nethttp.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() { _ = server.Serve(l) }()
	return nil
}

// Describe says nothing: which metrics there are depends on what runs.
func (m *metrics) Describe(chan<- *prometheus.Desc) {}

// Collect asks the parts.
func (m *metrics) Collect(out chan<- prometheus.Metric) {
	tell := func(kind prometheus.ValueType, name, help string, value float64, labels ...string) {
		var names, values []string
		for i := 0; i < len(labels); i += 2 {
			names, values = append(names, labels[i]), append(values, labels[i+1])
		}
		out <- prometheus.MustNewConstMetric(prometheus.NewDesc(name, help, names, nil), kind, value, values...)
	}
	gauge := func(name, help string, value float64, labels ...string) {
		tell(prometheus.GaugeValue, name, help, value, labels...)
	}
	count := func(name, help string, value int64) { tell(prometheus.CounterValue, name, help, float64(value)) }
	gauge("portal_build_info", "1; which program runs, and where.", 1, "version", version(), "go", runtime.Version(),
		"node", m.app.node())

	m.app.certificates.measure(time.Now(), gauge)

	hub := m.app.hub.Stats()
	gauge("portal_live_sockets", "Open websockets.", float64(hub.Sockets))
	gauge("portal_live_queue_bytes", "Waiting to be written to all sockets.", float64(hub.QueueBytes))
	count("portal_live_frames_total", "Frames written.", hub.Frames)
	count("portal_live_replays_total", "Gaps replayed to sockets.", hub.Replays)
	count("portal_live_resyncs_total", "Sockets told to read everything again.", hub.Resyncs)
	count("portal_live_slow_closes_total", "Sockets closed because they read too slowly.", hub.SlowCloses)
	count("portal_live_dead_closes_total", "Sockets closed because nobody answered.", hub.DeadCloses)
	count("portal_live_refused_total", "Sockets closed because the client sent what no page sends, or too much.",
		hub.Refused)

	out <- histogram("portal_live_lag_seconds", "From the time a change was written to the time its frame was handed "+
		"to a socket's connection, replays aside.", hub.Lag)

	source := m.app.source.Stats()
	gauge("portal_events_connected", "1 while the listener's connection stands.", truth(source.Connected))
	gauge("portal_events_notify_healthy",
		"1 if the last self-test's notification arrived; of the source wal: if it streams.", truth(source.NotifyHealthy))
	if !source.LastRead.IsZero() {
		gauge("portal_events_read_age_seconds", "Time since the event log was last read.",
			time.Since(source.LastRead).Seconds())
	}
	count("portal_events_total", "Events delivered.", source.Events)
	count("portal_events_polled_total", "Of these, found by the slow poll: nobody woke us for them.", source.PollEvents)
	count("portal_events_wakeups_total", "Notifications received; of the source wal: transactions with events.",
		source.WakeUps)
	gauge("portal_events_fast_polling", "1 while the node reads the log by itself, and triggers need not notify.",
		truth(source.FastPolling))
	count("portal_events_fast_polls_begun_total", "Times it began to.", source.FastPollsBegun)
	if m.app.events == "wal" {
		gauge("portal_events_stream_lag_bytes", "Written to PostgreSQL's write-ahead log and not passed by the stream yet.",
			float64(source.LagBytes))
	}
	count("portal_events_reconnects_total", "Connections of the listener lost, or not got.", source.Reconnects)
	count("portal_events_resyncs_total", "Gaps in the log that could not be read any more.", source.Resyncs)

	for _, p := range m.app.pools() {
		s := p.pool.Stat()
		gauge("portal_pool_connections", "Database connections, by pool and state.", float64(s.AcquiredConns()),
			"pool", p.name, "state", "used")
		gauge("portal_pool_connections", "Database connections, by pool and state.", float64(s.IdleConns()),
			"pool", p.name, "state", "idle")
		gauge("portal_pool_connections_max", "Most database connections, by pool.", float64(s.MaxConns()), "pool", p.name)
		tell(prometheus.CounterValue, "portal_pool_waits_total", "Requests that had to wait for a connection.",
			float64(s.EmptyAcquireCount()), "pool", p.name)
	}

	read := m.app.watch.figures(context.Background())
	m.database(gauge, read.database)
	m.jobs(gauge, read.jobs)
}

// told tells one figure with its labels, name and value in turn.
type told func(name, help string, value float64, labels ...string)

// database tells the figures of the database. Every node tells the same: take
// the maximum.
func (m *metrics) database(gauge told, f *health.Database) {
	gauge("portal_database_readable", "1 if the figures of the database could be read within 2 s.", truth(f != nil))
	if f == nil {
		return
	}
	gauge("portal_database_bytes", "Size of the database.", float64(f.Bytes))
	gauge("portal_database_connections", "Connections to the server, of everybody.", float64(f.Connections))
	gauge("portal_database_connections_max", "The server's max_connections.", float64(f.MaxConnections))
	gauge("portal_database_oldest_transaction_seconds",
		"Age of the longest transaction, of those that the portal's log-in may see: its own, or all with pg_monitor.",
		f.OldestTransactionSeconds)
	gauge("portal_event_log_rows", "Events in the log, estimated.", float64(f.LogRows))
	gauge("portal_event_log_bytes", "Size of the event log with its indexes.", float64(f.LogBytes))
	gauge("portal_event_log_oldest_seconds", "Age of the oldest event; 0 without any.", f.LogOldestSeconds)
	gauge("portal_notify_queue_usage_ratio", "Share of PostgreSQL's NOTIFY queue in use.", f.NotifyUsage)
	inactive := 0
	for _, s := range f.Slots {
		if !s.Active {
			inactive++
		}
		if s.Ours {
			gauge("portal_replication_slot_lag_bytes", "WAL that the reader of a slot of ours has not confirmed.",
				float64(s.LagBytes), "slot", s.Name)
		}
	}
	gauge("portal_replication_slots", "Replication slots of the server.",
		float64(len(f.Slots)-inactive), "state", "active")
	gauge("portal_replication_slots", "Replication slots of the server.", float64(inactive), "state", "inactive")
	gauge("portal_replication_retained_bytes", "WAL kept for the slot that holds most; 0 without any.",
		float64(f.Retained()))
	gauge("portal_mails", "Mails that wait, and that failed in the last 24 hours.",
		float64(f.MailsQueued), "state", "queued")
	gauge("portal_mails", "Mails that wait, and that failed in the last 24 hours.",
		float64(f.MailsFailed), "state", "failed")
	gauge("portal_mails_oldest_seconds", "How long the first mail has waited.", f.MailOldestSeconds)
	gauge("portal_statements_failed", "Statements that could not be made, and were not begun again.",
		float64(f.StatementsFailed))
	gauge("portal_price_proof_differences", "Differences of the price proof that nobody has acknowledged.",
		float64(f.ProofOpen))
	if f.ProofAt != nil {
		gauge("portal_price_proof_age_seconds", "Time since the last price proof began.", time.Since(*f.ProofAt).Seconds())
	}
}

// jobs tells the job queues, of the whole database as well.
func (m *metrics) jobs(gauge told, js *health.Jobs) {
	gauge("portal_jobs_readable", "1 if the job queue could be read.", truth(js != nil))
	if js == nil {
		return
	}
	for _, q := range js.Queues {
		for state, n := range map[string]int{"available": q.Available, "running": q.Running, "retrying": q.Retrying,
			"discarded": q.Discarded} {
			gauge("portal_jobs", "Jobs, by queue and state.", float64(n), "queue", q.Queue, "state", state)
		}
		gauge("portal_jobs_oldest_seconds", "How long the first job of a queue has waited.",
			q.OldestSeconds, "queue", q.Queue)
	}
	gauge("portal_invariant_violations", "Violated invariants at the last nightly check.", float64(js.Violations))
	if js.CheckedAt != nil {
		gauge("portal_invariants_age_seconds", "Time since the last nightly check.", time.Since(*js.CheckedAt).Seconds())
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// histogram tells a distribution in Prometheus' form, in seconds.
func histogram(name, help string, d health.Distribution) prometheus.Metric {
	buckets, n := make(map[float64]uint64, len(d.Bounds)), uint64(0)
	for i, bound := range d.Bounds {
		n += d.Counts[i]
		buckets[bound.Seconds()] = n
	}
	return prometheus.MustNewConstHistogram(prometheus.NewDesc(name, help, nil, nil), d.Total(), d.Sum.Seconds(), buckets)
}
