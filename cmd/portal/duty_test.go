package main

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"portal.example/portal/internal/pgtest"
)

var allDuties = []string{"sales", "warehouse", "credit", "prices", "administrator"}

// peopleOfDuties are log-ins of staff with one duty each, named after it, and nobody@ with none.
const peopleOfDuties = `
insert into portal.login (staff_role, email, password_hash, name)
	select 'desk', d.code || '@demo.example', l.password_hash, initcap(d.code) || ' only'
	from (select code from portal.duty union all select 'nobody') d, portal.login l where l.email = 'desk@demo.example';
insert into portal.user_duty (user_id, duty)
	select l.login_id, d.code from portal.login l join portal.duty d on l.email = d.code || '@demo.example';`

// refusals are how often somebody was refused for the want of a duty, by the audit.
func refusals(t testing.TB, s *site, email string) int {
	t.Helper()
	return pgtest.Value[int](t, s.db, "select count(*)::int from portal.audit where action = 'refused' and subject = $1", email)
}

// Scenario 61, and what hangs on it: one portal, with a person for each duty.
func TestDuties(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, peopleOfDuties)
	people := map[string]*visitor{}
	for _, duty := range append(slices.Clone(allDuties), "nobody") {
		people[duty] = s.logIn(duty + "@demo.example")
	}

	t.Run("61: each opens the others' pages", func(t *testing.T) {
		for owner, asked := range map[string][]string{
			"warehouse": {"GET /desk/warehouse", "GET /desk/warehouse/SO-1", "POST /desk/warehouse/SO-1/pick", "POST /desk/orders/SO-1/ship",
				"POST /desk/items/OIL5/receive", "POST /desk/shipments/1/delivered"},
			"credit": {"GET /desk/aging", "GET /desk/payments", "GET /desk/customers/C1001/account", "POST /desk/customers/C1001/payments",
				"POST /desk/customers/C1001/credits", "POST /desk/orders/SO-1/invoice", "GET /desk/waiting"},
			"sales": {"POST /desk/orders", "POST /desk/orders/SO-1/edit", "GET /desk/why"},
		} {
			for _, other := range []string{"warehouse", "credit", "sales"} {
				before, v := refusals(t, s, other+"@demo.example"), people[other]
				for _, route := range asked {
					method, path, _ := strings.Cut(route, " ")
					a := v.do(method, path, "application/json", strings.NewReader(""))
					if (a.status == http.StatusForbidden) != (other != owner) {
						t.Errorf("%s by %s: %d %s", route, other, a.status, a.body)
					}
				}
				if now := refusals(t, s, other+"@demo.example"); other != owner && now-before != len(asked) || other == owner && now != before {
					t.Errorf("%s at the pages of %s: %d refusals in the audit", other, owner, now-before)
				}
			}
		}
		if got := pgtest.Value[string](t, s.db, "select data ->> 'asked' || ' ' || (data ->> 'needs') || actor from portal.audit where action = 'refused' and data ->> 'asked' like '%credits' limit 1"); !strings.HasPrefix(got, `POST /desk/customers/C1001/credits ["credit"]`) || !strings.HasSuffix(got, "@demo.example") {
			t.Errorf("the audit says %s", got)
		}
		if a := people["sales"].page("/desk/aging"); a.status != http.StatusForbidden || !strings.Contains(a.body, "<strong>Credit</strong>") ||
			!strings.Contains(a.body, "Yours: Sales.") || !strings.Contains(a.body, "Administrator only") {
			t.Errorf("the page of the refusal: %d %s", a.status, a.body)
		}
	})

	// Which duties open which route of the desk, tried with each. A new route fails here until
	// somebody has said who opens it: in http/page/duty.go, and in the file.
	t.Run("every route", func(t *testing.T) {
		names := strings.NewReplacer(":order_no", "SO-1", ":customer_no", "C1001", ":item_no", "OIL5", ":login_id", "999999", ":holiday_id", "999",
			":shipment_id", "999", ":request_no", "CR-1", ":photo_id", "9", ":payment_no", "P-1", ":invoice_no", "I-1", ":code", "NORTH", ":entry_id", "999")
		var got strings.Builder
		for _, route := range everyRoute(t) {
			method, pattern, _ := strings.Cut(route, " ")
			if !strings.HasPrefix(pattern, "/desk") && pattern != "/acting/end" {
				continue
			}
			path := names.Replace(pattern)
			if strings.Contains(path, ":") {
				t.Errorf("the walk has no value for %s", pattern)
			}
			open := []string{}
			for _, duty := range append(slices.Clone(allDuties), "nobody") {
				a := people[duty].do(method, path, "application/json", strings.NewReader(""))
				needs, _ := a.get("duty.needs").([]any)
				switch {
				case a.status >= 500:
					t.Errorf("%s by %s: %d %s", route, duty, a.status, a.body)
				case a.status != http.StatusForbidden:
					open = append(open, duty)
				case len(needs) == 0 || slices.Contains(needs, any(duty)):
					t.Errorf("%s by %s is refused and does not say what is needed: %s", route, duty, a.body)
				}
			}
			fmt.Fprintf(&got, "%s: %s\n", route, strings.Join(open, " "))
		}
		const file = "testdata/duties.txt"
		if os.Getenv("UPDATE_DUTIES") != "" {
			if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got.String() != string(want) {
			t.Errorf("who opens what has changed; UPDATE_DUTIES=1 writes %s anew:\n%s", file, got.String())
		}
	})

	t.Run("menus", func(t *testing.T) {
		menu := regexp.MustCompile(`href="(/(?:desk|ops)[a-z/]*)"`)
		for duty, v := range people {
			path := "/desk/orders"
			if duty == "nobody" {
				path = "/desk/profile"
			}
			for _, m := range menu.FindAllStringSubmatch(v.page(path).body, -1) {
				if a := v.page(m[1]); a.status != http.StatusOK && a.status != http.StatusSeeOther && m[1] != "/desk/orders" {
					t.Errorf("%s is led to %s: %d", duty, m[1], a.status)
				}
			}
		}
	})

	t.Run("taken away at once", func(t *testing.T) {
		v, admin := people["prices"], people["administrator"]
		id := pgtest.Value[int64](t, s.db, "select login_id from portal.login where email = 'prices@demo.example'")
		if a := v.read("/desk/prices"); a.status != http.StatusOK {
			t.Fatalf("prices: %d", a.status)
		}
		if a := admin.post(fmt.Sprintf("/desk/staff/%d", id), "name", "Pat", "sales", "true"); a.status != http.StatusOK {
			t.Fatalf("save: %d %s", a.status, a.body)
		}
		if a := v.read("/desk/prices"); a.status != http.StatusForbidden {
			t.Errorf("prices after they were taken away: %d", a.status)
		}
		if a := v.post("/desk/items/OIL5", "price_a", "1"); a.status != http.StatusForbidden {
			t.Errorf("an item's price after that: %d", a.status)
		}
	})
}

