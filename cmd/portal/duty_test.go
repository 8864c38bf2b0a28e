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
