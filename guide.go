package portal

import (
	"context"
	"time"
)

// ListID identifies a shared list of items.
type ListID int64

// ItemList is a list of items that all log-ins of a customer share.
type ItemList struct {
	ID    ListID `json:"list_id"`
	Name  string `json:"name"`
	Items int    `json:"items"` // on it, as far as the catalogue holds them
}

// ItemOnList is a shared list as an item's page shows it.
type ItemOnList struct {
	ID   ListID `json:"list_id"`
	Name string `json:"name"`
	On   bool   `json:"on"` // the item is on it
}

// GuideKind says which items a guide is of.
type GuideKind string

// The kinds.
const (
	GuideStarred GuideKind = "starred" // the log-in's favourites
	GuideBought  GuideKind = "bought"  // everything the customer ever bought
	GuideList    GuideKind = "list"    // a shared list
)

// GuideItem is an item to order again, with how it was ordered before.
type GuideItem struct {
	ID          ItemID  `json:"-"`
	ItemNo      string  `json:"item_no"`
	Description string  `json:"description"`
	UOM         string  `json:"uom"` // as bought last, else the base unit
	UnitPrice   *Price  `json:"unit_price"`
	PriceStep   *string `json:"price_step"`
	ByQuantity  bool    `json:"by_quantity"` // its price is a break's, which this account sees in the cart alone
	Stock
	Orderable   bool       `json:"orderable"`
	Favorite    bool       `json:"favorite"`
	HasPicture  bool       `json:"has_picture"`
	LastQty     *Qty       `json:"last_ordered_qty"` // in UOM
	LastOrdered *time.Time `json:"last_ordered_at"`
	UsualQty    *Qty       `json:"usual_qty"` // what it was most often, in UOM
	Times       int        `json:"times"`     // how often it was bought
}

// Guide is a page of items to order again.
type Guide struct {
	Kind  GuideKind   `json:"kind"`
	List  *ItemList   `json:"list,omitempty"`
	Items []GuideItem `json:"items"`
	Lists []ItemList  `json:"lists"`
	Total int         `json:"total"`
	Page  int         `json:"page"`
	Pages int         `json:"pages"`
}

// GuideService shows what a customer orders again and again.
type GuideService interface {
	// Guide is a page of PageSize items; CodeNotFound where the list is not
	// the customer's.
	Guide(ctx context.Context, who Session, kind GuideKind, list ListID, page int) (Guide, error)
	// SaveList makes a list and returns its id.
	SaveList(ctx context.Context, who Session, name string) (ListID, error)
	DeleteList(ctx context.Context, who Session, list ListID) error
	// PutOnList puts an item on a list, or takes it off.
	PutOnList(ctx context.Context, who Session, list ListID, itemNo string, on bool) error
}
