package main

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"portal.example/portal/internal/pgtest"
)

// The acceptance scenarios of what a customer may order and see, and of staff
// who act as one.

// coins are items that make any amount: TEN costs 10.00, CENT 0.01.
const coins = `
insert into erp.item (item_no, description, price_a) values ('TEN', 'Ten', 10), ('CENT', 'A cent', 0.01);
insert into erp.stock (item_id, on_hand) select item_id, 100000 from erp.item where item_no in ('TEN', 'CENT');`

// fill makes a cart of so many cents.
func (v *visitor) fill(cents int) *visitor {
	v.s.t.Helper()
	for item, qty := range map[string]int{"TEN": cents / 1000, "CENT": cents % 1000} {
		if a := v.post("/cart/lines", "item_no", item, "qty", fmt.Sprint(qty), "mode", "set"); a.status != http.StatusOK {
			v.s.t.Fatalf("fill: %d %s", a.status, a.body)
		}
	}
	return v
}

// second gives a customer another log-in.
func (s *site) second(customerNo string) *visitor {
	s.t.Helper()
	email := "second@" + strings.ToLower(customerNo) + ".example"
	pgtest.Exec(s.t, s.db, `insert into portal.login (customer_id, email, password_hash)
		select c.customer_id, $1, l.password_hash from erp.customer c join portal.login l using (customer_id)
			where c.customer_no = $2 limit 1`, email, customerNo)
	return s.logIn(email)
}

// together submits carts at the same moment.
func together(visitors ...*visitor) []answer {
	answers := make([]answer, len(visitors))
	keys := make([]string, len(visitors))
	for i, v := range visitors {
		keys[i], _ = v.read("/cart").get("key").(string)
	}
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i, v := range visitors {
		wg.Go(func() {
			<-start
			answers[i] = v.post("/cart/submit", "key", keys[i])
		})
	}
	close(start)
	wg.Wait()
	return answers
}

func TestAcceptance11Maximum(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, coins+of("max_order = 2500"))
	v := s.buyer("C1003").fill(2500_00)
	if room := v.read("/cart").get("room.maximum.room"); room != "0.00" {
		t.Errorf("at the maximum %v are left", room)
	}
	if a := v.submit(); a.status != http.StatusOK {
		t.Errorf("2,500.00: %d %s", a.status, a.body)
	}
	v.fill(2500_01)
	if a := v.submit(); a.status != http.StatusUnprocessableEntity ||
		a.get("message") != "Your maximum order is 2500.00: this is 0.01 over." {
		t.Errorf("2,500.01: %d %v", a.status, a.get("message"))
	}
	pgtest.Exec(t, s.db, of("over_max = 'queue'"))
	if cart := v.read("/cart"); cart.get("outcome") != "queue" {
		t.Errorf("queued above the maximum, the cart says %v", cart.get("outcome"))
	}
	orderNo, _ := v.submit().get("order_no").(string)
	eventually(t, "in review", func() bool { return v.read("/orders/"+orderNo).get("in_review") == true })
	if desk := s.logIn("desk@demo.example").page("/desk/orders/" + orderNo); !strings.Contains(desk.body,
		"Over maximum by 0.01") {
		t.Error("staff do not read by how much it is over")
	}
	// the limit is one order's: two of 1,500.00 at once both pass
	pgtest.Exec(t, s.db, of("over_max = 'block'"))
	for _, a := range together(v.fill(1500_00), s.second("C1003").fill(1500_00)) {
		if a.status != http.StatusOK {
			t.Errorf("one of two: %d %s", a.status, a.body)
		}
	}
}

