package health

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// State says whether somebody has to act.
type State string

const (
	Good    State = "good"
	Look    State = "look"    // somebody should look at it, today
	Bad     State = "bad"     // now
	Unknown State = "unknown" // nothing to judge by yet
)

// Sign is one thing that operators watch.
type Sign struct {
	Key       string  `json:"key"`
	Group     string  `json:"group"`
	Title     string  `json:"title"`
	State     State   `json:"state"`
	Text      string  `json:"text"`  // the figure, in words
	Value     float64 `json:"value"` // the one that is judged
	Unit      string  `json:"unit"`  // of value and series: bytes, seconds, a count where empty
	Note      string  `json:"note,omitempty"`
	Threshold string  `json:"threshold,omitempty"` // when the state changes; empty: never judged
	Advice    string  `json:"advice,omitempty"`    // what to do where it is not good
	Series    Series  `json:"series,omitempty"`
}

// The groups that signs stand in.
const (
	GroupLive     = "Live"
	GroupPages    = "Pages"
	GroupDatabase = "Database"
	GroupWork     = "Work"
)

// limit is from where on somebody should look, and from where on it is bad.
type limit struct{ look, bad float64 }

func (l limit) of(v float64) State {
	switch {
	case v >= l.bad:
		return Bad
	case v >= l.look:
		return Look
	}
	return Good
}

// enough is how many observations a quantile needs to be judged by.
const enough = 20

// among judges a quantile of a distribution: of a few, one slow one is no
// finding.
func (l limit) among(d Distribution, quantile time.Duration) State {
	if state := l.of(quantile.Seconds()); d.Total() >= enough || state == Good {
		return state
	}
	return Unknown
}

// The thresholds. docs/operations.md has them as a table and docs/alerts.yml as
// rules: change them together.
var (
	limitLag         = limit{0.25, 2}             // seconds, p99 of a minute
	limitQueueBytes  = limit{16 << 20, 128 << 20} // all sockets of a node
	limitResyncs     = limit{20, 200}             // in the time that is plotted
	limitSlowCloses  = limit{5, 50}               // likewise
	limitPageTime    = limit{0.25, 1}             // seconds, p95 of a minute
	limitFailures    = limit{0.01, 0.05}          // share of answers
	limitLogAge      = limit{84 * 3600, 120 * 3600}
	limitLogBytes    = limit{1 << 30, 8 << 30}
	limitNotify      = limit{0.01, 0.25} // share of the queue
	limitRetained    = limit{1 << 30, 10 << 30}
	limitConnections = limit{0.8, 0.95} // share of max_connections
	limitTransaction = limit{300, 3600}
	limitJobWait     = limit{60, 900}
	limitMailWait    = limit{900, 7200}
)

// connectGrace and wakeUpGrace are how long a node may run before it must listen
// and a wake-up must have arrived; readGrace is how long the log may stay unread.
const (
	connectGrace = 10 * time.Second
	wakeUpGrace  = 45 * time.Second
	readGrace    = 10 * time.Second
	checkEvery   = 36 * time.Hour // the nightly checks come once a day
)

// Signs judges a node. There are none before the first sample.
func (n Node) Signs() []Sign {
	if len(n.Samples) == 0 {
		return nil
	}
	out := append(n.liveSigns(), n.pageSigns()...)
	out = append(out, n.databaseSigns()...)
	return append(out, n.workSigns()...)
}

// Worst is the worst state of a list; good where there is none.
func Worst(signs []Sign) State {
	worst := Good
	for _, s := range signs {
		if s.State == Bad || s.State == Look && worst == Good {
			worst = s.State
		}
	}
	return worst
}

