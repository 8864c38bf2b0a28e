package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"portal.example/portal/internal/pgtest"
)

// rowsForm sends fields, and repeated rows of ref, uom and qty, as the page of
// a standing order does.
func (v *visitor) rowsForm(path, accept string, fields []string, rows ...[3]string) answer {
	v.s.t.Helper()
	f := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		f.Set(fields[i], fields[i+1])
	}
	for _, r := range rows {
		f.Add("ref", r[0])
		f.Add("uom", r[1])
		f.Add("qty", r[2])
	}
	return v.do("POST", path, accept, strings.NewReader(f.Encode()))
}

// A standing order is made from the cart, an order or typed rows, shared by the
// log-ins of its customer, changed, and its order carries its name on both
// sides; the notice is on every open page.
func TestStandingOrderPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, northRoute+`select erp.set_clock('2026-06-01 09:00-04');
		update erp.stock set on_hand = 0 where item_id = (select item_id from erp.item where item_no = 'LAST1');
		insert into portal.login (customer_id, email, password_hash, name)
		select customer_id, 'chef@c1003.example', password_hash, 'Chef' from portal.login
			where email = 'buyer@c1003.example'`)
	v, chef := s.buyer("C1003"), s.logIn("chef@c1003.example")
	v.post("/cart/lines", "item_no", "OIL5", "qty", "2", "uom", "CS")
	if page := v.page("/standing-orders/new?from=cart").body; !strings.Contains(page, `value="OIL5"`) ||
		!strings.Contains(page, "216.00") {
		t.Error("the cart's line is not in the form")
	}
	bad := v.rowsForm("/standing-orders", "text/html",
		[]string{"name", " ", "rhythm", "weeks", "every", "99", "starts_on", "2026-06-30", "ends_on", "2026-06-01"},
		[3]string{"OIL5", "CS", "2"}, [3]string{"GLOV9", "", "1"})
	for _, text := range []string{"Give it a name", "from 1 to 52", "On which weekday?", "The end is before the start.",
		`value="99"`, `value="GLOV9"`} {
		if bad.status != http.StatusUnprocessableEntity || !strings.Contains(bad.body, text) {
			t.Errorf("a wrong form (%d) lacks %q", bad.status, text)
		}
	}
	fields := []string{"name", "Fry oil", "rhythm", "runs", "every", "1", "hours_before", "24", "ship_to", "2",
		"po_no", "PO-9", "note", "Back door"}
	if a := v.rowsForm("/standing-orders", "text/html", fields, [3]string{"OIL5", "CS", "2"},
		[3]string{"GLOV9", "", "1"}); a.status != http.StatusUnprocessableEntity ||
		!strings.Contains(a.body, "GLOV9 is discontinued") {
		t.Errorf("a discontinued line: %d", a.status)
	}
	// what is out of stock today may be in it
	a := v.rowsForm("/standing-orders", "application/json", fields, [3]string{"OIL5", "CS", "2"},
		[3]string{"LAST1", "", "1"})
	if a.status != http.StatusOK {
		t.Fatalf("make: %d %s", a.status, a.body)
	}
	path := fmt.Sprint("/standing-orders/", a.get("standing_order_id"))
	if a := v.rowsForm("/standing-orders", "application/json", fields,
		[3]string{"OIL5", "", "2"}); a.status != http.StatusUnprocessableEntity || a.get("fields.0.field") != "name" {
		t.Errorf("the same name: %d %s", a.status, a.body)
	}
	list := chef.read("/standing-orders")
	if list.get("standing_orders.0.name") != "Fry oil" || list.get("standing_orders.0.lines_count") != 2.0 ||
		list.get("standing_orders.0.next.0.delivery_date") != "2026-06-05T00:00:00Z" {
		t.Errorf("the colleague's list: %s", list.body)
	}
	if a := s.buyer("C1002").read(path); a.status != http.StatusNotFound {
		t.Errorf("another customer reads it: %d", a.status)
	}

	socket := v.live("")
	socket.hello()
	heard := func(ref string) {
		t.Helper()
		socket.until(func(kind, r, _ string) bool { return kind == "notice" && r == ref })
	}
	if a := chef.rowsForm(path+"/lines", "application/json", nil, [3]string{"OIL5", "CS", "3"},
		[3]string{"SALT1", "", "10"}); a.status != http.StatusOK {
		t.Fatalf("lines: %d %s", a.status, a.body)
	}
	heard("standing-order")
	if d := v.read(path); d.get("lines.0.qty") != "3" || d.get("lines.1.item_no") != nil ||
		d.get("lines.1.item.item_no") != "SALT1" || d.get("next.0.send_at") != "2026-06-03T19:00:00Z" &&
		d.get("next.0.send_at") == nil {
		t.Errorf("after the colleague's change: %s", d.body)
	}
	for _, bad := range [][3]string{{"NOPE", "", "1"}, {"OIL5", "", "1.5"}, {"OIL5", "PAL", "1"}} {
		if a := v.rowsForm(path+"/lines", "text/html", nil, bad); a.status != http.StatusUnprocessableEntity ||
			!strings.Contains(a.body, `value="`+bad[0]+`"`) {
			t.Errorf("lines %v: %d", bad, a.status)
		}
	}
	if a := v.rowsForm(path+"/lines", "application/json", nil); a.status != http.StatusUnprocessableEntity {
		t.Errorf("no lines: %d", a.status)
	}
	for _, c := range []struct {
		path string
		form []string
		want string
	}{
		{"/dates", []string{"run_date", "2026-06-05", "action", "skip"}, "skipped"},
		{"/dates", []string{"run_date", "2026-06-05", "action", "unskip"}, "<nil>"},
	} {
		if a := chef.post(path+c.path, c.form...); a.status != http.StatusOK {
			t.Fatalf("%v: %d %s", c.form, a.status, a.body)
		}
		heard("standing-order")
		if got := fmt.Sprint(v.read(path).get("next.0.outcome")); got != c.want {
			t.Errorf("after %v: %s", c.form, got)
		}
	}
	if a := v.post(path+"/dates", "run_date", "2026-06-04", "action", "skip"); a.status != http.StatusConflict {
		t.Errorf("skip a day that is none: %d", a.status)
	}
	v.post(path+"/pause", "paused", "true")
	if a := v.read(path); a.get("paused") != true {
		t.Errorf("pause: %s", a.body)
	}
	v.post(path+"/pause", "paused", "false")

	// the job of the running portal works it
	pgtest.Exec(t, s.db, "select erp.set_clock('2026-06-02 16:00-04')")
	work := func() {
		pgtest.Exec(t, s.db,
			`insert into river.river_job (kind, args, queue, max_attempts) values ('standing_orders', '{}', 'default', 3);
				select pg_notify('river.river_insert', '{"queue":"default"}')`)
	}
	work()
	heard("message")
	if text := fmt.Sprint(v.read("/").get("notices.0.text")); text != "Standing order “Fry oil” for Fri 5 Jun will be "+
		"sent Wed 3 Jun 15:00. Change it or skip it until then." {
		t.Errorf("notice: %s", text)
	}
	pgtest.Exec(t, s.db,
		"select erp.set_clock('2026-06-03 15:00-04'); update erp.item set price_c = 28 where item_no = 'OIL5'")
	work()
	heard("message")
	dash := chef.read("/")
	if dash.get("notices.0.kind") != "success" ||
		!strings.Contains(fmt.Sprint(dash.get("notices.0.text")), "for Fri 5 Jun.") {
		t.Errorf("notice of the order: %v", dash.get("notices"))
	}
	link := fmt.Sprint(dash.get("notices.0.link"))
	order := v.read(link)
	if order.get("standing_order") != "Fry oil" || order.get("source") != "WEB" || order.get("po_no") != "PO-9" ||
		order.get("ship_to.code") != "2" ||
		order.get("note") != "Back door" || order.get("total") != "339.35" || order.get("submitted_by") != "Standing order" {
		t.Errorf("order: %s", order.body)
	}
	orderNo := strings.TrimPrefix(link, "/orders/")
	eventually(t, "approved", func() bool { return v.read(link).get("status") == "APPROVED" })
	if page := s.logIn("desk@demo.example").page("/desk/orders/" + orderNo).body; !strings.Contains(page,
		"Standing order “Fry oil”") {
		t.Error("the desk does not see where the order comes from")
	}
	if h := v.read(path); h.get("history.0.order_no") != orderNo {
		t.Errorf("history: %v", h.get("history"))
	}
	id := fmt.Sprint(dash.get("notices.0.notice_id"))
	if a := s.buyer("C1002").post("/notices/" + id + "/put-away"); a.status != http.StatusNotFound {
		t.Errorf("another customer puts the notice away: %d", a.status)
	}
	if a := chef.post("/notices/" + id + "/put-away"); a.status != http.StatusOK ||
		strings.Contains(v.read("/").body, orderNo+" was sent") {
		t.Errorf("put away: %d", a.status)
	}

	pgtest.Exec(t, s.db, "update erp.web_access set can_order = false")
	for _, a := range []answer{v.post(path+"/pause", "paused", "true"), v.post(path + "/delete"),
		v.rowsForm(path+"/lines", "application/json", nil, [3]string{"OIL5", "", "1"})} {
		if a.status != http.StatusForbidden {
			t.Errorf("an account that only looks: %d", a.status)
		}
	}
	pgtest.Exec(t, s.db, "update erp.web_access set can_order = true")
	if a := v.post(path + "/delete"); a.status != http.StatusOK || v.read(link).get("standing_order") != "Fry oil" {
		t.Errorf("delete: %d", a.status)
	}
	if a := v.page("/standing-orders/new?order=" + orderNo); !strings.Contains(a.body, `value="SALT1"`) {
		t.Error("an order's lines are not in the form")
	}
	if a := s.buyer("C1002").read("/standing-orders/new?order=" + orderNo); a.status != http.StatusNotFound {
		t.Errorf("another customer's order in the form: %d", a.status)
	}
}

