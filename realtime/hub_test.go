package realtime_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"portal.example/portal"
	"portal.example/portal/realtime"
)

// The frames, byte for byte, as programs rely on them.
func TestProtocol(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	buyer := s.dial(alder, "")
	buyer.want(`{"hello":{"cursor":"0"}}`)
	desk := s.dial(dana, "")
	desk.want(`{"hello":{"cursor":"0"}}`)

	s.happen(portal.Event{ID: 4711, Kind: portal.EventOrder, CustomerID: 1, Ref: "SO-100023",
		At:   time.Date(2026, 11, 23, 9, 3, 7, 250e6, time.FixedZone("", -5*3600)),
		Data: json.RawMessage(`{"status": "SHIPPED", "customer_id": 1, "id": 5, "kind": "x", "ref": "y", "at": "z"}`)})
	const order = `{"cursor":"1","events":[{"id":4711,"kind":"order","ref":"SO-100023","at":"2026-11-23T14:03:07.250Z","status":"SHIPPED"}]}`
	buyer.want(order)
	desk.want(order)

	s.happen(portal.Event{Kind: portal.EventCatalog, Data: json.RawMessage(`null`)},
		portal.Event{Kind: portal.EventCredit, CustomerID: 1, Ref: "\"<\u00e9", Data: json.RawMessage(`[1]`)})
	buyer.want(`{"cursor":"3","events":[{"id":2,"kind":"catalog","ref":"","at":"2026-11-23T14:03:07.000Z"},` +
		`{"id":3,"kind":"credit","ref":"\"\u003cé","at":"2026-11-23T14:03:07.000Z"}]}`)

	// back with a cursor
	back := s.dial(alder, "1")
	back.want(`{"hello":{"cursor":"1"}}`)
	if f := back.frame(); f.Cursor != "3" || len(f.Events) != 2 {
		t.Errorf("replay %+v", f)
	}
	nothing := s.dial(alder, "3")
	nothing.want(`{"hello":{"cursor":"3"}}`, `{"cursor":"3","events":[]}`)

	s.log.set(func(l *log) { l.pruned = 2 })
	old := s.dial(alder, "1")
	old.want(`{"hello":{"cursor":"1"}}`, `{"resync":true,"cursor":"3"}`)
	garbage := s.dial(alder, `"}nonsense`)
	garbage.want(`{"hello":{"cursor":"\"}nonsense"}}`, `{"resync":true,"cursor":"3"}`)
	long := s.dial(alder, strings.Repeat("9", 9000))
	long.want(`{"hello":{"cursor":"3"}}`, `{"resync":true,"cursor":"3"}`)

	s.hub.Deliver(portal.Batch{Cursor: "9", Resync: true})
	buyer.want(`{"resync":true,"cursor":"9"}`)

	s.hub.Turn(time.Now().Add(31 * time.Second))
	buyer.want(`{"cursor":"9","events":[]}`)
}

func TestWhoHearsWhat(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a, b, desk := s.open(alder), s.open(birch), s.open(dana)
	var events []portal.Event
	for _, kind := range []portal.EventKind{"order", "item", "catalog", "invoice", "payment", "credit", "statement",
		"access", "cart", "favorite", "notice", "session", "ping", "of_tomorrow"} {
		events = append(events, portal.Event{Kind: kind, CustomerID: 1, Ref: "1"},
			portal.Event{Kind: kind, CustomerID: 2, Ref: "2"}, portal.Event{Kind: kind, Ref: "all"})
	}
	s.happen(events...)
	s.happen(portal.Event{Kind: portal.EventCatalog, Ref: "end"})
	buyers := func(own string) (want []string) {
		for _, kind := range []string{"order", "catalog", "invoice", "payment", "credit", "statement", "access", "cart",
			"favorite", "notice", "of_tomorrow"} {
			want = append(want, kind+" "+own, kind+" all")
		}
		return append(want, "catalog end")
	}
	var staff []string
	for _, kind := range []string{"order", "catalog", "invoice", "payment", "credit", "statement",
		"access", "of_tomorrow"} {
		staff = append(staff, kind+" 1", kind+" 2", kind+" all")
	}
	for who, c := range map[string]struct {
		socket *socket
		want   []string
	}{"alder": {a, buyers("1")}, "birch": {b, buyers("2")}, "desk": {desk, append(staff, "catalog end")}} {
		if got := c.socket.until("end"); !slices.Equal(got, c.want) {
			t.Errorf("%s heard %v\nwant %v", who, got, c.want)
		}
	}
}

