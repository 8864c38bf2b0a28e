package main

import (
	"testing"
	"time"

	"portal.example/portal/internal/pgtest"
)

// The overview follows by itself, and what is focused stays so.
func TestBrowserOpsOverview(t *testing.T) {
	t.Parallel()
	s := startSite(t, pgtest.New(t), "127.0.0.1:0", fixtures, func(c *settings) { c.sampleEvery = 50 * time.Millisecond })
	b := openBrowser(t, s.URL, 1280)
	b.logIn("ops@demo.example")
	b.goTo("/ops")
	b.mark()
	eval[bool](b, "document.querySelector('#ops-now a[href=\"/ops/mail\"]').focus(); true")
	v := s.buyer("C1003")
	v.live("").hello()
	v.live("").hello()
	b.see("the sockets, the operator's own among them",
		"document.querySelector('#sign-sockets .sign-text').textContent === '3'")
	b.see("its plot", "document.querySelector('#sign-sockets .spark .line').getAttribute('d').length > 20")
	b.see("the focus where it was", "document.activeElement.getAttribute('href') === '/ops/mail'")
	b.stillMarked()
}
