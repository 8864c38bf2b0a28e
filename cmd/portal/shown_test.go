package main

import (
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"portal.example/portal/internal/pgtest"
)

// carried are the hidden fields of the page's form whose tag has that text, with
// more after them, as pairs for send.
func (a answer) carried(t testing.TB, tag string, more ...string) []string {
	t.Helper()
	for _, form := range regexp.MustCompile(`(?s)<form [^>]*>.*?</form>`).FindAllString(a.body, -1) {
		if head, _, _ := strings.Cut(form, ">"); !strings.Contains(head, tag) {
			continue
		}
		var pairs []string
		for _, input := range regexp.MustCompile(`<input type="hidden" name="([^"]*)"[^>]* value="([^"]*)"`).FindAllStringSubmatch(form, -1) {
			pairs = append(pairs, input[1], html.UnescapeString(input[2]))
		}
		return append(pairs, more...)
	}
	t.Fatalf("no form with %s on the page: %d", tag, a.status)
	return nil
}

// refuses reports on an answer that is not a refused form with these texts.
func (a answer) refuses(t testing.TB, what string, texts ...string) {
	t.Helper()
	if a.status != http.StatusConflict {
		t.Errorf("%s: %d, want it asked", what, a.status)
		return
	}
	for _, text := range texts {
		if !strings.Contains(a.body, html.EscapeString(text)) && !strings.Contains(a.body, text) {
			t.Errorf("%s: the page lacks %q: %v", what, text,
				regexp.MustCompile(`(?s)data-errors>.*?</div>\s*</div>`).FindString(a.body))
		}
	}
}

func (a answer) sent(t testing.TB, what string) {
	t.Helper()
	if a.status != http.StatusSeeOther {
		t.Errorf("%s: %d %s", what, a.status, regexp.MustCompile(`(?s)data-errors>.*?</div>\s*</div>`).FindString(a.body))
	}
}

// The price of an order is changed by another program, which raises no revision:
// what was not on the page is not approved, nor rejected.
func TestShownOrderTotal(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, "update erp.web_access set auto_approve = false")
	desk := s.logIn("desk@demo.example")
	no := s.buyer("C1003").order("OIL5", "2") // 54.00
	at := "/desk/orders/" + no
	page, list := desk.page(at), desk.page("/desk/orders")
	pgtest.Exec(t, s.db, "update erp.sales_order_line set unit_price = 30")
	status := func() string { return desk.read(at).text("status") }

	const asked = "The total was 54.00 when you opened this page, and is 60.00 now."
	question := desk.send(at+"/move", page.carried(t, `id="move-APPROVED"`)...)
	question.refuses(t, "approve", asked)
	desk.send(at+"/move", page.carried(t, `id="stop"`, "status", "REJECTED", "reason", "too cheap")...).refuses(t,
		"reject", asked, "too cheap")
	desk.send(at+"/move", list.carried(t, `id="quick-approve-`+no, "reason", "")...).refuses(t,
		"approve in the list", asked)
	desk.send(at+"/move", list.carried(t, `id="quick-stop-`+no, "status", "REJECTED", "reason", "no")...).refuses(t,
		"reject in the list", asked)
	ticked := regexp.MustCompile(`name="order" value="([^"]*)"`).FindStringSubmatch(list.body)
	if a := desk.send("/desk/orders", "order", ticked[1]); !strings.Contains(a.body, asked) {
		t.Errorf("ticked: %d", a.status)
	}
	if a := desk.post(at+"/move", page.carried(t, `id="move-APPROVED"`, "shown",
		"true")...); a.status != http.StatusConflict {
		t.Errorf("a switch confirms: %d", a.status)
	}
	if got := status(); got != "SUBMITTED" {
		t.Fatalf("it is %s", got)
	}
	// the price goes on behind the question
	pgtest.Exec(t, s.db, "update erp.sales_order_line set unit_price = 31")
	again := desk.send(at+"/move", question.carried(t, `id="move-APPROVED"`)...)
	again.refuses(t, "behind the question", "The total was 60.00 when you opened this page, and is 62.00 now.")
	desk.send(at+"/move", again.carried(t, `id="move-APPROVED"`)...).sent(t, "as shown")
	if got := status(); got != "APPROVED" {
		t.Errorf("it is %s", got)
	}
	// other prices with the same total
	other := s.buyer("C1001")
	other.post("/cart/lines", "item_no", "RICE25", "qty", "1")
	no = other.order("OIL5", "1")
	at = "/desk/orders/" + no
	page = desk.page(at)
	pgtest.Exec(t, s.db, "update erp.sales_order_line l set unit_price = unit_price + case line_no when 1 then 1 else "+
		"-1 end from erp.sales_order o where o.order_id = l.order_id and order_no = '"+no+"'")
	desk.send(at+"/move", page.carried(t, `id="move-APPROVED"`)...).refuses(t, "prices of the same total",
		"The prices of its lines changed since this page was opened.")
	// a program without the fields decides as before
	if a := desk.post(at+"/move", "status", "APPROVED"); a.status != http.StatusOK {
		t.Errorf("a program: %d %s", a.status, a.body)
	}
}

