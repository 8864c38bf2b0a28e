package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"portal.example/portal/internal/pgtest"
)

// The tests in this file are the acceptance scenarios that the portal meets,
// by their numbers: the database, the server and its sockets, nothing faked.

func TestAcceptance01Levels(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for customerNo, want := range map[string][2]string{
		"C1001": {"30.00", "300.00"}, "C1002": {"28.50", "285.00"}, "C1003": {"27.00", "270.00"},
		"C1004": {"25.50", "255.00"}, "C1005": {"24.00", "240.00"},
	} {
		v := s.buyer(customerNo)
		check := func(where string, got any, want string) {
			t.Helper()
			if got != want {
				t.Errorf("%s %s: %v, want %s", customerNo, where, got, want)
			}
		}
		check("list", v.read("/catalog?q=OIL5").get("items.0.unit_price"), want[0])
		check("item", v.read("/items/OIL5").get("unit_price"), want[0])
		v.post("/cart/lines", "item_no", "OIL5", "qty", "10")
		cart := v.read("/cart")
		check("cart price", cart.get("lines.0.unit_price"), want[0])
		check("cart line", cart.get("lines.0.line_total"), want[1])
		check("cart total", cart.get("total"), want[1])
		orderNo := v.submit().get("order_no").(string)
		order := v.read("/orders/" + orderNo)
		check("order price", order.get("lines.0.unit_price"), want[0])
		check("order line", order.get("lines.0.line_total"), want[1])
		check("order total", order.get("total"), want[1])
		check("order step", order.get("lines.0.price_step"), "level")
		if page := v.page("/orders/" + orderNo).body; !strings.Contains(page, ">"+want[0]+"<") ||
			!strings.Contains(page, want[1]) {
			t.Errorf("%s: order page lacks %v", customerNo, want)
		}
		eventually(t, "approved", func() bool { return v.read("/orders/"+orderNo).get("status") == "APPROVED" })
		pgtest.Exec(t, s.db, "select erp.ship_order('"+orderNo+"', 'UPS', '1Z')")
		invoiceNo := pgtest.Value[string](t, s.db, "select erp.invoice_order('"+orderNo+"')")
		invoice := v.read("/invoices/" + invoiceNo)
		check("invoice price", invoice.get("lines.0.unit_price"), want[0])
		check("invoice line", invoice.get("lines.0.line_total"), want[1])
		check("invoice total", invoice.get("total"), want[1])
		check("function", pgtest.Value[string](t, s.db, `select trim_scale(unit_price)::numeric(14,2)::text from erp.price(
			(select customer_id from erp.customer where customer_no = '`+customerNo+`'),
			array[(select item_id from erp.item where item_no = 'OIL5')], array['EA'], array[10])`), want[0])
	}
}

func TestAcceptance09ViewOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.buyer("C1003")
	before := v.order("RICE25", "1")
	v.post("/cart/lines", "item_no", "OIL5", "qty", "1")
	key := v.read("/cart").get("key").(string)
	pgtest.Exec(t, s.db, "update erp.web_access set can_order = false where customer_id = (select customer_id from "+
		"erp.customer where customer_no = 'C1003')")

	page := v.page("/catalog")
	if !strings.Contains(page.body, "27.00") {
		t.Error("prices are gone from the catalogue")
	}
	if history := v.page("/orders/" + before); !strings.Contains(history.body, "20.00") {
		t.Error("the history is gone")
	}
	for _, path := range []string{"/", "/catalog", "/items/OIL5", "/my-items?list=bought", "/cart", "/orders",
		"/orders/" + before} {
		body := v.page(path).body
		for _, control := range []string{`action="/cart/lines"`, `action="/cart/submit"`, "/reorder", "/cancel",
			`href="/quick-order"`} {
			if strings.Contains(body, control) {
				t.Errorf("%s still has %s", path, control)
			}
		}
	}
	if a := v.post("/orders/" + before + "/cancel"); a.status != http.StatusForbidden {
		t.Errorf("cancel by hand: %d", a.status)
	}
	if a := v.post("/cart/submit", "key", key); a.status != http.StatusForbidden {
		t.Errorf("submit by hand: %d", a.status)
	}
	if a := v.post("/cart/lines", "item_no", "OIL5", "qty", "1"); a.status != http.StatusForbidden {
		t.Errorf("add by hand: %d", a.status)
	}
	if n := pgtest.Value[int](t, s.db, "select count(*)::int from erp.sales_order"); n != 1 {
		t.Errorf("%d orders inserted", n-1)
	}
}

