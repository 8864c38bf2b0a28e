package main

import (
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"portal.example/portal/internal/pgtest"
)

// hidden are the hidden fields of a page's form with that id or action, and of
// those that name the form, as pairs for send.
func (a answer) hidden(names ...string) []string {
	var pairs []string
	for _, name := range names {
		found := regexp.MustCompile(`<input type="hidden" name="` + name +
			`"[^>]* value="([^"]*)"`).FindStringSubmatch(a.body)
		if found != nil {
			pairs = append(pairs, name, html.UnescapeString(found[1]))
		}
	}
	return pairs
}

// asks is the fields of the cart's form on a page.
func (a answer) asks(more ...string) []string {
	return append(a.hidden("key", "shown", "shown_outcome", "confirm_prices", "confirm_po"), more...)
}

// oilAt sets the price that customer C1003 has for oil.
func (s *site) oilAt(price string) {
	pgtest.Exec(s.t, s.db, "update erp.item set price_c = "+price+" where item_no = 'OIL5'")
}

func (s *site) lastPrice() string {
	s.t.Helper()
	return pgtest.Value[string](s.t, s.db,
		"select coalesce((select unit_price::numeric(14,2)::text from erp.sales_order_line order by order_id desc, "+
			"line_no desc limit 1), 'none')")
}

// The sequence of the issue: asked at 12.00, the price goes on to 19.77, and the
// click is asked again. And the switch that once confirmed anything confirms
// nothing.
func TestConfirmCart(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.buyer("C1003")
	s.oilAt("10")
	v.post("/cart/lines", "item_no", "OIL5", "qty", "2")
	page := v.page("/cart")
	s.oilAt("12")

	for _, confirm := range []string{"true", "1", "any", ""} {
		if a := v.submit("confirm_prices", confirm); a.status != http.StatusConflict ||
			!strings.Contains(a.body, "rose from 10.00 to 12.00") {
			t.Errorf("the first submit of a program with confirm_prices=%s: %d %s", confirm, a.status, a.body)
		}
		if a := v.send("/cart/submit", page.asks("confirm_prices", confirm)...); a.status != http.StatusConflict {
			t.Errorf("the first submit of a page with confirm_prices=%s: %d", confirm, a.status)
		}
	}
	question := v.send("/cart/submit", page.asks()...)
	if question.status != http.StatusConflict || !strings.Contains(question.body, "OIL5 rose from 10.00 to 12.00.") ||
		!strings.Contains(question.body, "Confirm and submit order · 24.00") {
		t.Fatalf("the question: %d", question.status)
	}
	s.oilAt("19.77")
	question2 := v.send("/cart/submit", question.asks()...)
	if question2.status != http.StatusConflict || !strings.Contains(question2.body, "OIL5 rose from 12.00 to 19.77.") ||
		!strings.Contains(question2.body, "Confirm and submit order · 39.54") {
		t.Fatalf("asked at 12.00, sent at 19.77: %d, last price %s", question2.status, s.lastPrice())
	}
	if n := s.orders(); n != 0 {
		t.Fatalf("%d orders", n)
	}
	// lower is taken without a word; three clicks are one order
	s.oilAt("11.50")
	for range 3 {
		if a := v.send("/cart/submit", question2.asks()...); a.status != http.StatusSeeOther {
			t.Errorf("confirmed: %d", a.status)
		}
	}
	if n, price := s.orders(), s.lastPrice(); n != 1 || price != "11.50" {
		t.Errorf("%d orders, at %s", n, price)
	}
}

