package demo

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"
)

// weeks is how far back the history goes.
const weeks = 78

// order is one delivered order of the history.
type order struct {
	id       int64
	no       string
	customer *customer
	source   string
	by       string
	po       string
	shipTo   int64
	at       time.Time // submitted
	shipped  time.Time
	lines    []line
	total    decimal.Decimal
}

type line struct {
	item   *item
	uom    string
	factor decimal.Decimal
	qty    decimal.Decimal
	price  decimal.Decimal
	step   string
	rule   *int64
	total  decimal.Decimal
}

// makeHistory makes each customer's orders: the same basket again and again,
// with a few surprises, on working days.
func (w *world) makeHistory() {
	for i := range w.customers {
		c := &w.customers[i]
		basket := w.basket()
		for week := w.weeks; week > 0; week-- {
			n := c.weekly / 100
			if w.chance(c.weekly % 100) {
				n++
			}
			for range n {
				day := w.today.AddDate(0, 0, -7*week+w.rand.IntN(7))
				if weekday := day.Weekday(); weekday == time.Sunday || !day.Before(w.today.AddDate(0, 0, -4)) {
					continue
				}
				w.orders = append(w.orders, w.makeOrder(c, basket, day))
			}
		}
	}
	slices.SortStableFunc(w.orders, func(a, b order) int { return a.at.Compare(b.at) })
}

// basket is what a customer buys.
func (w *world) basket() []*item {
	var basket []*item
	for len(basket) < 14+w.rand.IntN(12) {
		it := &w.items[w.rand.IntN(len(w.items))]
		if it.fixture || it.discontinued && w.chance(70) {
			continue
		}
		basket = append(basket, it)
	}
	return basket
}

func (w *world) makeOrder(c *customer, basket []*item, day time.Time) order {
	at := day.Add(time.Duration(7*60+w.rand.IntN(13*60)) * time.Minute).Add(time.Duration(w.rand.IntN(60)) * time.Second)
	o := order{customer: c, source: "WEB", by: "buyer@" + strings.ToLower(c.no) + ".example", at: at,
		shipped: day.AddDate(0, 0, 1).Add(time.Duration(6*60+w.rand.IntN(240)) * time.Minute), shipTo: pick(w, c.shipTos)}
	if w.chance(35) {
		o.source, o.by = pick(w, []string{"PHONE", "DESK", "EDI"}), "Dana at the desk"
	}
	if w.chance(60) {
		o.po = fmt.Sprintf("PO-%d", 10000+w.rand.IntN(89999))
	}
	seen := map[string]bool{}
	for range 2 + w.rand.IntN(9) {
		it := pick(w, basket)
		l := line{item: it, uom: it.uom, factor: decimal.NewFromInt(1), qty: decimal.NewFromInt(int64(1 + w.rand.IntN(12)))}
		if len(it.units) > 0 && w.chance(40) {
			l.uom, l.factor, l.qty = it.units[0].name, decimal.NewFromInt(it.units[0].factor),
				decimal.NewFromInt(int64(1+w.rand.IntN(4)))
		}
		if key := it.no + l.uom; !seen[key] {
			seen[key] = true
			o.lines = append(o.lines, l)
		}
	}
	return o
}

// price asks the one price function for the lines of every order, one order a
// call: quantities of a call are added up.
func (w *world) price(ctx context.Context) error {
	var rows [][]any
	for _, o := range w.orders {
		for k, l := range o.lines {
			rows = append(rows, []any{o.id, k + 1, o.customer.id, l.item.id, l.uom, l.qty})
		}
	}
	if _, err := w.tx.Exec(ctx, "create temp table asked (order_id bigint, line_no int, customer_id bigint, item_id "+
		"bigint, uom text, qty numeric) on commit drop"); err != nil {
		return err
	}
	if err := w.copyRows(ctx, "pg_temp", "asked", words("order_id|line_no|customer_id|item_id|uom|qty"),
		rows); err != nil {
		return err
	}
	answers, _ := w.tx.Query(ctx, `
		select a.order_id, p.ord, p.unit_price, p.step, p.rule_id
		from (
			select order_id, customer_id, array_agg(item_id order by line_no) as items, array_agg(uom order by line_no) as uoms,
				array_agg(qty order by line_no) as qtys
			from asked group by 1, 2) a
		cross join lateral erp.price(a.customer_id, a.items, a.uoms, a.qtys) p`)
	var order, ord int
	var price decimal.Decimal
	var step string
	var rule *int64
	_, err := pgx.ForEachRow(answers, []any{&order, &ord, &price, &step, &rule}, func() error {
		l := &w.orders[order-1].lines[ord-1]
		l.price, l.step, l.rule, rule = price, step, rule, nil
		l.total = l.qty.Mul(l.price).Round(2)
		return nil
	})
	return err
}

