package listener

import "sync/atomic"

// StreamStats is how the stream of a WAL stands.
type StreamStats struct {
	Streaming bool   // a stream stands; without one the log is polled
	LagBytes  int64  // written to the write-ahead log, and not delivered or passed over yet
	Trouble   string // why there is no stream; empty while one stands, and at first
}

// standing is what the stats of a WAL have beyond the counts.
type standing struct {
	streaming          atomic.Bool
	written, delivered atomic.Uint64 // places in the write-ahead log
	trouble            atomic.Pointer[string]
}

// say notes why there is no stream; nil: there is one.
func (s *standing) say(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	s.trouble.Store(&text)
}

// Stats may be asked at any time, from any goroutine.
func (w *WAL) Stats() Stats {
	s := w.counts.stats()
	s.Streaming = w.stands.streaming.Load()
	s.NotifyHealthy = s.Streaming
	if written, delivered := w.stands.written.Load(), w.stands.delivered.Load(); s.Streaming && written > delivered {
		s.LagBytes = int64(written - delivered)
	}
	if text := w.stands.trouble.Load(); text != nil && !s.Streaming {
		s.Trouble = *text
	}
	return s
}
