package realtime_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"portal.example/portal"
	"portal.example/portal/internal/wire"
	"portal.example/portal/realtime"
)

// Five of fifty stop reading while much happens: they are closed with 4008, what
// waits for them stays bounded, and the others hear all of it, once, in order.
func TestFiveOfFiftyStopReading(t *testing.T) {
	t.Parallel()
	const sockets, deaf, queue = 50, 5, 256 << 10
	s := newSite(t, func(c *realtime.Config) { c.QueueBytes = queue })
	var stopped []*socket
	var others sync.WaitGroup
	var heard [sockets][]string
	var at [sockets]atomic.Int64
	for i := range sockets {
		c := s.open(alder)
		if i < deaf {
			stopped = append(stopped, c)
			continue
		}
		others.Go(func() {
			for {
				raw, err := c.read()
				if err != nil {
					t.Errorf("one that reads: %v", err)
					return
				}
				var f frame
				if err := json.Unmarshal([]byte(raw), &f); err != nil || f.Resync {
					t.Errorf("frame %.80s: %v", raw, err)
					return
				}
				for _, e := range f.Events {
					heard[i] = append(heard[i], e.Ref)
					at[i].Add(1)
					if e.Ref == "end" {
						return
					}
				}
			}
		})
	}
	fill := json.RawMessage(`{"fill":"` + strings.Repeat("x", 120<<10) + `"}`)
	var want []string
	most := int64(0)
	for s.hub.Stats().SlowCloses < deaf {
		if len(want) > 5000 {
			t.Fatal("they took everything")
		}
		want = append(want, fmt.Sprint(len(want)))
		s.happen(portal.Event{Kind: portal.EventOrder, CustomerID: 1, Ref: want[len(want)-1], Data: fill})
		most = max(most, s.hub.Stats().QueueBytes)
		eventually(t, "the others have read it", func() bool {
			for i := deaf; i < sockets; i++ {
				if at[i].Load() < int64(len(want)) && !t.Failed() {
					return false
				}
			}
			return true
		})
	}
	if most > sockets*queue {
		t.Errorf("%d bytes waited", most)
	}
	eventually(t, "nothing is kept for who is closed", func() bool { return s.hub.Stats().QueueBytes <= deaf*queue })
	for _, c := range stopped {
		if code := c.closing(); code != 4008 {
			t.Errorf("closed with %d", code)
		}
	}
	s.happen(portal.Event{Kind: portal.EventOrder, CustomerID: 1, Ref: "end"})
	others.Wait()
	want = append(want, "end")
	for i := deaf; i < sockets; i++ {
		if !slices.Equal(heard[i], want) {
			t.Errorf("socket %d heard %d of %d, or not in order", i, len(heard[i]), len(want))
		}
	}
}

