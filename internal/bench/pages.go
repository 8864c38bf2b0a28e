package bench

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

//go:embed scale.sql
var scaleSQL string

// Fill makes a distributor of a given size in an empty, migrated database.
func Fill(ctx context.Context, conn *pgx.Conn, customers, items int) error {
	body := strings.NewReplacer("$1", fmt.Sprint(customers), "$2", fmt.Sprint(items)).Replace(scaleSQL)
	if _, err := conn.Exec(ctx, body); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	if _, err := conn.Exec(ctx, "vacuum analyze"); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	return nil
}

// PagesOptions say what to measure. All are required but for those said to be
// optional.
type PagesOptions struct {
	URL         string
	DatabaseURL string
	// Asked for in turn; {item}, {word} and {prefix} are filled in anew each time
	Paths  []string
	Buyers int // at a time, each with a session of its own
	// Optional: number of the customer whose log-in asks; else customers there are, or made for it
	As     string
	Rate   float64 // pages a second, over all
	Orders float64 // orders a second, over all; 0: nobody orders
	// Every so many-th answer with prices is asked for again as data and compared; 0: none
	CheckEvery int
	Duration   time.Duration                    // how long
	Warm       time.Duration                    // optional: how long pages are asked for before anything is measured
	Progress   func(format string, args ...any) // optional
}

// PageTime is how long a page took, at the client.
type PageTime struct {
	Page    string  `json:"page"`
	Latency Latency `json:"latency"`
	Errors  int     `json:"errors"`
}

// PagesResult is all of them.
type PagesResult struct {
	Pages         []PageTime `json:"pages"`
	Buyers        int        `json:"buyers"`
	Rate          float64    `json:"pages_a_second"`
	Orders        int        `json:"orders"`
	PricesChecked int        `json:"prices_checked"`
	PricesWrong   int        `json:"prices_wrong"`
	Failures      []string   `json:"failures,omitempty"` // the first few
	Size          string     `json:"size"`
}

// Err tells of errors and wrong prices.
func (r PagesResult) Err() error {
	if r.PricesWrong > 0 || len(r.Failures) > 0 {
		return fmt.Errorf("%d prices wrong; failures: %s", r.PricesWrong, strings.Join(r.Failures, "; "))
	}
	return nil
}

// What an order is made of, as rows of the report.
const (
	stepAdd    = "POST /cart/lines"
	stepCart   = "GET /cart, as data"
	stepSubmit = "POST /cart/submit"
)

// words are those of scale.sql's descriptions; elsewhere some find nothing.
var words = []string{"olive+oil", "basmati", "rice+25", "golden+salt", "napkins", "foil+grade+12",
	"smoked", "vinegar+gal", "gloves+100", "I0001"}

// pagesRun is one measurement at work.
type pagesRun struct {
	PagesOptions
	conn   *pgx.Conn
	client client
	who    []person
	busy   []sync.Mutex // by buyer: whose cart is being ordered
	items  []string

	mu       sync.Mutex
	took     map[string][]time.Duration
	errors   map[string]int
	checking sync.Mutex // the connection
	result   PagesResult
}

