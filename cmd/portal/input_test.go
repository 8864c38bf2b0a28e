package main

import (
	"net/url"
	"strings"
	"testing"
)

// Whatever is sent, the answer is a page that says what is wrong, and never an
// internal error.
func TestBadInput(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	buyer, desk := s.buyer("C1003"), s.logIn("desk@demo.example")
	orderNo := buyer.order("OIL5", "1")
	long := strings.Repeat("é", 5000)
	nasty := []string{"", "\x00", "\xff", "a\x00b", long, "'; drop table erp.item; --", "-1", "1e9",
		"99999999999999999999", "NaN", "../..", "%", "\u202e", "🥑"}

	check := func(a answer, what string) {
		t.Helper()
		if a.status >= 500 || a.status == 0 {
			t.Errorf("%s: %d", what, a.status)
		}
		if strings.Contains(a.body, "SQLSTATE") || strings.Contains(a.body, "goroutine") {
			t.Errorf("%s tells of the inside", what)
		}
	}
	for _, n := range nasty {
		for _, path := range []string{"/items/", "/orders/", "/invoices/"} {
			check(buyer.page(path+url.PathEscape(n)), path+short(n))
			check(buyer.read(path+url.PathEscape(n)), path+short(n))
		}
		for _, path := range []string{"/catalog?q=", "/catalog?category=", "/catalog?page=", "/catalog?sort=",
			"/catalog?in_stock=", "/lookup?q=", "/lookup?limit=", "/my-items?q=", "/orders?q=", "/orders?status=",
			"/orders?before=", "/invoices?before=", "/login?next=", "/cart?x="} {
			check(buyer.page(path+url.QueryEscape(n)), path+short(n))
		}
		for _, path := range []string{"/desk/orders?q=", "/desk/orders?status=", "/desk/orders?source=",
			"/desk/orders?before=", "/desk/customers?q=", "/desk/customers?after=", "/desk/items?q=", "/desk/items?after="} {
			check(desk.page(path+url.QueryEscape(n)), path+short(n))
		}
		for _, path := range []string{"/desk/orders/", "/desk/customers/", "/desk/items/"} {
			check(desk.page(path+url.PathEscape(n)), path+short(n))
		}
		check(buyer.post("/cart/lines", "item_no", n, "qty", "1"), "item "+short(n))
		check(buyer.post("/cart/lines", "item_no", "OIL5", "qty", n, "mode", n), "quantity "+short(n))
		check(buyer.post("/cart/lines", "item_no", "OIL5", "qty", "1", "uom", n), "unit "+short(n))
		check(buyer.post("/cart", "po_no", n, "note", n, "ship_to", n, "requested_date", n), "cart "+short(n))
		check(buyer.post("/cart/submit", "key", n, "po_no", n, "requested_date", n), "submit "+short(n))
		check(buyer.post("/favorites/"+url.PathEscape(n), "on", n), "favorite "+short(n))
		check(buyer.post("/orders/"+url.PathEscape(n)+"/cancel"), "cancel "+short(n))
		check(buyer.post("/profile/password", "current_password", n, "new_password", n, "repeat_password", n),
			"password "+short(n))
		check(buyer.post("/profile/sessions/"+url.PathEscape(n)+"/revoke"), "revoke "+short(n))
		check(s.visit().post("/login", "email", n, "password", n), "log-in "+short(n))
		check(desk.post("/desk/orders/"+orderNo+"/move", "status", n, "from", n, "reason", n), "move "+short(n))
		check(desk.post("/desk/orders/"+orderNo+"/pick", "qty_1", n), "pick "+short(n))
		check(desk.post("/desk/orders/"+orderNo+"/ship", "carrier", n, "tracking_no", n, "qty_1", n), "ship "+short(n))
		check(desk.post("/desk/items/OIL5", "description", n, "price_a", n, "on_hand", n), "item edit "+short(n))
		check(desk.post("/desk/customers/C1003/access", "min_order", n, "max_order", n, "see_stock", n, "enabled", "true"),
			"access "+short(n))
	}
}

func short(s string) string {
	if len(s) > 12 {
		s = s[:12] + "…"
	}
	return url.QueryEscape(s)
}
