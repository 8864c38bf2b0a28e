package transport_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"portal.example/portal"
	"portal.example/portal/transport"
)

// dialFrom connects from an address of this machine.
func dialFrom(t testing.TB, from, to string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 30 * time.Second}
	conn, err := d.DialContext(context.Background(), "tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// answered reports whether a request on a connection is answered; false: it was
// cut.
func answered(t testing.TB, conn net.Conn) bool {
	t.Helper()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	_, _ = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
			t.Fatal("neither answered nor cut")
		}
		return false
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	return true
}

// One address opens many connections and says nothing on them. Before there was
// a limit, it could hold all that the process may have.
func TestConnectionsOfOneAddress(t *testing.T) {
	t.Parallel()
	networks, err := portal.ParseNetworks([]string{"127.0.0.9"})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var told []string
	conns := transport.NewConnections(5, networks, func(source string) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, source)
	})
	l := listen(t)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "ok") }),
		ConnState: conns.State}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })
	at := l.Addr().String()

	var held []net.Conn
	for range 5 {
		conn := dialFrom(t, "127.0.0.7", at)
		if !answered(t, conn) {
			t.Fatal("one of the first five was cut")
		}
		held = append(held, conn)
	}
	for range 3 {
		if answered(t, dialFrom(t, "127.0.0.7", at)) {
			t.Error("a sixth connection is answered")
		}
	}
	// Another client; this machine; a trusted proxy
	for _, other := range []string{"127.0.0.8", "127.0.0.1", "127.0.0.9"} {
		for range 7 {
			if ok := answered(t, dialFrom(t, other, at)); !ok && other != "127.0.0.8" {
				t.Errorf("%s is cut", other)
			}
		}
	}
	held[0].Close()
	for deadline := time.Now().Add(30 * time.Second); !answered(t, dialFrom(t, "127.0.0.7", at)); {
		if time.Now().After(deadline) {
			t.Fatal("a place that was given up is not given away")
		}
	}
	mu.Lock()
	defer mu.Unlock()
	slices.Sort(told)
	if !slices.Equal(told, []string{"127.0.0.7", "127.0.0.8"}) {
		t.Errorf("told of %q", told)
	}
}

// A header of the PROXY protocol says who the client is where a trusted proxy
// sends it, and is refused from everybody else. A slow one holds nobody up.
func TestProxyProtocol(t *testing.T) {
	t.Parallel()
	trusted, err := portal.ParseNetworks([]string{"127.0.0.9"})
	if err != nil {
		t.Fatal(err)
	}
	l := listen(t)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.RemoteAddr)
	})}
	go func() { _ = server.Serve(transport.Proxied(l, trusted)) }()
	t.Cleanup(func() { server.Close() })

	slow := dialFrom(t, "127.0.0.9", l.Addr().String())
	_, _ = io.WriteString(slow, "PROXY TCP4 ")
	v2 := append([]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x21\x00\x24"), make([]byte, 36)...)
	copy(v2[16:], net.ParseIP("2001:db8::7"))
	copy(v2[32:], net.ParseIP("2001:db8::1"))
	v2[48], v2[49], v2[50], v2[51] = 0x16, 0x2e, 0x01, 0xbb
	for name, c := range map[string]struct{ from, header, want string }{
		"version 1":    {"127.0.0.9", "PROXY TCP4 192.0.2.7 192.0.2.1 5678 443\r\n", "192.0.2.7:5678"},
		"version 2":    {"127.0.0.9", string(v2), "[2001:db8::7]:5678"},
		"none":         {"127.0.0.9", "", "127.0.0.9"},
		"not trusted":  {"127.0.0.8", "PROXY TCP4 192.0.2.7 192.0.2.1 5678 443\r\n", ""},
		"none, either": {"127.0.0.8", "", "127.0.0.8"},
		"rubbish":      {"127.0.0.9", "PROXY TCP4 <script> 192.0.2.1 5678 443\r\n", ""},
	} {
		conn := dialFrom(t, c.from, l.Addr().String())
		_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
		_, _ = io.WriteString(conn, c.header+"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		got := ""
		if resp, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil {
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				got = string(body)
			}
		}
		if host, _, _ := net.SplitHostPort(got); got != c.want && host != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