// Pages has buyers browse and order at a rate, whether the answers before have
// come or not.
func Pages(ctx context.Context, o PagesOptions) (PagesResult, error) {
	if o.Progress == nil {
		o.Progress = func(string, ...any) {}
	}
	o.URL = strings.TrimRight(o.URL, "/")
	if o.Buyers < 1 || o.Rate <= 0 || o.Duration <= 0 || len(o.Paths) == 0 {
		return PagesResult{}, errors.New("a buyer, a page, a rate and some time are needed")
	}
	conn, err := pgx.Connect(ctx, o.DatabaseURL)
	if err != nil {
		return PagesResult{}, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	r := &pagesRun{PagesOptions: o, conn: conn, client: newClient(o.URL, o.Buyers+1), took: map[string][]time.Duration{},
		errors: map[string]int{}}
	defer func() {
		if err := sweepBuyers(context.WithoutCancel(ctx), conn); err != nil {
			o.Progress("%v", err)
		}
	}()
	if err := r.prepare(ctx); err != nil {
		return r.result, err
	}
	o.Progress("%d buyers, %g pages/s and %g orders/s for %v, on %s", len(r.who), o.Rate, o.Orders,
		o.Duration, r.result.Size)
	var asking sync.WaitGroup
	asking.Go(func() {
		at(ctx, o.Rate, o.Warm, func(n int) { asking.Go(func() { r.page(ctx, n) }) })
	})
	asking.Wait()
	clear(r.took) // failures stay
	start := time.Now()
	asking.Go(func() {
		at(ctx, o.Rate, o.Duration, func(n int) { asking.Go(func() { r.page(ctx, n) }) })
	})
	if o.Orders > 0 {
		asking.Go(func() {
			at(ctx, o.Orders, o.Duration, func(n int) { asking.Go(func() { r.order(ctx, n) }) })
		})
	}
	asking.Wait()
	if err := ctx.Err(); err != nil {
		return r.result, err
	}
	rows := o.Paths
	if o.Orders > 0 {
		rows = append(slices.Clone(rows), stepAdd, stepCart, stepSubmit)
	}
	total := 0
	for _, page := range rows {
		if page == stepAdd {
			r.result.Rate = float64(total) / time.Since(start).Seconds()
		}
		l := latency(r.took[page])
		total += l.Count
		r.result.Pages = append(r.result.Pages, PageTime{page, l, r.errors[page]})
	}
	if r.result.Rate == 0 {
		r.result.Rate = float64(total) / time.Since(start).Seconds()
	}
	return r.result, nil
}

// at calls do at a rate for a while.
func at(ctx context.Context, rate float64, d time.Duration, do func(n int)) {
	start := time.Now()
	for n := 0; ; n++ {
		due := time.Duration(float64(n) / rate * float64(time.Second))
		if due >= d || sleep(ctx, time.Until(start.Add(due))) != nil {
			return
		}
		do(n)
	}
}

// prepare finds the buyers and what they can order.
func (r *pagesRun) prepare(ctx context.Context) (err error) {
	if err := sweepBuyers(ctx, r.conn); err != nil {
		return err
	}
	if r.As != "" {
		r.who, err = sessionsOf(ctx, r.conn, r.As, r.Buyers)
	} else if r.who, err = buyers(ctx, r.conn, r.Buyers); err == nil && len(r.who) < r.Buyers {
		r.Progress("there are not enough customers without a log-in: some without a history are made")
		r.who, err = people(ctx, r.conn, r.Buyers)
	}
	if err != nil {
		return err
	}
	r.busy = make([]sync.Mutex, len(r.who))
	r.result.Buyers = len(r.who)
	rows, _ := r.conn.Query(ctx, "select item_no from erp.item where active and not discontinued and price_a > 1 order "+
		"by item_id * 7919 % 104729 limit 5000")
	if r.items, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return err
	}
	if len(r.items) == 0 {
		return errors.New("there are no items; try portal bench fill")
	}
	return r.conn.QueryRow(ctx,
		`select format('%s customers, %s items, %s invoice lines', (select count(*) from erp.customer),
			(select count(*) from erp.item), (select count(*) from erp.invoice_line))`).Scan(&r.result.Size)
}

// buyers makes a log-in with a session for customers there are, spread over
// all, so that they have contracts and a history.
func buyers(ctx context.Context, conn *pgx.Conn, n int) ([]person, error) {
	rows, _ := conn.Query(ctx, `
		with pick as (
			select customer_id, customer_no from erp.customer c join erp.web_access w using (customer_id)
			where c.active and not c.credit_hold and c.credit_limit is null and w.enabled and w.can_order and not w.require_po
			and w.see_prices
				and c.customer_no not like '`+marker+
		`%' and not exists (select from portal.login l where l.customer_id = c.customer_id)
			order by customer_id * 7919 % 104729 limit $1
		)
		insert into portal.login (customer_id, email, password_hash)
		select customer_id, '`+marker+`' || lower(customer_no) || '@bench.example', '$2a$04$' || repeat('x', 53) from pick
		returning login_id, customer_id`, n)
	type row struct{ LoginID, CustomerID int64 }
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	if err != nil {
		return nil, fmt.Errorf("make log-ins: %w", err)
	}
	out, logins := make([]person, len(list)), make([]int64, len(list))
	for i, x := range list {
		out[i].customerID, logins[i] = x.CustomerID, x.LoginID
	}
	cookies, err := sessions(ctx, conn, logins)
	for i, c := range cookies {
		out[i].cookie = c
	}
	return out, err
}

