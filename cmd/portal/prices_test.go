package main

import (
	"net/http"
	"strings"
	"testing"

	"portal.example/portal/internal/pgtest"
)

// ladder adds the customers, the break and the rules of the price scenarios to
// the fixtures, on 1 March 2026.
const ladder = `
insert into erp.customer (customer_no, name, price_level) values ('C1006', 'Foundry', 'C'), ('C1007', 'Grove', 'C'),
	('C1008', 'Harvest', 'C');
insert into portal.login (customer_id, email, password_hash, name)
	select c.customer_id, 'buyer@' || lower(c.customer_no) || '.example', (select password_hash from portal.login
		limit 1), 'Buyer'
	from erp.customer c where c.customer_no in ('C1006', 'C1007', 'C1008');
insert into erp.price_break (item_id, min_qty, price) select item_id, 12, 23.40 from erp.item where item_no = 'OIL5';
insert into erp.price_contract (customer_id, item_id, value, valid)
	select c.customer_id, i.item_id, v.value, v.valid::daterange
	from (values ('C1006', 22.75, '[2026-01-01,2026-06-30]'), ('C1008', 26, '(,)')) as v(customer_no, value, valid)
	join erp.customer c using (customer_no) join erp.item i on i.item_no = 'OIL5';
insert into erp.price_group (customer_id, category_id, value) select customer_id, 1, 10 from erp.customer
	where customer_no = 'C1007';
select erp.set_clock('2026-03-01 12:00-05');`

func newLadder(t *testing.T) *site {
	t.Helper()
	s := newSite(t)
	pgtest.Exec(t, s.db, ladder)
	return s
}

func TestAcceptance02Ladder(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	for _, c := range []struct{ customer, item, qty, price, step string }{
		{"C1006", "OIL5", "1", "22.75", "contract"},
		{"C1007", "OIL5", "1", "24.30", "group"},
		{"C1003", "OIL5", "12", "23.40", "break"},
		{"C1003", "OIL5", "11", "27.00", "level"},
		{"C1002", "RICE25", "1", "22.10", "level"},
		{"C1004", "RICE25", "1", "20.00", "level"},
	} {
		v := s.buyer(c.customer)
		no := v.order(c.item, c.qty)
		order := v.read("/orders/" + no)
		if order.get("lines.0.unit_price") != c.price || order.get("lines.0.price_step") != c.step {
			t.Errorf("%s, %s %s: %v by %v, want %s by %s", c.customer, c.qty, c.item, order.get("lines.0.unit_price"),
				order.get("lines.0.price_step"), c.price, c.step)
		}
		rule := pgtest.Value[bool](t, s.db,
			"select price_rule_id is not null from erp.sales_order_line join erp.sales_order using (order_id) where order_no = '"+no+"'")
		if want := c.step != "level"; rule != want {
			t.Errorf("%s by %s: rule stored %v", c.customer, c.step, rule)
		}
	}
}

func TestAcceptance03ContractEnds(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	pgtest.Exec(t, s.db, "select erp.set_clock('2026-06-30 23:59:59-04')")
	v := s.buyer("C1006")
	v.post("/cart/lines", "item_no", "OIL5", "qty", "1")
	if cart := v.read("/cart"); cart.get("lines.0.unit_price") != "22.75" ||
		cart.get("lines.0.valid_until") != "2026-07-01T04:00:00Z" {
		t.Errorf("the last second: %s", cart.body)
	}
	if a := v.page("/items/OIL5"); !strings.Contains(a.body, "Your contract price") ||
		!strings.Contains(a.body, "until 30 Jun 2026") {
		t.Error("the item's page does not say why and until when")
	}
	socket := v.live("")
	socket.hello()
	pgtest.Exec(t, s.db, "select erp.set_clock('2026-07-01 04:00:00+00')")
	socket.until(func(kind, _, _ string) bool { return kind == "catalog" })
	if cart := v.read("/cart"); cart.get("lines.0.unit_price") != "27.00" || cart.get("lines.0.seen_price") != "22.75" {
		t.Errorf("after midnight: %s", cart.body)
	}
	if a := v.page("/cart"); !strings.Contains(a.body,
		`<span class="was">22.75</span> → <span class="price">27.00</span>`) {
		t.Error("the cart does not show 22.75 → 27.00")
	}
	if a := v.submit(); a.status != http.StatusUnprocessableEntity && a.status != http.StatusConflict ||
		!strings.Contains(a.body, "22.75") {
		t.Errorf("submit without a confirmation: %d %s", a.status, a.body)
	}
	if a := v.confirm(); a.status != http.StatusOK || a.get("order_no") == nil {
		t.Errorf("confirmed: %d %s", a.status, a.body)
	}
}