func (n Node) liveSigns() []Sign {
	now := n.Last()
	path := Sign{Key: "event-path", Group: GroupLive, Title: "Event path", State: Good, Text: "Connected",
		Note: fmt.Sprintf("%d reconnects since the start", now.Reconnects), Threshold: "Bad without a connection or when the log is not read for 10 s, look when wake-ups do not arrive"}
	switch {
	case !now.Connected && now.At.Sub(n.Since) < connectGrace:
		path.State, path.Text = Unknown, "Connecting"
	case !now.Connected:
		path.State, path.Text = Bad, "Not connected"
		path.Advice = "Open pages do not change until the listener is connected again; then they catch up by themselves. Is the database up? The log says why, portal doctor tells more."
	case now.ReadAge > readGrace:
		path.State, path.Text = Bad, "Log not read for "+inWords(now.ReadAge.Seconds())
		path.Advice = "The listener's connection stands but brings nothing. Look for locks on portal.event and at the load of the database; a restart of this node connects anew."
	case !now.WokenUp && n.Now.Sub(n.Since) > wakeUpGrace:
		path.State, path.Text = Look, "Polling only"
		path.Advice = "Changes are found by the slow poll, a quarter of a second late: wake-ups do not arrive, or there is no stream of the write-ahead log. The log says why. Behind a pooler, set PORTAL_DIRECT_URL to the server itself."
	}

	rates := n.rate(func(s *Sample) float64 { return float64(s.Events) })
	events := Sign{Key: "events", Group: GroupLive, Title: "Events", State: Good, Value: last(rates), Text: perSecond(last(rates)), Series: rates}

	sockets := n.series(func(s *Sample) float64 { return float64(s.Sockets) })
	queue := Sign{Key: "queue-bytes", Group: GroupLive, Title: "Waiting for sockets", Value: float64(now.QueueBytes), Unit: "bytes", Text: Bytes(now.QueueBytes),
		State: limitQueueBytes.of(float64(now.QueueBytes)), Threshold: "Look from 16 MB, bad from 128 MB", Series: n.series(func(s *Sample) float64 { return float64(s.QueueBytes) }),
		Advice: "Browsers read more slowly than events come. The slowest are closed by themselves and come back; look at the network between, and at the rate of events."}

	resyncs := n.counted("resyncs", "Pages told to reload", limitResyncs, func(s *Sample) int64 { return s.Resyncs })
	resyncs.Threshold = "Look from 20, bad from 200 in a quarter of an hour"
	resyncs.Advice = "Gaps could not be replayed: the log was pruned below old cursors, or one transaction wrote a great many events. Bulk loads do that, and PostgreSQL restored from a backup."
	slow := n.counted("slow-closes", "Slow sockets closed", limitSlowCloses, func(s *Sample) int64 { return s.SlowCloses })
	slow.Threshold = "Look from 5, bad from 50 in a quarter of an hour"
	slow.Advice = "They come back with their cursor, and nothing is lost. Many at once mean a network or a proxy that does not pass bytes on."
	return []Sign{path,
		{Key: "sockets", Group: GroupLive, Title: "Sockets", State: Good, Value: float64(now.Sockets), Text: count(now.Sockets), Series: sockets},
		events, n.lagSign(), queue, resyncs, slow}
}

func (n Node) lagSign() Sign {
	sign := Sign{Key: "lag", Group: GroupLive, Title: "From change to frame", State: Unknown, Unit: "seconds", Text: "Nothing sent yet",
		Threshold: "Look from p99 250 ms, bad from 2 s",
		Advice:    "The time runs from the row in the event log, so long transactions count. Look at long transactions, the load of both machines, and whether their clocks agree.",
		Series:    n.spread(func(s *Sample) Distribution { return s.Lag }, 0.95)}
	lag, over := n.lately(func(s *Sample) Distribution { return s.Lag })
	if lag.Total() == 0 {
		return sign
	}
	p99 := lag.Quantile(0.99)
	sign.Value, sign.State = p99.Seconds(), limitLag.among(lag, p99)
	sign.Text = fmt.Sprintf("p50 %s · p95 %s · p99 %s", short(lag.Quantile(0.5)), short(lag.Quantile(0.95)), short(p99))
	sign.Note = fmt.Sprintf("%s writes to sockets in the last %s; the plot is p95", count(int64(lag.Total())), inWords(over.Seconds()))
	if sign.State == Unknown {
		sign.Note = "too few to judge: " + sign.Note
	}
	return sign
}

func (n Node) pageSigns() []Sign {
	pages := func(s *Sample) Distribution { return s.Pages }
	rates := n.rate(func(s *Sample) float64 { return float64(s.Pages.Total()) })
	rate := Sign{Key: "requests", Group: GroupPages, Title: "Requests", State: Good, Value: last(rates), Text: perSecond(last(rates)), Series: rates}

	latency := Sign{Key: "page-time", Group: GroupPages, Title: "Time to answer", State: Unknown, Unit: "seconds", Text: "No request yet", Threshold: "Look from p95 250 ms, bad from 1 s",
		Advice: "See portal_http_request_seconds by page for which one is slow; then pools and long transactions below. Submits of long orders and statements may take longer.",
		Series: n.spread(pages, 0.95)}
	if d, over := n.lately(pages); d.Total() > 0 {
		p95 := d.Quantile(0.95)
		latency.Value, latency.State = p95.Seconds(), limitPageTime.among(d, p95)
		latency.Text = fmt.Sprintf("p50 %s · p95 %s", short(d.Quantile(0.5)), short(p95))
		latency.Note = fmt.Sprintf("%s requests in the last %s, log-ins aside; the plot is p95", count(int64(d.Total())), inWords(over.Seconds()))
		if latency.State == Unknown {
			latency.Note = "too few to judge: " + latency.Note
		}
	}

	first, now := &n.Samples[0], n.Last()
	failed, all := now.Failures-first.Failures, now.Pages.Since(first.Pages).Total()
	failures := Sign{Key: "failures", Group: GroupPages, Title: "Failed answers", State: Good, Value: float64(failed), Text: count(failed), Note: "of " + count(int64(all)) + " in " + n.window(first),
		Threshold: "Look from 1 %, bad from 5 %", Advice: "Each is in the log at error level, with the id that the visitor's error page shows.",
		Series: n.rate(func(s *Sample) float64 { return float64(s.Failures) })}
	if all > 0 {
		failures.State = limitFailures.of(float64(failed) / float64(all))
	}
	return []Sign{rate, latency, failures, n.poolSign()}
}

