package main

import (
	"strings"
	"testing"

	"portal.example/portal/internal/pgtest"
)

// Open pages follow the Web Access tab without a reload, and what was typed
// stays.
func TestBrowserAccessLive(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, "insert into erp.price_break (item_id, min_qty, price) select item_id, 12, 23.4 from erp.item "+
		"where item_no = 'OIL5'")
	v := s.buyer("C1003")
	v.post("/cart/lines", "item_no", "OIL5", "qty", "3")

	cart := openBrowser(t, s.URL, 1280)
	cart.logIn("buyer@c1003.example")
	cart.goTo("/cart")
	item, quick := cart.another(), cart.another()
	item.goTo("/items/OIL5")
	quick.goTo("/quick-order")
	quick.fill("#quick-rows tr:nth-child(1) [name=ref]", "OIL5")
	quick.fill("#quick-rows tr:nth-child(1) [name=qty]", "4")
	quick.see("the price in the row", "document.querySelector('#quick-rows .amount').textContent === '108.00'")
	for _, b := range []*tab{cart, item, quick} {
		b.connected()
		b.mark()
	}
	cart.see("the verdict", "document.querySelector('#cart-verdict').innerText.includes('approved at once')")
	eval[bool](cart, "(() => { const f = document.querySelector('#f-note'); f.value = 'half a not'; "+
		"f.dispatchEvent(new Event('input', { bubbles: true })); return true })()")

	pgtest.Exec(t, s.db, of("require_po = true"))
	cart.see("the PO number required",
		"document.querySelector('#f-po_no').required && document.querySelector('#cart-verdict').innerText.includes('Enter "+
			"your PO number')")
	// what is typed is kept with the cart, and the verdict follows
	cart.fill("#f-po_no", "PO-9\t")
	cart.see("the verdict after typing", "document.querySelector('#cart-verdict').innerText.includes('approved at once')")
	if note := eval[string](cart, "document.querySelector('#f-note').value"); note != "half a not" {
		t.Errorf("the note that was being typed is %q", note)
	}
	item.see("the break",
		"document.querySelector('#tiers') !== null && document.querySelector('.stock').textContent.includes('100')")
	pgtest.Exec(t, s.db, of("see_price_breaks = false"))
	item.see("the break gone", "document.querySelector('#tiers') === null")
	pgtest.Exec(t, s.db, of("see_stock = 'hidden'"))
	item.see("the stock gone", "document.querySelector('.stock').textContent === 'Can be ordered'")
	// other columns: the page is asked for again, and what was typed with it
	pgtest.Exec(t, s.db, of("see_prices = false"))
	quick.see("the price columns gone, the row kept",
		"document.querySelector('#quick-rows .amount') === null && document.querySelector('#quick-rows [name=qty]').value "+
			"=== '4'")
	cart.see("the price columns gone", "document.querySelector('#cart-total') === null")

	pgtest.Exec(t, s.db, of("can_order = false"))
	cart.see("nothing to order with",
		"document.querySelector('#submit-form') === null && document.querySelector('#cart-lines form') === null")
	item.see("nothing to order with", "document.querySelector('#add-to-cart') === null")
	quick.see("quick order gone", "document.querySelector('#quick') === null")
	pgtest.Exec(t, s.db, of("can_order = true"))
	cart.see("the form again",
		"document.querySelector('#submit-form') !== null && document.querySelector('#f-po_no').value === 'PO-9'")
	item.see("the form again", "document.querySelector('#add-to-cart') !== null")
	cart.stillMarked()
	item.stillMarked()
}

// The cart counts down to the cutoff; at the cutoff the cart looks again and says
// what has moved. The ship-to and the day that are chosen are followed at once.
func TestBrowserCartCutoff(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, `
		insert into erp.route (route_id, code, name) overriding system value values (1, 'TF', 'Tuesday and Friday'),
			(2, 'W', 'Wednesday');
		insert into erp.route_day (route_id, weekday) values (1, 2), (1, 5), (2, 3);
		update erp.customer set route_id = 1; update erp.ship_to set route_id = 2 where code = '2';
		select erp.set_clock('2026-06-29 13:46-04');`+of("cutoff_mode = 'strict'"))
	v := s.buyer("C1003")
	v.post("/cart/lines", "item_no", "OIL5", "qty", "3")
	b := openBrowser(t, s.URL, 360)
	b.logIn("buyer@c1003.example")
	b.goTo("/cart")
	b.connected()
	b.mark()
	says := func(what string) {
		t.Helper()
		b.see(what, "document.querySelector('#cart-verdict').innerText.includes("+quoted(what)+")")
	}
	says("1 h 13 min left")
	says("Tue 30 Jun 2026")
	eval[bool](b, "(() => { const f = document.querySelector('#f-ship_to'); f.value = '2'; f.dispatchEvent(new "+
		"Event('change', { bubbles: true })); return true })()")
	says("Wed 1 Jul 2026")
	says("in 1 day 1 h")
	eval[bool](b, "(() => { const f = document.querySelector('#f-ship_to'); f.value = '1'; f.dispatchEvent(new "+
		"Event('change', { bubbles: true })); return true })()")
	says("Tue 30 Jun 2026")

	pgtest.Exec(t, s.db, "select erp.set_clock('2026-06-29 14:59:58-04'); "+of("min_order = 1")) // so that the page looks
	says("less than a minute left")
	pgtest.Exec(t, s.db, "select erp.set_clock('2026-06-29 15:00:00-04')")
	says("Too late for Tue 30 Jun 2026.")
	says("Fri 3 Jul 2026")
	b.stillMarked()
}

// Staff act as a customer from the desk in a browser: into its portal, an order,
// and back; the customer's open page tells of it.
func TestBrowserActing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	buyer := openBrowser(t, s.URL, 360)
	buyer.logIn("buyer@c1003.example")
	buyer.goTo("/orders")
	buyer.connected()
	buyer.mark()

	desk := openBrowser(t, s.URL, 1280)
	desk.logIn("desk@demo.example")
	desk.goTo("/desk/customers/C1003")
	desk.click("#desk-customer-actions form:nth-of-type(2) button")
	desk.see("the banner", "document.querySelector('.acting').innerText.includes('acts as Cedar Diner')")
	buyer.see("the notice", "document.querySelector('#staff-acts').innerText.includes('acts for your account')")
	desk.goTo("/items/OIL5")
	desk.connected()
	desk.click("#add-to-cart button[type=submit]")
	desk.see("the cart in the frame", "document.querySelector('#frame-cart .count').textContent === '1'")
	desk.goTo("/cart")
	desk.click("#submit-form button[type=submit].btn-primary")
	desk.see("the order's page", "location.pathname.startsWith('/orders/SO-')")
	orderNo := strings.TrimPrefix(eval[string](desk, "location.pathname"), "/orders/")
	desk.status("#order-status", "APPROVED")
	buyer.see("the order", "document.querySelector('#orders').innerText.includes("+quoted(orderNo)+")")

	// a page of the customer that is open while the acting ends is left for the desk
	second := desk.another()
	second.goTo("/orders/" + orderNo)
	second.connected()
	desk.click(".acting button")
	desk.see("the desk", "location.pathname === '/desk/customers/C1003'")
	second.see("the desk in the other tab", "location.pathname === '/desk/orders'")
	buyer.see("the notice gone", "document.querySelector('#staff-acts').innerText === ''")
	buyer.stillMarked()
}

// quoted is a string of JavaScript.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "\\'") + "'" }
