package main

import (
	"testing"

	"portal.example/portal/internal/pgtest"
)

// A live refresh brings the day and what the form carries of it at once, so that
// the click confirms what is read; what no event tells, the cutoff, is asked.
func TestBrowserConfirmOutcome(t *testing.T) {
	t.Parallel()
	s, _ := outcomeSite(t)
	b := openBrowser(t, s.URL, 360)
	b.logIn("buyer@c1003.example")
	b.goTo("/cart")
	b.connected()
	day := func(date string) string {
		return `document.querySelector('#cart-verdict time[datetime="` + date +
			`"]') !== null && new FormData(document.getElementById('submit-form')).get('shown_outcome').includes('"day":"` +
			date + `"')`
	}
	button := func(text string) string {
		return "document.querySelector('#submit-end button').textContent.trim() === '" + text + "'"
	}
	b.see("Tuesday, told and carried", day("2026-06-09"))
	pgtest.Exec(t, s.db,
		"update erp.route_day set weekday = 3 where weekday = 2; update erp.customer set credit_hold = true")
	b.see("Wednesday, told and carried", day("2026-06-10"))
	b.see("no question, since it stands on the page", button("Submit order · 54.00"))

	pgtest.Exec(t, s.db, "select erp.set_clock('2026-06-09 15:00-04')")
	b.click("#submit-end button")
	b.see("the question", "document.activeElement.matches('[data-errors]') && "+
		"document.activeElement.textContent.includes('Delivery was Wed 10 Jun 2026, is now Fri 12 Jun 2026.')")
	b.see("a button that confirms", button("Confirm and submit order · 54.00"))
	if wide := eval[int](b, "document.documentElement.scrollWidth"); wide > 360 {
		t.Errorf("the page is %d px wide on a phone of 360", wide)
	}
	b.connected()
	// a change that is not in the question leaves it as it is
	pgtest.Exec(t, s.db, "update portal.cart set note = 'at the back'")
	b.see("the note", "document.querySelector('#f-note').value === 'at the back'")
	b.see("still a button that confirms", button("Confirm and submit order · 54.00"))
	b.click("#submit-end button")
	b.see("the order", "location.pathname.startsWith('/orders/')")
	if got := pgtest.Value[string](t, s.db, "select max(delivery_date)::text from erp.sales_order"); got != "2026-06-12" ||
		s.orders() != 1 {
		t.Errorf("%d orders, for %s", s.orders(), got)
	}
	s.sound()
}