// Each form that sets values: another program changes the row while it is open.
// It is told, keeps what was typed, tells again what happens behind the
// question, and can save over it knowingly; a form refused for another reason
// still remembers what it showed.
func TestShownForms(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		setup        string
		at, tag      string // the page and its form
		action       string
		typed        []string // of the form, by name
		bad          []string // what is refused for another reason
		first, then  string   // what another program does
		was, is      string   // what the question says
		later        string   // of the second
		value, saved string
	}{
		"contract": {
			setup: "insert into erp.price_contract (customer_id, item_id, kind, value) select customer_id, item_id, 'fixed', " +
				"10 from erp.customer, erp.item where customer_no = 'C1003' and item_no = 'OIL5'",
			at: "/desk/customers/C1003/prices?contract=1", tag: `id="contract-form"`,
			action: "/desk/customers/C1003/prices/contract", typed: []string{"item_no", "OIL5", "kind", "fixed", "value", "11"},
			bad:   []string{"item_no", "OIL5", "kind", "fixed", "value", "eleven"},
			first: "update erp.price_contract set value = 12", then: "update erp.price_contract set value = 13",
			was:   "Price or percent was 10.00 when you opened this page, and is 12.00 now.",
			later: "Price or percent was 12.00 when you opened this page, and is 13.00 now.",
			value: "select value::numeric(14,2)::text from erp.price_contract", is: "13.00", saved: "11.00",
		},
		"category": {
			setup: "insert into erp.price_group (customer_id, category_id, kind, value) select customer_id, 1, " +
				"'percent_off', 5 from erp.customer where customer_no = 'C1003'",
			at: "/desk/customers/C1003/prices?group=1", tag: `id="group-form"`, action: "/desk/customers/C1003/prices/group",
			typed: []string{"category_id", "1", "kind", "percent_off", "value", "6"},
			bad:   []string{"category_id", "1", "kind", "percent_off", "value", "600"},
			first: "update erp.price_group set value = 7", then: "update erp.price_group set value = 8",
			was:   "The percentage was 5.00 when you opened this page, and is 7.00 now.",
			later: "The percentage was 7.00 when you opened this page, and is 8.00 now.",
			value: "select trim_scale(value)::text from erp.price_group", is: "8", saved: "6",
		},
		"break": {
			setup: "insert into erp.price_break (item_id, min_qty, price) select item_id, 12, 20 from erp.item where item_no " +
				"= 'OIL5'",
			at: "/desk/items/OIL5/prices?break=1", tag: `id="break-form"`, action: "/desk/items/OIL5/prices/break",
			typed: []string{"min_qty", "12", "price", "21"}, bad: []string{"min_qty", "12", "price", "none"},
			first: "update erp.price_break set price = 22", then: "update erp.price_break set price = 23",
			was:   "The price was 20.00 when you opened this page, and is 22.00 now.",
			later: "The price was 22.00 when you opened this page, and is 23.00 now.",
			value: "select price::numeric(14,2)::text from erp.price_break", is: "23.00", saved: "21.00",
		},
		"level prices": {
			at: "/desk/items/OIL5", tag: `id="item-form"`, action: "/desk/items/OIL5",
			typed: []string{"description", "Olive oil 5 L", "price_a", "33", "price_c", "27", "active", "true",
				"allow_backorder", "true"},
			bad:   []string{"description", "Olive oil 5 L", "price_a", "much", "active", "true"},
			first: "update erp.item set price_a = 34 where item_no = 'OIL5'",
			then:  "update erp.item set price_a = 35, price_c = 27.5 where item_no = 'OIL5'",
			was:   "Level A was 30.00 when you opened this page, and is 34.00 now.",
			later: "Level C was 27.00 when you opened this page, and is 27.50 now.",
			value: "select price_a::numeric(14,2) || ' ' || price_c::numeric(14,2) from erp.item where item_no = 'OIL5'",
			is:    "35.00 27.50", saved: "33.00 27.00",
		},
		"web access": {
			at: "/desk/customers/C1003", tag: `id="access-form"`, action: "/desk/customers/C1003/access",
			typed: []string{"enabled", "true", "max_order", "900"}, bad: []string{"enabled", "true", "max_order", "high"},
			first: "update erp.web_access set max_order = 100",
			then:  "update erp.web_access set max_order = 200, credit_check = 'block'",
			was:   "Maximum order was empty when you opened this page, and is 100.00 now.",
			later: "Maximum order was 100.00 when you opened this page, and is 200.00 now.",
			value: "select max_order::text from erp.web_access join erp.customer using (customer_id) where customer_no = 'C1003'", is: "200.00", saved: "900.00",
		},
		"route": {
			setup: "insert into erp.route (code, name, cutoff_days_before, cutoff_time) values ('NORTH', 'North', 1, " +
				"'15:00'); insert into erp.route_day (route_id, weekday) select route_id, 1 from erp.route",
			at: "/desk/routes/NORTH", tag: `id="route-form"`, action: "/desk/routes/NORTH",
			typed: []string{"code", "NORTH", "name", "North", "active", "true", "rhythm", "weekdays", "weekday", "1",
				"cutoff_days_before", "1", "cutoff_time", "14:00"},
			bad: []string{"code", "NORTH", "name", "", "active", "true", "rhythm", "weekdays", "weekday", "1",
				"cutoff_days_before", "1", "cutoff_time", "14:00"},
			first: "update erp.route set cutoff_time = '16:00'", then: "update erp.route_day set cutoff_time = '12:00'",
			was:   "Cutoff, time was 15:00 when you opened this page, and is 16:00 now.",
			later: "Monday, cutoff, time was empty when you opened this page, and is 12:00 now.",
			value: "select to_char(r.cutoff_time, 'HH24:MI') || coalesce(d.cutoff_time::text, '') from erp.route r join " +
				"erp.route_day d using (route_id)", is: "16:0012:00:00", saved: "14:00",
		},
		"person": {
			at: "/desk/customers/C1003/people/3", tag: `data-keep="person-3"`, action: "/desk/customers/C1003/people/3",
			typed: []string{"name", "Buyer", "role", "approver", "spend_period", "order", "spend_limit", "500"},
			bad:   []string{"name", "Buyer", "role", "approver", "spend_limit", "some"},
			first: "update portal.login set spend_limit = 100 where login_id = 3",
			then:  "update portal.login set spend_limit = 200 where login_id = 3",
			was:   "The limit was empty when you opened this page, and is 100.00 now.",
			later: "The limit was 100.00 when you opened this page, and is 200.00 now.",
			value: "select spend_limit::text from portal.login where login_id = 3", is: "200.00", saved: "500.00",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			pgtest.Exec(t, s.db, c.setup)
			desk := s.logIn("desk@demo.example")
			send := func(a answer, fields []string) answer { return desk.send(c.action, a.carried(t, c.tag, fields...)...) }
			kept := func(a answer) {
				t.Helper()
				for i := 0; i+1 < len(c.typed); i += 2 {
					if !strings.Contains(a.body, `value="`+html.EscapeString(c.typed[i+1])+`"`) {
						t.Errorf("%s=%s is lost", c.typed[i], c.typed[i+1])
					}
				}
			}
			page := desk.page(c.at)
			pgtest.Exec(t, s.db, c.first)
			refused := send(page, c.bad)
			if refused.status != http.StatusUnprocessableEntity {
				t.Fatalf("%v: %d", c.bad, refused.status)
			}
			question := send(refused, c.typed)
			question.refuses(t, "saved over another's", c.was, "Nothing was saved. Save again if yours is right.")
			kept(question)
			pgtest.Exec(t, s.db, c.then)
			again := send(question, c.typed)
			again.refuses(t, "saved over what happened behind the question", c.later)
			if got := pgtest.Value[string](t, s.db, c.value); got != c.is {
				t.Errorf("it is %s, want %s", got, c.is)
			}
			kept(again)
			send(again, c.typed).sent(t, "knowingly")
			if got := pgtest.Value[string](t, s.db, c.value); got != c.saved {
				t.Errorf("saved over: it is %s, want %s", got, c.saved)
			}
			// what somebody else set to just this is no difference; nor is a program's
			// form compared, which carries nothing
			page = desk.page(c.at)
			pgtest.Exec(t, s.db, c.first)
			fields := page.carried(t, c.tag, c.typed...)
			for i := 0; i+1 < len(fields); i += 2 {
				if fields[i] == "shown" {
					fields[i+1] = ""
				}
			}
			if a := desk.post(c.action, fields...); a.status != http.StatusOK {
				t.Errorf("a program: %d %s", a.status, a.body)
			}
		})
	}
}

