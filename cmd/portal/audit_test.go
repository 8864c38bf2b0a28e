package main

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"portal.example/portal/internal/pgtest"
)

// audited counts the rows of the log whose kind is of a group.
func (s *site) audited(group string) int {
	s.t.Helper()
	return pgtest.Value[int](s.t, s.db, "select count(*)::int from portal.audit join portal.act_kind on code = action where act_group = $1", group)
}

// newest is the last row of the log of a kind: who, to what, of which customer, what else.
func (s *site) newest(action string) string {
	s.t.Helper()
	return pgtest.Value[string](s.t, s.db, `select coalesce((select concat_ws(' ', a.actor, nullif(a.subject, ''), c.customer_no, a.data - 'user_agent' - 'session')
		from portal.audit a left join erp.customer c using (customer_id) where a.action = $1 order by a.audit_id desc limit 1), '')`, action)
}

// What people do is in the log, and the desk reads it in words.
func TestAuditLog(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	buyer, desk, ops := s.buyer("C1001"), s.logIn("desk@demo.example"), s.logIn("ops@demo.example")
	buyer.post("/cart/lines", "item_no", "OIL5", "qty", "5")
	no := fmt.Sprint(buyer.confirm().get("order_no"))
	eventually(t, "approved", func() bool { return buyer.read("/orders/"+no).get("status") == "APPROVED" })
	pgtest.Exec(t, s.db, "select erp.ship_order('"+no+"', 'UPS', '1Z')")
	invoice := pgtest.Value[string](t, s.db, "select erp.invoice_order('"+no+"')")
	buyer.post("/statement", "from", "2026-01-01", "to", "2026-01-31")
	eventually(t, "the statement is there", func() bool {
		return pgtest.Value[int](t, s.db, "select count(*)::int from portal.document where kind = 'statement'") > 0
	})
	eventually(t, "a mail is written", func() bool {
		return pgtest.Value[int](t, s.db, "select count(*)::int from portal.mail where status <> 'queued'") > 0
	})
	mail := pgtest.Value[string](t, s.db, "select min(mail_id)::text from portal.mail where status <> 'queued'")
	statement := pgtest.Value[string](t, s.db, "select coalesce(min(document_id), 1)::text from portal.document where kind = 'statement'")

	t.Run("whatever is a file has a row", func(t *testing.T) {
		names := strings.NewReplacer(":order_no", no, ":invoice_no", invoice, ":statement_id", statement, ":customer_no", "C1001", ":item_no", "OIL5", ":mail_id", mail,
			":login_id", "1", ":list_id", "1", ":code", "NORTH", "*name", "app.js", "*rest", "", ":standing_order_id", "new", ":request_no", "new")
		asked := map[string][]string{"/desk/prices/export": {"?what=levels", "?what=contracts"}, "/quick-order/template": {"", "?format=xlsx"}}
		files := 0
		for _, route := range everyRoute(t) {
			method, pattern, _ := strings.Cut(route, " ")
			if method != "GET" || pattern == "/live" || strings.HasPrefix(pattern, "/assets/") || strings.HasPrefix(pattern, "/login") || strings.HasPrefix(pattern, "/ops/jobs") {
				continue
			}
			path := regexp.MustCompile(`[:*]\w+`).ReplaceAllString(names.Replace(pattern), "1")
			visitor := buyer
			if strings.HasPrefix(pattern, "/desk") || strings.HasPrefix(pattern, "/ops") {
				visitor = ops
			}
			queries := asked[pattern]
			if queries == nil {
				queries = []string{""}
			}
			for _, query := range queries {
				before := s.audited("export")
				a := visitor.page(path + query)
				rows := s.audited("export") - before
				media, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
				file := a.status == http.StatusOK && (a.header.Get("Content-Disposition") != "" || media == "application/pdf" || media == "text/csv" || strings.Contains(media, "spreadsheet"))
				if file {
					files++
				}
				if file && rows != 1 {
					t.Errorf("%s%s: a file without a row in the audit log: wrap its handler in Recorded (http/http.go)", path, query)
				}
				if a.status >= 400 && rows > 0 {
					t.Errorf("%s: %d has a row", path, a.status)
				}
			}
		}
		if files < 12 {
			t.Errorf("only %d files were found", files)
		}
	})
	for _, c := range []struct {
		what string
		do   func()
		kind string
		want string
	}{
		{"a list", func() { buyer.page("/invoices.csv?state=open") }, "export", `buyer@c1001.example C1001 {"what": "invoices", "asked": "state=open"}`},
		{"a paper of a customer", func() { desk.page("/desk/customers/C1002/statement/pdf") }, "paper", `desk@demo.example C1002 {"what": "statement"}`},
		{"a sheet", func() { desk.page("/desk/warehouse/" + no + "/pick-list") }, "print", "desk@demo.example " + no + ` {"what": "pick list"}`},
		{"the browser's own menu", func() { desk.send("/printed", "page", "/desk/aging?q=x") }, "print", `desk@demo.example /desk/aging {"what": "page", "asked": "q=x"}`},
		{"a mail", func() { ops.page("/ops/mail/" + mail) }, "mail_read", "ops@demo.example " + mail + " {}"},
		{"a queue", func() { ops.do("PUT", "/ops/jobs/api/queues/default/pause", "application/json", nil) }, "queue", `ops@demo.example api/queues/default/pause {"what": "PUT"}`},
		{"acting", func() { desk.send("/desk/customers/C1001/acting", "mode", "preview"); desk.page("/invoices.csv") }, "export", `desk@demo.example for C1001 C1001 {"what": "invoices", "acting": "preview"}`},
	} {
		if c.do(); s.newest(c.kind) != c.want {
			t.Errorf("%s: %s, want %s", c.what, s.newest(c.kind), c.want)
		}
	}
	ops.do("PUT", "/ops/jobs/api/queues/default/resume", "application/json", nil)
	if a := desk.send("/printed", "page", "/nowhere"); a.status != http.StatusNotFound {
		t.Errorf("a page that is not there: %d", a.status)
	}
	s.visit().post("/login", "email", "buyer@c1001.example", "password", "not the right one")
	s.visit().post("/login", "email", "nobody@nowhere.example", "password", "not the right one")
	pgtest.Exec(t, s.db, "select portal.tell_login_failures('0')")

	t.Run("in words", func(t *testing.T) {
		for _, c := range []struct{ query, want string }{
			{"?group=sign_in&person=buyer@c1001.example", "<strong>buyer@c1001.example</strong> logged in"},
			{"?group=sign_in&customer=C1001", "<strong>Somebody</strong> did not log in: wrong password"},
			{"?group=sign_in", "an e-mail that nobody logs in with"},
			{"?group=export&person=buyer@c1001.example", "exported invoices"},
			{"?group=acting", `opened a preview of the portal of <a class="code" href="/desk/customers/C1001">C1001</a>`},
			{"?subject=" + no, `moved the order <a class="code" href="/desk/orders/` + no + `">` + no + "</a>"},
			{"?subject=" + no, "status: Submitted → <strong>Approved</strong>"},
			{"?noun=invoice", `href="/desk/invoices/` + invoice},
			{"?group=operation", "changed the jobs PUT"},
			{"?person=nobody@else.example", "Nothing of the kind"},
			{"?customer=NOPE", "There is no customer NOPE."},
			{"?from=never", "Write the date as YYYY-MM-DD."},
			{"?from=2031-01-01&to=2030-01-01", "The last day lies before the first."},
		} {
			if a := desk.page("/desk/audit" + c.query); !strings.Contains(a.body, c.want) {
				t.Errorf("%s: does not say %q (%d)", c.query, c.want, a.status)
			}
		}
		if a := desk.page("/desk/customers/C1001"); !strings.Contains(a.body, "/desk/audit?customer=C1001") {
			t.Error("the customer's page does not lead there")
		}
	})
	t.Run("as a file", func(t *testing.T) {
		pgtest.Exec(t, s.db, "update erp.customer set name = '=cmd()' where customer_no = 'C1002'; insert into portal.audit (actor, action, subject) values ('=1+1', 'export', '@x')")
		a := desk.page("/desk/audit.csv")
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(a.body, "\ufeff"))).ReadAll()
		if err != nil || !strings.HasPrefix(a.body, "\ufeff") {
			t.Fatal(err)
		}
		if want := pgtest.Value[int](t, s.db, "select count(*)::int from portal.audit"); len(rows) < want || len(rows) > want+5 {
			t.Errorf("%d lines of %d rows", len(rows), want)
		}
		if !strings.Contains(a.body, ",'=1+1,exported,'@x,") {
			t.Error("formulas are not escaped")
		}
		if got := s.newest("export"); got != `desk@demo.example {"what": "audit log"}` {
			t.Errorf("the export of the log: %s", got)
		}
	})
	t.Run("not for customers", func(t *testing.T) {
		for _, path := range []string{"/desk/audit", "/desk/audit.csv", "/desk/audit?customer=C1001"} {
			if a := buyer.page(path); a.status != http.StatusNotFound {
				t.Errorf("%s: %d", path, a.status)
			}
		}
	})
	t.Run("what cannot be told is not handed out", func(t *testing.T) {
		pgtest.Exec(t, s.db, "alter table portal.audit add constraint test_full check (action <> 'export') not valid")
		if a := buyer.page("/quick-order/template"); a.status != http.StatusInternalServerError || a.header.Get("Content-Disposition") != "" || strings.Contains(a.body, "Item number") {
			t.Errorf("%d %s", a.status, a.body)
		}
		pgtest.Exec(t, s.db, "alter table portal.audit drop constraint test_full")
	})
}
