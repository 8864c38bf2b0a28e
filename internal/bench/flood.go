package bench

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// FloodOptions say who orders and what is thrown at the portal meanwhile. All are
// required but for those said to be optional.
type FloodOptions struct {
	URL         string
	DatabaseURL string
	Buyers      int     // who order and look at pages, each with a session
	Orders      float64 // orders a second, over all
	Pages       float64 // pages a second, over all
	Clients     int     // slow clients, at a time
	// Addresses of this machine that they come from (127.0.1.1 and on); 0: its own
	Sources  int
	Duration time.Duration                    // of each half of a round
	Rounds   int                              // peace and flood in turn, so that what else the machine does falls on both
	Progress func(format string, args ...any) // optional
}

// FloodResult is how quick the buyers were before the flood and in it.
type FloodResult struct {
	Buyers   int       `json:"buyers"`
	Clients  int       `json:"clients"`
	Calm     Latency   `json:"calm"`
	Flooded  Latency   `json:"flooded"`
	Ratio    float64   `json:"p95_ratio"`
	Orders   int       `json:"orders"` // in the flood
	Kinds    []Flooder `json:"kinds"`
	Failures []string  `json:"failures,omitempty"` // of buyers, the first few
	Size     string    `json:"size"`
}

// Flooder is what became of one kind of slow clients.
type Flooder struct {
	Kind    string  `json:"kind"`
	Open    int64   `json:"open"`    // connections at the end of the flood
	Cut     int64   `json:"cut"`     // times the portal cut one
	Refused int64   `json:"refused"` // times it was not let in
	HeldFor Latency `json:"held"`    // how long a connection that was cut had been held
}

// Err tells of failures, and of buyers that became slower than may be.
func (r FloodResult) Err() error {
	switch {
	case len(r.Failures) > 0:
		return fmt.Errorf("buyers failed: %s", strings.Join(r.Failures, "; "))
	case r.Ratio > 2:
		return fmt.Errorf("the buyers' p95 is %.1f times that of before", r.Ratio)
	}
	return nil
}

// floodPaths are what buyers look at beside ordering.
var floodPaths = []string{"/", "/catalog", "/catalog?q={word}", "/items/{item}", "/cart", "/orders"}

// slow is a kind of client that takes as long as it is let: what it sends at
// first, and whether it goes on with a byte a second.
type slow struct {
	kind, begin string
	dribbles    bool

	open, cut, refused atomic.Int64
	held               int64 // open when the last flood ended

	mu   sync.Mutex
	took []time.Duration // until they were cut
}

// slowKinds are the kinds; file is one of the portal's own that is large.
func slowKinds(host, file string) []*slow {
	return []*slow{
		{kind: "headers, a byte a second", begin: "GET /login HTTP/1.1\r\nHost: " + host + "\r\nX-Slow: ", dribbles: true},
		{kind: "a form, a byte a second", dribbles: true,
			begin: "POST /login HTTP/1.1\r\nHost: " + host +
				"\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 60000\r\n\r\nemail="},
		{kind: "reads no answer", begin: strings.Repeat("GET "+file+" HTTP/1.1\r\nHost: "+host+"\r\n\r\n", 20)},
	}
}