// poolSign judges the pool that is fullest. One that is full for a moment is
// well used; one that stays full keeps people waiting.
func (n Node) poolSign() Sign {
	full := func(s *Sample) float64 {
		most := 0.0
		for _, p := range s.Pools {
			most = max(most, float64(p.Used)/float64(max(p.Max, 1)))
		}
		return most
	}
	series := n.series(full)
	sign := Sign{Key: "pools", Group: GroupPages, Title: "Database connections of this node", State: Good, Value: last(series), Series: series,
		Threshold: "Look when a pool is full for 15 s, bad for a minute", Advice: "Requests wait for a connection. Look for long transactions and slow pages; PORTAL_WEB_CONNS raises the number, within max_connections."}
	var parts []string
	for _, p := range n.Last().Pools {
		parts = append(parts, fmt.Sprintf("%s %d of %d", p.Name, p.Used, p.Max))
	}
	sign.Text = strings.Join(parts, " · ")
	running := 0
	for _, v := range slices.Backward(series) {
		if v < 1 {
			break
		}
		running++
	}
	switch held := time.Duration(max(running-1, 0)) * n.Every; {
	case held >= time.Minute:
		sign.State = Bad
	case held >= 15*time.Second:
		sign.State = Look
	}
	return sign
}

// lately is what a distribution gathered in the last minute, or over all
// samples if too little came in that time.
func (n Node) lately(of func(*Sample) Distribution) (Distribution, time.Duration) {
	now := n.Last()
	if len(n.Samples) == 1 {
		return of(now), now.At.Sub(n.Since)
	}
	from := max(len(n.Samples)-1-int(time.Minute/max(n.Every, time.Second)), 0)
	if d := of(now).Since(of(&n.Samples[from])); d.Total() >= enough {
		return d, now.At.Sub(n.Samples[from].At)
	}
	return of(now).Since(of(&n.Samples[0])), now.At.Sub(n.Samples[0].At)
}

// counted judges how often something happened in the time that is plotted.
func (n Node) counted(key, title string, l limit, of func(*Sample) int64) Sign {
	times := of(n.Last()) - of(&n.Samples[0])
	if len(n.Samples) == 1 {
		times = of(n.Last())
	}
	return Sign{Key: key, Group: GroupLive, Title: title, Value: float64(times), Text: count(times), State: l.of(float64(times)), Note: "in " + n.window(&n.Samples[0]),
		Series: n.rate(func(s *Sample) float64 { return float64(of(s)) })}
}

func (n Node) window(first *Sample) string {
	return inWords(max(n.Last().At.Sub(first.At), n.Every).Seconds())
}

func (n Node) series(of func(*Sample) float64) Series {
	out := make(Series, len(n.Samples))
	for i := range n.Samples {
		out[i] = of(&n.Samples[i])
	}
	return out
}

// rate is how fast a count grew up to each sample, per second.
func (n Node) rate(of func(*Sample) float64) Series {
	out := make(Series, len(n.Samples))
	out[0] = math.NaN()
	for i := 1; i < len(n.Samples); i++ {
		a, b := &n.Samples[i-1], &n.Samples[i]
		out[i] = (of(b) - of(a)) / max(b.At.Sub(a.At).Seconds(), 0.001)
	}
	return out
}

// spread is a quantile of what came up to each sample, in seconds.
func (n Node) spread(of func(*Sample) Distribution, q float64) Series {
	out := make(Series, len(n.Samples))
	out[0] = math.NaN()
	for i := 1; i < len(n.Samples); i++ {
		out[i] = math.NaN()
		if d := of(&n.Samples[i]).Since(of(&n.Samples[i-1])); d.Total() > 0 {
			out[i] = d.Quantile(q).Seconds()
		}
	}
	return out
}

func last(s Series) float64 {
	if v := s[len(s)-1]; !math.IsNaN(v) {
		return v
	}
	return 0
}
