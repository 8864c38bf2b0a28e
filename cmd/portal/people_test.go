package main

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"portal.example/portal/internal/pgtest"
)

// addPerson makes a further log-in of a customer, with the password of all.
// more is what else is set of it, as SQL.
func (s *site) addPerson(customerNo, email, role, more string) {
	s.t.Helper()
	pgtest.Exec(s.t, s.db, fmt.Sprintf(`insert into portal.login (customer_id, email, name, password_hash, customer_role)
		select customer_id, '%s', initcap(split_part('%[1]s', '@', 1)), password_hash, '%s' from portal.login
			where email = 'buyer@%s.example'`,
		email, role, strings.ToLower(customerNo)))
	if more != "" {
		pgtest.Exec(s.t, s.db, "update portal.login set "+more+" where email = '"+email+"'")
	}
}

func (s *site) loginOf(email string) string {
	s.t.Helper()
	return pgtest.Value[string](s.t, s.db, "select login_id::text from portal.login where email = '"+email+"'")
}

// invitation is the token of the link that was mailed to an address last, and the path that it opens.
func (s *site) invitation(email string) (token, path string) {
	s.t.Helper()
	token = pgtest.Value[string](s.t, s.db, `select coalesce((select secret from portal.mail
		where kind = 'invitation' and recipient = $1 order by mail_id desc limit 1), '')`, email)
	if token == "" {
		s.t.Fatalf("no invitation to %s", email)
	}
	return token, "/invite?token=" + url.QueryEscape(token)
}

func (s *site) orders() int {
	s.t.Helper()
	return pgtest.Value[int](s.t, s.db, "select count(*)::int from erp.sales_order")
}

const manyLogins = "update erp.web_access set many_logins = true where customer_id = (select customer_id from " +
	"erp.customer where customer_no = 'C1003')"

