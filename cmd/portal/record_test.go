package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	domain "portal.example/portal"
	"portal.example/portal/internal/pgtest"
)

// recorder writes every answer to a file of its own, so that two builds can be
// compared byte by byte.
type recorder struct {
	t     testing.TB
	dir   string
	count int
}

// chance is what differs between two runs of the same build: names made at
// random, and the machine's time and addresses.
var chance = []struct {
	is  *regexp.Regexp
	say string
}{
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "UUID"},
	{regexp.MustCompile(`sealed:[0-9a-f]{32}`), "SEALED"},
	{regexp.MustCompile(`\b[0-9a-f]{64}\b`), "DIGEST"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "HOST"},
	{regexp.MustCompile(`[A-Z2-7]{26}`), "TOKEN"},
	{regexp.MustCompile(`\d+:\d+:@[0-9a-f]{8}`), "CURSOR"},
	{regexp.MustCompile(`("request_id":"|the number <span class="code">)\w+`), "REQUEST"},
	{regexp.MustCompile(`token=[\w-]{20,}`), "token=TOKEN"},
	{regexp.MustCompile(`data-day-ends="\d+"`), "DAY"},
	// The rules go by a clock that stands; the machine's own time is that of who did what.
	{regexp.MustCompile(time.Now().Format("2006-01-02") + `T[\d:.]+(Z|[+-]\d\d:\d\d)`), "NOW"},
	{regexp.MustCompile(time.Now().Format("2 Jan") + `( 2\d{3},)? [\d:]+( [A-Z]+)?`), "NOW"},
}

