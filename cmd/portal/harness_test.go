package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/crypto/bcrypt"

	"portal.example/portal/internal/pgtest"
)

func TestMain(m *testing.M) {
	if os.Getenv(asPortal) != "" {
		main()
	}
	pgtest.Main(m, closeBrowser)
}

// site is a running portal on a database of its own with the fixtures of the
// acceptance scenarios.
type site struct {
	t    testing.TB
	db   *pgtest.DB
	URL  string        // http://127.0.0.1:port
	log  *lockedBuffer // everything, at debug level
	stop func()        // ends the portal as SIGTERM would; repeated calls do nothing
}

// newSite starts a portal on a fresh database.
func newSite(t testing.TB) *site {
	t.Helper()
	db := pgtest.New(t)
	return startSite(t, db, "127.0.0.1:0", fixtures)
}

// startSite starts a portal on db after running the statements of setup. Each of
// more changes its settings.
func startSite(t testing.TB, db *pgtest.DB, addr, setup string, more ...func(*settings)) *site {
	t.Helper()
	if setup != "" {
		hash, err := bcrypt.GenerateFromPassword([]byte(demoPassword), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		pgtest.Exec(t, db, strings.ReplaceAll(setup, "$hash", string(hash)))
	}
	ctx, cancel := context.WithCancel(context.Background())
	log := &lockedBuffer{}
	set := settings{Addr: addr, PlainHTTP: true, Poll: 250 * time.Millisecond, WebConns: 8, bcryptCost: bcrypt.MinCost,
		wallChecked: true, MetricsToken: metricsToken, slowLogIns: time.Millisecond}
	for _, f := range more {
		f(&set)
	}
	a, err := newApp(ctx, db.URL, db.URL, set,
		slog.New(slog.NewMultiHandler(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelError}),
			slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	address := make(chan string, 1)
	ended := make(chan error, 1)
	go func() { ended <- a.run(ctx, func(s string) { address <- s }) }()
	s := &site{t: t, db: db, log: log}
	select {
	case at := <-address:
		s.URL = "http://" + at
	case err := <-ended:
		cancel()
		t.Fatalf("portal did not start: %v", err)
	}
	done := false
	s.stop = func() {
		if !done {
			done = true
			cancel()
			<-ended
		}
	}
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Logf("the end of the portal's log:\n%s", lastLines(log.String(), 40))
		}
	})
	return s
}

// lastLines is the end of a log, so that what a test says is not lost among
// hundreds of its lines.
func lastLines(log string, n int) string {
	lines := slices.DeleteFunc(strings.SplitAfter(log, "\n"),
		func(line string) bool { return strings.Contains(line, "level=DEBUG") })
	return strings.Join(lines[max(0, len(lines)-n):], "")
}

// lockedBuffer keeps what many goroutines write.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// testWriter sends the log to the test's own output.
type testWriter struct{ t testing.TB }

func (w testWriter) Write(b []byte) (int, error) {
	defer func() { _ = recover() }() // a line after the test's end has nowhere to go
	w.t.Log(strings.TrimRight(string(b), "\n"))
	return len(b), nil
}

// fixtures are those of the acceptance scenarios, as plain SQL would load them.
const fixtures = `
-- tests move the clock, and are no less logged in for it
update erp.company set session_idle = '20 years', session_max = '20 years',
  staff_session_idle = '20 years', staff_session_max = '20 years', confirm_within = '20 years';
insert into erp.category (category_id, name) overriding system value
  values (1, 'Oils'), (2, 'Dry goods'), (3, 'Gloves');
insert into erp.item (item_no, description, category_id, base_uom, price_a, price_b, price_c, price_d, price_e) values
  ('OIL5', 'Olive oil 5 L', 1, 'EA', 30, 28.5, 27, 25.5, 24),
  ('RICE25', 'Rice long grain 25 lb', 2, 'EA', 22.10, null, 20, null, 18.35),
  ('SALT1', 'Salt fine 1 lb', 2, 'EA', 0.4, 0.36, 0.335, 0.33, 0.32);
insert into erp.item (item_no, description, category_id, price_a, discontinued)
  values ('GLOV9', 'Gloves large', 3, 9, true);
insert into erp.item (item_no, description, category_id, price_a, allow_backorder)
  values ('LAST1', 'Last of its kind', 2, 5, false);
insert into erp.item_uom (item_id, uom, factor, barcode) select item_id, 'CS', 4, '4006381333931' from erp.item
  where item_no = 'OIL5';
insert into erp.stock (item_id, on_hand)
  select item_id, case item_no when 'OIL5' then 100 when 'LAST1' then 5 else 1000 end from erp.item;
insert into erp.customer (customer_no, name, price_level) values
  ('C1001', 'Alder Cafe', 'A'), ('C1002', 'Birch Bistro', 'B'), ('C1003', 'Cedar Diner', 'C'),
  ('C1004', 'Dogwood Deli', 'D'), ('C1005', 'Elm Eatery', 'E');
insert into erp.ship_to (customer_id, code, name, city)
  select customer_id, code, name || ' ' || code, 'Portland' from erp.customer
  cross join (values ('1'), ('2'), ('3')) as c(code);
insert into portal.login (customer_id, email, password_hash, name)
  select customer_id, 'buyer@' || lower(customer_no) || '.example', '$hash', 'Buyer' from erp.customer;
insert into portal.login (staff_role, email, password_hash, name) values
  ('desk', 'desk@demo.example', '$hash', 'Dana'), ('ops', 'ops@demo.example', '$hash', 'Omar');
`

