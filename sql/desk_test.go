package sql_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql"
)

// desk is a database with one customer, two items and the desk on it.
type desk struct {
	*pgtest.DB
	sql.Desk
	frames *sql.FrameStore
	who    portal.Session
}

func newDesk(t *testing.T) desk {
	t.Helper()
	db := pgtest.New(t)
	pools, err := sql.Open(t.Context(), sql.Config{URL: db.URL, WebConns: 1, DeskConns: 2, WorkConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pools.Close)
	pgtest.Exec(t, db, `
		insert into erp.customer (customer_no, name, price_level, credit_limit) values
			('C1001', 'Harbor Deli', 'A', 1000), ('C1002', 'Pine Street Market', 'B', null);
		insert into erp.item (item_no, description, price_a, price_b, cost) values
			('OIL5', 'Olive oil 5 L', 30, 28.5, 20), ('RICE25', 'Rice 25 kg', 22.1, null, 15);
		insert into erp.stock (item_id, on_hand) select item_id, 100 from erp.item where item_no = 'OIL5';
		insert into erp.stock (item_id, on_hand) select item_id, 4 from erp.item where item_no = 'RICE25';`)
	return desk{db, sql.NewDesk(pools), sql.NewFrameStore(pools),
		portal.Session{ID: 1, LoginID: 1, Email: "desk@demo.example", Role: portal.RoleDesk}}
}

// order places a phone order of 10 OIL5 and qty RICE25.
func (d desk) order(t *testing.T, rice int) string {
	t.Helper()
	no := pgtest.Value[string](t, d.DB, `insert into erp.sales_order (customer_id, source, submitted_by, po_no)
		select customer_id, 'PHONE', 'phone', 'PO-7' from erp.customer where customer_no = 'C1001' returning order_no`)
	pgtest.Exec(t, d.DB, `insert into erp.sales_order_line (order_id, line_no, item_id, qty)
		select o.order_id, x.line_no, i.item_id, x.qty
		from erp.sales_order o, (values (1, 'OIL5', 10), (2, 'RICE25', $2::int)) as x(line_no, item_no, qty)
		join erp.item i using (item_no)
		where o.order_no = $1`, no, rice)
	return no
}

func (d desk) move(t *testing.T, no string, to portal.OrderStatus, reason string) {
	t.Helper()
	if err := d.MoveOrder(t.Context(), d.who, no, portal.OrderMove{To: to, Reason: reason}); err != nil {
		t.Fatal(err)
	}
}

func (d desk) detail(t *testing.T, no string) portal.DeskOrderDetail {
	t.Helper()
	o, err := d.Order(t.Context(), d.who, no)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func wantCode(t *testing.T, err error, code portal.Code, words string) {
	t.Helper()
	if got := portal.ErrorCode(err); got != code {
		t.Fatalf("code %q, want %q: %v", got, code, err)
	}
	if !strings.Contains(portal.ErrorMessage(err), words) {
		t.Errorf("message %q does not say %q", portal.ErrorMessage(err), words)
	}
}

func wantField(t *testing.T, err error, field string, line int) {
	t.Helper()
	var e *portal.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v has no field", err)
	}
	for _, f := range e.Fields {
		if f.Field == field && f.Line == line {
			return
		}
	}
	t.Errorf("no message at field %s of line %d: %+v", field, line, e.Fields)
}

func qty(n int64) portal.Qty { return portal.Qty{Decimal: decimal.NewFromInt(n)} }

func TestDeskMoves(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	no := d.order(t, 2)

	before := d.detail(t, no)
	if before.Status != portal.OrderSubmitted || before.CustomerNo != "C1001" || len(before.OrderLines) != 2 ||
		before.ToInvoice {
		t.Errorf("detail: %+v", before)
	}
	if got := len(before.Moves); got != 4 {
		t.Errorf("a submitted order may move to %v", before.Moves)
	}
	if before.Exposure.StringFixed(2) != "344.20" || before.CreditLimit.StringFixed(2) != "1000.00" {
		t.Errorf("exposure %v of %v", before.Exposure, before.CreditLimit)
	}

	d.move(t, no, portal.OrderApproved, "reasons are not kept for this")
	o := d.detail(t, no)
	last := o.History[len(o.History)-1]
	if o.StatusReason != nil || last.Actor != "desk@demo.example" || last.To != portal.OrderApproved {
		t.Errorf("after approval: reason %v, last step %+v", o.StatusReason, last)
	}

	err := d.MoveOrder(ctx, d.who, no, portal.OrderMove{To: portal.OrderDelivered})
	wantCode(t, err, portal.CodeConflict, "cannot go from")
	err = d.MoveOrder(ctx, d.who, no, portal.OrderMove{To: portal.OrderApproved})
	wantCode(t, err, portal.CodeConflict, "is approved now: it was moved by desk@demo.example meanwhile")
	// legal from where the order stands, but not what the mover looked at
	err = d.MoveOrder(ctx, d.who, no, portal.OrderMove{To: portal.OrderOnHold, From: portal.OrderSubmitted})
	wantCode(t, err, portal.CodeConflict, "meanwhile")
	err = d.MoveOrder(ctx, d.who, no, portal.OrderMove{To: "LOST"})
	wantCode(t, err, portal.CodeInvalid, "no status")
	err = d.MoveOrder(ctx, d.who, "SO-0", portal.OrderMove{To: portal.OrderApproved})
	wantCode(t, err, portal.CodeNotFound, "no such order")

	d.move(t, no, portal.OrderOnHold, "waiting for the truck")
	if o := d.detail(t, no); o.StatusReason == nil || *o.StatusReason != "waiting for the truck" {
		t.Errorf("reason of the hold: %v", o.StatusReason)
	}
	d.move(t, no, portal.OrderCancelled, "")
}

func TestDeskRejectNeedsReason(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	no := d.order(t, 1)
	err := d.MoveOrder(t.Context(), d.who, no, portal.OrderMove{To: portal.OrderRejected, Reason: "  "})
	wantCode(t, err, portal.CodeInvalid, "Say why")
	wantField(t, err, "reason", 0)
	d.move(t, no, portal.OrderRejected, "no truck")
	if o := d.detail(t, no); *o.StatusReason != "no truck" || !o.OrderLines[0].Cancelled.Equal(decimal.NewFromInt(10)) {
		t.Errorf("rejected: %v, line %+v", *o.StatusReason, o.OrderLines[0])
	}
}

func TestDeskShipsPartThenRest(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	no := d.order(t, 6) // 4 of 6 RICE25 are there
	wantCode(t, d.Ship(ctx, d.who, no, portal.ShipOrder{}), portal.CodeConflict, "only an approved order")
	d.move(t, no, portal.OrderApproved, "")

	err := d.Pick(ctx, d.who, no, map[int]portal.Qty{1: qty(11)})
	wantCode(t, err, portal.CodeInvalid, "only 10 allocated")
	wantField(t, err, "qty", 1)
	if err := d.Pick(ctx, d.who, no, map[int]portal.Qty{1: qty(7), 2: qty(0)}); err != nil {
		t.Fatal(err)
	}
	if o := d.detail(t, no); o.Status != portal.OrderPicking || !o.OrderLines[0].Picked.Equal(decimal.NewFromInt(7)) {
		t.Errorf("picked: %s, line %+v", o.Status, o.OrderLines[0])
	}

	err = d.Ship(ctx, d.who, no, portal.ShipOrder{Qtys: map[int]portal.Qty{1: qty(3), 2: qty(5), 9: qty(1)}})
	wantCode(t, err, portal.CodeInvalid, "Line 2: only 4 allocated")
	wantField(t, err, "qty", 2)
	wantField(t, err, "qty", 9)
	err = d.Ship(ctx, d.who, no, portal.ShipOrder{Qtys: map[int]portal.Qty{1: qty(0)}})
	wantCode(t, err, portal.CodeInvalid, "one line at least")

	none := qty(0)
	first := portal.ShipOrder{Carrier: "UPS", TrackingNo: "1Z999", Qtys: map[int]portal.Qty{1: qty(3)}, Seen: &none}
	if err := d.Ship(ctx, d.who, no, first); err != nil {
		t.Fatal(err)
	}
	wantCode(t, d.Ship(ctx, d.who, no, first), portal.CodeConflict, "has shipped meanwhile") // the form sent twice
	o := d.detail(t, no)
	if o.Status != portal.OrderPicking || !o.PartlyShipped() || !o.ToInvoice || len(o.Shipments) != 1 ||
		o.Shipments[0].TrackingNo != "1Z999" {
		t.Errorf("after the first part: %+v", o)
	}
	for _, to := range o.Moves {
		if to == portal.OrderCancelled || to == portal.OrderShipped {
			t.Errorf("a part-shipped order with backorders offers %s", to)
		}
	}
	if invoice, err := d.InvoiceShipped(ctx, d.who, no, ""); err != nil || invoice == "" {
		t.Fatalf("invoice %q: %v", invoice, err)
	}
	_, err = d.InvoiceShipped(ctx, d.who, no, "")
	wantCode(t, err, portal.CodeConflict, "waiting for an invoice")

	// all that is allocated, then what has come in since
	if err := d.Ship(ctx, d.who, no, portal.ShipOrder{Carrier: "Own truck"}); err != nil {
		t.Fatal(err)
	}
	if o := d.detail(t, no); o.Status != portal.OrderPicking || !o.OrderLines[1].Backordered.Equal(decimal.NewFromInt(2)) {
		t.Errorf("with a backorder left: %s, line %+v", o.Status, o.OrderLines[1])
	}
	pgtest.Exec(t, d.DB, `update erp.sales_order_line set qty_cancelled = 2 where line_no = 2`)
	o = d.detail(t, no)
	if o.Status != portal.OrderShipped || len(o.Shipments) != 2 {
		t.Errorf("when nothing is left: %s, %d shipments", o.Status, len(o.Shipments))
	}
	d.move(t, no, portal.OrderDelivered, "")
	if _, err := d.InvoiceShipped(ctx, d.who, no, ""); err != nil {
		t.Fatal(err)
	}
	if o := d.detail(t, no); len(o.InvoiceNos) != 2 || o.ToInvoice {
		t.Errorf("invoices %v, more to invoice: %v", o.InvoiceNos, o.ToInvoice)
	}
}

func TestDeskPicksAllAllocated(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	no := d.order(t, 6)
	d.move(t, no, portal.OrderApproved, "")
	if err := d.Pick(t.Context(), d.who, no, nil); err != nil {
		t.Fatal(err)
	}
	o := d.detail(t, no)
	if !o.OrderLines[0].Picked.Equal(decimal.NewFromInt(10)) || !o.OrderLines[1].Picked.Equal(decimal.NewFromInt(4)) {
		t.Errorf("picked %v and %v", o.OrderLines[0].Picked, o.OrderLines[1].Picked)
	}
}

func TestDeskQueue(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	// 120 orders a minute apart: every fourth a phone order that waits, the
	// rest web orders that a job approved; one rejected and not in the queue
	pgtest.Exec(t, d.DB, `
		insert into erp.sales_order (customer_id, source, submitted_at, order_no)
		select c.customer_id, case when n % 4 = 0 then 'PHONE' else 'WEB' end,
			timestamptz '2026-11-01 08:00Z' + n * interval '1 minute', 'T-' || lpad(n::text, 3, '0')
		from erp.customer c, generate_series(1, 120) n where c.customer_no = 'C1002';
		update erp.sales_order set status = 'APPROVED' where source = 'WEB' and order_no not in ('T-001', 'T-002');
		update erp.sales_order set reviewed_at = now() where order_no = 'T-001';
		insert into erp.order_review (order_id, code, detail) select order_id, 'over_credit', '{"over": 312.4}'
			from erp.sales_order where order_no = 'T-001';
		update erp.sales_order set status = 'REJECTED', status_reason = 'no' where order_no = 'T-002'`)
	list := func(f portal.OrderFilter) (out []portal.DeskOrder) {
		t.Helper()
		for page := 0; page < 5; page++ {
			list, err := d.Orders(t.Context(), d.who, f)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, list.Orders...)
			if f.Before = list.Next; list.Next == "" {
				return out
			}
		}
		t.Fatal("the list does not end")
		return nil
	}
	queue := list(portal.OrderFilter{})
	if len(queue) != 119 {
		t.Fatalf("%d orders in the queue", len(queue))
	}
	seen := map[string]bool{}
	for i, o := range queue {
		if seen[o.OrderNo] {
			t.Errorf("%s is there twice", o.OrderNo)
		}
		seen[o.OrderNo] = true
		if (i < 31) != o.NeedsReview {
			t.Errorf("place %d: %s needs review: %v", i, o.OrderNo, o.NeedsReview)
		}
		if i > 0 && i != 31 && o.SubmittedAt.After(queue[i-1].SubmittedAt) != (i < 31) {
			t.Errorf("place %d: %s after %s", i, o.OrderNo, queue[i-1].OrderNo)
		}
	}
	first := queue[0]
	if first.OrderNo != "T-001" || len(first.Reviews) != 1 || first.Reviews[0].ReviewText() != "Over credit by 312.40" ||
		first.ReviewCodes[0] != "over_credit" {
		t.Errorf("first in the queue: %+v", first)
	}

	for name, test := range map[string]struct {
		filter portal.OrderFilter
		want   int
	}{
		"review":        {portal.OrderFilter{Status: "review"}, 31},
		"status":        {portal.OrderFilter{Status: "REJECTED"}, 1},
		"all":           {portal.OrderFilter{Status: "all"}, 120},
		"source":        {portal.OrderFilter{Source: "PHONE"}, 30},
		"number":        {portal.OrderFilter{Query: "t-11"}, 10},
		"closed number": {portal.OrderFilter{Query: "T-002"}, 1},
		"customer":      {portal.OrderFilter{Query: "pine"}, 120},
		"customer no":   {portal.OrderFilter{Query: "c1002", Status: "open"}, 119},
		"no operator":   {portal.OrderFilter{Query: "%"}, 0},
		"bad cursor":    {portal.OrderFilter{Status: "review", Before: "x!"}, 31},
	} {
		if got := len(list(test.filter)); got != test.want {
			t.Errorf("%s: %d orders, want %d", name, got, test.want)
		}
	}
	page, err := d.Orders(t.Context(), d.who, portal.OrderFilter{Source: "WEB"})
	if err != nil {
		t.Fatal(err)
	}
	if page.Counts["APPROVED"] != 88 || page.Counts["SUBMITTED"] != 1 || page.Counts["review"] != 1 ||
		page.Counts["REJECTED"] != 0 {
		t.Errorf("counts %v", page.Counts)
	}
}

