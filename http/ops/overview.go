package ops

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"portal.example/portal/health"
	"portal.example/portal/http/page"
)

// opsPage is how the node that answers stands. What others of the same
// database have of their own, they show themselves.
type opsPage struct {
	Node      string                   `json:"node"`
	Version   string                   `json:"version"`
	Since     time.Time                `json:"since"`
	SampledAt *time.Time               `json:"sampled_at"` // nil: no sample yet
	Every     float64                  `json:"every_seconds"`
	State     health.State             `json:"state"`
	Signs     []health.Sign            `json:"signs"`
	Queues    []health.Queue           `json:"queues"`
	Pools     []health.Pool            `json:"pools"`
	Slots     []health.ReplicationSlot `json:"slots"`
}

func (c *Counter) ShowOverview(q *page.Request) error {
	return c.Page(q, http.StatusOK, "ops/overview", "Overview", "overview", newOpsPage(c.Ops()))
}

func newOpsPage(n health.Node) opsPage {
	p := opsPage{Node: n.Name, Version: n.Version, Since: n.Since, Every: n.Every.Seconds(), State: health.Unknown,
		Signs: []health.Sign{}, Queues: []health.Queue{}, Pools: []health.Pool{}, Slots: []health.ReplicationSlot{}}
	now := n.Last()
	if now == nil {
		return p
	}
	p.Signs = n.Signs()
	p.SampledAt, p.State, p.Pools = &now.At, health.Worst(p.Signs), now.Pools
	if now.Jobs != nil {
		p.Queues = now.Jobs.Queues
	}
	if now.Database != nil {
		p.Slots = now.Database.Slots
	}
	for i := range p.Signs { // advice is for what is not well
		if st := p.Signs[i].State; st == health.Good || st == health.Unknown {
			p.Signs[i].Advice = ""
		}
	}
	return p
}

// opsGroup is a card of the page.
type opsGroup struct {
	Title, Icon string
	Signs       []health.Sign
}

// Groups are the signs by where they belong.
func (p opsPage) Groups() []opsGroup {
	groups := []opsGroup{{Title: health.GroupLive, Icon: "bolt"}, {Title: health.GroupPages, Icon: "device-desktop"},
		{Title: health.GroupDatabase, Icon: "box"}, {Title: health.GroupWork, Icon: "settings"}}
	for i := range groups {
		for _, sign := range p.Signs {
			if sign.Group == groups[i].Title {
				groups[i].Signs = append(groups[i].Signs, sign)
			}
		}
	}
	return groups
}

// Notable are the signs that are not well, the worst first.
func (p opsPage) Notable() []health.Sign {
	var bad, look []health.Sign
	for _, s := range p.Signs {
		switch s.State {
		case health.Bad:
			bad = append(bad, s)
		case health.Look:
			look = append(look, s)
		}
	}
	return append(bad, look...)
}

// The size of a sparkline in its own coordinates; the page scales it.
const (
	sparkWidth  = 240
	sparkHeight = 36
)

// spark is a small plot: a line, the area below it, and what they show in words.
type spark struct {
	Line, Area string // path data
	Label      string
}

// sparkOf draws the series of a sign from zero to its highest figure. A gap
// stays a gap; a figure alone between gaps is a dash. Nil where there is
// nothing to draw yet.
func sparkOf(sign health.Sign) *spark {
	top, known := 0.0, 0
	for _, v := range sign.Series {
		if !math.IsNaN(v) {
			known++
			top = max(top, v)
		}
	}
	if known == 0 || len(sign.Series) < 2 {
		return nil
	}
	x := func(i int) string {
		return fmt.Sprintf("%.1f", float64(i)*sparkWidth/float64(len(sign.Series)-1))
	}
	y := func(v float64) string {
		if top == 0 {
			return fmt.Sprint(sparkHeight - 1)
		}
		return fmt.Sprintf("%.1f", sparkHeight-1-v/top*(sparkHeight-3))
	}
	var line, area strings.Builder
	for i := 0; i < len(sign.Series); {
		if math.IsNaN(sign.Series[i]) {
			i++
			continue
		}
		from := i
		for i < len(sign.Series) && !math.IsNaN(sign.Series[i]) {
			i++
		}
		for n, v := range sign.Series[from:i] {
			move := "L"
			if n == 0 {
				move = "M"
				fmt.Fprintf(&area, "M%s %d", x(from), sparkHeight)
			}
			fmt.Fprintf(&line, "%s%s %s", move, x(from+n), y(v))
			fmt.Fprintf(&area, "L%s %s", x(from+n), y(v))
		}
		if i == from+1 {
			line.WriteString("h2")
			area.WriteString("h2")
		}
		fmt.Fprintf(&area, "V%dZ", sparkHeight)
	}
	return &spark{Line: line.String(), Area: area.String(),
		Label: fmt.Sprintf("%s, up to %s", sign.Title, sparkTop(top, sign.Unit))}
}

// sparkTop is the highest figure of a plot.
func sparkTop(v float64, unit string) string {
	switch {
	case unit == "bytes":
		return health.Bytes(int64(v))
	case unit == "seconds" && v < 1:
		return fmt.Sprintf("%.1f ms", v*1000)
	case unit == "seconds":
		return fmt.Sprintf("%.1f s", v)
	case v == math.Trunc(v):
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