// Many clerks save the same form at one moment: one is first, all the others are
// asked, whatever the moment.
func TestShownAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, `
		insert into erp.price_contract (customer_id, item_id, kind, value) select customer_id, item_id, 'fixed', 10
			from erp.customer, erp.item where customer_no = 'C1003' and item_no = 'OIL5';
		insert into erp.price_break (item_id, min_qty, price) select item_id, 12, 20 from erp.item where item_no = 'OIL5';
		insert into erp.route (code, name) values ('NORTH', 'North'); insert into erp.route_day (route_id, weekday)
			select route_id, 1 from erp.route`)
	desk := s.logIn("desk@demo.example")
	for _, c := range []struct{ page, tag, action, field, form string }{
		{"/desk/customers/C1003/prices?contract=1", `id="contract-form"`, "/desk/customers/C1003/prices/contract",
			"value", "item_no OIL5 kind fixed"},
		{"/desk/items/OIL5/prices?break=1", `id="break-form"`, "/desk/items/OIL5/prices/break", "price", "min_qty 12"},
		{"/desk/items/OIL5", `id="item-form"`, "/desk/items/OIL5", "price_a", "description Oil active true"},
		{"/desk/customers/C1003", `id="access-form"`, "/desk/customers/C1003/access", "max_order", "enabled true"},
		{"/desk/routes/NORTH", `id="route-form"`, "/desk/routes/NORTH", "name", "code NORTH rhythm weekdays weekday 1"},
		{"/desk/customers/C1003/people/3", `data-keep="person-3"`, "/desk/customers/C1003/people/3",
			"spend_limit", "role approver spend_period order"},
	} {
		page := desk.page(c.page)
		answers := make(chan int, 8)
		for i := range cap(answers) {
			form := page.carried(t, c.tag, append(strings.Fields(c.form), c.field, fmt.Sprint(41+i))...)
			go func() { answers <- desk.send(c.action, form...).status }()
		}
		got := map[int]int{}
		for range cap(answers) {
			got[<-answers]++
		}
		if got[http.StatusSeeOther] != 1 || got[http.StatusConflict] != cap(answers)-1 {
			t.Errorf("%s: %v", c.action, got)
		}
	}
}

