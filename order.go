package portal

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Order is one row of a list of orders.
type Order struct {
	ID           OrderID     `json:"-"`
	OrderNo      string      `json:"order_no"`
	Status       OrderStatus `json:"status"`
	StatusReason *string     `json:"status_reason"`
	InReview     bool        `json:"in_review"`
	Source       string      `json:"source"`
	PONo         *string     `json:"po_no"`
	Lines        int         `json:"lines_count"`
	Ordered      Qty         `json:"ordered_qty"` // over all lines, in their units
	Shipped      Qty         `json:"shipped_qty"`
	Part                     // how much of it is shipped
	Total        *Money      `json:"total"`
	SubmittedAt  time.Time   `json:"submitted_at"`
}

// PartlyShipped reports whether some but not all of the order has left.
func (o Order) PartlyShipped() bool {
	return o.Shipped.IsPositive() && !o.Status.Shipped()
}

// Open reports whether the order is still on its way.
func (o Order) Open() bool { return o.Status.Open() }

// ShippedWords say how much of the order has left.
func (o Order) ShippedWords() string { return o.of(o.Shipped, o.Ordered) }

// OrderLine is one line of an order.
type OrderLine struct {
	LineNo      int     `json:"line_no"`
	ItemNo      string  `json:"item_no"`
	Description string  `json:"description"`
	UOM         string  `json:"uom"`
	Qty         Qty     `json:"qty"`
	UnitPrice   *Price  `json:"unit_price"`
	PriceStep   *string `json:"price_step"`
	PriceRuleID *int64  `json:"price_rule_id"`
	LineTotal   *Money  `json:"line_total"`
	Allocated   Qty     `json:"qty_allocated"`
	Picked      Qty     `json:"qty_picked"`
	Shipped     Qty     `json:"qty_shipped"`
	Backordered Qty     `json:"qty_backordered"`
	Cancelled   Qty     `json:"qty_cancelled"`

	ExpectedOn   *time.Time `json:"expected_on"`   // of what is backordered; nil: not known
	CancelReason string     `json:"cancel_reason"` // why Cancelled is not sent
	InsteadOf    *string    `json:"instead_of"`    // the item that this line is a substitute for
	Substitutes  []string   `json:"substitutes"`   // the items sent instead of this one
	CountedAt    *time.Time `json:"counted_at"`    // when a count last took back what was allocated; nil: never
	InCatalog    bool       `json:"in_catalog"`    // whether its page is there for this account
}

// OpenQty is what is still to come.
func (l OrderLine) OpenQty() Qty {
	return Qty{l.Qty.Sub(l.Shipped.Decimal).Sub(l.Cancelled.Decimal)}
}

// InsteadWords say what a substitute stands for; "" where the line is none.
func (l OrderLine) InsteadWords() string {
	switch {
	case l.InsteadOf == nil:
		return ""
	case l.Shipped.IsPositive():
		return l.ItemNo + " sent instead of " + *l.InsteadOf
	}
	return l.ItemNo + " instead of " + *l.InsteadOf
}

// OrderStep is one row of an order's history.
type OrderStep struct {
	From   *OrderStatus `json:"from"`
	To     OrderStatus  `json:"to"`
	At     time.Time    `json:"at"`
	Actor  string       `json:"actor"`
	Reason *string      `json:"reason"`
}

// Shipment is what left the house together.
type Shipment struct {
	ID          ShipmentID     `json:"shipment_id"`
	Carrier     string         `json:"carrier"`
	TrackingNo  string         `json:"tracking_no"`
	TrackingURL *string        `json:"-"` // the carrier's, with {tracking_no} where the number goes
	ShippedAt   time.Time      `json:"shipped_at"`
	DeliveredAt *time.Time     `json:"delivered_at"`
	DeliveredTo string         `json:"delivered_to"` // who took it
	Lines       int            `json:"lines"`
	Contents    []ShipmentLine `json:"contents" db:"-"`
}

// TrackingLink is the carrier's page about the shipment, or "".
func (s Shipment) TrackingLink() string {
	if s.TrackingURL == nil || s.TrackingNo == "" {
		return ""
	}
	// %20 and not +: the number may stand in the path
	number := strings.ReplaceAll(url.QueryEscape(s.TrackingNo), "+", "%20")
	return strings.ReplaceAll(*s.TrackingURL, "{tracking_no}", number)
}

// MarshalJSON adds the link.
func (s Shipment) MarshalJSON() ([]byte, error) {
	type plain Shipment
	return json.Marshal(struct {
		plain
		TrackingLink string `json:"tracking_url,omitempty"`
	}{plain(s), s.TrackingLink()})
}

// ShipmentLine is how much of an order's line a shipment holds.
type ShipmentLine struct {
	LineNo      int    `json:"line_no"`
	ItemNo      string `json:"item_no"`
	Description string `json:"description"`
	UOM         string `json:"uom"`
	Qty         Qty    `json:"qty"`
}