func TestAcceptance04Policy(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	v := s.buyer("C1008")
	v.post("/cart/lines", "item_no", "OIL5", "qty", "12")
	for policy, want := range map[string]string{"contract_wins": "26.00", "lowest_wins": "23.40"} {
		pgtest.Exec(t, s.db, "update erp.company set price_policy = '"+policy+"'")
		if got := v.read("/cart").get("lines.0.unit_price"); got != want {
			t.Errorf("%s: %v", policy, got)
		}
		desktop := pgtest.Value[string](t, s.db,
			`with o as (insert into erp.sales_order (customer_id, source) select customer_id, 'PHONE' from erp.customer
				where customer_no = 'C1008' returning order_id)
			insert into erp.sales_order_line (order_id, line_no, item_id, qty) select o.order_id, 1, i.item_id, 12 from o,
				erp.item i where i.item_no = 'OIL5' returning order_id::text`)
		if got := pgtest.Value[string](t, s.db,
			"select unit_price::numeric(14,2)::text from erp.sales_order_line where order_id = "+desktop); got != want {
			t.Errorf("%s, desktop: %s", policy, got)
		}
	}
}

func TestAcceptance05PriceBreaks(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	v := s.buyer("C1003")
	v.post("/cart/lines", "item_no", "OIL5", "qty", "8")
	item, cart := v.page("/items/OIL5"), v.page("/cart")
	if !strings.Contains(item.body, "12+ EA") || !strings.Contains(item.body, "23.40") ||
		!strings.Contains(item.body, "13.3 %") {
		t.Error("the item's page does not tell the tier")
	}
	if !strings.Contains(cart.body, "4 more for 23.40") {
		t.Error("the cart does not tell the next break")
	}
	pgtest.Exec(t, s.db, "update erp.web_access set see_price_breaks = false")
	for _, path := range []string{"/items/OIL5", "/cart", "/catalog", "/catalog?q=OIL5", "/", "/my-items", "/orders"} {
		for _, a := range []answer{v.page(path), v.read(path)} {
			for _, secret := range []string{"23.4", "25.5", "24.00"} {
				if strings.Contains(a.body, secret) {
					t.Errorf("%s tells %s", path, secret)
				}
			}
		}
	}
}

// A unit that reaches a break by itself tells the break by its price. Who sees no
// price breaks reads it in the cart, where it is reached; prices that no quantity
// makes are shown as ever.
func TestUnitsWithoutBreaks(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	pgtest.Exec(t, s.db,
		`insert into erp.item_uom (item_id, uom, factor) select item_id, u, f from erp.item,
			(values ('PALLET', 12), ('PAIR', 2)) as x(u, f) where item_no = 'OIL5';
		insert into erp.price_contract (customer_id, item_id, uom, value) select customer_id, item_id, 'PAIR', 51.25
			from erp.customer, erp.item where customer_no = 'C1003' and item_no = 'OIL5'`)
	v := s.buyer("C1003")
	v.post("/cart/lines", "item_no", "OIL5", "uom", "PALLET", "qty", "1")
	if cart := v.read("/cart"); cart.get("lines.0.unit_price") != "280.80" {
		t.Fatalf("a pallet: %s", cart.body)
	}
	v.submit()
	unit := func(a answer, uom string) map[string]any {
		for _, u := range a.get("units").([]any) {
			if u := u.(map[string]any); u["uom"] == uom {
				return u
			}
		}
		t.Fatalf("no %s: %s", uom, a.body)
		return nil
	}
	if u := unit(v.read("/items/OIL5"), "PALLET"); u["unit_price"] != "280.80" || u["price_step"] != "break" ||
		u["by_quantity"] != false {
		t.Errorf("with breaks: %v", u)
	}
	pgtest.Exec(t, s.db, "update erp.web_access set see_price_breaks = false")
	a := v.read("/items/OIL5")
	if u := unit(a, "PALLET"); u["unit_price"] != nil || u["price_step"] != nil || u["valid_until"] != nil ||
		u["by_quantity"] != true {
		t.Errorf("without breaks: %v", u)
	}
	for uom, price := range map[string]string{"EA": "27.00", "CS": "108.00", "PAIR": "51.25"} {
		if u := unit(a, uom); u["unit_price"] != price || u["by_quantity"] != false {
			t.Errorf("%s without breaks: %v", uom, u)
		}
	}
	for _, path := range []string{"/items/OIL5", "/my-items?list=bought"} {
		for _, a := range []answer{v.page(path), v.read(path)} {
			for _, secret := range []string{"280.8", "23.4", "uantity price", `"break"`} {
				if strings.Contains(a.body, secret) {
					t.Errorf("%s tells %s", path, secret)
				}
			}
		}
		if !strings.Contains(v.page(path).body, "Shown in the cart") {
			t.Errorf("%s does not say where the price stands", path)
		}
	}
	// what is not told is what it costs all the same
	v.post("/cart/lines", "item_no", "OIL5", "uom", "PALLET", "qty", "1")
	if cart := v.read("/cart"); cart.get("lines.0.unit_price") != "280.80" {
		t.Errorf("a pallet without breaks: %s", cart.body)
	}
}

