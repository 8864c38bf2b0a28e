package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/jackc/pgx/v5/pgconn"

	"portal.example/portal/internal/pgtest"
)

// walkers is how many people and programs walk at the same time.
const walkers = 6

// walk is one walker: random numbers, log-ins, and what came of its steps.
type walk struct {
	*rand.Rand
	s      *site
	buyers map[string]*visitor // by customer number
	desk   *visitor

	mu    *sync.Mutex
	did   map[string]int // steps that were taken
	not   map[string]int // steps that a rule refused
	wrong *[]string      // what must not happen
}

// walkStep is something that somebody does; it says whether a rule refused it.
// An error is neither.
type walkStep struct {
	name  string
	often int
	do    func(w *walk) (refused bool, err error)
}

// A random walk of buyers, staff and plain SQL, several at a time, leaves the
// books in order, and every open page as a fresh load would show it. Every run
// takes other steps; WALK_STEPS=10000 asks for more of them (they take minutes),
// WALK_SEED for the same ones.
func TestRandomWalk(t *testing.T) {
	t.Parallel()
	steps := int64(500)
	if n, err := strconv.ParseInt(os.Getenv("WALK_STEPS"), 10, 64); err == nil {
		steps = n
	}
	seed := uint64(time.Now().UnixNano())
	if n, err := strconv.ParseUint(os.Getenv("WALK_SEED"), 10, 64); err == nil {
		seed = n
	}
	s := newLadder(t)
	pgtest.Exec(t, s.db, `
		insert into erp.item (item_no, description, category_id, price_a, price_c, cost, allow_backorder)
			select 'W' || n, 'Walk item ' || n, 1 + n % 3, 10 + n, 9 + n, 5 + n, n % 3 > 0 from generate_series(1, 12) n;
		insert into erp.item_uom (item_id, uom, factor) select item_id, 'BX', 6 from erp.item
			where item_no in ('W1', 'W2', 'W3');
		insert into erp.stock (item_id, on_hand) select item_id, 40 from erp.item where item_no like 'W%';
		update erp.customer set credit_limit = 1500 where customer_no in ('C1001', 'C1004');
		insert into erp.price_break (item_id, min_qty, price) select item_id, 10, 8.25 from erp.item
			where item_no in ('W1', 'W4');
		select erp.set_clock(null)`)

	pages := map[string]*tab{}
	open := func(email string, paths ...string) {
		first := openBrowser(t, s.URL, 1280)
		first.logIn(email)
		for i, path := range paths {
			b := first
			if i > 0 {
				b = first.another()
			}
			b.goTo(path)
			b.connected()
			b.mark()
			pages[email+" "+path] = b
		}
	}
	open("buyer@c1001.example", "/cart", "/orders", "/catalog")
	open("desk@demo.example", "/desk/orders")

	buyers := map[string]*visitor{}
	for _, no := range []string{"C1001", "C1002", "C1003", "C1004"} {
		buyers[no] = s.buyer(no)
	}
	desk := s.logIn("desk@demo.example")

	var mu sync.Mutex
	did, not := map[string]int{}, map[string]int{}
	var wrong []string
	var taken atomic.Int64
	var walking sync.WaitGroup
	start := time.Now()
	for n := range uint64(walkers) {
		w := &walk{Rand: rand.New(rand.NewPCG(seed, n)), s: s, buyers: buyers, desk: desk, mu: &mu, did: did,
			not: not, wrong: &wrong}
		walking.Go(func() {
			for taken.Add(1) <= steps {
				w.step()
			}
		})
	}
	walking.Wait()
	deadlocks := pgtest.Value[int](t, s.db,
		"select deadlocks::int from pg_stat_database where datname = current_database()")
	t.Logf("seed %d: %d steps in %s, %d deadlocks\ndone    %v\nrefused %v", seed, steps,
		time.Since(start).Round(time.Second), deadlocks, did, not)
	for _, text := range wrong {
		t.Errorf("seed %d: %s", seed, text)
	}
	for _, step := range walkSteps {
		// what is rarely legal may be refused for a while
		if did[step.name] == 0 && step.name != "rolled back" && (not[step.name] == 0 || not[step.name] > 60) {
			t.Errorf("%s never succeeded: the walk does not go where it should", step.name)
		}
	}
	if log := s.log.String(); strings.Contains(log, "40P01") || strings.Contains(log, "level=ERROR") {
		for line := range strings.Lines(log) {
			if strings.Contains(line, "40P01") || strings.Contains(line, "level=ERROR") {
				t.Errorf("seed %d: in the log: %s", seed, line)
			}
		}
	}
	eventually(t, "every order decided", func() bool {
		return pgtest.Value[int](t, s.db,
			"select count(*)::int from erp.sales_order where source = 'WEB' and status = 'SUBMITTED' and reviewed_at is null") == 0
	})
	for _, violation := range pgtest.Value[[]string](t, s.db,
		"select coalesce(array_agg(v::text), '{}') from erp.check_invariants() v") {
		t.Errorf("seed %d: %s", seed, violation)
	}
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		b := pages[name]
		b.connected()
		b.stillMarked()
		different, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](sameAsFresh, chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		if different != "" {
			t.Errorf("seed %d: %s is not as a fresh load: %s", seed, name, different)
		}
	}
}

