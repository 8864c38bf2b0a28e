package main

import (
	"net/http"
	"regexp"
	"testing"
)

// A password manager finds the form, and whoever has found a hole whom to tell.
func TestWellKnown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if a := s.visit().page("/.well-known/security.txt"); a.status != http.StatusNotFound {
		t.Errorf("without a contact: %d", a.status)
	}
	for email, want := range map[string]string{"buyer@c1001.example": "/profile", "desk@demo.example": "/desk/profile"} {
		v := s.logIn(email)
		if a := v.page("/.well-known/change-password"); a.status != http.StatusSeeOther ||
			a.header.Get("Location") != want+"#f-current_password" {
			t.Errorf("change-password of %s: %d to %q", email, a.status, a.header.Get("Location"))
		}
		says(t, "the form", v.page(want).body, `id="f-current_password"`)
	}
	if a := s.visit().page("/.well-known/change-password"); a.header.Get(
		"Location") != "/login?next=%2F.well-known%2Fchange-password" {
		t.Errorf("of nobody: %d to %q", a.status, a.header.Get("Location"))
	}
	s.stop()
	s = startSite(t, s.db, "127.0.0.1:0", "", func(c *settings) { c.SecurityContact = "security@acme.example" })
	a := s.visit().page("/.well-known/security.txt")
	if a.status != http.StatusOK || a.header.Get("Content-Type") != "text/plain; charset=utf-8" ||
		!regexp.MustCompile(
			`^Contact: mailto:security@acme\.example\nExpires: \d{4}-\d\d-\d\dT00:00:00Z\nPreferred-Languages: en\n$`).MatchString(a.body) {
		t.Errorf("security.txt: %d %q", a.status, a.body)
	}
}
