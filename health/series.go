package health

import (
	"encoding/json"
	"math"
	"time"
)

// Series are the figures of a plot, one a sample; NaN where there is none,
// which is null in JSON.
type Series []float64

// MarshalJSON implements json.Marshaler.
func (s Series) MarshalJSON() ([]byte, error) {
	out := make([]*float64, len(s))
	for i := range s {
		if !math.IsNaN(s[i]) {
			v := math.Round(s[i]*1000) / 1000
			out[i] = &v
		}
	}
	return json.Marshal(out)
}

// enough is how many observations a quantile needs to be judged by.
const enough = 20

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
