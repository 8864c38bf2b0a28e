package realtime

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coder/websocket"

	"portal.example/portal"
)

// Closing codes that are ours; clients act on them.
const (
	closeSessionEnded websocket.StatusCode = 4001 // go to log-in
	closeNotAllowed   websocket.StatusCode = 4003 // do not return
	closeTooSlow      websocket.StatusCode = 4008 // return with the cursor

	// gone marks a socket whose client has left; it is never sent.
	gone websocket.StatusCode = -1
)

// closeGrace is how long a closed socket may take to let the closing frame
// through and to answer it.
const closeGrace = 5 * time.Second

// socket is one open /live. An idle one has a single goroutine, which reads:
// whoever puts the first frame into an empty queue starts another, which ends
// when the queue is empty again, or hands it to the round of a delivery. All times are of the hub's clock, in Unix
// nanoseconds, and looked at by the wheel; a socket has no timer.
//
// Frames are written to the connection as they are, header and all, because
// every recipient gets the same bytes. The websocket library writes control
// frames to it (pong, close), each in one Write; a connection does not mix two
// Writes.
type socket struct {
	hub   *Hub
	shard *shard
	who   portal.Session // without what nobody asks for here
	conn  *websocket.Conn
	wire  net.Conn
	raw   syscall.RawConn // of wire; nil where it cannot be written to without waiting

	greeted portal.Cursor // the position in its hello, or where a resync left it

	watching sync.Mutex // held while the set of watched items is being changed
	asked    bool       // whether it has watched anything yet; under watching
	watched  []*topic   // under shard.mu

	unanswered atomic.Bool // no pong since the last ping
	chattedAt  int64       // what its frames so far have used up of its allowance; the reader's
	writer     sync.WaitGroup

	mu       sync.Mutex
	queue    net.Buffers // frames as sent; nil while idle
	size     int         // bytes in queue and in the write under way
	eventAt  int64       // when the oldest event in queue was written; 0: none is
	held     bool        // frames wait for a replay to be put before them
	writing  bool
	code     websocket.StatusCode // why it ends; 0: it does not
	reason   string
	deadline int64 // of the write or the closing under way; 0: none
	pinging  bool  // pingAt is when the pong is late
	pingAt   int64 // when to ping next
	cursorAt int64 // when to send a cursor without events
	checkAt  int64 // when to ask whether the session lives; 0: never
}

// room returns which room it is in.
func (s *socket) room() portal.CustomerID {
	if s.who.Staff() {
		return staffRoom
	}
	return s.who.CustomerID
}

// push queues one frame and never waits: a queue that would grow over its bound
// ends the socket. eventAt is when the oldest event in it was written, 0 where
// it has none; cursorAt is when the next cursor is due after this one. It is
// written in a round, if there is one.
func (s *socket) push(r *round, frame []byte, eventAt, cursorAt int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.code != 0 {
		return
	}
	if s.size+len(frame) > s.hub.cfg.QueueBytes {
		s.hub.counts.slow.Add(1)
		s.endLocked(closeTooSlow, "too slow")
		return
	}
	s.cursorAt = cursorAt
	s.queue = append(s.queue, frame)
	if eventAt != 0 && (s.eventAt == 0 || eventAt < s.eventAt) {
		s.eventAt = eventAt
	}
	s.grow(len(frame))
	s.startLocked(r)
}

// hold keeps frames back until release.
func (s *socket) hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = true
}

// release puts frames before those held and lets all go.
func (s *socket) release(frames ...[]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = false
	if s.code != 0 {
		return
	}
	n := 0
	for _, f := range frames {
		n += len(f)
	}
	if s.size+n > s.hub.cfg.QueueBytes {
		s.hub.counts.slow.Add(1)
		s.endLocked(closeTooSlow, "too slow")
		return
	}
	s.queue = append(net.Buffers(frames), s.queue...)
	s.grow(n)
	s.startLocked(nil)
}

func (s *socket) grow(n int) {
	s.size += n
	s.hub.counts.queueBytes.Add(int64(n))
}

// end closes the socket with a code, without waiting for it. Only the first
// call counts.
func (s *socket) end(code websocket.StatusCode, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endLocked(code, reason)
}

func (s *socket) endLocked(code websocket.StatusCode, reason string) {
	if s.code != 0 {
		return
	}
	s.code, s.reason = code, reason
	waiting := 0
	for _, f := range s.queue {
		waiting += len(f)
	}
	s.queue = nil
	s.grow(-waiting)
	if code != gone {
		s.deadline = s.hub.now().Add(closeGrace).UnixNano()
		s.startLocked(nil)
	}
}

func (s *socket) startLocked(r *round) {
	if s.writing || (s.code == 0 && (s.held || len(s.queue) == 0)) {
		return
	}
	s.writing = true
	s.writer.Add(1)
	if r != nil && s.raw != nil && s.code == 0 {
		r.sockets = append(r.sockets, s)
		return
	}
	go s.write(nil)
}

