//go:build unix

package realtime

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// BenchmarkBroadcast compares the ways to write one event to many sockets; see
// docs/decisions/0010-frames-are-written-by-the-hub.md. Only the writing is measured: what
// was written is read while the clock stands.
func BenchmarkBroadcast(b *testing.B) {
	const sockets = 2_000
	payload := []byte(
		`{"cursor":"1000:1000:@7","events":[{"id":1,"kind":"catalog","ref":"","at":"2026-06-29T14:00:00.000Z"}]}`)
	frame := seal(append(make([]byte, headerSpace), payload...))
	none := &round{} // a socket that takes only half leaves nothing to do for another goroutine
	for _, way := range []struct {
		name      string
		broadcast func([]*socket) error
	}{
		{"library", func(all []*socket) error {
			return eachAlone(all, func(s *socket) error {
				return s.conn.Write(context.Background(), websocket.MessageText, payload)
			})
		}},
		{"library-timeout", func(all []*socket) error { // as a program would that does not wait for ever
			return eachAlone(all, func(s *socket) error {
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				defer cancel()
				return s.conn.Write(ctx, websocket.MessageText, payload)
			})
		}},
		{"frame", func(all []*socket) error {
			return eachAlone(all, func(s *socket) error { _, err := s.wire.Write(frame); return err })
		}},
		{"round-library", func(all []*socket) error {
			return inRound(all, func(s *socket) error {
				return s.conn.Write(context.Background(), websocket.MessageText, payload)
			})
		}},
		{"round", func(all []*socket) error {
			return inRound(all, func(s *socket) error { _, err := s.writeNow(none, frame); return err })
		}},
	} {
		b.Run(way.name, func(b *testing.B) {
			all, clients := benchSockets(b, sockets)
			b.ReportAllocs()
			var used time.Duration
			for b.Loop() {
				before := processorTime()
				if err := way.broadcast(all); err != nil {
					b.Fatal(err)
				}
				used += processorTime() - before
				b.StopTimer()
				for _, c := range clients {
					if _, err := io.CopyN(io.Discard, c, int64(len(frame))); err != nil {
						b.Fatal(err)
					}
				}
				b.StartTimer()
			}
			b.ReportMetric(float64(used)/float64(b.N)/sockets, "cpu-ns/frame")
		})
	}
}

// eachAlone writes with a goroutine for each socket.
func eachAlone(all []*socket, write func(*socket) error) error {
	var wg sync.WaitGroup
	failed := make(chan error, 1)
	for _, s := range all {
		wg.Go(func() { keep(failed, write(s)) })
	}
	wg.Wait()
	return first(failed)
}

// inRound writes with as many goroutines as a round has.
func inRound(all []*socket, write func(*socket) error) error {
	var wg sync.WaitGroup
	failed := make(chan error, 1)
	workers := runtime.GOMAXPROCS(0)
	for n := range workers {
		wg.Go(func() {
			for i := n; i < len(all); i += workers {
				keep(failed, write(all[i]))
			}
		})
	}
	wg.Wait()
	return first(failed)
}

func keep(failed chan error, err error) {
	if err != nil {
		select {
		case failed <- err:
		default:
		}
	}
}

func first(failed chan error) error {
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// benchSockets opens websockets and returns both ends.
func benchSockets(b *testing.B, n int) ([]*socket, []net.Conn) {
	b.Helper()
	opened := make(chan *socket)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		thin := &thinWriter{ResponseWriter: w}
		conn, err := websocket.Accept(thin, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
		if err != nil {
			b.Error(err)
			close(opened)
			return
		}
		s := &socket{conn: conn, wire: thin.conn}
		if s.raw, err = thin.conn.(*net.TCPConn).SyscallConn(); err != nil {
			b.Error(err)
		}
		opened <- s
	}))
	b.Cleanup(server.Close)
	address := strings.TrimPrefix(server.URL, "http://")
	request := []byte("GET / HTTP/1.1\r\nHost: " + address + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n")
	all, clients := make([]*socket, n), make([]net.Conn, n)
	answer := make([]byte, 0, 512)
	for i := range all {
		client, err := net.Dial("tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = client.Close() })
		if _, err := io.Copy(client, bytes.NewReader(request)); err != nil {
			b.Fatal(err)
		}
		if all[i] = <-opened; all[i] == nil {
			b.FailNow()
		}
		b.Cleanup(func() { _ = all[i].conn.CloseNow() })
		for answer = answer[:0]; !bytes.HasSuffix(answer, []byte("\r\n\r\n")); {
			k, err := client.Read(answer[len(answer):cap(answer)])
			if err != nil {
				b.Fatal(err)
			}
			answer = answer[:len(answer)+k]
		}
		clients[i] = client
	}
	return all, clients
}

// processorTime is what this process has used of its processors.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