// An approver adds people, gives them roles and limits and closes their
// log-ins; each may what the role says, on the next request and in open pages,
// whatever is sent by hand.
func TestSeveralPeople(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ann := s.buyer("C1003")
	if a := ann.page("/people"); a.status != http.StatusForbidden {
		t.Errorf("people while the switch is off: %d", a.status)
	}
	if a := ann.post("/people", "email", "bea@c1003.example", "role", "buyer"); a.status != http.StatusForbidden {
		t.Errorf("invite while the switch is off: %d %s", a.status, a.body)
	}
	socket := ann.live("")
	socket.hello()
	pgtest.Exec(t, s.db, manyLogins)
	socket.until(func(kind, _, _ string) bool { return kind == "access" })
	if !strings.Contains(ann.page("/profile").body, `href="/people"`) {
		t.Error("the profile does not lead to the people")
	}

	// what is wrong with the form is said at its fields, and typed text stays
	for field, form := range map[string][]string{
		"email":       {"email", "no address", "role", "buyer"},
		"role":        {"email", "x@c1003.example", "role", "king"},
		"spend_limit": {"email", "x@c1003.example", "role", "buyer", "spend_limit", "much"},
	} {
		if a := ann.post("/people", form...); a.status != http.StatusUnprocessableEntity || a.get("fields.0.field") != field {
			t.Errorf("%v: %d %s", form, a.status, a.body)
		}
		if a := ann.send("/people", form...); !strings.Contains(a.body, form[1]) ||
			!strings.Contains(a.body, `id="f-`+field+`-error"`) {
			t.Errorf("%v: the page does not keep what was typed, or say what is wrong", form)
		}
	}
	if a := ann.post("/people", "email", "Buyer@c1003.example", "role", "buyer"); a.get("fields.0.field") != "email" {
		t.Errorf("an address that is on the list: %d %s", a.status, a.body)
	}

	// an address that has a log-in elsewhere: the page is that of any other, and without the link
	var pages []string
	main := func(a answer) string { // without the clock
		_, inner, _ := strings.Cut(a.body, "<main")
		inner, _, _ = strings.Cut(inner, "</main>")
		return fmt.Sprintln(a.status) + regexp.MustCompile(`<time.*?</time>`).ReplaceAllString(inner, "")
	}
	for _, email := range []string{"nobody@elsewhere.example", "buyer@c1002.example", "desk@demo.example"} {
		invited := ann.send("/people", "email", email, "role", "view")
		id := pgtest.Value[string](t, s.db, "select login_id::text from portal.invited_person where email = $1", email)
		story := main(invited) + main(ann.page("/people/"+id)) + main(ann.send("/people/"+id+"/link"))
		same := strings.NewReplacer(email, "EMAIL", "person-"+id, "ID", "/people/"+id, "/people/ID")
		pages = append(pages, same.Replace(story))
		if token, _ := s.invitation(email); strings.Contains(story, token) || strings.Contains(story, "/invite?token") {
			t.Errorf("the page of who invites shows the link for %s", email)
		}
		pgtest.Exec(t, s.db, "delete from portal.invited_person where email = $1", email)
	}
	if pages[1] != pages[0] || pages[2] != pages[0] || !strings.Contains(pages[0], "EMAIL was invited") {
		t.Errorf("of an address elsewhere:\n%s\nof another:\n%s", pages[1], pages[0])
	}

	// the link: mailed, hashed, good for one password within a week
	invited := ann.post("/people", "email", "Bea@c1003.example", "name", "Bea", "role", "buyer", "spend_limit", "1,000",
		"spend_period", "month")
	if invited.status != http.StatusOK {
		t.Fatalf("invite: %d %s", invited.status, invited.body)
	}
	bea := fmt.Sprint(invited.get("login_id"))
	_, first := s.invitation("Bea@c1003.example")
	if a := ann.post("/people/" + bea + "/link"); a.status != http.StatusOK || a.get("link") != nil {
		t.Errorf("a new link: %d %s", a.status, a.body)
	}
	token, renewed := s.invitation("Bea@c1003.example")
	if a := s.visit().page(first); a.status != http.StatusNotFound {
		t.Errorf("the link before a new one: %d", a.status)
	}
	if n := pgtest.Value[int](t, s.db,
		"select count(*)::int from portal.invited_person v where v::text like '%"+token+"%'"); n != 0 {
		t.Error("the token stands in the database")
	}
	if a := s.visit().post("/login", "email", "bea@c1003.example",
		"password", demoPassword); a.status != http.StatusUnauthorized {
		t.Errorf("log-in before a password: %d", a.status)
	}
	guest := s.visit()
	if a := guest.page(renewed); a.status != http.StatusOK || !strings.Contains(a.body, "bea@c1003.example") &&
		!strings.Contains(a.body, "Bea@c1003.example") {
		t.Errorf("invitation: %d %s", a.status, a.body)
	}
	if a := guest.post("/invite", "token", token, "new_password", "short"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("short password: %d", a.status)
	}
	if a := guest.send("/invite", "token", token, "new_password", setPassword,
		"repeat_password", setPassword); a.status != http.StatusSeeOther {
		t.Fatalf("accept: %d %s", a.status, a.body)
	}
	if a := guest.read("/"); a.get("customer_name") != "Cedar Diner" {
		t.Errorf("not logged in by it: %d %s", a.status, a.body)
	}
	if a := s.visit().post("/invite", "token", token, "new_password", "another-one-1"); a.status != http.StatusNotFound {
		t.Errorf("second use: %d", a.status)
	}
	if a := ann.post("/people/" + bea + "/link"); a.status != http.StatusConflict {
		t.Errorf("a link for somebody with a password: %d %s", a.status, a.body)
	}
	if strings.Contains(s.log.String(), token) {
		t.Error("the log holds the token")
	}
	ann.post("/people", "email", "late@c1003.example", "role", "view")
	_, late := s.invitation("late@c1003.example")
	pgtest.Exec(t, s.db, "update portal.invited_person set expires_at = erp.now() - interval '1 second'")
	if a := s.visit().page(late); a.status != http.StatusNotFound {
		t.Errorf("a link of last week: %d", a.status)
	}
	// staff, who see everybody's log-ins, see the link; whoever opens it is told that it makes none
	shown := s.logIn("desk@demo.example").post("/desk/customers/C1003/people", "email", "buyer@c1002.example", "role", "view")
	if _, taken := s.invitation("buyer@c1002.example"); shown.status != http.StatusOK || !strings.HasSuffix(fmt.Sprint(shown.get("link")), taken) {
		t.Errorf("invited by staff: %d %s", shown.status, shown.body)
	} else if a := s.visit().page(taken); a.status != http.StatusConflict || !strings.Contains(a.body, "has a log-in with us already") {
		t.Errorf("the link of who has a log-in elsewhere: %d %s", a.status, a.body)
	}

	// roles, by requests made by hand
	person := s.logInWith("bea@c1003.example", setPassword)
	orderNo := person.order("OIL5", "1")
	person.post("/cart/lines", "item_no", "OIL5", "qty", "1")
	list := fmt.Sprint(person.post("/lists", "name", "Weekly").get("list_id"))
	eventually(t, "approved", func() bool { return person.read("/orders/"+orderNo).get("status") == "APPROVED" })
	pgtest.Exec(t, s.db, "select erp.ship_order('"+orderNo+"', 'UPS', '1Z')")
	invoiceNo := pgtest.Value[string](t, s.db, "select erp.invoice_order('"+orderNo+"')")
	pgtest.Exec(t, s.db, "update erp.web_access set auto_approve = false")
	open := person.order("OIL5", "1")
	person.post("/cart/lines", "item_no", "OIL5", "qty", "1")
	key := fmt.Sprint(person.read("/cart").get("key"))
	if a := person.page("/people"); a.status != http.StatusForbidden {
		t.Errorf("a buyer sees the people: %d", a.status)
	}
	if a := person.post("/people/"+bea, "role", "approver"); a.status != http.StatusForbidden {
		t.Errorf("a buyer makes itself an approver: %d", a.status)
	}
	hears := person.live("")
	hears.hello()
	for _, role := range []string{"accounts", "view"} {
		invoices := map[string]int{"accounts": http.StatusOK, "view": http.StatusForbidden}[role]
		if a := ann.post("/people/"+bea, "role", role, "name", "Bea"); a.status != http.StatusOK {
			t.Fatalf("make %s: %d %s", role, a.status, a.body)
		}
		hears.until(func(kind, _, _ string) bool { return kind == "access" })
		for path, form := range map[string][]string{
			"/cart/lines": {"item_no", "OIL5", "qty", "1"}, "/cart": {"note", "x"}, "/cart/submit": {"key", key},
			"/quick-order": {"paste", "OIL5\t1", "action", "add"}, "/my-items": {"ref", "OIL5", "qty", "1"},
			"/orders/" + open + "/cancel": nil, "/orders/" + orderNo + "/reorder": {"mode", "add"},
			"/invoices/" + invoiceNo + "/reorder": {"mode", "add"}, "/lists": {"name", "Mine"},
			"/lists/" + list + "/delete": nil, "/people/" + bea: {"role", "approver"},
			"/people": {"email", "y@c1003.example", "role", "buyer"},
		} {
			if a := person.post(path, form...); a.status != http.StatusForbidden {
				t.Errorf("%s: POST %s: %d %s", role, path, a.status, a.body)
			}
		}
		for _, path := range []string{"/", "/catalog", "/items/OIL5", "/my-items", "/cart", "/orders",
			"/orders/" + orderNo, "/profile"} {
			a := person.page(path)
			if a.status != http.StatusOK {
				t.Errorf("%s: GET %s: %d", role, path, a.status)
			}
			for _, control := range []string{`hx-post="/cart/lines" hx-swap="none">` + "\n\t\t<input type=\"hidden\" " +
				"name=\"item_no\" value=\"OIL5\">\n\t\t<div", "Submit order", "/reorder\"", "/cancel\"", `href="/quick-order"`,
				"Create list", `href="/people"`} {
				if strings.Contains(a.body, control) {
					t.Errorf("%s: %s still offers %q", role, path, control)
				}
			}
			if has := strings.Contains(a.body, `href="/invoices"`); has != (invoices == http.StatusOK) {
				t.Errorf("%s: %s leads to invoices: %v", role, path, has)
			}
		}
		for _, path := range []string{"/invoices", "/invoices/" + invoiceNo} {
			if a := person.read(path); a.status != invoices {
				t.Errorf("%s: GET %s: %d", role, path, a.status)
			}
		}
		if body := person.read("/").body; strings.Contains(body, `"aging":null`) != (role == "view") ||
			strings.Contains(body, invoiceNo) != (role == "accounts") {
			t.Errorf("%s: dashboard %s", role, body)
		}
		if a := person.read("/catalog?q=OIL5"); a.get("items.0.unit_price") != "27.00" {
			t.Errorf("%s: no prices: %s", role, a.body)
		}
	}

	// closing a log-in ends its sessions and sockets at once; nobody closes its
	// own, and the last approver stays
	if a := ann.post("/people/"+bea+"/disable", "disabled", "true"); a.status != http.StatusOK {
		t.Errorf("close: %d %s", a.status, a.body)
	}
	if code := hears.closing(); code != 4001 {
		t.Errorf("the socket closed with %d", code)
	}
	if a := person.read("/orders"); a.status != http.StatusUnauthorized {
		t.Errorf("the session lives: %d", a.status)
	}
	if a := ann.post("/people/"+bea+"/disable", "disabled", "false"); a.status != http.StatusOK {
		t.Errorf("open again: %d %s", a.status, a.body)
	}
	person = s.logInWith("bea@c1003.example", setPassword)
	me := s.loginOf("buyer@c1003.example")
	if a := ann.post("/people/"+me+"/disable", "disabled", "true"); a.status != http.StatusForbidden {
		t.Errorf("closes itself: %d", a.status)
	}
	desk := s.logIn("desk@demo.example")
	base := "/desk/customers/C1003/people"
	if a := desk.post(base+"/"+me, "role", "buyer"); a.status != http.StatusConflict {
		t.Errorf("staff take the last approver away: %d %s", a.status, a.body)
	}

	// staff see and change the same, and the log says who did what
	if a := desk.post(base+"/"+bea, "role", "approver", "name", "Bea", "spend_limit", "50", "spend_period",
		"day"); a.status != http.StatusOK {
		t.Errorf("staff save: %d %s", a.status, a.body)
	}
	if a := desk.read(base); !strings.Contains(a.body, `"customer_role":"approver"`) &&
		!strings.Contains(a.body, `"role":"approver"`) {
		t.Errorf("staff list: %s", a.body)
	}
	page := desk.page("/desk/customers/C1003").body
	for _, want := range []string{"Log-in Bea@c1003.example", "View only → <strong>Approver", "50.00",
		"buyer@c1003.example", "desk@demo.example", base + "/" + bea} {
		if !strings.Contains(page, want) {
			t.Errorf("the customer at the desk lacks %q", want)
		}
	}
	// an approver whose own orders have a limit sees the list, but could lift
	// the limit by way of another
	if a := person.read("/people"); a.status != http.StatusOK || a.get("may_change") != false {
		t.Errorf("limited approver: %d %s", a.status, a.body)
	}
	if a := person.post("/people", "email", "puppet@c1003.example", "role", "approver"); a.status != http.StatusForbidden {
		t.Errorf("limited approver invites: %d %s", a.status, a.body)
	}
	// and another customer's people do not exist
	pgtest.Exec(t, s.db, "update erp.web_access set many_logins = true")
	other := s.loginOf("buyer@c1002.example")
	for _, a := range []answer{ann.read("/people/" + other), ann.post("/people/"+other, "role", "view"),
		ann.post("/people/"+other+"/disable", "disabled", "true"), ann.post("/people/" + other + "/link"),
		desk.post(base+"/"+other, "role", "view"), ann.read(base)} {
		if a.status != http.StatusNotFound {
			t.Errorf("another customer's person: %d %s", a.status, a.body)
		}
	}
	if code := run(t.Context(), []string{"user", "add", "cid@c1003.example", "--customer", "C1003", "--role",
		"accounts", "--database-url", s.db.URL}, testWriter{t}, testWriter{t}); code != 0 {
		t.Errorf("user add --role: %d", code)
	}
	if role := pgtest.Value[string](t, s.db,
		"select customer_role from portal.login where email = 'cid@c1003.example'"); role != "accounts" {
		t.Errorf("user add made a %s", role)
	}
	if code := run(t.Context(), []string{"user", "add", "dan@c1003.example", "--customer", "C1003", "--role",
		"desk", "--database-url", s.db.URL}, testWriter{t}, testWriter{t}); code == 0 {
		t.Error("a customer's log-in became staff")
	}
}

