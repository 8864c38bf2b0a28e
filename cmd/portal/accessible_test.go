package main

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"portal.example/portal/internal/pgtest"
)

//go:embed testdata/axe.min.js
var axe string

// Every page passes the checks of WCAG 2.2 AA that a program can make, dark on a
// desk's screen and light on a phone, and none is wider than its screen or cuts a
// table: names are long words, as an ERP may have them.
func TestBrowserAccessible(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, northRoute)
	pgtest.Exec(t, s.db,
		`update erp.item set description = repeat('Oil', 20) || ' ' || description; update erp.customer
			set name = name || repeat('house', 10);
		update erp.ship_to set name = repeat('Place', 12); update portal.login set name = repeat('Ann', 20)
			where staff_role is null`)
	v := s.buyer("C1003")
	orderNo := v.order("OIL5", "2", "po_no", "PO/"+strings.Repeat("7", 57))
	picked := v.order("OIL5", "3")
	eventually(t, "approved", func() bool { return v.read("/orders/"+picked).get("status") == "APPROVED" })
	pgtest.Exec(t, s.db, "update erp.sales_order_line set qty_picked = 1 where order_id = (select order_id from "+
		"erp.sales_order where order_no = '"+picked+"')")
	pgtest.Exec(t, s.db, "select erp.ship_order('"+picked+"', 'UPS', '1Z', array[1], array[1])")
	pgtest.Exec(t, s.db, "insert into erp.stock_expected (item_id, expected_on, qty) select item_id, erp.today() + 3, "+
		"9 from erp.item where item_no = 'OIL5'")
	pgtest.Exec(t, s.db, "update erp.web_access set auto_approve = false; update erp.customer set credit_limit = 100; "+
		"update erp.web_access set credit_check = 'block' where customer_id = (select customer_id from erp.customer where "+
		"customer_no = 'C1002')")
	pgtest.Exec(t, s.db, "select erp.invoice_order('"+picked+"')")
	pgtest.Exec(t, s.db, `update erp.customer set bill_to = '12 Ocean Avenue', tax_rate = 0.08;
		insert into erp.invoice (customer_id, invoice_no, invoice_date, due_date, opened_total) select customer_id,
			'OLD-' || n, erp.today() - 40 * n, erp.today() - 40 * n + 30, 1000 * n from erp.customer, generate_series(1, 3) n
			where customer_no = 'C1003';
		insert into erp.payment (customer_id, payment_no, amount, reference) select customer_id, p, 90, 'A reference'
			from erp.customer, unnest(array['PY-A', 'PY-B']) p where customer_no = 'C1003';
		insert into erp.payment_application (payment_id, invoice_id, amount) select payment_id, invoice_id, 30
			from erp.payment, erp.invoice where payment_no = 'PY-A' and invoice_no = 'OLD-2';
		update erp.payment set reversed_on = erp.today(), reversed_reason = 'no funds' where payment_no = 'PY-B';
		insert into portal.statement_run (period_from, period_to) values ('2026-01-01', '2026-01-31')`)
	v.post("/statement")
	waits, stopped := v.waiting("RICE25", "2"), s.sqlOrder("C1002", "OIL5", "9")
	pgtest.Exec(t, s.db, "select erp.edit_order('"+waits+"', array[1], array[1], 'no truck space')")
	v.post("/cart/lines", "item_no", "RICE25", "qty", "3")
	v.post("/favorites/OIL5")
	pgtest.Exec(t, s.db, manyLogins)
	s.addPerson("C1003", "bea@c1003.example", "buyer", "spend_limit = 20, spend_period = 'week'")
	bea := s.logIn("bea@c1003.example")
	bea.post("/cart/lines", "item_no", "OIL5", "qty", "2")
	request := fmt.Sprintf("/approvals/%v", bea.submit().get("sign_off"))
	bea.post("/cart/lines", "item_no", "OIL5", "qty", "2")
	link := fmt.Sprint(s.logIn("desk@demo.example").post("/desk/customers/C1003/people", "email", "new@c1003.example", "role", "view").get("link"))
	pgtest.Exec(t, s.db, "update erp.item set price_c = 28 where item_no = 'OIL5'")
	person := s.loginOf("bea@c1003.example")
	standing := fmt.Sprint("/standing-orders/", v.rowsForm("/standing-orders", "application/json",
		[]string{"name", "Weekly", "rhythm", "runs"}, [3]string{"OIL5", "", "1"}).get("standing_order_id"))
	pgtest.Exec(t, s.db,
		`insert into portal.notice (customer_id, kind, text, link) select customer_id, k, 'Something happened.', '/orders'
			from erp.customer, unnest(array['info', 'success', 'warning']) k;
		insert into portal.standing_run (standing_order_id, run_date, delivery_date, outcome, findings)
			select standing_order_id, '2026-01-02', '2026-01-02', 'failed',
				'[{"code": "min_order", "action": "refuse", "detail": {}}]' from portal.standing_order`)

	invoice := pgtest.Value[string](t, s.db,
		`with i as (insert into erp.invoice (customer_id) select customer_id from erp.customer where customer_no = 'C1003'
			returning invoice_id, invoice_no),
		l as (insert into erp.invoice_line (invoice_id, line_no, item_id, qty, unit_price, line_total) select invoice_id, 1,
		item_id, 9, 27, 243 from i, erp.item where item_no = 'OIL5')
		select invoice_no from i`)
	key := v.returnKey(invoice)
	asked := v.withPhotos("/returns/new", "application/json",
		[]string{"invoice", invoice, "key", key, "qty_1", "2", "reason_1", "defective"}, "one.jpg",
		somePhoto(t, 20)).get("request_no").(string)
	credited := v.post("/returns/new", "invoice", invoice, "qty_1", "2", "reason_1", "damaged").get("request_no").(string)
	awaited := v.post("/returns/new", "invoice", invoice, "qty_1", "2", "reason_1", "recall").get("request_no").(string)
	pgtest.Exec(t, s.db, "select erp.decide_request('"+credited+"', array[1], array[1], array['one is whole']), "+
		"erp.issue_request_memo('"+credited+"', 'CM-81'), erp.decide_request('"+awaited+"', null, null)")
	reset, mail := "/reset/a-link", ""
	pgtest.Exec(t, s.db,
		`insert into portal.password_reset (login_id, token_hash, expires_at) select login_id, sha256('a-link'),
			erp.now() + interval '1 hour' from portal.login where email = 'buyer@c1001.example'`)
	eventually(t, "the mails are written", func() bool {
		mail = pgtest.Value[string](t, s.db,
			"select coalesce((select '/ops/mail/' || min(mail_id) from portal.mail where kind = 'order_shipped' and status = "+
				"'kept'), '')")
		return mail != ""
	})
	pgtest.Exec(t, s.db, "update erp.sales_order_line set unit_price = 1 where line_no = 1 and qty_shipped = 0; select "+
		"portal.prove_prices(true)")

	pgtest.Exec(t, s.db, peopleOfDuties+"update erp.company set four_eyes_amount = 1000")
	s.logIn("credit@demo.example").post("/desk/customers/C1003/payments", "amount", "1000", "payment_date",
		pgtest.Value[string](t, s.db, "select erp.today()::text"), "method", "check", "reference", strings.Repeat("47", 20),
		"key", "00000000-0000-0000-0000-000000000003", "oldest_first", "true")
	member := "/desk/staff/" + s.loginOf("credit@demo.example")

	visits := []accessVisit{
		{"", []string{"/login", strings.TrimPrefix(link, s.URL), "/forgot", reset}, ""},
		{"bea@c1003.example", []string{"/cart", "/orders", request}, ""},
		{"buyer@c1003.example", []string{"/", "/catalog", "/catalog?q=nothing-like-it", "/catalog?q=oil&in_stock=1&sort=code",
			"/my-items", "/my-items?list=bought", "/quick-order", "/items/OIL5", "/items/GLOV9", "/cart", "/orders",
			"/orders/" + orderNo, "/orders/" + picked, "/orders/" + waits, "/invoices", "/invoices/" + invoice, "/returns",
			"/returns/new?invoice=" + invoice + "&line=1", "/returns/" + asked, "/credit-memos/CM-81", "/account", "/payments",
			"/payments/PY-A", "/payments/PY-B", "/statement", "/profile", "/notifications", "/approvals", request, "/people",
			"/people/" + person, "/standing-orders", "/standing-orders/new?order=" + orderNo, standing, "/no-such-page"}, ""},
		{"desk@demo.example", []string{"/desk/orders", "/desk/orders?status=all",
			"/desk/orders?status=review&reason=over_credit", "/desk/orders/" + orderNo, "/desk/orders/" + waits,
			"/desk/orders/" + stopped, "/desk/warehouse", "/desk/warehouse?view=way", "/desk/warehouse/" + picked,
			"/desk/warehouse/" + picked + "/pick-list", "/desk/warehouse/" + picked + "/packing-slip", "/desk/returns",
			"/desk/returns/" + asked, "/desk/returns/" + awaited, "/desk/customers", "/desk/customers/C1003",
			"/desk/customers/C1003/people", "/desk/customers/C1003/people/" + person, "/desk/items", "/desk/items/OIL5",
			"/desk/customers/C1003/prices", "/desk/items/OIL5/prices", "/desk/prices", "/desk/why",
			"/desk/why?customer=C1003&item=OIL5", "/desk/routes", "/desk/routes/NORTH", "/desk/profile", "/desk/aging",
			"/desk/payments", "/desk/payments/PY-A", "/desk/payments/PY-B", "/desk/invoices", "/desk/invoices/" + invoice,
			"/desk/invoicing", "/desk/customers/C1003/account", "/desk/customers/C1003/statement", "/desk/staff", member,
			"/desk/waiting"}, ""},
		{"credit@demo.example", []string{"/desk/waiting"}, ""},
		{"warehouse@demo.example", []string{"/desk/prices", "/desk/items/OIL5"}, ""},
		{"ops@demo.example", []string{"/ops", "/ops/statements", "/ops/proof", "/ops/mail", "/ops/mail?status=sent", mail,
			"/desk/audit", "/desk/audit?group=sign_in"}, ""},
		{"desk@demo.example", []string{"/", "/cart", "/profile", "/orders/NO-SUCH"}, "order"},
		{"desk@demo.example", []string{"/cart"}, "preview"},
	}
	for n, visit := range visits {
		// Side by side, or it takes longer than all other tests
		for part, pages := range slices.Collect(slices.Chunk(visit.pages, 14)) {
			t.Run(fmt.Sprint(n, "-", part), func(t *testing.T) {
				t.Parallel()
				visit.pages = pages
				visit.look(t, s)
			})
		}
	}
}

