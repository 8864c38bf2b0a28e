package main

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"portal.example/portal/internal/pgtest"
)

// waiting places an order of C1003's that waits for review, and returns its
// number.
func (v *visitor) waiting(itemNo, qty string) string {
	v.s.t.Helper()
	no := v.order(itemNo, qty)
	eventually(v.s.t, no+" is left for review", func() bool { return v.read("/orders/"+no).get("in_review") == true })
	return no
}

// sqlOrder is a web order of one line that plain SQL inserts, once it has been
// left for review.
func (s *site) sqlOrder(customerNo, itemNo, qty string) string {
	s.t.Helper()
	no := pgtest.Value[string](s.t, s.db,
		`with o as (insert into erp.sales_order (customer_id, source) select customer_id, 'WEB' from erp.customer
			where customer_no = $1 returning order_id, order_no),
		l as (insert into erp.sales_order_line (order_id, line_no, item_id, qty) select o.order_id, 1, i.item_id,
		$3::text::numeric from o, erp.item i where i.item_no = $2)
		select order_no from o`, customerNo, itemNo, qty)
	eventually(s.t, no+" is left for review", func() bool {
		return pgtest.Value[bool](s.t, s.db, "select reviewed_at is not null from erp.sales_order where order_no = $1", no)
	})
	return no
}

// sound fails where the books are not as they must be.
func (s *site) sound() {
	s.t.Helper()
	if n := pgtest.Value[[]string](s.t, s.db,
		"select coalesce(array_agg(invariant || ' ' || subject || ' ' || detail), '{}') from erp.check_invariants()"); len(
		n) > 0 {
		s.t.Errorf("violations: %q", n)
	}
}

func TestAcceptance12OverCredit(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v, desk := s.buyer("C1003"), s.logIn("desk@demo.example")
	socket := v.live("")
	socket.hello()
	pgtest.Exec(t, s.db, "update erp.customer set credit_limit = 227.60 where customer_no = 'C1003'")
	no := v.waiting("OIL5", "20") // 540.00

	for _, page := range []answer{desk.page("/desk/orders"), desk.page("/desk/orders?status=review&reason=over_credit"),
		desk.page("/desk/orders/" + no)} {
		if !strings.Contains(page.body, "Over credit by 312.40") {
			t.Error("staff do not see the figure")
		}
	}
	list := desk.read("/desk/orders?reason=over_credit")
	if list.get("orders.0.reviews.0.code") != "over_credit" || list.get("orders.0.reviews.0.detail.over") != 312.4 ||
		list.get("reasons.0.code") != "over_credit" || list.get("reasons.0.orders") != 1.0 {
		t.Errorf("the reason is not machine-readable: %s", list.body)
	}
	if got := desk.read("/desk/orders?reason=stock_short").get("orders.0"); got != nil {
		t.Errorf("filtered by another reason: %v", got)
	}

	if page := v.page("/orders/" + no); !strings.Contains(page.body,
		"We are looking at your account before we approve it.") {
		t.Error("the buyer is not told that its account is looked at")
	}
	seen, _ := socket.until(func(kind, ref, _ string) bool { return kind == "order" && ref == no })
	for _, heard := range []string{v.page("/orders/" + no).body, v.read("/orders/" + no).body, v.page("/orders").body,
		socket.raw.String(), fmt.Sprint(seen)} {
		for _, secret := range []string{"312.4", "227.6", "over_credit", "Over credit", "redit limit"} {
			if strings.Contains(heard, secret) {
				t.Errorf("the buyer reads %q", secret)
			}
		}
	}

	// who approves it has released its credit
	if a := desk.post("/desk/orders/"+no+"/move", "status", "APPROVED", "from", "SUBMITTED"); a.status != http.StatusOK {
		t.Errorf("approve: %d %s", a.status, a.body)
	}
	release := desk.read("/desk/orders/" + no)
	if release.get("credit_release.by") != "desk@demo.example" || release.get("credit_release.amount") != "540.00" {
		t.Errorf("released: %v", release.get("credit_release"))
	}
	if body := v.read("/orders/" + no).body; strings.Contains(body, "release") {
		t.Errorf("the buyer reads of the release: %s", body)
	}
}