// Whatever happens, in batches of any make, with sockets that watch, come and go:
// nobody gets what is another's, everybody gets what is theirs, once and in
// order while connected.
func TestIsolation(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *realtime.Config) { c.Shards = 3; c.QueueBytes = 16 << 20 })
	s.log.visible = func(who portal.Session, ref string) bool {
		n, _ := strconv.Atoi(ref[1:])
		return who.Staff() || n%2 == int(who.CustomerID)%2
	}
	const customers, items, batches = 6, 8, 400
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	kinds := []portal.EventKind{"order", "invoice", "cart", "notice", "item", "item", "catalog", "access", "ping"}

	var wants [][]string
	var sockets []*socket
	var whose []portal.Session
	for i := range 3 * (customers + 1) {
		who := portal.Session{ID: portal.SessionID(100 + i), CustomerID: portal.CustomerID(i % (customers + 1)),
			Role: portal.RoleBuyer}
		if who.CustomerID == 0 {
			who.Role = portal.RoleDesk
		}
		c := s.open(who)
		if i%3 != 0 {
			var refs []string
			for n := range items {
				if s.log.visible(who, fmt.Sprint("I", n)) {
					refs = append(refs, fmt.Sprint("I", n))
				}
			}
			s.watch(c, refs...)
			c.send(`{"hello":"I have no watch"}`)
		}
		sockets, whose, wants = append(sockets, c), append(whose, who), append(wants, nil)
	}
	strangers := make(chan struct{})
	var coming sync.WaitGroup
	coming.Go(func() {
		for {
			select {
			case <-strangers:
				return
			default:
				c := s.dial(alder, "0")
				c.text()
				_ = c.conn.CloseNow()
			}
		}
	})
	for range batches {
		var events []portal.Event
		for range random.IntN(6) {
			e := portal.Event{Kind: kinds[random.IntN(len(kinds))], CustomerID: portal.CustomerID(random.IntN(customers + 1)),
				Ref: "D" + fmt.Sprint(random.IntN(3))}
			if e.Kind == portal.EventItem {
				e.Ref = fmt.Sprint("I", random.IntN(items))
			}
			events = append(events, e)
		}
		batch := s.log.add(events...)
		for i, who := range whose {
			for _, e := range batch.Events {
				mine := who.Staff() || e.CustomerID == 0 || e.CustomerID == who.CustomerID
				switch {
				case e.Kind == portal.EventPing:
					mine = false
				case e.Kind == portal.EventItem:
					mine = mine && i%3 != 0 && s.log.visible(who, e.Ref)
				case e.Kind == portal.EventCart || e.Kind == portal.EventNotice:
					mine = mine && !who.Staff()
				}
				if mine {
					wants[i] = append(wants[i], fmt.Sprint(e.ID))
				}
			}
		}
		s.hub.Deliver(batch)
	}
	s.happen(portal.Event{Kind: portal.EventCatalog, Ref: "end"})
	close(strangers)
	coming.Wait()
	for i, c := range sockets {
		got := map[string]bool{}
		last := map[string]int64{}
		for over := false; !over; {
			f := c.frame()
			for _, e := range f.Events {
				if over = over || e.Ref == "end"; over {
					continue
				}
				id := fmt.Sprint(e.ID)
				if got[id] {
					t.Errorf("socket %d heard %s twice", i, id)
				}
				if doc := e.Kind + e.Ref; e.ID < last[doc] {
					t.Errorf("socket %d heard %d of %s after %d", i, e.ID, doc, last[doc])
				} else {
					last[doc] = e.ID
				}
				got[id] = true
			}
			// a cursor promises everything before it
			if at, _ := strconv.Atoi(f.Cursor); !over {
				for _, id := range wants[i] {
					if n, _ := strconv.Atoi(id); n <= at && !got[id] {
						t.Fatalf("socket %d has cursor %d without event %s", i, at, id)
					}
				}
			}
		}
		if len(got) != len(wants[i]) {
			t.Errorf("socket %d of customer %d heard %d events, %d are its own", i, whose[i].CustomerID, len(got), len(wants[i]))
		}
		for _, id := range wants[i] {
			if !got[id] {
				t.Errorf("socket %d did not hear %s", i, id)
			}
		}
	}
}