// write sends what is queued until nothing is, and the closing frame if the
// socket ends. In a round it leaves what would have to be waited for to another
// goroutine.
func (s *socket) write(r *round) {
	defer s.writer.Done()
	for {
		s.mu.Lock()
		if s.code != 0 {
			code, reason := s.code, s.reason
			s.mu.Unlock()
			if code != gone && r != nil {
				s.continueAlone()
				return
			}
			if code != gone {
				_ = s.conn.Close(code, reason) // whether the client heard it changes nothing
			}
			return
		}
		if len(s.queue) == 0 || s.held {
			s.writing = false
			s.mu.Unlock()
			return
		}
		if r != nil && len(s.queue) > 1 {
			s.mu.Unlock()
			s.continueAlone()
			return
		}
		frames, n, eventAt := s.queue, s.size, s.eventAt
		s.queue, s.eventAt = nil, 0
		now := s.hub.now()
		s.deadline = now.Add(s.hub.cfg.WriteTimeout).UnixNano()
		s.mu.Unlock()
		if eventAt != 0 {
			s.hub.counts.lag.Observe(time.Duration(s.hub.cfg.Now().UnixNano() - eventAt))
		}

		told := 0
		for _, f := range frames {
			if isText(f) {
				told++
			}
		}
		var err error
		switch {
		case r != nil:
			var wrote bool
			if wrote, err = s.writeNow(r, frames[0]); !wrote {
				s.mu.Lock()
				if s.code == 0 {
					s.queue, s.deadline = append(frames, s.queue...), 0
				} else {
					s.grow(-n)
				}
				s.mu.Unlock()
				s.continueAlone()
				return
			}
		case len(frames) == 1:
			_, err = s.wire.Write(frames[0])
		default:
			_, err = frames.WriteTo(s.wire)
		}

		s.mu.Lock()
		s.grow(-n)
		if s.code == 0 {
			s.deadline = 0
		}
		s.mu.Unlock()
		if err != nil {
			s.cut() // the reader finds out and leaves
			continue
		}
		s.hub.counts.frames.Add(int64(told))
	}
}

// continueAlone goes on writing on a goroutine of the socket's own.
func (s *socket) continueAlone() {
	s.writer.Add(1)
	go s.write(nil)
}

// cut ends the connection without a word. The reader notices and leaves.
func (s *socket) cut() {
	s.end(gone, "")
	// A TLS connection waits for its closing alert; nobody here does.
	go s.wire.Close()
}

// read hears the client until it leaves. Frames are dealt with on another
// goroutine, one at a time, because a stack that has grown in a database call
// would stay with an idle socket.
func (s *socket) read() {
	defer s.leave()
	done := make(chan struct{})
	for {
		kind, r, err := s.conn.Reader(context.Background())
		if err != nil {
			return
		}
		if !s.mayChat() {
			return
		}
		raw, err := io.ReadAll(io.LimitReader(r, maxFrame+1))
		if err != nil {
			return
		}
		if kind != websocket.MessageText || len(raw) > maxFrame {
			s.refuse("frame refused")
			return
		}
		go func() { s.hear(raw); done <- struct{}{} }()
		<-done
	}
}

// What a client may say: a page says what it shows whenever that changes, and
// each time costs a question to the database.
const (
	chatEvery = 50 * time.Millisecond // a frame, in the long run
	chatBurst = 100                   // frames at once
)

// mayChat counts a frame of the client's, and ends the socket of one that
// chatters. Only the reader calls it.
func (s *socket) mayChat() bool {
	now := s.hub.now().UnixNano()
	s.chattedAt = max(s.chattedAt, now) + int64(chatEvery)
	if s.chattedAt-now <= chatBurst*int64(chatEvery) {
		return true
	}
	s.refuse("too many frames")
	return false
}

// refuse ends the socket of a client that does what no page of ours does.
func (s *socket) refuse(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.code == 0 {
		s.hub.counts.refused.Add(1)
		s.endLocked(websocket.StatusPolicyViolation, reason)
	}
}

// pinged counts a client's own pings as frames.
func (s *socket) pinged(context.Context, []byte) bool { return s.mayChat() }

// leave is the end of every registered socket.
func (s *socket) leave() {
	s.mu.Lock()
	ending := s.code != 0 && s.code != gone
	s.endLocked(gone, "")
	s.mu.Unlock()
	if !ending {
		_ = s.conn.CloseNow()
	}
	s.writer.Wait()
	s.shard.remove(s)
	s.hub.sessions.leave(s.who.ID)
	s.hub.counts.sockets.Add(-1)
	s.hub.open.Done()
}

func (s *socket) pong(context.Context, []byte) { s.unanswered.Store(false) }