func TestAcceptance10PORequired(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, "update erp.web_access set require_po = true")
	v := s.buyer("C1003")
	add := func() { v.post("/cart/lines", "item_no", "OIL5", "qty", "1") }
	add()
	for _, po := range []string{"", "   "} {
		a := v.submit("po_no", po)
		if a.status != http.StatusUnprocessableEntity || a.get("fields.0.field") != "po_no" {
			t.Errorf("PO %q: %d %s", po, a.status, a.body)
		}
		page := v.send("/cart/submit", "key", v.read("/cart").get("key").(string), "po_no", po)
		if page.status != http.StatusUnprocessableEntity || !strings.Contains(page.body, `id="f-po_no-error"`) ||
			!strings.Contains(page.body, "Enter your PO number") {
			t.Errorf("PO %q: the page answers %d without saying it at the field", po, page.status)
		}
	}
	first := v.submit("po_no", "PO-77").get("order_no")
	if first == nil {
		t.Fatal("PO-77 refused")
	}
	add()
	again := v.submit("po_no", "po-77")
	if again.status != http.StatusConflict || !strings.Contains(again.body, first.(string)) {
		t.Errorf("same PO: %d %s", again.status, again.body)
	}
	asks := v.send("/cart/submit", "key", v.read("/cart").get("key").(string), "po_no", "PO-77")
	if asks.status != http.StatusConflict || !strings.Contains(asks.body,
		"PO PO-77 is already on order "+first.(string)) || !strings.Contains(asks.body, `name="confirm_po"`) {
		t.Errorf("the page does not ask: %d", asks.status)
	}
	if a := v.submit("po_no", "PO-77", "confirm_po", again.text("confirm.confirm_po")); a.status != http.StatusOK {
		t.Errorf("confirmed: %d %s", a.status, a.body)
	}
}

func TestAcceptance12AutoApprove(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.buyer("C1003")
	at := v.order("OIL5", "1")
	eventually(t, "approved at once", func() bool { return v.read("/orders/"+at).get("status") == "APPROVED" })

	pgtest.Exec(t, s.db, "update erp.web_access set auto_approve = false")
	waits := v.order("OIL5", "1")
	eventually(t, "left for review", func() bool { return v.read("/orders/"+waits).get("in_review") == true })
	if status := v.read("/orders/" + waits).get("status"); status != "SUBMITTED" {
		t.Errorf("status %v", status)
	}

	pgtest.Exec(t, s.db, `update erp.web_access set auto_approve = true;
		update erp.customer set credit_limit = erp.credit_exposure(customer_id) + 270 - 312.40 where customer_no = 'C1003'`)
	v.post("/cart/lines", "item_no", "OIL5", "qty", "10")
	if cart := v.page("/cart").body; !strings.Contains(cart,
		"We will look at your account before we approve the order.") || strings.Contains(cart, "312.40") {
		t.Error("the cart does not say, in neutral words, that the order waits")
	}
	over := v.submit().get("order_no").(string)
	eventually(t, "queued over credit", func() bool { return v.read("/orders/"+over).get("in_review") == true })
	if desk := s.logIn("desk@demo.example").page("/desk/orders/" + over).body; !strings.Contains(desk,
		"Over credit by 312.40") {
		t.Errorf("staff do not see the figure: %s", desk)
	}
	for _, page := range []answer{v.page("/orders/" + over), v.read("/orders/" + over)} {
		if strings.Contains(page.body, "over_credit") || strings.Contains(page.body, "redit limit") ||
			strings.Contains(page.body, "312.40") {
			t.Errorf("the buyer reads of credit: %s", page.body)
		}
	}
}

