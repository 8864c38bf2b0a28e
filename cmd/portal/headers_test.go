package main

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// What a page tells the browser, so that it runs nothing foreign, keeps nothing, shows itself to no
// other site and takes no form from one; and what it lets password managers do.
func TestWhatBrowsersAreTold(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.buyer("C1003")
	for _, path := range []string{"/", "/orders", "/nothing-here", "/assets/nothing.js"} {
		h := v.page(path).header
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
			"Cross-Origin-Opener-Policy": "same-origin", "Cache-Control": "private, no-store"} {
			if name == "Cache-Control" && strings.HasPrefix(path, "/assets/") {
				continue // nobody's in particular
			}
			if got := h.Get(name); got != want {
				t.Errorf("%s of %s: %q", name, path, got)
			}
		}
		csp := h.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'",
			"form-action 'self'"} {
			if !strings.Contains(csp, part) {
				t.Errorf("the policy of %s lacks %s", path, part)
			}
		}
		if strings.Contains(csp, "unsafe") || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s is opened: %s, CORS %q", path, csp, h.Get("Access-Control-Allow-Origin"))
		}
	}
	if a := v.page("/orders"); a.header.Get("Content-Type") != "text/html; charset=utf-8" ||
		!strings.Contains(a.body, `action="/logout"`) {
		t.Errorf("a page: %q, with a way to log out: %v", a.header.Get("Content-Type"), strings.Contains(a.body, "/logout"))
	}

	// a form of another site, by what the browser says of where it comes from
	for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"} {
		if status := v.raw(http.MethodPost, "/cart/lines", name, value); status != http.StatusForbidden {
			t.Errorf("a form with %s %s: %d", name, value, status)
		}
	}
	for _, method := range []string{http.MethodTrace, http.MethodPut, http.MethodDelete} {
		if status := v.raw(method, "/orders", "", ""); status != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", method, status)
		}
	}
	if status := v.raw(http.MethodGet, "/debug/pprof/", "", ""); status != http.StatusNotFound {
		t.Errorf("pprof: %d", status)
	}

	field := regexp.MustCompile(`<input[^>]*name="(?:password|new_password|current_password)"[^>]*>`)
	for path, n := range map[string]int{"/profile": 2, "/login": 1} {
		visitor := v
		if path == "/login" {
			visitor = s.visit()
		}
		found := field.FindAllString(visitor.page(path).body, -1)
		if len(found) < n {
			t.Errorf("%s has %d fields of passwords", path, len(found))
		}
		for _, f := range found {
			if !strings.Contains(f, `type="password"`) || strings.Contains(f, `autocomplete="off"`) ||
				!strings.Contains(f, "autocomplete=") || strings.Contains(f, "onpaste") {
				t.Errorf("%s: %s", path, f)
			}
		}
	}
}

// raw sends a request with one header more, and returns the status.
func (v *visitor) raw(method, path, header, value string) int {
	v.s.t.Helper()
	body := url.Values{"item_no": {"OIL5"}, "qty": {"1"}}.Encode()
	req, err := http.NewRequestWithContext(v.s.t.Context(), method, v.s.URL+path, strings.NewReader(body))
	if err != nil {
		v.s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if header != "" {
		req.Header.Set(header, value)
	}
	resp, err := v.client.Do(req)
	if err != nil {
		v.s.t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}