// A rule that is another one by now is neither ended nor removed by a button
// beside the old one; nor is an account taken off a route it was not shown on.
func TestShownButtons(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, `
		insert into erp.price_contract (customer_id, item_id, kind, value, valid) select customer_id, item_id, 'fixed', 10,
			daterange('2020-01-01', null) from erp.customer, erp.item where customer_no = 'C1003' and item_no = 'OIL5';
		insert into erp.price_break (item_id, min_qty, price) select item_id, 12, 20 from erp.item where item_no = 'OIL5';
		insert into erp.route (code, name) values ('NORTH', 'North'), ('SOUTH', 'South');
		insert into erp.route_holiday (holiday, name) values (erp.today() + 40, 'Fair')`)
	desk := s.logIn("desk@demo.example")
	customer, item, one := desk.page("/desk/customers/C1003/prices?contract=1"), desk.page("/desk/items/OIL5/prices"),
		desk.page("/desk/customers/C1003")
	pgtest.Exec(t, s.db, "update erp.price_contract set value = 12; update erp.price_break set price = 22; update "+
		"erp.customer set route_id = (select route_id from erp.route where code = 'SOUTH') where customer_no = 'C1003'")
	const contract = "Price or percent was 10.00 when you opened this page, and is 12.00 now."
	end := desk.send("/desk/customers/C1003/prices/end", customer.carried(t, `id="end-contract-1"`)...)
	end.refuses(t, "end", contract)
	desk.send("/desk/customers/C1003/prices/delete", customer.carried(t, `/delete"`)...).refuses(t, "remove", contract)
	desk.send("/desk/items/OIL5/prices/end", item.carried(t, `id="end-break-1"`)...).refuses(t, "end a break",
		"The price was 20.00 when you opened this page, and is 22.00 now.")
	route := desk.send("/desk/customers/C1003/route", one.carried(t, `/route"`, "route", "NORTH")...)
	route.refuses(t, "route", "The route was empty when you opened this page, and is SOUTH now.")
	routes := desk.page("/desk/routes")
	pgtest.Exec(t, s.db, "update erp.route_holiday set replacement = holiday + 1")
	if a := desk.post("/desk/holidays/1/delete",
		routes.carried(t, "/desk/holidays/1/delete")...); a.status != http.StatusConflict ||
		!strings.Contains(a.body, "The day instead was empty when you opened this page") {
		t.Errorf("holiday: %d %s", a.status, a.body)
	}
	desk.send("/desk/holidays/1/delete", desk.page("/desk/routes").carried(t, "/desk/holidays/1/delete")...).sent(t,
		"a holiday as shown")
	if n := pgtest.Value[int](t, s.db, "select count(*)::int from erp.route_holiday"); n != 0 {
		t.Errorf("%d holidays", n)
	}
	if got := pgtest.Value[string](t, s.db,
		"select (select count(*) from erp.price_contract where upper_inf(valid)) || ' ' || (select code from erp.route "+
			"join erp.customer using (route_id))"); got != "1 SOUTH" {
		t.Errorf("done all the same: %s", got)
	}
	desk.send("/desk/customers/C1003/prices/end", end.carried(t, `id="end-contract-1"`)...).sent(t, "end as shown")
	desk.send("/desk/customers/C1003/route", route.carried(t, `/route"`, "route", "NORTH")...).sent(t, "route as shown")
}

