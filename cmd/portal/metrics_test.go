package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"portal.example/portal/internal/pgtest"
)

func TestMetrics(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.buyer("C1003")
	socket := v.live("")
	socket.hello()
	pgtest.Exec(t, s.db, "select portal.emit('order', customer_id, 'SO-1') from erp.customer where customer_no = 'C1003'")
	socket.until(func(_, ref, _ string) bool { return ref == "SO-1" })
	v.page("/catalog")
	v.page("/no-such-page-" + strings.Repeat("x", 50))

	a := s.metrics()
	if a.status != http.StatusOK {
		t.Fatalf("metrics: %d", a.status)
	}
	for _, want := range []string{
		`(?m)^portal_live_sockets 1$`,
		`(?m)^portal_events_connected 1$`,
		`(?m)^portal_http_request_seconds_count\{page="catalog",status="2xx"\} 1$`,
		`(?m)^portal_http_request_seconds_count\{page="other",status="4xx"\} 1$`,
		`(?m)^portal_pool_connections_max\{pool="web"\} 8$`,
		`(?m)^portal_jobs_readable 1$`,
		`(?m)^portal_live_lag_seconds_bucket\{le="10"\} 1$`,
		`(?m)^portal_live_lag_seconds_count 1$`,
		`(?m)^portal_database_readable 1$`,
		`(?m)^portal_database_connections [1-9]\d*$`,
		`(?m)^portal_event_log_bytes [1-9]`,
		`(?m)^portal_event_log_rows \d+$`,
		`(?m)^portal_notify_queue_usage_ratio 0$`,
		`(?m)^portal_replication_slots\{state="inactive"\} \d+$`,
		`(?m)^portal_replication_retained_bytes \d`,
		`(?m)^portal_build_info\{go="go[^"]+",node="[^"]+",version="[^"]+"\} 1$`,
		`(?m)^go_goroutines \d+$`,
	} {
		if !regexp.MustCompile(want).MatchString(a.body) {
			t.Errorf("no %s", want)
		}
	}
}

// Without a token there are no metrics on the pages' own address, from this
// machine either: a proxy on it speaks for everybody.
func TestMetricsKeptPrivate(t *testing.T) {
	t.Parallel()
	m := (&app{}).newMetrics()
	if m.handler("") != nil {
		t.Error("metrics are told without a token")
	}
	private := m.handler("secret")
	for _, header := range []string{"", "Bearer other", "secret", "Bearer ", "Bearer secrets"} {
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.RemoteAddr = "127.0.0.1:5000"
		if header != "" {
			r.Header.Set("Authorization", header)
		}
		w := httptest.NewRecorder()
		if private.ServeHTTP(w, r); w.Code != http.StatusNotFound {
			t.Errorf("%q: %d", header, w.Code)
		}
	}
}

// One address may try only so many log-ins a minute; others are not concerned.
func TestLoginFlood(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.visit()
	last := 0
	for i := range 140 {
		a := v.post("/login", "email", fmt.Sprintf("nobody%d@c1003.example", i), "password", "x")
		if last = a.status; last == http.StatusTooManyRequests {
			if i < 30 {
				t.Errorf("refused after %d", i)
			}
			return
		}
	}
	t.Errorf("never refused: %d", last)
}