func TestAcceptance13StockHidden(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	// a figure that stands nowhere else, not in a cursor or an address either, on an item that may be backordered and
	// one that may not; and one that there is none of
	pgtest.Exec(t, s.db,
		`update erp.stock set on_hand = 7391582 where item_id in (select item_id from erp.item
			where item_no in ('OIL5', 'LAST1'));
		insert into erp.item (item_no, description, price_a, allow_backorder) values ('GONE1', 'Sold out', 4, false);`+
			of("see_stock = 'hidden'"))
	v := s.buyer("C1003")
	socket := v.live("")
	socket.hello()
	socket.watch("OIL5", "LAST1")
	v.post("/favorites/OIL5")
	first := v.order("OIL5", "1")

	var heard strings.Builder
	hear := func(a answer) answer { heard.WriteString(a.body); return a }
	for _, item := range []string{"OIL5", "LAST1"} {
		v.post("/cart/lines", "item_no", item, "qty", "8000000", "mode", "set")
		hear(v.post("/quick-order", "ref", item, "qty", "8000000"))
		hear(v.send("/quick-order", "ref", item, "qty", "8000000"))
	}
	for _, path := range []string{"/", "/catalog", "/catalog?q=oil", "/catalog?q=LAST1&in_stock=1", "/items/OIL5",
		"/items/LAST1", "/items/GONE1", "/lookup?q=LAST1", "/my-items", "/my-items?list=bought", "/quick-order",
		"/quick-order/template", "/cart", "/orders", "/orders/" + first, "/profile"} {
		hear(v.page(path))
		hear(v.read(path))
	}
	hear(v.send("/orders/"+first+"/reorder", "mode", "add"))
	refused := hear(v.submit())
	if refused.status != http.StatusConflict ||
		!strings.Contains(refused.body, "LAST1: so many cannot be ordered at the moment.") {
		t.Errorf("more than there are: %d %s", refused.status, refused.body)
	}
	pgtest.Exec(t, s.db,
		"update erp.stock set on_hand = on_hand + 1 where item_id = (select item_id from erp.item where item_no = 'OIL5')")
	socket.until(func(kind, ref, _ string) bool { return kind == "item" && ref == "OIL5" })
	heard.WriteString(socket.raw.String())
	for _, figure := range []string{"7391582", "7391581", "7391583", "7,391,58", "608418", "608,41", "in stock",
		"In stock", "Low stock", "Out of stock"} {
		if i := strings.Index(strings.ReplaceAll(heard.String(), liveWordsOf(v), ""), figure); i >= 0 {
			t.Errorf("%q is told", figure)
		}
	}
	// whether it can be ordered is told all the same
	for item, want := range map[string]bool{"OIL5": true, "LAST1": true, "GONE1": false, "GLOV9": false} {
		if got := v.read("/items/" + item).get("orderable"); got != want {
			t.Errorf("%s can be ordered: %v", item, got)
		}
	}
	if page := v.page("/items/GONE1").body; !strings.Contains(page, "Not available now") ||
		strings.Contains(page, `id="add-to-cart"`) {
		t.Error("the page of what is gone does not say so")
	}
}

// liveWordsOf is the vocabulary of the scripts, which stands on every page.
func liveWordsOf(v *visitor) string {
	_, rest, _ := strings.Cut(v.page("/profile").body, `id="live-words">`)
	words, _, _ := strings.Cut(rest, "</script>")
	return words
}

