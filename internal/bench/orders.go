package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// OrdersOptions say what to measure. All are required.
type OrdersOptions struct {
	URL         string
	DatabaseURL string
	Lines       []int         // of the calls of erp.price, the uploads and the orders that are timed one by one
	Rounds      int           // how often each of these is timed
	Open        int           // open orders that stand in the database while many buyers order
	Buyers      int           // who order at the same time, as fast as they are answered
	Duration    time.Duration // how long they do
}

// OrdersReport is how long ordering takes, alone and in a crowd.
type OrdersReport struct {
	Lines               []int
	Price               map[int]Latency // erp.price, by lines
	Check, Upload       map[int]Latency // rows sent to the quick order: looked up and priced; put into the cart as well
	Submit              map[int]Latency
	Crowd, Hot          Latency // submits of many buyers: items at random; one item for all
	CrowdRate, HotRate  float64 // orders a second, from submit to approval
	CrowdOpen, CrowdFor int
}

func (r OrdersReport) String() string {
	var b strings.Builder
	for _, part := range []struct {
		name string
		took map[int]Latency
	}{{"erp.price", r.Price}, {"check rows", r.Check}, {"add rows to the cart", r.Upload}, {"submit", r.Submit}} {
		for _, n := range r.Lines {
			fmt.Fprintf(&b, "%-21s %5d lines  %v\n", part.name, n, part.took[n])
		}
	}
	fmt.Fprintf(&b, "%d buyers, %d open orders: %.1f orders/s submitted and approved\n  submit     %v\n", r.CrowdFor,
		r.CrowdOpen, r.CrowdRate, r.Crowd)
	fmt.Fprintf(&b, "%d buyers, one item: %.1f orders/s submitted and approved\n  submit     %v",
		r.CrowdFor, r.HotRate, r.Hot)
	return b.String()
}

// ordersRun is one measurement at work.
type ordersRun struct {
	OrdersOptions
	conn   *pgx.Conn
	client client
	who    []person
	items  []string
	ids    []int64
}

