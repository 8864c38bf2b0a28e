package main

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	domain "portal.example/portal"
	"portal.example/portal/internal/pgtest"
)

// hostile are numbers that an ERP may have and that an address, an id, a form or
// a file name may stumble over.
var hostile = []string{"A/B 1", `1/2"PIPE #3`, "A#1", "A?x=1", "A%2FB", "..", ".", "INV/2026/0042", "a b+c%20",
	"Größe 10 · 日本", strings.Repeat("é", 60),
	"new", "~A~2FB", "people", "cancel", "it's", "a:b", "A;B,C 🥑", "//", "]x[.y", "$&", `back\slash <b>&amp; 100%`}

// hostileWorld is a distributor with such numbers for all it has. Z/9 has bought
// everything; R/1 has a restricted catalogue since. $1 are the numbers.
var hostileWorld = []string{
	`insert into erp.category (category_id, name) select 100 + ord, n from unnest($1::text[]) with ordinality as a(n,
		ord)`,
	`insert into erp.item (item_no, description, category_id, base_uom, price_a, price_e)
		select n, 'Item ' || n, category_id, 'EA', 10 + ord, 9 + ord from unnest($1::text[]) with ordinality as a(n, ord)
			join erp.category c on c.name = a.n`,
	`insert into erp.item_uom (item_id, uom, factor) select item_id, 'C/S "6"', 6 from erp.item where item_no = any ($1)`,
	`insert into erp.stock (item_id, on_hand) select item_id, 1000 from erp.item where item_no = any ($1)`,
	`insert into erp.stock_expected (item_id, expected_on, qty) select item_id, erp.today() + 3, 9 from erp.item
		where item_no = any ($1)`,
	`update erp.item i set substitute_item_id = (select s.item_id from erp.item s where s.item_no = 'A/B 1')
		where i.item_no = any ($1) and i.item_no <> 'A/B 1'`,
	`insert into erp.route (code, name, every_days, start_date, cutoff_time) select n, 'Route ' || n, 2, erp.today(),
		'15:00' from unnest($1::text[]) n where length(n) <= 20`,
	`insert into erp.carrier (code, name, tracking_url) select n, 'Carrier ' || n, 'https://carrier.example/{tracking_no}'
		from unnest($1::text[]) n`,
	`insert into erp.customer (customer_no, name, route_id) select n, 'Customer ' || n, route_id
		from unnest($1::text[] || array['Z/9', 'R/1']) n left join erp.route on code = n`,
	`insert into erp.ship_to (customer_id, code, name) select customer_id, n, 'Place ' || n from erp.customer,
		unnest($1::text[]) n where customer_no in ('Z/9', 'R/1')`,
	`insert into portal.login (customer_id, email, password_hash, name) select c.customer_id,
		'buyer@' || lower(translate(customer_no, '/', '')) || '.example', l.password_hash, 'Buyer'
		from erp.customer c, portal.login l where customer_no in ('Z/9', 'R/1') and l.email = 'buyer@c1001.example'
		and cardinality($1::text[]) > 0`,
	`update erp.web_access set many_logins = true, monthly_statement = true where cardinality($1::text[]) > 0`,
	`insert into erp.sales_order (order_no, customer_id, source, ship_to_id, po_no)
		select n, customer_id, 'DESK', ship_to_id, left('PO ' || n, 60) from unnest($1::text[] || array['open/1']) n,
			erp.customer join erp.ship_to t using (customer_id) where customer_no = 'Z/9' and t.code in (n, 'it''s')
			and (n = 'open/1' or t.code = n)`,
	`insert into erp.sales_order_line (order_id, line_no, item_id, qty) select o.order_id,
		row_number() over (partition by o.order_id order by i.item_id), i.item_id, 2
		from erp.sales_order o join erp.item i on i.item_no in (o.order_no, 'A/B 1') where o.order_no = any ($1)
		or o.order_no = 'open/1'`,
	`update erp.sales_order set status = 'APPROVED' where order_no = any ($1)`,
	`select erp.ship_order(n, n, 'T ' || n) from unnest($1::text[]) n`,
	`insert into erp.invoice (invoice_no, customer_id, order_id) select order_no, customer_id, order_id
		from erp.sales_order where order_no = any ($1)`,
	`insert into erp.invoice_line (invoice_id, line_no, item_id, order_id, order_line_no, description, qty, unit_price,
		line_total)
		select v.invoice_id, l.line_no, l.item_id, l.order_id, l.line_no, 'Item', l.qty, l.unit_price, l.line_total
		from erp.invoice v join erp.sales_order_line l using (order_id) where v.invoice_no = any ($1)`,
	`insert into erp.payment (payment_no, customer_id, amount) select n, customer_id, 5 from unnest($1::text[]) n,
		erp.customer where customer_no = 'Z/9'`,
	`insert into erp.payment_application (payment_id, invoice_id, amount) select payment_id, invoice_id, 3
		from erp.payment join erp.invoice on invoice_no = payment_no where payment_no = any ($1)`,
	`insert into erp.credit_memo (memo_no, customer_id, invoice_id, reason) select invoice_no, customer_id, invoice_id,
		'Price' from erp.invoice where invoice_no = any ($1)`,
	`insert into erp.credit_memo_line (credit_memo_id, line_no, qty, unit_price, line_total) select credit_memo_id, 1, 1,
		1, 1 from erp.credit_memo where memo_no = any ($1)`,
	`insert into erp.credit_request (request_no, customer_id, invoice_id) select invoice_no, customer_id, invoice_id
		from erp.invoice where invoice_no = any ($1)`,
	`insert into erp.credit_request_line (request_id, line_no, invoice_id, invoice_line_no, qty, reason_code)
		select request_id, 1, invoice_id, 1, 1, 'damaged'
		from erp.credit_request where request_no = any ($1)`,
	`insert into erp.price_break (item_id, min_qty, price) select item_id, 12, 8 from erp.item where item_no = any ($1)`,
	`insert into erp.price_contract (customer_id, item_id, value) select customer_id, item_id, 7 from erp.item,
		erp.customer where item_no = any ($1) and customer_no = 'Z/9'`,
	`insert into portal.favorite (login_id, customer_id, item_id) select login_id, customer_id, item_id from erp.item,
		portal.login where item_no = any ($1) and email in ('buyer@z9.example', 'buyer@r1.example')`,
	`insert into portal.notification (login_id, customer_id, kind, ref, key) select login_id, customer_id, k, n, k || n
		from portal.login, unnest($1::text[]) n, unnest(array['order_shipped', 'return_decided']) k
		where email = 'buyer@z9.example'`,
}