// writeHistory writes the delivered orders. Their effects (stock, totals,
// history) are made here and not by the triggers: it all happened long ago.
func (w *world) writeHistory(ctx context.Context) error {
	w.makeHistory()
	for i := range w.orders {
		o := &w.orders[i]
		o.id = int64(i + 1)
		o.no = fmt.Sprintf("SO-%06d", 100000-len(w.orders)+i+1)
	}
	if err := w.price(ctx); err != nil {
		return err
	}

	if _, err := w.tx.Exec(ctx, "set local session_replication_role = replica"); err != nil {
		return err
	}
	var orders, lines, history, shipments, shipped [][]any
	for i := range w.orders {
		o := &w.orders[i]
		for k, l := range o.lines {
			o.total = o.total.Add(l.total)
			lines = append(lines, []any{o.id, k + 1, l.item.id, l.uom, l.factor, l.qty, l.price, l.step, l.rule, l.total,
				l.qty, l.qty, l.qty})
			shipped = append(shipped, []any{o.id, o.id, k + 1, l.qty})
		}
		var po any
		if o.po != "" {
			po = o.po
		}
		orders = append(orders, []any{o.id, o.no, o.customer.id, o.source, "DELIVERED", po, o.shipTo, o.total,
			o.at, o.by, o.shipped})
		carrier, tracking := "Own truck", ""
		if w.chance(25) {
			carrier, tracking = "UPS", fmt.Sprintf("1Z%016d", w.rand.Int64N(1e16))
		}
		delivered := o.shipped.Add(time.Duration(40+w.rand.IntN(300)) * time.Minute)
		shipments = append(shipments, []any{o.id, o.id, carrier, tracking, o.shipped, delivered})
		for _, step := range []struct {
			from, to string
			at       time.Time
			actor    string
		}{
			{"", "SUBMITTED", o.at, o.by}, {"SUBMITTED", "APPROVED", o.at.Add(2 * time.Second), "automatic approval"},
			{"APPROVED", "PICKING", o.shipped.Add(-90 * time.Minute), "Walt in the warehouse"},
			{"PICKING", "SHIPPED", o.shipped, "Walt in the warehouse"}, {"SHIPPED", "DELIVERED", delivered, "Rosa on the road"},
		} {
			var from any
			if step.from != "" {
				from = step.from
			}
			history = append(history, []any{o.id, from, step.to, step.at, step.actor, "demo"})
		}
	}
	for _, t := range []struct {
		table   string
		columns []string
		rows    [][]any
	}{
		{"sales_order",
			words("order_id|order_no|customer_id|source|status|po_no|ship_to_id|total|submitted_at|submitted_by|invoiced_at"),
			orders},
		{"sales_order_line",
			words(
				"order_id|line_no|item_id|uom|factor|qty|unit_price|price_step|price_rule_id|line_total|qty_picked|qty_shipped|qty_invoiced"), lines},
		{"order_status_history", words("order_id|from_status|to_status|at|actor|program"), history},
		{"shipment", words("shipment_id|order_id|carrier|tracking_no|shipped_at|delivered_at"), shipments},
		{"shipment_line", words("shipment_id|order_id|line_no|qty"), shipped},
	} {
		if err := w.copyRows(ctx, "erp", t.table, t.columns, t.rows); err != nil {
			return err
		}
	}
	// past the triggers, so without receipts of their own
	if _, err := w.tx.Exec(ctx, "select portal.adopt_prices(), portal.adopt_history()"); err != nil {
		return err
	}
	_, err := w.tx.Exec(ctx,
		`select setval(pg_get_serial_sequence('erp.sales_order', 'order_id'), (select max(order_id) from erp.sales_order)),
		setval(pg_get_serial_sequence('erp.shipment', 'shipment_id'), (select max(shipment_id) from erp.shipment))`)
	return err
}

