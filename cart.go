package portal

import (
	"context"
	"time"
)

// CartLine is one line of a cart at today's price.
type CartLine struct {
	ItemNo      string     `json:"item_no"`
	Description string     `json:"description"`
	UOM         string     `json:"uom"`
	Qty         Qty        `json:"qty"`
	UnitPrice   *Price     `json:"unit_price"`
	ShownPrice  *string    `json:"-"` // UnitPrice as a form carries it; sealed to who sees no prices
	PriceStep   *string    `json:"price_step"`
	SeenPrice   *Price     `json:"seen_price"` // what the buyer last agreed to
	WasPrice    *Price     `json:"was_price"`  // on a line that was reordered: then
	ValidUntil  *time.Time `json:"valid_until"`
	LineTotal   *Money     `json:"line_total"`
	MoreQty     *Qty       `json:"more_qty"` // this many more of the line's unit reach MorePrice
	MorePrice   *Price     `json:"more_price"`
	// AskSure is what ConfirmQty takes, where the quantity is far above
	// everything the customer ever ordered and nobody has confirmed it; else "".
	AskSure string `json:"ask_sure,omitempty"`
	Stock
	HasPicture bool `json:"has_picture"`
	InCatalog  bool `json:"in_catalog"` // whether its page is there for this account
}

// Reordered reports whether the line cost something else on the order it was
// copied from.
func (l CartLine) Reordered() bool {
	return l.UnitPrice != nil && l.WasPrice != nil && !l.UnitPrice.Equal(l.WasPrice.Decimal) && !l.PriceChanged()
}

// PriceChanged reports whether today's price differs from the one agreed to.
func (l CartLine) PriceChanged() bool {
	return l.UnitPrice != nil && l.SeenPrice != nil && !l.UnitPrice.Equal(l.SeenPrice.Decimal)
}

// Cart is what a login has put together, the same on all of its devices.
type Cart struct {
	Key           string         `json:"key"`
	PONo          string         `json:"po_no"`
	ShipTo        string         `json:"ship_to"` // code
	RequestedDate *time.Time     `json:"requested_date"`
	Note          string         `json:"note"`
	Lines         []CartLine     `json:"lines" db:"-"`
	Total         *Money         `json:"total" db:"-"`
	ShipTos       []ShipTo       `json:"ship_tos" db:"-"`
	Findings      []OrderFinding `json:"findings" db:"-"` // what objects
	Room          CartRoom       `json:"room" db:"-"`
	// What that says of the outcome, as a form carries it
	ShownOutcome string `json:"shown_outcome,omitempty" db:"-"`
}

// Shown is what a page of the cart shows of its lines and prices, as its form
// carries it.
func (c Cart) Shown() string {
	lines := make([][4]*string, len(c.Lines))
	for i, l := range c.Lines {
		qty := shownQty(l.Qty)
		lines[i] = [4]*string{&l.ItemNo, &l.UOM, &qty, l.ShownPrice}
	}
	return showLines(lines)
}

// Refused reports whether any finding forbids sending the cart.
func (c Cart) Refused() bool {
	for _, f := range c.Findings {
		if f.Action == "refuse" {
			return true
		}
	}
	return false
}

// Queues reports whether the order would wait for review.
func (c Cart) Queues() bool {
	for _, f := range c.Findings {
		if f.Action == "queue" {
			return true
		}
	}
	return false
}

// NeedsSignOff reports whether somebody of the customer has to sign the order
// off before it is sent.
func (c Cart) NeedsSignOff() bool {
	for _, f := range c.Findings {
		if f.Action == "sign_off" {
			return true
		}
	}
	return false
}

// CartHead is what stands on the cart beside its lines. The fields carry the
// names of the form.
type CartHead struct {
	PONo          string `form:"po_no"`
	ShipTo        string `form:"ship_to"`
	RequestedDate string `form:"requested_date"` // YYYY-MM-DD, or empty
	Note          string `form:"note"`
}

// CartSubmit is the submit form.
type CartSubmit struct {
	CartHead
	Key string `form:"key"`
	// Shown is what the page showed (Cart.Shown). Empty: the form does not
	// say; what was last agreed to counts, and nothing can be confirmed.
	Shown string `form:"shown"`
	// ConfirmPrices is the ShownDigest of the page that asked about prices, and
	// ConfirmPO what RefusedError.AskedPO gave for the question. Anything else
	// confirms nothing.
	ConfirmPrices string `form:"confirm_prices"`
	ConfirmPO     string `form:"confirm_po"`
	// ShownOutcome is what the page said would become of the order
	// (Cart.ShownOutcome), or what RefusedError.AskedOutcome gave for the
	// question. Empty: the form does not say, and nothing of it is compared.
	ShownOutcome string `form:"shown_outcome"`
}

// Submitted is what became of a cart: an order, or a request that somebody of
// the customer sign it off.
type Submitted struct {
	OrderNo string    `json:"order_no,omitempty"`
	SignOff SignOffID `json:"sign_off,omitempty"`
}

// CartService keeps carts and turns them into orders.
type CartService interface {
	Cart(ctx context.Context, who Session) (Cart, error)
	// SetLine puts a quantity of an item into the cart, replacing what the
	// cart holds of it in that unit; add adds to it. A quantity of zero
	// removes the line. An empty uom is the item's base unit. A line that
	// becomes far above everything the customer ever ordered asks whether it is
	// meant (CartLine.AskSure), and the cart is not sent before ConfirmQty; sure
	// says that it is meant.
	SetLine(ctx context.Context, who Session, itemNo, uom string, qty Qty, add, sure bool) error
	// ConfirmQty says that a line's quantity is meant; sure is its AskSure. A
	// line that has changed since is a conflict.
	ConfirmQty(ctx context.Context, who Session, itemNo, sure string) error
	SaveHead(ctx context.Context, who Session, head CartHead) error
	// Submit makes the cart an order, or a request for a signature. The same
	// key again returns the same. A refusal is a *Error with the findings
	// as fields; see also RefusedError.
	Submit(ctx context.Context, who Session, s CartSubmit) (Submitted, error)
}
