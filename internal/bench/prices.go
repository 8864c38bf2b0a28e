package bench

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"
)

// PricesOptions say what to measure. All are required.
type PricesOptions struct {
	URL         string
	DatabaseURL string
	Buyers      int
	Lines       int           // of an order
	Every       time.Duration // how often each buyer orders
	Levels      int           // rows of level prices in the list that is loaded, at most those there are
	Contracts   int           // rows of new contracts in it
	Duration    time.Duration // how long to measure before the load, and after it
}

// PricesReport is how long it took buyers to order, by phase.
type PricesReport struct {
	Phases []PricesPhase
	Orders int
}

// PricesPhase is what went on and how long things took meanwhile.
type PricesPhase struct {
	Name              string
	Took              time.Duration
	Add, Cart, Submit Latency
}

func (r PricesReport) String() string {
	var b strings.Builder
	for _, p := range r.Phases {
		fmt.Fprintf(&b, "%s (%.1f s)\n  add a line  %v\n  cart        %v\n  submit      %v\n", p.Name, p.Took.Seconds(),
			p.Add, p.Cart, p.Submit)
	}
	fmt.Fprintf(&b, "%d orders", r.Orders)
	return b.String()
}

// pricesRun is the buyers at work. The phase says where a latency belongs.
type pricesRun struct {
	PricesOptions
	client client
	items  []string
	phase  atomic.Int32
	orders atomic.Int64

	mu   sync.Mutex
	took map[int32]map[string][]time.Duration
	err  error
}

// contractMark is the minimum quantity by which the contracts of a measurement
// are found again; nobody orders as much.
const contractMark = "7654321"

// Prices has buyers order while price lists are loaded.
func Prices(ctx context.Context, o PricesOptions) (PricesReport, error) {
	var report PricesReport
	conn, err := pgx.Connect(ctx, o.DatabaseURL)
	if err != nil {
		return report, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	who, err := people(ctx, conn, o.Buyers)
	if err != nil {
		return report, err
	}
	// What stays is marked, and goes with the next run
	defer func() { _ = sweepOrders(context.WithoutCancel(ctx), conn) }()
	desk, err := clerk(ctx, conn)
	if err != nil {
		return report, err
	}
	run := &pricesRun{PricesOptions: o, client: newClient(o.URL, o.Buyers+1), took: map[int32]map[string][]time.Duration{}}
	rows, _ := conn.Query(ctx,
		"select item_no from erp.item where active and not discontinued and price_a > 1 order by item_id limit 5000")
	if run.items, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return report, err
	}
	if len(run.items) == 0 {
		return report, errors.New("there are no items to order")
	}
	original, err := run.export(ctx, desk, "levels")
	if err != nil {
		return report, err
	}
	lowered, undo, err := lowerLevels(original, o.Levels)
	if err != nil {
		return report, err
	}
	contracts, err := newContracts(ctx, conn, o.Contracts)
	if err != nil {
		return report, err
	}

	ordering, stop := context.WithCancel(ctx)
	var buyers sync.WaitGroup
	for i, p := range who {
		buyers.Go(func() { run.buy(ordering, p.cookie, uint64(i)) })
	}
	phase := func(name string, f func() error) error {
		start := time.Now()
		err := f()
		report.Phases = append(report.Phases, PricesPhase{Name: name, Took: time.Since(start)})
		run.phase.Add(1)
		return err
	}
	quiet := func() error { return sleep(ctx, o.Duration) }
	load := func(what string, file []byte) func() error {
		return func() error { return run.load(ctx, desk, what, file) }
	}
	err = errors.Join(
		phase("before", quiet),
		phase(fmt.Sprintf("loading %d level prices", o.Levels), load("levels", lowered)),
		phase(fmt.Sprintf("loading %d contracts", o.Contracts), load("contracts", contracts)),
		phase("after", quiet))
	stop()
	buyers.Wait()
	err = errors.Join(err, run.err, run.load(ctx, desk, "levels", undo))
	if _, e := conn.Exec(ctx, "delete from erp.price_contract where min_qty = "+contractMark); e != nil {
		err = errors.Join(err, e)
	}
	for i := range report.Phases {
		took := run.took[int32(i)]
		report.Phases[i].Add, report.Phases[i].Cart, report.Phases[i].Submit = latency(took["add"]), latency(took["cart"]),
			latency(took["submit"])
	}
	report.Orders = int(run.orders.Load())
	return report, err
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// clerk is a session of the desk.
func clerk(ctx context.Context, conn *pgx.Conn) (cookie string, err error) {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw)
	cookie = base64.RawURLEncoding.EncodeToString(raw)
	sum := sha256.Sum256([]byte(cookie))
	_, err = conn.Exec(ctx, `
		with l as (
			insert into portal.login (staff_role, email, password_hash) values ('desk', '`+marker+
		`desk@bench.example', '$2a$04$' || repeat('x', 53))
			on conflict (email) do update set staff_role = 'desk' returning login_id
		)
		insert into portal.session (login_id, token_hash, expires_at) select login_id, $1, now() + interval '1 day' from l`,
		sum[:])
	return cookie, err
}