// What another tab has made known to the portal has not stood on this page.
func TestConfirmCartOtherTab(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.buyer("C1003")
	s.oilAt("10")
	v.post("/cart/lines", "item_no", "OIL5", "qty", "2")
	page := v.page("/cart")
	s.oilAt("12")
	v.post("/cart/lines", "item_no", "OIL5", "qty", "2", "mode", "set") // agreed to there
	if a := v.send("/cart/submit", page.asks()...); a.status != http.StatusConflict ||
		!strings.Contains(a.body, "OIL5 rose from 10.00 to 12.00.") {
		t.Errorf("a price agreed to in another tab: %d, %s", a.status, s.lastPrice())
	}

	page = v.page("/cart")
	v.post("/cart/lines", "item_no", "OIL5", "qty", "5", "mode", "set")
	v.post("/cart/lines", "item_no", "RICE25", "qty", "3")
	a := v.send("/cart/submit", page.asks()...)
	if a.status != http.StatusConflict || !strings.Contains(a.body, "OIL5: quantity 2 → 5 EA.") ||
		!strings.Contains(a.body, "Added since: RICE25, 3 EA.") {
		t.Errorf("other lines in another tab: %d", a.status)
	}
	v.post("/cart/lines", "item_no", "RICE25", "qty", "0")
	if a := v.send("/cart/submit", a.asks()...); a.status != http.StatusConflict ||
		!strings.Contains(a.body, "Taken out since: RICE25, EA.") {
		t.Errorf("a line taken out in another tab: %d", a.status)
	}
	if n := s.orders(); n != 0 {
		t.Errorf("%d orders", n)
	}
	// a program that sends its key and fields only goes by what was agreed to
	if a := v.submit(); a.status != http.StatusOK || s.lastPrice() != "12.00" {
		t.Errorf("a program: %d %s", a.status, a.body)
	}
}

// "PO-7 is on order 1" does not confirm that it is on 2 as well.
func TestConfirmRepeatedPO(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.buyer("C1003")
	first := v.order("OIL5", "1", "po_no", "PO-7")
	v.post("/cart/lines", "item_no", "OIL5", "qty", "2")
	page := v.page("/cart")
	if a := v.send("/cart/submit", page.asks("po_no", "PO-7", "confirm_po", "true")...); a.status != http.StatusConflict {
		t.Fatalf("confirmed unasked: %d", a.status)
	}
	question := v.send("/cart/submit", page.asks("po_no", "PO-7")...)
	if !strings.Contains(question.body, "PO PO-7 is already on order "+first+".") {
		t.Fatalf("no question: %d", question.status)
	}
	other := pgtest.Value[string](t, s.db,
		`insert into erp.sales_order (customer_id, source, po_no) select customer_id, 'PHONE', 'po-7' from erp.customer
			where customer_no = 'C1003' returning order_no`)
	again := v.send("/cart/submit", question.asks("po_no", "PO-7")...)
	if again.status != http.StatusConflict ||
		!strings.Contains(again.body, "PO PO-7 is already on order "+other+" and one more.") {
		t.Errorf("another order with the number: %d", again.status)
	}
	// nor another number
	pgtest.Exec(t, s.db, "update erp.sales_order set po_no = 'PO-8' where order_no = '"+other+"'")
	if a := v.send("/cart/submit", again.asks("po_no", "PO-8")...); a.status != http.StatusConflict ||
		!strings.Contains(a.body, "PO PO-8 is already on order "+other+".") {
		t.Errorf("another number: %d", a.status)
	}
	again = v.send("/cart/submit", again.asks("po_no", "PO-7")...)
	if a := v.send("/cart/submit", again.asks("po_no", "PO-7")...); a.status != http.StatusSeeOther || s.orders() != 3 {
		t.Errorf("confirmed: %d, %d orders", a.status, s.orders())
	}
}

// Who sees no prices is asked again as well, and reads none in what is asked.
func TestConfirmWithoutPrices(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, "update erp.web_access set see_prices = false")
	v := s.buyer("C1003")
	s.oilAt("10.03")
	v.post("/cart/lines", "item_no", "OIL5", "qty", "2")
	page := v.page("/cart")
	s.oilAt("12.07")
	question := v.send("/cart/submit", page.asks()...)
	if question.status != http.StatusConflict || !strings.Contains(question.body, "Prices have changed meanwhile.") ||
		!strings.Contains(question.body, "Confirm and submit") {
		t.Fatalf("the question: %d", question.status)
	}
	s.oilAt("19.77")
	again := v.send("/cart/submit", question.asks()...)
	if again.status != http.StatusConflict {
		t.Errorf("a price behind the question's back: %d, %s", again.status, s.lastPrice())
	}
	for _, a := range []answer{page, question, again, v.read("/cart")} {
		for _, price := range []string{"10.03", "12.07", "19.77"} {
			if strings.Contains(a.body, price) {
				t.Errorf("the price %s is on the page", price)
			}
		}
	}
	if a := v.send("/cart/submit", again.asks()...); a.status != http.StatusSeeOther || s.lastPrice() != "19.77" {
		t.Errorf("confirmed: %d, %s", a.status, s.lastPrice())
	}
}

