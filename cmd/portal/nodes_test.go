package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"portal.example/portal/internal/pgtest"
)

// twoNodes starts two portals on one database.
func twoNodes(t *testing.T, flags ...string) (db *pgtest.DB, nodes [2]*site, processes [2]*os.Process) {
	t.Helper()
	db = pgtest.New(t)
	loadFixtures(t, db)
	for i := range nodes {
		p, url := startProcess(t, db.URL, append([]string{"--node", fmt.Sprint("node-", i)}, flags...)...)
		nodes[i], processes[i] = &site{t: t, db: db, URL: url}, p
	}
	return db, nodes, processes
}

// at is the same browser, served by another node: cookies know no ports.
func (v *visitor) at(node *site) *visitor { return &visitor{node, v.client} }

// A visitor need not notice which node answers.
func TestNodesAreOnePortal(t *testing.T) {
	t.Parallel()
	db, nodes, _ := twoNodes(t)
	a := nodes[0].buyer("C1003")
	b := a.at(nodes[1])
	if got := b.post("/cart/lines", "item_no", "OIL5", "qty", "2"); got.status != http.StatusOK {
		t.Fatalf("the other node does not know the session: %d %s", got.status, got.body)
	}
	onA, onB := a.live(""), b.live("")
	cursor := onA.hello()
	onB.hello()
	if n := len(a.read("/cart").get("lines").([]any)); n != 1 {
		t.Errorf("%d lines in the cart", n)
	}
	a.post("/cart/lines", "item_no", "RICE25", "qty", "1")
	onB.until(func(kind, _, _ string) bool { return kind == "cart" })
	orderNo := b.submit().get("order_no").(string)
	eventually(t, "approved", func() bool { return a.read("/orders/"+orderNo).get("status") == "APPROVED" })
	for _, s := range []*socket{onA, onB} {
		s.until(func(_, ref, status string) bool { return ref == orderNo && status == "APPROVED" })
	}
	// a cursor is any node's
	late := b.live(cursor)
	late.hello()
	late.until(func(_, ref, status string) bool { return ref == orderNo && status == "APPROVED" })
	// sent again to the other node, it is the same order
	key := pgtest.Value[string](t, db, "select submit_key::text from erp.sales_order where order_no = '"+orderNo+"'")
	if again := a.post("/cart/submit", "key", key).get("order_no"); again != orderNo {
		t.Errorf("sent again, it is %v", again)
	}
	a.send("/logout")
	if code := onB.closing(); code != 4001 {
		t.Errorf("log-out on the other node: %d", code)
	}
	if got := b.read("/cart"); got.status != http.StatusUnauthorized {
		t.Errorf("after log-out: %d", got.status)
	}
}

// follower is a page that keeps a socket: it comes back with its cursor, to
// whichever node answers, and drops by id what it knows.
type follower struct {
	v        *visitor
	customer string
	nodes    [2]*site
	node     int

	cursor  string
	known   map[int64]bool
	refs    []string
	resyncs int
	dials   int
}

// follow hears of notices until one of them is last.
func (f *follower) follow(ctx context.Context, last string) error {
	for ctx.Err() == nil {
		conn, err := f.dial(ctx)
		if err != nil {
			f.node = 1 - f.node
			continue
		}
		done, err := f.hear(ctx, conn, last)
		conn.CloseNow()
		if done {
			return nil
		}
		if code := websocket.CloseStatus(err); code != -1 && code != websocket.StatusServiceRestart &&
			code != websocket.StatusTryAgainLater {
			return fmt.Errorf("closed with %d", code)
		}
		f.node = 1 - f.node
	}
	return fmt.Errorf("%s never heard %s; it has %d: %w", f.customer, last, len(f.refs), ctx.Err())
}

func (f *follower) dial(ctx context.Context) (*websocket.Conn, error) {
	s := f.nodes[f.node]
	u, err := url.Parse(s.URL)
	if err != nil {
		return nil, err
	}
	header := http.Header{"Origin": {s.URL}}
	for _, c := range f.v.client.Jar.Cookies(u) {
		header.Add("Cookie", c.Name+"="+c.Value)
	}
	f.dials++
	conn, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(s.URL, "http")+"/live?after="+url.QueryEscape(f.cursor),
		&websocket.DialOptions{HTTPHeader: header})
	return conn, err
}

func (f *follower) hear(ctx context.Context, conn *websocket.Conn, last string) (done bool, err error) {
	for {
		_, raw, err := conn.Read(ctx)
		if err != nil {
			return false, err
		}
		var got frame
		if err := json.Unmarshal(raw, &got); err != nil {
			return false, err
		}
		if got.Hello != nil {
			f.cursor = got.Hello.Cursor
		}
		if got.Resync {
			f.resyncs++
		}
		for _, e := range got.Events {
			if e.Kind != "notice" || f.known[e.ID] {
				continue
			}
			f.known[e.ID] = true
			f.refs = append(f.refs, e.Ref)
			done = done || e.Ref == last
		}
		if got.Cursor != "" {
			f.cursor = got.Cursor
		}
		if done {
			return true, nil
		}
	}
}