// A client that talks without end is closed with 1008 and a reason, whether it
// sends what we know, what we do not, or pings; its neighbours are not.
func TestChattyClient(t *testing.T) {
	t.Parallel()
	for name, say := range map[string]func(context.Context, *websocket.Conn) error{
		"watch": func(ctx context.Context, c *websocket.Conn) error {
			return c.Write(ctx, websocket.MessageText, []byte(`{"watch":["item:OIL5"]}`))
		},
		"unknown": func(ctx context.Context, c *websocket.Conn) error {
			return c.Write(ctx, websocket.MessageText, []byte(`{"hello":1}`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			chatty, other := s.open(alder), s.open(alder)
			sent := make(chan struct{})
			go func() {
				defer close(sent)
				for range 2000 {
					if say(t.Context(), chatty.conn) != nil {
						return
					}
				}
			}()
			for {
				_, _, err := chatty.conn.Read(t.Context())
				if err == nil {
					continue
				}
				if code := websocket.CloseStatus(err); code != websocket.StatusPolicyViolation ||
					!strings.Contains(err.Error(), "too many frames") {
					t.Errorf("ended with %v", err)
				}
				break
			}
			<-sent
			s.happen(portal.Event{Kind: portal.EventOrder, CustomerID: 1, Ref: "on"})
			other.until("on")
			if st := s.hub.Stats(); st.Refused != 1 || st.SlowCloses != 0 {
				t.Errorf("%+v", st)
			}
			if s.log.asked > 200 {
				t.Errorf("the log was asked %d times", s.log.asked)
			}
		})
	}
}

// The machine's clock jumps by an hour, either way: nobody is closed for it,
// pings go on, and a socket that is dead is found as before.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	for name, jump := range map[string]time.Duration{"forwards": time.Hour, "backwards": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var off atomic.Int64
			s := newSite(t, func(c *realtime.Config) {
				c.PingEvery, c.PongTimeout = time.Second, time.Second
				c.Now = func() time.Time { return time.Now().Add(time.Duration(off.Load())) }
			})
			who := alder
			who.ExpiresAt = time.Now().Add(2 * time.Hour)
			var pings atomic.Int64
			key := fmt.Sprint(who.ID)
			s.sessions[key] = who
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			conn, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(s.http.URL,
				"http"), &websocket.DialOptions{HTTPHeader: http.Header{"Session": {key}},
				OnPingReceived: func(context.Context, []byte) bool { pings.Add(1); return true }})
			if err != nil {
				t.Fatal(err)
			}
			c := &socket{t, conn}
			frames := make(chan string, 100)
			go func() {
				for {
					raw, err := c.read()
					if err != nil {
						close(frames)
						return
					}
					frames <- raw
				}
			}()
			more := func(n int64) {
				t.Helper()
				from := pings.Load()
				eventually(t, "pings", func() bool { return pings.Load() >= from+n })
			}
			more(1)
			off.Store(int64(jump))
			more(2)
			s.happen(portal.Event{Kind: portal.EventOrder, CustomerID: 1, Ref: "after"})
			for raw := range frames {
				if strings.Contains(raw, `"after"`) {
					break
				}
			}
			if st := s.hub.Stats(); st.Sockets != 1 || st.DeadCloses != 0 {
				t.Errorf("%+v", st)
			}
			conn.CloseNow()
		})
	}
}

// A cable is pulled between the browser and us: nobody is told. Pings find out,
// what waits for the socket meanwhile is bounded and then let go, and the client
// that returns on another way has everything.
func TestHalfOpenSocket(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *realtime.Config) {
		c.PingEvery, c.PongTimeout, c.QueueBytes = 500*time.Millisecond, 500*time.Millisecond, 64<<10
	})
	network := wire.New(t, "tcp", strings.TrimPrefix(s.http.URL, "http://"))
	s.sessions["11"] = alder
	dial := func(address, after string) *socket {
		conn, _, err := websocket.Dial(t.Context(), "ws://"+address+"/live?after="+url.QueryEscape(after),
			&websocket.DialOptions{HTTPHeader: http.Header{"Session": {"11"}}})
		if err != nil {
			t.Fatal(err)
		}
		conn.SetReadLimit(-1)
		t.Cleanup(func() { conn.CloseNow() })
		return &socket{t, conn}
	}
	far := dial(network.Addr, "")
	var cursor string
	if f := far.frame(); f.Hello != nil {
		cursor = f.Hello.Cursor
	}
	s.happen(portal.Event{Kind: portal.EventOrder, CustomerID: 1, Ref: "0"})
	far.until("0")
	network.Freeze()
	var want []string
	for n := range 200 {
		ref := fmt.Sprint("while away ", n)
		want = append(want, "order "+ref)
		s.happen(portal.Event{Kind: portal.EventOrder, CustomerID: 1, Ref: ref})
		if q := s.hub.Stats().QueueBytes; q > 64<<10 {
			t.Fatalf("%d bytes wait", q)
		}
	}
	eventually(t, "found", func() bool { return s.hub.Stats().Sockets == 0 })
	if st := s.hub.Stats(); st.DeadCloses != 1 || st.QueueBytes != 0 {
		t.Errorf("%+v", st)
	}
	back := dial(strings.TrimPrefix(s.http.URL, "http://"), cursor)
	if f := back.frame(); f.Hello == nil || f.Hello.Cursor != cursor {
		t.Errorf("hello %+v", f)
	}
	if got := back.until(strings.TrimPrefix(want[len(want)-1], "order ")); !slices.Equal(got,
		append([]string{"order 0"}, want...)) {
		t.Errorf("back, it heard %d of %d", len(got), len(want)+1)
	}
}
