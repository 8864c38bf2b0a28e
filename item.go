package portal

import (
	"context"
	"time"
)

// PageSize is how many rows a list shows at a time, whatever its length.
const PageSize = 50

// ItemFilter narrows the catalogue and puts it in order. The zero value is all
// of it by description.
type ItemFilter struct {
	Query     string // words or their beginnings, a code or its beginning, a barcode, the customer's own number
	Category  CategoryID
	InStock   bool // available now; nothing is for a customer who may not see stock
	Bought    bool // ordered or invoiced before
	Favorites bool
	Sort      ItemSort
	Page      int // from 1; 0 counts as 1
}

// ItemSort is the order of a list of items.
type ItemSort string

const (
	SortRelevance   ItemSort = "" // what was searched for comes first; without a search, by description
	SortDescription ItemSort = "description"
	SortCode        ItemSort = "code"
)

// Item is one row of the catalogue as one customer sees it. Price and stock
// are nil where the customer may not see them or there is none.
type Item struct {
	ID          ItemID  `json:"-"`
	ItemNo      string  `json:"item_no"`
	Description string  `json:"description"`
	Category    string  `json:"category"`
	UOM         string  `json:"uom"`
	UnitPrice   *Price  `json:"unit_price"`
	PriceStep   *string `json:"price_step"`
	Stock
	Orderable    bool `json:"orderable"`
	Discontinued bool `json:"discontinued"`
	Favorite     bool `json:"favorite"`
	HasPicture   bool `json:"has_picture"`
	InCart       *Qty `json:"in_cart"`
}

// LookupItem is a suggestion for what somebody types: what a line of an order
// needs to know of an item, as one customer sees it. Price and stock are nil
// where the customer may not see them.
type LookupItem struct {
	ID          ItemID   `json:"-"`
	ItemNo      string   `json:"item_no"`
	Description string   `json:"description"`
	UOM         string   `json:"uom"`   // base unit, which price and stock are in
	Units       []string `json:"units"` // the base unit, then the others from small to large
	UnitPrice   *Price   `json:"unit_price"`
	PriceStep   *string  `json:"price_step"`
	Stock
	Orderable    bool    `json:"orderable"`
	Discontinued bool    `json:"discontinued"`
	TheirItemNo  *string `json:"their_item_no"`
	Match        string  `json:"match" db:"-"`     // why it is here: code, barcode, own_no, prefix, words, similar
	MatchUOM     *string `json:"match_uom" db:"-"` // the unit whose barcode was typed
}

// Category is a pill above the catalogue with the number of items behind it.
type Category struct {
	ID    CategoryID `json:"category_id"`
	Name  string     `json:"name"`
	Count int        `json:"count"`
}

// Catalog is one page of the catalogue.
type Catalog struct {
	Items      []Item     `json:"items"`
	Categories []Category `json:"categories"`
	Total      int        `json:"total"`
	Page       int        `json:"page"`
	Pages      int        `json:"pages"`
}

// ItemUnit is a unit of measure an item is sold in, with the customer's price
// for one of it.
type ItemUnit struct {
	UOM        string     `json:"uom"`
	Factor     Qty        `json:"factor"`
	UnitPrice  *Price     `json:"unit_price"`
	Step       *string    `json:"price_step"`
	ValidUntil *time.Time `json:"valid_until"`
	ByQuantity bool       `json:"by_quantity"` // its price is a break's, which this account sees in the cart alone
}

// Why is the step that a price came from, in words for the buyer. Level and
// list need none.
func (u ItemUnit) Why() string { return StepWords(u.Step) }

// StepWords are a price step in words for the buyer, or "".
func StepWords(step *string) string {
	if step == nil {
		return ""
	}
	switch *step {
	case "contract":
		return "Your contract price"
	case "group":
		return "Your price for this category"
	case "break":
		return "Quantity price"
	case "level":
		return "Your price level"
	case "list":
		return "List price"
	}
	return ""
}

// PriceTier is a price that a larger quantity reaches.
type PriceTier struct {
	Qty         Qty   `json:"qty"` // from this many base units
	UnitPrice   Price `json:"unit_price"`
	SavePercent Qty   `json:"save_percent"` // against the price of one, to a tenth
}

// ItemDetail is the item page.
type ItemDetail struct {
	Item
	Details     string     `json:"details"`
	Barcode     *string    `json:"barcode"`
	TheirItemNo *string    `json:"their_item_no"`
	Units       []ItemUnit `json:"units" db:"-"`
	// Tiers are empty where the customer may not see price breaks.
	Tiers        []PriceTier  `json:"tiers" db:"-"`
	Lists        []ItemOnList `json:"lists" db:"-"`
	LastQty      *Qty         `json:"last_ordered_qty"`
	LastUOM      *string      `json:"last_ordered_uom"`
	LastOrdered  *time.Time   `json:"last_ordered_at"`
	SubstituteNo *string      `json:"substitute_item_no"`
	Substitute   *string      `json:"substitute_description"`
	Backorder    Backorder    `json:"backorder" db:"-"`
}

// Backorder is what a customer may know of an item that is not there.
type Backorder struct {
	Gone       bool       `json:"gone"`        // out of stock, but it can be ordered; false where stock is hidden
	ExpectedOn *time.Time `json:"expected_on"` // for one more, where Gone; nil: not known
	Waiting    Qty        `json:"waiting"`     // on backorder in the customer's own orders, in base units
	WaitingOn  *time.Time `json:"waiting_on"`  // when the last of that is expected; nil: not known
}

// Picture is an item's picture as stored.
type Picture struct {
	MediaType string
	Data      []byte
}

// CatalogService shows a customer its catalogue.
type CatalogService interface {
	Catalog(ctx context.Context, who Session, f ItemFilter) (Catalog, error)
	// Lookup is the first of what Catalog would find for a query, limit at most.
	Lookup(ctx context.Context, who Session, query string, limit int) ([]LookupItem, error)
	// Item is CodeNotFound where the item is not in the customer's catalogue.
	Item(ctx context.Context, who Session, itemNo string) (ItemDetail, error)
	Picture(ctx context.Context, who Session, itemNo string) (Picture, error)
	// SetFavorite stars an item, or takes the star away.
	SetFavorite(ctx context.Context, who Session, itemNo string, on bool) error
}