// Blocked, the plain way is refused in words; with a reason it goes on.
func TestCreditReleasedAtTheDesk(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v, desk := s.buyer("C1003"), s.logIn("desk@demo.example")
	pgtest.Exec(t, s.db, "update erp.customer set credit_hold = true where customer_no = 'C1003'")
	no := v.waiting("OIL5", "2")
	move := "/desk/orders/" + no + "/move"
	if a := desk.post(move, "status", "APPROVED"); a.status != http.StatusConflict ||
		!strings.Contains(a.body, "credit hold") {
		t.Errorf("approve: %d %s", a.status, a.body)
	}
	page := desk.page("/desk/orders/" + no).body
	if !strings.Contains(page, "Approve and release credit") || strings.Contains(page, `id="move-APPROVED"`) {
		t.Error("the page does not offer to release the credit, or offers more than that")
	}
	if a := desk.send(move, "status", "APPROVED", "release_credit", "true",
		"reason", " "); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "Say why the credit") {
		t.Errorf("without a reason: %d", a.status)
	}
	if a := desk.post(move, "status", "APPROVED", "release_credit", "true",
		"reason", "the owner called"); a.status != http.StatusOK {
		t.Errorf("released: %d %s", a.status, a.body)
	}
	if a := desk.post("/desk/orders/" + no + "/pick"); a.status != http.StatusOK {
		t.Errorf("pick: %d %s", a.status, a.body)
	}
	if got := pgtest.Value[string](t, s.db,
		"select actor || ': ' || (data ->> 'reason') from portal.audit where action = 'credit_release'"); got != "desk@demo.example: the owner called" {
		t.Errorf("audit: %s", got)
	}
}

func TestAcceptance38Queue(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, "update erp.web_access set auto_approve = false")
	v, desk := s.buyer("C1003"), s.logIn("desk@demo.example")
	one, two, three := v.waiting("RICE25", "1"), v.waiting("RICE25", "2"), v.waiting("OIL5", "10")
	var order []string
	for i := range 3 {
		order = append(order, fmt.Sprint(desk.read("/desk/orders?status=review").get(fmt.Sprintf("orders.%d.order_no", i))))
	}
	if fmt.Sprint(order) != fmt.Sprint([]string{one, two, three}) {
		t.Errorf("the oldest is not first: %v", order)
	}
	socket := v.live("")
	socket.hello()

	desk.post("/desk/orders/"+one+"/move", "status", "APPROVED", "from", "SUBMITTED", "revision", "0")
	socket.until(func(_, ref, status string) bool { return ref == one && status == "APPROVED" })
	if a := desk.post("/desk/orders/"+two+"/move", "status", "REJECTED"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("rejected without a reason: %d %s", a.status, a.body)
	}
	desk.post("/desk/orders/"+two+"/move", "status", "REJECTED", "reason", "no truck")
	socket.until(func(_, ref, status string) bool { return ref == two && status == "REJECTED" })
	if a := desk.send("/desk/orders/"+three+"/edit", "qty_1", "8"); a.status != http.StatusUnprocessableEntity ||
		!strings.Contains(a.body, "Say why there is less") || !strings.Contains(a.body, `value="8"`) {
		t.Errorf("edited without a reason: %d", a.status)
	}
	if a := desk.post("/desk/orders/"+three+"/edit", "qty_1", "8", "reason", "no truck space",
		"revision", "0"); a.status != http.StatusOK {
		t.Errorf("edit: %d %s", a.status, a.body)
	}
	socket.until(func(_, ref, _ string) bool { return ref == three })

	if got := v.read("/orders/" + one); got.get("status") != "APPROVED" {
		t.Errorf("one: %s", got.body)
	}
	if got := v.page("/orders/" + two); !strings.Contains(got.body, "no truck") {
		t.Error("the reason of the rejection is not on the page")
	}
	if got := v.read("/orders/" + three); got.get("lines.0.qty") != "8" || got.get("total") != "216.00" ||
		got.get("changes.0.reason") != "no truck space" ||
		got.get("changes.0.actor") == "desk@demo.example" {
		t.Errorf("three: %s", got.body)
	}
	if got := v.page("/orders/" + three); !strings.Contains(got.body, "8 instead of 10: no truck space") {
		t.Error("the change is not on the page")
	}
	if got := pgtest.Value[string](t, s.db,
		"select actor || ' ' || from_qty || ' ' || to_qty || ' ' || program from erp.order_change"); got != "desk@demo.example 10 8 portal" {
		t.Errorf("the change is kept as %s", got)
	}
	// on what staff look at now, not on what they looked at before
	if a := desk.post("/desk/orders/"+three+"/move", "status", "APPROVED", "from", "SUBMITTED",
		"revision", "0"); a.status != http.StatusConflict || !strings.Contains(a.body, "changed meanwhile") {
		t.Errorf("approved as it was: %d %s", a.status, a.body)
	}
	s.sound()
}