const metricsToken = "for the tests"

// metrics is what the portal tells who knows the token.
func (s *site) metrics() answer {
	s.t.Helper()
	req, err := http.NewRequest("GET", s.URL+"/metrics", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+metricsToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	a, err := readAnswer(resp)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// visitor is a browser without a screen: a cookie jar, and JSON for pages.
type visitor struct {
	s      *site
	client *http.Client
}

// visit is somebody who is not logged in.
func (s *site) visit() *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &visitor{s, &http.Client{Jar: jar, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// logIn is somebody of the fixtures logged in.
func (s *site) logIn(email string) *visitor {
	s.t.Helper()
	return s.logInWith(email, demoPassword)
}

// setPassword is one that the portal takes: that of the demo is too short to be
// chosen.
const setPassword = "plain words in a row"

// logInWith is somebody logged in who has another password.
func (s *site) logInWith(email, password string) *visitor {
	s.t.Helper()
	v := s.visit()
	if a := v.post("/login", "email", email, "password", password); a.status != http.StatusOK {
		s.t.Fatalf("log in %s: %d %s", email, a.status, a.body)
	}
	return v
}

// buyer is the log-in of a customer.
func (s *site) buyer(customerNo string) *visitor {
	s.t.Helper()
	return s.logIn("buyer@" + strings.ToLower(customerNo) + ".example")
}

// answer is what the portal said, with the JSON decoded if it is any.
type answer struct {
	status int
	body   string
	json   map[string]any
	header http.Header
}

// get walks into the JSON: "orders.0.status". Missing parts are nil.
func (a answer) get(path string) any {
	var at any = a.json
	for _, key := range strings.Split(path, ".") {
		switch x := at.(type) {
		case map[string]any:
			at = x[key]
		case []any:
			var i int
			if _, err := fmt.Sscan(key, &i); err != nil || i >= len(x) {
				return nil
			}
			at = x[i]
		default:
			return nil
		}
	}
	return at
}

func (v *visitor) do(method, path, accept string, body io.Reader) answer {
	v.s.t.Helper()
	req, err := http.NewRequest(method, v.s.URL+path, body)
	if err != nil {
		v.s.t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := v.client.Do(req)
	if err != nil {
		v.s.t.Fatal(err)
	}
	a, err := readAnswer(resp)
	if err != nil {
		v.s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

func readAnswer(resp *http.Response) (answer, error) {
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: resp.StatusCode, body: string(raw), header: resp.Header}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(raw, &a.json); err != nil {
			return a, fmt.Errorf("%w in %s", err, raw)
		}
	}
	return a, nil
}

// read gets a page's data.
func (v *visitor) read(path string) answer {
	v.s.t.Helper()
	return v.do("GET", path, "application/json", nil)
}

// page gets a page as a browser does.
func (v *visitor) page(path string) answer {
	v.s.t.Helper()
	return v.do("GET", path, "text/html", nil)
}

// post sends a form, name and value in turn, and asks for JSON.
func (v *visitor) post(path string, pairs ...string) answer {
	v.s.t.Helper()
	return v.do("POST", path, "application/json", strings.NewReader(form(pairs)))
}

// send sends a form as a browser does.
func (v *visitor) send(path string, pairs ...string) answer {
	v.s.t.Helper()
	return v.do("POST", path, "text/html", strings.NewReader(form(pairs)))
}

func form(pairs []string) string {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return values.Encode()
}

// order puts one line into the cart and submits it, and returns the number.
func (v *visitor) order(itemNo, qty string, head ...string) string {
	v.s.t.Helper()
	if a := v.post("/cart/lines", "item_no", itemNo, "qty", qty); a.status != http.StatusOK {
		v.s.t.Fatalf("add %s %s: %d %s", qty, itemNo, a.status, a.body)
	}
	a := v.submit(head...)
	if a.status != http.StatusOK {
		v.s.t.Fatalf("submit: %d %s", a.status, a.body)
	}
	return a.get("order_no").(string)
}

// submit sends the cart as it is.
func (v *visitor) submit(head ...string) answer {
	v.s.t.Helper()
	key, _ := v.read("/cart").get("key").(string)
	return v.post("/cart/submit", append([]string{"key", key}, head...)...)
}

// text is get of a text; "" where there is none.
func (a answer) text(path string) string {
	text, _ := a.get(path).(string)
	return text
}

// confirm sends the cart as the page shows it now, prices included.
func (v *visitor) confirm(head ...string) answer {
	v.s.t.Helper()
	cart := v.read("/cart")
	return v.post("/cart/submit", append([]string{"key", cart.text("key"), "shown", cart.text("shown"),
		"confirm_prices", cart.text("shown_digest")}, head...)...)
}

// frame is one message on a socket.
type frame struct {
	Hello  *struct{ Cursor string }
	Cursor string
	Resync bool
	Events []struct {
		ID                int64
		Kind, Ref, Status string
		At                time.Time
	}
}

// socket is an open /live.
type socket struct {
	t    testing.TB
	conn *websocket.Conn
	raw  strings.Builder // every frame read
}

// live opens /live, after a cursor if one is given.
func (v *visitor) live(after string) *socket {
	v.s.t.Helper()
	if after == "" {
		return v.liveAt("/live")
	}
	return v.liveAt("/live?after=" + url.QueryEscape(after))
}

// liveAt opens the socket that a page names.
func (v *visitor) liveAt(path string) *socket {
	v.s.t.Helper()
	u, err := url.Parse(v.s.URL)
	if err != nil {
		v.s.t.Fatal(err)
	}
	header := http.Header{"Origin": {v.s.URL}}
	for _, c := range v.client.Jar.Cookies(u) {
		header.Add("Cookie", c.Name+"="+c.Value)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	address := "ws" + strings.TrimPrefix(v.s.URL, "http") + path
	conn, _, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		v.s.t.Fatal(err)
	}
	v.s.t.Cleanup(func() { _ = conn.CloseNow() })
	return &socket{t: v.s.t, conn: conn}
}

// next waits for one frame.
func (s *socket) next() (frame, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_, raw, err := s.conn.Read(ctx)
	if err != nil {
		return frame{}, err
	}
	s.raw.Write(raw)
	var f frame
	return f, json.Unmarshal(raw, &f)
}

// hello reads the first frame and returns its cursor.
func (s *socket) hello() string {
	s.t.Helper()
	f, err := s.next()
	if err != nil || f.Hello == nil {
		s.t.Fatalf("first frame %+v: %v", f, err)
	}
	return f.Hello.Cursor
}

// watch asks for the events of items.
func (s *socket) watch(itemNos ...string) {
	s.t.Helper()
	topics := make([]string, len(itemNos))
	for i, n := range itemNos {
		topics[i] = "item:" + n
	}
	raw, err := json.Marshal(map[string]any{"watch": topics})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.conn.Write(context.Background(), websocket.MessageText, raw); err != nil {
		s.t.Fatal(err)
	}
}

// until reads frames until one event satisfies want, and returns all events
// read on the way, each once.
func (s *socket) until(want func(kind, ref, status string) bool) (seen []string, cursor string) {
	s.t.Helper()
	ids := map[int64]bool{}
	for {
		f, err := s.next()
		if err != nil {
			s.t.Fatalf("socket ended after %v: %v", seen, err)
		}
		found := false
		for _, e := range f.Events {
			if ids[e.ID] {
				continue
			}
			ids[e.ID] = true
			seen = append(seen, strings.TrimRight(e.Kind+" "+e.Ref+" "+e.Status, " "))
			found = found || want(e.Kind, e.Ref, e.Status)
		}
		if f.Cursor != "" {
			cursor = f.Cursor
		}
		if found {
			return seen, cursor
		}
	}
}

// closing waits for the server to close the socket and returns its code.
func (s *socket) closing() websocket.StatusCode {
	s.t.Helper()
	for {
		if _, err := s.next(); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

// sameInstant compares a time of JSON with one written otherwise.
func sameInstant(t testing.TB, got any, want string) bool {
	t.Helper()
	text, _ := got.(string)
	at, err := time.Parse(time.RFC3339, text)
	wanted, err2 := time.Parse(time.RFC3339, want)
	return err == nil && err2 == nil && at.Equal(wanted)
}

// eventually reads a value until it is right, for things that a job or another
// node brings about; it gives up after ten seconds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second) // never waited for where all is well
	// Each look costs as much as what is waited for, on the same cores: it gives
	// way, longer each time.
	for pause := 10 * time.Millisecond; !ok(); pause = min(2*pause, 100*time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never came true: %s", what)
		}
		<-time.After(pause)
	}
}
