package realtime

import (
	"errors"
	"runtime"
	"sync/atomic"
	"syscall"
)

// round is the writing of what one delivery has queued, done by a few
// goroutines for all its sockets: one for each would cost as much as the
// writing. A socket that does not take its frame at once gets one of its own.
type round struct {
	sockets []*socket
	next    atomic.Int64
}

// start begins the writing and does not wait for it. Nothing is added after.
func (r *round) start() {
	for range min(runtime.GOMAXPROCS(0), (len(r.sockets)+31)/32) {
		go r.work()
	}
}

func (r *round) work() {
	for {
		i := int(r.next.Add(1)) - 1
		if i >= len(r.sockets) {
			return
		}
		r.sockets[i].write(r)
	}
}

// writeNow writes a frame if the connection takes it without waiting; wrote is
// false if it takes nothing. Of a frame that it takes a part of the rest must
// follow before anything else: that is waited for, and another goroutine does
// the round's work meanwhile.
func (s *socket) writeNow(r *round, frame []byte) (wrote bool, err error) {
	waiting := false
	outer := s.raw.Write(func(fd uintptr) bool {
		for {
			var n int
			n, err = tryWrite(fd, frame)
			switch {
			case n > 0:
				wrote = true
				if frame = frame[n:]; len(frame) == 0 {
					err = nil
					return true
				}
			case errors.Is(err, syscall.EINTR):
			case errors.Is(err, syscall.EAGAIN) && wrote:
				if !waiting {
					waiting = true
					go r.work()
				}
				return false
			default:
				return true
			}
		}
	})
	if outer != nil {
		return true, outer
	}
	if errors.Is(err, syscall.EAGAIN) {
		return false, nil
	}
	return true, err
}
