package portal

import (
	"context"
	"strings"
	"time"
)

// WarehouseFilter narrows the warehouse's list. The zero value is all that is
// to be picked, by the day it is due.
type WarehouseFilter struct {
	Route    string // a route's code; empty: all
	ByAge    bool   // the longest waiting first, whatever day it is due
	OnTheWay bool   // instead of what is to be picked: what has left and not arrived
}

// WarehouseOrder is an order that the warehouse works on.
type WarehouseOrder struct {
	ID           OrderID     `json:"-" db:"order_id"`
	OrderNo      string      `json:"order_no"`
	Status       OrderStatus `json:"status"`
	CustomerNo   string      `json:"customer_no"`
	CustomerName string      `json:"customer_name"`
	ShipTo       string      `json:"ship_to"`
	City         string      `json:"city"`
	RouteCode    string      `json:"route"`
	RouteName    string      `json:"route_name"`
	DeliverOn    *time.Time  `json:"deliver_on"` // asked for, else the route's next run; nil: neither
	SubmittedAt  time.Time   `json:"submitted_at"`
	Lines        int         `json:"lines"` // with something to pick or picked
	Done         int         `json:"lines_done"`
	Picked       Qty         `json:"picked_qty"` // and not shipped, over all lines
	Wanted       Qty         `json:"wanted_qty"`
	Backordered  bool        `json:"backordered"` // more of it waits for stock
	Ordered      Qty         `json:"ordered_qty"`
	Shipped      Qty         `json:"shipped_qty"`
	Part                     // how much of it is shipped
	OnTheWay     int         `json:"on_the_way"` // shipments that have not arrived
}

// PartlyShipped reports whether some but not all of the order has left.
func (o WarehouseOrder) PartlyShipped() bool {
	return o.Shipped.IsPositive() && o.Status == OrderPicking
}

// ShippedWords say how much of the order has left.
func (o WarehouseOrder) ShippedWords() string { return o.of(o.Shipped, o.Ordered) }

// PickLine is a line as it is picked: so many of those that are allocated.
type PickLine struct {
	OrderLine
	Codes []string `json:"codes"` // what a scanner may read on its goods
}

// PickedNow is what has been picked and not shipped.
func (l PickLine) PickedNow() Qty { return Qty{l.Picked.Sub(l.Shipped.Decimal)} }

// Missing is what is still to be picked.
func (l PickLine) Missing() Qty { return Qty{l.Allocated.Sub(l.PickedNow().Decimal)} }

// Done reports whether nothing is left to pick of the line.
func (l PickLine) Done() bool { return !l.Missing().IsPositive() }

// PickOrder is the pick screen of an order.
type PickOrder struct {
	OrderDetail
	Pick      []PickLine `json:"pick"` // every line of the order
	RouteName string     `json:"route_name"`
	DeliverOn *time.Time `json:"deliver_on"`
	// Stamp is another one after every change of a quantity. An action that
	// brings it is refused where the order has changed since it was shown.
	Stamp    string   `json:"stamp"`
	Carriers []string `json:"carriers"`
}

// Pickable reports whether goods may be picked and shipped now.
func (p PickOrder) Pickable() bool { return p.Status.Pickable() }

// PickedSome reports whether something waits to be shipped.
func (p PickOrder) PickedSome() bool {
	for _, l := range p.Pick {
		if l.PickedNow().IsPositive() {
			return true
		}
	}
	return false
}

// MissingSome reports whether something is left to pick.
func (p PickOrder) MissingSome() bool {
	for _, l := range p.Pick {
		if !l.Done() {
			return true
		}
	}
	return false
}

// Picked is what one step of picking came to.
type Picked struct {
	LineNo int    `json:"line"`
	ItemNo string `json:"item_no"`
	UOM    string `json:"uom"`
	Now    Qty    `json:"picked"` // not shipped yet
	Wanted Qty    `json:"wanted"`
	// Before and Stamp are the order's stamps around the step: a page that
	// shows Before has seen all that Stamp stands for.
	Before string `json:"stamp_before"`
	Stamp  string `json:"stamp"`
}