// sameAsFresh compares each live region with the same one of a fresh load, and
// gives them ten seconds to become alike. Words about times are left out: they
// change by themselves.
const sameAsFresh = `(async () => {
	const text = (el) => {
		if (!el) return 'nothing'
		const copy = el.cloneNode(true)
		copy.querySelectorAll('time, script, noscript').forEach((t) => t.remove())
		const badges = [...copy.querySelectorAll('[data-status]')].map((b) => b.dataset.status).join()
		const fields = [...copy.querySelectorAll('input')].map((f) => f.getAttribute('value')).join()
		return copy.textContent.replace(/\s+/g, ' ').trim() + badges + fields
	}
	let different = ''
	for (let n = 0; n < 40; n++) {
		const answer = await fetch(location.href, { headers: { 'X-Live': '1', Accept: 'text/html' }, cache: 'no-store' })
		const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html')
		different = ''
		for (const el of document.querySelectorAll('[id][data-live]')) {
			const a = text(el), b = text(fresh.getElementById(el.id))
			if (a !== b) {
				let i = 0
				while (a[i] === b[i]) i++
				different = '#' + el.id + ' shows …' + a.slice(Math.max(0, i - 40), i + 60) +
					'… instead of …' + b.slice(Math.max(0, i - 40), i + 60) + '…'
			}
		}
		if (!different) return ''
		await new Promise((again) => setTimeout(again, 250))
	}
	return different
})()`

