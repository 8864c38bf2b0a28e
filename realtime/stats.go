package realtime

import "sync/atomic"

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
}

type counts struct {
	sockets, queueBytes, frames, replays, resyncs, slow, dead atomic.Int64
}

// Stats is cheap enough to be asked on every scrape.
func (h *Hub) Stats() Stats {
	c := &h.counts
	return Stats{
		Sockets: c.sockets.Load(), QueueBytes: c.queueBytes.Load(), Frames: c.frames.Load(), Replays: c.replays.Load(),
		Resyncs: c.resyncs.Load(), SlowCloses: c.slow.Load(), DeadCloses: c.dead.Load(),
	}
}
