package jobs_test

import (
	"slices"
	"testing"
	"time"

	"portal.example/portal/jobs"
)

// Nightly jobs run once a night by the company's clock, whatever the zone of the
// machine, on both days of a clock change, and when the zone is changed meanwhile.
func TestNightly(t *testing.T) {
	t.Parallel()
	zone := func(name string) *time.Location {
		z, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	newYork, berlin, tokyo := zone("America/New_York"), zone("Europe/Berlin"), zone("Asia/Tokyo")
	in := func(z *time.Location) func(time.Time) time.Time {
		return func(at time.Time) time.Time { return at.In(z) }
	}
	changed := time.Date(2026, 6, 1, 17, 59, 30, 0, time.UTC) // nearly 14:00 in New York, 03:00 in Tokyo
	for _, c := range []struct {
		name        string
		hour        int
		now         func(time.Time) time.Time
		from, until string
		want        []string
	}{
		{"two days", 3, in(newYork), "2026-06-01T00:00:20Z", "2026-06-03T00:00:00Z",
			[]string{"2026-06-01T03:00:20-04:00", "2026-06-02T03:00:20-04:00"}},
		{"begun in the middle of the day", 3, in(newYork), "2026-06-01T15:00:20Z", "2026-06-02T00:00:00Z", nil},
		{"begun at the hour", 3, in(newYork), "2026-06-01T07:00:00Z", "2026-06-01T09:00:00Z",
			[]string{"2026-06-01T03:00:00-04:00"}},
		{"forward, the hour after", 3, in(newYork), "2026-03-08T00:00:20Z", "2026-03-09T00:00:00Z",
			[]string{"2026-03-08T03:00:20-04:00"}},
		{"forward, the hour skipped", 2, in(newYork), "2026-03-08T00:00:20Z", "2026-03-09T00:00:00Z",
			[]string{"2026-03-08T01:00:20-05:00"}},
		{"back, the hour twice", 2, in(berlin), "2026-10-25T00:00:00Z", "2026-10-25T23:00:00Z",
			[]string{"2026-10-25T02:00:00+01:00"}},
		{"back, the hour after", 3, in(berlin), "2026-10-24T22:00:20Z", "2026-10-25T23:00:00Z",
			[]string{"2026-10-25T03:00:20+01:00"}},
		{"the zone is changed at its hour", 3, func(at time.Time) time.Time {
			if at.Before(changed) {
				return at.In(newYork)
			}
			return at.In(tokyo)
		}, "2026-06-01T06:00:00Z", "2026-06-02T23:00:00Z",
			[]string{"2026-06-01T03:00:00-04:00", "2026-06-02T03:00:00+09:00", "2026-06-03T03:00:00+09:00"}},
		{"the company's clock is a day ahead and stands", 3,
			func(time.Time) time.Time { return time.Date(2027, 1, 1, 12, 0, 0, 0, newYork) }, "2026-06-01T06:00:00Z",
			"2026-06-02T23:00:00Z", nil},
		{"the company's clock is set on by hours", 3,
			func(at time.Time) time.Time { return at.Add(5 * time.Hour).In(newYork) }, "2026-06-01T00:00:20Z",
			"2026-06-02T00:00:00Z", []string{"2026-06-01T03:00:20-04:00"}},
	} {
		var got []string
		for _, at := range jobs.Nights(c.hour, c.now, mustTime(t, c.from), mustTime(t, c.until)) {
			got = append(got, at.Format(time.RFC3339))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func mustTime(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
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
