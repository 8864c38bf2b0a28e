package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"portal.example/portal/internal/pgtest"
)

// paper reads what a PDF says, in its layout.
func paper(t testing.TB, a answer) string {
	t.Helper()
	if a.status != http.StatusOK || a.header.Get("Content-Type") != "application/pdf" ||
		a.header.Get("Cache-Control") != "private, no-store" {
		t.Fatalf("no paper: %d %v %.200s", a.status, a.header, a.body)
	}
	command := exec.CommandContext(t.Context(), "pdftotext", "-layout", "-", "-")
	command.Stdin = strings.NewReader(a.body)
	out, err := command.Output()
	if err != nil {
		t.Fatalf("pdftotext (make setup installs it): %v", err)
	}
	return string(out)
}

// says checks that a text has all of some words.
func says(t testing.TB, what, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%s does not say %q", what, w)
		}
	}
}

// is compares figures in an answer.
func is(t testing.TB, a answer, want map[string]any) {
	t.Helper()
	for path, w := range want {
		if got := a.get(path); fmt.Sprint(got) != fmt.Sprint(w) {
			t.Errorf("%s: %v, want %v", path, got, w)
		}
	}
}

// An invoice is the same on the list, its page, in print, on paper and in the
// export as in the ERP's row, and its open amount follows a payment at once.
func TestAcceptance30Invoice(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.buyer("C1003")
	pgtest.Exec(t, s.db,
		`update erp.customer set tax_rate = 0.08875, bill_to = E'12 Ocean Avenue\nBrooklyn, NY 11225'
			where customer_no = 'C1003';
		update erp.company set remit_to = 'PO Box 7, Brooklyn'`)
	v.post("/cart/lines", "item_no", "SALT1", "qty", "7")
	no := v.order("OIL5", "6", "po_no", "=PO-77")
	eventually(t, "approved", func() bool { return v.read("/orders/"+no).get("status") == "APPROVED" })
	pgtest.Exec(t, s.db, "select erp.ship_order('"+no+"', 'Truck', '')")
	pgtest.Exec(t, s.db, "update erp.shipment set freight = 12.50")
	desk := s.logIn("desk@demo.example")
	if a := desk.read("/desk/invoicing"); a.get("orders.0.order_no") != no || a.get("orders.0.amount") != "164.35" ||
		a.get("orders.0.freight") != "12.50" {
		t.Errorf("to invoice: %s", a.body)
	}
	if a := desk.post("/desk/invoicing", "order_no", no, "freight-"+no,
		"-1"); a.status != http.StatusUnprocessableEntity || a.get("fields.0.field") != "freight-"+no {
		t.Errorf("a negative freight: %d %s", a.status, a.body)
	}
	made := desk.post("/desk/invoicing", "order_no", no)
	invoice := fmt.Sprint(made.get("invoice_nos.0"))
	row := pgtest.Value[string](t, s.db,
		"select concat_ws(' ', total, tax, freight, open_amount) from erp.invoice where invoice_no = $1", invoice)
	if row != "191.44 14.59 12.50 191.44" { // 6 × 27.00 + 2.35 = 164.35; × 8.875 % = 14.586
		t.Fatalf("the ERP's row: %s", row)
	}
	socket := v.live("")
	socket.hello()

	is(t, v.read("/invoices"), map[string]any{"invoices.0.invoice_no": invoice, "invoices.0.total": "191.44",
		"invoices.0.open_amount": "191.44", "invoices.0.state": "OPEN", "invoices.0.po_no": "=PO-77"})
	detail := v.read("/invoices/" + invoice)
	is(t, detail, map[string]any{"total": "191.44", "tax": "14.59", "freight": "12.50", "merchandise": "164.35",
		"tax_rate": "0.08875", "bill_to": "12 Ocean Avenue\nBrooklyn, NY 11225"})
	for i, want := range []string{"SALT1 7 0.335 2.35", "OIL5 6 27.00 162.00"} {
		line := fmt.Sprintf("lines.%d.", i)
		if got := fmt.Sprint(detail.get(line+"item_no"), " ", detail.get(line+"qty"), " ", detail.get(line+"unit_price"), " ",
			detail.get(line+"line_total")); got != want {
			t.Errorf("line %d: %s, want %s", i+1, got, want)
		}
	}
	says(t, "the page", v.page("/invoices/"+invoice).body, "191.44", "14.59", "8.875 %", "12.50", "0.335", "2.35",
		"162.00", "12 Ocean Avenue", "PO Box 7", "/reorder", "data-print")
	says(t, "the paper", paper(t, v.page("/invoices/"+invoice+"/pdf")), "191.44", "14.59", "8.875 %", "12.50", "0.335",
		"2.35", "162.00", "12 Ocean Avenue", "PO Box 7", "=PO-77")
	rows, err := csv.NewReader(strings.NewReader(v.page("/invoices.csv?state=open").body)).ReadAll()
	if err == nil && rows[0][0] != "\ufeff"+"invoice_no" {
		t.Errorf("the export begins with %q: Excel would misread it", rows[0][0])
	}
	if err != nil || len(rows) != 2 ||
		strings.Join(rows[1], "|") != strings.Join([]string{invoice, "invoice", rows[1][2], rows[1][3], no, "'=PO-77", "OPEN",
			"191.44", "191.44"}, "|") {
		t.Errorf("the export: %v %v", rows, err)
	}
	// filters
	for query, want := range map[string]any{"?q=po-77": invoice, "?q=nothing": nil, "?state=past_due": nil,
		"?state=paid": nil, "?from=2000-01-01&to=2000-12-31": nil, "?q=" + no: invoice} {
		if got := v.read("/invoices" + query).get("invoices.0.invoice_no"); got != want {
			t.Errorf("%s finds %v, want %v", query, got, want)
		}
	}
	if a := v.read("/invoices?from=tomorrow"); a.status != http.StatusUnprocessableEntity ||
		a.get("fields.0.field") != "from" {
		t.Errorf("a date that is none: %d %s", a.status, a.body)
	}

	// plain SQL applies a payment
	pgtest.Exec(t, s.db,
		`with p as (insert into erp.payment (customer_id, amount) select customer_id, 100 from erp.customer
			where customer_no = 'C1003' returning payment_id)
		insert into erp.payment_application (payment_id, invoice_id, amount) select p.payment_id, i.invoice_id, 91.44 from p,
			erp.invoice i`)
	socket.until(func(kind, ref, _ string) bool { return kind == "invoice" && ref == invoice })
	is(t, v.read("/invoices/"+invoice), map[string]any{"open_amount": "100.00", "state": "PART_PAID",
		"applied.0.amount": "91.44", "applied.0.kind": "payment"})
	// another customer's paper is no paper
	other := s.buyer("C1002")
	for _, path := range []string{"/invoices/" + invoice, "/invoices/" + invoice + "/pdf", "/payments/PY-1",
		"/statements/1/pdf"} {
		if a := other.page(path); a.status != http.StatusNotFound {
			t.Errorf("another customer gets %d at %s", a.status, path)
		}
	}
	if strings.Contains(other.page("/invoices.csv").body, invoice) {
		t.Error("another customer's export has the invoice")
	}
}

