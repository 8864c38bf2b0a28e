package sql_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql"
)

// What stood on a page: price and quantity by item and unit.
type (
	onPage  struct{ price, qty decimal.Decimal }
	pageOf  map[string]onPage
	raceTab struct {
		*raceShop
		who portal.Session
	}
	raceShop struct {
		*testing.T
		db                                           *pgtest.DB
		carts                                        *sql.CartStore
		signOffs                                     *sql.SignOffStore
		orders                                       *sql.OrderStore
		asked, sent, signed, changed, refused, moves atomic.Int64
	}
)

// Prices, quantities and the route move while several people submit, sign off and change:
// no order line ever has a price that was not on the page that sent it, or
// lower, nor a line or a quantity that was not, and no order comes on a day that was
// not.
func TestConfirmRace(t *testing.T) {
	t.Parallel()
	const shops, rounds = 4, 15
	db := world(t)
	pgtest.Exec(t, db, `
		insert into erp.customer (customer_no, name, price_level) select 'R' || n, 'Race', 'C' from generate_series(1, 4) n;
		update erp.web_access set may_change = 'edit', many_logins = true;
		update erp.stock set on_hand = 1000000;
		insert into erp.route (code, name) values ('RACE', 'Race');
		insert into erp.route_day (route_id, weekday) select route_id, 2 from erp.route where code = 'RACE';
		update erp.customer set route_id = (select route_id from erp.route where code = 'RACE') where customer_no like 'R%';
		insert into erp.price_break (item_id, min_qty, price) select item_id, 5, 19 from erp.item where item_no = 'RICE';
		insert into portal.login (customer_id, email, name, password_hash, customer_role, sign_off_all)
		select c.customer_id, p || lower(c.customer_no) || '@example', p, '$2a$04$' || repeat('x', 53), r, p = 'ask'
		from erp.customer c cross join (values ('buy', 'approver'), ('ask', 'buyer')) as x(p, r)
		where c.customer_no like 'R%'`)
	pools, err := sql.Open(t.Context(), sql.Config{URL: db.URL, WebConns: 16, DeskConns: 1, WorkConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pools.Close)
	shop := &raceShop{T: t, db: db, carts: sql.NewCartStore(pools), signOffs: sql.NewSignOffStore(pools),
		orders: sql.NewOrderStore(pools)}

	var people sync.WaitGroup
	for n := range shops {
		buyer, asker := shop.person(fmt.Sprintf("buyr%d@example", n+1)), shop.person(fmt.Sprintf("askr%d@example", n+1))
		for i, at := range []raceTab{buyer, asker} {
			people.Go(func() { at.orderAll(rand.New(rand.NewPCG(uint64(n), uint64(i))), rounds, buyer) })
		}
	}
	people.Wait()
	t.Logf("%d races: %d carts sent, %d signed off, %d orders changed, %d asked again and confirmed or not, %d refused "+
		"otherwise, against %d moves of prices and carts",
		shop.sent.Load()+shop.signed.Load()+shop.changed.Load()+shop.asked.Load()+shop.refused.Load(), shop.sent.Load(),
		shop.signed.Load(), shop.changed.Load(), shop.asked.Load(), shop.refused.Load(), shop.moves.Load())
	if shop.sent.Load() < shops*rounds/4 || shop.signed.Load() < shops*rounds/8 || shop.changed.Load() < shops*rounds/8 ||
		shop.asked.Load() < shops*rounds/4 || shop.moves.Load() < 100 {
		t.Error("that was no race")
	}
}

func pick(r *rand.Rand, of ...string) string { return of[r.IntN(len(of))] }

func (s *raceShop) person(email string) raceTab {
	s.Helper()
	who := portal.Session{Role: portal.RoleBuyer, Email: email}
	if err := s.db.Pool.QueryRow(s.Context(), "select login_id, customer_id from portal.login where email = $1",
		email).Scan(&who.LoginID, &who.CustomerID); err != nil {
		s.Fatal(err)
	}
	return raceTab{s, who}
}

// stirred runs f while, mostly, a price moves or the same person does something
// in another tab.
func (at raceTab) stirred(r *rand.Rand, f func()) {
	var other sync.WaitGroup
	defer other.Wait()
	seed := r.Uint64()
	switch r.IntN(10) {
	case 0, 1, 2, 3:
		other.Go(func() {
			r := rand.New(rand.NewPCG(seed, 1))
			if _, err := at.db.Pool.Exec(at.Context(), "update erp.item set price_c = $1 where item_no = $2", 10+r.IntN(30),
				pick(r, "OIL5", "RICE")); err != nil {
				at.Errorf("price: %v", err)
			}
		})
	case 4:
		other.Go(func() {
			r := rand.New(rand.NewPCG(seed, 3))
			if _, err := at.db.Pool.Exec(at.Context(),
				"update erp.route_day set weekday = $1 where route_id = (select route_id from erp.route where code = 'RACE')",
				1+r.IntN(7)); err != nil {
				at.Errorf("route: %v", err)
			}
		})
	case 5:
		other.Go(func() { at.fill(rand.New(rand.NewPCG(seed, 2))) })
	default:
		f()
		return
	}
	at.moves.Add(1)
	f()
}

// fill puts something into the cart.
func (at raceTab) fill(r *rand.Rand) {
	item, uom := pick(r, "OIL5", "RICE"), ""
	if item == "OIL5" {
		uom = pick(r, "EA", "CS")
	}
	err := at.carts.SetLine(at.Context(), at.who, item, uom, portal.Qty{Decimal: decimal.NewFromInt(int64(1 + r.IntN(8)))},
		r.IntN(3) == 0, false)
	if err != nil && portal.ErrorCode(err) != portal.CodeConflict {
		at.Errorf("fill: %v", err)
	}
}

// orderAll submits again and again: an asker's requests are signed off by the
// approver, and of the orders that are made some are changed.
func (at raceTab) orderAll(r *rand.Rand, rounds int, approver raceTab) {
	for range rounds {
		at.fill(r)
		confirm := ""
		for range 4 { // questions of one cart
			cart, err := at.carts.Cart(at.Context(), at.who)
			if err != nil {
				at.Errorf("cart: %v", err)
				return
			}
			page := pageOf{}
			for _, l := range cart.Lines {
				page[l.ItemNo+" "+l.UOM] = onPage{l.UnitPrice.Decimal, l.Qty.Decimal}
			}
			if confirm == "next" {
				confirm = portal.ShownDigest(cart.Shown())
			}
			var sent portal.Submitted
			at.stirred(r, func() {
				sent, err = at.carts.Submit(at.Context(), at.who,
					portal.CartSubmit{Key: cart.Key, Shown: cart.Shown(), ConfirmPrices: confirm, ShownOutcome: cart.ShownOutcome})
			})
			if err == nil {
				at.comes(sent.OrderNo, cart.Room.Delivery)
				at.became(r, sent, page, approver)
				break
			}
			if !at.isAsked(err) {
				break
			}
			confirm = pick(r, "next", "next", "true", "") // "true" is what once confirmed anything
		}
	}
}

func (at raceTab) isAsked(err error) bool {
	r, ok := errors.AsType[*portal.RefusedError](err)
	switch {
	case ok && r.OnlyAsks():
		at.asked.Add(1)
		return true
	case portal.ErrorCode(err) == portal.CodeInternal:
		at.Error(err)
	}
	at.refused.Add(1)
	return false
}

// became checks what a cart has become, and goes on with it.
func (at raceTab) became(r *rand.Rand, sent portal.Submitted, page pageOf, approver raceTab) {
	if sent.OrderNo != "" {
		at.sent.Add(1)
		at.check("order "+sent.OrderNo, page,
			`select i.item_no || ' ' || l.uom, l.unit_price, l.qty from erp.sales_order o
				join erp.sales_order_line l using (order_id) join erp.item i using (item_id)
			where o.order_no = $1`, sent.OrderNo)
		at.change(r, sent.OrderNo)
		return
	}
	at.check(fmt.Sprint("request ", sent.SignOff), page,
		`select i.item_no || ' ' || l.uom, l.seen_price, l.qty from portal.sign_off_line l join erp.item i using (item_id)
		where l.sign_off_id = $1`, sent.SignOff)
	approver.approve(r, sent.SignOff)
}

func (at raceTab) approve(r *rand.Rand, id portal.SignOffID) {
	var said *portal.RefusedError
	for range 4 {
		request, err := at.signOffs.SignOff(at.Context(), at.who, id)
		if err != nil {
			at.Errorf("request: %v", err)
			return
		}
		page := pageOf{}
		var byLine []string
		for _, l := range request.SignLines {
			page[l.ItemNo+" "+l.UOM] = onPage{l.UnitPrice.Decimal, l.Qty.Decimal}
			byLine = append(byLine, l.ItemNo+" "+l.UOM)
		}
		decision := portal.SignOffDecision{Shown: request.Shown(), ShownOutcome: request.ShownOutcome,
			ConfirmPrices: pick(r, "", "true")}
		if said != nil {
			decision.ConfirmPrices = said.AskedPrices() // what the refusal named stood on the page, too
			for line, price := range said.PricesTold() {
				on := page[byLine[line-1]]
				page[byLine[line-1]] = onPage{decimal.Max(on.price, decimal.RequireFromString(price)), on.qty}
			}
		}
		var orderNo string
		at.stirred(r, func() { orderNo, err = at.signOffs.ApproveSignOff(at.Context(), at.who, id, decision) })
		if err == nil {
			at.signed.Add(1)
			at.comes(orderNo, request.Delivery)
			at.check("signed "+orderNo, page,
				`select i.item_no || ' ' || l.uom, l.unit_price, l.qty from erp.sales_order o
					join erp.sales_order_line l using (order_id) join erp.item i using (item_id)
				where o.order_no = $1`, orderNo)
			return
		}
		if !at.isAsked(err) {
			return
		}
		said, _ = errors.AsType[*portal.RefusedError](err)
	}
}

// comes checks that an order, if it is one, comes on the day that stood on the
// page that sent it.
func (at raceTab) comes(orderNo string, on *portal.PlannedDelivery) {
	if orderNo == "" {
		return
	}
	var day time.Time
	if err := at.db.Pool.QueryRow(at.Context(),
		"select coalesce(delivery_date, '-infinity') from erp.sales_order where order_no = $1",
		orderNo).Scan(&day); err != nil {
		at.Errorf("order %s: %v", orderNo, err)
	} else if on == nil || !on.Date.Equal(day) {
		at.Errorf("order %s comes on %v, and the page that sent it had %+v", orderNo, day, on)
	}
}

// change lets a line of an order grow.
func (at raceTab) change(r *rand.Rand, orderNo string) {
	order, err := at.orders.Order(at.Context(), at.who, orderNo)
	if err != nil {
		at.Errorf("order: %v", err)
		return
	}
	page, byLine, qtys := pageOf{}, map[int]string{}, map[int]portal.Qty{}
	for _, l := range order.OrderLines {
		qtys[l.LineNo] = portal.Qty{Decimal: l.Qty.Add(decimal.NewFromInt(int64(r.IntN(3))))}
		byLine[l.LineNo] = l.ItemNo + " " + l.UOM
		page[byLine[l.LineNo]] = onPage{l.UnitPrice.Decimal, qtys[l.LineNo].Decimal}
	}
	confirm := pick(r, "", "true")
	for range 4 {
		at.stirred(r, func() {
			err = at.orders.Change(at.Context(), at.who, orderNo,
				portal.OrderEdit{Qtys: qtys, Revision: &order.Revision, ConfirmPrices: confirm})
		})
		if err == nil {
			at.changed.Add(1)
			at.check("changed "+orderNo, page,
				`select i.item_no || ' ' || l.uom, l.unit_price, l.qty from erp.sales_order o
					join erp.sales_order_line l using (order_id) join erp.item i using (item_id)
				where o.order_no = $1`, orderNo)
			return
		}
		if !at.isAsked(err) {
			return
		}
		said, _ := errors.AsType[*portal.RefusedError](err)
		confirm = said.AskedPrices()
		page = maps.Clone(page)
		for line, price := range said.PricesTold() {
			page[byLine[line]] = onPage{decimal.RequireFromString(price), page[byLine[line]].qty}
		}
	}
}

// check compares lines (item and unit, price, quantity) with a page.
func (at raceTab) check(what string, page pageOf, query string, arg any) {
	rows, err := at.db.Pool.Query(at.Context(), query, arg)
	if err != nil {
		at.Errorf("%s: %v", what, err)
		return
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var line string
		var price, qty decimal.Decimal
		if err := rows.Scan(&line, &price, &qty); err != nil {
			at.Errorf("%s: %v", what, err)
			return
		}
		n++
		on, there := page[line]
		if !there || price.GreaterThan(on.price) || !qty.Equal(on.qty) {
			at.Errorf("%s: %s × %s at %s, and the page that sent it had %s at %s", what, line, qty, price, on.qty, on.price)
		}
	}
	if err := rows.Err(); err != nil || n != len(page) {
		at.Errorf("%s: %d lines of %d, %v", what, n, len(page), err)
	}
}
