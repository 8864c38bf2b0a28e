package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"portal.example/portal/internal/pgtest"
)

// approved is an order of C1003 that the approval job has let through.
func (s *site) approved(itemNo, qty string) (*visitor, string) {
	s.t.Helper()
	v := s.buyer("C1003")
	no := v.order(itemNo, qty)
	eventually(s.t, "approved", func() bool { return v.read("/orders/"+no).get("status") == "APPROVED" })
	return v, no
}

// Twenty log-ins send the last five at the same moment: one has them, nineteen
// read that none are left. With backorders allowed, eight become five and three
// with their day.
func TestAcceptance28LastUnits(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, `insert into portal.login (customer_id, email, password_hash)
		select c.customer_id, 'racer' || n || '@x.example', (select password_hash from portal.login limit 1)
		from erp.customer c join generate_series(1, 20) n on c.customer_no = 'C100' || 1 + n % 5`)
	visitors := make([]*visitor, 20)
	keys := make([]string, 20)
	for i := range visitors {
		visitors[i] = s.logIn(fmt.Sprintf("racer%d@x.example", i+1))
		if a := visitors[i].post("/cart/lines", "item_no", "LAST1", "qty", "5"); a.status != http.StatusOK {
			t.Fatalf("add: %d %s", a.status, a.body)
		}
		keys[i] = visitors[i].read("/cart").get("key").(string)
	}
	answers := make([]answer, 20)
	var all sync.WaitGroup
	start := make(chan struct{})
	for i, v := range visitors {
		all.Go(func() {
			<-start
			answers[i] = v.post("/cart/submit", "key", keys[i])
		})
	}
	close(start)
	all.Wait()
	won := 0
	for i, a := range answers {
		switch {
		case a.status == http.StatusOK:
			won++
		case a.status >= 500, !strings.Contains(a.body, "LAST1: 0 left."):
			t.Errorf("racer %d: %d %s", i+1, a.status, a.body)
		}
	}
	stock := `select trim_scale(on_hand) || '/' || trim_scale(allocated) from erp.stock join erp.item using (item_id)
		where item_no = 'LAST1'`
	if got := pgtest.Value[string](t, s.db, stock); won != 1 || got != "5/5" {
		t.Errorf("%d orders have the last five, stock %s", won, got)
	}

	day := time.Now().AddDate(0, 0, 8)
	pgtest.Exec(t, s.db, `update erp.item set allow_backorder = true where item_no = 'LAST1';
		update erp.stock set on_hand = allocated + 5 where item_id = (select item_id from erp.item where item_no = 'LAST1')`)
	pgtest.Exec(t, s.db,
		`insert into erp.stock_expected (item_id, expected_on, qty) select item_id, $1, 3 from erp.item
			where item_no = 'LAST1'`, day)
	v := s.buyer("C1001")
	v.post("/cart/lines", "item_no", "LAST1", "qty", "8")
	words := "3 on backorder, expected " + day.Format("2 Jan")
	if page := v.page("/cart").body; !strings.Contains(page, words) {
		t.Errorf("the cart does not say %q", words)
	}
	no, _ := v.submit().get("order_no").(string)
	order := v.read("/orders/" + no)
	if order.get("lines.0.qty_allocated") != "5" || order.get("lines.0.qty_backordered") != "3" {
		t.Errorf("order: %s", order.body)
	}
	if page := v.page("/orders/" + no).body; !strings.Contains(page, "3 on backorder, expected <time") ||
		!strings.Contains(page, ">"+day.Format("2 Jan")+"</time>") {
		t.Errorf("the order does not say %q: %s", words, page)
	}
	if page := v.page("/items/LAST1").body; !strings.Contains(page, "You have 3 EA on backorder, expected") {
		t.Error("the item does not say what waits")
	}
	// a fourth is beyond what is expected
	v.post("/cart/lines", "item_no", "LAST1", "qty", "1")
	if page := v.page("/cart").body; !strings.Contains(page, "1 on backorder, date to follow.") {
		t.Error("the cart promises what nobody expects")
	}
	if got := pgtest.Value[string](t, s.db, stock); got != "10/10" {
		t.Errorf("stock %s", got)
	}
}