// writeOpenOrders enters the orders of the last days through the front door:
// the triggers price, allocate and keep their history.
func (w *world) writeOpenOrders(ctx context.Context) error {
	// what an analyze of the server's own counts from outside of this transaction is
	// no row at all, and the triggers' plans would go by it
	if _, err := w.tx.Exec(ctx, "analyze"); err != nil {
		return err
	}
	if _, err := w.tx.Exec(ctx, "set local session_replication_role = origin; select set_config('portal.actor', 'Dana "+
		"at the desk', true)"); err != nil {
		return err
	}
	paths := [][]string{nil, nil, {"APPROVED"}, {"APPROVED"}, {"APPROVED", "PICKING"}, {"APPROVED", "PICKING", "SHIPPED"},
		{"ON_HOLD"}, {"REJECTED"}}
	for n := range 40 {
		c := &w.customers[w.rand.IntN(len(w.customers))]
		if n > 1 && n%4 != 3 && n < 12 {
			c = &w.customers[2] // the one whose log-in is printed has something on the way
		}
		source := pick(w, []string{"PHONE", "PHONE", "DESK", "EDI"})
		path := paths[n%len(paths)]
		if path == nil && !c.fixture {
			source = "WEB" // the approval job decides these when it starts
		}
		age := time.Duration((40-n)*50-w.rand.IntN(45)) * time.Minute
		var no string
		err := w.tx.QueryRow(ctx, `insert into erp.sales_order (customer_id, source, ship_to_id, po_no, submitted_at)
			values ($1, $2, $3, $4, now() - $5::interval) returning order_no`, c.id, source, c.shipTos[0],
			fmt.Sprintf("PO-%d", 70000+n), age).Scan(&no)
		if err != nil {
			return err
		}
		k := 0
		for _, it := range w.basket()[:3+w.rand.IntN(5)] {
			if it.discontinued || it.noBackorder || it.stock < 40 {
				continue
			}
			k++
			if _, err := w.tx.Exec(ctx, `insert into erp.sales_order_line (order_id, line_no, item_id, qty)
				select order_id, $2, $3, $4 from erp.sales_order where order_no = $1`, no, k, it.id,
				decimal.NewFromInt(int64(1+w.rand.IntN(6)))); err != nil {
				return err
			}
		}
		for i, status := range path {
			// each step some time after the one before, all in the past
			since := age - age*time.Duration(i+1)/time.Duration(len(path)+2)
			if _, err := w.tx.Exec(ctx, "select erp.set_clock(now() - $1::interval)", since); err != nil {
				return err
			}
			var reason any
			switch {
			case k == 0:
				status = "CANCELLED"
				reason = "Entered by mistake"
			case status == "REJECTED":
				reason = "No truck on that day"
			case status == "ON_HOLD":
				reason = "Waiting for a call back"
			}
			if _, err := w.tx.Exec(ctx, "update erp.sales_order set status = $2, status_reason = $3 where order_no = $1", no,
				status, reason); err != nil {
				return err
			}
			if k == 0 {
				break
			}
		}
	}
	if _, err := w.tx.Exec(ctx, "select erp.set_clock(null)"); err != nil {
		return err
	}
	return w.writeQueue(ctx)
}

// writeQueue leaves something to decide: web orders that the approval job will
// find reasons against when it starts, over credit where credit queues and
// where it blocks, of an account on hold, over a maximum, of one who is always
// looked at.
func (w *world) writeQueue(ctx context.Context) error {
	_, err := w.tx.Exec(ctx, `
		update erp.customer set credit_limit = round(erp.credit_exposure(customer_id)) + 150 where customer_id in (21, 22);
		update erp.web_access set credit_check = 'block' where customer_id = 22;
		update erp.customer set credit_hold = true where customer_id = 23;
		with o as (
			insert into erp.sales_order (customer_id, source, ship_to_id, po_no, submitted_at, submitted_by)
			select c.customer_id, 'WEB', (select min(s.ship_to_id) from erp.ship_to s where s.customer_id = c.customer_id),
				'PO-' || 80000 + c.customer_id,
				now() - c.customer_id * interval '7 minutes', 'buyer@' || lower(c.customer_no) || '.example'
			from erp.customer c where c.customer_id in (13, 15, 21, 22, 23) order by c.customer_id
			returning order_id, customer_id
		)
		insert into erp.sales_order_line (order_id, line_no, item_id, qty)
		select o.order_id, i.n, i.item_id, case o.customer_id when 15 then 40 else 8 end
		from o, (
			select x.item_id, row_number() over (order by x.item_id) as n
			from (select t.item_id from erp.item t join erp.stock s using (item_id)
				where t.active and not t.discontinued and t.price_a > 20 and s.on_hand - s.allocated > 120
				order by t.item_id offset 10 limit 3) x) i`)
	return err
}
