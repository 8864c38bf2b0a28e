package realtime

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coder/websocket"

	"portal.example/portal"
)

const (
	maxMessage = 16 << 10 // bytes of one message from a browser
	maxTopics  = 500      // items one socket may watch
)

// ServeLive serves GET /live?after=<cursor> for a session until the socket
// ends. The caller has authenticated; requests of another origin are refused
// here.
func (h *Hub) ServeLive(w http.ResponseWriter, r *http.Request, who portal.Session) {
	if !h.enter() {
		http.Error(w, "restarting", http.StatusServiceUnavailable)
		return
	}
	defer h.serving.Done()
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		h.config.Logger.Info("socket refused", "login", int64(who.LoginID), "error", err)
		return // Accept has answered
	}
	defer conn.CloseNow()
	conn.SetReadLimit(maxMessage)
	c := &client{hub: h, who: who, conn: conn}
	h.add(c)
	defer h.remove(c)
	// Close may have gone through the sockets just before this one was there
	select {
	case <-h.closing:
		c.end(CloseRestarting, "restarting")
	default:
	}

	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 30*time.Second)
	after := portal.Cursor(r.URL.Query().Get("after"))
	err = h.open(ctx, c, after)
	cancel()
	if err != nil {
		h.config.Logger.Warn("socket not opened", "login", int64(who.LoginID), "error", err)
		c.end(CloseRestarting, "try again")
		return
	}
	c.listen(after)
	c.end(websocket.StatusNormalClosure, "")
}

// enter counts a socket in, unless the hub is closing.
func (h *Hub) enter() bool {
	h.everyone.RLock()
	defer h.everyone.RUnlock()
	select {
	case <-h.closing:
		return false
	default:
		h.serving.Add(1)
		return true
	}
}

// open says hello and replays what the socket missed, then lets the queue go.
// The socket is registered already, so events may be in both: the page drops
// repeats by id.
func (h *Hub) open(ctx context.Context, c *client, after portal.Cursor) error {
	alive, err := h.config.Alive(ctx, c.who.ID)
	if err != nil {
		return err
	}
	if !alive {
		c.end(CloseSessionEnded, "session ended")
		return nil
	}
	start := after
	if start == "" {
		// a position of this moment; what is on its way may come twice
		b, err := h.config.EventLog.Since(ctx, c.who, "", nil)
		if err != nil {
			return err
		}
		start = b.Cursor
	}
	if err := c.writeFrame(helloFrame(start)); err != nil {
		return nil // gone already
	}
	if after != "" {
		b, err := h.config.EventLog.Since(ctx, c.who, after, nil)
		switch {
		case errors.Is(err, portal.ErrCursorTooOld):
			now, err := h.config.EventLog.Since(ctx, c.who, "", nil)
			if err != nil {
				return err
			}
			h.resyncs.Add(1)
			if err := c.writeFrame(resyncFrame(now.Cursor)); err != nil {
				return nil
			}
		case err != nil:
			return err
		case len(b.Events) > 0:
			if err := c.writeFrame(eventsFrame(b.Cursor, b.Events)); err != nil {
				return nil
			}
		}
	}
	c.release()
	return nil
}

// listen reads what the page asks for until the socket ends.
func (c *client) listen(after portal.Cursor) {
	for {
		kind, raw, err := c.conn.Read(context.Background())
		if err != nil {
			return
		}
		topics, ok := parseWatch(raw)
		if kind != websocket.MessageText || !ok {
			c.end(websocket.StatusPolicyViolation, "not understood")
			return
		}
		if err := c.watch(topics, after); err != nil {
			c.hub.config.Logger.Warn("watch", "login", int64(c.who.LoginID), "error", err)
			c.end(CloseRestarting, "try again")
			return
		}
		after = "" // the gap is replayed for the first set only
	}
}

// parseWatch reads {"watch":["item:OIL5",…]} and returns the item numbers.
func parseWatch(raw []byte) (items []string, ok bool) {
	var m struct {
		Watch *[]string `json:"watch"`
	}
	if err := json.Unmarshal(raw, &m); err != nil || m.Watch == nil || len(*m.Watch) > maxTopics {
		return nil, false
	}
	items = []string{}
	for _, topic := range *m.Watch {
		if item, ok := strings.CutPrefix(topic, "item:"); ok && item != "" {
			items = append(items, item)
		}
	}
	slices.Sort(items)
	return slices.Compact(items), true
}

// watch takes the items that this socket may see, and replays their events of
// the gap.
func (c *client) watch(items []string, after portal.Cursor) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	visible := []string{}
	if len(items) > 0 {
		var err error
		if visible, err = c.hub.config.EventLog.Visible(ctx, c.who, items); err != nil {
			return err
		}
	}
	c.hub.items.set(c, visible)
	if after == "" || len(visible) == 0 {
		return nil
	}
	b, err := c.hub.config.EventLog.Since(ctx, c.who, after, visible)
	if errors.Is(err, portal.ErrCursorTooOld) {
		return nil // told when the socket opened
	}
	if err != nil {
		return err
	}
	b.Events = slices.DeleteFunc(b.Events, func(e portal.Event) bool { return e.Kind != portal.EventItem })
	if len(b.Events) > 0 {
		c.send(eventsFrame("", b.Events))
	}
	return nil
}
