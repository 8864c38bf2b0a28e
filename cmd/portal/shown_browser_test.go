package main

import (
	"testing"

	"portal.example/portal/internal/pgtest"
)

// A live update brings a colleague's price into the page, and leaves alone what
// was typed and what the form showed as it was opened. So does a page that comes
// back with what was typed.
func TestBrowserShownUntilSaved(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, s.URL, 360)
	b.logIn("desk@demo.example")
	b.goTo("/desk/items/OIL5")
	b.connected()
	b.fill("#f-price_a", "33")
	pgtest.Exec(t, s.db, "update erp.item set price_a = 34, price_b = 29 where item_no = 'OIL5'")
	b.see("a colleague's price", `document.querySelector('#f-price_b').value === '29.00'`)
	b.click("#item-form button[type=submit]")
	b.see("the question",
		`document.querySelector('[data-errors]')?.textContent.includes('Level A was 30.00 when you opened this page, and is 34.00 now.') &&
		!document.querySelector('[data-errors]').textContent.includes('Level B')`)
	b.see("what was typed", `document.querySelector('#f-price_a').value === '33'`)
	b.click("#item-form button[type=submit]")
	b.see("saved", `!document.querySelector('[data-errors]') && document.querySelector('#f-price_a').value === '33.00'`)

	b.goTo("/desk/customers/C1003/people/3")
	b.fill("#f-spend_limit", "500")
	pgtest.Exec(t, s.db, "update portal.login set spend_limit = 100 where login_id = 3")
	b.goTo("/desk/customers/C1003/people/3")
	b.see("it came back", `document.querySelector('#f-spend_limit').value === '500'`)
	b.click("form[data-keep] button[type=submit]")
	b.see("the question",
		`document.querySelector('[data-errors]')?.textContent.includes('The limit was empty when you opened this page, and is 100.00 now.')`)
	b.click("form[data-keep] button[type=submit]")
	b.see("saved", `location.pathname === '/desk/customers/C1003/people'`)
	if got := pgtest.Value[string](t, s.db,
		"select price_a::numeric(14,2) || ' ' || price_b::numeric(14,2) || ' ' || spend_limit from erp.item, portal.login "+
			"where item_no = 'OIL5' and login_id = 3"); got != "33.00 29.00 500.00" {
		t.Errorf("saved %s", got)
	}
}
