package portal

import (
	"context"
	"encoding/json"
	"strings"
	"time"
)

// EventKind names what changed. The kinds are a contract with the pages and
// with programs that read GET /live.
type EventKind string

const (
	EventOrder     EventKind = "order"
	EventItem      EventKind = "item"    // one item's price, stock or text; only to sockets that watch it
	EventCatalog   EventKind = "catalog" // which items there are, or many items at once
	EventInvoice   EventKind = "invoice"
	EventPayment   EventKind = "payment"
	EventCredit    EventKind = "credit"
	EventStatement EventKind = "statement"
	EventAccess    EventKind = "access"
	EventCart      EventKind = "cart"
	EventFavorite  EventKind = "favorite"
	EventNotice    EventKind = "notice"
	EventProof     EventKind = "proof" // a price proof is done; for operators' pages
	EventStaff     EventKind = "staff" // people of the staff, and what waits for a second of them

	// EventSession tells the hub that a session ended (Ref is its id, in
	// decimal). It closes sockets and is never sent to a browser.
	EventSession EventKind = "session"
	// EventPing is the listener's self-test of the whole path; never sent.
	EventPing EventKind = "ping"
)

// Event is one row of portal.event: what changed, never by how much. It holds
// only facts that each of its recipients may see.
type Event struct {
	ID         int64           // portal.event.event_id; not in commit order
	XID        uint64          // the transaction that wrote it
	Kind       EventKind       //
	CustomerID CustomerID      // 0: everybody
	Ref        string          // order_no, item_no, invoice_no …; may be empty
	At         time.Time       // when the change was written
	Data       json.RawMessage // a JSON object whose members are merged into the frame; may be empty
}

// Cursor is a position in the stream of events: the text of a pg_snapshot, an @
// and the log's epoch ("xmin:xmax:xip,…@epoch"). Everything visible in the
// snapshot has been delivered. Every node on the same database understands it.
// The empty cursor means "from now on".
//
// The epoch is another after a crash, a failover or a restored dump: transaction
// numbers that were not saved are given again then, and a position from before
// would take the new events for old ones. A cursor without one is not checked.
type Cursor string

// CursorOf joins a snapshot and an epoch.
func CursorOf(snapshot, epoch string) Cursor { return Cursor(snapshot + "@" + epoch) }

// Split returns the snapshot and the epoch.
func (c Cursor) Split() (snapshot, epoch string) {
	snapshot, epoch, _ = strings.Cut(string(c), "@")
	return snapshot, epoch
}

// Batch is what one read of the event log brought: the events not visible at
// the previous cursor, ordered by event id, and the cursor after them.
type Batch struct {
	Cursor Cursor
	Events []Event

	// Resync says that events before Cursor are lost to the reader (pruned
	// while it was away): who shows anything must load it afresh.
	Resync bool
}

// EventSource delivers every committed event exactly once, in batches, from
// the moment Run starts until ctx ends. Deliver is called from one goroutine
// and must not block. Run reconnects by itself and returns only with ctx's
// error, or with an error that no retry can mend.
type EventSource interface {
	Run(ctx context.Context, deliver func(Batch)) error
}

// EventLog reads the past of the stream.
type EventLog interface {
	// Since returns the events committed after the cursor that concern who
	// (its own customer's and those for everybody; for staff all), and the
	// cursor after them. Events of kind item are left out, but for those
	// whose Ref is in items. ErrCursorTooOld means that part of the gap has
	// been pruned or that the cursor is not one of this database's. The empty
	// cursor gives no events and the cursor of now.
	Since(ctx context.Context, who Session, after Cursor, items []string) (Batch, error)

	// Tail returns the events committed after the cursor, of all customers and
	// kinds, at most so many, and the cursor after them. Errors as of Since.
	Tail(ctx context.Context, after Cursor, most int) (Batch, error)

	// Visible returns those of the item numbers that who may watch: the
	// active items of the customer's catalogue, for staff all that exist.
	Visible(ctx context.Context, who Session, items []string) ([]string, error)
}
