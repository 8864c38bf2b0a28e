package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// BusyOptions sets the pace of the simulated office. The zero value of a field
// takes its default.
type BusyOptions struct {
	Tempo  time.Duration // about how long between two things that happen; default 2 s
	Seed   uint64        // of what happens; default: different every time
	Logger *slog.Logger  // takes what failed; default: nothing is logged
}

// mostOpen keeps the simulated customers from ordering faster than the
// warehouse ships.
const mostOpen = 60

// Busy does what office, warehouse and customers of the distributor would, with
// plain SQL, until ctx ends: orders come in, are looked at, picked, shipped,
// delivered, invoiced and paid, prices and stock change. What fails is logged
// and left.
func Busy(ctx context.Context, pool *pgxpool.Pool, o BusyOptions) error {
	if o.Tempo == 0 {
		o.Tempo = 2 * time.Second
	}
	if o.Seed == 0 {
		o.Seed = rand.Uint64()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	b := &office{pool: pool, rand: rand.New(rand.NewPCG(o.Seed, 0xb05e))}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(o.Tempo/2 + time.Duration(b.rand.Int64N(int64(o.Tempo)))):
		}
		act := b.next()
		if err := b.do(ctx, act); err != nil && ctx.Err() == nil {
			o.Logger.Warn("simulated office", "act", act.name, "error", err)
		}
	}
}

type office struct {
	pool *pgxpool.Pool
	rand *rand.Rand
}

// act is one thing that somebody does: a statement that finds its own work and
// does nothing where there is none.
type act struct {
	name   string
	who    string
	weight int
	sql    string
}

// acts are what happens, the moves of orders most often. Orders that a visitor
// placed come first: they want to see them move.
var acts = []act{
	{"look at an order", "Dana at the desk", 3, `
		update erp.sales_order set status = 'APPROVED' where order_id = (
			select order_id from erp.sales_order where status = 'SUBMITTED'
				and (source <> 'WEB' or reviewed_at < now() - interval '8 seconds')
				and not exists (select from erp.credit_state(order_id, 'APPROVED', credit_released_at, credit_released_amount) s
				where s.refused)
			order by login_id is null, submitted_at limit 1 for update skip locked)`},
	{"begin to pick", "Walt in the warehouse", 6, `
		update erp.sales_order set status = 'PICKING' where order_id = (
			select o.order_id from erp.sales_order o where o.status = 'APPROVED'
				and exists (select from erp.sales_order_line l where l.order_id = o.order_id and l.qty_allocated > 0)
				and not exists (select from erp.credit_state(o.order_id, 'PICKING', o.credit_released_at,
				o.credit_released_amount) s where s.refused)
			order by o.login_id is null, o.submitted_at limit 1 for update skip locked)`},
	{"ship", "Walt in the warehouse", 6, `
		select erp.ship_order(o.order_no, 'UPS', '1Z' || lpad((o.order_id * 7919 % 100000000)::text, 16, '0'))
		from (select s.order_no, s.order_id from erp.sales_order s where s.status = 'PICKING'
			and exists (select from erp.sales_order_line l where l.order_id = s.order_id and l.qty_allocated > 0)
			order by s.login_id is null, s.submitted_at limit 1) o`},
	{"deliver", "Rosa on the road", 6, `
		update erp.sales_order set status = 'DELIVERED' where order_id = (
			select order_id from erp.sales_order where status = 'SHIPPED' order by login_id is null, submitted_at limit 1
				for update skip locked)`},
	{"invoice", "Dana at the desk", 5, `
		select erp.invoice_order(o.order_no) from (
			select s.order_no from erp.sales_order s
			where s.status = 'DELIVERED' and s.invoiced_at is null
				and exists (select from erp.sales_order_line l where l.order_id = s.order_id and l.qty_shipped > l.qty_invoiced)
			order by s.submitted_at limit 1) o`},
	{"take a payment", "Dana at the desk", 1, `
		with i as (select invoice_id, customer_id, open_amount from erp.invoice where open_amount > 0 and kind = 'invoice'
			order by due_date limit 1),
		p as (insert into erp.payment (customer_id, amount, method, reference) select customer_id, open_amount, 'check',
		'demo' from i returning payment_id, amount)
		insert into erp.payment_application (payment_id, invoice_id, amount) select p.payment_id, i.invoice_id, p.amount
			from p, i`},
	{"receive goods", "Walt in the warehouse", 3, `
		update erp.stock set on_hand = on_hand + 40 where item_id = (
			select s.item_id from erp.stock s join erp.item i using (item_id) where i.item_no not in ('OIL5', 'LAST1')
				and i.active and not i.discontinued
			order by s.on_hand - s.allocated, random() limit 1)`},
	{"change a price", "Dana at the desk", 1, `
		update erp.item set price_a = round(price_a * 1.01, 2) where item_id = (
			select item_id from erp.item where item_id > 20 and price_a is not null order by random() limit 1)`},
	{"look at a return", "Dana at the desk", 1, `
		select erp.review_request(request_no) from (select request_no from erp.credit_request
			where status = 'REQUESTED' and login_id is not null and requested_at < now() - interval '8 seconds'
			order by requested_at limit 1) r`},
	{"decide on a return", "Dana at the desk", 1, `
		select erp.decide_request(request_no, null, null) from (select r.request_no from erp.credit_request r
			where r.status = 'IN_REVIEW' and r.login_id is not null and exists (select from erp.credit_request_line l
			where l.request_id = r.request_id)
			order by r.requested_at limit 1) r`},
	{"receive a return", "Walt in the warehouse", 1, `
		select erp.receive_request_goods(request_no) from (select request_no from erp.credit_request
			where status = 'AWAITING_GOODS' and goods_received_at is null and login_id is not null order by requested_at
			limit 1) r`},
	{"credit a return", "Dana at the desk", 1, `
		select erp.issue_request_memo(request_no) from (select r.request_no from erp.credit_request r
			where r.login_id is not null and (r.status = 'APPROVED' and not erp.request_awaits_goods(r.request_id)
			or r.status = 'AWAITING_GOODS' and r.goods_received_at is not null)
			order by r.requested_at limit 1) r`},
	{"order", "", 5, placeOrder},
}

