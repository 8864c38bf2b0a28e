package realtime_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"portal.example/portal"
)

func item(ref string) portal.Event { return portal.Event{Kind: portal.EventItem, Ref: ref} }

func TestWatch(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.log.visible = func(who portal.Session, ref string) bool { return ref != "HIDDEN" || who.Staff() }
	a, b, desk := s.open(alder), s.open(birch), s.open(dana)
	s.watch(a, "OIL5", "RICE25")
	a.send(`{"watch":["item:OIL5","item:RICE25","item:HIDDEN","order:SO-1","item:"]}`)
	s.watch(desk, "HIDDEN")

	s.happen(item("OIL5"), item("HIDDEN"), item("SALT1"))
	a.want(`{"cursor":"3","events":[{"id":1,"kind":"item","ref":"OIL5","at":"2026-11-23T14:03:07.000Z"}]}`)
	if got := desk.until("HIDDEN"); len(got) != 1 {
		t.Errorf("desk heard %v", got)
	}
	// two items and an order in one batch: the new cursor comes last
	s.happen(item("OIL5"), item("RICE25"), portal.Event{Kind: portal.EventOrder, CustomerID: 1, Ref: "SO-1"}, item("OIL5"))
	seen := 0
	for _, cursor := range []string{"3", "3", "7"} {
		f := a.frame()
		if f.Cursor != cursor {
			t.Errorf("cursor %s, want %s", f.Cursor, cursor)
		}
		seen += len(f.Events)
	}
	if seen != 4 {
		t.Errorf("%d events", seen)
	}
	// one customer's view of an item
	s.watch(b, "OIL5")
	b.until("OIL5") // the page may be older than the watch
	own := item("OIL5")
	own.CustomerID = 2
	s.happen(own, portal.Event{Kind: portal.EventCatalog, Ref: "end"})
	if got := a.until("end"); !slices.Equal(got, []string{"catalog end"}) {
		t.Errorf("alder heard %v", got)
	}
	if got := b.until("end"); !slices.Contains(got, "item OIL5") {
		t.Errorf("birch heard %v", got)
	}
	// another set replaces the first
	s.watch(a, "SALT1")
	a.until("SALT1") // its event was before the watch
	s.happen(item("OIL5"), item("SALT1"))
	if got := a.until("SALT1"); !slices.Equal(got, []string{"item SALT1"}) {
		t.Errorf("heard %v", got)
	}
	a.send(`{"watch":[]}`)
	eventually(t, "nothing watched", func() bool { return s.hub.Watched("SALT1") == 0 })
}

// The page was made at the cursor that the socket came with; what it shows and
// what has happened since meet in the first watch.
func TestWatchReplaysTheGap(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.happen(item("OIL5"))
	s.happen(item("OIL5"), item("RICE25"), item("SALT1"),
		portal.Event{Kind: portal.EventOrder, CustomerID: 1, Ref: "SO-1"})
	c := s.dial(alder, "1")
	c.want(`{"hello":{"cursor":"1"}}`)
	if got := c.until("SO-1"); len(got) != 1 {
		t.Errorf("heard %v before the watch", got)
	}
	s.watch(c, "OIL5", "SALT1")
	c.want(
		`{"cursor":"1","events":[{"id":2,"kind":"item","ref":"OIL5","at":"2026-11-23T14:03:07.000Z"},{"id":4,"kind":"item","ref":"SALT1","at":"2026-11-23T14:03:07.000Z"}]}`)
	s.hub.Turn(time.Now())
	c.want(`{"cursor":"5","events":[]}`)

	// only what is new is replayed, and not from the beginning
	s.hub.Turn(time.Now().Add(1 * time.Minute))
	s.hub.Turn(time.Now().Add(2 * time.Minute))
	s.happen(item("RICE25"))
	s.watch(c, "RICE25", "SALT1")
	if f := c.news(); len(f.Events) != 1 || f.Events[0].ID != 6 {
		t.Errorf("replayed %+v", f)
	}
	// too old by now
	s.log.set(func(l *log) { l.pruned = 100 })
	s.watch(c, "OIL5")
	if f := c.news(); !f.Resync {
		t.Errorf("got %+v", f)
	}
}

// A page that said at first that it shows no items is not told what happened to
// one before it came to show it.
func TestWatchOfAPageWithoutItems(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.happen(item("OIL5"))
	c := s.dial(alder, "0")
	c.want(`{"hello":{"cursor":"0"}}`)
	c.send(`{"watch":[]}`)
	s.happen(item("OIL5"))
	s.hub.Turn(time.Now().Add(1 * time.Minute))
	s.hub.Turn(time.Now().Add(2 * time.Minute))
	s.watch(c, "OIL5")
	s.happen(item("OIL5"))
	if f := c.news(); len(f.Events) != 1 || f.Events[0].ID != 3 {
		t.Errorf("told %+v", f)
	}
}

// A narrower catalogue narrows what is watched already.
func TestAccessChangesWhatIsWatched(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a, b := s.open(alder), s.open(birch)
	s.watch(a, "OIL5", "RICE25")
	s.watch(b, "OIL5", "RICE25")
	s.log.set(func(l *log) {
		l.visible = func(who portal.Session, ref string) bool { return who.CustomerID != 1 || ref != "RICE25" }
	})
	s.happen(portal.Event{Kind: portal.EventAccess, CustomerID: 1})
	eventually(t, "RICE25 watched by birch alone",
		func() bool { return s.hub.Watched("RICE25") == 1 && s.hub.Watched("OIL5") == 2 })
	s.happen(item("RICE25"), item("OIL5"))
	if got := a.until("OIL5"); !slices.Equal(got, []string{"access ", "item OIL5"}) {
		t.Errorf("heard %v", got)
	}
}

func TestFramesThatAreRefused(t *testing.T) {
	t.Parallel()
	topics := `{"watch":["item:1"` + strings.Repeat(`,"item:1"`, 5000) + `]}`
	for name, raw := range map[string]string{
		"not JSON":        `watch`,
		"a list":          `["item:OIL5"]`,
		"another type":    `{"watch":"item:OIL5"}`,
		"numbers":         `{"watch":[1]}`,
		"too many topics": topics,
		"too long":        `{"watch":["` + strings.Repeat("x", 256<<10) + `"]}`,
		"giant":           strings.Repeat("x", 4<<20),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			c, other := s.open(alder), s.open(alder)
			go func() { _ = c.conn.Write(context.Background(), websocket.MessageText, []byte(raw)) }()
			// a giant's sender may be cut off before it reads why
			if _, err := c.read(); websocket.CloseStatus(err) != websocket.StatusPolicyViolation &&
				(err == nil || len(raw) < 1<<20) {
				t.Errorf("got %v", err)
			}
			s.happen(portal.Event{Kind: portal.EventOrder, CustomerID: 1, Ref: "on"})
			other.until("on")
		})
	}
	t.Run("binary", func(t *testing.T) {
		t.Parallel()
		c := newSite(t).open(alder)
		if err := c.conn.Write(context.Background(), websocket.MessageBinary, []byte(`{"watch":[]}`)); err != nil {
			t.Fatal(err)
		}
		if code := c.closing(); code != websocket.StatusPolicyViolation {
			t.Errorf("closed with %d", code)
		}
	})
	t.Run("no database", func(t *testing.T) {
		t.Parallel()
		s := newSite(t)
		c := s.open(alder)
		s.log.set(func(l *log) { l.err = errors.New("away") })
		c.send(`{"watch":["item:OIL5"]}`)
		if code := c.closing(); code != websocket.StatusTryAgainLater {
			t.Errorf("closed with %d", code)
		}
	})
}
