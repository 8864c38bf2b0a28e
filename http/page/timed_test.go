package page

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// short is what a visitor without a session has in these tests.
const short = 300 * time.Millisecond

// hurried serves h under short limits, and counts for nothing but time.
func hurried(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	k := &Kit{Config: Config{Limits: Limits{StrangerTime: short, StrangerWrite: short}}}
	server := httptest.NewUnstartedServer(k.Timed(h))
	server.Config.ReadHeaderTimeout = short
	server.Start()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func dial(t testing.TB, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute)) // never reached where all is well
	return conn
}

// dribble sends a byte every few milliseconds until the other side has cut the
// connection, and returns after how long that was.
func dribble(t testing.TB, conn net.Conn, begin string) time.Duration {
	t.Helper()
	start := time.Now()
	if _, err := io.WriteString(conn, begin); err != nil {
		t.Fatal(err)
	}
	cut := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, conn)
		cut <- err
	}()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-cut:
			if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
				t.Fatal("the connection is still open after a minute")
			}
			return time.Since(start)
		case <-tick.C:
			_, _ = conn.Write([]byte("x")) // what follows a cut is told by the reader
		}
	}
}

func readAll(q *http.Request) error {
	_, err := io.Copy(io.Discard, q.Body)
	return err
}

// Without deadlines a body without a session stayed open for as long as was
// tried, whether a handler read it or not, and so did headers.
func TestSlowBodiesAreCut(t *testing.T) {
	t.Parallel()
	read := make(chan error, 1)
	at := hurried(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/reads" {
			read <- readAll(r)
		}
		w.WriteHeader(http.StatusUnauthorized)
	})
	for name, begin := range map[string]string{
		"read by a handler": "POST /reads HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n",
		"read by nobody":    "POST /leaves HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n",
		"of unknown length": "POST /leaves HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
		"a header":          "POST /reads HTTP/1.1\r\nHost: x\r\nX-Long: ",
	} {
		if took := dribble(t, dial(t, at), begin); took < short/2 {
			t.Errorf("%s: cut after %v", name, took)
		}
	}
	if err := <-read; !strings.Contains(fmt.Sprint(unreadable(err)), bodyTooSlow) {
		t.Errorf("the handler reads %v", err)
	}
}

// HTTP/2 has the same deadline for each of its streams.
func TestSlowBodiesOverHTTP2(t *testing.T) {
	t.Parallel()
	read := make(chan error, 1)
	k := &Kit{Config: Config{Limits: Limits{StrangerTime: short, StrangerWrite: time.Minute}}}
	server := httptest.NewUnstartedServer(k.Timed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		read <- readAll(r)
		fmt.Fprint(w, r.Proto)
	})))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	body, more := io.Pipe()
	defer more.Close()
	answer := make(chan string, 1)
	go func() {
		resp, err := server.Client().Post(server.URL, "text/plain", body)
		if err != nil {
			answer <- err.Error()
			return
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		answer <- string(text)
	}()
	if _, err := io.WriteString(more, "a="); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-read:
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the handler reads %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the body is still open after a minute")
	}
	if got := <-answer; got != "HTTP/2.0" {
		t.Errorf("the answer is %q", got)
	}
}

// What no form without a session needs is not taken.
func TestLongBodiesOfStrangers(t *testing.T) {
	t.Parallel()
	at := hurried(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/known" {
			known(r)
		}
		if err := readAll(r); err != nil {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		}
	})
	for path, want := range map[string]int{"/": http.StatusRequestEntityTooLarge, "/known": http.StatusOK} {
		resp, err := http.Post("http://"+at+path, "text/plain", strings.NewReader(strings.Repeat("x", 3*strangerBody)))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
}

// Who has a session may take longer, and so may an answer to a body that was read
// in time.
func TestPatience(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	at := hurried(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/known" {
			known(r)
		}
		if err := readAll(r); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if r.URL.Path == "/slow" {
			select {
			case <-time.After(2 * short):
			case <-r.Context().Done():
			}
			ended <- r.Context().Err()
		}
	})
	slow := dial(t, at)
	fmt.Fprintf(slow, "POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na=b")
	conn := dial(t, at)
	fmt.Fprintf(conn, "POST /known HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na=")
	if err := <-ended; err != nil {
		t.Errorf("a request whose body was read is ended while it is worked on: %v", err)
	}
	fmt.Fprint(conn, "b") // twice as late as a stranger may
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("a slow form of somebody known: %d", resp.StatusCode)
	}
}

// An answer that nobody reads is given up.
func TestUnreadAnswersAreCut(t *testing.T) {
	t.Parallel()
	gaveUp := make(chan error, 1)
	at := hurried(t, func(w http.ResponseWriter, r *http.Request) {
		piece := make([]byte, 64<<10)
		for {
			if _, err := w.Write(piece); err != nil {
				gaveUp <- err
				return
			}
		}
	})
	conn := dial(t, at)
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	select {
	case <-gaveUp:
	case <-time.After(time.Minute):
		t.Error("still writing after a minute")
	}
}

// A connection that has become a websocket has none of these deadlines.
func TestWebsocketsAreLeftAlone(t *testing.T) {
	t.Parallel()
	at := hurried(t, func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := (&recorder{ResponseWriter: w}).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		time.AfterFunc(2*short, func() {
			_, _ = io.WriteString(conn, "late")
			conn.Close()
		})
	})
	conn := dial(t, at)
	fmt.Fprintf(conn, "GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
	if heard, err := io.ReadAll(conn); err != nil || string(heard) != "late" {
		t.Errorf("heard %q, %v", heard, err)
	}
}

// HEAD is answered as GET is, without the body, but for sockets.
func TestHead(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer((&Kit{}).Headed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		fmt.Fprint(w, "a page")
	})))
	t.Cleanup(server.Close)
	for path, want := range map[string]int{"/orders": http.StatusOK, "/live": http.StatusMethodNotAllowed} {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodHead, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != want || len(body) != 0 || want == http.StatusOK && resp.ContentLength != 6 {
			t.Errorf("HEAD %s: %d, %d bytes, length %d", path, resp.StatusCode, len(body), resp.ContentLength)
		}
	}
}

// One address is believed as far as it is trusted, and one that is not is told of
// once.
func TestStrangersAreToldOf(t *testing.T) {
	t.Parallel()
	told := make(chan string, 10)
	k, err := New(Config{UnknownProxy: func(source string) { told <- source }})
	if err != nil {
		t.Fatal(err)
	}
	h := k.Observe(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, k.Source(r)) }))
	ask := func(peer, forwarded string) string {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = peer
		r.Header.Set("X-Forwarded-For", forwarded)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Body.String()
	}
	for range 3 {
		if got := ask("10.1.2.3:5000", "<script>alert(1)</script>"); got != "10.1.2.3" {
			t.Errorf("counts as %s", got)
		}
	}
	if got := ask("[2001:db8:1:2:3::4]:5000", "192.0.2.7"); got != "2001:db8:1:2::/64" {
		t.Errorf("counts as %s", got)
	}
	seen := map[string]bool{<-told: true, <-told: true}
	if !seen["10.1.2.3"] || !seen["2001:db8:1:2::/64"] || len(told) > 0 {
		t.Errorf("told of %v and %d more", seen, len(told))
	}
}
