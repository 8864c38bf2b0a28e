package listener

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pglogrepl"

	"portal.example/portal"
)

const (
	// statusEvery is how often the server is told where we are when that has
	// changed, so that it can let go of what it keeps for us.
	statusEvery = time.Second

	// statusAnyway is how often it is told in any case.
	statusAnyway = 5 * time.Second

	// gather bounds the messages that are read before what they brought is
	// delivered.
	gather = 1024

	// mostMarks bounds the positions that wait for the stream to pass them.
	mostMarks = 64
)

// following is a WAL that streams.
type following struct {
	*WAL
	stream  *walStream
	decoder decoder
	marks   <-chan mark
	deliver func(portal.Batch)

	waiting   []mark
	batch     []portal.Event
	took      int           // messages since the last delivery
	delivered pglogrepl.LSN // everything that committed before it has been delivered
	told      pglogrepl.LSN // what the server knows of that
}

// run delivers what the stream brings until it ends.
func (f *following) run(ctx context.Context) error {
	f.delivered = f.stream.passed
	defer f.rest() // which is known as delivered already
	for {
		message, err := f.stream.receive(ctx, time.Now().Add(f.cfg.Poll), !f.decoder.open)
		if err != nil {
			return err
		}
		if message != nil {
			whole, err := f.decoder.take(message)
			if err != nil {
				return err
			}
			if whole {
				f.transaction(f.decoder.tx)
			}
		}
		// Transactions that have come together are one batch.
		if f.took++; f.took >= gather || len(f.batch) >= f.cfg.MaxEvents || !f.stream.buffered() {
			if err := f.flush(); err != nil {
				return err
			}
		}
		if err := f.status(ctx); err != nil {
			return err
		}
	}
}

// transaction adds one that has committed to the batch.
func (f *following) transaction(tx transaction) {
	f.stream.passed = max(f.stream.passed, tx.end)
	if tx.count == 0 {
		return
	}
	f.counts.wakeUps.Add(1)
	if f.held.Shows(tx.xid) {
		return // a poll was quicker
	}
	if len(f.batch)+tx.count > f.cfg.MaxEvents {
		f.rest()
	}
	if tx.count > f.cfg.MaxEvents {
		f.hand(portal.Batch{Cursor: f.cursor, Resync: true}, f.deliver)
		return
	}
	fresh := f.unknown(ordered(tx.events))
	for _, e := range fresh {
		f.more[e.ID] = tx.xid
	}
	if f.batch == nil {
		f.batch = fresh
	} else {
		f.batch = append(f.batch, fresh...)
	}
}

// rest delivers the batch without a new position.
func (f *following) rest() {
	if len(f.batch) > 0 {
		f.hand(portal.Batch{Cursor: f.cursor, Events: f.batch}, f.deliver)
		f.batch = nil
	}
}

// flush delivers the batch, and the newest position that the stream has passed.
func (f *following) flush() error {
	f.took = 0
	select {
	case m := <-f.marks:
		f.wait(m)
	default:
	}
	cursor := f.cursor
	passed := 0
	for passed < len(f.waiting) && f.waiting[passed].lsn <= f.stream.passed {
		passed++
	}
	if passed > 0 {
		cursor = f.waiting[passed-1].cursor
		f.waiting = append(f.waiting[:0], f.waiting[passed:]...)
	}
	lost := f.lost.Swap(false)
	if cursor != f.cursor || len(f.batch) > 0 || lost {
		if err := f.advance(cursor); err != nil {
			return err
		}
		f.hand(portal.Batch{Cursor: cursor, Events: f.batch, Resync: lost}, f.deliver)
		f.batch = nil
	}
	f.delivered = f.stream.passed
	f.stands.delivered.Store(uint64(f.delivered))
	return nil
}

// wait keeps a position until it is passed. Of many, as when the stream is far
// behind, every other is enough.
func (f *following) wait(m mark) {
	if len(f.waiting) == mostMarks {
		kept := f.waiting[:0]
		for i := 1; i < mostMarks; i += 2 {
			kept = append(kept, f.waiting[i])
		}
		f.waiting = kept
	}
	f.waiting = append(f.waiting, m)
}

// status tells the server where we are when it is time to, asks it where it is
// when a position waits for that, and notices that it has gone silent.
func (f *following) status(ctx context.Context) error {
	now := time.Now()
	silent := now.Sub(f.stream.heardAt)
	if silent > f.cfg.ReadTimeout {
		return errors.New("event source: stream: the server has gone silent")
	}
	ask := len(f.waiting) > 0 && now.Sub(f.stream.askedAt) >= f.cfg.Poll/2
	since := now.Sub(f.stream.statusAt)
	if !ask && since < statusAnyway && (since < statusEvery || f.delivered == f.told) {
		return nil
	}
	f.told = f.delivered
	// an answer shows that the connection stands
	return f.stream.tell(ctx, f.delivered, ask || silent > statusAnyway)
}
