package main

import (
	"fmt"
	"strings"
	"testing"

	"portal.example/portal/internal/pgtest"
)

// The dashboard counts down to the cutoff by the database's clock and not by
// the browser's, moves nothing while it does, and when the time is up shows
// the next run by itself.
func TestBrowserCountdown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db,
		`insert into erp.route (route_id, code, name, cutoff_days_before) overriding system value
			values (1, 'TF', 'Tuesday and Friday', 1);
		insert into erp.route_day (route_id, weekday) values (1, 2), (1, 5);
		update erp.customer set route_id = 1`)
	at := func(clock string) {
		pgtest.Exec(t, s.db, "select erp.set_clock(null); update erp.clock set shift = timestamptz '"+clock+
			"' - clock_timestamp()")
	}
	left := func(want string) string {
		return fmt.Sprintf("document.querySelector('#next-delivery .countdown .left').textContent.startsWith(%q)", want)
	}
	at("2026-06-04 11:39:30-04")
	b := openBrowser(t, s.URL, 360)
	b.logIn("buyer@c1003.example")
	b.connected()
	b.see("what is left", left("3 h 20 min left"))
	b.see("Friday", "document.querySelector('#next-delivery').innerText.includes('5 Jun 2026')")
	// the room it takes is the same before there is anything in it
	if !eval[bool](b, `(() => {
		const card = document.querySelector('#next-delivery'), left = card.querySelector('.left')
		const text = left.textContent, size = () => [card.offsetHeight, left.getBoundingClientRect().right].join()
		const full = size()
		left.textContent = ''
		const empty = size()
		left.textContent = text
		return full === empty
	})()`) {
		t.Error("the page moves when the count appears")
	}
	if wide := eval[int](b, "document.documentElement.scrollWidth"); wide > 360 {
		t.Errorf("the page is %d px wide on a phone of 360", wide)
	}

	at("2026-06-04 14:59:58.5-04")
	b.goTo("/")
	b.connected()
	b.mark()
	b.see("the next run", "document.querySelector('#next-delivery').innerText.includes('9 Jun 2026')")
	b.see("the count to its cutoff", left("in 3 days"))
	b.see("the word for who does not see",
		"document.querySelector('#announce').textContent.includes('The cutoff has passed')")
	b.stillMarked()
	if text := s.buyer("C1003").page("/").body; !strings.Contains(text, `data-countdown="2026-06-08T15:00:00-04:00"`) {
		t.Error("the page without a script lacks the instant")
	}
}
