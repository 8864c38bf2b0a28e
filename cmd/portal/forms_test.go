package main

import (
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"portal.example/portal/internal/pgtest"
)

// pageForm is a form of a page: where it is sent, and what stands in its fields.
type pageForm struct {
	name   string // its action, and which of those with the same
	action string
	hidden url.Values
	fields url.Values // visible ones; of a choice, what is chosen
	typed  []string   // those that something can be typed into
	also   []string   // actions of its other buttons
	text   string     // what stands between its tags
}

var (
	wholeForm = regexp.MustCompile(`(?s)<form\b([^>]*)>(.*?)</form>`)
	oneField  = regexp.MustCompile(
		`(?s)<input\b([^>]*)>|<textarea\b([^>]*)>(.*?)</textarea>|<select\b([^>]*)>(.*?)</select>|<button\b([^>]*)>`)
	errorLink = regexp.MustCompile(`<li><a href="#([^"]*)"`)
	inPage    = regexp.MustCompile(`\shref="#([^"]*)"`)
	chosen    = regexp.MustCompile(`<option value="([^"]*)"[^>]* selected`)
)

// attr is the value of an attribute in a tag, unescaped.
func attr(tag, name string) string {
	m := regexp.MustCompile(`(?:^|\s)` + name + `="([^"]*)"`).FindStringSubmatch(tag)
	if m == nil {
		return ""
	}
	return html.UnescapeString(m[1])
}

// postForms are the forms of a page that post something typed.
func postForms(page string) (out []pageForm) {
	times := map[string]int{}
	for _, m := range wholeForm.FindAllStringSubmatch(page, -1) {
		if attr(m[1], "method") != "post" {
			continue
		}
		f := pageForm{action: attr(m[1], "action"), hidden: url.Values{}, fields: url.Values{}, text: m[2]}
		for _, x := range oneField.FindAllStringSubmatch(m[2], -1) {
			tag := x[1] + x[2] + x[4] + x[6]
			name := attr(tag, "name")
			switch {
			case x[6] != "":
				if to := attr(tag, "formaction"); to != "" {
					f.also = append(f.also, to)
				} else if name == "status" && f.hidden.Get(name) == "" { // as if it were pressed
					f.hidden.Set(name, attr(tag, "value"))
				}
			case name == "":
			case x[4] != "":
				value := ""
				if c := chosen.FindStringSubmatch(x[5]); c != nil {
					value = html.UnescapeString(c[1])
				}
				f.fields.Add(name, value)
			case x[2] != "":
				f.fields.Add(name, html.UnescapeString(x[3]))
				f.typed = append(f.typed, name)
			case attr(tag, "type") == "hidden":
				f.hidden.Add(name, attr(tag, "value"))
			case slices.Contains([]string{"checkbox", "radio"}, attr(tag, "type")):
				if strings.Contains(tag, " checked") {
					f.fields.Add(name, attr(tag, "value"))
				}
			case attr(tag, "type") != "file" && attr(tag, "type") != "password" && name != "username": // for password managers
				f.fields.Add(name, attr(tag, "value"))
				f.typed = append(f.typed, name)
			}
		}
		key := f.action + " " + f.hidden.Get("action") + f.hidden.Get("kind") + f.hidden.Get("doc_no") +
			f.hidden.Get("line_no")
		times[key]++
		f.name = fmt.Sprint(key, " ", times[key])
		out = append(out, f)
	}
	return out
}

// filled are the values that are not blank: pages with rows add rows to type into.
func filled(values []string) []string {
	return slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" })
}

// deadLinks are the places on the page itself that a page leads to and does not have.
func deadLinks(page string) (dead []string) {
	for _, m := range inPage.FindAllStringSubmatch(page, -1) {
		if !strings.Contains(page, ` id="`+m[1]+`"`) {
			dead = append(dead, html.UnescapeString(m[1]))
		}
	}
	return dead
}

