package main

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"portal.example/portal/internal/pgtest"
)

// Figures that nobody would meet by accident: OIL5's cost and level columns,
// and what each customer alone has agreed.
const secretPrices = `
update erp.item set price_a = 91.37, price_b = 87.41, price_c = 83.43, price_d = 79.47, price_e = 75.53, cost = 61.59 where item_no = 'OIL5';
update erp.price_break set price = 71.61;
delete from erp.price_contract;
delete from erp.price_group;
insert into erp.price_contract (customer_id, item_id, value)
	select c.customer_id, i.item_id, v.value from (values ('C1001', 67.67), ('C1002', 66.71), ('C1006', 65.73)) as v(customer_no, value)
	join erp.customer c using (customer_no) join erp.item i on i.item_no = 'OIL5';
insert into erp.customer_item (customer_id, item_id, their_item_no)
	select c.customer_id, i.item_id, 'SECRET-' || c.customer_no from erp.customer c, erp.item i where i.item_no = 'OIL5';
update erp.stock set on_hand = 100000;`

// events makes one event of each kind that staff and programs can cause.
const events = `
update erp.item set cost = 61.60, description = 'Olive oil 5 L, new' where item_no = 'OIL5';
update erp.price_contract set value = value + 0.01;
update erp.price_break set price = price + 0.01;
update erp.stock set on_hand = on_hand + 1;
update erp.web_access set min_order = 1;
insert into erp.item (item_no, description, category_id, price_a) values ('NEW1', 'A new item', 1, 93.77);
insert into erp.payment (customer_id, amount) select customer_id, 1234.56 from erp.customer;
insert into erp.credit_memo (customer_id, reason) select customer_id, 'none' from erp.customer;`

