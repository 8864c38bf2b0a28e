package main

import (
	"testing"

	"portal.example/portal/internal/pgtest"
)

// A request appears on the approver's open page, its decision on the
// requester's; and the controls of a log-in whose role changes go, without a
// reload and without a new log-in.
func TestBrowserSeveralPeople(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, manyLogins)
	s.addPerson("C1003", "bea@c1003.example", "buyer", "spend_limit = 20")
	approver, requester := openBrowser(t, s.URL, 1280), openBrowser(t, s.URL, 1280)
	approver.logIn("buyer@c1003.example")
	approver.goTo("/orders")
	approver.connected()
	approver.mark()
	requester.logIn("bea@c1003.example")
	bea := s.logIn("bea@c1003.example")
	bea.post("/cart/lines", "item_no", "OIL5", "qty", "2")
	requester.goTo("/cart")
	requester.see("the cart says what will happen",
		`document.querySelector('#submit-end button')?.textContent.startsWith('Send for sign-off')`)
	requester.click("#submit-end button")
	requester.see("the request", `document.querySelector('#request-badge')?.dataset.status === 'WAITING'`)
	requester.connected()
	requester.mark()
	approver.see("the count in the navigation",
		`document.querySelector('#side-nav a[href="/approvals"] .count')?.textContent.startsWith('1')`)
	approver.see("the notice on the page",
		`document.getElementById('to-sign').textContent.includes('1 order waits for your sign-off')`)
	approver.stillMarked()
	approver.goTo("/approvals")
	approver.click("#approvals .row-link")
	approver.see("its page", `document.getElementById('request-approve') !== null`)
	approver.click("#approve button")
	approver.see("the order", `location.pathname.startsWith('/orders/')`)
	requester.see("the decision",
		`document.querySelector('#request-badge')?.dataset.status === 'SIGNED_OFF' && document.querySelector('#request-status a[href^="/orders/"]') !== null`)
	requester.stillMarked()

	requester.goTo("/items/RICE25")
	requester.connected()
	requester.mark()
	requester.see("may add", `document.getElementById('add-to-cart') !== null`)
	pgtest.Exec(t, s.db, "update portal.login set customer_role = 'view' where email = 'bea@c1003.example'")
	requester.see("the controls go",
		`document.getElementById('add-to-cart') === null && document.getElementById('item').textContent.includes('Your log-in may look but not order')`)
	requester.see("and so does the cart",
		`document.querySelector('#frame-cart a') === null && document.querySelector('#side-nav a[href="/invoices"]') === null`)
	requester.stillMarked()
}