// Flood has buyers order, first in peace and then among slow clients.
func Flood(ctx context.Context, o FloodOptions) (FloodResult, error) {
	if o.Progress == nil {
		o.Progress = func(string, ...any) {}
	}
	o.URL = strings.TrimRight(o.URL, "/")
	at, err := url.Parse(o.URL)
	if err != nil || o.Buyers < 1 || o.Clients < 1 || o.Duration <= 0 {
		return FloodResult{}, errors.New("a portal, buyers, clients and some time are needed")
	}
	if err := mayOpen(o.Clients + o.Buyers + 100); err != nil {
		return FloodResult{}, err
	}
	conn, err := pgx.Connect(ctx, o.DatabaseURL)
	if err != nil {
		return FloodResult{}, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	r := &pagesRun{PagesOptions: PagesOptions{URL: o.URL, Paths: floodPaths, Buyers: o.Buyers, Progress: o.Progress},
		conn: conn, client: newClient(o.URL, o.Buyers+1), took: map[string][]time.Duration{}, errors: map[string]int{}}
	defer func() {
		if err := sweepBuyers(context.WithoutCancel(ctx), conn); err != nil {
			o.Progress("%v", err)
		}
	}()
	if err := r.prepare(ctx); err != nil {
		return FloodResult{}, err
	}
	out := FloodResult{Buyers: o.Buyers, Clients: o.Clients, Size: r.result.Size}
	o.Progress("warming up")
	o.buy(ctx, r, o.Duration/4)
	file, err := largestFile(ctx, r.client)
	if err != nil {
		return out, err
	}
	kinds := slowKinds(at.Host, file)
	var calm, flooded []time.Duration
	for range max(1, o.Rounds) {
		o.Progress("%d buyers in peace for %v", o.Buyers, o.Duration)
		calm = append(calm, o.buy(ctx, r, o.Duration)...)
		took, orders, err := o.among(ctx, r, kinds, at)
		if err != nil {
			return out, err
		}
		flooded, out.Orders = append(flooded, took...), out.Orders+orders
	}
	out.Calm, out.Flooded = latency(calm), latency(flooded)
	for _, k := range kinds {
		out.Kinds = append(out.Kinds, Flooder{k.kind, k.held, k.cut.Load(), k.refused.Load(), latency(k.took)})
	}
	out.Failures = r.result.Failures
	if out.Calm.P95 > 0 {
		out.Ratio = float64(out.Flooded.P95) / float64(out.Calm.P95)
	}
	return out, ctx.Err()
}

// among has buyers buy among slow clients, who have come when it begins.
func (o FloodOptions) among(ctx context.Context, r *pagesRun, kinds []*slow,
	to *url.URL) (took []time.Duration, orders int, err error) {
	flooding, end := context.WithCancel(ctx)
	var flooders sync.WaitGroup
	defer flooders.Wait()
	defer end()
	for i := range o.Clients {
		flooders.Go(func() { kinds[i%len(kinds)].run(flooding, to, o.source(i), o.Duration/4) })
	}
	o.Progress("%d slow clients come", o.Clients)
	if err := sleep(ctx, o.Duration/4); err != nil {
		return nil, 0, err
	}
	o.Progress("%d buyers among %d slow clients for %v", o.Buyers, o.Clients, o.Duration)
	before := r.result.Orders
	took = o.buy(ctx, r, o.Duration)
	for _, k := range kinds {
		k.held = k.open.Load()
	}
	return took, r.result.Orders - before, ctx.Err()
}

// largestFile is the longest style sheet or script that the log-in page loads.
func largestFile(ctx context.Context, c client) (string, error) {
	page, err := c.fetch(ctx, "/login")
	if err != nil {
		return "", err
	}
	file, size := "", 0
	for _, address := range regexp.MustCompile(`/assets/[a-z0-9.-]+\.(?:css|js)`).FindAllString(string(page), -1) {
		body, err := c.fetch(ctx, address)
		if err != nil {
			return "", err
		}
		if len(body) > size {
			file, size = address, len(body)
		}
	}
	if file == "" {
		return "", errors.New("the log-in page loads no files: is that the portal?")
	}
	return file, nil
}

// source is where a client comes from; nil: wherever the machine likes.
func (o FloodOptions) source(i int) net.Addr {
	if o.Sources == 0 {
		return nil
	}
	n := i % o.Sources
	return &net.TCPAddr{IP: net.IPv4(127, 0, byte(1+n/250), byte(1+n%250))}
}

// buy has buyers order and look at pages for a while, and says how long each of
// their requests took.
func (o FloodOptions) buy(ctx context.Context, r *pagesRun, d time.Duration) (all []time.Duration) {
	clear(r.took)
	var asking sync.WaitGroup
	asking.Go(func() { at(ctx, o.Pages, d, func(n int) { asking.Go(func() { r.page(ctx, n) }) }) })
	asking.Go(func() { at(ctx, o.Orders, d, func(n int) { asking.Go(func() { r.order(ctx, n) }) }) })
	asking.Wait()
	for _, took := range r.took {
		all = append(all, took...)
	}
	return all
}

// run is one client: it comes back a second after it was cut, until ctx ends.
func (s *slow) run(ctx context.Context, to *url.URL, from net.Addr, spread time.Duration) {
	for sleep(ctx, rand.N(spread)) == nil {
		spread = 2 * time.Second
		conn, err := dialSlowly(ctx, to, from)
		if err != nil {
			s.refused.Add(1)
			continue
		}
		start := time.Now()
		s.open.Add(1)
		s.hold(ctx, conn)
		s.open.Add(-1)
		if ctx.Err() == nil {
			s.cut.Add(1)
			s.mu.Lock()
			s.took = append(s.took, time.Since(start))
			s.mu.Unlock()
		}
	}
}

func dialSlowly(ctx context.Context, to *url.URL, from net.Addr) (net.Conn, error) {
	dialer := &net.Dialer{LocalAddr: from, Timeout: 10 * time.Second}
	if to.Scheme == "https" {
		return (&tls.Dialer{NetDialer: dialer, Config: &tls.Config{NextProtos: []string{"http/1.1"}}}).DialContext(ctx,
			"tcp", to.Host)
	}
	conn, err := dialer.DialContext(ctx, "tcp", to.Host)
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(4096) // what nobody reads is soon the portal's to keep
	}
	return conn, err
}