// More shipped than stood on the page: it is asked, on the order's page and in
// the list of what waits.
func TestShownToInvoice(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, no := s.approved("OIL5", "5")
	desk := s.logIn("desk@demo.example")
	at := "/desk/orders/" + no
	ship := func(qty string) {
		t.Helper()
		pgtest.Exec(t, s.db, "select erp.ship_order('"+no+"', null, null, array[1], array["+qty+"]::numeric[])")
	}
	ship("2")
	page, list := desk.page(at), desk.page("/desk/invoicing")
	if !strings.Contains(page.body, "Invoice shipped goods · 54.00") {
		t.Error("the button does not say what it invoices")
	}
	ship("1")
	words := "Order " + no + ": merchandise to invoice was 54.00 when you opened this page, and is 81.00 now."
	question := desk.send(at+"/invoice", page.carried(t, `id="make-invoice"`)...)
	question.refuses(t, "one order", words, "No invoice was made.")
	desk.send("/desk/invoicing", list.carried(t, `id="to-invoice"`, "order_no", no, "freight-"+no, "4.00")...).refuses(t,
		"the list", words, `value="4.00"`)
	if n := pgtest.Value[int](t, s.db, "select count(*)::int from erp.invoice"); n != 0 {
		t.Fatalf("%d invoices", n)
	}
	desk.send(at+"/invoice", question.carried(t, `id="make-invoice"`)...).sent(t, "as shown")
	if got := pgtest.Value[string](t, s.db, "select total::text from erp.invoice"); got != "81.00" {
		t.Errorf("invoiced %s", got)
	}
	// the list, with a freight of the clerk's own
	ship("1")
	list = desk.page("/desk/invoicing")
	desk.send("/desk/invoicing", list.carried(t, `id="to-invoice"`, "order_no", no, "freight-"+no, "4.00")...).sent(t,
		"the list as shown")
	ship("1")
	if a := desk.post(at + "/invoice"); a.status != http.StatusOK {
		t.Errorf("a program: %d %s", a.status, a.body)
	}
}