// Every error of a row or a line leads to the field that mends it, whatever the
// item's number is and whatever is wrong.
func TestErrorsLeadToTheirFields(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db,
		`insert into erp.item (item_no, description, category_id, price_c, allow_backorder) select n, 'Item', 1, 9, false
			from unnest(array['A/B 1', '1/2"PIPE #3', 'A&B<C>', 'é日本']) n;
		insert into erp.stock (item_id, on_hand) select item_id, 100 from erp.item where description = 'Item';
		update erp.company set duplicate_codes = 'allow';
		insert into erp.item (item_no, description, category_id, price_c) values ('ab-77', 'Twin', 1, 1), ('AB-77', 'Twin', 1, 1)`)
	v := s.buyer("C1003")
	v.order("OIL5", "2")
	for _, n := range []string{"A/B 1", `1/2"PIPE #3`, "A&B<C>", "é日本"} {
		v.post("/cart/lines", "item_no", n, "qty", "2")
	}
	pgtest.Exec(t, s.db,
		`update erp.stock set on_hand = 0 where item_id in (select item_id from erp.item where description = 'Item')`)
	cart := v.send("/cart/submit", "key", v.read("/cart").text("key"), "requested_date", "no day")
	cart2 := v.send("/cart/submit", "key", v.read("/cart").text("key"))
	rows := [][3]string{{"NO-SUCH", "", "1"}, {"OIL5", "", "much"}, {"OIL5", "BOX", "1"}, {"", "", "3"},
		{"Ab-77", "", "1"}, {"OIL5", "", "90000"}, {"GLOV9", "", "1"}, {"LAST1", "", ""}}
	standing := v.rowsForm("/standing-orders", "text/html",
		[]string{"name", "Weekly", "rhythm", "runs", "action", "save"}, rows...)
	for name, c := range map[string]struct {
		a     answer
		least int
	}{"cart": {cart, 1}, "cart lines": {cart2, 4}, "standing order": {standing, len(rows)}} {
		links := errorLink.FindAllStringSubmatch(c.a.body, -1)
		if c.a.status != http.StatusUnprocessableEntity && c.a.status != http.StatusConflict || len(links) < c.least {
			t.Errorf("%s: %d, %d errors with links, of %d", name, c.a.status, len(links), c.least)
		}
		for _, dead := range deadLinks(c.a.body) {
			t.Errorf("%s: an error leads to %s, which the page does not have", name, dead)
		}
	}
}

