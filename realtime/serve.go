package realtime

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/coder/websocket"

	"portal.example/portal"
)

// maxCursor bounds the cursor that a client hands in, in bytes: a snapshot with
// several hundred transactions under way. A longer one is too old.
const maxCursor = 8 << 10

// ServeLive serves GET /live?after=<cursor> for a session. It returns as soon
// as the socket is open and greeted, so that the request and its buffers are
// not kept for the socket's life. An upgrade it refuses is answered with a
// status.
func (h *Hub) ServeLive(w http.ResponseWriter, r *http.Request, who portal.Session) {
	if !h.hasBegun(r.Context()) || !h.enter() {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "restarting", http.StatusServiceUnavailable)
		return
	}
	if !h.sessions.enter(who.ID, h.cfg.SessionSockets) {
		h.open.Done()
		h.counts.refused.Add(1)
		w.Header().Set("Retry-After", "60")
		http.Error(w, "Too many pages of this log-in are open. This one is kept true more slowly.",
			http.StatusTooManyRequests)
		return
	}
	who.UserAgent, who.Source, who.CustomerName = "", "", "" // nobody asks for them here
	s := &socket{hub: h, who: who, shard: h.shardOf(who.CustomerID), held: true}
	thin := &thinWriter{ResponseWriter: w}
	conn, err := websocket.Accept(thin, r, &websocket.AcceptOptions{
		OriginPatterns:  h.cfg.Origins,
		CompressionMode: websocket.CompressionDisabled,
		OnPingReceived:  s.pinged,
		OnPongReceived:  s.pong,
	})
	if err != nil { // the client has its answer
		h.sessions.leave(who.ID)
		h.open.Done()
		h.cfg.Logger.DebugContext(r.Context(), "upgrade refused", "error", err)
		return
	}
	conn.SetReadLimit(-1) // read has a limit of its own, with another code
	s.conn, s.wire = conn, thin.conn
	if tcp, ok := thin.conn.(*net.TCPConn); ok && writesNow { // of TLS every write is the connection's own affair
		s.raw, _ = tcp.SyscallConn()
	}
	if !who.Staff() && who.CustomerID == 0 {
		_ = conn.Close(closeNotAllowed, "not allowed")
		h.sessions.leave(who.ID)
		h.open.Done()
		return
	}
	if who.Staff() {
		s.shard = h.shardOf(staffRoom)
	}
	now := h.now()
	// spread, so that sockets that came together are not due together
	s.pingAt = now.Add(spread(h.cfg.PingEvery)).UnixNano()
	s.cursorAt = now.Add(spread(h.cfg.CursorEvery)).UnixNano()
	if h.cfg.Alive != nil && !who.ExpiresAt.IsZero() {
		s.checkAt = now.Add(who.ExpiresAt.Sub(h.cfg.Now())).UnixNano()
	}
	h.counts.sockets.Add(1)
	s.greet(portal.Cursor(r.URL.Query().Get("after")), s.shard.add(s))
	go s.read()
}

func spread(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }

// greet says hello and replays what the client has missed. The socket is
// registered already: what happens meanwhile waits in its queue.
func (s *socket) greet(after, now portal.Cursor) {
	if s.hub.cfg.Alive != nil && !s.alive() {
		return
	}
	s.greeted = now
	if after == "" {
		s.release(helloFrame(now))
		return
	}
	s.greeted = after
	if len(after) > maxCursor {
		s.greeted = now
		s.hub.counts.resyncs.Add(1)
		s.release(helloFrame(now), resyncFrame(now))
		return
	}
	frame, err := s.replay(after, nil, now, func(portal.Event) bool { return true })
	if err != nil {
		s.fail("replay", err)
		return
	}
	s.release(helloFrame(after), frame)
}

