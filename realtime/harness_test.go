package realtime_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
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

// patience bounds every wait; nothing here takes that long.
const patience = 20 * time.Second

// log is an EventLog in memory. Its positions are numbers: how many events it
// has, as text.
type log struct {
	mu      sync.Mutex
	events  []portal.Event
	pruned  int                                       // positions below are too old
	visible func(who portal.Session, ref string) bool // nil: all
	err     error
	asked   int
	pause   chan struct{} // if set, Since waits for it
}

func (l *log) Since(ctx context.Context, who portal.Session, after portal.Cursor,
	items []string) (portal.Batch, error) {
	l.mu.Lock()
	pause := l.pause
	l.asked++
	l.mu.Unlock()
	if pause != nil {
		select {
		case <-pause:
		case <-ctx.Done():
			return portal.Batch{}, ctx.Err()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return portal.Batch{}, l.err
	}
	b := portal.Batch{Cursor: portal.Cursor(strconv.Itoa(len(l.events)))}
	if after == "" {
		return b, nil
	}
	from, err := strconv.Atoi(string(after))
	if err != nil || from < l.pruned || from > len(l.events) {
		return portal.Batch{}, portal.ErrCursorTooOld
	}
	for _, e := range l.events[from:] {
		own := who.Staff() || e.CustomerID == 0 || e.CustomerID == who.CustomerID
		if own && (e.Kind != portal.EventItem || slices.Contains(items, e.Ref)) {
			b.Events = append(b.Events, e)
		}
	}
	return b, nil
}

// Tail is never asked: these positions are no snapshots.
func (l *log) Tail(context.Context, portal.Cursor, int) (portal.Batch, error) {
	return portal.Batch{}, errors.New("asked for the tail")
}

func (l *log) Visible(_ context.Context, who portal.Session, items []string) ([]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return nil, l.err
	}
	var out []string
	for _, ref := range items {
		if l.visible == nil || strings.HasPrefix(ref, markRef) || l.visible(who, ref) {
			out = append(out, ref)
		}
	}
	return out, nil
}

// add writes events without delivering them, as a commit does, and returns the
// batch that the source will bring.
func (l *log) add(events ...portal.Event) portal.Batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range events {
		e := &events[i]
		if e.ID == 0 {
			e.ID = int64(len(l.events) + 1)
		}
		if e.At.IsZero() {
			e.At = time.Date(2026, 11, 23, 14, 3, 7, 0, time.UTC)
		}
		l.events = append(l.events, *e)
	}
	return portal.Batch{Cursor: portal.Cursor(strconv.Itoa(len(l.events))), Events: events}
}

func (l *log) set(change func(*log)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(l)
}

// site is a hub behind a server that believes who says who it is.
type site struct {
	t    testing.TB
	hub  *realtime.Hub
	log  *log
	http *httptest.Server

	marks atomic.Int64

	mu       sync.Mutex
	sessions map[string]portal.Session
	dead     map[portal.SessionID]bool
}

func newSite(t testing.TB, change ...func(*realtime.Config)) *site {
	t.Helper()
	s := newSiteBefore(t, change...)
	s.hub.Deliver(portal.Batch{Cursor: "0"})
	return s
}

// newSiteBefore is a site whose event source has not begun.
func newSiteBefore(t testing.TB, change ...func(*realtime.Config)) *site {
	t.Helper()
	s := &site{t: t, log: &log{}, sessions: map[string]portal.Session{}, dead: map[portal.SessionID]bool{}}
	// Tests that turn the wheel by minutes mean neither pings nor the write that
	// is just under way.
	cfg := realtime.Config{EventLog: s.log, Alive: s.alive, PingEvery: 24 * time.Hour, WriteTimeout: 24 * time.Hour,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil))}
	for _, c := range change {
		c(&cfg)
	}
	s.hub = realtime.New(cfg)
	s.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		who := s.sessions[r.Header.Get("Session")]
		s.mu.Unlock()
		s.hub.ServeLive(w, r, who)
	}))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.hub.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
		s.http.Close()
		if st := s.hub.Stats(); st.Sockets != 0 || st.QueueBytes != 0 {
			t.Errorf("left behind: %+v", st)
		}
	})
	return s
}

func (s *site) alive(_ context.Context, ids []portal.SessionID) ([]portal.SessionID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(ids), func(id portal.SessionID) bool { return s.dead[id] }), nil
}

func (s *site) kill(id portal.SessionID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead[id] = true
}

// happen commits events and delivers them as one batch.
func (s *site) happen(events ...portal.Event) { s.hub.Deliver(s.log.add(events...)) }