func TestConfirmOrderChange(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, "update erp.web_access set may_change = 'edit', auto_approve = false")
	v := s.buyer("C1003")
	s.oilAt("10")
	no := v.order("OIL5", "2")
	s.oilAt("12")
	form := func(a answer, more ...string) []string {
		return append(append(a.hidden("revision", "confirm_prices"), "qty_1", "4"), more...)
	}
	page := v.page("/orders/" + no)
	if a := v.send("/orders/"+no+"/change", form(page, "confirm_prices", "true")...); a.status != http.StatusConflict {
		t.Errorf("confirmed unasked: %d", a.status)
	}
	question := v.send("/orders/"+no+"/change", form(page)...)
	if question.status != http.StatusConflict || !strings.Contains(question.body, "OIL5 rose from 10.00 to 12.00.") {
		t.Fatalf("the question: %d", question.status)
	}
	s.oilAt("19.77")
	again := v.send("/orders/"+no+"/change", form(question)...)
	if again.status != http.StatusConflict || !strings.Contains(again.body, "OIL5 rose from 12.00 to 19.77.") {
		t.Errorf("asked at 12.00, changed at 19.77: %d, %s", again.status, s.lastPrice())
	}
	if a := v.send("/orders/"+no+"/change", form(again)...); a.status != http.StatusSeeOther || s.lastPrice() != "19.77" {
		t.Errorf("confirmed: %d, %s", a.status, s.lastPrice())
	}
}

func TestConfirmSignOff(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, `update erp.web_access set many_logins = true;
		insert into portal.login (customer_id, email, password_hash, name, customer_role, sign_off_all)
		select customer_id, 'ask@c1003.example', password_hash, 'Ask', 'buyer', true from portal.login
			where email = 'buyer@c1003.example'`)
	ask, v := s.logIn("ask@c1003.example"), s.buyer("C1003")
	s.oilAt("10")
	ask.post("/cart/lines", "item_no", "OIL5", "qty", "2")
	sent := ask.submit()
	at := fmt.Sprintf("/approvals/%v", sent.get("sign_off"))
	form := func(a answer, more ...string) []string {
		return append(append(a.hidden("shown", "confirm_prices", "confirm_po"), "qty_1", "2", "po_no", "",
			"requested_date", ""), more...)
	}
	page := v.page(at)
	s.oilAt("12")
	if a := v.send(at+"/approve", form(page, "confirm_prices", "true")...); a.status != http.StatusConflict {
		t.Errorf("confirmed unasked: %d", a.status)
	}
	question := v.send(at+"/approve", form(page)...)
	if question.status != http.StatusConflict || !strings.Contains(question.body, "OIL5 rose from 10.00 to 12.00.") {
		t.Fatalf("the question: %d", question.status)
	}
	s.oilAt("19.77")
	again := v.send(at+"/approve", form(question)...)
	if again.status != http.StatusConflict || !strings.Contains(again.body, "OIL5 rose from 12.00 to 19.77.") {
		t.Errorf("asked at 12.00, signed off at 19.77: %d, %s", again.status, s.lastPrice())
	}
	// agreed at 19.77 by the requester; the approver's page showed less
	pgtest.Exec(t, s.db, "update portal.sign_off_line set seen_price = 30")
	s.oilAt("25")
	if a := v.send(at+"/approve", form(page)...); a.status != http.StatusConflict ||
		!strings.Contains(a.body, "OIL5 rose from 10.00 to 25.00.") {
		t.Errorf("a price that the approver's page did not have: %d, %s", a.status, s.lastPrice())
	}
	// the request itself is another one by now
	pgtest.Exec(t, s.db,
		"update portal.sign_off_line set qty = 3; update erp.item set price_c = 10 where item_no = 'OIL5'")
	if a := v.send(at+"/approve", form(page)...); a.status != http.StatusConflict ||
		!strings.Contains(a.body, "OIL5: quantity 2 → 3 EA.") {
		t.Errorf("another quantity: %d", a.status)
	}
	if n := s.orders(); n != 0 {
		t.Errorf("%d orders", n)
	}
	if a := v.send(at+"/approve", form(v.page(at))...); a.status != http.StatusSeeOther || s.lastPrice() != "10.00" {
		t.Errorf("signed off: %d, %s", a.status, s.lastPrice())
	}
}