// What is open of an invoice changes while a payment is typed.
func TestShownPayment(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db,
		`insert into erp.invoice (invoice_no, customer_id, due_date) select n, customer_id, erp.today() + d
			from erp.customer, (values ('IN-A', 1), ('IN-B', 2), ('IN-C', 3)) as v(n, d) where customer_no = 'C1003';
		insert into erp.invoice_line (invoice_id, line_no, qty, unit_price, line_total) select invoice_id, 1, 1, 100, 100
			from erp.invoice;
		insert into erp.payment (payment_no, customer_id, amount) select 'PY-9', customer_id, 80 from erp.customer
			where customer_no = 'C1003'`)
	desk := s.logIn("desk@demo.example")
	const account = "/desk/customers/C1003/account"
	today := pgtest.Value[string](t, s.db, "select erp.today()::text")
	pay := func(a answer, pairs ...string) answer {
		return desk.send("/desk/customers/C1003/payments",
			a.carried(t, `id="payment-form"`,
				append([]string{"payment_date", today, "method", "check", "reference", "as typed"}, pairs...)...)...)
	}
	elsewhere := func(no, amount string) {
		t.Helper()
		pgtest.Exec(t, s.db, `with p as (insert into erp.payment (customer_id, amount) select customer_id, `+amount+
			` from erp.customer where customer_no = 'C1003' returning payment_id)
			insert into erp.payment_application (payment_id, invoice_id, amount) select p.payment_id, i.invoice_id, `+amount+
			` from p, erp.invoice i where invoice_no = '`+no+`'`)
	}
	payments := func() int { return pgtest.Value[int](t, s.db, "select count(*)::int from erp.payment") }

	page, second := desk.page(account), desk.page(account)
	elsewhere("IN-A", "40")
	const asked = "Open of invoice IN-A was 100.00 when you opened this page, and is 60.00 now."
	before := payments()
	question := pay(page, "amount", "50", "apply-IN-A", "50")
	question.refuses(t, "an invoice that is paid in part", asked, "as typed", `href="#f-apply-IN-A"`)
	pay(page, "amount", "150", "oldest_first", "true").refuses(t, "the oldest first", asked)
	pay(second, "amount", "50", "apply-IN-B", "50").sent(t, "an invoice that is as shown")
	if n := payments(); n != before+1 {
		t.Fatalf("%d payments, want %d", n, before+1)
	}
	// as shown, and the same form again is the same payment
	for range 2 {
		pay(question, "amount", "50", "apply-IN-A", "50").sent(t, "as shown")
	}
	if n := payments(); n != before+2 {
		t.Errorf("%d payments, want %d", n, before+2)
	}
	// paid altogether meanwhile, and one that nobody has seen
	page = desk.page(account)
	elsewhere("IN-A", "10")
	pay(page, "amount", "20", "oldest_first", "true").refuses(t, "the oldest is paid",
		"Open of invoice IN-A was 10.00 when you opened this page, and is 0.00 now.")
	page = desk.page(account)
	pgtest.Exec(t, s.db,
		`insert into erp.invoice (invoice_no, customer_id, due_date) select 'IN-0', customer_id, erp.today()
			from erp.customer where customer_no = 'C1003';
		insert into erp.invoice_line (invoice_id, line_no, qty, unit_price, line_total) select invoice_id, 1, 1, 30, 30
			from erp.invoice where invoice_no = 'IN-0'`)
	pay(page, "amount", "20", "oldest_first", "true").refuses(t, "an older one is there",
		"Open of invoice IN-0 was not on this page when you opened it, and is 30.00 now.")

	// what is open of a payment goes to an invoice; a credit memo for one
	apply := func(a answer, amount string) answer {
		return desk.send("/desk/customers/C1003/apply",
			a.carried(t, `class="apply"`, "invoice_no", "IN-C", "amount", amount)...)
	}
	elsewhere("IN-C", "70")
	const ofC = "Open of invoice IN-C was 100.00 when you opened this page, and is 30.00 now."
	question = apply(page, "20")
	question.refuses(t, "apply", ofC, `href="#f-use_invoice_no"`)
	desk.send("/desk/customers/C1003/credits", page.carried(t, `/credits"`, "credit_amount", "5", "credit_reason", "late",
		"credit_invoice", "IN-C")...).refuses(t, "credit memo", ofC)
	apply(question, "20").sent(t, "apply as shown")
	apply(page, "20").refuses(t, "the payment is used by now",
		"Open of payment PY-9 was 80.00 when you opened this page, and is 60.00 now.")

	// a payment is marked as returned whose use was another
	one := desk.page("/desk/payments/PY-9")
	if a := desk.post("/desk/customers/C1003/apply", "kind", "payment", "doc_no", "PY-9", "invoice_no", "IN-0",
		"amount", "30"); a.status != http.StatusOK {
		t.Fatalf("a program: %d %s", a.status, a.body)
	}
	back := []string{"reversed_on", today, "reason", "bounced"}
	returned := desk.send("/desk/payments/PY-9/reverse", one.carried(t, `/reverse"`, back...)...)
	returned.refuses(t, "returned", "What is not applied of it was 60.00 when you opened this page, and is 30.00 now.",
		"bounced")
	desk.send("/desk/payments/PY-9/reverse", returned.carried(t, `/reverse"`, back...)...).sent(t, "returned as shown")
}

