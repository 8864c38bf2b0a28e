// Package wire is a network that tests can break: a TCP proxy whose connections
// can be cut, as by a reset, or frozen, as by a cable that is pulled: both ends
// then believe in a connection that carries nothing.
package wire

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Wire carries connections to one target. It ends with the test. Safe for
// concurrent use.
type Wire struct {
	Addr string // host:port to connect to

	network, target string

	mu     sync.Mutex
	moving *sync.Cond
	conns  map[net.Conn]bool // of both ends; true: stranded
	down   bool
	frozen bool
}

// New starts a proxy on the loopback to a target, "tcp" or "unix".
func New(t testing.TB, network, target string) *Wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &Wire{Addr: l.Addr().String(), network: network, target: target, conns: map[net.Conn]bool{}}
	w.moving = sync.NewCond(&w.mu)
	t.Cleanup(func() { l.Close(); w.Cut() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.carry(c)
		}
	}()
	return w
}

func (w *Wire) carry(near net.Conn) {
	defer near.Close()
	far, err := net.Dial(w.network, w.target)
	if err != nil {
		return
	}
	defer far.Close()
	w.mu.Lock()
	if w.down {
		w.mu.Unlock()
		return
	}
	w.conns[near], w.conns[far] = false, false
	w.mu.Unlock()
	done := make(chan struct{}, 2)
	for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
		go func() { _, _ = io.Copy(gate{w, pair[0]}, pair[1]); done <- struct{}{} }()
	}
	<-done
	w.wait(near) // the news of an end is carried like anything else
	w.mu.Lock()
	delete(w.conns, near)
	delete(w.conns, far)
	w.mu.Unlock()
}

// gate lets bytes through to a connection while the wire is whole.
type gate struct {
	w  *Wire
	to net.Conn
}

func (g gate) Write(b []byte) (int, error) {
	g.w.wait(g.to)
	return g.to.Write(b)
}

// wait returns when bytes may pass, or all is over.
func (w *Wire) wait(c net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.down && (w.frozen || w.conns[c]) { // of one that was broken nothing is known any more: it goes on, and fails
		w.moving.Wait()
	}
}

// Cut breaks all connections and lets no new one through.
func (w *Wire) Cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = true
	for c := range w.conns {
		c.Close()
	}
	clear(w.conns)
	w.moving.Broadcast()
}

// Break breaks the connections there are; new ones are carried.
func (w *Wire) Break() {
	w.Cut()
	w.Mend()
}

// Freeze stops every byte, without a word to either end.
func (w *Wire) Freeze() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frozen = true
}

// Strand stops the connections there are for good; new ones are carried.
func (w *Wire) Strand() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.conns {
		w.conns[c] = true
	}
}

// Mend lets connections through again, and what was frozen goes on.
func (w *Wire) Mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down, w.frozen = false, false
	w.moving.Broadcast()
}