// makeHostile fills the database with them, in one transaction: what is posted
// takes no lines afterwards.
func makeHostile(t testing.TB, db *pgtest.DB) {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), db.Pool, func(tx pgx.Tx) error {
		for _, statement := range hostileWorld {
			if _, err := tx.Exec(t.Context(), statement, hostile); err != nil {
				return fmt.Errorf("%.90s: %w", statement, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// link is a place that a page leads to, or that one of its forms is sent to.
type link struct{ method, path string }

var (
	attribute = regexp.MustCompile(`\s(href|src|action|formaction|hx-get|hx-post)="([^"]*)"`)
	formTag   = regexp.MustCompile(`<form\b[^>]*>`)
	twice     = regexp.MustCompile(`\sid="([^"]*)"`)
)

// links are where a page leads, as a browser at that address understands it.
func links(t testing.TB, at, page string) (out []link) {
	t.Helper()
	base, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	add := func(method, raw string) {
		if strings.HasPrefix(raw, "#") { // on the page itself
			return
		}
		u, err := url.Parse(html.UnescapeString(raw))
		if err != nil {
			t.Errorf("%s leads to %q: %v", at, raw, err)
			return
		}
		u = base.ResolveReference(u)
		if u.Host == "" && u.Scheme == "" {
			u.Fragment = ""
			out = append(out, link{method, u.RequestURI()})
		}
	}
	for _, form := range formTag.FindAllString(page, -1) {
		method := "GET"
		if strings.Contains(form, `method="post"`) {
			method = "POST"
		}
		action := at
		if m := regexp.MustCompile(`\saction="([^"]*)"`).FindStringSubmatch(form); m != nil {
			action = m[1]
		}
		add(method, action)
	}
	for _, m := range attribute.FindAllStringSubmatch(page, -1) {
		switch m[1] {
		case "formaction", "hx-post":
			add("POST", m[2])
		case "href", "src", "hx-get":
			add("GET", m[2])
		}
	}
	return out
}

// crawler follows every link from a page on.
type crawler struct {
	t      testing.TB
	v      *visitor
	seen   map[link]string // and where it stands
	pages  int
	skip   func(link) bool
	posted []link // found on pages that answered forms
}

// follow reads pages until there is none that was not read. It fails where one is
// missing, and where a form leads to nothing that takes forms.
func (c *crawler) follow(start ...string) {
	todo := c.posted
	for _, path := range start {
		todo = append(todo, link{"GET", path})
	}
	for len(todo) > 0 {
		at := todo[0]
		todo = todo[1:]
		if _, done := c.seen[at]; done && c.seen[at] == "" || c.skip(at) {
			continue
		}
		from := c.seen[at]
		c.seen[at] = ""
		if at.method == "POST" {
			a := c.v.do("OPTIONS", at.path, "text/html", nil)
			if allowed := a.header.Get("Allow"); !strings.Contains(allowed, "POST") {
				c.t.Errorf("%s: a form is sent to %s, which takes %q", from, at.path, allowed)
			}
			continue
		}
		a := c.v.page(at.path)
		c.pages++
		if to := a.header.Get("Location"); a.status == http.StatusSeeOther || a.status == http.StatusFound {
			todo = append(todo, c.found(at.path, links(c.t, at.path, ` href="`+html.EscapeString(to)+`"`))...)
			continue
		}
		if a.status != http.StatusOK {
			c.t.Errorf("%s leads to %s: %d", from, at.path, a.status)
			continue
		}
		if !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
			continue
		}
		ids := map[string]bool{}
		for _, m := range twice.FindAllStringSubmatch(a.body, -1) {
			if strings.ContainsAny(html.UnescapeString(m[1]), " \t\n\"\\") || ids[m[1]] {
				c.t.Errorf("%s has the id %q twice, or one that is none", at.path, m[1])
			}
			ids[m[1]] = true
		}
		todo = append(todo, c.found(at.path, links(c.t, at.path, a.body))...)
	}
}

// found are the links that nobody has seen before.
func (c *crawler) found(at string, all []link) (out []link) {
	for _, l := range all {
		if _, known := c.seen[l]; !known {
			c.seen[l] = at
			out = append(out, l)
		}
	}
	return out
}

// Whatever the numbers are, every link of every page leads to a page, and every
// form to something that takes it: for a buyer, one with a restricted catalogue,
// the desk and operators.
func TestCrawl(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	makeHostile(t, s.db)
	buyer, few := s.logIn("buyer@z9.example"), s.logIn("buyer@r1.example")
	for _, v := range []*visitor{buyer, few} {
		for _, n := range hostile {
			if a := v.post("/cart/lines", "item_no", n, "qty", "1"); a.status != http.StatusOK {
				t.Errorf("add %q: %d %s", n, a.status, a.body)
			}
		}
		list := v.post("/lists", "name", `A/B "list" #1`).get("list_id")
		for _, n := range hostile {
			if a := v.post(fmt.Sprintf("/lists/%v/items", list), "item_no", n); a.status != http.StatusOK {
				t.Errorf("put %q on the list: %d %s", n, a.status, a.body)
			}
		}
	}
	bought := few.submit("ship_to", "A/B 1", "po_no", "A/B")
	if bought.status != http.StatusOK {
		t.Fatalf("submit: %d %s", bought.status, bought.body)
	}
	order := fmt.Sprint(bought.get("order_no"))
	eventually(t, "approved", func() bool { return few.read("/orders/"+order).get("status") == "APPROVED" })
	pgtest.Exec(t, s.db, "select erp.ship_order('"+order+"', 'UPS', '1Z', array[1, 2, 3], array[1, 1, 1])")
	pgtest.Exec(t, s.db, "select erp.invoice_order('"+order+"')")
	for _, n := range hostile {
		few.post("/cart/lines", "item_no", n, "qty", "1")
	}
	few.post("/standing-orders", "name", "Weekly", "rhythm", "weeks", "weekday", "2", "ref", "A/B 1", "qty", "2")
	// from now on it may have one of them; what it bought is not forgotten
	pgtest.Exec(t, s.db,
		`insert into erp.authorized_item (customer_id, item_id) select customer_id, item_id from erp.customer, erp.item
			where customer_no = 'R/1' and item_no = 'A#1'`)
	pgtest.Exec(t, s.db,
		`update erp.web_access set authorized_items_only = true where customer_id = (select customer_id from erp.customer
			where customer_no = 'R/1')`)

	pgtest.Exec(t, s.db, `update erp.item set active = false where item_no = 'a:b'`) // and this, nobody may

	again := map[string][]string{"/quick-order": {"paste", "A#1\t1\n" + strings.Join(hostile, "\t1\n") + "\t1", "action",
		"check"},
		"/orders/" + order + "/reorder": {"mode", "add"}}
	never := func(l link) bool {
		return strings.HasPrefix(l.path, "/logout") || strings.HasPrefix(l.path, "/ops/jobs") ||
			strings.HasPrefix(l.path, "/live") || strings.Contains(l.path, "/assets/")
	}
	lists := []string{"/catalog", "/orders", "/invoices", "/desk/orders", "/desk/returns", "/desk/warehouse"}
	for who, c := range map[string]struct {
		v     *visitor
		start []string
		forms map[string][]string
		least int
	}{
		"buyer": {buyer, []string{"/"},
			map[string][]string{"/quick-order": again["/quick-order"], "/invoices/~INV~2F2026~2F0042/reorder": {"mode", "add"}},
			200},
		"restricted": {few, []string{"/"}, again, 40},
		"desk":       {s.logIn("desk@demo.example"), []string{"/desk/orders", "/desk/orders?status=all"}, nil, 400},
		"operator": {s.logIn("ops@demo.example"), []string{"/ops", "/ops/mail?status=all", "/ops/statements", "/ops/proof"},
			nil, 5},
	} {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			crawl := &crawler{t: t, v: c.v, seen: map[link]string{}, skip: func(l link) bool {
				path, query, _ := strings.Cut(l.path, "?")
				// a list that is narrowed twice leads where the list does that is narrowed once
				return never(l) || who == "operator" && strings.HasPrefix(path, "/desk") || strings.Count(query, "&") > 0 &&
					slices.Contains(lists, path)
			}}
			for path, pairs := range c.forms {
				a := c.v.send(path, pairs...)
				if a.status != http.StatusOK && a.status != http.StatusUnprocessableEntity {
					t.Errorf("%s: %d %s", path, a.status, a.body)
				}
				crawl.posted = append(crawl.posted, crawl.found(path, links(t, path, a.body))...)
			}
			crawl.follow(c.start...)
			if crawl.pages < c.least {
				t.Errorf("the crawl has read only %d pages", crawl.pages)
			}
			t.Logf("%d pages, %d addresses", crawl.pages, len(crawl.seen))
		})
	}
}

// A number leads to its document by the address that the portal makes, and by
// one that somebody has made with percent-encoding.
func TestHostileAddresses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	makeHostile(t, s.db)
	v, desk := s.logIn("buyer@z9.example"), s.logIn("desk@demo.example")
	for _, n := range hostile {
		ways := []string{domain.InAddress(n)}
		// those alone are ours, whatever else they mean: a page, a step up, one of our own addresses
		if !slices.Contains([]string{"new", "~A~2FB"}, n) {
			ways = append(ways, url.PathEscape(n))
		}
		for _, way := range ways {
			for path, field := range map[string]string{"/items/": "item_no", "/orders/": "order_no", "/invoices/": "invoice_no",
				"/payments/": "payment_no", "/credit-memos/": "memo_no", "/returns/": "request_no"} {
				if a := v.read(path + way); a.status != http.StatusOK || a.get(field) != n {
					t.Errorf("%s of %q: %d, %v", path+way, n, a.status, a.get(field))
				}
			}
			for path, field := range map[string]string{"/desk/items/": "item_no", "/desk/orders/": "order_no",
				"/desk/invoices/": "invoice_no", "/desk/payments/": "payment_no", "/desk/returns/": "request_no",
				"/desk/customers/": "customer_no", "/desk/warehouse/": "order_no", "/desk/routes/": "code"} {
				if field == "code" && len(n) > 20 { // no route's code is that long
					continue
				}
				if a := desk.read(path + way); a.status != http.StatusOK || a.get(field) != n {
					t.Errorf("%s of %q: %d, %v", path+way, n, a.status, a.get(field))
				}
			}
		}
		if a := v.page("/invoices/" + domain.InAddress(n) + "/pdf"); a.status != http.StatusOK ||
			strings.ContainsAny(a.header.Get("Content-Disposition"), "\\\r\n") {
			t.Errorf("paper of %q: %d %s", n, a.status, a.header.Get("Content-Disposition"))
		}
	}
}