// A socket that comes before the event source has begun is greeted with the
// position it begins at: what happened in between is on the page that it loads.
func TestSocketBeforeTheSource(t *testing.T) {
	t.Parallel()
	s := newSiteBefore(t)
	greeted := make(chan string)
	go func() { f, _ := s.dial(alder, "").read(); greeted <- f }()
	batch := s.log.add(portal.Event{Kind: portal.EventOrder, CustomerID: 1, Ref: "SO-1"})
	s.hub.Deliver(portal.Batch{Cursor: batch.Cursor})
	if got, want := <-greeted, `{"hello":{"cursor":"1"}}`; got != want {
		t.Errorf("greeted with %s, want %s", got, want)
	}
	s.happen(portal.Event{Kind: portal.EventOrder, CustomerID: 1, Ref: "SO-2"})

	// and one that knows where it stood hears what happened since
	s = newSiteBefore(t)
	go func() {
		c := s.dial(alder, "0")
		_, _ = c.read()
		f, _ := c.read()
		greeted <- f
	}()
	batch = s.log.add(portal.Event{Kind: portal.EventOrder, CustomerID: 1, Ref: "SO-1"})
	s.hub.Deliver(portal.Batch{Cursor: batch.Cursor})
	if got := <-greeted; !strings.Contains(got, "SO-1") {
		t.Errorf("replayed %s", got)
	}
}

// A source that never begins keeps nobody waiting for ever.
func TestSourceThatNeverBegins(t *testing.T) {
	t.Parallel()
	s := newSiteBefore(t, func(c *realtime.Config) { c.QueryTimeout = time.Millisecond })
	if _, status, err := s.try(alder, "", nil); err == nil || status != http.StatusServiceUnavailable {
		t.Errorf("status %d, %v", status, err)
	}
}