func TestDeskSavesAccess(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	read := func() portal.DeskCustomerDetail {
		t.Helper()
		c, err := d.Customer(ctx, d.who, "C1001")
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	typed := read().Access.Typed()
	if err := d.SaveAccess(ctx, d.who, "C1001", typed); err != nil {
		t.Fatal(err)
	}
	if audit := read().Audit; len(audit) != 0 {
		t.Errorf("saving what is there is in the audit log: %+v", audit)
	}

	maps.Copy(typed.Values, map[string]string{"min_order": "0", "max_order": "$2,500.00", "return_days": " 30 ",
		"require_po": "true", "over_max": "queue", "see_stock": ""})
	typed.Shown = "" // sent twice below, as a program may
	if err := d.SaveAccess(ctx, d.who, "C1001", typed); err != nil {
		t.Fatal(err)
	}
	c := read()
	got := c.Access.Typed().Values
	for column, want := range map[string]string{"require_po": "true", "min_order": "0.00", "max_order": "2500.00",
		"return_days": "30", "over_max": "queue", "see_stock": "number", "can_order": "true"} {
		if got[column] != want {
			t.Errorf("saved %s: %q, want %q", column, got[column], want)
		}
	}
	if len(c.Audit) != 1 || c.Audit[0].Actor != "desk@demo.example" || c.Audit[0].Action != "web_access" ||
		len(c.Audit[0].Data) != 5 {
		t.Errorf("audit: %+v", c.Audit)
	}
	typed.Values["max_order"] = ""
	if err := d.SaveAccess(ctx, d.who, "C1001", typed); err != nil {
		t.Fatal(err)
	}
	if now := read().Access.Typed().Values; now["max_order"] != "" || now["min_order"] != "0.00" {
		t.Errorf("no limit: %v", now)
	}

	for value, words := range map[string]string{
		"-1": "cannot be negative", "12x": "write a number", "1,5": "write a number", "0.001": "write a number",
		"NaN": "write a number", "1e5": "write a number", "99999999999": "write a number", "--5": "write a number",
	} {
		typed.Values["max_order"] = value
		err := d.SaveAccess(ctx, d.who, "C1001", typed)
		wantCode(t, err, portal.CodeInvalid, words)
		wantField(t, err, "max_order", 0)
	}
	maps.Copy(typed.Values, map[string]string{"max_order": "-1", "return_days": "2.5", "credit_check": "maybe"})
	err := d.SaveAccess(ctx, d.who, "C1001", typed)
	wantCode(t, err, portal.CodeInvalid, "3 fields")
	for _, field := range []string{"max_order", "return_days", "credit_check"} {
		wantField(t, err, field, 0)
	}
	if now := read().Access.Typed().Values; now["max_order"] != "" || now["return_days"] != "30" {
		t.Errorf("a refused form changed %v", now)
	}
	wantCode(t, d.SaveAccess(ctx, d.who, "C9999", portal.AccessEdit{}), portal.CodeNotFound, "no such customer")
}

func TestDeskCustomers(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	pgtest.Exec(t, d.DB,
		`insert into erp.customer (customer_no, name) select 'D' || n, 'Corner shop ' || n
			from generate_series(1000, 1109) n`)
	d.order(t, 1)
	page := func(query, after string, want int) []portal.DeskCustomer {
		t.Helper()
		rows, next, err := d.Customers(t.Context(), d.who, query, after)
		if err != nil || len(rows) != want || (next != "") != (want == portal.PageSize) {
			t.Fatalf("%q after %q: %d rows, next %q, %v", query, after, len(rows), next, err)
		}
		return rows
	}
	if first := page("", "", 50)[0]; first.CustomerNo != "C1001" || first.OpenOrders != 1 || !first.Enabled {
		t.Errorf("first customer: %+v", first)
	}
	page("", "D1047", 50)
	page("", "D1097", 12)
	page("d110", "", 10)
	page("street pine", "", 1)
	page("100%", "", 0)
	_, err := d.Customer(t.Context(), d.who, "C9999")
	wantCode(t, err, portal.CodeNotFound, "no such customer")
}

func TestDeskSavesItem(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	read := func() portal.DeskItem {
		t.Helper()
		i, err := d.Item(ctx, d.who, "OIL5")
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	events := func() int {
		t.Helper()
		return pgtest.Value[int](t, d.DB, `select count(*)::int from portal.event where kind in ('item', 'catalog')`)
	}
	d.order(t, 1)
	typed, told := read().Typed(), events()
	if typed.OnHand != "100" || typed.PriceC != "" || typed.PriceB != "28.50" {
		t.Errorf("the form shows %+v", typed)
	}
	if _, err := d.SaveItem(ctx, d.who, "OIL5", typed); err != nil {
		t.Fatal(err)
	}
	if n := events(); n != told {
		t.Errorf("saving what is there told %d events", n-told)
	}

	typed.Shown = "" // sent several times below, as a program may
	typed.PriceA, typed.PriceB, typed.PriceC, typed.OnHand, typed.Discontinued = "31.125", "", "1,200", "120", true
	if _, err := d.SaveItem(ctx, d.who, "OIL5", typed); err != nil {
		t.Fatal(err)
	}
	i := read()
	if i.PriceA.Text() != "31.125" || i.PriceB != nil || i.PriceC.Text() != "1200.00" ||
		!i.OnHand.Equal(decimal.NewFromInt(120)) || !i.Discontinued || !i.Active {
		t.Errorf("saved: %+v", i)
	}
	if a := i.Available(); !a.Equal(decimal.NewFromInt(110)) {
		t.Errorf("available %v", a)
	}

	// a count below the 10 that are allocated, of which 4 are picked
	pgtest.Exec(t, d.DB, "update erp.sales_order set status = 'APPROVED'; update erp.sales_order set status = "+
		"'PICKING'; update erp.sales_order_line set qty_picked = 4")
	for _, onHand := range []string{"3", "-1"} {
		typed.OnHandSeen, typed.OnHand = "120", onHand
		_, err := d.SaveItem(ctx, d.who, "OIL5", typed)
		wantField(t, err, "on_hand", 0)
	}
	typed.OnHand = "9"
	short, err := d.SaveItem(ctx, d.who, "OIL5", typed)
	if err != nil || len(short) != 1 || short[0].Qty.String() != "1" || short[0].UOM != "EA" ||
		!strings.HasPrefix(short[0].OrderNo, "SO-") {
		t.Errorf("what a count took back: %+v, %v", short, err)
	}
	pgtest.Exec(t, d.DB,
		"update erp.stock set on_hand = 120 where item_id = (select item_id from erp.item where item_no = 'OIL5')")
	typed.OnHandSeen, typed.OnHand, typed.PriceA = "100", "95", "40"
	_, err = d.SaveItem(ctx, d.who, "OIL5", typed)
	wantCode(t, err, portal.CodeConflict, "120 on hand now")
	typed.OnHandSeen, typed.OnHand, typed.PriceA, typed.Cost, typed.Description = "", "", "-2", "1.23456", " "
	_, err = d.SaveItem(ctx, d.who, "OIL5", typed)
	for _, field := range []string{"price_a", "cost", "description"} {
		wantField(t, err, field, 0)
	}
	if i := read(); i.PriceA.Text() != "31.125" || !i.OnHand.Equal(decimal.NewFromInt(120)) {
		t.Errorf("a refused form changed %+v", i)
	}
	_, err = d.SaveItem(ctx, d.who, "NONE", portal.DeskItemEdit{Description: "x"})
	wantCode(t, err, portal.CodeNotFound, "no such item")

	// an item that has no stock row yet
	pgtest.Exec(t, d.DB,
		`delete from erp.stock where item_id = (select item_id from erp.item where item_no = 'RICE25') and allocated = 0;
		insert into erp.item (item_no, description) values ('NEW1', 'New')`)
	if _, err := d.SaveItem(ctx, d.who, "NEW1",
		portal.DeskItemEdit{Description: "New", OnHand: "5", OnHandSeen: "0", Active: true}); err != nil {
		t.Fatal(err)
	}
	if n := pgtest.Value[int](t, d.DB,
		`select on_hand::int from erp.stock join erp.item using (item_id) where item_no = 'NEW1'
			and warehouse = 'MAIN'`); n != 5 {
		t.Errorf("%d on hand", n)
	}
	rows, _, err := d.Items(ctx, d.who, "oliv 5", "")
	if err != nil || len(rows) != 1 || rows[0].ItemNo != "OIL5" {
		t.Errorf("search: %v, %v", rows, err)
	}
	if rows, _, _ = d.Items(ctx, d.who, "", "NEW1"); len(rows) != 2 {
		t.Errorf("after NEW1: %v", rows)
	}
	if _, _, err = d.Items(ctx, d.who, "!'&|", ""); err != nil {
		t.Error(err)
	}
}

// Who is not staff is refused before the database is asked.
func TestDeskIsForStaff(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	no := d.order(t, 1)
	ctx := t.Context()
	for _, who := range []portal.Session{{},
		{ID: 1, LoginID: 1, CustomerID: 1, CustomerNo: "C1001", Email: "buyer@c1001.example", Role: portal.RoleBuyer}} {
		for name, call := range map[string]func(context.Context) error{
			"orders": func(ctx context.Context) error { _, err := d.Orders(ctx, who, portal.OrderFilter{}); return err },
			"order":  func(ctx context.Context) error { _, err := d.Order(ctx, who, no); return err },
			"move": func(ctx context.Context) error {
				return d.MoveOrder(ctx, who, no, portal.OrderMove{To: portal.OrderApproved})
			},
			"pick":      func(ctx context.Context) error { return d.Pick(ctx, who, no, nil) },
			"ship":      func(ctx context.Context) error { return d.Ship(ctx, who, no, portal.ShipOrder{}) },
			"invoice":   func(ctx context.Context) error { _, err := d.InvoiceShipped(ctx, who, no, ""); return err },
			"customers": func(ctx context.Context) error { _, _, err := d.Customers(ctx, who, "", ""); return err },
			"customer":  func(ctx context.Context) error { _, err := d.Customer(ctx, who, "C1001"); return err },
			"access":    func(ctx context.Context) error { return d.SaveAccess(ctx, who, "C1001", portal.AccessEdit{}) },
			"items":     func(ctx context.Context) error { _, _, err := d.Items(ctx, who, "", ""); return err },
			"item":      func(ctx context.Context) error { _, err := d.Item(ctx, who, "OIL5"); return err },
			"save item": func(ctx context.Context) error {
				_, err := d.SaveItem(ctx, who, "OIL5", portal.DeskItemEdit{Description: "x"})
				return err
			},
		} {
			if err := call(ctx); portal.ErrorCode(err) != portal.CodeForbidden {
				t.Errorf("%s as %q: %v", name, who.Role, err)
			}
		}
	}
	if frame, err := d.frames.Frame(ctx, d.who); err != nil || frame.Cursor == "" ||
		frame.TimeZone != "America/New_York" || frame.Currency != "USD" {
		t.Errorf("frame %+v: %v", frame, err)
	}
}
