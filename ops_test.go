package portal_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"portal.example/portal"
)

// A node that runs for a while, as a test changes it.
func nodeState(change func(i int, s *portal.NodeSample)) portal.NodeState {
	at := time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	n := portal.NodeState{Node: "one", Since: at.Add(-time.Hour), Every: 5 * time.Second}
	lag, pages := portal.NewHistogram(time.Millisecond, 10*time.Millisecond, 5*time.Second), portal.NewHistogram(10*time.Millisecond, 5*time.Second)
	checked := at.Add(-time.Hour)
	for i := range 60 {
		for range 10 {
			lag.Observe(time.Millisecond)
			pages.Observe(time.Millisecond)
		}
		s := portal.NodeSample{At: at.Add(time.Duration(i) * n.Every), Connected: true, WokenUp: true, Sockets: int64(i), Events: int64(10 * i), Lag: lag.Read(), Pages: pages.Read(),
			Pools:    []portal.PoolSample{{Name: "web", Used: 1, Max: 8}},
			Database: &portal.DatabaseFigures{Connections: 10, MaxConnections: 100, SeesAll: true, LogOldestSeconds: 72 * 3600, ProofAt: &checked},
			Jobs:     &portal.JobFigures{CheckedAt: &checked}}
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
	none := portal.NodeState{}
	if s := none.Signs(); s != nil {
		t.Errorf("signs without a sample: %+v", s)
	}
	for _, s := range nodeState(nil).Signs() {
		if s.State != portal.SignGood {
			t.Errorf("%s of a healthy node is %s: %s", s.Key, s.State, s.Text)
		}
		if s.Title == "" || s.Text == "" || s.Group == "" {
			t.Errorf("something is not said: %+v", s)
		}
	}
	old := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		key    string
		want   portal.SignState
		change func(i int, s *portal.NodeSample)
	}{
		{"event-path", portal.SignBad, func(_ int, s *portal.NodeSample) { s.Connected = false }},
		{"event-path", portal.SignUnknown, func(i int, s *portal.NodeSample) {
			s.Connected, s.At = false, s.At.Add(-time.Hour-4*time.Minute-50*time.Second)
		}},
		{"event-path", portal.SignBad, func(_ int, s *portal.NodeSample) { s.ReadAge = time.Minute }},
		{"event-path", portal.SignLook, func(_ int, s *portal.NodeSample) { s.WokenUp = false }},
		{"lag", portal.SignBad, func(i int, s *portal.NodeSample) {
			if i == 59 {
				s.Lag.Counts[3] += 100 // above all bounds
			}
		}},
		{"lag", portal.SignUnknown, func(_ int, s *portal.NodeSample) { s.Lag = portal.Distribution{} }},
		{"queue-bytes", portal.SignLook, func(_ int, s *portal.NodeSample) { s.QueueBytes = 20 << 20 }},
		{"resyncs", portal.SignLook, func(i int, s *portal.NodeSample) { s.Resyncs = int64(i) }},
		{"slow-closes", portal.SignBad, func(i int, s *portal.NodeSample) { s.SlowCloses = int64(i) }},
		{"failures", portal.SignLook, func(i int, s *portal.NodeSample) { s.Failures = int64(i / 5) }},
		{"pools", portal.SignGood, func(i int, s *portal.NodeSample) { s.Pools[0].Used = min(8, 1+7*(i/58)) }},
		{"pools", portal.SignLook, func(i int, s *portal.NodeSample) { s.Pools[0].Used = min(8, 1+7*(i/55)) }},
		{"pools", portal.SignBad, func(_ int, s *portal.NodeSample) { s.Pools[0].Used = 8 }},
		{"database", portal.SignBad, func(_ int, s *portal.NodeSample) { s.Database = nil }},
		{"event-log", portal.SignLook, func(_ int, s *portal.NodeSample) { s.Database.LogOldestSeconds = 90 * 3600 }},
		{"event-log", portal.SignBad, func(_ int, s *portal.NodeSample) { s.Database.LogBytes = 9 << 30 }},
		{"notify-queue", portal.SignLook, func(_ int, s *portal.NodeSample) { s.Database.NotifyUsage = 0.02 }},
		{"slots", portal.SignLook, func(_ int, s *portal.NodeSample) { s.Database.Slots = []portal.ReplicationSlot{{Name: "x"}} }},
		{"slots", portal.SignBad, func(_ int, s *portal.NodeSample) {
			s.Database.Slots = []portal.ReplicationSlot{{Name: "x", Active: true, RetainedBytes: 11 << 30}}
		}},
		{"connections", portal.SignBad, func(_ int, s *portal.NodeSample) { s.Database.Connections = 99 }},
		{"transactions", portal.SignLook, func(_ int, s *portal.NodeSample) { s.Database.OldestTransactionSeconds = 400 }},
		{"jobs", portal.SignLook, func(_ int, s *portal.NodeSample) {
			s.Jobs.Queues = []portal.QueueFigures{{Queue: "mail", Discarded: 1}}
		}},
		{"jobs", portal.SignBad, func(_ int, s *portal.NodeSample) {
			s.Jobs.Queues = []portal.QueueFigures{{Queue: "mail", Available: 1, OldestSeconds: 1000}}
		}},
		{"jobs", portal.SignBad, func(_ int, s *portal.NodeSample) { s.Jobs = nil }},
		{"invariants", portal.SignBad, func(_ int, s *portal.NodeSample) { s.Jobs.Violations = 1 }},
		{"invariants", portal.SignLook, func(_ int, s *portal.NodeSample) { s.Jobs.CheckedAt = &old }},
		{"invariants", portal.SignUnknown, func(_ int, s *portal.NodeSample) { s.Jobs.CheckedAt = nil }},
		{"proof", portal.SignLook, func(_ int, s *portal.NodeSample) { s.Database.ProofOpen = 1 }},
		{"proof", portal.SignUnknown, func(_ int, s *portal.NodeSample) { s.Database.ProofAt = nil }},
		{"mails", portal.SignLook, func(_ int, s *portal.NodeSample) { s.Database.MailsFailed = 1 }},
		{"mails", portal.SignBad, func(_ int, s *portal.NodeSample) { s.Database.MailOldestSeconds = 8000 }},
	} {
		found := false
		for _, s := range nodeState(c.change).Signs() {
			if s.Key == c.key {
				found = true
				if s.State != c.want || s.Advice == "" && (c.want == portal.SignLook || c.want == portal.SignBad) {
					t.Errorf("%s is %s, want %s: %s", c.key, s.State, c.want, s.Text)
				}
			} else if s.State == portal.SignBad || s.State == portal.SignLook {
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
	n := nodeState(func(i int, s *portal.NodeSample) {
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
