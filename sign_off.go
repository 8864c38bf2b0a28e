package portal

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// SignOffStatus is where a request for a signature stands.
type SignOffStatus string

const (
	SignOffWaiting   SignOffStatus = "WAITING"
	SignOffApproved  SignOffStatus = "APPROVED" // it is an order
	SignOffRejected  SignOffStatus = "REJECTED"
	SignOffWithdrawn SignOffStatus = "WITHDRAWN"
)

// SignOff is a cart that was sent and needs a signature of the customer's own
// people before it becomes an order. The distributor does not see it until
// then.
type SignOff struct {
	ID          SignOffID     `json:"sign_off" db:"sign_off_id"`
	Status      SignOffStatus `json:"status"`
	Requester   string        `json:"requester"` // name, else e-mail
	Mine        bool          `json:"mine"`      // who asks has requested it
	MayDecide   bool          `json:"may_decide"`
	PONo        *string       `json:"po_no"`
	RequestedAt time.Time     `json:"requested_at"`
	DecidedBy   *string       `json:"decided_by"`
	DecidedAt   *time.Time    `json:"decided_at"`
	Reason      *string       `json:"reason"`
	OrderNo     *string       `json:"order_no"`
	Lines       int           `json:"lines_count"`
	Total       *Money        `json:"total"` // at the prices agreed to; nil where prices are hidden
}

// SignOffLine is one line of a request. What was agreed to stands beside
// today's price, with which it would be ordered.
type SignOffLine struct {
	LineNo      int      `json:"line_no"`
	ItemNo      string   `json:"item_no"`
	Description string   `json:"description"`
	UOM         string   `json:"uom"`
	Qty         Qty      `json:"qty"`
	SignedQty   *Qty     `json:"signed_qty"` // nil while it waits
	SeenPrice   *Price   `json:"seen_price"`
	UnitPrice   *Price   `json:"unit_price"` // today's
	ShownPrice  *string  `json:"-"`          // UnitPrice as a form carries it; sealed to who sees no prices
	LineTotal   *Money   `json:"line_total"` // today's
	Findings    []string `json:"findings,omitempty" db:"-"`
	InCatalog   bool     `json:"in_catalog"` // whether its page is there for this account
}

// PriceChanged reports whether today's price differs from the one agreed to.
func (l SignOffLine) PriceChanged() bool {
	return l.UnitPrice != nil && l.SeenPrice != nil && !l.UnitPrice.Equal(l.SeenPrice.Decimal)
}

// SignOffDetail is the page of a request.
type SignOffDetail struct {
	SignOff
	ShipTo        *string         `json:"ship_to"`
	RequestedDate *time.Time      `json:"requested_date"`
	Note          string          `json:"note"`
	Returned      bool            `json:"returned"`  // its lines went back into the requester's cart
	Approvers     []string        `json:"approvers"` // who can sign it off
	Reasons       json.RawMessage `json:"-"`         // why it needs a signature
	Why           []string        `json:"why" db:"-"`
	Today         *Money          `json:"total_today" db:"-"`
	SignLines     []SignOffLine   `json:"lines" db:"-"`
	// Of the order as it would be today, for who decides: what objects, when it
	// would arrive, and both as a form carries it (see Cart.ShownOutcome).
	Findings     []OrderFinding   `json:"findings" db:"-"`
	Delivery     *PlannedDelivery `json:"delivery,omitempty" db:"-"`
	ShownOutcome string           `json:"shown_outcome,omitempty" db:"-"`
}

// Tell puts into words what the rules say, and sums up at today's prices.
func (d *SignOffDetail) Tell(seePrices bool) error {
	var reasons []struct {
		Code   string
		Detail json.RawMessage
	}
	if err := json.Unmarshal(d.Reasons, &reasons); err != nil {
		return fmt.Errorf("reasons: %w", err)
	}
	for _, r := range reasons {
		d.Why = append(d.Why, OrderFinding{Code: r.Code, Detail: r.Detail}.signOffText(seePrices, d.Mine))
	}
	for i, f := range d.Findings {
		d.Findings[i].Text = f.BuyerText(seePrices)
		for k := range d.SignLines {
			if f.Line != 0 && d.SignLines[k].LineNo == f.Line {
				d.SignLines[k].Findings = append(d.SignLines[k].Findings, d.Findings[i].Text)
			}
		}
	}
	for _, l := range d.SignLines {
		if l.LineTotal != nil {
			if d.Today == nil {
				d.Today = &Money{}
			}
			d.Today.Decimal = d.Today.Add(l.LineTotal.Decimal)
		}
	}
	return nil
}

// Shown is what the page of the request shows of its lines and today's prices,
// as its form carries it.
func (d SignOffDetail) Shown() string {
	lines := make([][4]*string, len(d.SignLines))
	for i, l := range d.SignLines {
		qty := shownQty(l.Qty)
		lines[i] = [4]*string{&l.ItemNo, &l.UOM, &qty, l.ShownPrice}
	}
	return showLines(lines)
}

// Rose reports whether any price is above the one agreed to.
func (d SignOffDetail) Rose() bool {
	for _, l := range d.SignLines {
		if l.PriceChanged() && l.UnitPrice.GreaterThan(l.SeenPrice.Decimal) {
			return true
		}
	}
	return false
}

// SignOffDecision is the form that signs a request off.
type SignOffDecision struct {
	PONo          string `form:"po_no"`
	RequestedDate string `form:"requested_date"`
	Shown         string `form:"shown"`          // SignOffDetail.Shown; empty: the form does not say
	ConfirmPrices string `form:"confirm_prices"` // RefusedError.AskedPrices of the question
	ConfirmPO     string `form:"confirm_po"`     // RefusedError.AskedPO of the question
	// SignOffDetail.ShownOutcome, or RefusedError.AskedOutcome of the question
	ShownOutcome string `form:"shown_outcome"`
	Qtys         map[int]Qty
}

// SignOffService keeps requests for a signature. Whoever may not see one is
// told that it does not exist.
type SignOffService interface {
	// SignOffs lists those that who may see: its own, an approver's all; what
	// waits first, then the newest.
	SignOffs(ctx context.Context, who Session, waitingOnly bool) ([]SignOff, error)
	SignOff(ctx context.Context, who Session, id SignOffID) (SignOffDetail, error)
	// ApproveSignOff makes the order, once, and returns its number. A refusal
	// is as CartService.Submit's.
	ApproveSignOff(ctx context.Context, who Session, id SignOffID, d SignOffDecision) (orderNo string, err error)
	RejectSignOff(ctx context.Context, who Session, id SignOffID, reason string) error
	// TakeBackSignOff withdraws who's own request, or of one that was rejected
	// takes the lines: into the cart.
	TakeBackSignOff(ctx context.Context, who Session, id SignOffID) error
}