// replay reads the events after a cursor. Where they cannot be had, or are too
// many, the frame says so: with the position now the client is to read from.
func (s *socket) replay(after portal.Cursor, items []string, now portal.Cursor,
	wanted func(portal.Event) bool) ([]byte, error) {
	gap, err := s.gap(after, items)
	if errors.Is(err, portal.ErrCursorTooOld) {
		s.hub.counts.resyncs.Add(1)
		s.greeted = now
		return resyncFrame(now), nil
	}
	if err != nil {
		return nil, err
	}
	s.hub.counts.replays.Add(1)
	list := make([][]byte, 0, len(gap.Events))
	for i := range gap.Events {
		if e := &gap.Events[i]; s.mayHear(e) && wanted(*e) {
			list = append(list, appendEvent(nil, *e))
		}
	}
	cursor := gap.Cursor
	if items != nil {
		// Only some of the gap is told, and it is put before frames that
		// already wait: it brings the client no further.
		if len(list) == 0 {
			return nil, nil
		}
		cursor = after
	}
	frame := eventsFrame(cursor, list...)
	if len(frame) > s.hub.cfg.QueueBytes/2 {
		s.hub.counts.resyncs.Add(1)
		return resyncFrame(cursor), nil
	}
	return frame, nil
}

// gap returns what came after a cursor, from memory if it goes back so far or can
// be made to by one reading for all, else from the log.
func (s *socket) gap(after portal.Cursor, items []string) (gap portal.Batch, err error) {
	h := s.hub
	wanted := func(e *portal.Event) bool {
		return s.mayHear(e) && (e.Kind != portal.EventItem || slices.Contains(items, e.Ref))
	}
	events, to, ok := h.tail.since(after, wanted)
	if !ok && h.ask(func(ctx context.Context) error { return h.tail.reach(ctx, after, h.cfg.EventLog.Tail) }) == nil {
		events, to, ok = h.tail.since(after, wanted)
	}
	if ok {
		return portal.Batch{Cursor: to, Events: events}, nil
	}
	err = h.ask(func(ctx context.Context) error {
		gap, err = h.cfg.EventLog.Since(ctx, s.who, after, items)
		return err
	})
	return gap, err
}

// mayHear holds for replayed events what delivery holds for live ones, whatever
// the log returned.
func (s *socket) mayHear(e *portal.Event) bool {
	switch {
	case e.Kind == portal.EventSession, e.Kind == portal.EventPing:
		return false
	case s.who.Staff():
		return staffHear(e.Kind)
	}
	return e.CustomerID == 0 || e.CustomerID == s.who.CustomerID
}

// alive asks whether the session lives, and ends the socket if it does not or
// if that cannot be known.
func (s *socket) alive() bool {
	alive, err := s.hub.poll.alive(s.hub, s.who.ID)
	switch {
	case err != nil:
		s.fail("check session", err)
	case !alive:
		s.end(closeSessionEnded, "session ended")
	}
	return err == nil && alive
}

// fail ends a socket for a fault of ours; its client returns later.
func (s *socket) fail(doing string, err error) {
	if s.hub.ctx.Err() == nil {
		s.hub.cfg.Logger.Warn("socket given up", "doing", doing, "session", s.who.ID, "error", err)
	}
	s.end(websocket.StatusTryAgainLater, "try again later")
}

// thinWriter gives the websocket small buffers instead of the server's own of
// 4 KiB each, and keeps the connection for the frames we write ourselves.
type thinWriter struct {
	http.ResponseWriter
	conn net.Conn
}

const (
	readBuffer  = 512
	writeBuffer = 256 // a control frame, which is at most 127 bytes, is one Write
)

// Hijack implements http.Hijacker.
func (t *thinWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, old, err := http.NewResponseController(t.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	t.conn = conn
	n := old.Reader.Buffered()
	early, err := old.Reader.Peek(n) // what the client sent without waiting for our answer
	if err != nil {
		return nil, nil, err
	}
	r := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(early), conn), max(readBuffer, n))
	if _, err := r.Peek(n); err != nil {
		return nil, nil, err
	}
	return conn, bufio.NewReadWriter(r, bufio.NewWriterSize(conn, writeBuffer)), nil
}

// Unwrap lets the connection's own methods be found.
func (t *thinWriter) Unwrap() http.ResponseWriter { return t.ResponseWriter }