// The boundary days, a part payment and an open credit, on the account's page;
// then a statement: the same on screen, on paper, from the job run twice, and
// two months later.
func TestAcceptance31to33Account(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.buyer("C1003")
	pgtest.Exec(t, s.db, `select erp.set_clock('2026-03-31 12:00-04');
		insert into erp.invoice (customer_id, invoice_no, invoice_date, due_date, opened_total)
			select customer_id, 'B' || d.n, d.day, d.day + 30, 100 from erp.customer,
				(values (1, date '2026-03-02'), (2, '2026-03-01'), (3, '2026-01-31'), (4, '2026-01-30'), (5, '2026-01-01'),
				(6, '2025-12-31')) as d(n, day)
			where customer_no = 'C1003'`)
	buckets := func(a answer) string {
		return fmt.Sprint(a.get("aging.current"), " ", a.get("aging.days_30"), " ", a.get("aging.days_60"), " ",
			a.get("aging.days_90"), " ", a.get("aging.balance"), " ", a.get("aging.past_due"))
	}
	desk := s.logIn("desk@demo.example")
	for query, want := range map[string]string{
		"?as_of=2026-03-31": "100.00 200.00 200.00 100.00 600.00 400.00",
		// The one of 1 March is due today: not overdue
		"?as_of=2026-03-31&basis=due_date": "300.00 200.00 100.00 0.00 600.00 400.00",
		"?as_of=2026-03-30":                "200.00 200.00 200.00 0.00 600.00 400.00",
		"?as_of=2025-12-30":                "0.00 0.00 0.00 0.00 0.00 0.00",
		"?as_of=2026-03-01&basis=due_date": "400.00 100.00 0.00 0.00 500.00 200.00",
	} {
		if got := buckets(v.read("/account" + query)); got != want {
			t.Errorf("/account%s: %s, want %s", query, got, want)
		}
		a := desk.read("/desk/aging" + query)
		report := fmt.Sprint(a.get("total.current"), " ", a.get("total.days_30"), " ", a.get("total.days_60"), " ",
			a.get("total.days_90"), " ", a.get("total.balance"), " ", a.get("total.past_due"))
		if report != want {
			t.Errorf("/desk/aging%s: %s, want %s", query, report, want)
		}
	}
	says(t, "the account's page", v.page("/account").body, "Current is 0 to 29 days", "open-invoice-B6", "400.00")
	for _, query := range []string{"?as_of=2026-04-01", "?as_of=never", "?basis=moon"} {
		if a := v.read("/account" + query); a.status != http.StatusUnprocessableEntity {
			t.Errorf("/account%s: %d", query, a.status)
		}
		if a := v.page("/account" + query); a.status != http.StatusUnprocessableEntity ||
			!strings.Contains(a.body, "400.00") {
			t.Errorf("the page of /account%s: %d", query, a.status)
		}
	}

	// 32, at the desk: part paid, and a credit of 100.00
	pgtest.Exec(t, s.db,
		`set local session_replication_role = replica; update erp.invoice set total = 0, opened_total = 0, open_amount = 0;
			set local session_replication_role = origin;
		insert into erp.invoice (customer_id, invoice_no, invoice_date, due_date, opened_total) select customer_id, 'B32',
			date '2026-03-31' - 40, date '2026-03-31' - 10, 1000 from erp.customer where customer_no = 'C1003'`)
	key := "0d3c7c59-7f3c-4b6e-9f57-0a6f0b1f2c3d"
	pay := func() answer {
		return desk.post("/desk/customers/C1003/payments", "amount", "250.00", "payment_date", "2026-03-25", "method", "ach",
			"reference", "T-9", "key", key, "apply-B32", "250")
	}
	first, again := pay(), pay()
	if first.status != http.StatusOK || first.get("payment_no") != again.get("payment_no") {
		t.Fatalf("the same form twice: %s, %s", first.body, again.body)
	}
	for fields, want := range map[string]string{"amount x payment_date 2026-03-25": "amount",
		"amount 5 payment_date 2026-04-25": "payment_date", "amount 5 payment_date 2026-03-25 apply-B32 6": "amount",
		"amount 900 payment_date 2026-03-25 apply-B32 800": "apply-B32",
		"amount 5 payment_date 2026-03-25 apply-NONE 5":    "apply-NONE"} {
		if a := desk.post("/desk/customers/C1003/payments",
			strings.Fields(fields)...); a.status != http.StatusUnprocessableEntity || a.get("fields.0.field") != want {
			t.Errorf("%s: %d %s, want an error at %s", fields, a.status, a.body, want)
		}
	}
	if a := desk.send("/desk/customers/C1003/payments", "amount", "900", "payment_date", "2026-03-25",
		"reference", "kept-as-typed", "apply-B32", "800"); !strings.Contains(a.body, "kept-as-typed") ||
		!strings.Contains(a.body, `value="800"`) || !strings.Contains(a.body, "only 750.00 is open") {
		t.Error("what was typed is lost, or nothing says why")
	}
	pgtest.Exec(t, s.db, "insert into erp.credit_memo (customer_id, memo_no, memo_date, opened_total) select "+
		"customer_id, 'CM-32', date '2026-03-31' - 10, 100 from erp.customer where customer_no = 'C1003'")
	account := v.read("/account")
	if got := buckets(account); got != "-100.00 750.00 0.00 0.00 650.00 750.00" {
		t.Errorf("part paid with an open credit: %s", got)
	}
	is(t, account, map[string]any{"recent_payments.0.amount": "250.00", "recent_payments.0.reference": "T-9"})
	is(t, v.read("/payments/"+fmt.Sprint(first.get("payment_no"))),
		map[string]any{"applied.0.invoice_no": "B32", "applied.0.amount": "250.00"})

	// 33
	path := "/statement?from=2026-03-01&to=2026-03-31"
	march := v.read(path)
	is(t, march, map[string]any{"opening_balance": "1000.00", "closing_balance": "650.00", "aging.balance": "650.00",
		"posted_later": "0.00", "documents.2.doc_no": "CM-32", "documents.2.amount": "-100.00",
		"documents.2.balance": "900.00", "documents.3.amount": "-250.00", "documents.3.balance": "650.00"})
	figures := []string{"Opening balance", "1,000.00", "CM-32", "−100.00", "900.00", "−250.00", "650.00", "750.00"}
	says(t, "the statement's page", v.page(path).body, figures...)
	first33 := v.page("/statement/pdf?from=2026-03-01&to=2026-03-31")
	for i := range figures {
		figures[i] = strings.Replace(figures[i], "−", "-", 1) // the paper's font has no other
	}
	says(t, "the statement's paper", paper(t, first33), figures...)

	socket := v.live("")
	socket.hello()
	v.post("/statement", "from", "2026-03-01", "to", "2026-03-31")
	v.post("/statement", "from", "2026-03-01", "to", "2026-03-31") // a second click
	socket.until(func(kind, _, _ string) bool { return kind == "statement" })
	eventually(t, "the statement", func() bool { return v.read("/account").get("statements.0.status") == "READY" })
	// The job, retried
	pgtest.Exec(t, s.db, "insert into river.river_job (kind, args, queue, max_attempts, priority) values ('statement', "+
		"'{}', 'statement', 25, 1)")
	eventually(t, "the job's second run", func() bool {
		return pgtest.Value[int](t, s.db,
			"select count(*)::int from river.river_job where kind = 'statement' and state <> 'completed'") == 0
	})
	if n := pgtest.Value[string](t, s.db,
		"select concat_ws(' ', count(*) filter (where status = 'READY'), count(distinct document_id), (select count(*) "+
			"from portal.document)) from portal.statement"); n != "1 1 1" && n != "2 2 2" {
		t.Errorf("statements ready, papers: %s", n)
	}
	id := fmt.Sprint(v.read("/account").get("statements.0.statement_id"))
	sent := v.page("/statements/" + id + "/pdf")
	if !bytes.Equal([]byte(sent.body), []byte(first33.body)) {
		t.Error("the stored paper differs from the one on demand")
	}
	if a := s.buyer("C1002").page("/statements/" + id + "/pdf"); a.status != http.StatusNotFound {
		t.Errorf("another customer gets the stored paper: %d", a.status)
	}

	// in May, much later, and after a payment for it
	pgtest.Exec(t, s.db, `select erp.set_clock('2026-05-20 12:00-04');
		with p as (insert into erp.payment (customer_id, amount) select customer_id, 500 from erp.customer
			where customer_no = 'C1003' returning payment_id)
		insert into erp.payment_application (payment_id, invoice_id, amount) select p.payment_id, i.invoice_id, 500 from p,
			erp.invoice i where invoice_no = 'B32'`)
	if a := v.read(path + "&as_of=2026-03-31"); a.body != march.body {
		t.Errorf("in May the statement of March is\n%s, was\n%s", a.body, march.body)
	}
	if a := v.page("/statement/pdf?from=2026-03-01&to=2026-03-31"); a.body != first33.body {
		t.Error("in May the paper of March has other bytes")
	}
	if a := v.page("/statements/" + id + "/pdf"); a.body != sent.body {
		t.Error("the stored paper has changed")
	}
	is(t, v.read(path+"&as_of=2026-05-20"),
		map[string]any{"closing_balance": "650.00", "posted_later": "-500.00", "aging.balance": "150.00"})
}