// Six of ten have shipped, by plain SQL: the badge and the line say so, and the
// order is never delivered until ten are settled.
func TestAcceptance29PartlyShipped(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v, no := s.approved("OIL5", "10")
	socket := v.live("")
	socket.hello()
	pgtest.Exec(t, s.db, "update erp.sales_order_line set qty_shipped = 6 where order_id = (select order_id from "+
		"erp.sales_order where order_no = '"+no+"')")
	socket.until(func(kind, ref, status string) bool { return kind == "order" && ref == no && status == "PICKING" })
	badge := "Partly shipped 6 of 10"
	open := func(when, want string) {
		t.Helper()
		page := v.page("/orders/" + no).body
		if !strings.Contains(page, `<td data-label="Open" class="num">`+want+`</td>`) ||
			(want != "0") != strings.Contains(page, badge) {
			t.Errorf("%s: the page does not say %q with %s open", when, badge, want)
		}
		if list := v.page("/orders").body; (want != "0") != strings.Contains(list, badge) {
			t.Errorf("%s: the list does not say %q", when, badge)
		}
	}
	open("six shipped", "4")
	for _, status := range []string{"DELIVERED", "CANCELLED"} {
		if _, err := s.db.Pool.Exec(t.Context(), "update erp.sales_order set status = $1 where order_no = $2",
			status, no); err == nil {
			t.Errorf("a part-shipped order became %s", status)
		}
	}
	desk := s.logIn("desk@demo.example")
	if a := desk.post("/desk/orders/"+no+"/move", "status", "DELIVERED"); a.status != http.StatusConflict {
		t.Errorf("delivered at the desk: %d", a.status)
	}
	open("after all that", "4")
	pgtest.Exec(t, s.db, "update erp.sales_order_line set qty_cancelled = 4, cancel_reason = 'Out of stock' where "+
		"order_id = (select order_id from erp.sales_order where order_no = '"+no+"')")
	open("the rest cancelled", "0")
	if a := v.read("/orders/" + no); a.get("status") != "SHIPPED" {
		t.Errorf("settled: %v", a.get("status"))
	}
	page := v.page("/orders/" + no).body
	for _, want := range []string{"4 cancelled: Out of stock", "Not sent", "−108.00", "162.00"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// The warehouse's steps over HTTP: what is counted, what is refused in words,
// and what the buyer reads of it.
func TestWarehouseSteps(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, `update erp.item set barcode = '0036000291452' where item_no = 'OIL5';
		update erp.item set barcode = '5012345678900' where item_no = 'SALT1';
		insert into erp.item (item_no, description, price_a) values ('RICE20', 'Rice 20 lb', 18);
		insert into erp.stock (item_id, on_hand) select item_id, 50 from erp.item where item_no = 'RICE20';
		insert into erp.carrier (code, name, tracking_url)
			values ('NPX', 'North Parcel', 'https://north.example/t/{tracking_no}?from=us')`)
	v := s.buyer("C1003")
	v.post("/cart/lines", "item_no", "OIL5", "qty", "6")
	v.post("/cart/lines", "item_no", "OIL5", "qty", "2", "uom", "CS")
	no := v.order("RICE25", "3")
	eventually(t, "approved", func() bool { return v.read("/orders/"+no).get("status") == "APPROVED" })
	desk := s.logIn("desk@demo.example")
	at := "/desk/warehouse/" + no
	if a := desk.read("/desk/warehouse"); a.get("orders.0.order_no") != no || a.get("orders.0.lines") != 3.0 {
		t.Errorf("list: %s", a.body)
	}
	step := func(want string, status int, pairs ...string) {
		t.Helper()
		if a := desk.post(at+"/pick", pairs...); a.status != status || a.get("message") != want {
			t.Errorf("%v: %d %v, want %d %q", pairs, a.status, a.get("message"), status, want)
		}
	}
	ok, no409 := http.StatusOK, http.StatusConflict
	step("OIL5: 1 of 6 EA", ok, "code", "036000291452") // a scanner that drops a zero
	step("OIL5: 1 of 2 CS", ok, "code", "4006381333931")
	step("OIL5: 2 of 2 CS", ok, "code", "4006381333931")
	step("OIL5: 5 of 6 EA", ok, "code", "4006381333931") // a case of four goes for single ones
	step("OIL5: only 1 EA are missing, that would be 4.", no409, "code", "4006381333931")
	step("OIL5: 6 of 6 EA", ok, "code", "oil5")
	step("OIL5: all 6 EA are picked already.", no409, "code", "0036000291452")
	step("OIL5: 5 of 6 EA", ok, "line", "1", "by", "-1")
	step("OIL5: nothing of it is picked.", no409, "line", "1", "by", "-6")
	step("Wrong item: SALT1 is not on this order.", no409, "code", "5012345678900")
	step("No item has the code 999999.", no409, "code", "999999")
	step("There is no line 9.", http.StatusNotFound, "line", "9", "by", "1")
	if a := v.read("/orders/" + no); a.get("status") != "PICKING" {
		t.Errorf("picking made it %v", a.get("status"))
	}

	// what somebody did meanwhile is not written over
	old := desk.read(at).get("stamp").(string)
	step("RICE25: 1 of 3 EA", ok, "line", "3", "by", "1")
	for path, pairs := range map[string][]string{"/all": nil, "/short": {"line", "3", "reason", "Out of stock"},
		"/substitute": {"line", "3", "item_no", "RICE20", "qty", "2"}, "/ship": {"carrier", "UPS"}} {
		a := desk.post(at+path, append(pairs, "stamp", old)...)
		if a.status != no409 || !strings.Contains(a.body, "has changed meanwhile. Nothing was done") {
			t.Errorf("%s on an old page: %d %s", path, a.status, a.body)
		}
	}
	stamp := func() string { return desk.read(at).get("stamp").(string) }
	if a := desk.post(at+"/substitute", "line", "3", "item_no", "RICE20", "qty", "2", "price", "99",
		"stamp", stamp()); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a dearer substitute: %d %s", a.status, a.body)
	}
	if a := desk.post(at+"/substitute", "line", "3", "item_no", "rice20", "qty", "2", "stamp", stamp()); a.status != ok {
		t.Fatalf("substitute: %d %s", a.status, a.body)
	}
	if a := desk.post(at+"/short", "line", "1", "reason", "Out of stock", "write_off", "true",
		"stamp", stamp()); a.status != ok {
		t.Fatalf("short: %d %s", a.status, a.body)
	}
	now := stamp()
	ship := []string{"carrier", "north parcel", "tracking_no", "A B/1<2>", "stamp", now}
	if a := desk.post(at+"/ship", ship...); a.status != ok {
		t.Fatalf("ship: %d %s", a.status, a.body)
	}
	if a := desk.post(at+"/ship", ship...); a.status != no409 {
		t.Errorf("the form sent twice: %d", a.status)
	}
	// it did not leave: taken back, and shipped again
	back := fmt.Sprintf("/desk/shipments/%v/take-back", v.read("/orders/"+no).get("shipments.0.shipment_id"))
	if a := desk.post(back); a.status != ok || v.read("/orders/"+no).get("lines.0.qty_shipped") != "0" {
		t.Errorf("taken back: %d %s", a.status, a.body)
	}
	if a := desk.post(back); a.status != http.StatusNotFound {
		t.Errorf("taken back twice: %d", a.status)
	}
	for _, line := range []string{"1", "2", "3"} {
		qty := desk.read(at).get("pick." + fmt.Sprint(int(line[0]-'1')) + ".qty_picked").(string)
		want := map[string]string{"1": "5", "2": "2", "3": "1"}[line]
		if qty == "0" {
			step(map[string]string{"1": "OIL5: 5 of 5 EA", "2": "OIL5: 2 of 2 CS", "3": "RICE25: 1 of 1 EA"}[line], ok,
				"line", line, "by", want)
		}
	}
	ship[len(ship)-1] = stamp()
	if a := desk.post(at+"/ship", ship...); a.status != ok {
		t.Fatalf("ship again: %d %s", a.status, a.body)
	}
	page := v.page("/orders/" + no).body
	for _, want := range []string{"RICE20 instead of RICE25", "RICE20 instead of this", "1 cancelled: Out of stock",
		`href="https://north.example/t/A%20B%2F1%3C2%3E?from=us"`, "A B/1&lt;2&gt;"} {
		if !strings.Contains(page, want) {
			t.Errorf("the order does not say %q", want)
		}
	}
	if a := desk.post(at+"/all", "stamp", stamp()); a.status != ok {
		t.Fatalf("all: %d %s", a.status, a.body)
	}
	if a := desk.post(at+"/ship", "carrier", "Own truck", "stamp", stamp()); a.status != ok {
		t.Fatalf("ship the rest: %d %s", a.status, a.body)
	}
	order := v.read("/orders/" + no)
	if order.get("status") != "SHIPPED" || order.get("shipments.1.contents.0.item_no") != "RICE20" ||
		!strings.Contains(v.page("/orders/"+no).body, "RICE20 sent instead of RICE25") {
		t.Errorf("shipped: %s", order.body)
	}
	for i := range 2 {
		path := fmt.Sprintf("/desk/shipments/%v/delivered", order.get(fmt.Sprintf("shipments.%d.shipment_id", i)))
		if a := desk.post(path, "delivered_to", "  Kim   Lee "); a.status != ok {
			t.Errorf("delivered: %d %s", a.status, a.body)
		}
		if a := desk.post(path, "delivered_to", "Somebody"); a.status != no409 ||
			!strings.Contains(a.body, "delivered already, to Kim Lee") {
			t.Errorf("delivered again: %d %s", a.status, a.body)
		}
		if got, want := v.read("/orders/"+no).get("status"), []string{"SHIPPED", "DELIVERED"}[i]; got != want {
			t.Errorf("after parcel %d: %v, want %s", i+1, got, want)
		}
	}
	if page := v.page("/orders/" + no).body; strings.Count(page, "to Kim Lee") != 2 {
		t.Error("the order does not say who took it")
	}
	// the packing slip has no price, the pick list nothing to do
	if slip := desk.page(at + "/packing-slip").body; !strings.Contains(slip, "Packing slip") ||
		!strings.Contains(slip, "RICE20") || strings.Contains(slip, "27.00") || strings.Contains(slip, "Amount") {
		t.Error("packing slip")
	}
	for _, path := range []string{"/desk/warehouse", at, at + "/pick-list", at + "/packing-slip"} {
		if a := v.page(path); a.status != http.StatusNotFound {
			t.Errorf("a customer reads %s: %d", path, a.status)
		}
	}
	if a := v.post("/desk/shipments/1/delivered"); a.status != http.StatusNotFound {
		t.Errorf("a customer delivers: %d", a.status)
	}
}

