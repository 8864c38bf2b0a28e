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
func nodeState(change func(i int, s *health.Sample)) health.Node {
	at := time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	n := health.Node{Name: "one", Since: at.Add(-time.Hour), Every: 5 * time.Second}
	lag := health.NewHistogram(time.Millisecond, 10*time.Millisecond, 5*time.Second)
	pages := health.NewHistogram(10*time.Millisecond, 5*time.Second)
	checked := at.Add(-time.Hour)
	for i := range 60 {
		for range 10 {
			lag.Observe(time.Millisecond)
			pages.Observe(time.Millisecond)
		}
		s := health.Sample{
			At:        at.Add(time.Duration(i) * n.Every),
			Connected: true,
			WokenUp:   true,
			Sockets:   int64(i),
			Events:    int64(10 * i),
			Lag:       lag.Read(),
			Pages:     pages.Read(),
			Pools:     []health.Pool{{Name: "web", Used: 1, Max: 8}},
			Database: &health.Database{
				Connections: 10, MaxConnections: 100, SeesAll: true, LogOldestSeconds: 72 * 3600, ProofAt: &checked,
			},
			Jobs: &health.Jobs{CheckedAt: &checked},
		}
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
	none := health.Node{}
	if s := none.Signs(); s != nil {
		t.Errorf("signs without a sample: %+v", s)
	}
	for _, s := range nodeState(nil).Signs() {
		if s.State != health.Good {
			t.Errorf("%s of a healthy node is %s: %s", s.Key, s.State, s.Text)
		}
		if s.Title == "" || s.Text == "" || s.Group == "" {
			t.Errorf("something is not said: %+v", s)
		}
	}
	old := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		key    string
		want   health.State
		change func(i int, s *health.Sample)
	}{
		{"event-path", health.Bad, func(_ int, s *health.Sample) { s.Connected = false }},
		{"event-path", health.Unknown, func(i int, s *health.Sample) {
			s.Connected, s.At = false, s.At.Add(-time.Hour-4*time.Minute-50*time.Second)
		}},
		{"event-path", health.Bad, func(_ int, s *health.Sample) { s.ReadAge = time.Minute }},
		{"event-path", health.Look, func(_ int, s *health.Sample) { s.WokenUp = false }},
		{"lag", health.Bad, func(i int, s *health.Sample) {
			if i == 59 {
				s.Lag.Counts[3] += 100 // above all bounds
			}
		}},
		{"lag", health.Unknown, func(_ int, s *health.Sample) { s.Lag = health.Distribution{} }},
		{"queue-bytes", health.Look, func(_ int, s *health.Sample) { s.QueueBytes = 20 << 20 }},
		{"resyncs", health.Look, func(i int, s *health.Sample) { s.Resyncs = int64(i) }},
		{"slow-closes", health.Bad, func(i int, s *health.Sample) { s.SlowCloses = int64(i) }},
		{"failures", health.Look, func(i int, s *health.Sample) { s.Failures = int64(i / 5) }},
		{"pools", health.Good, func(i int, s *health.Sample) { s.Pools[0].Used = min(8, 1+7*(i/58)) }},
		{"pools", health.Look, func(i int, s *health.Sample) { s.Pools[0].Used = min(8, 1+7*(i/55)) }},
		{"pools", health.Bad, func(_ int, s *health.Sample) { s.Pools[0].Used = 8 }},
		{"database", health.Bad, func(_ int, s *health.Sample) { s.Database = nil }},
		{"event-log", health.Look, func(_ int, s *health.Sample) { s.Database.LogOldestSeconds = 90 * 3600 }},
		{"event-log", health.Bad, func(_ int, s *health.Sample) { s.Database.LogBytes = 9 << 30 }},
		{"notify-queue", health.Look, func(_ int, s *health.Sample) { s.Database.NotifyUsage = 0.02 }},
		{"slots", health.Look, func(_ int, s *health.Sample) {
			s.Database.Slots = []health.ReplicationSlot{{Name: "x"}}
		}},
		{"slots", health.Bad, func(_ int, s *health.Sample) {
			s.Database.Slots = []health.ReplicationSlot{{Name: "x", Active: true, RetainedBytes: 11 << 30}}
		}},
		{"connections", health.Bad, func(_ int, s *health.Sample) { s.Database.Connections = 99 }},
		{"transactions", health.Look, func(_ int, s *health.Sample) { s.Database.OldestTransactionSeconds = 400 }},
		{"jobs", health.Look, func(_ int, s *health.Sample) {
			s.Jobs.Queues = []health.Queue{{Queue: "mail", Discarded: 1}}
		}},
		{"jobs", health.Bad, func(_ int, s *health.Sample) {
			s.Jobs.Queues = []health.Queue{{Queue: "mail", Available: 1, OldestSeconds: 1000}}
		}},
		{"jobs", health.Bad, func(_ int, s *health.Sample) { s.Jobs = nil }},
		{"invariants", health.Bad, func(_ int, s *health.Sample) { s.Jobs.Violations = 1 }},
		{"invariants", health.Look, func(_ int, s *health.Sample) { s.Jobs.CheckedAt = &old }},
		{"invariants", health.Unknown, func(_ int, s *health.Sample) { s.Jobs.CheckedAt = nil }},
		{"proof", health.Look, func(_ int, s *health.Sample) { s.Database.ProofOpen = 1 }},
		{"proof", health.Unknown, func(_ int, s *health.Sample) { s.Database.ProofAt = nil }},
		{"mails", health.Look, func(_ int, s *health.Sample) { s.Database.MailsFailed = 1 }},
		{"mails", health.Bad, func(_ int, s *health.Sample) { s.Database.MailOldestSeconds = 8000 }},
	} {
		found := false
		for _, s := range nodeState(c.change).Signs() {
			if s.Key == c.key {
				found = true
				if s.State != c.want || s.Advice == "" && (c.want == health.Look || c.want == health.Bad) {
					t.Errorf("%s is %s, want %s: %s", c.key, s.State, c.want, s.Text)
				}
			} else if s.State == health.Bad || s.State == health.Look {
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
	n := nodeState(func(i int, s *health.Sample) {
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