func TestAcceptance15OtherCustomers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	hers := s.buyer("C1002")
	orderNo := hers.order("OIL5", "1", "po_no", "SECRET-PO")
	eventually(t, "approved", func() bool { return hers.read("/orders/"+orderNo).get("status") == "APPROVED" })
	pgtest.Exec(t, s.db, "select erp.ship_order('"+orderNo+"', 'UPS', '1Z')")
	invoiceNo := pgtest.Value[string](t, s.db, "select erp.invoice_order('"+orderNo+"')")

	his := s.buyer("C1001")
	for _, path := range []string{"/orders/" + orderNo, "/invoices/" + invoiceNo, "/desk/orders/" + orderNo,
		"/desk/customers/C1002", "/ops/jobs"} {
		for _, a := range []answer{his.read(path), his.page(path)} {
			if a.status != http.StatusNotFound || strings.Contains(a.body, "SECRET-PO") {
				t.Errorf("GET %s: %d", path, a.status)
			}
		}
	}
	if a := his.post("/orders/" + orderNo + "/cancel"); a.status != http.StatusNotFound {
		t.Errorf("cancel: %d", a.status)
	}
	for _, path := range []string{"/orders?q=SECRET", "/orders?q=" + orderNo, "/invoices", "/"} {
		if a := his.read(path); strings.Contains(a.body, `"order_no":"`+orderNo) || strings.Contains(a.body, "SECRET-PO") ||
			strings.Contains(a.body, `"`+invoiceNo+`"`) {
			t.Errorf("%s lists it: %s", path, a.body)
		}
	}
	// the wall behind the fence: the role of customers' requests sees only the
	// rows of the customer it acts for
	tx, err := s.db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	if _, err := tx.Exec(t.Context(),
		`select set_config('portal.customer_id', customer_id::text, true) from erp.customer where customer_no = 'C1001';
			set local role portal_web`); err != nil {
		t.Fatal(err)
	}
	var rows int
	if err := tx.QueryRow(t.Context(),
		`select (select count(*) from erp.sales_order) + (select count(*) from erp.sales_order_line)
		+ (select count(*) from erp.invoice) + (select count(*) from erp.order_status_history)`).Scan(&rows); err != nil {
		t.Fatal(err)
	}
	if rows != 0 {
		t.Errorf("the role of C1001's requests sees %d rows of C1002", rows)
	}

	// the socket brings nothing of hers, whatever it asks for
	socket := his.live("")
	socket.hello()
	socket.watch("OIL5", orderNo)
	pgtest.Exec(t, s.db, "update erp.sales_order set status = 'DELIVERED' where order_no = '"+orderNo+"'")
	mine := his.order("RICE25", "1")
	seen, _ := socket.until(func(kind, ref, status string) bool { return ref == mine && status == "APPROVED" })
	for _, e := range seen {
		if strings.Contains(e, orderNo) {
			t.Errorf("his socket heard %q", e)
		}
	}
}

func TestAcceptance16Lockout(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, "select erp.set_clock('2026-03-02 09:00-05')")
	v := s.visit()
	wrong := func(email string) answer { return v.post("/login", "email", email, "password", "not this one") }
	right := func() answer {
		return v.post("/login", "email", "buyer@c1003.example", "password", demoPassword)
	}
	var refused answer
	for range 5 {
		refused = wrong("buyer@c1003.example")
	}
	unknown := wrong("nobody@nowhere.example")
	if refused.status != http.StatusUnauthorized || unknown.status != refused.status ||
		unknown.get("message") != refused.get("message") {
		t.Errorf("wrong password %d %v, unknown e-mail %d %v", refused.status, refused.get("message"), unknown.status,
			unknown.get("message"))
	}
	locked := right()
	if locked.status != http.StatusUnauthorized || locked.get("message") != unknown.get("message") {
		t.Errorf("locked: %d %v", locked.status, locked.get("message"))
	}
	// further tries do not move the end
	for i := range 14 {
		pgtest.Exec(t, s.db, fmt.Sprintf("select erp.set_clock('2026-03-02 09:%02d-05')", i+1))
		wrong("buyer@c1003.example")
	}
	pgtest.Exec(t, s.db, "select erp.set_clock('2026-03-02 09:15:01-05')")
	if a := right(); a.status != http.StatusOK {
		t.Errorf("after 15 minutes: %d %s", a.status, a.body)
	}

	// a lock made elsewhere does not hold for an address where the log-in has
	// succeeded before, and an operator lifts one at once
	for range 5 {
		wrong("buyer@c1001.example")
	}
	if a := v.post("/login", "email", "buyer@c1001.example",
		"password", demoPassword); a.status != http.StatusUnauthorized {
		t.Errorf("C1001 is not locked: %d", a.status)
	}
	if code := run(t.Context(), []string{"user", "unlock", "buyer@c1001.example", "--database-url", s.db.URL},
		testWriter{t}, testWriter{t}); code != 0 {
		t.Errorf("unlock ended with %d", code)
	}
	if a := v.post("/login", "email", "buyer@c1001.example", "password", demoPassword); a.status != http.StatusOK {
		t.Errorf("unlocked: %d", a.status)
	}

	if hash := pgtest.Value[string](t, s.db,
		"select password_hash from portal.login where email = 'buyer@c1003.example'"); !strings.HasPrefix(hash, "$2") {
		t.Errorf("stored hash %q", hash)
	}
	one, two := s.buyer("C1002"), s.buyer("C1002")
	socket := two.live("")
	socket.hello()
	if a := one.post("/profile/password", "current_password", demoPassword,
		"new_password", "another-long-one"); a.status != http.StatusOK {
		t.Fatalf("change password: %d %s", a.status, a.body)
	}
	if code := socket.closing(); code != 4001 {
		t.Errorf("the other session's socket closed with %d", code)
	}
	if a := two.read("/orders"); a.status != http.StatusUnauthorized {
		t.Errorf("the other session lives: %d", a.status)
	}
	if a := one.read("/orders"); a.status != http.StatusOK {
		t.Errorf("the session itself ended: %d", a.status)
	}
}

