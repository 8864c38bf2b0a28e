package portal

import (
	"context"
	"time"
)

// JobArgs is what a job is asked to do: one of the structs below.
type JobArgs interface{ Kind() string }

// OrderApprovalArgs asks for a decision on a submitted order: approve it, or
// leave it in the review queue with the reasons. The trigger order_approval
// enqueues it in the transaction that inserts the order, and once more when the
// order is to be decided again.
type OrderApprovalArgs struct {
	OrderID OrderID `json:"order_id" river:"unique"`
	// Revision is the order's at the time; 0 for the first decision.
	Revision int `json:"revision,omitempty" river:"unique"`
}

// Kind is the job's name in the queue.
func (OrderApprovalArgs) Kind() string { return "order_approval" }

// OrderSettleArgs asks for what a change passed over because somebody held the
// order: stock that came in for it, its total and status. The triggers enqueue
// it; any number of runs come to the same.
type OrderSettleArgs struct {
	OrderID OrderID `json:"order_id"`
}

// Kind is the job's name in the queue.
func (OrderSettleArgs) Kind() string { return "order_settle" }

// HousekeepingArgs asks for a round of housekeeping: prune the event log, end
// expired sessions.
type HousekeepingArgs struct{}

// Kind is the job's name in the queue.
func (HousekeepingArgs) Kind() string { return "housekeeping" }

// InvariantsArgs asks for the nightly check of what must hold in the books.
type InvariantsArgs struct{}

// Kind is the job's name in the queue.
func (InvariantsArgs) Kind() string { return "invariants" }

// StatementArgs asks for the statements that wait to be made. The trigger
// statement_inserted enqueues it; any number of runs come to the same.
type StatementArgs struct{}

// Kind is the job's name in the queue.
func (StatementArgs) Kind() string { return "statement" }

// StatementRunArgs asks whether last month's run is due, and begins it.
type StatementRunArgs struct{}

// Kind is the job's name in the queue.
func (StatementRunArgs) Kind() string { return "statement_run" }

// What OrderApprover.DecideOrder did.
const (
	OutcomeApproved = "approved" // no rule objected
	OutcomeQueued   = "queued"   // waits for staff, with the reasons in the review queue
	OutcomeWaiting  = "waiting"  // has no lines yet: ask again soon
	OutcomeSettled  = "settled"  // nothing to decide: decided before, moved on, or gone
)

// OrderApprover decides on submitted orders.
type OrderApprover interface {
	// DecideOrder decides once and says what it did, one of the Outcome
	// constants: deciding the same order again, or at the same moment from
	// elsewhere, finds it settled.
	DecideOrder(ctx context.Context, id OrderID) (outcome string, err error)
}

// Housekeeper keeps the portal's own tables in order. Each method may run on
// several nodes at once, and an interrupted one keeps what it has done.
type Housekeeper interface {
	// PruneEvents forgets events older than an age and returns how many. A
	// cursor from before one of them is told to resync from then on.
	PruneEvents(ctx context.Context, olderThan time.Duration) (n int64, err error)
	// EndExpiredSessions ends the sessions whose time is over and returns
	// how many. It forgets failed log-ins that count no more, too.
	EndExpiredSessions(ctx context.Context) (n int64, err error)
	// KeepMails forgets mails and notifications older than an age, but for
	// mails that wait, and returns how many. The secrets of links that have
	// ended go at once, and mails that wait without a job get one.
	KeepMails(ctx context.Context, olderThan time.Duration) (n int64, err error)
	// ForgetAudit takes what is older than the company keeps out of the audit
	// log, and returns how many rows. Nothing where it keeps all.
	ForgetAudit(ctx context.Context) (n int64, err error)
	// SettleOrder waits for an order that somebody held when stock came in
	// for it or a line of it changed, and does what was left.
	SettleOrder(ctx context.Context, id OrderID) error
	// CheckInvariants returns what is not as it must be; nothing when all is
	// well. It reads every open document, which takes minutes on large books.
	CheckInvariants(ctx context.Context) ([]Violation, error)
}

// Violation is one thing that is not as it must be.
type Violation struct {
	Invariant string `json:"invariant"` // which rule: order_total, stock_bounds …
	Subject   string `json:"subject"`   // the document, item or customer by its number
	Detail    string `json:"detail"`    // the figures that disagree
}