// placeOrder is an order that a customer's program, or the desk, inserts.
const placeOrder = `
	with o as (
		insert into erp.sales_order (customer_id, source, po_no)
		select c.customer_id, (array['WEB', 'WEB', 'PHONE', 'EDI'])[1 + floor(random() * 4)::int],
			'PO-' || floor(random() * 90000 + 10000)::int
		from erp.customer c join erp.web_access w using (customer_id)
		where c.customer_id > 8 and w.can_order and w.enabled
			and (select count(*) from erp.sales_order where status in ('SUBMITTED', 'APPROVED', 'PICKING', 'SHIPPED',
			'ON_HOLD')) < $1::int
		order by random() limit 1 returning order_id
	)
	insert into erp.sales_order_line (order_id, line_no, item_id, qty)
	select o.order_id, row_number() over (), i.item_id, 1 + floor(random() * 6)::int
	from o, (select s.item_id from erp.stock s join erp.item t using (item_id)
		where t.active and not t.discontinued and t.item_no not in ('OIL5', 'LAST1', 'BEEF') and s.on_hand - s.allocated > 30
		order by random() limit 4) i`

// next draws what happens.
func (b *office) next() act {
	sum := 0
	for _, a := range acts {
		sum += a.weight
	}
	n := b.rand.IntN(sum)
	for _, a := range acts {
		if n -= a.weight; n < 0 {
			return a
		}
	}
	return acts[0]
}

func (b *office) do(ctx context.Context, a act) error {
	return pgx.BeginFunc(ctx, b.pool, func(tx pgx.Tx) error {
		who := a.who
		if who == "" {
			who = "Dana at the desk"
		}
		if _, err := tx.Exec(ctx, "set local role portal_desk"); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "select set_config('portal.actor', $1, true), set_config('application_name', 'simulated "+
			"office', true)", who); err != nil {
			return err
		}
		var args []any
		if a.name == "order" {
			args = append(args, mostOpen)
		}
		if _, err := tx.Exec(ctx, a.sql, args...); err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("%s: %w", a.name, err)
		}
		return nil
	})
}