// A form that was refused keeps what was typed into it, and no other form of the
// page takes any of it: over all pages with several forms.
func TestRefusedFormsKeepTheirOwn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, northRoute)
	pgtest.Exec(t, s.db, manyLogins)
	v, desk, ops := s.buyer("C1003"), s.logIn("desk@demo.example"), s.logIn("ops@demo.example")
	approved := v.order("OIL5", "4")
	eventually(t, "approved", func() bool { return v.read("/orders/"+approved).get("status") == "APPROVED" })
	shipped := v.order("OIL5", "2")
	eventually(t, "approved", func() bool { return v.read("/orders/"+shipped).get("status") == "APPROVED" })
	pgtest.Exec(t, s.db, "select erp.ship_order('"+shipped+"', 'UPS', '1Z')")
	invoice := pgtest.Value[string](t, s.db, "select erp.invoice_order('"+shipped+"')")
	pgtest.Exec(t, s.db,
		`insert into erp.payment (customer_id, payment_no, amount) select customer_id, 'PY-' || n, 90 from erp.customer,
			generate_series(1, 2) n where customer_no = 'C1003';
		insert into erp.item (item_no, description, category_id, price_a) values ('OTHER', 'Another item', 1, 9);
		insert into erp.stock_expected (item_id, expected_on, qty) select item_id, erp.today() + 3, 9 from erp.item
			where item_no = 'OIL5';
		insert into erp.price_break (item_id, min_qty, price) select item_id, 12, 8 from erp.item where item_no = 'OIL5';
		update erp.web_access set auto_approve = false, may_change = 'edit';
		update erp.customer set credit_limit = 100; update erp.web_access set credit_check = 'queue'`)
	asked := fmt.Sprint(v.post("/returns/new", "invoice", invoice, "qty_1", "1", "reason_1", "damaged").get("request_no"))
	awaited := fmt.Sprint(v.post("/returns/new", "invoice", invoice, "qty_1", "1", "reason_1", "recall").get("request_no"))
	pgtest.Exec(t, s.db, "select erp.decide_request('"+awaited+"', null, null)")
	waits := v.waiting("OIL5", "6")
	s.addPerson("C1003", "bea@c1003.example", "buyer", "sign_off_all = true")
	bea := s.logIn("bea@c1003.example")
	bea.post("/cart/lines", "item_no", "OIL5", "qty", "2")
	request := fmt.Sprintf("/approvals/%v", bea.submit().get("sign_off"))
	person := s.loginOf("bea@c1003.example")
	standing := fmt.Sprint("/standing-orders/", v.rowsForm("/standing-orders", "application/json",
		[]string{"name", "Weekly", "rhythm", "runs"}, [3]string{"OIL5", "", "1"}).get("standing_order_id"))
	v.post("/cart/lines", "item_no", "OIL5", "qty", "3")

	refused := map[string]int{}
	for _, c := range []struct {
		v     *visitor
		pages []string
	}{
		{desk, []string{"/desk/warehouse/" + approved, "/desk/orders/" + approved, "/desk/orders/" + waits,
			"/desk/returns/" + asked, "/desk/returns/" + awaited, "/desk/customers/C1003", "/desk/customers/C1003/account",
			"/desk/customers/C1003/prices", "/desk/customers/C1003/people", "/desk/customers/C1003/people/" + person,
			"/desk/items/OIL5", "/desk/items/OIL5/prices", "/desk/routes", "/desk/routes/NORTH", "/desk/payments/PY-1",
			"/desk/invoicing", "/desk/prices"}},
		{v, []string{"/cart", "/orders/" + waits, "/profile", "/people", "/people/" + person, request, standing,
			"/standing-orders/new", "/returns/new?invoice=" + invoice, "/returns/" + asked, "/my-items", "/quick-order",
			"/account"}},
		{ops, []string{"/ops/statements", "/ops/proof"}},
	} {
		for _, page := range c.pages {
			before := c.v.page(page)
			if before.status != http.StatusOK {
				t.Errorf("%s: %d", page, before.status)
				continue
			}
			for _, f := range postForms(before.body) {
				for _, to := range append([]string{f.action}, f.also...) {
					if len(f.typed) == 0 || to == "/cart/lines" || strings.HasSuffix(to, "/logout") {
						continue
					}
					values := maps.Clone(f.hidden)
					maps.Copy(values, f.fields)
					for _, name := range f.typed {
						delete(values, name)
					}
					for n, name := range f.typed {
						if name == "paste" { // becomes rows
							values[name] = []string{""}
							continue
						}
						values.Add(name, fmt.Sprintf("zz%d ?", n))
					}
					a := c.v.do("POST", to, "text/html", strings.NewReader(values.Encode()))
					if a.status >= 500 || a.status == http.StatusNotFound {
						t.Errorf("%s: %s answers %d", page, to, a.status)
					}
					if a.status != http.StatusUnprocessableEntity && a.status != http.StatusConflict {
						continue
					}
					after := map[string]pageForm{}
					for _, other := range postForms(a.body) {
						after[other.name] = other
					}
					if len(after) == 0 {
						t.Errorf("%s: the refusal of %s is no page with a form: %.200s", page, to, a.body)
						continue
					}
					refused[to]++
					for _, m := range errorLink.FindAllStringSubmatch(a.body, -1) {
						if !strings.Contains(after[f.name].text, ` id="`+m[1]+`"`) {
							t.Errorf("%s: the errors of %s lead to %s, which it does not have", page, to, m[1])
						}
					}
					for _, dead := range deadLinks(a.body) {
						t.Errorf("%s: after %s was refused, the page leads to %s, which it does not have", page, to, dead)
					}
					for name, other := range after {
						if name != f.name && strings.Contains(other.text, "is-invalid") {
							t.Errorf("%s: after %s was refused, %s is marked", page, to, name)
						}
					}
					for _, other := range postForms(c.v.page(page).body) {
						now, there := after[other.name]
						for name, was := range other.fields {
							switch {
							case name == "code": // a scanner's field is empty for what it scans next
							case !there:
							case other.name != f.name && !slices.Equal(now.fields[name], was):
								t.Errorf("%s: after %s was refused, %s has %s = %q instead of %q", page, to, other.name, name,
									now.fields[name], was)
							case other.name == f.name && slices.Contains(f.typed, name) &&
								!slices.Equal(filled(now.fields[name]), filled(values[name])):
								t.Errorf("%s: %s lost what was typed into %s: %q", page, to, name, now.fields[name])
							}
						}
					}
				}
			}
		}
	}
	if len(refused) < 30 {
		t.Errorf("only %d forms were refused: %v", len(refused), slices.Sorted(maps.Keys(refused)))
	}
}
