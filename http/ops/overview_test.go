package ops

import (
	"math"
	"net/http/httptest"
	"strings"
	"testing"

	"portal.example/portal"
	"portal.example/portal/health"
	"portal.example/portal/http/page"
	"portal.example/portal/http/shop"
)

func TestSpark(t *testing.T) {
	t.Parallel()
	gap := math.NaN()
	for _, c := range []struct {
		series     health.Series
		unit       string
		line, area string
		label      string
	}{
		{health.Series{0, 10, 5}, "", "M0.0 35.0L120.0 2.0L240.0 18.5", "M0.0 36L0.0 35.0L120.0 2.0L240.0 18.5V36Z",
			"Sockets, up to 10"},
		{health.Series{gap, 4, gap, 4, 4}, "bytes", "M60.0 2.0h2M180.0 2.0L240.0 2.0",
			"M60.0 36L60.0 2.0h2V36ZM180.0 36L180.0 2.0L240.0 2.0V36Z", "Sockets, up to 4\u00a0B"},
		{health.Series{0, 0}, "seconds", "M0.0 35L240.0 35", "M0.0 36L0.0 35L240.0 35V36Z", "Sockets, up to 0.0 ms"},
	} {
		s := sparkOf(health.Sign{Title: "Sockets", Unit: c.unit, Series: c.series})
		if s == nil || s.Line != c.line || s.Area != c.area || s.Label != c.label {
			t.Errorf("%v: %+v", c.series, s)
		}
	}
	for _, series := range []health.Series{nil, {1}, {gap, gap}} {
		if s := sparkOf(health.Sign{Series: series}); s != nil {
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
	c := New(kit, Services{Ops: func() health.Node { return health.Node{Name: "one"} }})
	answer := httptest.NewRecorder()
	q := &page.Request{Request: httptest.NewRequest("GET", "/ops", nil), W: answer,
		Who: portal.Session{ID: 1, Role: portal.RoleOps}}
	if err := c.ShowOverview(q); err != nil {
		t.Fatal(err)
	}
	if text := answer.Body.String(); !strings.Contains(text, "The first figures are being taken") ||
		!strings.Contains(text, `hx-trigger="every 5s"`) {
		t.Error(text)
	}
	if p := newOpsPage(health.Node{Name: "one"}); p.State != health.Unknown {
		t.Errorf("state %s", p.State)
	}
}