// walkSteps are what there is to do, and how often.
var walkSteps = []walkStep{
	{"put into the cart", 14, func(w *walk) (bool, error) {
		return w.post(w.buyer(), "/cart/lines", "item_no", w.item(), "uom", w.pick("", "", "", "BX"),
			"qty", strconv.Itoa(1+w.IntN(6)))
	}},
	{"set a cart line", 3, func(w *walk) (bool, error) {
		return w.post(w.buyer(), "/cart/lines", "item_no", w.item(), "qty", strconv.Itoa(w.IntN(4)), "mode", "set")
	}},
	{"submit", 10, func(w *walk) (bool, error) {
		v := w.buyer()
		cart := v.read("/cart")
		return w.post(v, "/cart/submit", "key", cart.text("key"), "shown", cart.text("shown"),
			"confirm_prices", cart.text("shown_digest"), "po_no", w.pick("", "PO-1", "PO-2"))
	}},
	{"cancel as a buyer", 3, func(w *walk) (bool, error) {
		v, no := w.ownOrder("status in ('SUBMITTED', 'APPROVED')")
		return w.post(v, "/orders/"+no+"/cancel")
	}},
	{"reorder", 2, func(w *walk) (bool, error) {
		v, no := w.ownOrder("true")
		return w.post(v, "/orders/"+no+"/reorder", "mode", w.pick("add", "replace"))
	}},
	{"star", 2, func(w *walk) (bool, error) {
		return w.post(w.buyer(), "/favorites/"+w.item(), "on", w.pick("0", "1"))
	}},
	{"move at the desk", 8, func(w *walk) (bool, error) {
		return w.post(w.desk, "/desk/orders/"+w.order("status not in ('DELIVERED', 'REJECTED', 'CANCELLED')")+"/move",
			"status", w.pick("APPROVED", "APPROVED", "PICKING", "ON_HOLD", "SUBMITTED", "REJECTED", "CANCELLED", "DELIVERED"),
			"reason", "the walk")
	}},
	{"change as a buyer", 4, func(w *walk) (bool, error) {
		v, no := w.ownOrder(w.pick("status = 'SUBMITTED'", "status in ('SUBMITTED', 'APPROVED')"))
		return w.post(v, "/orders/"+no+"/change", "qty_1", strconv.Itoa(w.IntN(8)),
			"confirm_prices", w.pick("", `[["1","99999"]]`))
	}},
	{"edit at the desk", 4, func(w *walk) (bool, error) {
		return w.post(w.desk, "/desk/orders/"+w.order("status in ('SUBMITTED', 'ON_HOLD', 'APPROVED')")+"/edit", "qty_1",
			strconv.Itoa(w.IntN(8)), "qty_2", strconv.Itoa(w.IntN(8)), "reason", w.pick("the walk", ""))
	}},
	{"release credit at the desk", 2, func(w *walk) (bool, error) {
		return w.post(w.desk, "/desk/orders/"+w.order("status in ('SUBMITTED', 'ON_HOLD')")+"/move", "status", "APPROVED",
			"release_credit", "true", "reason", "the walk")
	}},
	{"approve many", 2, func(w *walk) (bool, error) {
		a := w.desk.postMany("/desk/orders", "application/json",
			[]string{"order", w.order("status = 'SUBMITTED'"), "order", w.order("status = 'SUBMITTED'"),
				"order", w.order("status = 'ON_HOLD'")})
		if a.status != http.StatusOK {
			return false, fmt.Errorf("approve many: %d %.200s", a.status, a.body)
		}
		return a.get("approved.0") == nil, nil
	}},
	{"pick at the desk", 4, func(w *walk) (bool, error) {
		return w.post(w.desk, "/desk/orders/"+w.order("status in ('APPROVED', 'PICKING')")+"/pick", "qty_1",
			w.pick("", "1", "0"))
	}},
	{"ship at the desk", 6, func(w *walk) (bool, error) {
		return w.post(w.desk, "/desk/orders/"+w.order("status in ('APPROVED', 'PICKING')")+"/ship", "carrier", "UPS", "qty_1",
			w.pick("", "1", "2"))
	}},
	{"invoice at the desk", 4, func(w *walk) (bool, error) {
		return w.post(w.desk,
			"/desk/orders/"+w.order("status in ('PICKING', 'SHIPPED', 'DELIVERED') and invoiced_at is null")+"/invoice")
	}},
	{"status by SQL", 6, func(w *walk) (bool, error) {
		return w.exec("update erp.sales_order set status = $2, status_reason = 'the walk' where order_no = $1",
			w.order("status not in ('DELIVERED', 'REJECTED', 'CANCELLED')"),
			w.pick("APPROVED", "PICKING", "SHIPPED", "DELIVERED", "ON_HOLD", "REJECTED"))
	}},
	{"order by SQL", 4, func(w *walk) (bool, error) {
		return w.exec(
			`with o as (insert into erp.sales_order (customer_id, source) select customer_id, $1 from erp.customer
				where customer_no = $2 returning order_id)
			insert into erp.sales_order_line (order_id, line_no, item_id, qty)
			select o.order_id, row_number() over (order by i.item_no), i.item_id, $3::int from o, erp.item i
				where i.item_no = any ($4)`,
			w.pick("PHONE", "WEB", "EDI"), w.pick("C1001", "C1002", "C1005"), 1+w.IntN(9),
			[]string{w.item(), w.item(), w.item()})
	}},
	{"quantity by SQL", 4, func(w *walk) (bool, error) {
		return w.exec("update erp.sales_order_line set qty = $2 where order_id = (select order_id from erp.sales_order "+
			"where order_no = $1) and line_no = 1",
			w.order("status in ('SUBMITTED', 'APPROVED', 'ON_HOLD', 'PICKING')"), 1+w.IntN(12))
	}},
	{"shipped by SQL", 4, func(w *walk) (bool, error) {
		return w.exec("update erp.sales_order_line set qty_shipped = qty_shipped + 1 where order_id = (select order_id "+
			"from erp.sales_order where order_no = $1) and qty_allocated >= 1",
			w.order("status in ('APPROVED', 'PICKING')"))
	}},
	{"cancelled by SQL", 2, func(w *walk) (bool, error) {
		return w.exec("update erp.sales_order_line set qty_cancelled = qty_cancelled + 1 where order_id = (select "+
			"order_id from erp.sales_order where order_no = $1) and qty_allocated + qty_backordered >= 1",
			w.order("status in ('SUBMITTED', 'APPROVED', 'ON_HOLD', 'PICKING')"))
	}},
	{"line deleted by SQL", 2, func(w *walk) (bool, error) {
		return w.exec("delete from erp.sales_order_line where order_id = (select order_id from erp.sales_order where "+
			"order_no = $1) and line_no = 2", w.order("status in ('SUBMITTED', 'ON_HOLD')"))
	}},
	{"goods received", 8, func(w *walk) (bool, error) {
		return w.exec("update erp.stock set on_hand = on_hand + $2 where item_id = (select item_id from erp.item where "+
			"item_no = $1)", w.item(), 1+w.IntN(30))
	}},
	{"stock counted", 3, func(w *walk) (bool, error) {
		return w.exec("update erp.stock set on_hand = $2 where item_id = (select item_id from erp.item where item_no = $1)",
			w.item(), w.IntN(80))
	}},
	{"price changed", 3, func(w *walk) (bool, error) {
		return w.exec("update erp.item set price_a = $2::int, price_c = $2::int - 1 where item_no = $1",
			w.item(), 8+w.IntN(20))
	}},
	{"item switched", 2, func(w *walk) (bool, error) {
		return w.exec("update erp.item set active = $2, discontinued = $3 where item_no = $1", w.item(),
			w.IntN(4) > 0, w.IntN(6) == 0)
	}},
	{"contract made or ended", 2, func(w *walk) (bool, error) {
		if w.IntN(2) == 0 {
			return w.exec("delete from erp.price_contract where contract_id = (select min(contract_id) from erp.price_contract)")
		}
		return w.exec("insert into erp.price_contract (customer_id, item_id, value) select c.customer_id, i.item_id, 7.77 "+
			"from erp.customer c, erp.item i where c.customer_no = 'C1001' and i.item_no = $1", w.item())
	}},
	{"Web Access switched", 2, func(w *walk) (bool, error) {
		column := w.pick("see_prices", "see_price_breaks", "allow_backorder", "auto_approve", "can_order", "see_balance")
		return w.exec("update erp.web_access set "+column+" = $1 where customer_id = (select customer_id from "+
			"erp.customer where customer_no = $2)", w.IntN(4) > 0, w.pick("C1001", "C1002"))
	}},
	{"credit changed", 2, func(w *walk) (bool, error) {
		return w.exec("update erp.customer set credit_limit = $1, credit_hold = $2 where customer_no = 'C1004'",
			500+w.IntN(5000), w.IntN(8) == 0)
	}},
	{"payment", 3, func(w *walk) (bool, error) {
		return w.exec(
			`with i as (select invoice_id, customer_id, open_amount from erp.invoice where open_amount > 0 order by random()
				limit 1 for update),
			p as (insert into erp.payment (customer_id, amount) select customer_id, open_amount + $1::int from i
			returning payment_id)
			insert into erp.payment_application (payment_id, invoice_id, amount) select p.payment_id, i.invoice_id,
				round(i.open_amount / (1 + $1::int), 2) from i, p
			where round(i.open_amount / (1 + $1::int), 2) > 0`, w.IntN(3))
	}},
	{"rolled back", 2, func(w *walk) (bool, error) {
		return w.exec("do $$ begin update erp.stock set on_hand = on_hand + 1; update erp.sales_order set note = 'never'; " +
			"raise exception 'no' using errcode = 'PT409'; end $$")
	}},
}