// Words say where the line stands: "OIL5: 3 of 10 EA".
func (p Picked) Words() string {
	return p.ItemNo + ": " + p.Now.Decimal.String() + " of " + p.Wanted.Decimal.String() + " " + p.UOM
}

// ShortLine cuts a line short: what is not picked of it is not sent.
type ShortLine struct {
	LineNo   int    `form:"line"`
	Reason   string `form:"reason"`    // the customer reads it
	WriteOff bool   `form:"write_off"` // the shelf is empty: off the stock as well
	Stamp    string `form:"stamp"`
}

// SubstituteLine sends another item instead of what is not picked of a line.
type SubstituteLine struct {
	LineNo int    `form:"line"`
	ItemNo string `form:"item_no"` // or a barcode
	UOM    string `form:"uom"`     // empty: that of the barcode, else the base unit
	Qty    string `form:"qty"`
	Price  string `form:"price"` // empty: the customer's; a higher one is refused
	Stamp  string `form:"stamp"`
}

// Read reads the form's numbers. price is nil where none was typed.
func (s SubstituteLine) Read() (qty Qty, price *Price, err error) {
	var t typed
	var problem string
	qty, problem = ReadQty(s.Qty).Number()
	if problem != "" {
		t.wrong("qty", problem)
	}
	if strings.TrimSpace(s.ItemNo) == "" {
		t.wrong("item_no", "Scan or enter the item.")
	}
	if d := t.number("price", "The price", s.Price, 4, "27.00, or leave it empty for the customer's"); d != nil {
		price = &Price{*d}
	}
	return qty, price, t.err()
}

// ShipPicked is what has been picked leaving the house.
type ShipPicked struct {
	Carrier    string `form:"carrier"`
	TrackingNo string `form:"tracking_no"`
	Stamp      string `form:"stamp"`
}

// ExpectedReceipt is goods that are on their way to the warehouse.
type ExpectedReceipt struct {
	ID         int64     `json:"expected_id"`
	ExpectedOn time.Time `json:"expected_on"`
	Qty        Qty       `json:"qty"` // in base units
	Note       string    `json:"note"`
	Overdue    bool      `json:"overdue"` // promises nothing any more
}

// ItemSupply is what comes in of an item, and what waits for it.
type ItemSupply struct {
	Expected []ExpectedReceipt `json:"expected"`
	Waiting  Qty               `json:"waiting"` // backordered by all customers, in base units
}

// Warehouse is the staff's side of picking and shipping. What it refuses, it
// refuses in words: CodeConflict where somebody else has changed the order since it
// was shown.
type Warehouse interface {
	ToPick(ctx context.Context, who Session, f WarehouseFilter) ([]WarehouseOrder, error)
	PickOrder(ctx context.Context, who Session, orderNo string) (PickOrder, error)
	// PickScan counts what a scanner read: one of the barcode's unit.
	PickScan(ctx context.Context, who Session, orderNo, code string) (Picked, error)
	// PickLine counts a line's picked quantity up or down.
	PickLine(ctx context.Context, who Session, orderNo string, lineNo int, by Qty) (Picked, error)
	// PickAll counts all that is allocated as picked.
	PickAll(ctx context.Context, who Session, orderNo, stamp string) error
	ShortLine(ctx context.Context, who Session, orderNo string, short ShortLine) error
	Substitute(ctx context.Context, who Session, orderNo string, sub SubstituteLine) error
	// ShipPicked ships what has been picked and not shipped.
	ShipPicked(ctx context.Context, who Session, orderNo string, ship ShipPicked) error
	// Deliver records who took a shipment, now; it returns the order's number.
	Deliver(ctx context.Context, who Session, id ShipmentID, to string) (orderNo string, err error)
	// TakeBack undoes a shipment that has not arrived: its goods are back on
	// the shelf, allocated to the order. It returns the order's number.
	TakeBack(ctx context.Context, who Session, id ShipmentID) (orderNo string, err error)
}
