package main

import (
	"encoding/base64"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"portal.example/portal/internal/pgtest"
)

// A list without rows says why it has none: nothing there yet, nothing of what
// is asked for, or nothing left of it.
func TestEmptyListsSayWhatIsTrue(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	// C1001 has never bought; C1003 has, and paid; C1002 may have none of what it bought
	v, paid, few, desk, ops := s.buyer("C1001"), s.buyer("C1003"), s.buyer("C1002"), s.logIn("desk@demo.example"),
		s.logIn("ops@demo.example")
	check := func(by *visitor, path, words string) {
		t.Helper()
		if page := by.page(path).body; !strings.Contains(page, `<p class="empty-title">`+words) {
			t.Errorf("%s does not say %q", path, words)
		}
	}
	const later = "Invoices appear when goods have shipped."
	check(v, "/invoices", "No invoices yet")
	check(desk, "/desk/invoices", "No invoices yet")
	check(desk, "/desk/payments", "No payments yet")
	check(ops, "/ops/mail", "No mails")

	order := few.order("OIL5", "1")
	few.post("/favorites/OIL5", "on", "1")
	eventually(t, "approved", func() bool { return few.read("/orders/"+order).get("status") == "APPROVED" })
	pgtest.Exec(t, s.db, "select erp.ship_order('"+order+"', 'UPS', '1Z')")
	pgtest.Exec(t, s.db,
		`update erp.web_access set authorized_items_only = true where customer_id = (select customer_id from erp.customer
			where customer_no = 'C1002');
		insert into erp.invoice (customer_id, invoice_no, opened_total) select customer_id, 'OLD-1', 100 from erp.customer
			where customer_no = 'C1003';
		insert into erp.payment (customer_id, payment_no, amount) select customer_id, 'PY-1', 100 from erp.customer
			where customer_no = 'C1003';
		insert into erp.payment_application (payment_id, invoice_id, amount) select payment_id, invoice_id, 100
			from erp.payment, erp.invoice`)
	for _, c := range []struct {
		by          *visitor
		path, words string
	}{
		{v, "/", "Nothing open"}, {v, "/invoices?state=open", "Nothing open"},
		{v, "/invoices?state=paid", "Nothing paid yet"}, {v, "/invoices?q=nothing", "No such invoices"},
		{paid, "/", "Nothing open"}, {paid, "/invoices?state=open", "Nothing open"},
		{paid, "/invoices?state=past_due", "Nothing past due"}, {paid, "/invoices?state=open&q=OLD", "No such invoices"},
		{paid, "/invoices?to=2001-01-01", "No such invoices"}, {desk, "/desk/invoices?state=open", "Nothing open"},
		{desk, "/desk/invoices?state=past_due", "Nothing past due"}, {desk, "/desk/invoices?q=nothing", "No such invoices"},
		{desk, "/desk/payments?q=nothing", "No such payments"}, {ops, "/ops/mail?status=failed", "No such mails"},
		{ops, "/ops/mail?q=nothing", "No such mails"}, {v, "/orders", "No orders yet"},
		{v, "/orders?status=open", "Nothing is on the way"}, {v, "/orders?status=REJECTED", "No such orders"},
		{few, "/orders?q=nothing", "No such orders"}, {few, "/my-items?list=bought", "Nothing to order again"},
		{few, "/my-items", "No starred items here"}, {few, "/catalog", "No items yet"},
		{few, "/catalog?q=oil", "No match for"}, {v, "/payments", "No payments yet"}, {v, "/returns", "Nothing returned yet"},
		{v, "/returns?status=open", "No such requests"},
	} {
		check(c.by, c.path, c.words)
		if strings.Contains(c.by.page(c.path).body, later) {
			t.Errorf("%s speaks of goods to be shipped", c.path)
		}
	}
}

// A page of a list behind its last row does not say that there is nothing yet: it
// leads to the first page, narrowed in the same way.
func TestPagesBehindTheLastRow(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	makeHostile(t, s.db)
	v, desk, ops := s.logIn("buyer@z9.example"), s.logIn("desk@demo.example"), s.logIn("ops@demo.example")
	pgtest.Exec(t, s.db,
		`insert into portal.mail (kind, key, recipient, customer_id) select 'order_shipped', 'a mail', 'a@b.example',
			customer_id from erp.customer where customer_no = 'Z/9'`)
	pgtest.Exec(t, s.db,
		`insert into portal.item_list (customer_id, name) select customer_id, 'List' from erp.customer
			where customer_no = 'Z/9'`)
	cursor := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	moment, day := cursor("1.1"), cursor("1900-01-01 0")
	first := func(table, number string) string {
		return url.QueryEscape(pgtest.Value[string](t, s.db, "select "+number+" from "+table+" order by 1 limit 1"))
	}
	pages := 0
	for _, c := range []struct {
		by               *visitor
		path, key, value string
	}{
		{v, "/orders", "before", moment}, {v, "/orders?status=SHIPPED", "before", moment},
		{v, "/orders?q=A", "before", moment}, {v, "/invoices", "before", day}, {v, "/invoices?state=open", "before", day},
		{v, "/payments", "before", day}, {v, "/returns", "before", moment}, {v, "/returns?status=open", "before", moment},
		{v, "/notifications", "before", "1_n1"}, {v, "/catalog", "page", "99"}, {v, "/catalog?q=item", "page", "99"},
		{v, "/my-items", "page", "99"}, {v, "/my-items?list=bought", "page", "99"},
		{desk, "/desk/orders", "before", cursor("9.99999999999999999.999999999")},
		{desk, "/desk/orders?status=all", "before", cursor("9.1.1")},
		{desk, "/desk/returns", "before", cursor("99999999999999999.999999999")},
		{desk, "/desk/returns?status=all", "before", moment},
		{desk, "/desk/invoices", "before", first("erp.invoice", "(array_agg(invoice_no order by invoice_id))[1]")},
		{desk, "/desk/payments", "before", first("erp.payment", "(array_agg(payment_no order by payment_id))[1]")},
		{ops, "/ops/mail", "before", "1"}, {ops, "/ops/mail?status=queued", "before", "1"},
	} {
		join := "?"
		if strings.Contains(c.path, "?") {
			join = "&"
		}
		if page := c.by.page(c.path).body; strings.Contains(page, `class="empty"`) {
			t.Errorf("%s has no rows, so its pages show nothing", c.path)
		}
		at := c.path + join + c.key + "=" + c.value
		page := c.by.page(at).body
		pages++
		if !strings.Contains(page, `<p class="empty-title">Nothing further`) ||
			!strings.Contains(page, `class="btn btn-primary" href="`+html.EscapeString(c.path)+`"`) {
			t.Errorf("%s does not say that the list has ended, or lead to %s: %.200s", at, c.path,
				regexp.MustCompile(`(?s)<div class="empty">.*?</div>\s*</div>`).FindString(page))
		}
	}
	if pages == 0 {
		t.Error("no page was looked at")
	}
}