// Staff release the credit that their page showed.
func TestConfirmCredit(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, "update erp.customer set credit_limit = 100; update erp.web_access set credit_check = 'queue'")
	v, desk := s.buyer("C1003"), s.logIn("desk@demo.example")
	no := v.order("OIL5", "5") // 135.00
	eventually(t, "over credit, for review", func() bool { return v.read("/orders/"+no).get("in_review") == true })
	at := "/desk/orders/" + no
	page := desk.page(at)
	if !strings.Contains(page.body, `name="shown_over" value="35.00"`) {
		t.Fatal("the page does not carry what it shows")
	}
	older := func(amount string) {
		pgtest.Exec(t, s.db,
			`with i as (insert into erp.invoice (customer_id) select customer_id from erp.customer where customer_no = 'C1003'
				returning invoice_id)
			insert into erp.invoice_line (invoice_id, line_no, qty, unit_price, line_total) select invoice_id, 1, 1, `+amount+
				`, `+amount+` from i`)
	}
	older("400")
	form := func(a answer, more ...string) []string {
		return append(a.hidden("from", "revision", "shown_over", "shown_hold"), more...)
	}
	for _, approve := range [][]string{
		append([]string{at + "/move"}, form(page, "status", "APPROVED")...),
		append([]string{at + "/move"}, form(page, "status", "APPROVED", "release_credit", "true", "reason", "known")...),
		{"/desk/orders", "order", no + "/0/35.00"},
	} {
		a := desk.send(approve[0], approve[1:]...)
		if got := v.read("/orders/" + no).get("status"); got != "SUBMITTED" ||
			!strings.Contains(a.body, "over credit by 435.00 by now, and the page showed 35.00") {
			t.Errorf("%v: %d, %v", approve, a.status, got)
		}
	}
	if a := desk.send(at+"/move", form(desk.page(at), "status", "APPROVED")...); a.status != http.StatusSeeOther {
		t.Errorf("as shown: %d", a.status)
	}

	// on hold since
	pgtest.Exec(t, s.db,
		"update erp.web_access set credit_check = 'block'; delete from erp.sales_order where order_no <> '"+no+"'")
	page = desk.page(at)
	pgtest.Exec(t, s.db, "update erp.customer set credit_hold = true")
	if a := desk.send(at+"/move", form(page, "status", "PICKING", "release_credit", "true", "reason", "known",
		"shown_hold", "false")...); a.status != http.StatusConflict ||
		!strings.Contains(a.body, "was put on credit hold meanwhile") {
		t.Errorf("on hold since: %d", a.status)
	}
}

