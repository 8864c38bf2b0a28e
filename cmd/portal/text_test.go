package main

import (
	"mime"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"portal.example/portal/internal/pgtest"
)

// A PO number of which nothing is seen is none: the page says so, and what else
// was typed is still there.
func TestBlankPONumber(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, "update erp.web_access set require_po = true")
	v := s.buyer("C1003")
	v.post("/cart/lines", "item_no", "OIL5", "qty", "1")
	for _, blank := range []string{"\t\u00a0", "\u200b\ufeff", "\u3164"} {
		if a := v.submit("po_no", blank); a.status != http.StatusUnprocessableEntity ||
			!strings.Contains(a.body, "Enter your PO number") {
			t.Errorf("%+q: %d %s", blank, a.status, a.body)
		}
	}
	long := strings.Repeat("9", 9000)
	key := v.read("/cart").get("key").(string)
	page := v.send("/cart/submit", "key", key, "po_no", long, "note", "Ring the bell\r\ntwice")
	for _, want := range []string{"At most 60 characters.", long, "Ring the bell\ntwice"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("refused with %d, the page does not say %.40q", page.status, want)
		}
	}
	for _, day := range []string{"0001-01-01", "9999-12-31", "2199-01-01"} {
		if a := v.submit("po_no", "PO-1", "requested_date", day); a.status != http.StatusUnprocessableEntity ||
			!strings.Contains(a.body, "requested_date") {
			t.Errorf("delivery on %s: %d %s", day, a.status, a.body)
		}
	}
	for _, path := range []string{"/statement?from=0001-01-01", "/statement?to=9999-12-31", "/account?as_of=0001-01-01"} {
		if a := v.read(path); a.status != http.StatusUnprocessableEntity ||
			!strings.Contains(a.body, "between 1900 and 2200") {
			t.Errorf("%s: %d %.200s", path, a.status, a.body)
		}
	}
	// what is typed with marks of its own is what everybody else typed without
	orderNo := v.submit("po_no", "\u00a0PO\u0007 Cafe\u0301 \u200b").get("order_no")
	if got := pgtest.Value[string](t, s.db, "select po_no from erp.sales_order where order_no = $1",
		orderNo); got != "PO Café" {
		t.Errorf("kept as %+q", got)
	}
}

// é is é, however it is typed: in a search, as an item number of the customer's
// own, and in the address that somebody logs in with.
func TestComposedAndDecomposed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, `
		insert into erp.item (item_no, description, price_a) values ('CREME', E'Cre\u0300me fra\u00eeche', 3);
		insert into erp.customer_item (customer_id, item_id, their_item_no) select customer_id, item_id, E'CRE\u0300ME-1'
			from erp.customer, erp.item where customer_no = 'C1003' and item_no = 'CREME';
		update portal.login set email = E'rene\u0301@c1003.example' where email = 'buyer@c1003.example'`)
	v := s.logIn("ren\u00e9@c1003.example")
	s.logIn("rene\u0301@c1003.example")
	for _, typed := range []string{"Cr\u00e8me", "Cre\u0300me", "\u00a0cr\u00e8me\u200b",
		"CRE\u0300ME-1", "CR\u00c8ME-1"} {
		if a := v.page("/catalog?q=" + url.QueryEscape(typed)); !strings.Contains(a.body, "Crème fraîche") {
			t.Errorf("%+q finds nothing", typed)
		}
	}
}

