package portal

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// DeskOrder is an order in the staff's queue.
type DeskOrder struct {
	Order
	CustomerNo   string   `json:"customer_no"`
	CustomerName string   `json:"customer_name"`
	NeedsReview  bool     `json:"needs_review"` // waits for a person: no job will decide it
	ReviewCodes  []string `json:"review_codes"` // of an order that is submitted or on hold
	Revision     int      `json:"revision"`     // counts the changes of its quantities
	Reviews      []Review `json:"reviews" db:"-"`
}

// Undecided reports whether somebody, or the job, has yet to say what becomes
// of the order.
func (o DeskOrder) Undecided() bool { return o.Status.Undecided() }

// DeskOrders is one page of the queue.
type DeskOrders struct {
	Orders []DeskOrder    `json:"orders"`
	Counts map[string]int `json:"counts"` // open orders by status, and "review"
	// Reasons says how many orders that need review have each reason, of the
	// sources and customers that the list is narrowed to.
	Reasons []ReasonCount `json:"reasons"`
	Now     time.Time     `json:"-"` // the clock by which orders wait
	Next    string        `json:"next,omitempty"`
}

// ReasonCount is how many orders wait for a reason.
type ReasonCount struct {
	Code   string `json:"code"`
	Orders int    `json:"orders"`
}

// DeskOrderDetail is an order with what staff need to decide about it.
type DeskOrderDetail struct {
	OrderDetail
	Moves       []OrderStatus `json:"moves"`      // where it may go now
	ToInvoice   bool          `json:"to_invoice"` // something shipped has no invoice yet
	Waiting     ToInvoice     `json:"-" db:"-"`   // what an invoice would charge now
	CreditLimit *Money        `json:"credit_limit"`
	CreditHold  bool          `json:"credit_hold"`
	Exposure    Money         `json:"exposure"` // all the customer owes or has ordered, this order too
	Carriers    []string      `json:"carriers" db:"-"`
	// CreditStops reports whether the next step, approval or picking, is
	// refused until somebody releases the credit of this order.
	CreditStops bool           `json:"credit_stops"`
	Release     *CreditRelease `json:"credit_release" db:"-"`
}

// CreditRelease is who took the responsibility for an order over credit, and
// up to which exposure.
type CreditRelease struct {
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Amount Money     `json:"amount"`
	Reason *string   `json:"reason"` // nil: by approving it out of the queue
}

// OrderFigures are what pages show of an order's money: its total, and, where
// they have the lines, their prices. Nil where prices are hidden.
func OrderFigures(total *Money, lines []OrderLine) Figures {
	if total == nil {
		return nil
	}
	f := Figures{{Field: "total", Label: "The total", Value: total.StringFixed(2), At: Nowhere}}
	if len(lines) == 0 {
		return f
	}
	var prices strings.Builder
	for _, l := range lines {
		prices.WriteString(strconv.Itoa(l.LineNo) + " ")
		if l.UnitPrice != nil {
			prices.WriteString(l.UnitPrice.StringFixed(4))
		}
		prices.WriteString("\n")
	}
	return append(f, Figure{Field: "prices", Label: "The prices of its lines", Value: ShownDigest(prices.String()),
		At: Nowhere, Unsaid: true})
}

// Shown is what the list shows of the order, as its forms carry it.
func (o DeskOrder) Shown() string { return OrderFigures(o.Total, nil).Shown() }

// Shown is what the page shows of the order, as its forms carry it.
func (o DeskOrderDetail) Shown() string { return OrderFigures(o.Total, o.OrderLines).Shown() }

// OrderMove sets an order's status.
type OrderMove struct {
	To     OrderStatus
	Reason string      // required to reject; kept for hold and cancel, else left out
	From   OrderStatus // what the mover saw; empty: not checked
	Queued bool        // only as long as nobody has decided: Submitted or On hold
	// Revision is of the order that the mover looked at; nil: not checked.
	Revision *int
	// Shown is OrderFigures of what the mover saw; empty: not compared.
	Shown string
	// ShownOver is by how much the mover was shown that the order is over
	// credit, zero for not at all, and ShownHold whether the account was on
	// hold: what is worse by now is CodeConflict. Nil: not checked.
	ShownOver *Money
	ShownHold *bool
	// ReleaseCredit releases the order's credit with it, up to what the
	// exposure is now. It needs the reason, which is then the release's.
	ReleaseCredit bool
}

// OrderRef is an order as somebody looked at it.
type OrderRef struct {
	OrderNo  string
	Revision *int // nil: not checked
	// Shown and ShownOver are as in OrderMove.
	Shown     string
	ShownOver *Money
}

// Approvals is what became of orders that were approved together.
type Approvals struct {
	Approved []string       `json:"approved"`
	Refused  []RefusedOrder `json:"refused"`
}

// RefusedOrder is an order that was not approved, and why.
type RefusedOrder struct {
	OrderNo string `json:"order_no"`
	Message string `json:"message"`
}

// ShipOrder is what leaves the house: line numbers with quantities, all that is
// allocated where there are none.
type ShipOrder struct {
	Carrier    string
	TrackingNo string
	Qtys       map[int]Qty
	Seen       *Qty // Shipped of the order as the shipper saw it, so that nothing leaves twice; nil: not checked
}

// OrderDesk is the staff's side of orders.
type OrderDesk interface {
	// Orders lists orders of all customers and sources. Without a status
	// and a query it is the queue: open orders, first those that need review
	// (the oldest on top), then the newest. Status may be "review", "open"
	// or "all" as well; a query without a status looks through all orders. A
	// reason narrows the queue to orders that wait for it.
	Orders(ctx context.Context, who Session, f OrderFilter) (DeskOrders, error)
	Order(ctx context.Context, who Session, orderNo string) (DeskOrderDetail, error)
	// MoveOrder is CodeConflict where the move is illegal, or where somebody
	// else has moved the order meanwhile.
	MoveOrder(ctx context.Context, who Session, orderNo string, move OrderMove) error
	// ApproveOrders approves orders one by one, each by itself: what is refused
	// leaves the others alone.
	ApproveOrders(ctx context.Context, who Session, orders []OrderRef) (Approvals, error)
	// EditOrder changes the quantities of an order that is not being picked
	// yet, and returns the lines that changed. The agreed prices stay. It is
	// CodeInvalid at field qty of a line or at field reason, CodeConflict
	// where somebody else was first.
	EditOrder(ctx context.Context, who Session, orderNo string, edit OrderEdit) ([]LineEdit, error)
	// Pick records how much of what is allocated has been picked, by line;
	// all of it where qtys is nil. An approved order moves to Picking.
	Pick(ctx context.Context, who Session, orderNo string, qtys map[int]Qty) error
	// Ship is CodeInvalid at field qty of a line where more is asked for than
	// is allocated.
	Ship(ctx context.Context, who Session, orderNo string, s ShipOrder) error
	// InvoiceShipped is CodeConflict where more or less waits for an invoice than shown
	// (ToInvoice.Shown; empty: not compared).
	InvoiceShipped(ctx context.Context, who Session, orderNo, shown string) (invoiceNo string, err error)
}