// No customer ever reads another's price, a level it has not, a cost, or, with
// prices off, any price: not on a page, in JSON, in a frame, an error or the
// log.
func TestPricesNeverLeak(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	pgtest.Exec(t, s.db, secretPrices)
	levels := map[string]string{"A": "91.37", "B": "87.41", "C": "83.43", "D": "79.47", "E": "75.53"}
	contracts := map[string]string{"C1001": "67.67", "C1002": "66.71", "C1006": "65.73"}

	type reader struct {
		no, level string
		v         *visitor
		socket    *socket
		heard     strings.Builder
	}
	var readers []*reader
	for no, level := range map[string]string{"C1001": "A", "C1002": "B", "C1003": "C", "C1004": "D", "C1005": "E", "C1006": "C"} {
		r := &reader{no: no, level: level, v: s.buyer(no)}
		r.socket = r.v.live("")
		r.socket.hello()
		r.socket.watch("OIL5", "RICE25")
		readers = append(readers, r)
	}
	// C1005 may not see prices, C1004 no breaks
	pgtest.Exec(t, s.db, `update erp.web_access set see_prices = false where customer_id = (select customer_id from erp.customer where customer_no = 'C1005');
		update erp.web_access set see_price_breaks = false where customer_id = (select customer_id from erp.customer where customer_no = 'C1004')`)

	for _, r := range readers {
		hear := func(answers ...answer) {
			for _, a := range answers {
				if a.status >= 500 {
					t.Errorf("%s: %d", r.no, a.status)
				}
				r.heard.WriteString(a.body)
				fmt.Fprint(&r.heard, a.header)
			}
		}
		v := r.v
		v.post("/cart/lines", "item_no", "OIL5", "qty", "2")
		order := v.submit("confirm_prices", "true").get("order_no")
		no := fmt.Sprint(order)
		eventually(t, "approved", func() bool { return v.read("/orders/"+no).get("status") == "APPROVED" })
		pgtest.Exec(t, s.db, "select erp.ship_order('"+no+"', 'UPS', '1Z')")
		invoice := pgtest.Value[string](t, s.db, "select erp.invoice_order('"+no+"')")
		hear(v.post("/cart/lines", "item_no", "OIL5", "uom", "CS", "qty", "1"), v.post("/cart/lines", "item_no", "OIL5", "qty", "3"))
		for _, path := range []string{"/", "/catalog", "/catalog?q=oil", "/items/OIL5", "/items/RICE25", "/items/OIL5/picture", "/my-items", "/my-items?list=bought", "/cart",
			"/orders", "/orders/" + no, "/invoices", "/invoices/" + invoice, "/profile", "/quick-order", "/quick-order/template", "/lookup?q=OIL5", "/no-such-page",
			"/desk/orders", "/desk/items/OIL5", "/desk/customers/C1001", "/desk/why?customer=C1001&item=OIL5&qty=1", "/metrics", "/ops/jobs/"} {
			hear(v.page(path), v.read(path))
		}
		hear(v.post("/quick-order", "paste", "OIL5\t5\nNOPE\t1\nOIL5\tx\nSECRET-C1001\t1\nSECRET-C1002\t1"), v.send("/quick-order", "paste", "OIL5\t5\nNOPE\t1"),
			v.post("/orders/"+no+"/reorder"), v.send("/orders/"+no+"/reorder"), v.send("/invoices/"+invoice+"/reorder", "mode", "add"),
			v.post("/cart/submit", "key", "nonsense"), v.submit("po_no", "PO", "requested_date", "never"), v.post("/favorites/OIL5"),
			v.post("/cart/lines", "item_no", "OIL5", "uom", "PALLET", "qty", "1"), v.post("/cart/lines", "item_no", "OIL5", "qty", "-1"))
	}
	pgtest.Exec(t, s.db, events)
	for _, r := range readers {
		kinds := map[string]bool{}
		r.socket.until(func(kind, _, _ string) bool {
			kinds[kind] = true
			return kinds["payment"] && kinds["credit"] && kinds["access"] && kinds["catalog"]
		})
		r.heard.WriteString(r.socket.raw.String())
	}

	// what is looked for is really said to whom it belongs
	for _, r := range readers {
		own := levels[r.level]
		if c, ok := contracts[r.no]; ok {
			own = c
		}
		if r.no == "C1005" {
			own = "OIL5"
		}
		if !strings.Contains(r.heard.String(), own) {
			t.Errorf("%s never reads its own %s: the test looks in the wrong place", r.no, own)
		}
	}
	for _, r := range readers {
		secrets := map[string]string{"61.59": "the cost", "61.6": "the cost", "1234.56": ""}
		delete(secrets, "1234.56") // one's own payment
		for no, price := range contracts {
			if no != r.no {
				secrets[price], secrets[strings.TrimSuffix(price, "7")+"8"] = "the contract of "+no, "the contract of "+no
			}
		}
		for level, price := range levels {
			if level != r.level || r.no == "C1005" {
				secrets[price] = "level " + level
			}
		}
		for _, times := range []string{"365.48", "349.64", "333.72", "317.88", "302.12"} { // cases
			if owner := map[string]string{"365.48": "A", "349.64": "B", "333.72": "C", "317.88": "D", "302.12": "E"}[times]; owner != r.level || r.no == "C1005" {
				secrets[times] = "level " + owner + " of a case"
			}
		}
		if r.no == "C1004" || r.no == "C1005" {
			secrets["71.61"], secrets["71.62"] = "the break", "the break"
		}
		text := r.heard.String()
		for secret, what := range secrets {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("%s reads %s (%s): …%s…", r.no, secret, what, text[max(0, i-120):min(len(text), i+40)])
			}
		}
		for _, other := range readers {
			if other != r && strings.Contains(text, "SECRET-"+other.no) && !strings.Contains("C1001C1002", other.no) {
				t.Errorf("%s reads the item number of %s", r.no, other.no)
			}
		}
	}
	log := regexp.MustCompile(`took=\S+`).ReplaceAllString(s.log.String(), "") // so long it took, not so much it costs
	for _, secret := range []string{"91.37", "87.41", "83.43", "79.47", "75.53", "61.59", "71.61", "67.67", "66.71", "65.73", url.QueryEscape(demoPassword), demoPassword} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %s", secret)
		}
	}
	if !strings.Contains(log, "level=DEBUG") || !strings.Contains(log, http.MethodPost) {
		t.Error("the log was not searched at its fullest")
	}
}
