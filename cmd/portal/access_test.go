package main

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"portal.example/portal/internal/pgtest"
)

// of is an update of C1003's Web Access by plain SQL.
func of(set string) string {
	return "update erp.web_access set " + set +
		" where customer_id = (select customer_id from erp.customer where customer_no = 'C1003')"
}

// Every switch of the Web Access tab, moved by plain SQL while a page and its
// socket are open: the socket is told, the very next request obeys, on pages,
// in JSON and by forms written by hand, and the audit log has what was moved,
// from what to what, by whom.
func TestEverySwitchActsAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, `
		insert into erp.price_break (item_id, min_qty, price) select item_id, 12, 23.4 from erp.item where item_no = 'OIL5';
		insert into erp.route (route_id, code, name) overriding system value values (1, 'TF', 'Tuesday and Friday');
		insert into erp.route_day (route_id, weekday) values (1, 2), (1, 5);
		update erp.customer set route_id = 1, credit_limit = 100000 where customer_no = 'C1003';
		select erp.set_clock('2026-06-29 15:00:01-04')`) // a Monday, just late for Tuesday
	v, desk := s.buyer("C1003"), s.logIn("desk@demo.example")
	orderNo := v.order("OIL5", "1")
	eventually(t, "approved", func() bool { return v.read("/orders/"+orderNo).get("status") == "APPROVED" })
	pgtest.Exec(t, s.db, "select erp.ship_order('"+orderNo+"', 'UPS', '1Z')")
	invoiceNo := pgtest.Value[string](t, s.db, "select erp.invoice_order('"+orderNo+"')")
	v.post("/favorites/OIL5")
	v.post("/cart/lines", "item_no", "OIL5", "qty", "3")
	socket := v.live("")
	socket.hello()
	socket.watch("OIL5")

	pages := []string{"/", "/catalog", "/items/OIL5", "/my-items", "/my-items?list=bought", "/quick-order",
		"/lookup?q=OIL5", "/cart", "/orders", "/orders/" + orderNo, "/invoices", "/invoices/" + invoiceNo, "/profile"}
	// look asks for every page and a row of the quick order: as HTML, and as JSON where a
	// program could read there what the page hides.
	look := func(data bool) (seen [][2]string) {
		for _, p := range pages {
			body := v.page(p).body
			if data {
				body += v.read(p).body
			}
			seen = append(seen, [2]string{strings.NewReplacer(orderNo, "NO", invoiceNo, "NO").Replace(p), body})
		}
		row := []string{"ref", "OIL5", "qty", "3"}
		body := v.send("/quick-order", row...).body
		if data {
			body += v.post("/quick-order", row...).body
		}
		return append(seen, [2]string{"quick order", body})
	}
	// With every switch as it was the pages are the same for every row, so they are looked at
	// once before the first and once after the last.
	asItWas, moved, asked := [][2]string(nil), false, map[string]string{}
	showing := func(pattern string, data bool) string {
		re, seen := regexp.MustCompile(pattern), asItWas
		if moved {
			seen = look(data)
		}
		var out []string
		for _, page := range seen {
			if re.MatchString(page[1]) {
				out = append(out, page[0])
			}
		}
		pagesNamed := strings.Join(out, " ")
		if !moved {
			asked[pattern] = pagesNamed
		}
		return pagesNamed
	}
	// where names the pages that show a pattern, in HTML or in JSON; offered those that offer
	// something, which HTML alone does.
	where := func(pattern string) string { return showing(pattern, true) }
	offered := func(pattern string) string { return showing(pattern, false) }
	// posts are the statuses of forms that nobody offers, written by hand.
	posts := func() string {
		var out []string
		for _, f := range [][]string{{"/cart/lines", "item_no", "OIL5", "qty", "3", "mode", "set"}, {"/cart", "note", ""},
			{"/my-items", "ref", "X", "qty", "1"}, {"/quick-order", "ref", "X", "qty", "1", "action", "add"},
			{"/orders/" + orderNo + "/reorder", "mode", "nothing"}, {"/orders/" + orderNo + "/cancel"},
			{"/invoices/" + invoiceNo + "/reorder", "mode", "nothing"}, {"/cart/submit", "key", "nonsense"}} {
			out = append(out, fmt.Sprint(v.post(f[0], f[1:]...).status))
		}
		return strings.Join(out, " ")
	}
	// cart is what it says would happen, and why; sent is what really does where
	// it is refused.
	cart := func() string {
		a := v.read("/cart")
		out := []string{fmt.Sprint(a.get("outcome"))}
		findings, _ := a.get("findings").([]any)
		for _, f := range findings {
			m := f.(map[string]any)
			out = append(out, fmt.Sprint(m["code"], ":", m["action"]))
		}
		if out[0] == "refuse" {
			sent := v.submit()
			out = append(out, fmt.Sprint(sent.status, " ", sent.get("fields.0.field")))
		}
		return strings.Join(out, " ")
	}
	withQty := func(qty string, probe func() string) func() string {
		return func() string {
			v.post("/cart/lines", "item_no", "OIL5", "qty", qty, "mode", "set")
			defer v.post("/cart/lines", "item_no", "OIL5", "qty", "3", "mode", "set")
			return probe()
		}
	}
	wishing := func(day string) func() string {
		return func() string {
			v.post("/cart", "requested_date", day)
			defer v.post("/cart", "requested_date", "")
			return cart() + fmt.Sprint(" ", v.read("/cart").get("room.delivery.date"))
		}
	}
	stock := func() string {
		var out []string
		for _, a := range []answer{v.read("/catalog?q=OIL5"), v.read("/lookup?q=OIL5"), v.read("/my-items")} {
			out = append(out, fmt.Sprint(a.get("items.0.available") != nil, " ", a.get("items.0.stock_state"), " ",
				a.get("items.0.orderable")))
		}
		return strings.Join(out, ", ") + "; " + where(`\d+ in stock|"available":"\d`)
	}
	catalog := func() string {
		return fmt.Sprint(v.read("/items/OIL5").status, v.page("/items/OIL5").status, v.page("/items/OIL5/picture").status,
			" ", v.read("/catalog?q=OIL5").get("total"), " ", len(v.read("/lookup?q=OIL5").get("items").([]any)), " ",
			v.read("/my-items").get("total"), " ", v.read("/my-items?list=bought").get("total"), " ",
			v.post("/favorites/OIL5").status, v.post("/cart/lines", "item_no", "OIL5", "qty", "3", "mode", "set").status, " ",
			v.post("/quick-order", "paste", "OIL5\t1").get("ready"), " ",
			v.post("/orders/"+orderNo+"/reorder").get("lines.0.outcome"), "; ", cart())
	}
	credit := func() string {
		pgtest.Exec(t, s.db, "update erp.customer set credit_limit = 100 where customer_no = 'C1003'")
		defer pgtest.Exec(t, s.db, "update erp.customer set credit_limit = 100000 where customer_no = 'C1003'")
		return cart()
	}
	nothing := func() string { return "" }

	tried := map[string]bool{"customer_id": true, "enabled": true} // see below
	rows := []struct {
		set, back     string // what is flipped, and back
		probe         func() string
		before, after string
		audit         string
	}{
		{"can_order = false", "can_order = true", posts, "200 200 422 200 422 409 422 409", "403 403 403 403 403 403 403 403",
			`{"can_order": [true, false]}`},
		{"can_order = false", "can_order = true",
			func() string { return offered(`action="/cart/lines"|Submit order|Add all|>Reorder<|Quick order</a>`) },
			"/ /catalog /items/OIL5 /my-items /my-items?list=bought /quick-order /cart /orders /orders/NO /invoices " +
				"/invoices/NO /profile quick order", "", `{"can_order": [true, false]}`},
		{"see_prices = false", "see_prices = true", func() string { return where(`2[37]\.[04]0\b|81\.00`) },
			"/ /catalog /items/OIL5 /my-items /my-items?list=bought /quick-order /lookup?q=OIL5 /cart /orders /orders/NO " +
				"/invoices /invoices/NO /profile quick order", "/",
			`{"see_prices": [true, false]}`}, // the dashboard still has the balance: see_balance
		{"require_po = true", "require_po = false", cart, "approve", "refuse po_required:refuse 422 po_no",
			`{"require_po": [false, true]}`},
		{"many_logins = true", "many_logins = false", func() string { return offered(`href="/people"`) },
			"", "/ /catalog /items/OIL5 /my-items /my-items?list=bought /quick-order /cart /orders /orders/NO /invoices " +
				"/invoices/NO /profile quick order", `{"many_logins": [false, true]}`},
		// The limit itself passes
		{"min_order = 81.00", "min_order = null", cart, "approve", "approve", `{"min_order": [null, 81.00]}`},
		{"min_order = 81.01", "min_order = null", cart, "approve", "refuse min_order:refuse 422 ",
			`{"min_order": [null, 81.01]}`},
		{"min_order = 0", "min_order = null", cart, "approve", "approve", `{"min_order": [null, 0.00]}`},
		{"max_order = 81.00", "max_order = null", cart, "approve", "approve", `{"max_order": [null, 81.00]}`},
		{"max_order = 80.99", "max_order = null", cart, "approve", "refuse over_maximum:refuse 422 ",
			`{"max_order": [null, 80.99]}`},
		{"max_order = 0", "max_order = null", cart, "approve", "refuse over_maximum:refuse 422 ",
			`{"max_order": [null, 0.00]}`},
		{"max_order = 80.99, over_max = 'queue'", "max_order = null, over_max = 'block'", cart,
			"approve", "queue over_maximum:queue", `{"over_max": ["block", "queue"], "max_order": [null, 80.99]}`},
		{"auto_approve = false", "auto_approve = true", cart, "approve", "queue auto_approve_off:queue",
			`{"auto_approve": [true, false]}`},
		{"see_stock = 'in_low_out'", "see_stock = 'number'", stock,
			"true in true, true in true, true in true; /catalog /items/OIL5 /my-items /my-items?list=bought /lookup?q=OIL5 " +
				"/cart quick order",
			"false in true, false in true, false in true; ", `{"see_stock": ["number", "in_low_out"]}`},
		{"see_stock = 'hidden'", "see_stock = 'number'", stock,
			"true in true, true in true, true in true; /catalog /items/OIL5 /my-items /my-items?list=bought /lookup?q=OIL5 " +
				"/cart quick order",
			"false <nil> true, false <nil> true, false <nil> true; ", `{"see_stock": ["number", "hidden"]}`},
		{"see_price_breaks = false", "see_price_breaks = true", func() string { return where(`23\.40?\b`) },
			"/items/OIL5 /cart", "", `{"see_price_breaks": [true, false]}`},
		{"authorized_items_only = true", "authorized_items_only = false", catalog,
			"200 200 404 1 1 1 1 200 200 1 added; approve",
			"404 404 404 0 0 0 0 404 404 0 not_available; refuse item_unavailable:refuse 422 item_no",
			`{"authorized_items_only": [false, true]}`},
		{"allow_backorder = false", "allow_backorder = true", withQty("100", cart), "queue stock_short:queue",
			"refuse stock_short:refuse 409 qty", `{"allow_backorder": [true, false]}`},
		{"credit_check = 'off'", "credit_check = 'queue'", credit, "queue over_credit:queue",
			"approve", `{"credit_check": ["queue", "off"]}`},
		{"credit_check = 'warn'", "credit_check = 'queue'", credit, "queue over_credit:queue", "approve over_credit:warn",
			`{"credit_check": ["queue", "warn"]}`},
		{"credit_check = 'block'", "credit_check = 'queue'", credit, "queue over_credit:queue",
			"refuse over_credit:refuse 422 ", `{"credit_check": ["queue", "block"]}`},
		{"see_balance = false", "see_balance = true", func() string {
			return fmt.Sprint(v.read("/").get("aging") != nil, v.read("/cart").get("room.credit") != nil, " ",
				offered(`id="balance"[^>]*>\s*<div class="card-header"`))
		}, "true true /", "false false ", `{"see_balance": [true, false]}`},
		{"cutoff_mode = 'strict'", "cutoff_mode = 'flexible'", wishing("2026-06-30"),
			"queue late_for_cutoff:queue 2026-06-30T00:00:00Z", "approve late_for_cutoff:warn 2026-07-03T00:00:00Z",
			`{"cutoff_mode": ["flexible", "strict"]}`},
		{"may_change = 'none'", "may_change = 'edit'", func() string {
			pgtest.Exec(t, s.db, "update erp.company set review_new_ship_to = true") // so that it stays Submitted
			defer pgtest.Exec(t, s.db, "update erp.company set review_new_ship_to = false")
			no, _ := v.submit("ship_to", "3").get("order_no").(string)
			defer pgtest.Exec(t, s.db,
				"update erp.sales_order set status = 'CANCELLED' where order_no = $1 and status = 'SUBMITTED'", no)
			defer v.post("/cart/lines", "item_no", "OIL5", "qty", "3", "mode", "set")
			return fmt.Sprint(v.read("/orders/"+no).get("can_cancel"), strings.Contains(v.page("/orders/"+no).body, "/cancel"),
				v.post("/orders/"+no+"/cancel").status)
		}, "true true 200", "false false 403", `{"may_change": ["edit", "none"]}`},
		// these three are obeyed by what comes with returns and statements
		{"can_return = false", "can_return = true", nothing, "", "", `{"can_return": [true, false]}`},
		{"return_days = 0", "return_days = null", nothing, "", "", `{"return_days": [null, 0]}`},
		{"monthly_statement = true", "monthly_statement = false", nothing, "", "", `{"monthly_statement": [false, true]}`},
	}
	asItWas = look(true)
	shown := map[string]bool{} // in the list of changes, which holds the last 50
	desksList := func() {
		for _, row := range desk.read("/desk/customers/C1003").get("audit").([]any) {
			data, _ := row.(map[string]any)["data"].(map[string]any)
			for column := range data {
				shown[column] = true
			}
		}
	}
	for i, c := range rows {
		access := func() { socket.until(func(kind, _, _ string) bool { return kind == "access" }) }
		if got := c.probe(); got != c.before {
			t.Errorf("before %s:\n got %s\nwant %s", c.set, got, c.before)
		}
		pgtest.Exec(t, s.db, of(c.set))
		access()
		moved = true
		if got := c.probe(); got != c.after {
			t.Errorf("after %s:\n got %s\nwant %s", c.set, got, c.after)
		}
		if got := pgtest.Value[string](t, s.db,
			"select (actor = session_user)::text || ' ' || data from portal.audit where action = 'web_access' order by "+
				"audit_id desc limit 1"); got != "true "+c.audit {
			t.Errorf("audit of %s: %s", c.set, got)
		}
		column, _, _ := strings.Cut(c.set, " ")
		tried[column] = true
		pgtest.Exec(t, s.db, of(c.back))
		access()
		moved = false
		if i%20 == 19 || i == len(rows)-1 {
			desksList()
		}
	}
	asItWas = look(true)
	for pattern, before := range maps.Clone(asked) {
		if got := where(pattern); got != before {
			t.Errorf("all switched back, %s is on\n%s\nbefore on\n%s", pattern, got, before)
		}
	}

	for _, column := range pgtest.Value[[]string](t, s.db,
		"select array_agg(column_name::text order by ordinal_position) from information_schema.columns where table_schema "+
			"= 'erp' and table_name = 'web_access'") {
		if !tried[column] && column != "over_max" { // which is tried with the maximum
			t.Errorf("nothing is tried of %s", column)
		}
		if tried[column] && !shown[column] && column != "customer_id" && column != "enabled" {
			t.Errorf("the desk does not show that %s moved", column)
		}
	}

	newSwitchAtDesk(t, s, desk)

	// closed is closed: the socket, the session, the log-in, the row itself
	for _, c := range [][2]string{
		{of("enabled = false"), of("enabled = true")},
		{"delete from erp.web_access where customer_id = (select customer_id from erp.customer where customer_no = 'C1003')",
			"insert into erp.web_access (customer_id) select customer_id from erp.customer where customer_no = 'C1003'"},
		{"update erp.customer set active = false where customer_no = 'C1003'",
			"update erp.customer set active = true where customer_no = 'C1003'"},
	} {
		v = s.buyer("C1003")
		socket = v.live("")
		socket.hello()
		pgtest.Exec(t, s.db, c[0])
		if code := socket.closing(); code != websocket.StatusCode(4001) {
			t.Errorf("%s: the socket closed with %d", c[0], code)
		}
		if a := v.read("/orders"); a.status != http.StatusUnauthorized {
			t.Errorf("%s: orders %d", c[0], a.status)
		}
		if a := s.visit().post("/login", "email", "buyer@c1003.example",
			"password", demoPassword); a.status != http.StatusUnauthorized {
			t.Errorf("%s: log-in %d", c[0], a.status)
		}
		pgtest.Exec(t, s.db, c[1])
	}
	if got := pgtest.Value[[]string](t, s.db,
		`select array_agg((data -> 'enabled')::text order by audit_id) from portal.audit where action = 'web_access'
			and data ? 'enabled'`); !slices.Equal(got, []string{"[true, false]", "[false, true]", "[true, null]", "[null, true]"}) {
		t.Errorf("audit of closing and opening: %v", got)
	}
}