// An order over its limit waits inside the customer until a colleague signs it
// off, at today's prices and by the rules of submit.
func TestSeveralPeopleSignOff(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, manyLogins)
	s.addPerson("C1003", "bea@c1003.example", "buyer", "spend_limit = 108")
	s.addPerson("C1003", "cid@c1003.example", "buyer", "")
	ann, bea, cid, desk := s.buyer("C1003"), s.logIn("bea@c1003.example"), s.logIn("cid@c1003.example"),
		s.logIn("desk@demo.example")

	// the limit itself passes
	within := bea.order("OIL5", "4")
	if n := s.orders(); n != 1 {
		t.Fatalf("%d orders", n)
	}
	hears, staff := ann.live(""), desk.live("")
	hears.hello()
	staff.hello()
	bea.post("/cart/lines", "item_no", "OIL5", "qty", "5")
	bea.post("/cart/lines", "item_no", "SALT1", "qty", "7")
	cart := bea.page("/cart").body
	for _, want := range []string{"29.35 over your limit of 108.00 an order", "Buyer can sign it off",
		"Send for sign-off"} {
		if !strings.Contains(cart, want) {
			t.Errorf("the cart does not say %q", want)
		}
	}
	if strings.Contains(cart, "approved at once") {
		t.Error("the cart promises approval")
	}
	key := fmt.Sprint(bea.read("/cart").get("key"))
	var id string
	for range 3 { // clicks
		a := bea.post("/cart/submit", "key", key, "po_no", "PO-9", "ship_to", "2", "note", "Back door")
		if a.status != http.StatusAccepted || a.get("order_no") != nil {
			t.Fatalf("submit over the limit: %d %s", a.status, a.body)
		}
		if got := fmt.Sprint(a.get("sign_off")); id != "" && got != id {
			t.Errorf("a click made request %s beside %s", got, id)
		} else {
			id = got
		}
	}
	hears.until(func(kind, _, _ string) bool { return kind == "notice" })
	request := "/approvals/" + id
	if n := s.orders(); n != 1 {
		t.Errorf("the distributor has %d orders", n)
	}
	if n := pgtest.Value[int](t, s.db,
		"select count(*)::int from portal.event where kind in ('order', 'notice') and (data::text ~ '[0-9]' or kind = "+
			"'notice' and ref not in ('approval', 'route', 'message'))"); n != 0 {
		t.Error("an event says more than that something waits")
	}
	if a := bea.read("/cart"); a.get("lines.0") != nil {
		t.Errorf("the cart still holds %s", a.body)
	}
	if body := bea.page(request).body; !strings.Contains(body, "Waits for sign-off by Buyer") ||
		strings.Contains(body, "/approve") {
		t.Error("the requester's page is not right")
	}
	if body := ann.page("/").body; !strings.Contains(body, "1 order waits") ||
		!strings.Contains(body, `href="/approvals"`) {
		t.Error("the approver's dashboard does not tell")
	}
	if a := bea.post(request + "/approve"); a.status != http.StatusForbidden {
		t.Errorf("the requester signs off: %d", a.status)
	}
	other := s.buyer("C1002")
	for name, v := range map[string]*visitor{"a colleague": cid, "another customer": other, "staff": desk} {
		for _, a := range []answer{v.read(request), v.post(request + "/approve"), v.post(request+"/reject", "reason", "no"),
			v.post(request + "/take-back")} {
			if a.status != http.StatusNotFound {
				t.Errorf("%s: %d %s", name, a.status, a.body)
			}
		}
	}
	if a := cid.read("/approvals"); strings.Contains(a.body, "PO-9") {
		t.Errorf("a colleague reads it: %s", a.body)
	}

	// the price rises between request and signature
	pgtest.Exec(t, s.db, "update erp.item set price_c = 28 where item_no = 'OIL5'")
	page := ann.read(request)
	if page.get("lines.0.seen_price") != "27.00" || page.get("lines.0.unit_price") != "28.00" ||
		page.get("total") != "137.35" || page.get("total_today") != "142.35" {
		t.Errorf("request: %s", page.body)
	}
	if body := ann.page(request).body; !strings.Contains(body,
		`<span class="was">27.00</span> → <span class="price">28.00`) {
		t.Error("the page does not show the old price and the new")
	}
	refused := ann.post(request + "/approve")
	if refused.status != http.StatusConflict || !strings.Contains(refused.body, "rose from 27.00 to 28.00") {
		t.Errorf("at a risen price: %d %s", refused.status, refused.body)
	}
	for _, qty := range []string{"6", "-1", "x"} {
		if a := ann.post(request+"/approve", "qty_1", qty); a.status != http.StatusUnprocessableEntity {
			t.Errorf("quantity %s: %d %s", qty, a.status, a.body)
		}
	}
	if a := ann.post(request+"/approve", "qty_1", "0", "qty_2", "0"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("nothing left: %d", a.status)
	}
	pgtest.Exec(t, s.db, "update erp.web_access set require_po = true")
	if a := ann.post(request+"/approve", "po_no", "",
		"confirm_prices", refused.text("confirm.confirm_prices")); a.get("fields.0.field") != "po_no" {
		t.Errorf("a rule of submit is not asked again: %d %s", a.status, a.body)
	}
	if n := s.orders(); n != 1 {
		t.Errorf("refusals made an order: %d", n)
	}
	approved := ann.post(request+"/approve", "qty_1", "4", "confirm_prices", refused.text("confirm.confirm_prices"))
	if approved.status != http.StatusOK {
		t.Fatalf("approve: %d %s", approved.status, approved.body)
	}
	orderNo := fmt.Sprint(approved.get("order_no"))
	if again := ann.post(request + "/approve"); again.get("order_no") != orderNo {
		t.Errorf("a second click: %d %s", again.status, again.body)
	}
	if a := bea.post("/cart/submit", "key", key); a.get("order_no") != orderNo {
		t.Errorf("the first form once more: %d %s", a.status, a.body)
	}
	for name, a := range map[string]answer{"requester": bea.read("/orders/" + orderNo),
		"approver": ann.read("/orders/" + orderNo), "desk": desk.read("/desk/orders/" + orderNo)} {
		by := map[string]string{"requester": "You", "approver": "bea@c1003.example", "desk": "bea@c1003.example"}[name]
		if a.get("source") != "WEB" || a.get("submitted_by") != by || a.get("signed_off_by") != "buyer@c1003.example" ||
			a.get("po_no") != "PO-9" ||
			a.get("note") != "Back door" || a.get("ship_to.code") != "2" || a.get("lines.0.unit_price") != "28.00" ||
			a.get("total") != "114.35" {
			t.Errorf("%s: %s", name, a.body)
		}
	}
	staff.until(func(kind, ref, _ string) bool { return kind == "order" && ref == orderNo })
	if strings.Contains(staff.raw.String(), "notice") {
		t.Error("staff hear of what is the customer's own")
	}
	eventually(t, "approved by the job", func() bool { return bea.read("/orders/"+orderNo).get("status") == "APPROVED" })
	eventually(t, "the one within the limit, too",
		func() bool { return bea.read("/orders/"+within).get("status") == "APPROVED" })
	for _, path := range []string{"/orders/" + orderNo, "/desk/orders/" + orderNo} {
		v := map[bool]*visitor{true: desk, false: bea}[strings.HasPrefix(path, "/desk")]
		if body := strings.ToLower(v.page(path).body); !strings.Contains(body, "signed off by") {
			t.Errorf("%s does not say who signed off", path)
		}
	}
	if a := bea.read(request); a.get("status") != "APPROVED" || a.get("order_no") != orderNo ||
		a.get("lines.0.signed_qty") != "4" {
		t.Errorf("the request after it: %s", a.body)
	}

	// rejected with a reason, and put into the cart again; taken back
	send := func() string {
		bea.post("/cart/lines", "item_no", "RICE25", "qty", "10")
		return fmt.Sprint(bea.submit("po_no", "PO-10").get("sign_off"))
	}
	two := "/approvals/" + send()
	if a := ann.post(two+"/reject", "reason", "  "); a.status != http.StatusUnprocessableEntity ||
		a.get("fields.0.field") != "reason" {
		t.Errorf("no reason: %d %s", a.status, a.body)
	}
	if a := ann.post(two+"/reject", "reason", "Too much rice"); a.status != http.StatusOK {
		t.Errorf("reject: %d %s", a.status, a.body)
	}
	if a := bea.page(two); !strings.Contains(a.body, "Too much rice") {
		t.Error("the requester does not read why")
	}
	if a := ann.post(two + "/approve"); a.status != http.StatusConflict {
		t.Errorf("approve what was rejected: %d", a.status)
	}
	for range 2 {
		if a := bea.post(two + "/take-back"); a.status != http.StatusOK {
			t.Errorf("take the lines: %d %s", a.status, a.body)
		}
	}
	if a := bea.read("/cart"); a.get("lines.0.qty") != "10" || a.get("po_no") != "PO-10" {
		t.Errorf("cart: %s", a.body)
	}
	three := "/approvals/" + fmt.Sprint(bea.submit("po_no", "PO-10").get("sign_off"))
	bea.post("/cart/lines", "item_no", "RICE25", "qty", "1")
	if a := bea.post(three + "/take-back"); a.status != http.StatusOK {
		t.Errorf("take back: %d %s", a.status, a.body)
	}
	if a := bea.read("/cart"); a.get("lines.0.qty") != "11" {
		t.Errorf("cart: %s", a.body)
	}
	if a := ann.post(three + "/approve"); a.status != http.StatusConflict {
		t.Errorf("approve what was taken back: %d", a.status)
	}
	if n := s.orders(); n != 2 {
		t.Errorf("%d orders", n)
	}

	// an approver over its own limit needs another; without one it signs itself
	s.addPerson("C1003", "dee@c1003.example", "approver", "spend_limit = 10")
	dee := s.logIn("dee@c1003.example")
	dee.post("/cart/lines", "item_no", "OIL5", "qty", "1")
	own := "/approvals/" + fmt.Sprint(dee.submit("po_no", "PO-11").get("sign_off"))
	if a := dee.post(own + "/approve"); a.status != http.StatusForbidden {
		t.Errorf("signs its own: %d %s", a.status, a.body)
	}
	if body := dee.page(own).body; strings.Contains(body, "Sign off and send") {
		t.Error("it is offered its own")
	}
	if a := ann.post(own + "/approve"); a.status != http.StatusOK {
		t.Errorf("another signs: %d %s", a.status, a.body)
	}
	dee.post("/cart/lines", "item_no", "OIL5", "qty", "1")
	own = "/approvals/" + fmt.Sprint(dee.submit("po_no", "PO-12").get("sign_off"))
	pgtest.Exec(t, s.db, "update portal.login set spend_limit = null where email = 'dee@c1003.example'")
	if a := dee.post(own + "/approve"); a.status != http.StatusOK {
		t.Errorf("unlimited by now: %d %s", a.status, a.body)
	}
}