// On a phone: a standing order made from the cart, a line changed, a date
// skipped; what the job tells comes as a toast while the page is open.
func TestBrowserStandingOrder(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, northRoute)
	s.buyer("C1003").post("/cart/lines", "item_no", "OIL5", "qty", "2")
	b := openBrowser(t, s.URL, 360)
	b.logIn("buyer@c1003.example")
	b.goTo("/cart")
	b.click(`a[href="/standing-orders/new?from=cart"]`)
	b.see("the form", "document.querySelector('#quick-rows [name=ref]').value === 'OIL5'")
	b.fill("#f-name", "Fry oil")
	b.click("button[value=save]")
	b.see("its page", "/^\\/standing-orders\\/\\d+$/.test(location.pathname)")
	b.connected()
	if wide := eval[int](b, "document.documentElement.scrollWidth"); wide > 360 {
		t.Errorf("the page is %d px wide on a phone of 360", wide)
	}
	b.see("three dates", "document.querySelectorAll('#standing-dates li').length === 3")
	b.fill("#quick-rows tr:nth-child(1) [name=qty]", "5")
	b.see("the new amount", "document.querySelector('#quick-total').textContent === '135.00'")
	b.click("button[value=save]")
	b.see("saved", "document.querySelector('#toasts').textContent.includes('1 line saved')")
	b.connected()
	b.click("#standing-dates li:nth-child(1) button")
	b.see("the date skipped", "document.querySelector('#standing-dates li:nth-child(1) s') !== null")
	b.connected()
	b.mark()
	// a colleague takes it back: the open page follows
	s.buyer("C1003").post(eval[string](b, "location.pathname")+"/dates", "run_date",
		strings.TrimPrefix(eval[string](b, "document.querySelector('#standing-dates li').id"), "date-"), "action", "unskip")
	b.see("the date on again", "document.querySelector('#standing-dates li:nth-child(1) s') === null")
	pgtest.Exec(t, s.db,
		`insert into portal.notice (customer_id, kind, text) select customer_id, 'info', 'Tomorrow comes a truck.'
			from erp.customer where customer_no = 'C1003'`)
	b.see("the notice as a toast", "document.querySelector('#toasts').textContent.includes('Tomorrow comes a truck.')")
	b.see("its count", "document.querySelector('#frame-notices .count').textContent === '1'")
	b.stillMarked()
	b.goTo("/")
	b.connected()
	b.click("#notices button")
	b.see("put away", "document.querySelector('#notices .notice') === null && document.querySelector('#frame-notices "+
		".count') === null")
}
