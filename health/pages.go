package health

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

func (n Node) pageSigns() []Sign {
	rates := n.rate(func(s *Sample) float64 { return float64(s.Pages.Total()) })
	rate := Sign{
		Key:    "requests",
		Group:  GroupPages,
		Title:  "Requests",
		State:  Good,
		Value:  last(rates),
		Text:   perSecond(last(rates)),
		Series: rates,
	}
	return []Sign{rate, n.latencySign(), n.failureSign(), n.poolSign()}
}

func (n Node) latencySign() Sign {
	pages := func(s *Sample) Distribution { return s.Pages }
	sign := Sign{
		Key:       "page-time",
		Group:     GroupPages,
		Title:     "Time to answer",
		State:     Unknown,
		Unit:      "seconds",
		Text:      "No request yet",
		Threshold: "Look from p95 250 ms, bad from 1 s",
		Advice: "See portal_http_request_seconds by page for which one is slow; then pools and long " +
			"transactions below. Submits of long orders and statements may take longer.",
		Series: n.spread(pages, 0.95),
	}
	if d, over := n.lately(pages); d.Total() > 0 {
		p95 := d.Quantile(0.95)
		sign.Value, sign.State = p95.Seconds(), limitPageTime.among(d, p95)
		sign.Text = fmt.Sprintf("p50 %s · p95 %s", short(d.Quantile(0.5)), short(p95))
		sign.Note = fmt.Sprintf("%s requests in the last %s, log-ins aside; the plot is p95",
			count(int64(d.Total())), inWords(over.Seconds()))
		if sign.State == Unknown {
			sign.Note = "too few to judge: " + sign.Note
		}
	}
	return sign
}

func (n Node) failureSign() Sign {
	first, now := &n.Samples[0], n.Last()
	failed, all := now.Failures-first.Failures, now.Pages.Since(first.Pages).Total()
	sign := Sign{
		Key:       "failures",
		Group:     GroupPages,
		Title:     "Failed answers",
		State:     Good,
		Value:     float64(failed),
		Text:      count(failed),
		Note:      "of " + count(int64(all)) + " in " + n.window(first),
		Threshold: "Look from 1 %, bad from 5 %",
		Advice:    "Each is in the log at error level, with the id that the visitor's error page shows.",
		Series:    n.rate(func(s *Sample) float64 { return float64(s.Failures) }),
	}
	if all > 0 {
		sign.State = limitFailures.of(float64(failed) / float64(all))
	}
	return sign
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
	sign := Sign{
		Key:       "pools",
		Group:     GroupPages,
		Title:     "Database connections of this node",
		State:     Good,
		Value:     last(series),
		Series:    series,
		Threshold: "Look when a pool is full for 15 s, bad for a minute",
		Advice: "Requests wait for a connection. Look for long transactions and slow pages; PORTAL_WEB_CONNS " +
			"raises the number, within max_connections.",
	}
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