// Goods are received and expected at the item's page; a form that was sent
// before is not counted twice.
func TestDeskReceives(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	desk := s.logIn("desk@demo.example")
	v := s.buyer("C1003")
	no := v.order("OIL5", "130")
	receive := func(qty, seen string) answer {
		return desk.post("/desk/items/OIL5/receive", "received", qty, "on_hand_seen", seen)
	}
	day := time.Now().AddDate(0, 0, 5)
	if a := desk.post("/desk/items/OIL5/expected", "expected_on", day.Format(time.DateOnly), "expected_qty", "50",
		"expected_note", "PO 77"); a.status != http.StatusOK {
		t.Fatalf("expect: %d %s", a.status, a.body)
	}
	if page := v.page("/orders/" + no).body; !strings.Contains(page, "30 on backorder, expected") ||
		strings.Contains(page, "PO 77") {
		t.Error("the order does not say when, or says too much")
	}
	item := desk.read("/desk/items/OIL5")
	if item.get("supply.waiting") != "30" || item.get("supply.expected.0.note") != "PO 77" {
		t.Errorf("item: %s", item.body)
	}
	if a := receive("40", "100"); a.status != http.StatusOK {
		t.Fatalf("receive: %d %s", a.status, a.body)
	}
	if a := receive("40", "100"); a.status != http.StatusConflict ||
		!strings.Contains(a.body, "140 on hand now, no longer 100") {
		t.Errorf("received again: %d %s", a.status, a.body)
	}
	for _, qty := range []string{"", "x", "-1", "0"} {
		if a := receive(qty, ""); a.status != http.StatusUnprocessableEntity || a.get("fields.0.field") != "received" {
			t.Errorf("received %q: %d %s", qty, a.status, a.body)
		}
	}
	if a := desk.send("/desk/items/OIL5/expected", "expected_on", "soon", "expected_qty", "5", "expected_note",
		"kept"); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, `value="kept"`) {
		t.Errorf("a day that is none: %d", a.status)
	}
	if got := v.read("/orders/" + no); got.get("lines.0.qty_allocated") != "130" {
		t.Errorf("the order was not served: %s", got.body)
	}
	item = desk.read("/desk/items/OIL5")
	if item.get("supply.expected.0.qty") != "10" {
		t.Errorf("still expected: %s", item.body)
	}
	if a := desk.post("/desk/items/OIL5/expected",
		"remove", fmt.Sprint(item.get("supply.expected.0.expected_id"))); a.status != http.StatusOK ||
		desk.read("/desk/items/OIL5").get("supply.expected.0") != nil {
		t.Errorf("remove: %d %s", a.status, a.body)
	}
}