// Names in any script and of any length come through: order, invoice, statement,
// mails, papers, lists, file names. Nothing fails and nothing is cut.
func TestAcceptance54AnyText(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	long := "Amalgamated Chandlers, Grocers, Provisioners, Tobacconists and Purveyors of Fine Foods to Northumberland " +
		"and Beyond Ltd."
	for customer, name := range map[string]string{"C1001": "李記食品有限公司",
		"C1003": "مطعم البحر الأبيض المتوسط", "C1005": long} {
		pgtest.Exec(t, s.db, "update erp.customer set name = $2, bill_to = $2 || chr(10) || '1 Long Street' where "+
			"customer_no = $1", customer, name)
		pgtest.Exec(t, s.db, "update portal.login set name = left($2, 80) where customer_id = (select customer_id from "+
			"erp.customer where customer_no = $1)", customer, name)
		v := s.buyer(customer)
		po := "PO-🍋 " + customer
		orderNo := v.order("OIL5", "2", "po_no", po, "note", name)
		if a := v.page("/orders/" + orderNo); !strings.Contains(a.body, po) || !strings.Contains(a.body, name) {
			t.Errorf("%s: the order does not say %q and %q", customer, po, name)
		}
		pgtest.Exec(t, s.db, `
			update erp.sales_order set status = 'APPROVED' where order_no = $1 and status <> 'APPROVED'`, orderNo)
		invoiceNo := "伝票-" + customer
		pgtest.Exec(t, s.db, `
			with i as (insert into erp.invoice (customer_id, invoice_no, po_no, total) select customer_id, $2, $3, 20
				from erp.customer where customer_no = $1 returning invoice_id)
			insert into erp.invoice_line (invoice_id, line_no, description, qty, unit_price, line_total) select invoice_id, 1,
				$4, 2, 10, 20 from i`, customer, invoiceNo, po, name)
		invoice := v.page("/invoices/" + url.PathEscape(invoiceNo) + "/pdf")
		said := paper(t, invoice)
		if _, params, err := mime.ParseMediaType(invoice.header.Get("Content-Disposition")); err != nil ||
			params["filename"] != "invoice-"+invoiceNo+".pdf" {
			t.Errorf("the file is called %q (%v): %s", params["filename"], err, invoice.header.Get("Content-Disposition"))
		}
		for what, said := range map[string]string{"invoice": said, "statement": paper(t, v.page("/statement/pdf"))} {
			if customer == "C1005" && !inRows(said, name) {
				t.Errorf("the %s cuts the name:\n%s", what, said)
			}
		}
		if a := v.page("/invoices.csv"); !strings.Contains(a.body, po) || !strings.Contains(a.body, invoiceNo) {
			t.Errorf("%s: the list does not say %q:\n%s", customer, po, a.body)
		}
		pgtest.Exec(t, s.db,
			`insert into portal.statement (customer_id, period_from, period_to) select customer_id, erp.today(), erp.today()
				from erp.customer where customer_no = $1`, customer)
	}
	eventually(t, "all statements are made", func() bool {
		return pgtest.Value[bool](t, s.db, "select bool_and(status = 'READY') from portal.statement")
	})
	eventually(t, "all mails are written", func() bool {
		return pgtest.Value[bool](t, s.db, "select count(*) > 0 and bool_and(status <> 'queued') from portal.mail")
	})
	if n := pgtest.Value[int](t, s.db,
		"select count(*)::int from portal.mail where status = 'failed' or last_error <> ''"); n > 0 {
		t.Errorf("%d mails failed: %s", n,
			pgtest.Value[string](t, s.db, "select string_agg(last_error, '; ') from portal.mail"))
	}
}

// inRows reports whether all words of a text stand on a paper.
func inRows(paper, text string) bool {
	for word := range strings.FieldsSeq(text) {
		if !strings.Contains(paper, word) {
			return false
		}
	}
	return true
}

// Every textarea is a field whose line breaks stay or that is taken as typed,
// and no password is cleaned: decode knows them by name.
func TestFieldsOfForms(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../http/*/html/*.tmpl")
	parts, _ := filepath.Glob("../../http/*/html/part/*.tmpl")
	files = append(files, parts...)
	if err != nil || len(files) < 20 {
		t.Fatalf("%d templates: %v", len(files), err)
	}
	source, err := os.ReadFile("../../http/page/request.go")
	if err != nil {
		t.Fatal(err)
	}
	known := func(list, name string) bool {
		_, rest, _ := strings.Cut(string(source), list)
		line, _, _ := strings.Cut(rest, "\n")
		return strings.Contains(line, `"`+name+`"`)
	}
	field := regexp.MustCompile(`<textarea[^>]*name="([a-z_]+)"|"name" "([a-z_]+)"[^\n]*"type" "(textarea|password)"`)
	seen := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range field.FindAllStringSubmatch(string(text), -1) {
			seen++
			name := m[1] + m[2]
			if asTyped := known("fieldsAsTyped = ", name); m[3] == "password" && !asTyped || !asTyped &&
				!known("fieldsOfLines = ", name) {
				t.Errorf("%s: field %s is cleaned as one line of text", filepath.Base(file), name)
			}
		}
	}
	if seen < 8 {
		t.Errorf("%d fields found", seen)
	}
}
