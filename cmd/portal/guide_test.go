package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"portal.example/portal/internal/pgtest"
)

// many sends repeated fields: ref, uom, qty of each row.
func (v *visitor) many(path, accept string, rows ...[3]string) answer {
	v.s.t.Helper()
	f := url.Values{}
	for _, r := range rows {
		f.Add("ref", r[0])
		f.Add("uom", r[1])
		f.Add("qty", r[2])
	}
	return v.do("POST", path, accept, strings.NewReader(f.Encode()))
}

func TestOrderGuide(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	v := s.buyer("C1003")
	for range 2 {
		v.order("OIL5", "6")
	}
	v.order("OIL5", "2")
	pgtest.Exec(t, s.db, "select erp.set_clock('2026-03-01 13:00-05')")
	v.order("RICE25", "1")
	cancelled := v.order("SALT1", "9")
	pgtest.Exec(t, s.db, "update erp.sales_order set status = 'CANCELLED' where order_no = '"+cancelled+"'")

	a := v.read("/my-items?list=bought")
	if a.get("total") != 2.0 || a.get("items.0.item_no") != "RICE25" || a.get("items.1.item_no") != "OIL5" {
		t.Fatalf("bought before: %s", a.body)
	}
	if a.get("items.1.last_ordered_qty") != "2" || a.get("items.1.usual_qty") != "6" || a.get("items.1.times") != 3.0 ||
		a.get("items.1.unit_price") != "27.00" {
		t.Errorf("how it was bought: %v", a.get("items.1"))
	}
	if a := s.buyer("C1002").read("/my-items?list=bought"); a.get("total") != 0.0 {
		t.Errorf("another customer's guide: %s", a.body)
	}

	// boxes without a quantity are left out; what is wrong stays with its reason
	if a := v.many("/my-items?list=bought", "application/json", [3]string{"OIL5", "EA", "12"},
		[3]string{"RICE25", "EA", ""}); a.status != http.StatusOK {
		t.Fatalf("add all: %d %s", a.status, a.body)
	}
	if cart := v.read("/cart"); len(cart.get("lines").([]any)) != 1 || cart.get("lines.0.unit_price") != "23.40" {
		t.Errorf("cart: %s", cart.body)
	}
	page := v.many("/my-items?list=bought", "text/html", [3]string{"OIL5", "EA", "1.5"}, [3]string{"RICE25", "EA", "2"})
	if page.status != http.StatusUnprocessableEntity || !strings.Contains(page.body, `value="1.5"`) ||
		!strings.Contains(page.body, "OIL5 is sold in whole EA.") ||
		!strings.Contains(page.body, "1 line added") {
		t.Errorf("a wrong quantity: %d", page.status)
	}
	if a := v.many("/my-items", "text/html", [3]string{"OIL5", "EA", ""}); a.status != http.StatusUnprocessableEntity {
		t.Errorf("nothing typed: %d", a.status)
	}
}

// Lists are shared by all log-ins of a customer, and by nobody else; they are
// live on every device.
func TestSharedLists(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	pgtest.Exec(t, s.db, `insert into portal.login (customer_id, email, password_hash, name)
		select customer_id, 'chef@c1003.example', password_hash, 'Chef' from portal.login
			where email = 'buyer@c1003.example'`)
	buyer, chef, stranger := s.buyer("C1003"), s.logIn("chef@c1003.example"), s.buyer("C1002")
	socket := chef.live("")
	socket.hello()
	id := fmt.Sprint(buyer.post("/lists", "name", "  Sunday   brunch ").get("list_id"))
	socket.until(func(kind, _, _ string) bool { return kind == "favorite" })
	if a := buyer.post("/lists", "name", "sunday brunch"); a.status != http.StatusUnprocessableEntity ||
		!strings.Contains(a.body, "already") {
		t.Errorf("the same name: %d %s", a.status, a.body)
	}
	if a := buyer.post("/lists", "name", " "); a.status != http.StatusUnprocessableEntity {
		t.Errorf("no name: %d", a.status)
	}
	buyer.post("/lists/"+id+"/items", "item_no", "OIL5")
	buyer.post("/lists/"+id+"/items", "item_no", "OIL5")
	if a := chef.read("/my-items?list=" + id); a.get("list.name") != "Sunday brunch" || a.get("total") != 1.0 ||
		a.get("items.0.item_no") != "OIL5" {
		t.Errorf("the colleague sees: %s", a.body)
	}
	if a := chef.page("/items/OIL5"); !strings.Contains(a.body, "Sunday brunch") {
		t.Error("the item's page does not offer the list")
	}
	for what, a := range map[string]answer{
		"read": stranger.read("/my-items?list=" + id), "put": stranger.post("/lists/"+id+"/items", "item_no", "RICE25"),
		"delete":       stranger.post("/lists/" + id + "/delete"),
		"unknown item": buyer.post("/lists/"+id+"/items", "item_no", "NOPE"),
	} {
		if a.status != http.StatusNotFound {
			t.Errorf("%s: %d", what, a.status)
		}
	}
	chef.post("/lists/"+id+"/items", "item_no", "OIL5", "on", "0")
	if a := buyer.read("/my-items?list=" + id); a.get("total") != 0.0 {
		t.Errorf("taken off: %s", a.body)
	}
	if a := buyer.post("/lists/" + id + "/delete"); a.status != http.StatusOK {
		t.Errorf("delete: %d", a.status)
	}
}