// A standing order that a colleague has changed meanwhile is not saved over.
func TestConfirmStandingOrder(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.buyer("C1003")
	settings := []string{"name", "Weekly", "rhythm", "weeks", "every", "1", "weekday", "3", "hours_before", "24"}
	made := v.post("/standing-orders", append(settings, "paste", "OIL5\t2", "action", "save")...)
	at := fmt.Sprintf("/standing-orders/%v", made.get("standing_order_id"))
	page := v.page(at)
	shown := regexp.MustCompile(`name="shown" value="([^"]*)"`).FindAllStringSubmatch(page.body, -1)
	if len(shown) != 2 {
		t.Fatalf("the page carries %d forms' worth: %s", len(shown), made.body)
	}
	lines, head := html.UnescapeString(shown[0][1]), html.UnescapeString(shown[1][1])
	pgtest.Exec(t, s.db, `update portal.standing_order_line set qty = 5; update portal.standing_order set po_no = 'PO-5';
		insert into portal.standing_order_line (standing_order_id, item_id, uom, qty) select 1, item_id, 'EA', 3
			from erp.item where item_no = 'RICE25'`)
	a := v.send(at+"/lines", "paste", "OIL5\t4", "action", "save", "shown", lines)
	if a.status != http.StatusConflict || !strings.Contains(a.body, "OIL5: quantity 2 → 5 EA.") ||
		!strings.Contains(a.body, "Added since: RICE25, 3 EA.") {
		t.Errorf("lines: %d", a.status)
	}
	b := v.send(at+"/settings", append(settings, "note", "at the back", "shown", head)...)
	if b.status != http.StatusConflict || !strings.Contains(b.body,
		"PO number was empty when you opened this page, and is PO-5 now.") || !strings.Contains(b.body, "at the back") {
		t.Errorf("settings: %d", b.status)
	}
	if got := pgtest.Value[string](t, s.db,
		"select string_agg(trim_scale(qty)::text, ' ' order by item_id) || ' ' || max(po_no) || max(note) from "+
			"portal.standing_order_line, portal.standing_order"); got != "5 3 PO-5" {
		t.Errorf("saved all the same: %s", got)
	}
	// what the refused page showed
	shown = regexp.MustCompile(`name="shown" value="([^"]*)"`).FindAllStringSubmatch(a.body, -1)
	if a := v.send(at+"/lines", "paste", "OIL5\t4", "action", "save",
		"shown", html.UnescapeString(shown[0][1])); a.status != http.StatusSeeOther {
		t.Errorf("once more: %d", a.status)
	}
	if a := v.send(at+"/settings", append(settings, "note", "at the back",
		"shown", html.UnescapeString(shown[1][1]))...); a.status != http.StatusSeeOther {
		t.Errorf("the settings once more: %d", a.status)
	}
}

// A live refresh between the question and the click does not carry the
// confirmation over to what it brings: the page asks again. And what was typed
// into a box is what is compared, saved or not.
func TestBrowserConfirm(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.oilAt("10")
	v := s.buyer("C1003")
	v.post("/cart/lines", "item_no", "OIL5", "qty", "2")
	b := openBrowser(t, s.URL, 360)
	b.logIn("buyer@c1003.example")
	b.goTo("/cart")
	b.connected()
	s.oilAt("12")
	button := func(text string) string {
		return "document.querySelector('#submit-end button').textContent.trim() === '" + text + "'"
	}
	b.see("the new total", button("Submit order · 24.00"))
	b.click("#submit-end button")
	b.see("the question", "document.querySelector('[data-errors]').textContent.includes('rose from 10.00 to 12.00')")
	b.see("a button that confirms", button("Confirm and submit order · 24.00"))
	b.connected()

	// another change of the page leaves the question as it was
	pgtest.Exec(t, s.db, "update erp.item set price_c = 3 where item_no = 'RICE25'; update portal.cart set note = 'x'")
	// the price goes on, and the page follows
	s.oilAt("19.77")
	b.see("the newest total, and no more than a submit", button("Submit order · 39.54"))
	b.click("#submit-end button")
	b.see("asked again", "document.querySelector('[data-errors]').textContent.includes('rose from 10.00 to 19.77')")
	if n := s.orders(); n != 0 {
		t.Fatalf("%d orders", n)
	}
	b.connected()
	b.see("a button that confirms", button("Confirm and submit order · 39.54"))
	b.click("#submit-end button")
	b.see("the order", "location.pathname.startsWith('/orders/')")
	if got := s.lastPrice(); got != "19.77" {
		t.Errorf("at %s", got)
	}

	// typed and not saved: the page's quantity is the typed one
	v.post("/cart/lines", "item_no", "OIL5", "qty", "2")
	b.goTo("/cart")
	sent := eval[string](b, `(() => {
		document.querySelector('#cart-lines [name=qty][type=number], #cart-lines .stepper input').value = '7'
		return new FormData(document.getElementById('submit-form')).get('shown')
	})()`)
	if want := `[["OIL5","EA","7","19.77"]]`; sent != want {
		t.Errorf("the form tells %s", sent)
	}
	b.do(chromedp.Click(chromedp.CSS("#submit-end button")))
	b.see("asked about the quantity",
		"document.querySelector('[data-errors]')?.textContent.includes('OIL5: quantity 7 → 2 EA') || "+
			"location.pathname.startsWith('/orders/')")
	if n := s.orders(); n != 1 {
		t.Errorf("%d orders: 2 were ordered where 7 stood", n)
	}
	s.sound()
}