// Orders times prices, uploads and orders of several lengths one by one, and
// then many buyers who order at the same time.
func Orders(ctx context.Context, o OrdersOptions) (OrdersReport, error) {
	report := OrdersReport{Lines: o.Lines, Price: map[int]Latency{}, Check: map[int]Latency{}, Upload: map[int]Latency{},
		Submit: map[int]Latency{}, CrowdFor: o.Buyers, CrowdOpen: o.Open}
	conn, err := pgx.Connect(ctx, o.DatabaseURL)
	if err != nil {
		return report, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	run := &ordersRun{OrdersOptions: o, conn: conn, client: newClient(o.URL, o.Buyers+1)}
	if run.who, err = people(ctx, conn, o.Buyers); err != nil {
		return report, err
	}
	// What stays is marked, and goes with the next run
	defer func() { _ = sweepOrders(context.WithoutCancel(ctx), conn) }()
	if err := run.stock(ctx); err != nil {
		return report, err
	}
	for _, n := range o.Lines {
		if n > len(run.items) {
			return report, fmt.Errorf("%d lines are more than the %d items there are; try portal bench fill", n, len(run.items))
		}
		if report.Price[n], err = run.price(ctx, n); err != nil {
			return report, fmt.Errorf("erp.price of %d lines: %w", n, err)
		}
		if report.Check[n], report.Upload[n], report.Submit[n], err = run.alone(ctx, n); err != nil {
			return report, fmt.Errorf("order of %d lines: %w", n, err)
		}
	}
	if err := run.openOrders(ctx); err != nil {
		return report, err
	}
	if report.Crowd, report.CrowdRate, err = run.crowd(ctx,
		func(r *mathrand.Rand) string { return run.items[r.IntN(len(run.items))] }); err != nil {
		return report, fmt.Errorf("many buyers: %w", err)
	}
	if report.Hot, report.HotRate, err = run.crowd(ctx, func(*mathrand.Rand) string { return run.items[0] }); err != nil {
		return report, fmt.Errorf("one item: %w", err)
	}
	return report, nil
}

// stock picks items that can be ordered, and sees to it that they can be to the
// end.
func (r *ordersRun) stock(ctx context.Context) error {
	rows, _ := r.conn.Query(ctx, `
		with pick as (
			select item_id, item_no from erp.item where active and not discontinued and price_a > 1 order by item_id limit 5000
		), filled as (
			insert into erp.stock (item_id, on_hand) select item_id, 1000000 from pick
			on conflict (item_id, warehouse) do update set on_hand = greatest(stock.on_hand, 1000000)
		)
		select item_id, item_no from pick order by item_id`)
	type item struct {
		ItemID int64
		ItemNo string
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[item])
	if err == nil && len(list) == 0 {
		err = errors.New("there are no items to order; try portal bench fill")
	}
	for _, i := range list {
		r.items, r.ids = append(r.items, i.ItemNo), append(r.ids, i.ItemID)
	}
	return err
}

// price times erp.price for n lines of one customer after the other.
func (r *ordersRun) price(ctx context.Context, n int) (Latency, error) {
	took := make([]time.Duration, 0, r.Rounds)
	for round := range r.Rounds {
		from := round * 37 % (len(r.ids) - n + 1)
		start := time.Now()
		rows, _ := r.conn.Query(ctx,
			`select unit_price from erp.price($1, $2, array_fill(null::text, array[$3::int]),
				array_fill(1::numeric, array[$3::int]))`, r.who[round%len(r.who)].customerID, r.ids[from:from+n], n)
		prices, err := pgx.CollectRows(rows, pgx.RowTo[*string])
		if err != nil {
			return Latency{}, err
		}
		if took = append(took, time.Since(start)); len(prices) != n {
			return Latency{}, fmt.Errorf("%d prices", len(prices))
		}
	}
	return latency(took), nil
}

// alone times orders of n lines, one at a time: a file sent to the quick order
// to look at, sent to fill the cart, and the cart submitted.
func (r *ordersRun) alone(ctx context.Context, n int) (check, upload, submit Latency, err error) {
	rounds := max(3, r.Rounds/max(1, n/10))
	var checked, uploaded, submitted []time.Duration
	timed := func(into *[]time.Duration, f func() error) {
		if err == nil {
			start := time.Now()
			err = f()
			*into = append(*into, time.Since(start))
		}
	}
	for round := range rounds {
		cookie := r.who[round%len(r.who)].cookie
		from := round * 37 % (len(r.items) - n + 1)
		var file bytes.Buffer
		file.WriteString("item number,quantity\n")
		for _, no := range r.items[from : from+n] {
			file.WriteString(no + ",1\n")
		}
		quick := func(action string) func() error {
			return func() error {
				return r.client.upload(ctx, cookie, "/quick-order", "order.csv", file.Bytes(), map[string]string{"action": action})
			}
		}
		timed(&checked, quick("check"))
		timed(&uploaded, quick("add"))
		if err != nil {
			break
		}
		key, e := r.key(ctx, cookie)
		if err = e; err != nil {
			break
		}
		timed(&submitted, func() error {
			_, err := r.client.send(ctx, cookie, "/cart/submit", url.Values{"key": {key}})
			return err
		})
	}
	return latency(checked), latency(uploaded), latency(submitted), err
}

func (r *ordersRun) key(ctx context.Context, cookie string) (string, error) {
	body, err := r.client.ask(ctx, cookie, "GET", "/cart", "", nil)
	if err != nil {
		return "", err
	}
	var cart struct{ Key string }
	err = json.Unmarshal(body, &cart)
	return cart.Key, err
}

// openOrders fills the queue with orders that nobody decides meanwhile.
func (r *ordersRun) openOrders(ctx context.Context) error {
	_, err := r.conn.Exec(ctx, `
		with o as (
			insert into erp.sales_order (order_no, customer_id, source)
			select 'SO-`+marker+
		`open-' || g, ($1::bigint[])[1 + g % cardinality($1::bigint[])], 'PHONE' from generate_series(1, $2::int) g
			returning order_id
		)
		insert into erp.sales_order_line (order_id, line_no, item_id, qty, unit_price)
		select o.order_id, 1, ($3::bigint[])[1 + o.order_id % cardinality($3::bigint[])], 1, 1 from o`,
		r.customers(), r.Open, r.ids)
	if err != nil {
		return fmt.Errorf("make open orders: %w", err)
	}
	return nil
}

func (r *ordersRun) customers() []int64 {
	out := make([]int64, len(r.who))
	for i, p := range r.who {
		out[i] = p.customerID
	}
	return out
}

// crowd has all buyers order one line at a time as fast as they are answered,
// waits until the last order is approved, and gives the orders a second over
// all of that time.
func (r *ordersRun) crowd(ctx context.Context, pick func(*mathrand.Rand) string) (Latency, float64, error) {
	start := time.Now()
	until, cancel := context.WithDeadline(ctx, start.Add(r.Duration))
	defer cancel()
	var mu sync.Mutex
	var took []time.Duration
	var failed error
	var orders []string
	var buyers sync.WaitGroup
	for i, p := range r.who {
		buyers.Go(func() {
			random := mathrand.New(mathrand.NewPCG(uint64(i), 2))
			for until.Err() == nil {
				no, d, err := r.order(ctx, p.cookie, pick(random))
				mu.Lock()
				if err != nil {
					failed = err
					mu.Unlock()
					return
				}
				took, orders = append(took, d), append(orders, no)
				mu.Unlock()
			}
		})
	}
	buyers.Wait()
	if failed != nil {
		return Latency{}, 0, failed
	}
	// the approval job is at work all the time; what is left takes a moment
	for waiting := len(orders); waiting > 0; {
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return Latency{}, 0, err
		}
		if err := r.conn.QueryRow(ctx, "select count(*) from erp.sales_order where order_no = any ($1) and status = "+
			"'SUBMITTED' and reviewed_at is null", orders).Scan(&waiting); err != nil {
			return Latency{}, 0, err
		}
		if time.Since(start) > r.Duration+time.Minute {
			return Latency{}, 0, fmt.Errorf("%d orders were not decided within a minute", waiting)
		}
	}
	rate := float64(len(orders)) / time.Since(start).Seconds()
	if slices.Sort(orders); len(slices.Compact(orders)) != len(took) {
		return Latency{}, 0, errors.New("an order number came twice")
	}
	return latency(took), rate, nil
}

func (r *ordersRun) order(ctx context.Context, cookie, itemNo string) (orderNo string, took time.Duration, err error) {
	if _, err = r.client.send(ctx, cookie, "/cart/lines", url.Values{"item_no": {itemNo}, "qty": {"1"}}); err != nil {
		return "", 0, err
	}
	key, err := r.key(ctx, cookie)
	if err != nil {
		return "", 0, err
	}
	start := time.Now()
	body, err := r.client.send(ctx, cookie, "/cart/submit", url.Values{"key": {key}})
	took = time.Since(start)
	if err != nil {
		return "", 0, err
	}
	var made struct {
		OrderNo string `json:"order_no"`
	}
	err = json.Unmarshal(body, &made)
	return made.OrderNo, took, err
}