// What happens while the past is being read comes after it.
func TestReplayBeforeLive(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pause := make(chan struct{})
	s.happen(portal.Event{Kind: portal.EventOrder, CustomerID: 1, Ref: "SO-1",
		Data: json.RawMessage(`{"status":"APPROVED"}`)})
	s.log.set(func(l *log) { l.pause = pause })
	c := s.dial(alder, "0")
	eventually(t, "replay begun", func() bool { s.log.mu.Lock(); defer s.log.mu.Unlock(); return s.log.asked > 0 })
	s.happen(portal.Event{Kind: portal.EventOrder, CustomerID: 1, Ref: "SO-1",
		Data: json.RawMessage(`{"status":"PICKING"}`)})
	s.hub.Turn(time.Now().Add(time.Hour)) // neither a ping nor a cursor gets ahead
	close(pause)
	c.want(`{"hello":{"cursor":"0"}}`)
	for _, want := range [][]int64{{1, 2}, {2}} {
		var got []int64
		for _, e := range c.frame().Events {
			got = append(got, e.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

func TestTooMuchIsAResync(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *realtime.Config) { c.QueueBytes = 4 << 10 })
	c := s.open(alder)
	many := make([]portal.Event, 100)
	for i := range many {
		many[i] = portal.Event{Kind: portal.EventOrder, CustomerID: 1, Ref: fmt.Sprint(i)}
	}
	s.happen(many...)
	c.want(`{"resync":true,"cursor":"100"}`)
	back := s.dial(alder, "0")
	back.want(`{"hello":{"cursor":"0"}}`, `{"resync":true,"cursor":"100"}`)
	if st := s.hub.Stats(); st.Resyncs != 2 {
		t.Errorf("stats %+v", st)
	}
}

func TestSlowClient(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	slow, quick := s.open(alder), s.open(alder)
	fill := json.RawMessage(`{"fill":"` + strings.Repeat("x", 32<<10) + `"}`)
	n := 0
	for s.hub.Stats().SlowCloses == 0 {
		if n++; n > 5000 {
			t.Fatalf("%d frames fit", n)
		}
		s.happen(portal.Event{Kind: portal.EventOrder, CustomerID: 1, Ref: fmt.Sprint(n), Data: fill})
		if got := quick.until(fmt.Sprint(n)); len(got) != 1 {
			t.Fatalf("quick heard %v", got)
		}
	}
	if code := slow.closing(); code != 4008 {
		t.Errorf("slow was closed with %d", code)
	}
	s.happen(portal.Event{Kind: portal.EventOrder, CustomerID: 1, Ref: "on"})
	quick.until("on")
}

// A client that takes nothing at all does not even let the closing frame
// through: its connection is cut.
func TestStuckClient(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	stuck := s.open(alder)
	fill := json.RawMessage(`{"fill":"` + strings.Repeat("x", 64<<10) + `"}`)
	for s.hub.Stats().SlowCloses == 0 {
		s.happen(portal.Event{Kind: portal.EventOrder, CustomerID: 1, Data: fill})
	}
	s.hub.Turn(time.Now().Add(time.Minute))
	eventually(t, "cut off", func() bool {
		st := s.hub.Stats()
		return st.Sockets == 0 && st.QueueBytes == 0 && st.DeadCloses == 1
	})
	for {
		if _, err := stuck.read(); err != nil {
			break
		}
	}
}

func TestSessionEnds(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	other := alder
	other.ID = 12
	one, two, elsewhere, desk := s.open(alder), s.open(alder), s.open(other), s.open(dana)
	// the log-in may be gone with its session, and its customer with it
	s.happen(portal.Event{Kind: portal.EventSession, Ref: "11"},
		portal.Event{Kind: portal.EventOrder, CustomerID: 1, Ref: "secret"})
	for _, c := range []*socket{one, two} {
		if raw, err := c.read(); websocket.CloseStatus(err) != 4001 {
			t.Errorf("got %s, %v", raw, err)
		}
	}
	elsewhere.until("secret")
	s.happen(portal.Event{Kind: portal.EventSession, Ref: "33"},
		portal.Event{Kind: portal.EventSession, Ref: "not a number"})
	if code := desk.closing(); code != 4001 {
		t.Errorf("desk was closed with %d", code)
	}
	s.happen(portal.Event{Kind: portal.EventOrder, CustomerID: 1, Ref: "on"})
	elsewhere.until("on")
}

func TestSessionThatEndedBeforeRegistration(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.kill(11)
	c := s.dial(alder, "0")
	if raw, err := c.read(); websocket.CloseStatus(err) != 4001 {
		t.Errorf("got %s, %v", raw, err)
	}
}

// After a resync the news that a session has ended may have been missed; and one
// whose time is over ends without any news.
func TestSessionIsAskedForAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	missed, lives := s.open(alder), s.open(birch)
	timed := dana
	timed.ExpiresAt = time.Now().Add(time.Hour)
	expires := s.open(timed)
	s.kill(11)
	s.kill(33)
	s.hub.Turn(time.Now())
	s.hub.Deliver(portal.Batch{Cursor: "5", Resync: true})
	s.hub.Turn(time.Now())
	for who, c := range map[string]*socket{"missed": missed, "expires": expires} {
		if code := c.closing(); code != 4001 {
			t.Errorf("%s: closed with %d", who, code)
		}
	}
	lives.want(`{"resync":true,"cursor":"5"}`)

	again := s.dead
	s.mu.Lock()
	clear(again)
	s.mu.Unlock()
	expires = s.open(timed)
	s.kill(33)
	s.hub.Turn(time.Now().Add(59 * time.Minute))
	s.hub.Turn(time.Now().Add(61 * time.Minute))
	if code := expires.closing(); code != 4001 {
		t.Errorf("closed with %d", code)
	}
}

func TestPings(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *realtime.Config) { c.PingEvery = 0 })
	s.open(birch) // nobody reads there: no pong
	answers := s.open(alder)
	go func() {
		for {
			if _, err := answers.read(); err != nil {
				return
			}
		}
	}()
	// a client that reads answers before the next turn looks
	at := time.Now().Add(26 * time.Second)
	s.hub.Turn(at)
	eventually(t, "both written", func() bool { return s.hub.Stats().QueueBytes == 0 })
	eventually(t, "the deaf one is cut", func() bool {
		at = at.Add(time.Second)
		s.hub.Turn(at)
		return s.hub.Stats().Sockets == 1
	})
	if st := s.hub.Stats(); st.DeadCloses != 1 || time.Until(at) < 30*time.Second {
		t.Errorf("stats %+v at %v", st, at)
	}
}