// Many at once: each by itself, and the answer says which not and why.
func TestDeskApprovesMany(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, "update erp.web_access set auto_approve = false")
	v, other, desk := s.buyer("C1003"), s.buyer("C1002"), s.logIn("desk@demo.example")
	fine, gone, changed, picked := v.waiting("RICE25", "1"), v.waiting("RICE25", "1"), v.waiting("RICE25", "1"),
		v.waiting("RICE25", "1")
	blocked := other.waiting("OIL5", "1")
	pgtest.Exec(t, s.db, "update erp.customer set credit_hold = true where customer_no = 'C1002'")
	ticked := []string{fine + "/0", gone + "/0", changed + "/0", picked + "/0", blocked + "/0", "SO-0/0"}
	v.post("/orders/" + gone + "/cancel")
	v.post("/orders/"+changed+"/change", "qty_1", "2")
	eventually(t, "decided again", func() bool { return v.read("/orders/"+changed).get("in_review") == true })
	pgtest.Exec(t, s.db, "update erp.sales_order set status = 'APPROVED' where order_no = '"+picked+"'")
	pgtest.Exec(t, s.db, "update erp.sales_order set status = 'PICKING' where order_no = '"+picked+"'")

	var pairs []string
	for _, o := range ticked {
		pairs = append(pairs, "order", o)
	}
	a := desk.postMany("/desk/orders?status=review", "application/json", pairs)
	if a.get("approved.0") != fine || a.get("approved.1") != nil {
		t.Errorf("approved: %s", a.body)
	}
	for i, want := range [][2]string{{gone, "is cancelled now"}, {changed, "changed meanwhile"},
		{picked, "is picking now"}, {blocked, "on credit hold"}, {"SO-0", "no such order"}} {
		r, _ := a.get(fmt.Sprintf("refused.%d", i)).(map[string]any)
		if r["order_no"] != want[0] || !strings.Contains(fmt.Sprint(r["message"]), want[1]) {
			t.Errorf("refused %v, want %v", r, want)
		}
	}
	// the page says the same, and is the list that it was
	page := desk.postMany("/desk/orders?status=review", "text/html", pairs)
	if page.status != http.StatusOK || !strings.Contains(page.body, "0 orders approved, 6 not.") ||
		!strings.Contains(page.body, "on credit hold") ||
		!strings.Contains(page.body, `content="/desk/orders?status=review"`) {
		t.Errorf("page: %d", page.status)
	}
	if a := desk.postMany("/desk/orders", "text/html", nil); a.status != http.StatusSeeOther {
		t.Errorf("nothing ticked: %d", a.status)
	}
	if got := v.read("/orders/" + picked).get("status"); got != "PICKING" {
		t.Errorf("an order that is picked went to %v", got)
	}
}

// postMany sends a form whose names repeat.
func (v *visitor) postMany(path, accept string, pairs []string) answer {
	v.s.t.Helper()
	values := []string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values = append(values, form(pairs[i:i+2]))
	}
	return v.do("POST", path, accept, strings.NewReader(strings.Join(values, "&")))
}