func TestAcceptance18Favorites(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	phone, desktop := s.buyer("C1003"), s.buyer("C1003")
	socket := desktop.live("")
	socket.hello()
	if a := phone.post("/favorites/OIL5", "on", "1"); a.status != http.StatusOK {
		t.Fatalf("star: %d", a.status)
	}
	socket.until(func(kind, _, _ string) bool { return kind == "favorite" })
	mine := desktop.read("/my-items")
	if mine.get("items.0.item_no") != "OIL5" || mine.get("items.0.unit_price") != "27.00" || mine.get("total") != 1.0 {
		t.Errorf("My Items: %s", mine.body)
	}
	phone.post("/favorites/OIL5", "on", "0")
	socket.until(func(kind, _, _ string) bool { return kind == "favorite" })
	if n := desktop.read("/my-items").get("total"); n != 0.0 {
		t.Errorf("still %v items", n)
	}
}

func TestAcceptance23CartSurvives(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pc := s.buyer("C1003")
	pc.post("/cart/lines", "item_no", "OIL5", "qty", "2", "uom", "CS")
	pc.post("/cart", "po_no", "PO-5", "note", "Back door, please")
	pc.post("/logout")
	phone := s.buyer("C1003")
	cart := phone.read("/cart")
	if cart.get("lines.0.item_no") != "OIL5" || cart.get("lines.0.uom") != "CS" ||
		cart.get("lines.0.unit_price") != "108.00" ||
		cart.get("po_no") != "PO-5" || cart.get("note") != "Back door, please" {
		t.Errorf("cart on the phone: %s", cart.body)
	}
	if list, _ := cart.get("ship_tos").([]any); len(list) != 3 {
		t.Errorf("ship-tos: %v", cart.get("ship_tos"))
	}
	if a := phone.submit("ship_to", "99"); a.status != http.StatusUnprocessableEntity ||
		a.get("fields.0.field") != "ship_to" {
		t.Errorf("unknown ship-to: %d %s", a.status, a.body)
	}
	day := time.Now().AddDate(0, 0, 7).Format(time.DateOnly)
	a := phone.submit("ship_to", "2", "po_no", "PO-5", "note", "Back door, please", "requested_date", day)
	orderNo, _ := a.get("order_no").(string)
	if got := pgtest.Value[string](t, s.db,
		`select concat_ws('|', st.code, o.po_no, o.note, o.requested_date) from erp.sales_order o
		join erp.ship_to st using (ship_to_id) where o.order_no = '`+orderNo+`'`); got != "2|PO-5|Back door, please|"+day {
		t.Errorf("order has %q", got)
	}
}

func TestAcceptance24SalesOrderRow(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	desk := s.logIn("desk@demo.example")
	socket := desk.live("")
	socket.hello()
	pgtest.Exec(t, s.db,
		`insert into erp.sales_order (customer_id, source) select customer_id, 'PHONE' from erp.customer
			where customer_no = 'C1001'`)
	v := s.buyer("C1003")
	orderNo := v.order("OIL5", "3")
	if got := pgtest.Value[string](t, s.db,
		"select source || ' ' || (select count(*) from erp.sales_order_line l where l.order_id = o.order_id) from "+
			"erp.sales_order o where order_no = '"+orderNo+"'"); got != "WEB 1" {
		t.Errorf("row: %s", got)
	}
	socket.until(func(kind, ref, _ string) bool { return kind == "order" && ref == orderNo })
	queue := desk.read("/desk/orders").body
	if !strings.Contains(queue, orderNo) || !strings.Contains(queue, "PHONE") {
		t.Errorf("queue: %s", queue)
	}
}