func TestAcceptance39CreditRoom(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	// everybody starts from the same: limit 5,000.00, owes 4,200.00, has open orders of 500.00
	pgtest.Exec(t, s.db, coins+`
		update erp.customer set credit_limit = 5000;
		insert into erp.customer (customer_no, name, credit_limit) values ('C1009', 'Fig Farm', 5000);
		insert into portal.login (customer_id, email, password_hash)
			select c.customer_id, 'buyer@c1009.example', l.password_hash from erp.customer c,
				(select password_hash from portal.login limit 1) l where c.customer_no = 'C1009';
		insert into erp.invoice (customer_id) select customer_id from erp.customer;
		insert into erp.invoice_line (invoice_id, line_no, qty, unit_price, line_total) select invoice_id, 1, 1, 4200, 4200
			from erp.invoice;
		insert into erp.sales_order (customer_id, source, status) select customer_id, 'PHONE', 'APPROVED' from erp.customer;
		insert into erp.sales_order_line (order_id, line_no, item_id, qty) select order_id, 1, item_id, 50
			from erp.sales_order, erp.item where item_no = 'TEN';
		update erp.web_access set credit_check = 'block' where customer_id in (select customer_id from erp.customer
			where customer_no in ('C1004', 'C1009'))`)
	settled := func(v *visitor, a answer) string {
		t.Helper()
		if a.status != http.StatusOK {
			if !strings.Contains(a.body, "Your account cannot take this order at the moment.") ||
				strings.Contains(a.body, "300") {
				t.Errorf("refused with %s", a.body)
			}
			return fmt.Sprint("refused ", a.status)
		}
		no := a.get("order_no").(string)
		out := ""
		eventually(t, "decided", func() bool {
			o := v.read("/orders/" + no)
			if o.get("in_review") == true {
				out = "queued"
			} else if o.get("status") != "SUBMITTED" {
				out = fmt.Sprint(o.get("status"))
			}
			return out != ""
		})
		return out
	}
	for _, c := range []struct {
		customer             string
		cents                int
		room, after, outcome string
		sent                 string
	}{
		{"C1001", 250_00, "300.00", "50.00", "approve", "APPROVED"},
		{"C1002", 300_00, "300.00", "0.00", "approve", "APPROVED"},
		{"C1003", 300_01, "300.00", "<nil>", "queue", "queued"},
		{"C1004", 300_01, "300.00", "<nil>", "refuse", "refused 422"},
	} {
		v := s.buyer(c.customer).fill(c.cents)
		cart := v.read("/cart")
		if got := fmt.Sprint(cart.get("room.credit.room"), cart.get("room.credit.after"), cart.get("outcome")); got != c.room+
			c.after+c.outcome {
			t.Errorf("%s: the cart says %s", c.customer, got)
		}
		if page := v.page("/cart").body; !strings.Contains(page, `<span class="num">300.00</span> left`) {
			t.Errorf("%s: the page does not tell the room", c.customer)
		}
		if got := settled(v, v.submit()); got != c.sent {
			t.Errorf("%s: %s", c.customer, got)
		}
	}
	// two at once: of C1005 one is approved and one queued, of C1009 one refused
	for customer, want := range map[string][]string{"C1005": {"APPROVED", "queued"},
		"C1009": {"APPROVED", "refused 422"}} {
		v := s.buyer(customer).fill(300_00)
		var got []string
		for _, a := range together(v, s.second(customer).fill(300_00)) {
			got = append(got, settled(v, a))
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: of two tabs %v", customer, got)
		}
	}
	// no figure of credit to who may not see the balance or prices, or has no limit, or is not checked
	v := s.buyer("C1001").fill(10_00)
	for _, flip := range []string{"see_balance = false", "see_balance = true, see_prices = false",
		"see_prices = true, credit_check = 'off'"} {
		pgtest.Exec(t, s.db, "update erp.web_access set "+flip+
			" where customer_id = (select customer_id from erp.customer where customer_no = 'C1001')")
		if room := v.read("/cart").get("room.credit"); room != nil {
			t.Errorf("%s: room %v", flip, room)
		}
	}
	pgtest.Exec(t, s.db, "update erp.web_access set credit_check = 'queue'; update erp.customer set credit_limit = "+
		"null where customer_no = 'C1001'")
	if room := v.read("/cart").get("room.credit"); room != nil {
		t.Errorf("without a limit: room %v", room)
	}
}

