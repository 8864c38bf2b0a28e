package ops

import (
	"math"
	"net/http/httptest"
	"strings"
	"testing"

	"portal.example/portal"
	"portal.example/portal/http/page"
	"portal.example/portal/http/shop"
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
	brand, err := page.DefaultBrand()
	if err != nil {
		t.Fatal(err)
	}
	kit, err := page.New(page.Config{Brand: brand}, shop.Templates, Templates)
	if err != nil {
		t.Fatal(err)
	}
	c := New(kit, Services{Ops: func() portal.NodeState { return portal.NodeState{Node: "one"} }})
	answer := httptest.NewRecorder()
	q := &page.Request{Request: httptest.NewRequest("GET", "/ops", nil), W: answer, Who: portal.Session{ID: 1, Role: portal.RoleOps}}
	if err := c.ShowOverview(q); err != nil {
		t.Fatal(err)
	}
	if text := answer.Body.String(); !strings.Contains(text, "The first figures are being taken") || !strings.Contains(text, `hx-trigger="every 5s"`) {
		t.Error(text)
	}
	if p := newOpsPage(portal.NodeState{Node: "one"}); p.State != portal.SignUnknown {
		t.Errorf("state %s", p.State)
	}
}
