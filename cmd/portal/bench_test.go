package main

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"portal.example/portal/internal/bench"
	"portal.example/portal/internal/pgtest"
)

// The load programs run against a portal, find nothing wrong with it, write
// what they found for people and machines, and leave nothing behind.
func TestBench(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	dir := t.TempDir()
	program := func(name string, arguments ...string) (figures map[string]any, table string) {
		t.Helper()
		var out, log strings.Builder
		svg, figuresFile := filepath.Join(dir, name+".svg"), filepath.Join(dir, name+".json")
		all := append([]string{"bench", name, "--database-url", s.db.URL, "--svg", svg, "--json", figuresFile}, arguments...)
		if code := run(context.Background(), all, &out, &log); code != 0 {
			t.Fatalf("bench %s: %d\n%s%s", name, code, log.String(), out.String())
		}
		raw, err := os.ReadFile(figuresFile)
		if err != nil {
			t.Fatal(err)
		}
		var report struct{ Result map[string]any }
		if err := json.Unmarshal(raw, &report); err != nil {
			t.Fatalf("%v in %s", err, raw)
		}
		picture, err := os.Open(svg)
		if err != nil {
			t.Fatal(err)
		}
		defer picture.Close()
		for d := xml.NewDecoder(picture); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("plot of bench %s: %v", name, err)
			}
		}
		return report.Result, out.String()
	}
	count := func(x any) float64 { n, _ := x.(float64); return n }

	live, table := program("live", "--url", s.URL, "--sockets", "5", "--duration", "500ms", "--rate", "40",
		"--broadcast-rate", "10", "--settle", "1ms", "--reconnect")
	points, _ := live["points"].([]any)
	if len(points) != 3 {
		t.Fatalf("bench live: %v", live)
	}
	for i, expected := range []float64{20, 5 * 5, 19 + 5} {
		p := points[i].(map[string]any)
		v := p["sequence"].(map[string]any)
		if count(v["expected"]) != expected ||
			count(v["lost"])+count(v["doubled"])+count(v["wrong"])+count(v["out_of_order"]) != 0 {
			t.Errorf("%v: %v expected, found %v", p["mode"], expected, v)
		}
		if l := p["bare_listen"].(map[string]any); count(l["count"]) == 0 || count(l["p50_ms"]) <= 0 {
			t.Errorf("%v: bare listener %v", p["mode"], l)
		}
	}
	if !strings.Contains(table, "reconnect") || !strings.Contains(table, "wrong recipient") {
		t.Errorf("table of bench live:\n%s", table)
	}

	tax, _ := program("write-tax", "--writers", "1,2", "--duration", "50ms", "--rounds", "1")
	modes := map[any]bool{}
	for _, p := range tax["points"].([]any) {
		p := p.(map[string]any)
		modes[p["mode"]] = true
		if count(p["commits_a_second"]) <= 0 || count(p["share_of_none"]) <= 0 {
			t.Errorf("bench write-tax: %v", p)
		}
	}
	if !modes["none"] || !modes["current"] || !modes["notify"] {
		t.Errorf("modes %v", modes)
	}

	pages, _ := program("pages", "--url", s.URL, "--duration", "500ms", "--rate", "20", "--orders", "4", "--buyers", "3",
		"--check-every", "1", "--warm", "100ms", "/catalog", "/items/{item}", "/lookup?q=oil")
	if count(pages["orders"]) != 2 || count(pages["prices_checked"]) == 0 || count(pages["prices_wrong"]) != 0 {
		t.Errorf("bench pages: %v", pages)
	}

	// how much slower buyers are on a busy machine is not this test's to say
	flood, err := bench.Flood(t.Context(), bench.FloodOptions{URL: s.URL, DatabaseURL: s.db.URL, Buyers: 4, Orders: 3,
		Pages: 4, Clients: 12, Sources: 3, Duration: time.Second})
	if err != nil || flood.Orders == 0 || flood.Kinds[0].Open == 0 || flood.Ratio == 0 {
		t.Errorf("bench flood: %+v, %v", flood, err)
	}

	for what, query := range map[string]string{
		"customers": "select count(*)::int from erp.customer where customer_no like 'bench-%'",
		"orders":    "select count(*)::int from erp.sales_order",
		"log-ins":   "select count(*)::int from portal.login where email like 'bench-%'",
	} {
		if n := pgtest.Value[int](t, s.db, query); n != 0 {
			t.Errorf("%d %s were left", n, what)
		}
	}
}

func TestBenchLiveHelp(t *testing.T) {
	t.Parallel()
	var out, log strings.Builder
	if code := run(context.Background(), []string{"bench", "live", "--help"}, &out, &log); code != 0 {
		t.Fatalf("%d %s", code, log.String())
	}
	for _, word := range []string{"milliseconds", "microseconds", "KB of 1024 bytes", "ulimit -n"} {
		if !strings.Contains(strings.Join(strings.Fields(out.String()), " "), word) {
			t.Errorf("help does not say %q:\n%s", word, out.String())
		}
	}
}
