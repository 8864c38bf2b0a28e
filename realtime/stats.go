package realtime

import (
	"sync/atomic"
	"time"

	"portal.example/portal/health"
)

// Stats is how a hub stands. Sockets and QueueBytes are of the moment, the
// others count since New.
type Stats struct {
	Sockets    int64
	QueueBytes int64 // waiting for all sockets together
	Frames     int64 // written, control frames aside
	Replays    int64 // gaps replayed, those of newly watched items included
	Resyncs    int64 // sockets told to read everything again
	SlowCloses int64 // closed with 4008
	DeadCloses int64 // gave no answer to a ping, or did not take a write in time
	Refused    int64 // closed with 1008: frames that no page sends, or too many of them

	// Lag is from the time a change was written, by the database's clock, to
	// the time its frame was handed to a socket's connection, by ours: one
	// observation a write, of the oldest event in it. Replays are not counted:
	// who was away is late for reasons of its own. The rest of the transaction
	// that wrote the change is part of it.
	Lag health.Distribution
}

// lagBounds are narrow where a healthy portal is, and wide where it is not.
var lagBounds = []time.Duration{
	500 * time.Microsecond, time.Millisecond, 1500 * time.Microsecond, 2 * time.Millisecond, 3 * time.Millisecond,
	5 * time.Millisecond, 7500 * time.Microsecond, 10 * time.Millisecond, 15 * time.Millisecond, 25 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 175 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 30 * time.Second,
}

type counts struct {
	sockets, queueBytes, frames, replays, resyncs, slow, dead, refused atomic.Int64

	lag *health.Histogram
}

// Stats is cheap enough to be asked on every scrape.
func (h *Hub) Stats() Stats {
	c := &h.counts
	return Stats{
		Sockets: c.sockets.Load(), QueueBytes: c.queueBytes.Load(), Frames: c.frames.Load(), Replays: c.replays.Load(),
		Resyncs: c.resyncs.Load(), SlowCloses: c.slow.Load(), DeadCloses: c.dead.Load(), Refused: c.refused.Load(),
		Lag: c.lag.Read(),
	}
}
