package realtime

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"portal.example/portal"
)

// client is one socket. Frames wait in a queue that is bounded in bytes; a
// goroutine writes while there are any and ends when there are none, so an idle
// socket costs one goroutine, its reader.
type client struct {
	hub     *Hub
	who     portal.Session
	conn    *websocket.Conn
	watched []string // guarded by itemIndex.mu
	heard   atomic.Bool

	mu      sync.Mutex
	queue   [][]byte
	bytes   int
	open    bool // replay is written: the queue may be
	writing bool
	ended   bool
}

// send queues a frame and never waits. A socket whose queue is full is closed:
// it comes back with its cursor and gets what it missed.
func (c *client) send(frame []byte) {
	c.heard.Store(true)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return
	}
	if c.bytes+len(frame) > c.hub.config.QueueBytes {
		c.hub.slow.Add(1)
		c.endLocked(CloseTooSlow, "too slow")
		return
	}
	c.queue = append(c.queue, frame)
	c.bytes += len(frame)
	c.hub.queued.Add(int64(len(frame)))
	c.writeLocked()
}

// release lets the queue be written: what was replayed has gone out before it.
func (c *client) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open = true
	c.writeLocked()
}

func (c *client) writeLocked() {
	if c.open && !c.writing && !c.ended && len(c.queue) > 0 {
		c.writing = true
		go c.write()
	}
}

func (c *client) write() {
	for {
		c.mu.Lock()
		if len(c.queue) == 0 || c.ended {
			c.writing = false
			c.queue = nil
			c.mu.Unlock()
			return
		}
		frames := c.queue
		c.queue = nil
		c.mu.Unlock()
		for _, f := range frames {
			if err := c.writeFrame(f); err != nil {
				c.end(CloseTooSlow, "too slow")
				return
			}
			c.mu.Lock()
			if !c.ended {
				c.bytes -= len(f)
				c.hub.queued.Add(-int64(len(f)))
			}
			c.mu.Unlock()
		}
	}
}

func (c *client) writeFrame(f []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), c.hub.config.WriteTimeout)
	defer cancel()
	if err := c.conn.Write(ctx, websocket.MessageText, f); err != nil {
		return err
	}
	c.hub.frames.Add(1)
	return nil
}

// end closes the socket with a code; only the first call counts. The closing
// handshake runs beside, so nobody waits for the other side.
func (c *client) end(code websocket.StatusCode, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endLocked(code, reason)
}

func (c *client) endLocked(code websocket.StatusCode, reason string) {
	if c.ended {
		return
	}
	c.ended = true
	c.hub.queued.Add(-int64(c.bytes))
	c.queue, c.bytes = nil, 0
	go func() { _ = c.conn.Close(code, reason) }() // the other side may be gone
}

// ping finds sockets whose other end is gone without a word.
func (c *client) ping() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := c.conn.Ping(ctx); err != nil {
		_ = c.conn.CloseNow()
	}
}