// A request is decided by one clerk, or is another by now, while another clerk
// has it open.
func TestShownReturn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, returnInvoice)
	v, dana, other := s.buyer("C1003"), s.logIn("desk@demo.example"), s.logIn("ops@demo.example")
	no := fmt.Sprint(v.giveBack("qty_1", "5", "reason_1", "damaged", "qty_2", "2", "reason_2",
		"damaged").get("request_no"))
	at := "/desk/returns/" + no
	decide := func(a answer, qty string) answer {
		return dana.send(at+"/decide",
			a.carried(t, `id="lines-form"`, "qty_1", qty, "note_1", "box was open", "qty_2", "2")...)
	}
	page := dana.page(at)
	pgtest.Exec(t, s.db, "update erp.credit_request_line set qty = 4 where line_no = 1")
	const asked = "Olive oil 5 L: the quantity asked for was 5 when you opened this page, and is 4 now."
	question := decide(page, "3")
	question.refuses(t, "approve", asked, "box was open", "Changed meanwhile.")
	dana.send(at+"/reject", page.carried(t, `id="reject-form"`, "reason", "too late")...).refuses(t,
		"reject", asked, "too late")
	// a colleague decides
	if a := other.post(at+"/decide", "qty_1", "1", "note_1", "one only", "qty_2", "2"); a.status != http.StatusOK {
		t.Fatalf("the colleague, or a program: %d %s", a.status, a.body)
	}
	dana.send(at+"/reject", question.carried(t, `id="reject-form"`, "reason", "too late")...).refuses(t,
		"decided meanwhile", "The request was requested when you opened this page, and is")
	decide(question, "3").refuses(t, "decided meanwhile")
	if got := pgtest.Value[string](t, s.db,
		"select string_agg(trim_scale(qty_approved)::text, ' ' order by line_no) from erp.credit_request_line"); got != "1 2" {
		t.Errorf("approved %s", got)
	}
	// the memo, of what was shown
	pgtest.Exec(t, s.db, "update erp.credit_request set goods_received_at = erp.now() where status = 'AWAITING_GOODS'")
	page = dana.page(at)
	if a := other.post(at + "/review"); a.status == http.StatusOK {
		if a := other.post(at+"/decide", "qty_1", "2", "note_1", "two", "qty_2", "2"); a.status != http.StatusOK {
			t.Fatalf("again: %d %s", a.status, a.body)
		}
		pgtest.Exec(t, s.db, "update erp.credit_request set goods_received_at = erp.now() where status = 'AWAITING_GOODS'")
	}
	credit := dana.send(at+"/credit", page.carried(t, `id="credit-form"`)...)
	credit.refuses(t, "credit", "Olive oil 5 L: what is approved was 1 when you opened this page, and is 2 now.")
	for range 2 { // sent twice, one memo
		dana.send(at+"/credit", credit.carried(t, `id="credit-form"`)...).sent(t, "credit as shown")
	}
	if got := pgtest.Value[string](t, s.db,
		"select count(*) || ' ' || max(total) from erp.credit_memo where memo_no <> 'CM-9'"); got != "1 94.00" {
		t.Errorf("memos: %s", got)
	}
}