// record keeps an answer under who asked for what.
func (r *recorder) record(who, what string, a answer) {
	r.t.Helper()
	r.count++
	body := a.body
	for _, c := range chance {
		body = c.is.ReplaceAllString(body, c.say)
	}
	head := fmt.Sprintf("%s %s\n%d\n", who, what, a.status)
	for _, name := range []string{"Content-Type", "Content-Disposition", "Location", "Cache-Control",
		"Content-Security-Policy", "HX-Trigger", "HX-Redirect", "Allow"} {
		if v := a.header.Get(name); v != "" {
			head += name + ": " + v + "\n"
		}
	}
	name := fmt.Sprintf("%05d %s %s", r.count, who, regexp.MustCompile(`[^\w.=-]+`).ReplaceAllString(what, "_"))
	if err := os.WriteFile(filepath.Join(r.dir, name[:min(len(name), 120)]), []byte(head+"\n"+body), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// recordedWorld is what stands in the database beside hostileWorld: an order at
// each step, a cart, a request for a signature, a standing order that failed.
const recordedWorld = `
update erp.web_access set many_logins = true;
insert into erp.sales_order (order_no, customer_id, source, po_no)
	select 'SO-' || s, customer_id, 'WEB', 'PO ' || s from erp.customer, unnest(array['1', '2', '3', '4', '5', '6']) s
		where customer_no = 'C1001';
insert into erp.sales_order_line (order_id, line_no, item_id, qty)
	select order_id, row_number() over (partition by order_id order by item_id), item_id, 3 from erp.sales_order, erp.item
		where order_no like 'SO-%' and item_no in ('OIL5', 'SALT1');
update erp.sales_order set status = 'APPROVED' where order_no in ('SO-2', 'SO-3', 'SO-4');
update erp.sales_order set status = 'ON_HOLD' where order_no = 'SO-5';
update erp.sales_order set status = 'CANCELLED' where order_no = 'SO-6';
select erp.ship_order('SO-3', 'UPS', '1Z');
select erp.invoice_order('SO-3');
insert into portal.login (customer_id, email, password_hash, customer_role, spend_limit)
	select customer_id, 'second@c1001.example', password_hash, 'buyer', 1 from portal.login
		where email = 'buyer@c1001.example';
insert into portal.sign_off (customer_id, login_id, key) select customer_id, login_id, gen_random_uuid()
	from portal.login where email = 'second@c1001.example';
insert into portal.sign_off_line (sign_off_id, line_no, item_id, uom, qty, seen_price)
	select s.sign_off_id, 1, i.item_id, 'EA', 2, 30 from portal.sign_off s, erp.item i where i.item_no = 'OIL5';
`

// A change that should change no page is proved by two runs, one before and one
// after it, that write the same files:
//
//	RECORD=/tmp/before go test -count=1 -run TestRecord ./cmd/portal
//	RECORD=/tmp/after go test -count=1 -run TestRecord ./cmd/portal
//	diff -r /tmp/before /tmp/after
//
// Every page and every form is asked for by each kind of visitor, as a page, a
// part of one and as JSON. Left out are the figures of /ops, which are measured.
func TestRecord(t *testing.T) {
	t.Parallel()
	r := &recorder{t: t, dir: os.Getenv("RECORD")}
	if r.dir == "" {
		return // nothing to compare with
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	db := pgtest.New(t)
	pgtest.Exec(t, db, "select erp.set_clock('2026-06-29 10:00-04')")
	s := startSite(t, db, "127.0.0.1:0", fixtures, func(c *settings) { c.Only, c.Poll = "desk", time.Hour })
	makeHostile(t, db)
	pgtest.Exec(t, db, recordedWorld)

	routes := everyRoute(t)
	slices.Sort(routes)
	for _, who := range []string{"nobody", "buyer@c1001.example", "buyer@z9.example", "desk@demo.example",
		"ops@demo.example"} {
		v := s.visit()
		if who != "nobody" {
			v = s.logIn(who)
		}
		for _, number := range []string{"1", "A/B 1"} {
			r.pages(who, v, routes, number)
		}
		r.forms(who, v, routes)
	}
	t.Logf("%d answers in %s", r.count, r.dir)
}

// named puts a document's number, or the numbers of recordedWorld, into a route.
func named(pattern, number string) string {
	own := map[string]string{":order_no": "SO-3", ":item_no": "OIL5", ":customer_no": "C1001", ":code": "NORTH",
		"*name": "app.js", ":token": "nonsense"}
	return regexp.MustCompile(`[:*]\w+`).ReplaceAllStringFunc(pattern, func(p string) string {
		if v, ok := own[p]; ok && number == "1" {
			return v
		}
		if strings.HasSuffix(p, "_no") || p == ":code" {
			return domain.InAddress(number)
		}
		return "1"
	})
}

func (r *recorder) pages(who string, v *visitor, routes []string, number string) {
	for _, route := range routes {
		method, pattern, _ := strings.Cut(route, " ")
		if method != "GET" || slices.Contains([]string{"/live", "/metrics", "/readyz", "/ops"}, pattern) ||
			strings.HasPrefix(pattern, "/ops/jobs") || number != "1" && !strings.Contains(pattern, ":") {
			continue
		}
		path := named(pattern, number)
		for _, query := range append([]string{""}, queries[pattern]...) {
			r.record(who, "page "+path+query, v.page(path+query))
			r.record(who, "data "+path+query, v.read(path+query))
			r.record(who, "part "+path+query, v.part("GET", path+query))
		}
	}
}

func (r *recorder) forms(who string, v *visitor, routes []string) {
	for _, route := range routes {
		method, pattern, _ := strings.Cut(route, " ")
		if method != "POST" || pattern == "/logout" || strings.HasPrefix(pattern, "/ops/jobs") {
			continue
		}
		path := named(pattern, "1")
		for _, pairs := range append([][]string{nil}, append(forms[route], deskForms[route]...)...) {
			what := path + " " + form(pairs)
			r.record(who, "form "+what, v.send(path, pairs...))
			r.record(who, "data "+what, v.post(path, pairs...))
			r.record(who, "part "+what, v.part("POST", path, pairs...))
		}
	}
	for _, path := range []string{"/", "/cart", "/orders/SO-3", "/desk/orders", "/desk/orders/SO-2",
		"/desk/customers/C1001", "/desk/items/OIL5"} {
		r.record(who, "after "+path, v.page(path))
	}
}

// part asks as a script does that renews a part of a page.
func (v *visitor) part(method, path string, pairs ...string) answer {
	v.s.t.Helper()
	req, err := http.NewRequest(method, v.s.URL+path, strings.NewReader(form(pairs)))
	if err != nil {
		v.s.t.Fatal(err)
	}
	req.Header.Set("HX-Request", "true")
	req.Header.Set("X-Live", "1")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
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

// deskForms are what the desk's addresses are sent, right and wrong.
var deskForms = map[string][][]string{
	"POST /desk/orders/:order_no/move": {{"to", "APPROVED"}, {"to", "REJECTED"}, {"to", "NOWHERE"}},
	"POST /desk/orders/:order_no/edit": {{"qty_1", "2", "reason", ""}, {"qty_1", "x"},
		{"qty_1", "2", "reason", "Less"}},
	"POST /desk/orders/:order_no/ship": {{"carrier", "UPS", "qty_1", "99"}},
	"POST /desk/customers/:customer_no/access": {{"enabled", "true", "min_order", "x"},
		{"enabled", "true", "can_order", "true", "see_prices", "true", "min_order", "5"}},
	"POST /desk/customers/:customer_no/prices/contract": {{"item_no", "OIL5", "value", "x"},
		{"item_no", "OIL5", "value", "7.77"}},
	"POST /desk/customers/:customer_no/payments": {{"amount", "x"}, {"amount", "5.00", "method", "check"}},
	"POST /desk/customers/:customer_no/credits":  {{"amount", "x"}},
	"POST /desk/customers/:customer_no/people": {{"email", "no address", "role", "king"},
		{"email", "new@c1001.example", "role", "buyer"}},
	"POST /desk/items/:item_no": {{"description", "", "price_a", "x"},
		{"description", "Oil", "price_a", "31", "active", "true"}},
	"POST /desk/items/:item_no/receive":      {{"qty", "x"}, {"qty", "5"}},
	"POST /desk/items/:item_no/prices/break": {{"min_qty", "x"}, {"min_qty", "12", "price", "20"}},
	"POST /desk/routes": {{"code", "", "name", ""},
		{"code", "NORTH", "name", "North", "every_days", "2", "start_date", "2026-06-01", "cutoff_time", "15:00"}},
	"POST /desk/routes/:code":                            {{"name", "", "cutoff_time", "x"}},
	"POST /desk/holidays":                                {{"holiday", "never"}},
	"POST /desk/returns/:request_no/decide":              {{"x", "y"}},
	"POST /desk/warehouse/:order_no/short":               {{"line_no", "1", "reason", ""}},
	"POST /desk/customers/:customer_no/acting":           {{"mode", "preview"}},
	"POST /ops/statements":                               {{"from", "never", "to", ""}},
	"POST /ops/proof":                                    {{"x", "y"}},
	"POST /desk/customers/:customer_no/people/:login_id": {{"role", "king"}},
	"POST /desk/customers/:customer_no/route":            {{"route", "NOWHERE"}},
	"POST /desk/payments/:payment_no/reverse":            {{"reason", ""}},
	"POST /desk/invoicing":                               {{"order_no", "SO-2"}},
	"POST /desk/items/:item_no/expected":                 {{"expected_on", "never", "qty", "x"}},
	"POST /desk/prices":                                  {{"what", "levels"}},
	"POST /desk/orders":                                  {{"order_no", "SO-1"}},
	"POST /desk/customers/:customer_no/apply":            {{"doc_no", "P1", "invoice_no", "1", "amount", "x"}},
}