// sweepBuyers takes away the log-ins of buyers, with what they ordered, and
// what sweepOrders does.
func sweepBuyers(ctx context.Context, conn *pgx.Conn) error {
	const theirs = `login_id in (select login_id from portal.login where email like '` + marker + `%@bench.example')`
	_, err := conn.Exec(ctx, `
		update erp.sales_order set status = 'CANCELLED', status_reason = 'bench' where status in ('SUBMITTED', 'ON_HOLD',
			'APPROVED', 'PICKING') and `+theirs+`;
		delete from erp.sales_order where `+theirs+`;
		delete from portal.login where email like '`+marker+`%@bench.example'`)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	return sweepOrders(ctx, conn)
}

// page asks for one page.
func (r *pagesRun) page(ctx context.Context, n int) {
	template, p := r.Paths[n%len(r.Paths)], r.who[n/len(r.Paths)%len(r.who)]
	word := words[rand.IntN(len(words))]
	path := strings.NewReplacer("{item}", url.PathEscape(r.items[rand.IntN(len(r.items))]), "{word}", word, "{prefix}",
		word[:min(len(word), 2+rand.IntN(4))]).Replace(template)
	start := time.Now()
	err := get(ctx, r.client.http, r.URL+path, p.cookie)
	r.note(template, time.Since(start), path, err)
	if err == nil && r.CheckEvery > 0 && p.customerID != 0 && n/len(r.Paths)%r.CheckEvery == 0 && hasPrices(path) {
		if err := r.check(ctx, p, path); err != nil && ctx.Err() == nil {
			r.note("", 0, path, fmt.Errorf("compare prices: %w", err))
		}
	}
}

// note keeps what one answer took, and the first failures in words.
func (r *pagesRun) note(page string, took time.Duration, path string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if page != "" {
		r.took[page] = append(r.took[page], took)
	}
	if err != nil {
		r.errors[page]++
		if len(r.result.Failures) < 5 {
			r.result.Failures = append(r.result.Failures, path+": "+err.Error())
		}
	}
}

// order has one buyer put a line into the cart, look at it and submit it.
func (r *pagesRun) order(ctx context.Context, n int) {
	i := -1
	for k := range r.who { // whose cart is not at work
		if j := (n + k) % len(r.who); r.busy[j].TryLock() {
			i = j
			break
		}
	}
	if i < 0 {
		r.note("", 0, stepSubmit, errors.New("all buyers are still ordering"))
		return
	}
	defer r.busy[i].Unlock()
	cookie := r.who[i].cookie
	timed := func(step string, f func() ([]byte, error)) []byte {
		start := time.Now()
		body, err := f()
		r.note(step, time.Since(start), step, err)
		if err != nil {
			return nil
		}
		return body
	}
	added := timed(stepAdd, func() ([]byte, error) {
		return r.client.send(ctx, cookie, "/cart/lines",
			url.Values{"item_no": {r.items[rand.IntN(len(r.items))]}, "qty": {"1"}})
	})
	if added == nil {
		return
	}
	body := timed(stepCart, func() ([]byte, error) { return r.client.ask(ctx, cookie, "GET", "/cart", "", nil) })
	var cart struct{ Key string }
	if body == nil || json.Unmarshal(body, &cart) != nil {
		return
	}
	if timed(stepSubmit, func() ([]byte, error) {
		return r.client.send(ctx, cookie, "/cart/submit", url.Values{"key": {cart.Key}})
	}) != nil {
		r.mu.Lock()
		r.result.Orders++
		r.mu.Unlock()
	}
}