func TestAcceptance40MinimumAndCutoff(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	// Tuesdays and Fridays, cutoff the day before at 15:00; ship-to 2 on Wednesdays
	pgtest.Exec(t, s.db, coins+`
		insert into erp.route (route_id, code, name) overriding system value values (1, 'TF', 'Tuesday and Friday'),
			(2, 'W', 'Wednesday');
		insert into erp.route_day (route_id, weekday) values (1, 2), (1, 5), (2, 3);
		update erp.customer set route_id = 1; update erp.ship_to set route_id = 2 where code = '2';
		select erp.set_clock('2026-06-29 14:00-04');`+of("min_order = 150, cutoff_mode = 'strict'"))
	v := s.buyer("C1003").fill(149_99)
	cart := v.read("/cart")
	if cart.get("room.minimum.missing") != "0.01" || cart.get("outcome") != "refuse" {
		t.Errorf("149.99: %v, %v", cart.get("room.minimum"), cart.get("outcome"))
	}
	if a := v.submit(); a.status != http.StatusUnprocessableEntity ||
		a.get("message") != "Your minimum order is 150.00: 0.01 is missing." {
		t.Errorf("149.99: %d %v", a.status, a.get("message"))
	}
	v.fill(150_00)

	// the countdown goes by the route of the ship-to that is chosen
	for _, c := range []struct {
		at, shipTo, date, cutoff string
		left                     float64
		missed                   any
	}{
		{"2026-06-29 14:00-04", "1", "2026-06-30", "2026-06-29T15:00:00-04:00", 3600, nil},
		{"2026-06-29 14:00-04", "2", "2026-07-01", "2026-06-30T15:00:00-04:00", 25 * 3600, nil},
		{"2026-06-29 14:59:59-04", "1", "2026-06-30", "2026-06-29T15:00:00-04:00", 1, nil},
		{"2026-06-29 15:00:00-04", "1", "2026-07-03", "2026-07-02T15:00:00-04:00", 3 * 24 * 3600, "2026-06-30T00:00:00Z"},
	} {
		pgtest.Exec(t, s.db, "select erp.set_clock('"+c.at+"')")
		v.post("/cart", "ship_to", c.shipTo)
		d := v.read("/cart")
		if d.get("room.delivery.date") != c.date+"T00:00:00Z" || d.get("room.delivery.seconds_left") != c.left ||
			d.get("room.delivery.missed") != c.missed ||
			!sameInstant(t, d.get("room.delivery.cutoff"), c.cutoff) {
			t.Errorf("at %s to %s: %v", c.at, c.shipTo, d.get("room.delivery"))
		}
		if page := v.page("/cart").body; !strings.Contains(page, `data-countdown="`+c.cutoff+`"`) {
			t.Errorf("at %s to %s: the page counts otherwise", c.at, c.shipTo)
		}
	}

	pgtest.Exec(t, s.db, "select erp.set_clock('2026-06-29 15:00:01-04')")
	if page := v.page("/cart").body; !strings.Contains(page, "Too late for Tue 30 Jun 2026.") ||
		!strings.Contains(page, "Fri 3 Jul 2026") {
		t.Error("the cart does not say that the delivery moves")
	}
	v.post("/cart", "ship_to", "1", "requested_date", "2026-06-30")
	if page := v.page("/cart").body; !strings.Contains(page,
		"Too late for that day: the delivery moves to Friday, July 3.") {
		t.Error("the cart does not say that the day that was asked for cannot be had")
	}
	orderNo, _ := v.submit("ship_to", "1", "requested_date", "2026-06-30").get("order_no").(string)
	said := "Too late for Tue 30 Jun 2026: delivery moved to Fri 3 Jul 2026."
	order := v.read("/orders/" + orderNo)
	if order.get("delivery_date") != "2026-07-03T00:00:00Z" || order.get("delivery_note") != said ||
		order.get("history.0.reason") != said {
		t.Errorf("order: %v, %v, history %v", order.get("delivery_date"), order.get("delivery_note"),
			order.get("history.0.reason"))
	}
	eventually(t, "approved all the same", func() bool { return v.read("/orders/"+orderNo).get("status") == "APPROVED" })
	if page := v.page("/orders/" + orderNo).body; strings.Count(page, said) < 2 || !strings.Contains(page, "3 Jul 2026") {
		t.Error("the order's page does not say it, by the date and in its history")
	}
	if page := s.logIn("desk@demo.example").page("/desk/orders/" + orderNo).body; strings.Count(page, said) < 2 {
		t.Error("the desk does not say it")
	}
	// flexible: the wish stays, and the order waits
	pgtest.Exec(t, s.db, of("cutoff_mode = 'flexible'"))
	v.fill(150_00)
	late, _ := v.submit("ship_to", "1", "requested_date", "2026-06-30").get("order_no").(string)
	eventually(t, "in review", func() bool { return v.read("/orders/"+late).get("in_review") == true })
	if got := v.read("/orders/" + late); got.get("delivery_date") != "2026-06-30T00:00:00Z" ||
		got.get("delivery_note") != "" {
		t.Errorf("flexible: %v %v", got.get("delivery_date"), got.get("delivery_note"))
	}
}

