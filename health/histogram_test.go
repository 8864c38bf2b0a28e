package health_test

import (
	"testing"
	"time"

	"portal.example/portal/health"
)

func TestHistogram(t *testing.T) {
	t.Parallel()
	h := health.NewHistogram(time.Millisecond, 10*time.Millisecond, 100*time.Millisecond)
	if q := h.Read().Quantile(0.5); q != 0 {
		t.Errorf("of nothing: %v", q)
	}
	for range 50 {
		h.Observe(time.Millisecond)
	}
	before := h.Read()
	for range 48 {
		h.Observe(5 * time.Millisecond)
	}
	h.Observe(-time.Second) // by a clock that is behind
	h.Observe(time.Hour)
	d := h.Read()
	if d.Total() != 100 || d.Sum != 50*time.Millisecond+48*5*time.Millisecond+time.Hour {
		t.Errorf("%+v", d)
	}
	for _, c := range []struct {
		q        float64
		from, to time.Duration
	}{
		{0, 0, time.Millisecond},
		{0.5, 0, time.Millisecond},
		{0.75, time.Millisecond, 10 * time.Millisecond},
		{0.99, time.Millisecond, 10 * time.Millisecond},
		{1, 100 * time.Millisecond, 100 * time.Millisecond},
	} {
		if got := d.Quantile(c.q); got < c.from || got > c.to {
			t.Errorf("q%v is %v", c.q, got)
		}
	}
	if s := d.Since(before); s.Total() != 50 || s.Counts[0] != 1 || s.Quantile(0.5) <= time.Millisecond {
		t.Errorf("since: %+v", s)
	}
	if s := d.Since(health.Distribution{}); s.Total() != 100 {
		t.Errorf("since nothing: %+v", s)
	}
}
