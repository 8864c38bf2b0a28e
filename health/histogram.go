package health

import (
	"math"
	"sync/atomic"
	"time"
)

// Histogram counts durations by size. Observe costs two additions and a search
// through a short list; it allocates nothing. Safe for concurrent use; make it
// with NewHistogram, and do not copy it.
type Histogram struct {
	bounds []time.Duration
	counts []atomic.Uint64 // one more than bounds: what is above all of them
	sum    atomic.Int64    // nanoseconds
}

// NewHistogram makes one with these upper bounds, ascending.
func NewHistogram(bounds ...time.Duration) *Histogram {
	return &Histogram{bounds: bounds, counts: make([]atomic.Uint64, len(bounds)+1)}
}

// Observe counts one duration. A negative one, which two clocks that differ
// give, counts as none.
func (h *Histogram) Observe(d time.Duration) {
	d = max(d, 0)
	i := 0
	for i < len(h.bounds) && d > h.bounds[i] {
		i++
	}
	h.counts[i].Add(1)
	h.sum.Add(int64(d))
}

// Read returns what was counted since NewHistogram.
func (h *Histogram) Read() Distribution {
	d := Distribution{Bounds: h.bounds, Counts: make([]uint64, len(h.counts)), Sum: time.Duration(h.sum.Load())}
	for i := range h.counts {
		d.Counts[i] = h.counts[i].Load()
	}
	return d
}

// Distribution is how durations were spread. The zero value holds none.
type Distribution struct {
	Bounds []time.Duration // upper bounds of all counts but the last
	Counts []uint64        // one more than Bounds
	Sum    time.Duration
}

// Total is how many durations were counted.
func (d Distribution) Total() (n uint64) {
	for _, c := range d.Counts {
		n += c
	}
	return n
}

// Since is what came after an earlier reading of the same histogram.
func (d Distribution) Since(earlier Distribution) Distribution {
	if len(earlier.Counts) != len(d.Counts) {
		return d
	}
	out := Distribution{Bounds: d.Bounds, Counts: make([]uint64, len(d.Counts)), Sum: d.Sum - earlier.Sum}
	for i := range d.Counts {
		out.Counts[i] = d.Counts[i] - earlier.Counts[i]
	}
	return out
}

// Quantile estimates the duration that a share q of all does not exceed, in a
// straight line within its bucket, as Prometheus does; 0 where nothing was
// counted. What is above the highest bound counts as that bound.
func (d Distribution) Quantile(q float64) time.Duration {
	total := d.Total()
	if total == 0 {
		return 0
	}
	rank := math.Max(q*float64(total), 1)
	below := 0.0
	low := time.Duration(0)
	for i, bound := range d.Bounds {
		n := float64(d.Counts[i])
		if below+n >= rank {
			return low + time.Duration(float64(bound-low)*(rank-below)/n)
		}
		below += n
		low = bound
	}
	return low
}
