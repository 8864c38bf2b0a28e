package jobs_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"portal.example/portal/jobs"
)

func TestUI(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.order(t, 7, "WEB")
	ui, err := jobs.NewUI(b.client(t), calm(t), "/ops/jobs")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := ui.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	defer ui.Stop()
	get := func(path string) (int, string) {
		t.Helper()
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, path, nil)
		r.Header.Set("Accept", "text/html, application/json")
		ui.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}

	for path, want := range map[string]string{
		"/ops/jobs/":                         `src="/ops/jobs/assets/`,
		"/ops/jobs/queues":                   `src="/ops/jobs/assets/`,
		"/ops/jobs/api/jobs?state=available": `"order_approval"`,
		"/ops/jobs/api/states":               `"available"`,
		"/ops/jobs/api/queues":               `[`,
		"/ops/jobs/api/features":             `"job_list_hide_args_by_default":true`,
	} {
		if code, body := get(path); code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("GET %s: %d, without %s:\n%s", path, code, want, body)
		}
	}
	if code, _ := get("/elsewhere"); code != http.StatusNotFound {
		t.Errorf("outside the prefix: %d", code)
	}
}