func TestAcceptance06Units(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	v := s.buyer("C1003")
	v.post("/cart/lines", "item_no", "OIL5", "uom", "CS", "qty", "3")
	if cart := v.read("/cart"); cart.get("lines.0.unit_price") != "93.60" || cart.get("total") != "280.80" {
		t.Errorf("3 CS: %s", cart.body)
	}
	v.post("/cart/lines", "item_no", "OIL5", "uom", "CS", "qty", "2", "mode", "set")
	v.post("/cart/lines", "item_no", "OIL5", "uom", "EA", "qty", "4")
	cart := v.read("/cart")
	if cart.get("lines.0.unit_price") != "93.60" || cart.get("lines.1.unit_price") != "23.40" ||
		cart.get("total") != "280.80" ||
		cart.get("lines.0.seen_price") != "93.60" {
		t.Errorf("2 CS and 4 EA: %s", cart.body)
	}
	no := v.submit().get("order_no").(string)
	if got := v.read("/orders/" + no).get("total"); got != "280.80" {
		t.Errorf("order total %v", got)
	}
	if got := pgtest.Value[string](t, s.db,
		"select trim_scale(allocated)::text from erp.stock join erp.item using (item_id) where item_no = 'OIL5'"); got != "12" {
		t.Errorf("allocated %s", got)
	}
}

func TestAcceptance07Rounding(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	v := s.buyer("C1003")
	v.post("/cart/lines", "item_no", "SALT1", "qty", "7")
	if cart := v.read("/cart"); cart.get("lines.0.unit_price") != "0.335" || cart.get("lines.0.line_total") != "2.35" ||
		cart.get("total") != "2.35" {
		t.Errorf("cart: %s", cart.body)
	}
	no := v.submit().get("order_no").(string)
	eventually(t, "approved", func() bool { return v.read("/orders/"+no).get("status") == "APPROVED" })
	pgtest.Exec(t, s.db, "select erp.ship_order('"+no+"', 'UPS', '1Z')")
	invoice := v.read("/invoices/" + pgtest.Value[string](t, s.db, "select erp.invoice_order('"+no+"')"))
	if invoice.get("lines.0.unit_price") != "0.335" || invoice.get("lines.0.line_total") != "2.35" ||
		invoice.get("total") != "2.35" {
		t.Errorf("invoice: %s", invoice.body)
	}
}

func TestAcceptance19LastOrdered(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	order := func(at, qty, status string) {
		t.Helper()
		pgtest.Exec(t, s.db, "select erp.set_clock('"+at+"')")
		pgtest.Exec(t, s.db,
			`with o as (insert into erp.sales_order (customer_id, source) select customer_id, 'PHONE' from erp.customer
				where customer_no = 'C1003' returning order_id)
			insert into erp.sales_order_line (order_id, line_no, item_id, qty) select o.order_id, 1, i.item_id, `+qty+
				` from o, erp.item i where i.item_no = 'OIL5'`)
		if status != "" {
			pgtest.Exec(t, s.db, "update erp.sales_order set status = '"+status+
				"', status_reason = 'none' where order_id = (select max(order_id) from erp.sales_order)")
		}
	}
	order("2026-03-03 10:00-05", "6", "")
	order("2026-03-04 10:00-05", "8", "CANCELLED")
	order("2026-03-05 10:00-05", "9", "REJECTED")
	v := s.buyer("C1003")
	if a := v.page("/items/OIL5"); !strings.Contains(a.body, "Last ordered 6 EA on 3 Mar 2026") {
		t.Error("the item's page does not say when it was ordered last")
	}
	// what a former system invoiced counts as well
	pgtest.Exec(t, s.db,
		`with v as (insert into erp.invoice (customer_id, issued_at) select customer_id, '2026-03-06 12:00-05'
			from erp.customer where customer_no = 'C1003' returning invoice_id)
		insert into erp.invoice_line (invoice_id, line_no, item_id, qty, unit_price, line_total) select invoice_id, 1,
			item_id, 7, 1, 7 from v, erp.item where item_no = 'OIL5'`)
	if a := v.page("/items/OIL5"); !strings.Contains(a.body, "Last ordered 7 EA on 6 Mar 2026") {
		t.Error("the item's page passes over an invoice without an order")
	}
	if a := s.buyer("C1002").read("/items/OIL5"); a.get("last_ordered_qty") != nil {
		t.Errorf("another customer reads %v", a.get("last_ordered_qty"))
	}
}
