package main

import (
	"net/http"
	"strings"
	"testing"
)

// After log-in one comes to the page that one wanted, never to an address that
// takes forms only, that does not exist, or that is not ours.
func TestNext(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for next, want := range map[string]string{
		"/orders?status=all": "/orders?status=all", "/items/OIL5": "/items/OIL5", "/items/A%2FB": "/items/A%2FB", "": "/",
		"/logout": "/", "/cart/submit": "/", "/orders/SO-1/cancel": "/", "/no-such-page": "/", "/login": "/",
		"//elsewhere.example": "/", "https://elsewhere.example/orders": "/", `/\elsewhere.example`: "/",
	} {
		a := s.visit().send("/login", "email", "buyer@c1001.example", "password", demoPassword, "next", next)
		if got := a.header.Get("Location"); got != want {
			t.Errorf("next=%s leads to %q, want %q", next, got, want)
		}
	}
	for _, path := range []string{"/login/sso", "/login/sso/callback", "/login/sso/end"} {
		if a := s.visit().page(path); a.status != http.StatusNotFound {
			t.Errorf("%s without single sign-on: %d", path, a.status)
		}
	}
	// what was typed into the log-in may be a password
	s.visit().post("/login", "email", "my-password-by-mistake", "password", "x")
	if log := s.log.String(); !strings.Contains(log, "log-in refused") || strings.Contains(log, "my-password-by-mistake") {
		t.Error("the log has what was typed, or nothing")
	}
}
