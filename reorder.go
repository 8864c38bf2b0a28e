package portal

import "context"

// What a document's line becomes when it is ordered again.
const (
	ReorderAdded        = "added"
	ReorderDiscontinued = "discontinued"
	ReorderUnavailable  = "not_available" // not in this account's catalogue, or no longer anybody's
	ReorderRefused      = "refused"       // see Error
)

// ReorderLine is one line of a document and what became of it.
type ReorderLine struct {
	EntryLine
	Description string `json:"description"` // as the document has it
	OldPrice    *Price `json:"old_price"`
	Outcome     string `json:"outcome"`
}

// PriceChange is -1, 0 or 1 as today's price is below, at or above the
// document's; 0 where either is not known.
func (l ReorderLine) PriceChange() int {
	if l.OldPrice == nil || l.Item == nil || l.Item.UnitPrice == nil {
		return 0
	}
	return l.Item.UnitPrice.Cmp(l.OldPrice.Decimal)
}

// Reorder is an old order or invoice ordered again, line by line.
type Reorder struct {
	Document  string        `json:"document"`
	Lines     []ReorderLine `json:"lines"`
	Added     int           `json:"added"`      // lines in the cart now; 0 while Asks
	CartLines int           `json:"cart_lines"` // in the cart before
	Asks      bool          `json:"asks"`       // the cart has lines already: add or replace?
}

// ReorderMode says what becomes of lines that the cart has already.
type ReorderMode string

// The modes.
const (
	ReorderAsk     ReorderMode = "" // nothing is done if there are any
	ReorderAdd     ReorderMode = "add"
	ReorderReplace ReorderMode = "replace"
)

// ReorderService orders again.
type ReorderService interface {
	// ReorderOrder copies an order's lines into the cart at today's price,
	// ReorderInvoice an invoice's invoiced quantities. The document stays as
	// it is.
	ReorderOrder(ctx context.Context, who Session, orderNo string, mode ReorderMode) (Reorder, error)
	ReorderInvoice(ctx context.Context, who Session, invoiceNo string, mode ReorderMode) (Reorder, error)
}