func TestAcceptance25SubmitTwice(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.buyer("C1003")
	v.post("/cart/lines", "item_no", "OIL5", "qty", "1")
	key := v.read("/cart").get("key").(string)
	var wg sync.WaitGroup
	numbers := make([]any, 3)
	for i := range numbers {
		wg.Go(func() { numbers[i] = v.post("/cart/submit", "key", key).get("order_no") })
	}
	wg.Wait()
	resent := v.post("/cart/submit", "key", key).get("order_no")
	for _, n := range numbers {
		if n == nil || n != resent {
			t.Errorf("answers %v, then %v", numbers, resent)
		}
	}
	if n := pgtest.Value[int](t, s.db, "select count(*)::int from erp.sales_order"); n != 1 {
		t.Errorf("%d orders", n)
	}
}

func TestAcceptance26MissedSteps(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.buyer("C1003")
	pgtest.Exec(t, s.db, "update erp.web_access set auto_approve = false")
	orderNo := v.order("OIL5", "1")
	eventually(t, "reviewed", func() bool { return v.read("/orders/"+orderNo).get("in_review") == true })
	move := func(status string) {
		pgtest.Exec(t, s.db, "update erp.sales_order set status = '"+status+"' where order_no = '"+orderNo+"'")
	}

	socket := v.live("")
	socket.hello()
	move("APPROVED")
	_, cursor := socket.until(func(_, ref, status string) bool { return ref == orderNo && status == "APPROVED" })
	if err := socket.conn.CloseNow(); err != nil {
		t.Fatal(err)
	}
	move("PICKING")
	move("SHIPPED")
	move("DELIVERED")
	back := v.live(cursor)
	back.hello()
	seen, _ := back.until(func(_, ref, status string) bool { return ref == orderNo && status == "DELIVERED" })
	var steps []string
	for _, e := range seen {
		if status, ok := strings.CutPrefix(e, "order "+orderNo+" "); ok &&
			(len(steps) == 0 || steps[len(steps)-1] != status) {
			steps = append(steps, status)
		}
	}
	if want := []string{"PICKING", "SHIPPED", "DELIVERED"}; !slices.Equal(steps, want) {
		t.Errorf("after the gap %v, want %v", steps, want)
	}
	order := v.read("/orders/" + orderNo)
	for i, want := range []string{"SUBMITTED", "APPROVED", "PICKING", "SHIPPED", "DELIVERED"} {
		at := fmt.Sprintf("timeline.%d.", i)
		if order.get(at+"status") != want || order.get(at+"done") != true || order.get(at+"at") == nil {
			t.Errorf("step %d: %v", i, order.get(fmt.Sprintf("timeline.%d", i)))
		}
	}
}

func TestAcceptance27CatalogLive(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.buyer("C1003")
	socket := v.live("")
	socket.hello()
	socket.watch("OIL5", "RICE25")
	is := func(wantKind, wantRef string) func(kind, ref, _ string) bool {
		return func(kind, ref, _ string) bool { return kind == wantKind && (wantRef == "" || ref == wantRef) }
	}

	pgtest.Exec(t, s.db, "insert into erp.item (item_no, description, price_a) values ('NEW1', 'Brand new', 3)")
	socket.until(is("catalog", ""))
	if got := v.read("/catalog?q=NEW1").get("items.0.unit_price"); got != "3.00" {
		t.Errorf("new item: %v", got)
	}

	tx, err := s.db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "update erp.item set price_c = 1 where item_no = 'RICE25'"); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}

	pgtest.Exec(t, s.db, "update erp.item set price_c = 26.50 where item_no = 'OIL5'")
	seen, _ := socket.until(is("item", "OIL5"))
	if slices.Contains(seen, "item RICE25") {
		t.Error("a rolled-back change was told")
	}
	if got := v.read("/catalog?q=OIL5").get("items.0.unit_price"); got != "26.50" {
		t.Errorf("price: %v", got)
	}
	pgtest.Exec(t, s.db,
		"update erp.stock set on_hand = 3 where item_id = (select item_id from erp.item where item_no = 'OIL5')")
	socket.until(is("item", "OIL5"))
	if got := v.read("/catalog?q=OIL5").get("items.0.available"); got != "3" {
		t.Errorf("stock: %v", got)
	}
	pgtest.Exec(t, s.db,
		"update erp.stock set on_hand = 0 where item_id = (select item_id from erp.item where item_no = 'OIL5')")
	socket.until(is("item", "OIL5"))
	if a := v.page("/items/OIL5"); !strings.Contains(a.body, "Out of stock") || strings.Contains(a.body, "0 in stock") {
		t.Error("the page of an item without stock does not say so")
	}
	pgtest.Exec(t, s.db, "update erp.item set active = false where item_no = 'OIL5'")
	socket.until(is("item", "OIL5"))
	if a := v.read("/items/OIL5"); a.status != http.StatusNotFound {
		t.Errorf("withdrawn item: %d", a.status)
	}
}