// Three approvers click three times each while the requester takes it back: it
// is one order, or it is in the cart; never both and never two.
func TestSeveralPeopleSignOffRace(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, manyLogins)
	s.addPerson("C1003", "bea@c1003.example", "buyer", "spend_limit = 0")
	s.addPerson("C1003", "dee@c1003.example", "approver", "")
	s.addPerson("C1003", "eve@c1003.example", "approver", "")
	bea := s.logIn("bea@c1003.example")
	signers := []*visitor{s.buyer("C1003"), s.logIn("dee@c1003.example"), s.logIn("eve@c1003.example")}
	eve := s.loginOf("eve@c1003.example")
	for round := range 6 {
		bea.post("/cart/lines", "item_no", "OIL5", "qty", "1")
		id := fmt.Sprint(bea.submit().get("sign_off"))
		before := s.orders()
		var mu sync.Mutex
		numbers := map[string]bool{}
		var all sync.WaitGroup
		for _, v := range signers {
			for range 3 {
				all.Go(func() {
					a := v.post("/approvals/" + id + "/approve")
					mu.Lock()
					defer mu.Unlock()
					switch a.status {
					case http.StatusOK:
						numbers[fmt.Sprint(a.get("order_no"))] = true
					case http.StatusConflict: // taken back
					case http.StatusForbidden, http.StatusUnauthorized, http.StatusNotFound: // closed
						if v != signers[2] {
							t.Errorf("refused: %s", a.body)
						}
					default:
						t.Errorf("approve: %d %s", a.status, a.body)
					}
				})
			}
		}
		taken := answer{}
		if round%2 == 1 {
			all.Go(func() { taken = bea.post("/approvals/" + id + "/take-back") })
		}
		if round == 5 { // closed in the middle of it
			all.Go(func() { signers[0].post("/people/"+eve+"/disable", "disabled", "true") })
		}
		all.Wait()
		made, lines := s.orders()-before, pgtest.Value[int](t, s.db, "select count(*)::int from portal.cart_line")
		if made+lines != 1 || len(numbers) != made || (taken.status == http.StatusOK) != (lines == 1) {
			t.Errorf("round %d: %d orders, %d lines in the cart, numbers %v, taken back %d", round, made, lines,
				numbers, taken.status)
		}
		pgtest.Exec(t, s.db, "delete from portal.cart_line")
	}
	if a := signers[2].post("/approvals/1/approve"); a.status != http.StatusUnauthorized {
		t.Errorf("a closed approver: %d", a.status)
	}
}