// A customer without balance: nothing of it anywhere, until it is switched on,
// which the open page shows.
func TestAcceptance34BalanceHidden(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db,
		`update erp.web_access set see_balance = false where customer_id = (select customer_id from erp.customer
			where customer_no = 'C1005')`)
	b := openBrowser(t, s.URL, 1280)
	b.logIn("buyer@c1005.example")
	b.goTo("/")
	b.connected()
	b.mark()
	v := s.buyer("C1005")
	socket := v.live("")
	socket.hello()
	// 417.33 is owed: 617.33 less 150.00 paid and 50.00 credited
	pgtest.Exec(t, s.db, `
		insert into erp.invoice (customer_id, invoice_no, opened_total) select customer_id, 'H1', 617.33 from erp.customer
			where customer_no = 'C1005';
		insert into erp.payment (customer_id, payment_no, amount, reference) select customer_id, 'PY-HIDDEN', 150,
			'REF-HIDDEN' from erp.customer where customer_no = 'C1005';
		insert into erp.payment_application (payment_id, invoice_id, amount) select payment_id, invoice_id, 150
			from erp.payment, erp.invoice;
		insert into erp.credit_memo (customer_id, memo_no, opened_total) select customer_id, 'CM-HIDDEN', 50
			from erp.customer where customer_no = 'C1005';
		insert into portal.statement (customer_id, period_from, period_to) select customer_id, erp.today(), erp.today()
			from erp.customer where customer_no = 'C1005'`)
	eventually(t, "the statement is refused",
		func() bool { return pgtest.Value[string](t, s.db, "select status from portal.statement") == "FAILED" })
	pgtest.Exec(t, s.db, "select portal.emit('notice', customer_id, 'end') from erp.customer where customer_no = 'C1005'")
	seen, _ := socket.until(func(_, ref, _ string) bool { return ref == "end" })
	heard := strings.Join(seen, "\n")
	for _, path := range []string{"/", "/account", "/payments", "/payments/PY-HIDDEN", "/statement", "/statement/pdf",
		"/statements/1/pdf", "/invoices", "/invoices/H1", "/invoices.csv", "/cart", "/profile", "/orders"} {
		for _, a := range []answer{v.read(path), v.page(path)} {
			heard += a.body
			if forbidden := strings.HasPrefix(path, "/account") || strings.HasPrefix(path, "/payment") ||
				strings.HasPrefix(path, "/statement"); forbidden != (a.status == http.StatusForbidden) {
				t.Errorf("%s answers %d", path, a.status)
			}
		}
	}
	heard += paper(t, v.page("/invoices/H1/pdf"))
	for _, secret := range []string{"417.33", "467.33", "150.00", "50.00", "HIDDEN", `"kind":"payment"`,
		`"kind":"statement"`} {
		if i := strings.Index(heard, secret); i >= 0 {
			t.Errorf("it reads %s: …%s…", secret, heard[max(0, i-100):min(len(heard), i+30)])
		}
	}
	for _, event := range seen {
		if strings.HasPrefix(event, "payment") || strings.HasPrefix(event, "credit") ||
			strings.HasPrefix(event, "statement") {
			t.Errorf("the socket told %s", event)
		}
	}
	if !strings.Contains(heard, "617.33") {
		t.Error("the invoice itself is hidden as well")
	}
	b.see("the invoice, without what is open",
		"document.querySelector('#open-H1')?.textContent.includes('617.33') && !document.body.textContent.includes('467.33')")
	if a := v.post("/statement"); a.status != http.StatusForbidden {
		t.Errorf("a statement can be asked for: %d", a.status)
	}

	pgtest.Exec(t, s.db, "update erp.web_access set see_balance = true")
	b.see("the balance, in the open page",
		"document.querySelector('#balance')?.textContent.includes('417.33') && document.querySelector('#side-nav "+
			"a[href=\"/account\"]') !== null")
	b.stillMarked()
	is(t, v.read("/account"), map[string]any{"aging.balance": "417.33"})

	// in print: a head, no menus, and what A4 and Letter have room for
	for _, path := range []string{"/invoices/H1", "/statement"} {
		b.goTo(path)
		if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia,
			emulation.SetEmulatedMediaParams{Media: "print"}); err != nil {
			t.Fatal(err)
		}
		if shown := eval[string](b,
			`[...document.querySelectorAll('.top, .side, .bar, .foot, .btn, .toolbar, #toasts')].filter((e) => e.getClientRects().length > 0).map((e) => e.className).join(', ')`); shown != "" {
			t.Errorf("%s prints %s", path, shown)
		}
		if head := eval[string](b, "document.querySelector('.print-head').innerText"); !strings.Contains(head,
			"Harbor & Main Wholesale") {
			t.Errorf("%s prints the head %q", path, head)
		}
		for name, size := range map[string][2]float64{"A4": {8.27, 11.69}, "Letter": {8.5, 11}} {
			pdf, err := chromedp.Call(b.ctx, page.PrintToPDF, page.PrintToPDFParams{PaperWidth: size[0], PaperHeight: size[1]})
			if err != nil {
				t.Fatal(err)
			}
			if pages := strings.Count(string(pdf.Data), "/Type /Page\n"); pages != 1 {
				t.Errorf("%s on %s: %d pages", path, name, pages)
			}
		}
	}
}