// The list of staff: invited, given duties, closed, logged out; and nobody locks themselves
// or everybody out.
func TestStaffPage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admin := s.logIn("desk@demo.example")
	socket := admin.live("")
	socket.hello()
	me := pgtest.Value[string](t, s.db, "select login_id::text from portal.login where email = 'desk@demo.example'")
	if a := admin.send("/desk/staff", "email", "no address", "name", "Walt", "warehouse", "true"); a.status != http.StatusUnprocessableEntity ||
		!strings.Contains(a.body, `value="Walt"`) || !strings.Contains(a.body, "Enter an e-mail address") {
		t.Errorf("no address: %d %s", a.status, a.body)
	}
	a := admin.post("/desk/staff", "email", "walt@demo.example", "name", "Walt", "warehouse", "true")
	link, id := a.text("link"), fmt.Sprint(a.get("login_id"))
	if a.status != http.StatusOK || link == "" {
		t.Fatalf("invite: %d %s", a.status, a.body)
	}
	socket.until(func(kind, _, _ string) bool { return kind == "staff" })
	walt := s.visit()
	if a := walt.post("/invite", "token", link[strings.Index(link, "token=")+6:], "new_password", setPassword); a.status != http.StatusOK {
		t.Fatalf("accept: %d %s", a.status, a.body)
	}
	if a := walt.page("/desk/warehouse"); a.status != http.StatusOK {
		t.Errorf("the warehouse of Walt: %d", a.status)
	}
	if a := walt.page("/desk/aging"); a.status != http.StatusForbidden {
		t.Errorf("money for Walt: %d", a.status)
	}
	if got := admin.read("/desk/staff"); !strings.Contains(got.body, `"email":"walt@demo.example"`) || !strings.Contains(got.body, `"sessions":1`) {
		t.Errorf("the list: %s", got.body)
	}

	// two with the page open: the second is told what the first changed
	shown := regexp.MustCompile(`name="shown" value="([^"]*)"`).FindStringSubmatch(admin.page("/desk/staff/" + id).body)
	if shown == nil {
		t.Fatal("the form carries nothing that was shown")
	}
	pgtest.Exec(t, s.db, "select portal.set_duties($1, array['warehouse', 'sales'])", mustInt(t, id))
	carried := strings.NewReplacer("&#34;", `"`, "&quot;", `"`, "&amp;", "&").Replace(shown[1])
	if a := admin.post("/desk/staff/"+id, "name", "Walt", "credit", "true", "shown", carried); a.status != http.StatusConflict || !strings.Contains(a.body, "Sales") {
		t.Errorf("over what another set: %d %s", a.status, a.body)
	}

	for path, form := range map[string][]string{
		"/desk/staff/" + me + "/disable":  {"disabled", "true"},
		"/desk/staff/" + me:               {"name", "Dana", "sales", "true"},
		"/desk/staff/" + me + "/sessions": nil,
		"/desk/staff/" + me + "/factors":  nil,
	} {
		if a := admin.post(path, form...); a.status != http.StatusConflict {
			t.Errorf("%s of oneself: %d %s", path, a.status, a.body)
		}
	}
	if a := admin.post("/desk/staff/" + id + "/sessions"); a.status != http.StatusOK || walt.page("/desk/warehouse").status != http.StatusSeeOther {
		t.Errorf("end sessions: %d %s", a.status, a.body)
	}
	if a := admin.post("/desk/staff/"+id+"/disable", "disabled", "true"); a.status != http.StatusOK {
		t.Errorf("close: %d %s", a.status, a.body)
	}
	if a := s.visit().post("/login", "email", "walt@demo.example", "password", setPassword); a.status != http.StatusUnauthorized {
		t.Errorf("a closed log-in: %d", a.status)
	}

	// the command line, and what it cannot do either
	for _, c := range []struct {
		says string
		args []string
	}{
		{"walt@demo.example is open", []string{"user", "enable", "walt@demo.example"}},
		{"walt@demo.example: credit, prices", []string{"user", "duties", "walt@demo.example", "--set", "prices,credit"}},
		{"There is no duty king", []string{"user", "duties", "walt@demo.example", "--set", "king"}},
		{"walt@demo.example: none", []string{"user", "duties", "walt@demo.example", "--set", "none"}},
		{"walt@demo.example is closed", []string{"user", "disable", "walt@demo.example"}},
		{"There is no log-in nobody@demo.example", []string{"user", "disable", "nobody@demo.example"}},
		{"sally@demo.example", []string{"user", "add", "sally@demo.example", "--role", "desk", "--duties", "sales"}},
		{"sally@demo.example: sales", []string{"user", "duties", "sally@demo.example"}},
		{"ops@demo.example is closed", []string{"user", "disable", "ops@demo.example"}},
		{"Somebody has to be left who is an administrator", []string{"user", "disable", "desk@demo.example"}},
	} {
		if _, out, errs := portal(t, s.db, c.args...); !strings.Contains(out+errs, c.says) {
			t.Errorf("%v: %s%s", c.args, out, errs)
		}
	}
	if n := pgtest.Value[int](t, s.db, "select count(*)::int from portal.audit where action = 'duty' and subject = 'walt@demo.example'"); n < 4 {
		t.Errorf("%d rows of the audit about Walt's duties", n)
	}
}

