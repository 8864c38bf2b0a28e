package main

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
	"golang.org/x/crypto/bcrypt"

	"portal.example/portal/internal/pgtest"
)

// asPortal makes this test binary be the portal: a process that can be killed.
const asPortal = "PORTAL_TEST_IS_PORTAL"

func TestAcceptance44ListenerKilled(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.buyer("C1003")
	orderNo := v.order("OIL5", "1")
	socket := v.live("")
	socket.hello()
	kill := func() int {
		return pgtest.Value[int](t, s.db, `select count(pg_terminate_backend(pid))::int from pg_stat_activity
			where datname = current_database() and application_name = 'portal listener'`)
	}
	if n := kill(); n != 1 {
		t.Fatalf("%d listeners found", n)
	}
	// one more while it is away, and one after
	pgtest.Exec(t, s.db, "insert into portal.event (kind, customer_id, ref) select 'notice', customer_id, 'while away' "+
		"from erp.customer where customer_no = 'C1003'")
	socket.until(func(_, ref, _ string) bool { return ref == "while away" })
	eventually(t, "a new listener", func() bool {
		return pgtest.Value[int](t, s.db,
			"select count(*)::int from pg_stat_activity where datname = current_database() and application_name = 'portal "+
				"listener'") == 1
	})
	eventually(t, "approved", func() bool { return v.read("/orders/"+orderNo).get("status") == "APPROVED" })
	pgtest.Exec(t, s.db, "update erp.sales_order set status = 'PICKING' where order_no = '"+orderNo+"'")
	socket.until(func(_, ref, status string) bool { return ref == orderNo && status == "PICKING" })
}

func TestAcceptance44DatabaseRestarted(t *testing.T) {
	t.Parallel()
	db := pgtest.Private(t)
	s := startSite(t, db, "127.0.0.1:0", fixtures)
	v := s.buyer("C1003")
	first := v.order("OIL5", "1")
	socket := v.live("")
	cursor := socket.hello()
	eventually(t, "approved", func() bool { return v.read("/orders/"+first).get("status") == "APPROVED" })
	for range 2 {
		db.Server().Restart(t)
		eventually(t, "pages again", func() bool { return v.read("/orders/"+first).status == http.StatusOK })
	}
	db.Pool.Reset() // its connections went with the server
	pgtest.Exec(t, db, "update erp.sales_order set status = 'PICKING' where order_no = '"+first+"'")
	for heard, back := false, false; !heard; {
		f, err := socket.next()
		if websocket.CloseStatus(err) == websocket.StatusTryAgainLater {
			// whose session could not be looked up just then is told to return
			socket, back = v.live(cursor), true
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if f.Cursor != "" {
			cursor = f.Cursor
		}
		heard = back && f.Resync && v.read("/orders/"+first).get("status") == "PICKING"
		for _, e := range f.Events {
			heard = heard || e.Ref == first && e.Status == "PICKING"
		}
	}
	second := v.order("OIL5", "1")
	eventually(t, "the job works again", func() bool { return v.read("/orders/"+second).get("status") == "APPROVED" })
}

// The portal is killed while carts are being submitted: each order is whole or
// absent, an answer that was given holds, and sending again finds it.
func TestAcceptance44KilledDuringSubmit(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	hash, err := bcrypt.GenerateFromPassword([]byte(demoPassword), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, db, strings.ReplaceAll(fixtures, "$hash", string(hash)))
	pgtest.Exec(t, db, "update erp.stock set on_hand = 1000000")

	type sent struct {
		customer, key string
		orderNo       any
	}
	var mu sync.Mutex
	var all []sent
	customers := []string{"C1001", "C1002", "C1003", "C1004", "C1005"}
	for round := range 3 {
		process, url := startProcess(t, db.URL)
		s := &site{t: t, db: db, URL: url}
		var wg sync.WaitGroup
		submits := make(chan struct{}, 1000)
		for _, c := range customers {
			v := s.buyer(c)
			wg.Go(func() {
				for {
					if _, err := v.try("POST", "/cart/lines", "item_no", "OIL5", "qty", "1"); err != nil {
						return
					}
					if _, err := v.try("POST", "/cart/lines", "item_no", "RICE25", "qty", "2"); err != nil {
						return
					}
					cart, err := v.try("GET", "/cart")
					if err != nil {
						return
					}
					key, _ := cart.get("key").(string)
					submits <- struct{}{}
					a, err := v.try("POST", "/cart/submit", "key", key)
					mu.Lock()
					all = append(all, sent{c, key, a.get("order_no")})
					mu.Unlock()
					if err != nil {
						return
					}
				}
			})
		}
		for range 20 + 7*round {
			<-submits
		}
		if err := process.Kill(); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
	}

	if n := pgtest.Value[int](t, db, `select count(*)::int from erp.sales_order o
		where (select count(*) from erp.sales_order_line l where l.order_id = o.order_id) <> 2 or total = 0`); n != 0 {
		t.Errorf("%d half orders", n)
	}
	s := startSite(t, db, "127.0.0.1:0", "")
	visitors := map[string]*visitor{}
	for _, c := range customers {
		visitors[c] = s.buyer(c)
	}
	unanswered := 0
	for _, x := range all {
		stored := pgtest.Value[string](t, db,
			"select coalesce(max(order_no), '') from erp.sales_order where submit_key = '"+x.key+"'")
		switch {
		case x.orderNo != nil && stored != x.orderNo:
			t.Errorf("order %v was confirmed, stored is %q", x.orderNo, stored)
		case x.orderNo == nil:
			unanswered++
			again := visitors[x.customer].post("/cart/submit", "key", x.key).get("order_no")
			if again == nil || stored != "" && again != stored {
				t.Errorf("sent again: %v, stored was %q", again, stored)
			}
		}
	}
	if unanswered == 0 {
		t.Error("no submit was cut off: the test has shown nothing")
	}
	// a job that died with its worker is taken up again by River's rescuer, in a
	// minute and a half; until then it must stand there
	eventually(t, "every order is decided, or its job is still to run", func() bool {
		return pgtest.Value[int](t, db,
			`select count(*)::int from erp.sales_order o where o.status = 'SUBMITTED' and o.reviewed_at is null
			and not exists (select from river.river_job j where j.kind = 'order_approval'
			and (j.args ->> 'order_id')::bigint = o.order_id
				and j.state = 'running')`) == 0
	})
}

// startProcess starts the portal as a process of its own and waits until it
// serves. flags are more of serve's.
func startProcess(t *testing.T, databaseURL string, flags ...string) (*os.Process, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0],
		append([]string{"serve", "--addr", "127.0.0.1:0", "--plain-http", "--database-url", databaseURL, "--log", "error"},
			flags...)...)
	cmd.Env = append(os.Environ(), asPortal+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	served := regexp.MustCompile(`http://[0-9.:]+`)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if url := served.FindString(lines.Text()); url != "" {
			return cmd.Process, url
		}
	}
	t.Fatal("the portal did not start")
	return nil, ""
}

// try is post or get where the other side may be gone.
func (v *visitor) try(method, path string, pairs ...string) (answer, error) {
	req, err := http.NewRequest(method, v.s.URL+path, strings.NewReader(form(pairs)))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Accept", "application/json")
	if method == "POST" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := v.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	a, err := readAnswer(resp)
	if err == nil && a.status >= 500 {
		err = fmt.Errorf("status %d", a.status)
	}
	return a, err
}