// Half of a run's statements are being made when the process is killed; the next
// makes the rest, and each once.
func TestStatementRunKilled(t *testing.T) {
	t.Parallel()
	const customers = 100
	db := pgtest.New(t)
	pgtest.Exec(t, db, `select erp.set_clock('2026-04-20 12:00-04');
		insert into erp.customer (customer_no, name) select 'R' || n, 'Customer ' || n from generate_series(1, 100) n;
		update erp.web_access set monthly_statement = true;
		insert into erp.invoice (customer_id, invoice_date, due_date, opened_total) select customer_id,
			date '2026-03-01' + n, date '2026-04-01' + n, n * 10 from erp.customer, generate_series(1, 20) n;
		select portal.begin_statement_run('2026-03-01', '2026-03-31')`)
	ready := func() int {
		return pgtest.Value[int](t, db, "select count(*)::int from portal.statement where status = 'READY'")
	}
	var killedAt []int
	for range 2 {
		process, _ := startProcess(t, db.URL)
		before := ready()
		eventually(t, "some of them", func() bool { return ready() > before })
		if err := process.Kill(); err != nil {
			t.Fatal(err)
		}
		_, _ = process.Wait()
		killedAt = append(killedAt, ready())
	}
	if killedAt[0] >= customers {
		t.Errorf("killed when all %d were made: nothing is shown", customers)
	}
	_, _ = startProcess(t, db.URL)
	eventually(t, "all of them", func() bool {
		return ready() == customers && pgtest.Value[bool](t, db, "select finished_at is not null from portal.statement_run")
	})
	if got := pgtest.Value[string](t, db,
		`select concat_ws(' ', (select count(*) from portal.document), count(distinct document_id), min(closing),
			max(closing)) from portal.statement`); got != "100 100 2100.00 2100.00" {
		t.Errorf("papers, statements with one, their balances: %s", got)
	}
}