// OrderDetail is the order page.
type OrderDetail struct {
	Order
	CustomerNo    string      `json:"customer_no"`
	CustomerName  string      `json:"customer_name"`
	ShipTo        *ShipTo     `json:"ship_to" db:"-"`
	RequestedDate *time.Time  `json:"requested_date"`
	DeliveryDate  *time.Time  `json:"delivery_date"`        // planned; nil without a route
	DeliveryNote  string      `json:"delivery_note"`        // why not as requested
	ByStaff       bool        `json:"entered_by_staff"`     // in the portal, acting as the customer
	EnteredBy     *string     `json:"entered_by,omitempty"` // staff only: by whom
	Note          string      `json:"note"`
	SubmittedBy   string      `json:"submitted_by"`
	SignedOffBy   *string     `json:"signed_off_by"`            // who of the customer; nil: it needed nobody
	StandingOrder string      `json:"standing_order,omitempty"` // name of the one it was made from
	OrderLines    []OrderLine `json:"lines" db:"-"`
	History       []OrderStep `json:"history" db:"-"`
	Shipments     []Shipment  `json:"shipments" db:"-"`
	InvoiceNos    []string    `json:"invoice_nos"`
	Reviews       []Review    `json:"reviews,omitempty" db:"-"` // staff only
	Waits         []string    `json:"waits,omitempty" db:"-"`   // customers only: why it waits, in words
	Revision      int         `json:"revision"`                 // counts the changes of its quantities
	// Changes of its quantities, the oldest first.
	Changes []OrderChange `json:"changes" db:"-"`
}

// OrderChange is a change of a line's ordered quantity, without what is
// cancelled.
type OrderChange struct {
	LineNo     int       `json:"line_no"`
	FromQty    Qty       `json:"from_qty"`
	ToQty      Qty       `json:"to_qty"`
	At         time.Time `json:"at"`
	Actor      string    `json:"actor"`
	ByCustomer bool      `json:"by_customer"`
	Reason     *string   `json:"reason"`
}

// ChangeOf is what became of a line's quantity over all changes: from the first
// quantity to the last, with the latest actor and time and all reasons; nil where it is
// as it was ordered.
func (o OrderDetail) ChangeOf(lineNo int) *OrderChange {
	var sum *OrderChange
	for _, c := range o.Changes {
		switch {
		case c.LineNo != lineNo:
		case sum == nil:
			sum = &c
		default:
			c.FromQty, c.Reason = sum.FromQty, addReason(sum.Reason, c.Reason)
			sum = &c
		}
	}
	if sum == nil || sum.FromQty.Equal(sum.ToQty.Decimal) {
		return nil
	}
	for _, l := range o.OrderLines {
		if l.LineNo == lineNo && l.Cancelled.Equal(sum.FromQty.Sub(sum.ToQty.Decimal)) {
			return nil // the line says itself how much of it is cancelled, and why
		}
	}
	return sum
}

// addReason puts a reason after those that were said before, unless it is among
// them.
func addReason(before, more *string) *string {
	switch {
	case before == nil || *before == "":
		return more
	case more == nil || *more == "" || slices.Contains(strings.Split(*before, "; "), *more):
		return before
	}
	both := *before + "; " + *more
	return &both
}

// NotSent is what the cancelled quantities would have cost; nil where there are
// none, or prices are not shown.
func (o OrderDetail) NotSent() *Money {
	var sum Money
	for _, l := range o.OrderLines {
		if l.UnitPrice != nil && l.Cancelled.IsPositive() {
			sum.Decimal = sum.Add(l.UnitPrice.Mul(l.Cancelled.Decimal).Round(2))
		}
	}
	if o.Total == nil || sum.IsZero() {
		return nil
	}
	return &sum
}

// SentTotal is the total without what is not sent.
func (o OrderDetail) SentTotal() *Money {
	not := o.NotSent()
	if not == nil {
		return o.Total
	}
	return &Money{o.Total.Sub(not.Decimal)}
}

// OrderFilter narrows a list of orders. The zero value is all, newest first.
type OrderFilter struct {
	Status string // a status, "open", or empty
	Query  string // part of an order number or PO number
	Source string // desk only
	Reason string // desk only: code of a reason for review
	Before string // paging: the cursor of the last row seen
}

// Orders is one page of a list of orders.
type Orders struct {
	Orders []Order `json:"orders"`
	Next   string  `json:"next,omitempty"` // cursor of the next page; empty on the last
}

// OrderService shows a customer its orders.
type OrderService interface {
	Orders(ctx context.Context, who Session, f OrderFilter) (Orders, error)
	// Order is CodeNotFound for an order that is not the customer's.
	Order(ctx context.Context, who Session, orderNo string) (OrderDetail, error)
	// Cancel takes back an order that is still Submitted.
	Cancel(ctx context.Context, who Session, orderNo string) error
	// Change changes the quantities of an order that is still Submitted; the
	// order is then decided again. A refusal of the rules is a *Error with the
	// findings as fields, their Line the line's number; see RefusedError.
	Change(ctx context.Context, who Session, orderNo string, edit OrderEdit) error
}

// OrderEdit are new quantities of an order: by line number, in the line's unit,
// without what is cancelled; 0 takes a line out.
type OrderEdit struct {
	Qtys     map[int]Qty
	Revision *int   // of the order that was looked at; nil: not checked
	Reason   string // of staff; needed where a quantity falls
	// ConfirmPrices is for a buyer: the prices that the page asked about
	// (RefusedError.AskedPrices), which are taken.
	ConfirmPrices string
}

// LineEdit is a line whose quantity staff have changed.
type LineEdit struct {
	LineNo    int    `json:"line_no"`
	ItemNo    string `json:"item_no"`
	UOM       string `json:"uom"`
	FromQty   Qty    `json:"from_qty"`
	ToQty     Qty    `json:"to_qty"`
	UnitPrice Price  `json:"unit_price"` // as agreed: it stays
	PriceNow  *Price `json:"price_now"`  // what the new quantity would cost today; nil on a line taken out
}

// PriceKept reports whether the agreed price is below what the new, lower
// quantity would cost today.
func (l LineEdit) PriceKept() bool {
	return l.PriceNow != nil && l.ToQty.LessThan(l.FromQty.Decimal) && l.PriceNow.GreaterThan(l.UnitPrice.Decimal)
}