// sweepOrders takes away the orders of the measurement, and what sweep does.
func sweepOrders(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `
		update erp.sales_order set status = 'CANCELLED', status_reason = 'bench' where status in ('SUBMITTED', 'ON_HOLD',
			'APPROVED', 'PICKING')
			and customer_id in (select customer_id from erp.customer where customer_no like '`+marker+`%');
		delete from erp.sales_order where customer_id in (select customer_id from erp.customer where customer_no like '`+
		marker+`%');
		delete from portal.login where email like '`+marker+`%' and staff_role is not null`)
	return errors.Join(err, sweep(ctx, conn))
}

// lowerLevels makes a list in which level A of the first n items is a cent
// lower, and the one that undoes it.
func lowerLevels(original []byte, n int) (lowered, undo []byte, err error) {
	table, err := csv.NewReader(bytes.NewReader(original)).ReadAll()
	if err != nil {
		return nil, nil, err
	}
	table = table[:min(n+1, len(table))]
	write := func() []byte {
		var b bytes.Buffer
		_ = csv.NewWriter(&b).WriteAll(table)
		return b.Bytes()
	}
	undo = write()
	for _, row := range table[1:] {
		if price, err := decimal.NewFromString(row[1]); err == nil && price.GreaterThan(decimal.NewFromInt(1)) {
			row[1] = price.Sub(decimal.New(1, -2)).String()
		}
	}
	return write(), undo, nil
}

// newContracts makes n contracts that are not there yet, spread over customers
// and items.
func newContracts(ctx context.Context, conn *pgx.Conn, n int) ([]byte, error) {
	read := func(query string) ([]string, error) {
		rows, _ := conn.Query(ctx, query)
		list, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err == nil && len(list) == 0 {
			err = errors.New("make contracts: nothing to make them of; try portal bench fill")
		}
		return list, err
	}
	customers, err := read("select customer_no from erp.customer order by customer_id")
	if err != nil {
		return nil, err
	}
	items, err := read("select item_no from erp.item order by item_id")
	if err != nil {
		return nil, err
	}
	if n > len(customers)*len(items) {
		return nil, fmt.Errorf("%d contracts are more than %d customers and %d items make", n, len(customers), len(items))
	}
	var b bytes.Buffer
	b.WriteString("customer_no,item_no,kind,value,min_qty\n")
	for i := range n {
		fmt.Fprintf(&b, "%s,%s,fixed,%d.%02d,%s\n", customers[i%len(customers)],
			items[(i/len(customers)+i%len(customers)*37)%len(items)], 5+i%40, i%100, contractMark)
	}
	return b.Bytes(), nil
}

// buy orders again and again: lines into the cart, a look at the cart, submit.
func (r *pricesRun) buy(ctx context.Context, cookie string, seed uint64) {
	random := mathrand.New(mathrand.NewPCG(seed, 1))
	if sleep(ctx, time.Duration(random.Int64N(int64(r.Every)))) != nil { // not all at once
		return
	}
	tick := time.NewTicker(r.Every) // begun after the wait, or all would tick together
	defer tick.Stop()
	for {
		if err := r.order(ctx, cookie, random); err != nil && ctx.Err() == nil {
			r.mu.Lock()
			if r.err == nil {
				r.err = err
			}
			r.mu.Unlock()
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (r *pricesRun) order(ctx context.Context, cookie string, random *mathrand.Rand) error {
	for range r.Lines {
		if err := r.timed(ctx, "add", cookie, "POST", "/cart/lines",
			url.Values{"item_no": {r.items[random.IntN(len(r.items))]}, "qty": {"1"}}, nil); err != nil {
			return err
		}
	}
	var cart struct{ Key string }
	if err := r.timed(ctx, "cart", cookie, "GET", "/cart", nil, &cart); err != nil {
		return err
	}
	err := r.timed(ctx, "submit", cookie, "POST", "/cart/submit", url.Values{"key": {cart.Key}}, nil)
	if err == nil {
		r.orders.Add(1)
	}
	return err
}

// timed asks for a page's data and notes how long it took.
func (r *pricesRun) timed(ctx context.Context, what, cookie, method, path string, form url.Values, into any) error {
	phase, start := r.phase.Load(), time.Now()
	body, err := r.client.ask(ctx, cookie, method, path, "application/x-www-form-urlencoded",
		strings.NewReader(form.Encode()))
	took := time.Since(start)
	if err != nil {
		return err
	}
	r.mu.Lock()
	if r.took[phase] == nil {
		r.took[phase] = map[string][]time.Duration{}
	}
	r.took[phase][what] = append(r.took[phase][what], took)
	r.mu.Unlock()
	if into != nil {
		return json.Unmarshal(body, into)
	}
	return nil
}

func (r *pricesRun) export(ctx context.Context, cookie, what string) ([]byte, error) {
	return r.client.ask(ctx, cookie, "GET", "/desk/prices/export?what="+what, "", nil)
}

// load sends a price list as the desk's form does, and wants all of it loaded.
func (r *pricesRun) load(ctx context.Context, cookie, what string, file []byte) error {
	return r.client.upload(ctx, cookie, "/desk/prices", what+".csv", file,
		map[string]string{"what": what, "action": "load"})
}