// newSwitchAtDesk adds a switch as a migration does: the desk has it on the form, saves it, and
// shows it in words and in JSON, without a restart.
func newSwitchAtDesk(t *testing.T, s *site, desk *visitor) {
	t.Helper()
	pgtest.Exec(t, s.db, `alter table erp.web_access add column x_way text not null default 'air',
			add constraint web_access_x_way check (x_way in ('air', 'sea'));
		insert into erp.web_access_switch (column_name, section, sort, kind, label, help)
			values ('x_way', 'Freight', 900, 'choice', 'Goods come', 'As agreed.');
		insert into erp.web_access_choice (column_name, value, sort, label, log_label)
			values ('x_way', 'air', 1, 'By air', 'fast'), ('x_way', 'sea', 2, 'By sea', 'slow')`)
	shows := func(texts ...string) {
		t.Helper()
		page := desk.page("/desk/customers/C1003").body
		for _, text := range texts {
			if !strings.Contains(page, text) {
				t.Errorf("a new switch: the desk's page has no %s", text)
			}
		}
	}
	shows(`>Freight</legend>`, `name="x_way"`, `>Goods come</label>`,
		`<option value="air" selected>By air</option>`, `>As agreed.</p>`)
	if a := desk.post("/desk/customers/C1003/access", "x_way", "sea",
		"shown", `{"x_way":"air"}`); a.status != http.StatusOK {
		t.Errorf("a new switch is not saved: %d %s", a.status, a.body)
	}
	shows(`<option value="sea" selected>By sea</option>`, `Goods come: fast → <strong>slow</strong>`)
	access, _ := desk.read("/desk/customers/C1003").get("access").(map[string]any)
	if access["x_way"] != "sea" || access["enabled"] != true {
		t.Errorf("saved with a new switch: %v", access)
	}
}
