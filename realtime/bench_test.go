package realtime_test

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
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"

	"portal.example/portal"
	"portal.example/portal/realtime"
)

// crowd is many sockets with the barest of clients: a connection each, and a
// goroutine only where frames are to be read.
type crowd struct {
	hub   *realtime.Hub
	heard atomic.Int64 // bytes
}

func newCrowd(b *testing.B, n, customers int, reading bool) *crowd {
	b.Helper()
	l := &log{}
	c := &crowd{hub: realtime.New(realtime.Config{EventLog: l})}
	c.hub.Deliver(portal.Batch{Cursor: "0"})
	var next atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := next.Add(1)
		c.hub.ServeLive(w, r, portal.Session{ID: portal.SessionID(i), CustomerID: portal.CustomerID(1 + i%int64(customers)),
			Role: portal.RoleBuyer})
	}))
	b.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := c.hub.Close(ctx); err != nil && !errors.Is(err, context.Canceled) {
			b.Error(err)
		}
		server.Close()
	})
	address := strings.TrimPrefix(server.URL, "http://")
	const hello = `{"hello":{"cursor":"0"}}`
	buf := make([]byte, 4096)
	for range n {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.Close() })
		fmt.Fprintf(conn, "GET /live HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: "+
			"websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n", address)
		got := ""
		for !strings.HasSuffix(got, hello) {
			k, err := conn.Read(buf)
			if err != nil {
				b.Fatal(err)
			}
			got += string(buf[:k])
		}
		if reading {
			go func() {
				r := bufio.NewReaderSize(conn, 512)
				for {
					k, err := r.Discard(1)
					if err != nil {
						return
					}
					k2, err := r.Discard(r.Buffered())
					c.heard.Add(int64(k + k2))
					if err != nil && !errors.Is(err, io.EOF) {
						return
					}
				}
			}()
		}
	}
	return c
}

// BenchmarkDeliver is one event to all sockets, through to the clients, which
// are in this process, too; and how long Deliver itself took of it.
func BenchmarkDeliver(b *testing.B) {
	for _, n := range []int{1_000, 8_000} { // two file descriptors each
		for name, event := range map[string]portal.Event{
			"everybody": {ID: 1, Kind: portal.EventCatalog},
			"customer":  {ID: 1, Kind: portal.EventOrder, CustomerID: 7, Ref: "SO-100023", Data: []byte(`{"status":"SHIPPED"}`)},
		} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				c := newCrowd(b, n, n/4, true)
				told := int64(4)
				if event.CustomerID == 0 {
					told = int64(n)
				}
				i := 0
				frames := c.hub.Stats().Frames
				for b.Loop() {
					i++
					c.hub.Deliver(portal.Batch{Cursor: portal.Cursor(fmt.Sprint(i)), Events: []portal.Event{event}})
					for c.hub.Stats().Frames < frames+int64(i)*told {
						runtime.Gosched()
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(told), "ns/frame")
			})
		}
	}
}

// BenchmarkIdleSocket reports what an idle socket keeps resident, its client's
// half, which is in this process, included.
func BenchmarkIdleSocket(b *testing.B) {
	const n = 8_000
	for b.Loop() {
		debug.FreeOSMemory()
		before, resident := memory()
		newCrowd(b, n, n/4, false)
		for range 3 { // stacks shrink by half at each collection
			debug.FreeOSMemory()
		}
		after, residentAfter := memory()
		b.ReportMetric(float64(after-before)/n, "heap+stack-B/socket")
		b.ReportMetric(float64(residentAfter-resident)/n, "resident-B/socket")
		b.ReportMetric(float64(runtime.NumGoroutine())/n, "goroutines/socket")
	}
}

// memory returns what the runtime has in use, and what the process has resident
// (0 where that cannot be had).
func memory() (used, resident int64) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	raw, err := os.ReadFile("/proc/self/statm")
	var size, pages int64
	if err == nil {
		_, _ = fmt.Sscan(string(raw), &size, &pages)
	}
	return int64(m.HeapInuse + m.StackInuse), pages * int64(os.Getpagesize())
}
