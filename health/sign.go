package health

import (
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

func worse(a, b State) State {
	if a == Bad || b == Bad {
		return Bad
	}
	if a == Look || b == Look {
		return Look
	}
	return a
}