func hasPrices(path string) bool {
	return strings.HasPrefix(path, "/catalog") || strings.HasPrefix(path, "/items/") || strings.HasPrefix(path, "/lookup")
}

// shown is a price as a page gives it as data.
type shown struct {
	ItemNo    string  `json:"item_no"`
	UOM       string  `json:"uom"`
	UnitPrice *string `json:"unit_price"`
}

// check compares the prices of a page with those of erp.price.
func (r *pagesRun) check(ctx context.Context, p person, path string) error {
	body, err := r.client.ask(ctx, p.cookie, "GET", path, "", nil)
	if err != nil {
		return err
	}
	var page struct {
		shown
		Items []shown
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return err
	}
	list := page.Items
	if page.ItemNo != "" {
		list = append(list, page.shown)
	}
	items, uoms, prices := make([]string, len(list)), make([]string, len(list)), make([]*string, len(list))
	for i, x := range list {
		items[i], uoms[i], prices[i] = x.ItemNo, x.UOM, x.UnitPrice
	}
	r.checking.Lock()
	defer r.checking.Unlock()
	var wrong []string
	err = r.conn.QueryRow(ctx, `
		select coalesce(array_agg(format('%s %s shows %s and is %s', s.item_no, s.uom, s.price, p.unit_price)), '{}')
		from erp.price($1, array(select i.item_id from unnest($2::text[]) with ordinality a(item_no, n)
		join erp.item i using (item_no) order by n), $3, array_fill(1::numeric, array[cardinality($2::text[])])) p
		join unnest($2::text[], $3::text[], $4::text[]) with ordinality s(item_no, uom, price, n) on s.n = p.ord
		where p.unit_price is distinct from s.price::numeric`, p.customerID, items, uoms, prices).Scan(&wrong)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.PricesChecked += len(list)
	r.result.PricesWrong += len(wrong)
	if len(wrong) > 0 && len(r.result.Failures) < 5 {
		r.result.Failures = append(r.result.Failures, path+": "+wrong[0])
	}
	return nil
}

func get(ctx context.Context, client *http.Client, url, cookie string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Cookie", "portal_session="+cookie+"; __Host-portal_session="+cookie)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}

// Report says it in a table and a plot.
func (r PagesResult) Report() Report {
	out := newReport(fmt.Sprintf("%d buyers on %s", r.Buyers, r.Size))
	out.Result = r
	t := Table{Title: fmt.Sprintf("ms at the client, at %.1f pages/s; %d orders meanwhile", r.Rate, r.Orders),
		Columns: []string{"page", "asked", "p50", "p95", "p99", "max", "errors"}}
	p := Plot{Title: "How quick the pages are", Unit: "ms", Bars: true}
	series := []Series{{Name: "p50"}, {Name: "p95"}, {Name: "p99"}}
	for _, x := range r.Pages {
		row := append([]string{x.Page, fmt.Sprint(x.Latency.Count)}, x.Latency.cells()...)
		t.Rows = append(t.Rows, append(row, fmt.Sprint(x.Errors)))
		p.Categories = append(p.Categories, short(x.Page))
		for i, d := range []time.Duration{x.Latency.P50, x.Latency.P95, x.Latency.P99} {
			series[i].Values = append(series[i].Values, millis(d))
		}
	}
	p.Series = series
	out.Tables, out.Plot = []Table{t}, p
	out.Notes = append(out.Notes, fmt.Sprintf("%d prices compared with erp.price, %d wrong.",
		r.PricesChecked, r.PricesWrong))
	out.Notes = append(out.Notes, r.Failures...)
	return out
}

// short is a page's name where there is little room.
func short(page string) string {
	page, _, _ = strings.Cut(page, ",")
	page = strings.TrimPrefix(strings.TrimPrefix(page, "GET "), "POST ")
	if len(page) > 16 {
		page = page[:15] + "…"
	}
	return page
}