// cutTables are the words of tables that are wider than what can be seen of them,
// and that nobody can move.
const cutTables = `[...document.querySelectorAll('.table-wrap')].filter((e) => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== 'auto')
	.map((e) => e.scrollWidth + ' of ' + e.clientWidth + ' px: ' + e.innerText.slice(0, 60))`

// accessVisit is what somebody looks at.
type accessVisit struct {
	email string
	pages []string
	act   string // as C1003: preview or order
}

func (visit accessVisit) look(t *testing.T, s *site) {
	b := openBrowser(t, s.URL, 1280)
	if visit.email != "" {
		b.logIn(visit.email)
	}
	if visit.act != "" {
		b.goTo("/desk/customers/C1003")
		b.click("#desk-customer-actions form:has([value=" + visit.act + "]) button")
		b.see("the banner", "document.querySelector('.acting') !== null")
	}
	for n, page := range visit.pages {
		b.goTo(page)
		// The frame has the same colours and sizes on every page of a visit:
		// the first is looked at whole, the others where they differ.
		part := "document"
		if n > 0 && eval[bool](b, "document.querySelector('main') !== null") {
			part = "'main'"
		}
		b.inspect(page, part)
	}
}

// inspect holds the page that is open to what programs can check, in every look.
func (b *tab) inspect(page, part string) {
	t := b.t
	t.Helper()
	// what is folded is looked at as well
	eval[bool](b, "document.querySelectorAll('details.fold').forEach((d) => { d.open = true }); "+
		"document.querySelector('[popover]')?.showPopover(); true")
	eval[bool](b, axe+";true")
	for _, look := range looks {
		b.wear(look)
		problems := axeProblems(b, part, look.rules)
		if look.rest {
			problems = append(problems, axeProblems(b, "document", otherRules)...)
		}
		for _, problem := range problems {
			t.Errorf("%s, %d px, %s: %s", page, look.width, look.scheme, problem)
		}
		for _, table := range eval[[]string](b, cutTables) {
			t.Errorf("%s, %d px: a table is cut: %s", page, look.width, table)
		}
		if over := eval[int](b, "document.documentElement.scrollWidth - window.innerWidth"); over > 0 {
			t.Errorf("%s, %d px: %d px wider than the screen", page, look.width, over)
		}
		b.shoot(fmt.Sprintf("%s %d %s", page, look.width, look.scheme))
	}
}