func TestAcceptance42AccessLive(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v, desk := s.buyer("C1003"), s.logIn("desk@demo.example")
	socket := v.live("")
	socket.hello()
	access := func() { socket.until(func(kind, _, _ string) bool { return kind == "access" }) }

	pgtest.Exec(t, s.db, "update erp.web_access set see_stock = 'hidden' where customer_id = (select customer_id from "+
		"erp.customer where customer_no = 'C1003')")
	access()
	if a := v.read("/catalog?q=OIL5"); a.get("items.0.available") != nil || a.get("items.0.stock_state") != nil ||
		a.get("items.0.orderable") != true {
		t.Errorf("stock still shown: %s", a.body)
	}
	pgtest.Exec(t, s.db, "update erp.web_access set see_prices = false where customer_id = (select customer_id from "+
		"erp.customer where customer_no = 'C1003')")
	access()
	for _, path := range []string{"/catalog?q=OIL5", "/items/OIL5", "/cart", "/"} {
		for _, a := range []answer{v.read(path), v.page(path)} {
			if strings.Contains(a.body, "27.00") {
				t.Errorf("%s still shows a price", path)
			}
		}
	}
	form := []string{"enabled", "true", "can_order", "true", "see_prices", "true", "require_po", "true", "over_max",
		"block", "see_stock", "number", "credit_check", "queue", "cutoff_mode", "flexible", "auto_approve", "true",
		"see_balance", "true"}
	if a := desk.post("/desk/customers/C1003/access", form...); a.status != http.StatusOK {
		t.Fatalf("save access: %d %s", a.status, a.body)
	}
	access()
	v.post("/cart/lines", "item_no", "OIL5", "qty", "1")
	if a := v.submit(); a.status != http.StatusUnprocessableEntity {
		t.Errorf("PO now required: %d", a.status)
	}
	if actor := pgtest.Value[string](t, s.db,
		"select actor from portal.audit where data ? 'require_po' order by audit_id desc limit 1"); actor != "desk@demo.example" {
		t.Errorf("audit says %q", actor)
	}
	if n := pgtest.Value[int](t, s.db, "select count(*)::int from portal.audit where action = 'web_access'"); n != 3 {
		t.Errorf("%d audit rows", n)
	}
	pgtest.Exec(t, s.db, "update erp.web_access set enabled = false where customer_id = (select customer_id from "+
		"erp.customer where customer_no = 'C1003')")
	if code := socket.closing(); code != websocket.StatusCode(4001) {
		t.Errorf("closed with %d", code)
	}
	if a := v.read("/orders"); a.status != http.StatusUnauthorized {
		t.Errorf("disabled customer: %d", a.status)
	}
}

// The job queues are the operators' alone; for others the pages do not exist.
func TestJobPagesForOperatorsOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, path := range []string{"/ops/jobs", "/ops/jobs/", "/ops/jobs/api/jobs?state=available"} {
		if a := s.logIn("ops@demo.example").page(path); a.status >= 400 {
			t.Errorf("%s as operator: %d", path, a.status)
		}
		if a := s.logIn("desk@demo.example").page(path); a.status != http.StatusNotFound {
			t.Errorf("%s as staff: %d", path, a.status)
		}
		if a := s.buyer("C1003").page(path); a.status != http.StatusNotFound {
			t.Errorf("%s as a customer: %d", path, a.status)
		}
		if a := s.visit().read(path); a.status != http.StatusUnauthorized {
			t.Errorf("%s as nobody: %d", path, a.status)
		}
	}
}
