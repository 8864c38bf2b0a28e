package listener

import (
	"math"
	"sync/atomic"
	"time"
)

// Stats is how a source stands. The numbers count since Run began.
type Stats struct {
	StreamStats    // of a WAL only
	Connected      bool
	NotifyHealthy  bool      // the last self-test's notification arrived; false before the first. Of a WAL: it streams
	LastRead       time.Time // when the log was last read; zero before the first time
	Reads          int64     // of the log
	WakeUps        int64     // notifications received, those of self-tests included. Of a WAL: transactions with events
	Events         int64     // delivered
	PollEvents     int64     // of these, found by a poll: nobody woke us for them
	Reconnects     int64     // connections lost, or not got
	Resyncs        int64     // gaps that could not be read any more
	FastPollsBegun int64     // how often it began to read the log by itself
	FastPolling    bool      // reads the log by itself; triggers need not notify
	QueueFull      float64   // part of NOTIFY's queue in use at the last self-test, of 1
}

type counts struct {
	connected, notifyHealthy, fastPolling                                   atomic.Bool
	full                                                                    atomic.Uint64 // bits of a float64
	lastRead                                                                atomic.Int64  // Unix microseconds
	reads, wakeUps, events, pollEvents, reconnects, resyncs, fastPollsBegun atomic.Int64
}

// stats are those that every source has.
func (c *counts) stats() Stats {
	s := Stats{
		Connected: c.connected.Load(), NotifyHealthy: c.notifyHealthy.Load(),
		Reads: c.reads.Load(), WakeUps: c.wakeUps.Load(), Events: c.events.Load(), PollEvents: c.pollEvents.Load(),
		Reconnects: c.reconnects.Load(), Resyncs: c.resyncs.Load(),
		FastPolling: c.fastPolling.Load(), FastPollsBegun: c.fastPollsBegun.Load(),
		QueueFull: math.Float64frombits(c.full.Load()),
	}
	if at := c.lastRead.Load(); at != 0 {
		s.LastRead = time.UnixMicro(at)
	}
	return s
}

// Stats may be asked at any time, from any goroutine.
func (n *Notify) Stats() Stats { return n.counts.stats() }