// step takes one of the steps.
func (w *walk) step() {
	total := 0
	for _, step := range walkSteps {
		total += step.often
	}
	at := w.IntN(total)
	for _, step := range walkSteps {
		if at -= step.often; at >= 0 {
			continue
		}
		refused, err := step.do(w)
		w.mu.Lock()
		switch {
		case err != nil:
			*w.wrong = append(*w.wrong, step.name+": "+err.Error())
		case refused:
			w.not[step.name]++
		default:
			w.did[step.name]++
		}
		w.mu.Unlock()
		return
	}
}

func (w *walk) pick(values ...string) string { return values[w.IntN(len(values))] }

func (w *walk) buyer() *visitor { return w.buyers[w.pick(slices.Sorted(maps.Keys(w.buyers))...)] }

func (w *walk) item() string { return "W" + strconv.Itoa(1+w.IntN(12)) }

// order is the number of one of the orders, or one that does not exist.
func (w *walk) order(where string) string {
	var no string
	// most of the time one that is at hand
	err := w.s.db.Pool.QueryRow(context.Background(),
		"select coalesce((select order_no from (select order_no from erp.sales_order where "+where+
			" order by order_id desc limit 25) o order by random() limit 1), 'SO-none')").Scan(&no)
	if err != nil {
		return err.Error()
	}
	return no
}