// A node is killed while events flow and orders come in: who was on it comes
// back to the other with a cursor and misses nothing, hears nothing twice,
// nothing of others, nothing out of order. Jobs go on, and so does what is
// periodic. Then the other is ended as an upgrade ends it.
func TestNodeKilledAndNodeDrained(t *testing.T) {
	t.Parallel()
	db, nodes, processes := twoNodes(t, "--drain", "5s")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	customers := []string{"C1001", "C1002", "C1003", "C1004", "C1005"}
	const each, events = 6, 120 // sockets of a customer, events for it

	visitors := map[string]*visitor{}
	var followers []*follower
	var hearing sync.WaitGroup
	for _, c := range customers {
		visitors[c] = nodes[0].buyer(c)
		for i := range each {
			s := visitors[c].at(nodes[i%2]).live("")
			f := &follower{v: visitors[c], customer: c, nodes: nodes, node: i % 2, cursor: s.hello(), known: map[int64]bool{}}
			s.conn.CloseNow()
			followers = append(followers, f)
			hearing.Go(func() {
				if err := f.follow(ctx, fmt.Sprintf("%s-%d", c, events)); err != nil {
					t.Error(err)
				}
			})
		}
	}
	var writing sync.WaitGroup
	half, killed := make(chan struct{}, len(customers)), make(chan struct{})
	for _, c := range customers {
		writing.Go(func() {
			for n := 1; n <= events; n++ {
				switch n {
				case events / 2:
					half <- struct{}{}
				case events * 3 / 4:
					<-killed // or all might be heard before
				}
				if _, err := db.Pool.Exec(ctx,
					"insert into portal.event (kind, customer_id, ref) select 'notice', customer_id, $1 from erp.customer where "+
						"customer_no = $2", fmt.Sprintf("%s-%d", c, n), c); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range customers {
		<-half
	}
	// it leads River, because it came first
	eventually(t, "a leader", func() bool { return leader(t, db) != "" })
	was := leader(t, db)
	err := processes[0].Kill()
	close(killed)
	if err != nil {
		t.Fatal(err)
	}
	writing.Wait()
	hearing.Wait()
	moved := 0
	for _, f := range followers {
		if f.dials > 1 {
			moved++
		}
		want := make([]string, events)
		for i := range want {
			want[i] = fmt.Sprintf("%s-%d", f.customer, i+1)
		}
		if got := strings.Join(f.refs, " "); got != strings.Join(want, " ") || f.resyncs > 0 {
			t.Errorf("%s: %d events of %d, %d resyncs: %s", f.customer, len(f.refs), events, f.resyncs, got)
		}
	}
	if moved < len(followers)/2 {
		t.Errorf("%d followers have moved: the test has shown nothing", moved)
	}

	b := visitors["C1003"].at(nodes[1])
	orderNo := b.order("OIL5", "1")
	eventually(t, "the job is worked by the node that is left",
		func() bool { return b.read("/orders/"+orderNo).get("status") == "APPROVED" })
	// A leader that died is followed when its term has run out; here it runs out now.
	pgtest.Exec(t, db, "update river.river_leader set expires_at = now() - interval '1 second' where leader_id = '"+was+
		"'")
	eventually(t, "the other leads what is periodic", func() bool { l := leader(t, db); return l != "" && l != was })

	// Something is under way everywhere: a page, a socket, a job.
	socket := b.live("")
	socket.hello()
	b.post("/cart/lines", "item_no", "SALT1", "qty", "1")
	hold, err := db.Pool.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Rollback(context.Background())
	if _, err := hold.Exec(ctx, "lock table erp.order_review in access exclusive mode"); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, db,
		`insert into erp.sales_order (order_id, customer_id, source, order_no) overriding system value select 4711,
			customer_id, 'PHONE', 'SO-4711' from erp.customer where customer_no = 'C1004';
		insert into erp.sales_order_line (order_id, line_no, item_id, qty) select 4711, 1, item_id, 2 from erp.item
			where item_no = 'OIL5';
		insert into river.river_job (kind, args, queue, max_attempts) values ('order_approval', '{"order_id": 4711}',
			'approval', 25)`)
	waits := func(n int) func() bool {
		return func() bool {
			return pgtest.Value[int](t, db,
				"select count(*)::int from pg_locks where not granted and relation = 'erp.order_review'::regclass and database "+
					"= (select oid from pg_database where datname = current_database())") == n
		}
	}
	eventually(t, "a job is at work", waits(1))
	page := make(chan answer, 1)
	go func() {
		a, err := b.try("GET", "/orders/"+orderNo) // shows why an order waits
		if err != nil {
			a.body = err.Error()
		}
		page <- a
	}()
	eventually(t, "a page is under way", waits(2))

	if err := processes[1].Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the load balancer is told", func() bool {
		a, err := b.try("GET", "/readyz")
		return err != nil && a.status == http.StatusServiceUnavailable
	})
	if a := b.read("/healthz"); a.status != http.StatusOK {
		t.Errorf("it is up still, and says %d", a.status)
	}
	if a := b.read("/catalog"); a.status != http.StatusOK {
		t.Errorf("a page while it drains: %d", a.status)
	}
	pgtest.Exec(t, db, "insert into portal.event (kind, customer_id, ref) select 'notice', customer_id, 'while it "+
		"drains' from erp.customer where customer_no = 'C1003'")
	socket.until(func(_, ref, _ string) bool { return ref == "while it drains" })
	if code := socket.closing(); code != websocket.StatusServiceRestart {
		t.Errorf("socket closed with %d", code)
	}
	if err := hold.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
	if a := <-page; a.status != http.StatusOK {
		t.Errorf("the page in hand: %d %s", a.status, a.body)
	}
	if state, err := processes[1].Wait(); err != nil || !state.Success() {
		t.Errorf("it ended with %v, %v", state, err)
	}
	if got := pgtest.Value[string](t, db,
		"select state || ' ' || attempt from river.river_job where args ->> 'order_id' = '4711'"); got != "completed 1" {
		t.Errorf("the job in hand is %s", got)
	}
	if l := leader(t, db); l != "" {
		t.Errorf("leader %s has not resigned", l)
	}
}

// leader is the River client that does what is periodic, "" if there is none.
func leader(t *testing.T, db *pgtest.DB) string {
	t.Helper()
	return pgtest.Value[string](t, db,
		"select coalesce(max(leader_id), '') from river.river_leader where expires_at > now()")
}