var (
	alder = portal.Session{ID: 11, LoginID: 1, CustomerID: 1, Role: portal.RoleBuyer, Email: "buyer@alder.example"}
	birch = portal.Session{ID: 22, LoginID: 2, CustomerID: 2, Role: portal.RoleBuyer, Email: "buyer@birch.example"}
	dana  = portal.Session{ID: 33, LoginID: 3, Role: portal.RoleDesk, Email: "dana@desk.example"}
)

// socket is a client.
type socket struct {
	t    testing.TB
	conn *websocket.Conn
}

// dial opens a socket; after is left out if it is empty.
func (s *site) dial(who portal.Session, after string) *socket {
	s.t.Helper()
	conn, status, err := s.try(who, after, nil)
	if err != nil {
		s.t.Fatalf("dial: %d %v", status, err)
	}
	s.t.Cleanup(func() { _ = conn.CloseNow() })
	conn.SetReadLimit(-1)
	return &socket{s.t, conn}
}

func (s *site) try(who portal.Session, after string, header http.Header) (*websocket.Conn, int, error) {
	key := fmt.Sprint(who.ID)
	s.mu.Lock()
	s.sessions[key] = who
	s.mu.Unlock()
	if header == nil {
		header = http.Header{}
	}
	header.Set("Session", key)
	address := "ws" + strings.TrimPrefix(s.http.URL, "http") + "/live"
	if after != "" {
		address += "?after=" + url.QueryEscape(after)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, resp, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPHeader: header})
	status := 0
	if resp != nil {
		status = resp.StatusCode
	}
	return conn, status, err
}

// open dials, and reads the hello.
func (s *site) open(who portal.Session) *socket {
	s.t.Helper()
	c := s.dial(who, "")
	if f := c.text(); !strings.HasPrefix(f, `{"hello":`) {
		s.t.Fatalf("first frame %s", f)
	}
	return c
}

func (c *socket) read() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	kind, raw, err := c.conn.Read(ctx)
	if err == nil && kind != websocket.MessageText {
		err = fmt.Errorf("a frame of type %v", kind)
	}
	return string(raw), err
}

// text reads one frame as it is.
func (c *socket) text() string {
	c.t.Helper()
	raw, err := c.read()
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	return raw
}

// want reads frames and compares them byte for byte.
func (c *socket) want(frames ...string) {
	c.t.Helper()
	for _, want := range frames {
		if got := c.text(); got != want {
			c.t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// frame is what clients read.
type frame struct {
	Hello  *struct{ Cursor string }
	Cursor string
	Resync bool
	Events []struct {
		ID   int64
		Kind string
		Ref  string
	}
}

func (c *socket) frame() frame {
	c.t.Helper()
	raw := c.text()
	var f frame
	if err := json.Unmarshal([]byte(raw), &f); err != nil {
		c.t.Fatalf("%v in %s", err, raw)
	}
	return f
}

// news reads past frames that bring a cursor and nothing else: the wheel sends
// them when it turns.
func (c *socket) news() frame {
	c.t.Helper()
	for {
		if f := c.frame(); f.Resync || len(f.Events) > 0 {
			return f
		}
	}
}

// until reads until an event of a ref, and returns "kind ref" of all events on
// the way, that one included.
func (c *socket) until(ref string) (heard []string) {
	c.t.Helper()
	for {
		for _, e := range c.frame().Events {
			heard = append(heard, e.Kind+" "+e.Ref)
			if e.Ref == ref {
				return heard
			}
		}
	}
}

func (c *socket) send(raw string) {
	c.t.Helper()
	if err := c.conn.Write(context.Background(), websocket.MessageText, []byte(raw)); err != nil {
		c.t.Fatal(err)
	}
}

// closing reads until the server closes, and returns its code.
func (c *socket) closing() websocket.StatusCode {
	c.t.Helper()
	for {
		if _, err := c.read(); err != nil {
			code := websocket.CloseStatus(err)
			if code == -1 {
				c.t.Fatalf("ended without a code: %v", err)
			}
			return code
		}
	}
}

// eventually asks until the answer is yes.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(patience); !ok(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never came true: %s", what)
		}
	}
}

// watch asks for items and waits until the hub has them: it asks for one more,
// which nobody else watches.
func (s *site) watch(c *socket, refs ...string) {
	s.t.Helper()
	mark := fmt.Sprint(markRef, s.marks.Add(1))
	var topics []string
	for _, ref := range append(refs, mark) {
		topics = append(topics, "item:"+ref)
	}
	raw, err := json.Marshal(map[string]any{"watch": topics})
	if err != nil {
		s.t.Fatal(err)
	}
	c.send(string(raw))
	eventually(s.t, "watched", func() bool { return s.hub.Watched(mark) == 1 })
}

// markRef begins the items that everybody may watch and nothing happens to.
const markRef = "mark "