// The desk's forms: a credit for an amount, what is open applied and taken back,
// a payment that came back, oldest first, and runs of statements.
func TestDeskMoney(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	desk, ops, v := s.logIn("desk@demo.example"), s.logIn("ops@demo.example"), s.buyer("C1003")
	pgtest.Exec(t, s.db, `select erp.set_clock('2026-04-10 12:00-04');
		update erp.web_access set monthly_statement = true where customer_id <= 2;
		insert into erp.invoice (customer_id, invoice_no, invoice_date, due_date, opened_total) select customer_id, 'D' || n,
			date '2026-03-01' + n, date '2026-03-31' + n, 100 from erp.customer, generate_series(1, 3) n
			where customer_no = 'C1003'`)
	open := func() string {
		return pgtest.Value[string](t, s.db,
			"select string_agg(trim_scale(open_amount)::text, ' ' order by invoice_no) from erp.invoice")
	}
	step := func(what string, a answer, want int, field any, openAfter string) {
		t.Helper()
		if a.status != want || field != nil && a.get("fields.0.field") != field {
			t.Errorf("%s: %d %s, want %d at %v", what, a.status, a.body, want, field)
		}
		if got := open(); got != openAfter {
			t.Errorf("%s leaves %s open, want %s", what, got, openAfter)
		}
	}
	paid := desk.post("/desk/customers/C1003/payments", "amount", "1,150.00", "payment_date", "2026-04-09", "oldest_first",
		"true", "apply-D3", "20")
	step("oldest first", paid, http.StatusOK, nil, "0 0 0")
	no := fmt.Sprint(paid.get("payment_no"))
	is(t, v.read("/account"), map[string]any{"aging.balance": "-850.00", "recent_payments.0.open_amount": "850.00"})
	step("no reason", desk.post("/desk/payments/"+no+"/reverse", "reversed_on", "2026-04-10"),
		http.StatusUnprocessableEntity, "reason", "0 0 0")
	step("before it came", desk.post("/desk/payments/"+no+"/reverse", "reversed_on", "2026-04-01", "reason", "no funds"),
		http.StatusUnprocessableEntity, "reversed_on", "0 0 0")
	step("it came back", desk.post("/desk/payments/"+no+"/reverse", "reversed_on", "2026-04-10", "reason", "no funds"),
		http.StatusOK, nil, "100 100 100")
	step("again", desk.post("/desk/payments/"+no+"/reverse", "reversed_on", "2026-04-10", "reason", "no funds"),
		http.StatusConflict, nil, "100 100 100")
	says(t, "the payment's page", v.page("/payments/"+no).body, "came back", "no funds", "1,150.00")
	is(t, v.read("/statement?from=2026-04-01"), map[string]any{"documents.0.amount": "-1150.00",
		"documents.1.kind": "reversal", "documents.1.amount": "1150.00", "closing_balance": "300.00"})

	memo := desk.post("/desk/customers/C1003/credits", "credit_amount", "130", "credit_reason", "Spring rebate",
		"credit_invoice", "D1")
	step("a credit for an invoice", memo, http.StatusOK, nil, "0 100 100")
	memoNo := fmt.Sprint(memo.get("memo_no"))
	step("no reason", desk.post("/desk/customers/C1003/credits", "credit_amount", "130"), http.StatusUnprocessableEntity,
		"credit_reason", "0 100 100")
	step("another's invoice", desk.post("/desk/customers/C1002/credits", "credit_amount", "130", "credit_reason", "x",
		"credit_invoice", "D1"), http.StatusUnprocessableEntity, "credit_invoice", "0 100 100")
	apply := func(amount, invoice string) answer {
		return desk.post("/desk/customers/C1003/apply", "kind", "credit_memo", "doc_no", memoNo,
			"invoice_no", invoice, "amount", amount)
	}
	step("more than is open", apply("31", "D2"), http.StatusUnprocessableEntity, "amount", "0 100 100")
	step("the rest of the credit", apply("30", "D2"), http.StatusOK, nil, "0 70 100")
	step("taken back", apply("-10", "D2"), http.StatusOK, nil, "0 80 100")
	step("more taken back than applied", apply("-21", "D2"), http.StatusUnprocessableEntity, "amount", "0 80 100")
	step("to nobody's invoice", apply("1", "NONE"), http.StatusUnprocessableEntity, "invoice_no", "0 80 100")
	if a := desk.read("/desk/customers/C1003/account"); a.get("aging.balance") != "170.00" ||
		a.get("open_credits.0.open_amount") != "10.00" {
		t.Errorf("the account: %s", a.body)
	}
	rows, err := csv.NewReader(strings.NewReader(desk.page("/desk/aging.csv").body)).ReadAll()
	if err != nil || len(rows) != 2 || rows[0][0] != "\ufeff"+"customer_no" || rows[1][0] != "C1003" ||
		rows[1][8] != "170.00" {
		t.Errorf("the report as a file: %v %v", rows, err)
	}
	is(t, desk.read("/desk/invoices?state=open&q=C1003"),
		map[string]any{"invoices.0.invoice_no": "D3", "invoices.1.invoice_no": "D2", "invoices.2": nil})
	is(t, desk.read("/desk/payments?q="+no), map[string]any{"payments.0.payment_no": no, "payments.1": nil})

	if a := ops.post("/ops/statements", "from", "2026-03-01", "to", "2026-03-31"); a.status != http.StatusOK {
		t.Fatalf("a run: %d %s", a.status, a.body)
	}
	eventually(t, "the run is done", func() bool { return ops.read("/ops/statements").get("runs.0.finished_at") != nil })
	is(t, ops.read("/ops/statements"),
		map[string]any{"runs.0.wanted": 2, "runs.0.ready": 2, "runs.0.failed": 0, "runs.0.started_by": "ops@demo.example"})
	if a := ops.post("/ops/statements", "from", "2026-03-01", "to", "2026-03-31"); a.status != http.StatusConflict {
		t.Errorf("the same period again: %d", a.status)
	}
	if a := desk.read("/ops/statements"); a.status != http.StatusNotFound {
		t.Errorf("the desk sees the operators' page: %d", a.status)
	}
	if got := pgtest.Value[int](t, s.db, "select portal.begin_monthly_run()"); got != 0 {
		t.Errorf("a monthly run in the middle of a month, or twice: %d", got)
	}
}
