package main

import (
	"testing"

	"portal.example/portal/internal/pgtest"
)

// A price list is checked and then loaded without choosing the file twice: the
// outcome comes into the page.
func TestBrowserPriceList(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, s.URL, 1280)
	b.logIn("desk@demo.example")
	b.goTo("/desk/prices")
	eval[bool](b, `(() => {
		const files = new DataTransfer()
		files.items.add(new File(['item_no;price_a\nOIL5;31.5\nRICE25;22,10\n'], 'levels.csv', { type: 'text/csv' }))
		document.getElementById('f-file').files = files.files
		document.querySelector('#price-load button[value=check]').click()
		return true
	})()`)
	b.see("what it would do",
		`document.querySelector('#price-result table')?.textContent.includes('write the decimals after a point')`)
	eval[bool](b, `(() => {
		document.getElementById('f-leave_out').click()
		document.querySelector('#price-load button[value=load]').click()
		return true
	})()`)
	b.see("what it did",
		`document.querySelector('#price-result .callout-success')?.textContent.includes('1 bad row was left out')`)
	if got := pgtest.Value[string](t, s.db,
		"select price_a::text from erp.item where item_no = 'OIL5'"); got != "31.5000" {
		t.Errorf("OIL5 at %s", got)
	}
}
