package health_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"portal.example/portal/health"
)

// A node that runs for a while, as a test changes it.
func nodeState(change func(i int, s *health.NodeSample)) health.NodeState {
	at := time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	n := health.NodeState{Node: "one", Since: at.Add(-time.Hour), Every: 5 * time.Second}
	lag, pages := health.NewHistogram(time.Millisecond, 10*time.Millisecond, 5*time.Second), health.NewHistogram(10*time.Millisecond, 5*time.Second)
	checked := at.Add(-time.Hour)
	for i := range 60 {
		for range 10 {
			lag.Observe(time.Millisecond)
			pages.Observe(time.Millisecond)
		}
		s := health.NodeSample{At: at.Add(time.Duration(i) * n.Every), Connected: true, WokenUp: true, Sockets: int64(i), Events: int64(10 * i), Lag: lag.Read(), Pages: pages.Read(),
			Pools:    []health.PoolSample{{Name: "web", Used: 1, Max: 8}},
			Database: &health.DatabaseFigures{Connections: 10, MaxConnections: 100, SeesAll: true, LogOldestSeconds: 72 * 3600, ProofAt: &checked},
			Jobs:     &health.JobFigures{CheckedAt: &checked}}
		if change != nil {
			change(i, &s)
		}
		n.Samples = append(n.Samples, s)
		n.Now = s.At
	}
	return n
}

func TestSigns(t *testing.T) {
	t.Parallel()
	none := health.NodeState{}
	if s := none.Signs(); s != nil {
		t.Errorf("signs without a sample: %+v", s)
	}
	for _, s := range nodeState(nil).Signs() {
		if s.State != health.SignGood {
			t.Errorf("%s of a healthy node is %s: %s", s.Key, s.State, s.Text)
		}
		if s.Title == "" || s.Text == "" || s.Group == "" {
			t.Errorf("something is not said: %+v", s)
		}
	}
	old := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		key    string
		want   health.SignState
		change func(i int, s *health.NodeSample)
	}{
		{"event-path", health.SignBad, func(_ int, s *health.NodeSample) { s.Connected = false }},
		{"event-path", health.SignUnknown, func(i int, s *health.NodeSample) {
			s.Connected, s.At = false, s.At.Add(-time.Hour-4*time.Minute-50*time.Second)
		}},
		{"event-path", health.SignBad, func(_ int, s *health.NodeSample) { s.ReadAge = time.Minute }},
		{"event-path", health.SignLook, func(_ int, s *health.NodeSample) { s.WokenUp = false }},
		{"lag", health.SignBad, func(i int, s *health.NodeSample) {
			if i == 59 {
				s.Lag.Counts[3] += 100 // above all bounds
			}
		}},
		{"lag", health.SignUnknown, func(_ int, s *health.NodeSample) { s.Lag = health.Distribution{} }},
		{"queue-bytes", health.SignLook, func(_ int, s *health.NodeSample) { s.QueueBytes = 20 << 20 }},
		{"resyncs", health.SignLook, func(i int, s *health.NodeSample) { s.Resyncs = int64(i) }},
		{"slow-closes", health.SignBad, func(i int, s *health.NodeSample) { s.SlowCloses = int64(i) }},
		{"failures", health.SignLook, func(i int, s *health.NodeSample) { s.Failures = int64(i / 5) }},
		{"pools", health.SignGood, func(i int, s *health.NodeSample) { s.Pools[0].Used = min(8, 1+7*(i/58)) }},
		{"pools", health.SignLook, func(i int, s *health.NodeSample) { s.Pools[0].Used = min(8, 1+7*(i/55)) }},
		{"pools", health.SignBad, func(_ int, s *health.NodeSample) { s.Pools[0].Used = 8 }},
		{"database", health.SignBad, func(_ int, s *health.NodeSample) { s.Database = nil }},
		{"event-log", health.SignLook, func(_ int, s *health.NodeSample) { s.Database.LogOldestSeconds = 90 * 3600 }},
		{"event-log", health.SignBad, func(_ int, s *health.NodeSample) { s.Database.LogBytes = 9 << 30 }},
		{"notify-queue", health.SignLook, func(_ int, s *health.NodeSample) { s.Database.NotifyUsage = 0.02 }},
		{"slots", health.SignLook, func(_ int, s *health.NodeSample) { s.Database.Slots = []health.ReplicationSlot{{Name: "x"}} }},
		{"slots", health.SignBad, func(_ int, s *health.NodeSample) {
			s.Database.Slots = []health.ReplicationSlot{{Name: "x", Active: true, RetainedBytes: 11 << 30}}
		}},
		{"connections", health.SignBad, func(_ int, s *health.NodeSample) { s.Database.Connections = 99 }},
		{"transactions", health.SignLook, func(_ int, s *health.NodeSample) { s.Database.OldestTransactionSeconds = 400 }},
		{"jobs", health.SignLook, func(_ int, s *health.NodeSample) {
			s.Jobs.Queues = []health.QueueFigures{{Queue: "mail", Discarded: 1}}
		}},
		{"jobs", health.SignBad, func(_ int, s *health.NodeSample) {
			s.Jobs.Queues = []health.QueueFigures{{Queue: "mail", Available: 1, OldestSeconds: 1000}}
		}},
		{"jobs", health.SignBad, func(_ int, s *health.NodeSample) { s.Jobs = nil }},
		{"invariants", health.SignBad, func(_ int, s *health.NodeSample) { s.Jobs.Violations = 1 }},
		{"invariants", health.SignLook, func(_ int, s *health.NodeSample) { s.Jobs.CheckedAt = &old }},
		{"invariants", health.SignUnknown, func(_ int, s *health.NodeSample) { s.Jobs.CheckedAt = nil }},
		{"proof", health.SignLook, func(_ int, s *health.NodeSample) { s.Database.ProofOpen = 1 }},
		{"proof", health.SignUnknown, func(_ int, s *health.NodeSample) { s.Database.ProofAt = nil }},
		{"mails", health.SignLook, func(_ int, s *health.NodeSample) { s.Database.MailsFailed = 1 }},
		{"mails", health.SignBad, func(_ int, s *health.NodeSample) { s.Database.MailOldestSeconds = 8000 }},
	} {
		found := false
		for _, s := range nodeState(c.change).Signs() {
			if s.Key == c.key {
				found = true
				if s.State != c.want || s.Advice == "" && (c.want == health.SignLook || c.want == health.SignBad) {
					t.Errorf("%s is %s, want %s: %s", c.key, s.State, c.want, s.Text)
				}
			} else if s.State == health.SignBad || s.State == health.SignLook {
				t.Errorf("%s is %s where only %s is not well", s.Key, s.State, c.key)
			}
		}
		if !found {
			t.Errorf("no sign %s", c.key)
		}
	}
}

// A rate is per second, a gap is null, the first sample has neither.
func TestSignSeries(t *testing.T) {
	t.Parallel()
	n := nodeState(func(i int, s *health.NodeSample) {
		if i%2 == 0 {
			s.Database = nil
		}
	})
	for _, s := range n.Signs() {
		switch s.Key {
		case "events":
			if len(s.Series) != 60 || !math.IsNaN(s.Series[0]) || s.Series[1] != 2 || s.Text != "2.0/s" {
				t.Errorf("%s: %v", s.Text, s.Series)
			}
		case "size":
			if raw, err := json.Marshal(s.Series[:3]); err != nil || !strings.HasPrefix(string(raw), "[null,0,null") {
				t.Errorf("%s %v", raw, err)
			}
		}
	}
}