// What the buyer may do with an order still Submitted, as Web Access says.
func TestBuyerChangesOrder(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, "update erp.web_access set auto_approve = false")
	v, desk := s.buyer("C1003"), s.logIn("desk@demo.example")
	no := v.waiting("OIL5", "4")
	change := "/orders/" + no + "/change"
	if got := v.read("/orders/" + no).get("can_change"); got != true {
		t.Errorf("can_change %v", got)
	}
	if a := v.post(change, "qty_1", "6", "revision", "0"); a.status != http.StatusOK {
		t.Fatalf("change: %d %s", a.status, a.body)
	}
	eventually(t, "decided again", func() bool { return v.read("/orders/"+no).get("in_review") == true })
	if got := v.read("/orders/" + no); got.get("lines.0.qty") != "6" || got.get("total") != "162.00" ||
		got.get("changes.0.actor") != "You" {
		t.Errorf("changed: %s", got.body)
	}
	if a := desk.page("/desk/orders/" + no); !strings.Contains(a.body, "6 instead of 4, changed by buyer@c1003.example") {
		t.Error("staff do not see the change")
	}

	// today's price for what grows, if that is meant
	pgtest.Exec(t, s.db, "update erp.item set price_c = 28 where item_no = 'OIL5'")
	seen := fmt.Sprint(v.read("/orders/" + no).get("revision"))
	a := v.send(change, "qty_1", "7", "revision", seen)
	if a.status != http.StatusConflict || !strings.Contains(a.body, "OIL5 rose from 27.00 to 28.00") ||
		!strings.Contains(a.body, "Confirm and change order") || !strings.Contains(a.body, `value="7"`) {
		t.Errorf("a price that rose: %d", a.status)
	}
	if a := v.post(change, "qty_1", "7", "revision", seen, "confirm_prices", `[["1","28"]]`); a.status != http.StatusOK {
		t.Errorf("confirmed: %d %s", a.status, a.body)
	}
	if got := v.read("/orders/" + no).get("total"); got != "196.00" {
		t.Errorf("total %v", got)
	}
	for _, bad := range [][2]string{{"x", "enter a quantity"}, {"0", "cancel it instead"}, {"1.5", "whole units"},
		{"-3", "enter a quantity"}} {
		if a := v.post(change, "qty_1", bad[0]); a.status != http.StatusUnprocessableEntity ||
			!strings.Contains(a.body, bad[1]) {
			t.Errorf("%s: %d %s", bad[0], a.status, a.body)
		}
	}
	if a := v.post(change, "qty_1", "3", "revision", seen); a.status != http.StatusConflict ||
		!strings.Contains(a.body, "changed meanwhile") {
		t.Errorf("an order that was changed: %d %s", a.status, a.body)
	}
	if a := s.buyer("C1002").post(change, "qty_1", "3"); a.status != http.StatusNotFound {
		t.Errorf("another customer's order: %d", a.status)
	}

	// the switch, audited and obeyed at once
	form := []string{"enabled", "true", "can_order", "true", "see_prices", "true", "may_change", "cancel"}
	if a := desk.post("/desk/customers/C1003/access", form...); a.status != http.StatusOK {
		t.Fatalf("web access: %d %s", a.status, a.body)
	}
	if got := v.read("/orders/" + no); got.get("can_change") != false || got.get("can_cancel") != true {
		t.Errorf("may only cancel: %s", got.body)
	}
	if a := v.post(change, "qty_1", "3"); a.status != http.StatusForbidden {
		t.Errorf("change: %d %s", a.status, a.body)
	}
	if a := desk.page("/desk/customers/C1003"); !strings.Contains(a.body,
		"may be changed → <strong>may be cancelled</strong>") {
		t.Error("the switch is not in the audit log")
	}
	pgtest.Exec(t, s.db, "update erp.web_access set may_change = 'none'")
	if a := v.post("/orders/" + no + "/cancel"); a.status != http.StatusForbidden {
		t.Errorf("cancel: %d %s", a.status, a.body)
	}
	s.sound()
}

// The buyer changes and the desk approves at the same moment: one of both wins,
// the other is told why not.
func TestBuyerChangesWhileDeskApproves(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, "update erp.web_access set auto_approve = false; update erp.customer set credit_limit = 100000")
	v, desk := s.buyer("C1003"), s.logIn("desk@demo.example")
	for i := range 6 {
		no := v.waiting("OIL5", "4")
		var buyers, desks answer
		var wg sync.WaitGroup
		wg.Go(func() {
			if i%2 == 0 {
				buyers = v.post("/orders/"+no+"/change", "qty_1", "3", "revision", "0")
			} else {
				buyers = v.post("/orders/" + no + "/cancel")
			}
		})
		wg.Go(func() {
			desks = desk.post("/desk/orders/"+no+"/move", "status", "APPROVED", "from", "SUBMITTED", "revision", "0")
		})
		wg.Wait()
		if buyers.status+desks.status != http.StatusOK+http.StatusConflict {
			t.Errorf("buyer %d %s, desk %d %s", buyers.status, buyers.body, desks.status, desks.body)
		}
		loser := buyers.body
		if desks.status != http.StatusOK {
			loser = desks.body
		}
		if !strings.Contains(loser, "meanwhile") && !strings.Contains(loser, "call us") {
			t.Errorf("the other reads %s", loser)
		}
	}
	s.sound()
}

