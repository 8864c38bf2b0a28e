package jobs_test

import (
	"testing"
	"time"

	"portal.example/portal/jobs"
)

func TestNextDaily(t *testing.T) {
	t.Parallel()
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, current, want string
	}{
		{"before the hour", "2026-06-01T02:59:59-04:00", "2026-06-01T03:00:00-04:00"},
		{"at the hour", "2026-06-01T03:00:00-04:00", "2026-06-02T03:00:00-04:00"},
		{"after the hour", "2026-06-01T15:00:00-04:00", "2026-06-02T03:00:00-04:00"},
		{"another day there already", "2026-06-02T01:00:00Z", "2026-06-02T03:00:00-04:00"},
		{"end of the year", "2026-12-31T12:00:00-05:00", "2027-01-01T03:00:00-05:00"},
		{"clock goes forward", "2026-03-07T12:00:00-05:00", "2026-03-08T03:00:00-04:00"},
		{"clock goes back", "2026-10-31T12:00:00-04:00", "2026-11-01T03:00:00-05:00"},
	} {
		current, err := time.Parse(time.RFC3339, c.current)
		if err != nil {
			t.Fatal(err)
		}
		if got := jobs.NextDaily(3, newYork, current).Format(time.RFC3339); got != c.want {
			t.Errorf("%s: after %s comes %s, want %s", c.name, c.current, got, c.want)
		}
	}
}

func TestNextRetry(t *testing.T) {
	t.Parallel()
	for before, want := range map[int]time.Duration{
		0: time.Second, 1: 2 * time.Second, 4: 16 * time.Second, 9: 512 * time.Second,
		10: 10 * time.Minute, 24: 10 * time.Minute, 1000: 10 * time.Minute,
	} {
		low := time.Now().Add(want)
		got := jobs.NextRetry(before)
		high := time.Now().Add(want + want/10)
		if got.Before(low) || got.After(high) {
			t.Errorf("after %d failures: %v, want %v to %v", before, got, low, high)
		}
	}
}