func TestIdleCursor(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.open(alder)
	s.happen(portal.Event{Kind: portal.EventOrder, CustomerID: 2}) // not ours
	s.happen(portal.Event{Kind: portal.EventOrder, CustomerID: 1, Ref: "own"})
	c.until("own")
	s.happen(portal.Event{Kind: portal.EventOrder, CustomerID: 2})
	s.hub.Turn(time.Now().Add(20 * time.Second)) // has had one ten seconds too recently
	s.hub.Turn(time.Now().Add(31 * time.Second))
	c.want(`{"cursor":"3","events":[]}`)
	s.hub.Turn(time.Now().Add(32 * time.Second))
	s.happen(portal.Event{Kind: portal.EventOrder, CustomerID: 1, Ref: "next"})
	if got := c.until("next"); len(got) != 1 {
		t.Errorf("heard %v", got)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if _, status, err := s.try(alder, "", http.Header{"Origin": {"https://elsewhere.example"}}); err == nil ||
		status != http.StatusForbidden {
		t.Errorf("another origin: %d %v", status, err)
	}
	same, _, err := s.try(alder, "", http.Header{"Origin": {s.http.URL}})
	if err != nil {
		t.Fatal(err)
	}
	_ = same.CloseNow()
	resp, err := http.Get(s.http.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("no upgrade: %d", resp.StatusCode)
	}
	nobody := s.dial(portal.Session{ID: 9, Role: portal.RoleBuyer}, "")
	if code := nobody.closing(); code != 4003 {
		t.Errorf("a buyer without a customer: %d", code)
	}
	s.log.set(func(l *log) { l.err = errors.New("database is away") })
	if code := s.dial(alder, "0").closing(); code != websocket.StatusTryAgainLater {
		t.Errorf("no database: %d", code)
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a, desk := s.open(alder), s.open(dana)
	var told sync.WaitGroup
	for _, c := range []*socket{a, desk} {
		told.Go(func() {
			if code := c.closing(); code != websocket.StatusServiceRestart {
				t.Errorf("closed with %d", code)
			}
		})
	}
	for range 2 {
		if err := s.hub.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	told.Wait()
	if _, status, err := s.try(alder, "", nil); err == nil || status != http.StatusServiceUnavailable {
		t.Errorf("after Close: %d %v", status, err)
	}
	s.happen(portal.Event{Kind: portal.EventOrder, CustomerID: 1}) // harmless
}

func TestCloseDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.open(alder) // reads nothing, so it does not answer
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.hub.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Close: %v", err)
	}
	eventually(t, "cut off", func() bool { return s.hub.Stats().Sockets == 0 })
}

// The lag is counted once a write, for frames with events only.
func TestLag(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 14, 3, 7, 0, time.UTC)
	s := newSite(t, func(c *realtime.Config) { c.Now = func() time.Time { return at.Add(40 * time.Millisecond) } })
	a := s.dial(alder, "")
	a.text() // hello
	if n := s.hub.Stats().Lag.Total(); n != 0 {
		t.Errorf("a hello counts: %d", n)
	}
	s.happen(portal.Event{Kind: portal.EventOrder, CustomerID: 1, Ref: "SO-1", At: at.Add(20 * time.Millisecond)},
		portal.Event{Kind: portal.EventOrder, CustomerID: 1, Ref: "SO-2", At: at})
	a.frame()
	lag := s.hub.Stats().Lag
	if lag.Total() != 1 || lag.Sum != 40*time.Millisecond || lag.Quantile(0.5) <= 25*time.Millisecond ||
		lag.Quantile(0.5) > 50*time.Millisecond {
		t.Errorf("two events in one frame: %+v", lag)
	}
	// By a clock that is ahead
	s.happen(portal.Event{Kind: portal.EventOrder, CustomerID: 1, Ref: "SO-3", At: at.Add(time.Minute)})
	a.frame()
	if lag := s.hub.Stats().Lag; lag.Counts[0] != 1 || lag.Sum != 40*time.Millisecond {
		t.Errorf("an event from the future: %+v", lag)
	}
}

// One session opened 600 sockets. Beyond its limit it is refused in words, and a
// socket that leaves makes room; other sessions are not concerned.
func TestSocketsOfOneSession(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *realtime.Config) { c.SessionSockets = 3 })
	var wait sync.WaitGroup
	var opened, refused atomic.Int64
	conns := make(chan *websocket.Conn, 30)
	for range 30 {
		wait.Go(func() {
			conn, status, err := s.try(alder, "", nil)
			switch {
			case err == nil:
				opened.Add(1)
				conns <- conn
			case status == http.StatusTooManyRequests:
				refused.Add(1)
			default:
				t.Errorf("refused with %d: %v", status, err)
			}
		})
	}
	wait.Wait()
	if opened.Load() != 3 || refused.Load() != 27 {
		t.Errorf("%d opened, %d refused", opened.Load(), refused.Load())
	}
	s.open(birch)
	_ = (<-conns).CloseNow()
	for deadline := time.Now().Add(patience); ; {
		conn, status, err := s.try(alder, "", nil)
		if err == nil {
			_ = conn.CloseNow()
			break
		}
		if status != http.StatusTooManyRequests || time.Now().After(deadline) {
			t.Fatalf("after one has left: %d %v", status, err)
		}
	}
	for range 2 {
		_ = (<-conns).CloseNow()
	}
}