// The process is killed after the order was decided and before its job is done:
// whoever takes the job up again finds it settled.
func TestAcceptance38JobKilled(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.stop()
	order := func(no string) {
		pgtest.Exec(t, s.db,
			`with o as (insert into erp.sales_order (order_no, customer_id, source) select $1, customer_id, 'WEB'
				from erp.customer where customer_no = 'C1003' returning order_id)
			insert into erp.sales_order_line (order_id, line_no, item_id, qty) select order_id, 1, item_id, 1 from o, erp.item
				where item_no = 'OIL5'`, no)
	}
	process, _ := startProcess(t, s.db.URL)
	// Its jobs cannot be finished: their rows are held from the moment they run.
	hold, err := s.db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Rollback(t.Context())
	customer, err := s.db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer customer.Rollback(t.Context())
	if _, err := customer.Exec(t.Context(),
		"select from erp.customer where customer_no = 'C1003' for no key update"); err != nil {
		t.Fatal(err)
	}
	order("K-1")
	running := func() int {
		return pgtest.Value[int](t, s.db,
			"select count(*)::int from river.river_job where kind = 'order_approval' and state = 'running'")
	}
	eventually(t, "the job runs", func() bool { return running() == 1 })
	if _, err := hold.Exec(t.Context(),
		"select from river.river_job where kind = 'order_approval' for update"); err != nil {
		t.Fatal(err)
	}
	if err := customer.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	approved := func(no string) bool {
		return pgtest.Value[bool](t, s.db, "select status = 'APPROVED' from erp.sales_order where order_no = $1", no)
	}
	eventually(t, "decided", func() bool { return approved("K-1") })
	if err := process.Kill(); err != nil {
		t.Fatal(err)
	}
	// The statement that finishes the job may wait in the server already, and
	// would go on without its client.
	eventually(t, "its connections are gone", func() bool {
		return pgtest.Value[int](t, s.db,
			"select count(pg_terminate_backend(pid))::int from pg_stat_activity where datname = current_database() and "+
				"application_name = 'portal'") == 0
	})
	if err := hold.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if running() != 1 {
		t.Fatal("the job was finished: the test has shown nothing")
	}

	// Two nodes start. River takes a job for dead a minute and a half after it
	// began; this one began long ago.
	pgtest.Exec(t, s.db, "update river.river_job set attempted_at = now() - interval '1 hour'; update "+
		"river.river_leader set expires_at = now()")
	order("K-2")
	for range 2 {
		startSite(t, s.db, "127.0.0.1:0", "")
	}
	eventually(t, "the other order is decided", func() bool { return approved("K-2") })
	slowly(t, "the job is taken up again and done", func() bool {
		return pgtest.Value[int](t, s.db,
			"select count(*)::int from river.river_job where kind = 'order_approval' and state = 'completed'") == 2
	})
	if got := pgtest.Value[string](t, s.db,
		`select string_agg(o.order_no || ' ' || h.to_status, ', ' order by h.history_id)
		from erp.order_status_history h join erp.sales_order o using (order_id)
		where h.from_status is not null`); got != "K-1 APPROVED, K-2 APPROVED" {
		t.Errorf("moves: %s", got)
	}
	if got := pgtest.Value[int](t, s.db,
		"select attempt::int from river.river_job where args ->> 'order_id' = (select order_id::text from erp.sales_order "+
			"where order_no = 'K-1')"); got != 2 {
		t.Errorf("%d attempts", got)
	}
	s.sound()
}

// slowly is eventually for what River does by its own clock.
func slowly(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(90 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never came true: %s", what)
		}
	}
}