// Four eyes: nothing is posted until a second person has approved it, and the audit has both
// names. What stands in the database's own way is in sql/four_eyes_test.go.
func TestFourEyes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, peopleOfDuties)
	pgtest.Exec(t, s.db, "update erp.company set four_eyes_amount = 1000")
	first, second := s.logIn("credit@demo.example"), s.logIn("desk@demo.example")
	payments := func() int {
		return pgtest.Value[int](t, s.db, "select count(*)::int from erp.payment where amount >= 1000")
	}
	today := pgtest.Value[string](t, s.db, "select erp.today()::text")
	pay := func(key, amount string) answer {
		return first.post("/desk/customers/C1001/payments", "amount", amount, "payment_date", today, "method", "check", "reference", "4711", "key", key, "oldest_first", "true")
	}
	if a := pay("00000000-0000-0000-0000-000000000001", "999.99"); a.status != http.StatusOK || a.text("payment_no") == "" {
		t.Errorf("below the amount: %d %s", a.status, a.body)
	}
	if a := pay("00000000-0000-0000-0000-000000000002", "-5"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("what cannot be posted: %d %s", a.status, a.body)
	}
	a := pay("00000000-0000-0000-0000-000000000003", "1,000")
	if a.status != http.StatusAccepted || payments() != 0 {
		t.Fatalf("from the amount on: %d %s, %d payments", a.status, a.body, payments())
	}
	if again := pay("00000000-0000-0000-0000-000000000003", "1,000"); again.status != http.StatusAccepted || again.get("entry_id") != a.get("entry_id") {
		t.Errorf("the same form again: %d %s", again.status, again.body)
	}
	at := fmt.Sprintf("/desk/waiting/%v", a.get("entry_id"))
	if page := first.page("/desk/waiting"); !strings.Contains(page.body, "You entered this") || !strings.Contains(page.body, "1,000.00") || strings.Contains(page.body, at+"/approve") {
		t.Errorf("the list of who entered it: %s", page.body)
	}
	if page := second.page("/desk/waiting"); !strings.Contains(page.body, at+"/approve") {
		t.Errorf("the list of the second: %s", page.body)
	}
	if a := first.post(at + "/approve"); a.status != http.StatusConflict || payments() != 0 {
		t.Errorf("one's own: %d %s", a.status, a.body)
	}
	if a := second.send(at + "/reject"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("rejected without a reason: %d", a.status)
	}
	if a := second.post(at + "/approve"); a.status != http.StatusOK || payments() != 1 {
		t.Fatalf("approved: %d %s", a.status, a.body)
	}
	if a := second.post(at + "/approve"); a.status != http.StatusConflict || payments() != 1 {
		t.Errorf("approved twice: %d %s", a.status, a.body)
	}
	if got := pgtest.Value[string](t, s.db, "select entered_by from erp.payment where amount = 1000"); got != "credit@demo.example, approved by desk@demo.example" {
		t.Errorf("entered by %s", got)
	}
	if got := pgtest.Value[string](t, s.db, `select string_agg(actor || ' ' || (data -> 'status' ->> 1), '; ' order by audit_id) from portal.audit where action = 'held_entry'`); got != "credit@demo.example WAITING; desk@demo.example APPROVED" {
		t.Errorf("the audit has %s", got)
	}

	a = first.post("/desk/customers/C1001/credits", "credit_amount", "2000", "credit_reason", "a courtesy")
	if a.status != http.StatusAccepted {
		t.Fatalf("a credit memo: %d %s", a.status, a.body)
	}
	if a := second.post(fmt.Sprintf("/desk/waiting/%v/reject", a.get("entry_id")), "reason", "twice the amount"); a.status != http.StatusOK {
		t.Errorf("rejected: %d %s", a.status, a.body)
	}
	if page := first.page("/desk/waiting"); !strings.Contains(page.body, "twice the amount") {
		t.Errorf("who entered it does not read why: %s", page.body)
	}
	if n := pgtest.Value[int](t, s.db, "select count(*)::int from erp.credit_memo"); n != 0 {
		t.Errorf("%d credit memos", n)
	}

	pgtest.Exec(t, s.db, "update erp.customer set credit_limit = 1 where customer_no = 'C1002'; update erp.web_access set credit_check = 'queue'")
	no := s.buyer("C1002").order("RICE25", "60")
	eventually(t, "the order waits for review", func() bool { return second.read("/desk/orders/"+no).get("credit_stops") != nil })
	a = first.post("/desk/orders/"+no+"/move", "status", "APPROVED", "release_credit", "true", "reason", "they pay")
	if a.status != http.StatusAccepted || pgtest.Value[string](t, s.db, "select status from erp.sales_order where order_no = $1", no) != "SUBMITTED" {
		t.Fatalf("released: %d %s", a.status, a.body)
	}
	if a := second.post(fmt.Sprintf("/desk/waiting/%v/approve", a.get("entry_id"))); a.status != http.StatusOK ||
		pgtest.Value[string](t, s.db, "select status || ' ' || credit_released_by from erp.sales_order where order_no = $1", no) != "APPROVED credit@demo.example, approved by desk@demo.example" {
		t.Errorf("released by two: %d %s", a.status, a.body)
	}
}

