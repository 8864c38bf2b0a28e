package page

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"portal.example/portal"
)

// Requests and answers have deadlines, so that nobody holds a connection by
// sending or reading a byte at a time. Who has no session gets short ones and
// little room; who has one may send the files that forms take, over a slow line.
// The server itself has the one for headers.
const (
	strangerBody  = 64 << 10 // bytes; the longest form without a session is a tenth of it
	strangerTime  = 10 * time.Second
	strangerWrite = 30 * time.Second

	bodyGrace   = 20 * time.Second // and so much more as the bytes received take
	bodyRate    = 4 << 10          // bytes a second, on the whole
	writeGrace  = 30 * time.Second // for one write, which is some KB
	writeLimit  = 10 * time.Minute // for an answer, from its first byte
	writeLeft   = 10 * time.Second // for what is still buffered when a handler has ended
	bodyTooSlow = "The form took too long to arrive. Please try again."
)

// Limits changes the deadlines, for tests. The zero value takes what is above.
type Limits struct {
	StrangerTime  time.Duration // for a whole body without a session
	StrangerWrite time.Duration // for a whole answer without a session
}

func (l Limits) withDefaults() Limits {
	if l.StrangerTime == 0 {
		l.StrangerTime = strangerTime
	}
	if l.StrangerWrite == 0 {
		l.StrangerWrite = strangerWrite
	}
	return l
}

// timed is the clock of one request. It is the body that handlers read, and knows
// the writer that answers go through.
type timed struct {
	io.ReadCloser
	writer http.ResponseWriter
	limits Limits
	start  time.Time
	known  bool // the request has a session
	read   int64
	wrote  time.Time // when the answer began
	left   bool      // the connection is a websocket's now, which has its own deadlines
}

// Timed sets the deadlines of a request. It is the outermost of what a request
// passes, since also an answer that refuses one has to wait for its body.
func (k *Kit) Timed(next http.Handler) http.Handler {
	limits := k.Limits.withDefaults()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t := &timed{ReadCloser: r.Body, writer: w, limits: limits, start: time.Now()}
		if r.ContentLength != 0 {
			t.setRead(t.start.Add(limits.StrangerTime))
		}
		t.setWrite(t.start.Add(limits.StrangerWrite))
		again := *r
		again.Body = t
		next.ServeHTTP(&timedWriter{w, t}, &again)
		if !t.left {
			t.setWrite(time.Now().Add(writeLeft)) // for what is still buffered
		}
	})
}

// Deadlines cannot be set where there is no connection, in tests, and need not be.
func (t *timed) setRead(at time.Time) {
	_ = http.NewResponseController(t.writer).SetReadDeadline(at)
}

func (t *timed) setWrite(at time.Time) {
	_ = http.NewResponseController(t.writer).SetWriteDeadline(at)
}

// known relaxes the deadlines of a request that has a session.
func known(r *http.Request) {
	t, ok := r.Body.(*timed)
	if !ok || t.known {
		return
	}
	t.known = true
	if r.ContentLength != 0 {
		t.setRead(t.start.Add(bodyGrace))
	}
	t.setWrite(time.Now().Add(writeLimit)) // pages may take their time; each write has its own
}

// Read implements io.Reader.
func (t *timed) Read(p []byte) (int, error) {
	if !t.known && t.read >= strangerBody {
		return 0, &http.MaxBytesError{Limit: strangerBody}
	}
	if t.known {
		t.setRead(t.start.Add(bodyGrace + time.Duration(t.read/bodyRate)*time.Second))
	}
	n, err := t.ReadCloser.Read(p)
	t.read += int64(n)
	if errors.Is(err, io.EOF) {
		// From here on the server listens for the client to leave: a deadline would
		// end a request that takes long to answer.
		t.setRead(time.Time{})
	}
	return n, err
}

// beforeWrite sets the deadline of one write.
func (t *timed) beforeWrite() {
	now := time.Now()
	if t.wrote.IsZero() {
		t.wrote = now
	}
	if !t.known {
		return // the one for the whole stands
	}
	deadline := now.Add(writeGrace)
	if most := t.wrote.Add(writeLimit); deadline.After(most) {
		deadline = most
	}
	t.setWrite(deadline)
}

type timedWriter struct {
	http.ResponseWriter
	timed *timed
}

func (w *timedWriter) Write(b []byte) (int, error) {
	w.timed.beforeWrite()
	return w.ResponseWriter.Write(b)
}

// Hijack hands the connection to the websocket.
func (w *timedWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.timed.left = true
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Unwrap lets http.ResponseController reach what it wraps.
func (w *timedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// errTooSlow is a form that did not arrive in time. Its answer is a line of text:
// hardly anybody reads it, and a page is work.
var errTooSlow = errors.New("the body did not arrive in time")

// unreadable is why a form could not be read, in words.
func unreadable(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &portal.Error{Code: portal.CodeInvalid, Message: bodyTooSlow, Err: errTooSlow}
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &portal.Error{Code: portal.CodeInvalid, Message: "That is more than this form takes.", Err: err}
	}
	return &portal.Error{Code: portal.CodeInvalid, Message: "The form could not be read. Please try again.", Err: err}
}