// hold keeps a connection for as long as the portal lets it.
func (s *slow) hold(ctx context.Context, conn net.Conn) {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	defer conn.Close()
	if _, err := io.WriteString(conn, s.begin); err != nil {
		return
	}
	cut := make(chan struct{})
	if s.dribbles {
		go func() {
			_, _ = io.Copy(io.Discard, conn)
			close(cut)
		}()
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-cut:
			return
		case <-tick.C:
			// A byte more; where nothing is read, it finds out that the portal has left.
			if _, err := conn.Write([]byte{'x'}); err != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// Report says it in tables and a plot.
func (r FloodResult) Report() Report {
	out := newReport(fmt.Sprintf("%d buyers on %s, among %d slow clients", r.Buyers, r.Size, r.Clients))
	out.Result = r
	buyers := Table{Title: fmt.Sprintf("Buyers' requests, ms at the client; %d orders in the flood", r.Orders),
		Columns: []string{"", "asked", "p50", "p95", "p99", "max"}}
	plot := Plot{Title: "Buyers in peace, and among slow clients", Unit: "ms", Bars: true,
		Categories: []string{"p50", "p95", "p99"}}
	for _, x := range []struct {
		name string
		took Latency
	}{{"in peace", r.Calm}, {"flooded", r.Flooded}} {
		buyers.Rows = append(buyers.Rows, append([]string{x.name, fmt.Sprint(x.took.Count)}, x.took.cells()...))
		plot.Series = append(plot.Series,
			Series{Name: x.name, Values: []float64{millis(x.took.P50), millis(x.took.P95), millis(x.took.P99)}})
	}
	slow := Table{Title: "Slow clients; ms until the portal cut them",
		Columns: []string{"", "open at the end", "cut", "not let in", "p50", "p95", "p99", "max"}}
	for _, k := range r.Kinds {
		slow.Rows = append(slow.Rows,
			append([]string{k.Kind, fmt.Sprint(k.Open), fmt.Sprint(k.Cut), fmt.Sprint(k.Refused)}, k.HeldFor.cells()...))
	}
	out.Tables, out.Plot = []Table{buyers, slow}, plot
	out.Notes = append(out.Notes, fmt.Sprintf("The buyers' p95 is %.2f times that of before.", r.Ratio))
	out.Notes = append(out.Notes, r.Failures...)
	return out
}