// The link that sets a password is for who gets the mail. Operators see the letter without
// it, whoever it is for, and as a role that has no right to read it.
func TestOperatorsSeeNoLinks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ops := s.logIn("ops@demo.example")
	for _, email := range []string{"desk@demo.example", "ops@demo.example", "buyer@c1001.example"} {
		s.visit().post("/forgot", "email", email)
	}
	if a := ops.post("/desk/staff", "email", "walt@demo.example", "name", "Walt"); a.status != http.StatusOK {
		t.Fatalf("invite: %d %s", a.status, a.body)
	}
	eventually(t, "the mails are kept", func() bool {
		return pgtest.Value[int](t, s.db, "select count(*)::int from portal.mail where status = 'kept' and secret <> ''") == 4
	})
	ids := pgtest.Value[[]int64](t, s.db, "select array_agg(mail_id) from portal.mail")
	secrets := pgtest.Value[[]string](t, s.db, "select array_agg(secret) from portal.mail")
	for _, id := range ids {
		for _, path := range []string{"/ops/mail", fmt.Sprintf("/ops/mail/%d", id), fmt.Sprintf("/ops/mail/%d/html", id)} {
			page, data := ops.page(path), ops.read(path)
			if page.status != http.StatusOK {
				t.Errorf("%s: %d", path, page.status)
			}
			for _, secret := range secrets {
				if strings.Contains(page.body+data.body, secret) {
					t.Errorf("%s shows a link", path)
				}
			}
		}
		if letter := ops.page(fmt.Sprintf("/ops/mail/%d/html", id)); !strings.Contains(letter.body, "…") {
			t.Errorf("mail %d does not say where its link stands: %s", id, letter.body)
		}
	}
}
