package main

import (
	"net/http"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"portal.example/portal/internal/pgtest"
)

// loadFixtures gives a database the fixtures without starting a portal on it.
func loadFixtures(t testing.TB, db *pgtest.DB) {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(demoPassword), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, db, strings.ReplaceAll(fixtures, "$hash", string(hash)))
}

// The whole portal through a PgBouncer in transaction mode: pages, orders, jobs,
// the desk, live events; nobody sees what is another's.
func TestServeThroughPgBouncer(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	loadFixtures(t, db)
	pooled, direct := pgtest.Bouncer(t, db)
	_, url := startProcess(t, pooled, "--direct-url", direct)
	s := &site{t: t, db: db, URL: url}

	v, other := s.buyer("C1003"), s.buyer("C1001")
	socket, others := v.live(""), other.live("")
	socket.hello()
	others.hello()
	orderNo := v.order("OIL5", "2", "po_no", "PO'7")
	eventually(t, "the job has approved it", func() bool { return v.read("/orders/"+orderNo).get("status") == "APPROVED" })
	pgtest.Exec(t, db, "update erp.sales_order set status = 'PICKING' where order_no = '"+orderNo+"'")
	socket.until(func(_, ref, status string) bool { return ref == orderNo && status == "PICKING" })
	if got := v.read("/orders/" + orderNo).get("status"); got != "PICKING" {
		t.Errorf("the page says %v", got)
	}
	pgtest.Exec(t, db, "insert into portal.event (kind, customer_id, ref) select 'notice', customer_id, 'the end' from "+
		"erp.customer where customer_no = 'C1001'")
	seen, _ := others.until(func(_, ref, _ string) bool { return ref == "the end" })
	for _, e := range seen {
		if strings.Contains(e, orderNo) {
			t.Errorf("another customer heard %q", e)
		}
	}
	for range 20 { // on whatever connection of PgBouncer's
		if a := other.read("/orders/" + orderNo); a.status != http.StatusNotFound {
			t.Fatalf("another customer's order: %d %s", a.status, a.body)
		}
		for _, path := range []string{"/", "/catalog", "/items/OIL5", "/cart", "/orders", "/account",
			"/invoices", "/readyz"} {
			if a := v.read(path); a.status != http.StatusOK {
				t.Fatalf("%s: %d %s", path, a.status, a.body)
			}
		}
	}
	desk := s.logIn("desk@demo.example")
	for _, path := range []string{"/desk/orders", "/desk/orders/" + orderNo, "/desk/customers", "/desk/routes"} {
		if a := desk.read(path); a.status != http.StatusOK {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	if a := s.logIn("ops@demo.example").read("/ops"); a.status != http.StatusOK {
		t.Errorf("/ops: %d %s", a.status, a.body)
	}
}