func TestAcceptance45StaffActAsCustomer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	buyer, desk := s.buyer("C1003"), s.logIn("desk@demo.example")
	buyer.post("/cart/lines", "item_no", "RICE25", "qty", "7")
	hers := buyer.live("")
	hers.hello()
	hashes := "select string_agg(email || password_hash || password_changed_at, ',' order by login_id) from portal.login"
	before := pgtest.Value[string](t, s.db, hashes)

	// nobody's portal is open: pages of customers are not for staff
	if a := desk.read("/cart"); a.status != http.StatusNotFound {
		t.Errorf("staff as themselves: %d", a.status)
	}
	if a := desk.page("/cart"); a.status != http.StatusSeeOther || a.header.Get("Location") != "/desk/orders" {
		t.Errorf("staff as themselves are sent to %s", a.header.Get("Location"))
	}
	if a := buyer.post("/desk/customers/C1002/acting", "mode", "order"); a.status != http.StatusNotFound {
		t.Errorf("a buyer acts: %d", a.status)
	}

	// the preview shows all and changes nothing
	if a := desk.send("/desk/customers/C1003/acting", "mode", "preview"); a.status != http.StatusSeeOther ||
		a.header.Get("Location") != "/" {
		t.Fatalf("preview: %d to %s", a.status, a.header.Get("Location"))
	}
	pages := []string{"/", "/catalog", "/items/OIL5", "/my-items", "/quick-order", "/cart", "/orders", "/invoices",
		"/profile", "/orders/NO-SUCH"}
	for _, path := range pages {
		if page := desk.page(path).body; !strings.Contains(page, "desk@demo.example sees the portal as Cedar Diner") ||
			!strings.Contains(page, `action="/acting/end"`) {
			t.Errorf("preview: %s has no banner", path)
		}
	}
	if price := desk.read("/items/OIL5").get("unit_price"); price != "27.00" {
		t.Errorf("preview: OIL5 at %v", price)
	}
	for _, route := range everyRoute(t) {
		method, path, _ := strings.Cut(route, " ")
		if strings.HasPrefix(path, "/desk") || strings.HasPrefix(path, "/ops") ||
			slices.Contains([]string{"/login", "/login/factor", "/login/passkey", "/login/passkey/options", "/logout", "/invite",
				"/forgot", "/reset/:token", "/acting/end", "/live", "/printed"}, path) {
			continue
		}
		path = regexp.MustCompile(`:\w+`).ReplaceAllString(strings.ReplaceAll(path, ":item_no", "OIL5"), "1")
		if method == http.MethodGet {
			// what only reads is there: a page that wrote while it is read would not be
			if a := desk.page(path); a.status == http.StatusForbidden || a.status >= 500 {
				t.Errorf("preview: GET %s answers %d", path, a.status)
			}
			continue
		}
		if a := desk.post(path, "item_no", "OIL5", "qty", "1", "on", "1", "current_password", demoPassword,
			"new_password", "a new password 1"); a.status != http.StatusForbidden {
			t.Errorf("preview: POST %s answers %d", path, a.status)
		}
	}
	if n := pgtest.Value[int](t, s.db,
		"select (select count(*) from portal.favorite)::int + (select count(*) from portal.cart where login_id = (select "+
			"login_id from portal.login where staff_role = 'desk'))::int"); n != 0 {
		t.Errorf("the preview left %d rows", n)
	}
	if a := desk.post("/acting/end"); a.status != http.StatusOK {
		t.Errorf("the way back: %d", a.status)
	}

	// acting: the banner, a socket of the customer's events, a cart of its own
	desk.send("/desk/customers/C1003/acting", "mode", "order")
	for _, path := range pages {
		if page := desk.page(path).body; !strings.Contains(page, "desk@demo.example acts as Cedar Diner") ||
			!strings.Contains(page, `action="/acting/end"`) {
			t.Errorf("acting: %s has no banner", path)
		}
	}
	hers.until(func(kind, _, _ string) bool { return kind == "notice" })
	if page := buyer.page("/catalog").body; !strings.Contains(page, "acts for your account at the moment") ||
		strings.Contains(page, "/acting/end") {
		t.Error("the customer is not told that somebody acts")
	}
	if profile := desk.page("/profile").body + desk.read("/profile").body; strings.Contains(profile, "password") &&
		strings.Contains(profile, "current_password") || strings.Contains(profile, "End session") {
		t.Error("acting: the profile offers passwords or sessions")
	}
	for _, path := range []string{"/profile/password", "/profile/sessions/1/revoke"} {
		if a := desk.post(path, "current_password", demoPassword,
			"new_password", "a new password 1"); a.status != http.StatusForbidden {
			t.Errorf("acting: POST %s answers %d", path, a.status)
		}
	}
	acting := desk.liveAt("/live?acting")
	acting.hello()
	if lines, _ := desk.read("/cart").get("lines").([]any); len(lines) != 0 {
		t.Errorf("acting: the cart holds %v", lines)
	}
	orderNo := desk.order("OIL5", "2", "po_no", "BY-PHONE")
	for who, socket := range map[string]*socket{"the customer": hers, "who acts": acting} {
		seen, _ := socket.until(func(kind, ref, status string) bool {
			return kind == "order" && ref == orderNo && status == "APPROVED"
		})
		if who == "who acts" && slices.ContainsFunc(seen,
			func(e string) bool { return strings.HasPrefix(e, "order") && !strings.Contains(e, orderNo) }) {
			t.Errorf("%s hears %v", who, seen)
		}
	}
	if cart := buyer.read("/cart"); cart.get("lines.0.item_no") != "RICE25" || cart.get("lines.0.qty") != "7" ||
		cart.get("lines.1") != nil {
		t.Errorf("the buyer's own cart: %s", cart.body)
	}
	theirs := buyer.read("/orders/" + orderNo)
	if theirs.get("entered_by_staff") != true || theirs.get("entered_by") != nil ||
		strings.Contains(theirs.body+buyer.page("/orders/"+orderNo).body, "desk@demo.example") ||
		!strings.Contains(buyer.page("/orders/"+orderNo).body, "Entered by staff.") {
		t.Errorf("the buyer reads %s", theirs.body)
	}
	ours := desk.read("/desk/orders/" + orderNo)
	if ours.get("entered_by") != "desk@demo.example" || ours.get("history.0.actor") != "desk@demo.example for C1003" ||
		!strings.Contains(desk.page("/desk/orders/"+orderNo).body, "entered by staff") {
		t.Errorf("the desk reads %s", ours.body)
	}
	// another customer's documents are no nearer than they are to C1003
	other := s.buyer("C1001").order("RICE25", "1")
	if a := desk.read("/orders/" + other); a.status != http.StatusNotFound {
		t.Errorf("acting as C1003, an order of C1001: %d", a.status)
	}

	desk.post("/logout")
	if code := acting.closing(); code != websocket.StatusCode(4001) {
		t.Errorf("after the log-out the socket closed with %d", code)
	}
	if a := desk.read("/cart"); a.status != http.StatusUnauthorized {
		t.Errorf("after the log-out: %d", a.status)
	}
	hers.until(func(kind, _, _ string) bool { return kind == "notice" })
	if page := buyer.page("/catalog").body; strings.Contains(page, "acts for your account") {
		t.Error("the customer is not told that it is over")
	}
	if got := pgtest.Value[[]string](t, s.db,
		"select array_agg(actor || ' ' || action || ' ' || subject order by audit_id) from portal.audit where action ~ "+
			"'^(acting|preview)'"); !slices.Equal(got, []string{"desk@demo.example preview_begin C1003",
		"desk@demo.example preview_end C1003", "desk@demo.example acting_begin C1003",
		"desk@demo.example acting_order " + orderNo, "desk@demo.example acting_end C1003"}) {
		t.Errorf("audited %v", got)
	}
	if after := pgtest.Value[string](t, s.db, hashes); after != before {
		t.Error("a password was changed")
	}
	page := s.logIn("desk@demo.example").page("/desk/customers/C1003").body
	for _, want := range []string{"Began to act as this customer", "Entered order " + orderNo + " as this customer",
		"Opened a preview of the portal"} {
		if !strings.Contains(page, want) {
			t.Errorf("the customer's page does not say %q", want)
		}
	}
}