// ownOrder is a buyer and the number of an order of its customer.
func (w *walk) ownOrder(where string) (*visitor, string) {
	no := w.pick(slices.Sorted(maps.Keys(w.buyers))...)
	return w.buyers[no], w.order(where + " and customer_id = (select customer_id from erp.customer where customer_no = '" +
		no + "')")
}

// post sends a form; a refusal is an answer in the four hundreds, with words.
func (w *walk) post(v *visitor, path string, pairs ...string) (refused bool, err error) {
	a := v.post(path, pairs...)
	switch {
	case a.status == http.StatusOK:
		return false, nil
	case a.status >= 400 && a.status < 500 && a.get("message") != nil && a.status != http.StatusUnauthorized:
		if strings.Contains(a.body, "Somebody else changed the same thing just now") {
			return true, fmt.Errorf("%s %v: a deadlock reached the visitor", path, pairs)
		}
		return true, nil
	}
	return false, fmt.Errorf("%s %v: %d %.200s", path, pairs, a.status, a.body)
}

// exec runs plain SQL; a refusal is one of ours, a constraint's, a deadlock, which
// any program that locks in an order of its own must expect, or a count of what
// somebody is at, which is to be counted again.
func (w *walk) exec(sql string, args ...any) (refused bool, err error) {
	tag, err := w.s.db.Pool.Exec(context.Background(), sql, args...)
	if err == nil {
		return tag.RowsAffected() == 0, nil
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok &&
		(strings.HasPrefix(pg.Code, "PT") || strings.HasPrefix(pg.Code, "23") || pg.Code == "40P01" || pg.Code == "40001") {
		return true, nil
	}
	return false, fmt.Errorf("%.90s: %w", sql, err)
}
