package main

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"portal.example/portal/http/page"
	"portal.example/portal/internal/pgtest"
)

// priceList sends a price list as the form does, name and value in turn.
func (v *visitor) priceList(accept, file string, pairs ...string) answer {
	v.s.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i := 0; i+1 < len(pairs); i += 2 {
		if err := w.WriteField(pairs[i], pairs[i+1]); err != nil {
			v.s.t.Fatal(err)
		}
	}
	part, err := w.CreateFormFile("file", "prices.csv")
	if err != nil {
		v.s.t.Fatal(err)
	}
	if _, err := part.Write([]byte(file)); err != nil {
		v.s.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		v.s.t.Fatal(err)
	}
	req, err := http.NewRequest("POST", v.s.URL+"/desk/prices", &body)
	if err != nil {
		v.s.t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	req.Header.Set("Content-Type", w.FormDataContentType())
	resp, err := v.client.Do(req)
	if err != nil {
		v.s.t.Fatal(err)
	}
	a, err := readAnswer(resp)
	if err != nil {
		v.s.t.Fatal(err)
	}
	return a
}

// A contract made at the desk is on the buyer's open page at once.
func TestDeskPricesLive(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	desk, buyer, other := s.logIn("desk@demo.example"), s.buyer("C1003"), s.buyer("C1001")
	socket := buyer.live("")
	socket.hello()
	if p := buyer.read("/items/OIL5").get("unit_price"); p != "27.00" {
		t.Fatalf("before: %v", p)
	}
	contract := []string{"item_no", "OIL5", "kind", "fixed", "value", "22.75", "valid_to", "2099-06-30"}
	if a := desk.post("/desk/customers/C1003/prices/contract", contract...); a.status != http.StatusOK {
		t.Fatalf("add: %d %s", a.status, a.body)
	}
	socket.until(func(kind, _, _ string) bool { return kind == "catalog" })
	if a := buyer.page("/items/OIL5"); !strings.Contains(a.body, "22.75") ||
		!strings.Contains(a.body, "until 30 Jun 2099") {
		t.Error("the buyer's page has no 22.75")
	}
	if p := other.read("/items/OIL5").get("unit_price"); p != "30.00" {
		t.Errorf("another customer: %v", p)
	}

	// refused where it was typed, with what was typed
	a := desk.send("/desk/customers/C1003/prices/contract", "item_no", "OIL5", "kind", "fixed", "value", "21.5",
		"valid_from", "2027-01-01")
	if a.status != http.StatusUnprocessableEntity ||
		!strings.Contains(a.body, "overlaps the contract of until 30 Jun 2099 at 22.75") ||
		!strings.Contains(a.body, `value="21.5"`) ||
		!strings.Contains(a.body, `href="#f-valid_from"`) || !strings.Contains(a.body, `id="f-valid_from"`) {
		t.Errorf("overlap: %d %s", a.status, a.body)
	}
	if a := desk.send("/desk/customers/C1003/prices/group", "category_id", "1", "kind", "percent_off",
		"value", "200"); a.status != http.StatusUnprocessableEntity ||
		!strings.Contains(a.body, `href="#f-value"`) || strings.Count(a.body, `id="f-value"`) != 1 {
		t.Errorf("group: %d", a.status)
	}

	prices := desk.read("/desk/customers/C1003/prices")
	if prices.get("contracts.0.value") != "22.75" || prices.get("contracts.0.item_no") != "OIL5" {
		t.Errorf("list: %s", prices.body)
	}
	id := fmt.Sprint(prices.get("contracts.0.contract_id"))
	if a := desk.page("/desk/customers/C1003/prices?contract=" + id); !strings.Contains(a.body, "Change the contract") ||
		!strings.Contains(a.body, `value="2099-06-30"`) {
		t.Error("the contract's form is not filled in")
	}
	if a := desk.post("/desk/customers/C1003/prices/end", "kind", "contract", "id", id); a.status != http.StatusOK {
		t.Errorf("end: %d %s", a.status, a.body)
	}
	socket.until(func(kind, _, _ string) bool { return kind == "catalog" })
	if p := buyer.read("/items/OIL5").get("unit_price"); p != "27.00" {
		t.Errorf("after its end: %v", p)
	}
	if a := desk.page("/desk/customers/C1003/prices"); !strings.Contains(a.body,
		"Contract OIL5: none → <strong>22.75, until 30 Jun 2099</strong>") ||
		!strings.Contains(a.body, "Contract OIL5, valid: until 30 Jun 2099 → <strong>until") {
		t.Errorf("who changed what: %s", a.body[strings.Index(a.body, "price-audit"):])
	}
	// the customer's Web Access log is not filled with prices
	if a := desk.page("/desk/customers/C1003"); !strings.Contains(a.body,
		"Nobody has changed this customer&#39;s Web Access") && !strings.Contains(a.body, "Web Access yet") {
		t.Error("prices are in the log of Web Access")
	}
	got := pgtest.Value[string](t, s.db,
		"select string_agg(actor || ' ' || action, ', ' order by audit_id) from portal.audit where action ~ '^price'")
	if got != "desk@demo.example price_contract, desk@demo.example price_contract" {
		t.Errorf("audit: %s", got)
	}
	pgtest.Exec(t, s.db, "update erp.price_contract set value = 20")
	if got := pgtest.Value[string](t, s.db,
		"select actor || ' ' || (data ->> 'value') from portal.audit where action ~ '^price' order by audit_id desc limit 1"); !strings.HasSuffix(got, " [22.7500, 20.0000]") || strings.HasPrefix(got, "desk@") {
		t.Errorf("audit of plain SQL: %s", got)
	}
}

// A break made at the desk is told to those who watch the item.
func TestDeskBreakLive(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	desk, buyer := s.logIn("desk@demo.example"), s.buyer("C1003")
	socket := buyer.live("")
	socket.hello()
	socket.watch("OIL5")
	buyer.post("/cart/lines", "item_no", "OIL5", "qty", "12")
	if a := desk.do("POST", "/desk/items/OIL5/prices/break", "application/json",
		strings.NewReader("min_qty=12&price=23.40&levels=C&levels=D")); a.status != http.StatusOK {
		t.Fatalf("add: %d %s", a.status, a.body)
	}
	socket.until(func(kind, ref, _ string) bool { return kind == "item" && ref == "OIL5" })
	if p := buyer.read("/cart").get("lines.0.unit_price"); p != "23.40" {
		t.Errorf("in the cart: %v", p)
	}
	if a := desk.read("/desk/items/OIL5/prices"); a.get("breaks.0.levels.1") != "D" {
		t.Errorf("breaks: %s", a.body)
	}
	if a := desk.send("/desk/items/OIL5/prices/break", "min_qty", "12", "price", "20",
		"levels", "C"); a.status != http.StatusUnprocessableEntity ||
		!strings.Contains(a.body, "overlaps the break of always at 23.4") || !strings.Contains(a.body, `value="C" checked`) {
		t.Errorf("overlap: %d", a.status)
	}
}

func TestDeskWhyPage(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	desk := s.logIn("desk@demo.example")
	why := func(customer, item, uom, qty, date string) string {
		v := url.Values{"customer": {customer}, "item": {item}, "uom": {uom}, "qty": {qty}, "date": {date}}
		return "/desk/why?" + v.Encode()
	}
	a := desk.page(why("C1006", "OIL5", "", "12", ""))
	for _, want := range []string{"Fixed 22.75", "1 Jan – 30 Jun 2026", "This is the price", "An earlier step has a price",
		"Price 23.40", "Level C, or the next dearer"} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if a := desk.read(why("C1006", "OIL5", "CS", "1", "2026-07-01")); a.get("unit_price") != "108.00" ||
		a.get("step") != "level" || a.get("reasons.0.reason") != "expired" {
		t.Errorf("a case in July: %s", a.body)
	}
	if a := desk.page(why("C1006", "NONE", "", "", "")); a.status != http.StatusUnprocessableEntity ||
		!strings.Contains(a.body, "There is no item NONE.") || !strings.Contains(a.body, `value="C1006"`) {
		t.Errorf("unknown item: %d", a.status)
	}
	no := s.buyer("C1006").order("OIL5", "1")
	if a := desk.page("/desk/orders/" + no); !strings.Contains(a.body,
		"/desk/why?customer=C1006&amp;date=2026-03-01&amp;item=OIL5&amp;qty=1&amp;uom=EA") {
		t.Error("the order's line does not lead there")
	}
}

func TestDeskPriceLists(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	desk := s.logIn("desk@demo.example")
	changes := func() int {
		return pgtest.Value[int](t, s.db, "select count(*)::int from portal.audit where action ~ '^price'")
	}
	before := changes()

	// what goes out comes back and changes nothing
	for list, rows := range map[string]float64{"levels": 5, "contracts": 2, "groups": 1, "breaks": 1} {
		out := desk.page("/desk/prices/export?what=" + list)
		if out.status != http.StatusOK || !strings.HasPrefix(out.header.Get("Content-Type"), "text/csv") ||
			!strings.Contains(out.header.Get("Content-Disposition"), list) {
			t.Fatalf("export %s: %d %v", list, out.status, out.header)
		}
		if !strings.HasPrefix(out.body, page.ByteOrderMark) {
			t.Errorf("%s begins with %q: Excel would misread it", list, out.body[:min(len(out.body), 12)])
		}
		back := desk.priceList("application/json", out.body, "what", list, "action", "load")
		if back.status != http.StatusOK || back.get("result.applied") != true || back.get("result.unchanged") != rows ||
			back.get("result.new") != 0.0 || back.get("result.changed") != 0.0 {
			t.Errorf("%s back: %d %s", list, back.status, back.body)
		}
	}
	if n := changes(); n != before {
		t.Errorf("%d changes", n-before)
	}

	bad := "customer_no;item_no;kind;value;valid_from\nC1006;OIL5;fixed;20,50;\nC1006;OIL5;fixed;20.50;2026-06-01\nC1001;OIL6;fixed;1;\nC1001;SALT1;fixed;0.35;\n"
	a := desk.priceList("text/html", bad, "what", "contracts", "action", "check")
	for _, want := range []string{"Nothing was changed. Of 4 rows, 3 are bad; the others would be: 1 price new",
		"write the decimals after a point (27.50)", "There is no item OIL6.",
		"This overlaps the rule at fixed 22.75 from 1 Jan 2026 until 30 Jun 2026"} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the check does not say %q: %d", want, a.status)
		}
	}
	if a := desk.priceList("application/json", bad, "what", "contracts", "action",
		"load"); a.status != http.StatusUnprocessableEntity || a.get("result.bad") != 3.0 ||
		a.get("result.applied") != false ||
		a.get("result.problems.0.line") != 2.0 || a.get("result.problems.0.column") != "value" {
		t.Errorf("load: %d %s", a.status, a.body)
	}
	if n := changes(); n != before {
		t.Errorf("%d changes by a list that was refused", n-before)
	}
	v := s.buyer("C1001")
	socket := v.live("")
	socket.hello()
	if a := desk.priceList("application/json", bad, "what", "contracts", "action", "load", "leave_out",
		"true"); a.status != http.StatusOK || a.get("result.applied") != true || a.get("result.new") != 1.0 {
		t.Errorf("leave out: %d %s", a.status, a.body)
	}
	socket.until(func(kind, _, _ string) bool { return kind == "catalog" })
	if p := v.read("/items/SALT1").get("unit_price"); p != "0.35" {
		t.Errorf("price after the list: %v", p)
	}
	if n := changes(); n != before+1 {
		t.Errorf("%d changes", n-before)
	}
	for _, a := range []answer{
		desk.priceList("application/json", "no such\n", "what", "levels", "action", "check"),
		desk.priceList("application/json", "item_no,price_a\n", "what", "wishes", "action", "check"),
		desk.priceList("application/json", strings.Repeat("item_no,price_a\n", 23<<20/16), "what", "levels", "action",
			"check"),
		desk.post("/desk/prices", "what", "levels"),
	} {
		if a.status != http.StatusUnprocessableEntity {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	if a := desk.page("/desk/prices/export?what=wishes"); a.status != http.StatusNotFound {
		t.Errorf("no such list: %d", a.status)
	}
}

// Orders do not wait for a price list whose transaction is still open.
func TestDeskPriceListHoldsUpNoOrder(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	tx, err := s.db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	if _, err := tx.Exec(t.Context(), `select pg_advisory_xact_lock(7265002);
		update erp.item set price_a = price_a + 1, price_c = price_c + 1;
		insert into erp.price_contract (customer_id, item_id, value) select c.customer_id, i.item_id, 5 from erp.customer c,
			erp.item i`); err != nil {
		t.Fatal(err)
	}
	v := s.buyer("C1003")
	no := v.order("OIL5", "2")
	eventually(t, "approved", func() bool { return v.read("/orders/"+no).get("status") == "APPROVED" })
	if p := v.read("/orders/" + no).get("lines.0.unit_price"); p != "27.00" {
		t.Errorf("price %v", p)
	}
	if a := s.logIn("desk@demo.example").priceList("application/json", "item_no,price_a\n", "what", "levels", "action",
		"load"); a.status != http.StatusConflict ||
		!strings.Contains(a.body, "Another price list is being loaded") {
		t.Errorf("a second list: %d %s", a.status, a.body)
	}
}

// Nothing of it exists for customers.
func TestDeskPricesNotForCustomers(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	v := s.buyer("C1006")
	for _, path := range []string{"/desk/customers/C1006/prices", "/desk/items/OIL5/prices", "/desk/prices",
		"/desk/prices/export?what=levels", "/desk/prices/export?what=contracts",
		"/desk/why?customer=C1006&item=OIL5", "/desk/why"} {
		for _, a := range []answer{v.page(path), v.read(path)} {
			if a.status != http.StatusNotFound || strings.Contains(a.body, "22.75") || strings.Contains(a.body, "28.5") {
				t.Errorf("%s: %d", path, a.status)
			}
		}
	}
	for _, path := range []string{"/desk/customers/C1006/prices/contract", "/desk/customers/C1006/prices/group",
		"/desk/customers/C1006/prices/end", "/desk/customers/C1006/prices/delete", "/desk/items/OIL5/prices/break",
		"/desk/items/OIL5/prices/end", "/desk/items/OIL5/prices/delete"} {
		if a := v.post(path, "item_no", "OIL5", "kind", "contract", "id", "1", "value", "1", "price", "1",
			"min_qty", "1"); a.status != http.StatusNotFound {
			t.Errorf("POST %s: %d", path, a.status)
		}
	}
	if a := v.priceList("application/json", "item_no,price_a\nOIL5,1\n", "what", "levels", "action",
		"load"); a.status != http.StatusNotFound {
		t.Errorf("upload: %d", a.status)
	}
	if n := pgtest.Value[int](t, s.db, "select count(*)::int from erp.item where price_a = 1"); n != 0 {
		t.Error("a customer has changed a price")
	}
}