// Who may not see stock as a number reads none anywhere: not on a page, in
// JSON, in an attribute, a refusal or a frame.
func TestStockNeverLeaks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db,
		`update erp.web_access w set see_stock = case c.customer_no when 'C1001' then 'in_low_out' when 'C1002' then 'hidden'
			else 'number' end
			from erp.customer c where c.customer_id = w.customer_id;
		update erp.company set low_stock = 99999;
		insert into erp.stock_expected (item_id, expected_on, qty) select item_id, erp.today() + 9, 83579 from erp.item`)
	// And what three less leave
	secrets := []string{"73571", "73,571", "4637", "4,637", "83579", "83,579", "73568", "73,568"}
	for no, hidden := range map[string]bool{"C1001": true, "C1002": true, "C1003": false} {
		pgtest.Exec(t, s.db, `update erp.sales_order set status = 'CANCELLED' where status in ('SUBMITTED', 'APPROVED');
			update erp.stock s set on_hand = v.qty from (values ('OIL5', 73571), ('LAST1', 4637), ('RICE25', 0)) as v(item_no,
				qty) join erp.item i using (item_no) where i.item_id = s.item_id`)
		v := s.buyer(no)
		socket := v.live("")
		socket.hello()
		socket.watch("OIL5", "LAST1", "RICE25")
		var heard strings.Builder
		hear := func(answers ...answer) {
			for _, a := range answers {
				if a.status >= 500 {
					t.Errorf("%s: %d %s", no, a.status, a.body)
				}
				heard.WriteString(a.body)
				fmt.Fprint(&heard, a.header)
			}
		}
		order := v.order("OIL5", "3")
		hear(v.post("/cart/lines", "item_no", "LAST1", "qty", "9999"))
		hear(v.page("/cart"), v.read("/cart"), v.submit(),
			v.send("/cart/submit", "key", fmt.Sprint(v.read("/cart").get("key"))))
		hear(v.post("/cart/lines", "item_no", "LAST1", "qty", "0"))
		hear(v.post("/cart/lines", "item_no", "OIL5", "qty", "99999"), v.page("/cart"), v.read("/cart"))
		for _, path := range []string{"/", "/catalog", "/catalog?in_stock=1", "/items/OIL5", "/items/LAST1", "/items/RICE25",
			"/my-items?list=bought", "/orders/" + order, "/orders", "/quick-order", "/lookup?q=OIL5", "/lookup?q=LAST1",
			"/desk/items/OIL5", "/desk/warehouse"} {
			hear(v.page(path), v.read(path))
		}
		hear(v.post("/quick-order", "paste", "OIL5\t99999\nLAST1\t9999\nRICE25\t1"),
			v.send("/quick-order", "paste", "OIL5\t99999\nLAST1\t9999"), v.post("/orders/"+order+"/reorder"),
			v.send("/orders/"+order+"/reorder", "mode", "add"), v.submit())
		pgtest.Exec(t, s.db,
			`update erp.stock set on_hand = on_hand + 1 where item_id = (select item_id from erp.item where item_no = 'OIL5');
			insert into erp.stock_expected (item_id, expected_on, qty) select item_id, erp.today() + 3, 83579 from erp.item
				where item_no = 'LAST1'`)
		socket.until(func(kind, ref, _ string) bool { return kind == "item" && ref == "LAST1" })
		heard.WriteString(socket.raw.String())
		text := heard.String()
		found := slices.ContainsFunc(secrets, func(secret string) bool { return strings.Contains(text, secret) })
		if !hidden && !found {
			t.Errorf("%s sees stock, and the test does not find it", no)
		}
		for _, secret := range secrets {
			if i := strings.Index(text, secret); hidden && i >= 0 {
				t.Errorf("%s reads %s: …%s…", no, secret, text[max(0, i-160):min(len(text), i+60)])
			}
		}
		if strings.Contains(text, "83579") {
			t.Errorf("%s reads how much is expected", no)
		}
		if !strings.Contains(text, map[bool]string{true: "LAST1: so many cannot be ordered at the moment.",
			false: "LAST1: 46"}[hidden]) {
			t.Errorf("%s is not told why LAST1 is refused", no)
		}
	}
	log := s.log.String()
	if strings.Contains(log, "83579") {
		t.Error("the log tells what is expected")
	}
}