// look is how a page is shown, the rules that it can change, and whether the
// page is held to the rest of them as well.
type look struct {
	width  int64
	scheme string
	rules  string
	rest   bool
}

var looks = []look{
	{1280, "dark", `runOnly: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] }`, false},
	{360, "light", `runOnly: { type: 'rule', values: ['color-contrast', 'link-in-text-block', 'target-size'] }`, true},
}

// What axe is asked for: all of WCAG 2.2 AA, and all but the rules above, which
// are its dear ones.
const (
	allRules   = `runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']`
	otherRules = allRules + `,
		rules: { 'color-contrast': { enabled: false }, 'target-size': { enabled: false }, 'link-in-text-block': { enabled: false } }`
)

// wear shows the page that is open in a look, without loading it once more.
func (b *tab) wear(l look) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(l.width, 900))
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}},
	}); err != nil {
		b.t.Fatal(err)
	}
	// colours fade from one look into the other
	eval[bool](b, "document.getAnimations().forEach((a) => a.finish()); true")
}

// axeProblems are what axe finds on a part of the page, by some of its rules or
// by all of WCAG 2.2 AA.
func axeProblems(b *tab, part, rules string) []string {
	b.t.Helper()
	found, err := chromedp.Run(b.ctx,
		chromedp.Evaluate[string](`axe.run(`+part+`, { `+rules+`, resultTypes: ['violations'], preload: false })
		.then((r) => r.violations.map((v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + ' ' + (n.any[0]?.message ?? '')).join(' | ')).join('\n'))`,
			chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("axe: %v", err)
	}
	if found == "" {
		return nil
	}
	return strings.Split(found, "\n")
}
