package portal

// Access is what the distributor lets a customer do and see, as far as pages ask: switches of
// its Web Access by column. Those that only the database obeys are not here; WebAccess has all.
type Access struct {
	CanOrder            bool       `json:"can_order"`
	SeePrices           bool       `json:"see_prices"`
	RequirePO           bool       `json:"require_po"`
	SeeStock            StockShown `json:"see_stock"`
	AuthorizedItemsOnly bool       `json:"authorized_items_only"`
	AllowBackorder      bool       `json:"allow_backorder"`
	SeeBalance          bool       `json:"see_balance"`
	CanReturn           bool       `json:"can_return"`
	MayChange           MayChange  `json:"may_change"`
}

// StockShown is how a customer sees what is in stock.
type StockShown string

const (
	StockNumber   StockShown = "number"
	StockInLowOut StockShown = "in_low_out"
	StockHidden   StockShown = "hidden"
)

// MayChange is what a buyer may do with an order that is still Submitted.
type MayChange string

const (
	ChangeNothing MayChange = "none"
	ChangeCancel  MayChange = "cancel" // take it back
	ChangeEdit    MayChange = "edit"   // that, or change its quantities
)

// MayCancel reports whether the customer may take back an order that is still
// Submitted.
func (a Access) MayCancel() bool { return a.CanOrder && a.MayChange != ChangeNothing }

// MayEdit reports whether it may change the quantities of one.
func (a Access) MayEdit() bool { return a.CanOrder && a.MayChange == ChangeEdit }
