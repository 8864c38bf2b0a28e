package http

import (
	"math"
	"strings"
	"testing"
	"time"

	"portal.example/portal"
)

func TestSpark(t *testing.T) {
	t.Parallel()
	gap := math.NaN()
	for _, c := range []struct {
		series     portal.Series
		unit       string
		line, area string
		label      string
	}{
		{portal.Series{0, 10, 5}, "", "M0.0 35.0L120.0 2.0L240.0 18.5", "M0.0 36L0.0 35.0L120.0 2.0L240.0 18.5V36Z", "Sockets, up to 10"},
		{portal.Series{gap, 4, gap, 4, 4}, "bytes", "M60.0 2.0h2M180.0 2.0L240.0 2.0", "M60.0 36L60.0 2.0h2V36ZM180.0 36L180.0 2.0L240.0 2.0V36Z", "Sockets, up to 4\u00a0B"},
		{portal.Series{0, 0}, "seconds", "M0.0 35L240.0 35", "M0.0 36L0.0 35L240.0 35V36Z", "Sockets, up to 0.0 ms"},
	} {
		s := sparkOf(portal.Sign{Title: "Sockets", Unit: c.unit, Series: c.series})
		if s == nil || s.Line != c.line || s.Area != c.area || s.Label != c.label {
			t.Errorf("%v: %+v", c.series, s)
		}
	}
	for _, series := range []portal.Series{nil, {1}, {gap, gap}} {
		if s := sparkOf(portal.Sign{Series: series}); s != nil {
			t.Errorf("%v is drawn: %+v", series, s)
		}
	}
}

// A node that has only just started has a page, too.
func TestOpsJustStarted(t *testing.T) {
	t.Parallel()
	brand, err := DefaultBrand()
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{Brand: brand})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	p := newOpsPage(portal.NodeState{Node: "one"})
	if err := s.pages.execute(&out, "ops", "layout", time.Now().UTC(), view{Frame: Frame{Brand: brand, Session: portal.Session{ID: 1, Role: portal.RoleOps}}, Page: p}); err != nil {
		t.Fatal(err)
	}
	if p.State != portal.SignUnknown || !strings.Contains(out.String(), "The first figures are being taken") || !strings.Contains(out.String(), `hx-trigger="every 5s"`) {
		t.Errorf("%s: %s", p.State, out.String())
	}
}
