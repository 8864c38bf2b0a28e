package portal

import (
	"context"
	"time"
)

// DeskOrder is an order in the staff's queue.
type DeskOrder struct {
	Order
	CustomerNo   string   `json:"customer_no"`
	CustomerName string   `json:"customer_name"`
	NeedsReview  bool     `json:"needs_review"` // waits for a person: no job will decide it
	ReviewCodes  []string `json:"review_codes"` // of an order that is submitted or on hold
	Reviews      []Review `json:"reviews" db:"-"`
}

// DeskOrders is one page of the queue.
type DeskOrders struct {
	Orders []DeskOrder    `json:"orders"`
	Counts map[string]int `json:"counts"` // open orders by status, and "review"
	Next   string         `json:"next,omitempty"`
}

// DeskOrderDetail is an order with what staff need to decide about it.
type DeskOrderDetail struct {
	OrderDetail
	Moves       []OrderStatus `json:"moves"`      // where it may go now
	ToInvoice   bool          `json:"to_invoice"` // something shipped has no invoice yet
	CreditLimit *Money        `json:"credit_limit"`
	CreditHold  bool          `json:"credit_hold"`
	Exposure    Money         `json:"exposure"` // all the customer owes or has ordered, this order too
	Carriers    []string      `json:"carriers" db:"-"`
}

// OrderMove sets an order's status.
type OrderMove struct {
	To     OrderStatus
	Reason string      // required to reject; kept for hold and cancel, else left out
	From   OrderStatus // what the mover saw; empty: not checked
}

// DeskCustomer is one row of the desk's list of customers.
type DeskCustomer struct {
	CustomerNo  string  `json:"customer_no"`
	Name        string  `json:"name"`
	PriceLevel  string  `json:"price_level"`
	CreditLimit *Money  `json:"credit_limit"`
	CreditHold  bool    `json:"credit_hold"`
	Active      bool    `json:"active"`
	Route       *string `json:"route"`
	Enabled     bool    `json:"enabled"`
	OpenOrders  int     `json:"open_orders"`
}

// AuditEntry is who changed what, and when. Of a change of Web Access, Data has
// for each column that changed its old and its new value. Subject is what it was
// done to: an item's or an order's number, a category's name.
type AuditEntry struct {
	At      time.Time      `json:"at"`
	Actor   string         `json:"actor"`
	Program string         `json:"program"`
	Action  string         `json:"action"`
	Subject string         `json:"subject"`
	Data    map[string]any `json:"data"`
}

// DeskCustomerDetail is a customer with its Web Access tab.
type DeskCustomerDetail struct {
	DeskCustomer
	TermsDays int          `json:"terms_days"`
	Balance   Money        `json:"balance"`
	Exposure  Money        `json:"exposure"`
	Access    Access       `json:"access" db:"-"`
	Audit     []AuditEntry `json:"audit" db:"-"`
	ShipTos   []ShipTo     `json:"ship_tos" db:"-"`
	Logins    []string     `json:"logins"`
}

// DeskItem is an item as staff see it: all levels, cost and stock.
type DeskItem struct {
	ItemNo         string  `json:"item_no"`
	Description    string  `json:"description"`
	Category       *string `json:"category"`
	BaseUOM        string  `json:"base_uom"`
	PriceA         *Price  `json:"price_a"`
	PriceB         *Price  `json:"price_b"`
	PriceC         *Price  `json:"price_c"`
	PriceD         *Price  `json:"price_d"`
	PriceE         *Price  `json:"price_e"`
	Cost           *Price  `json:"cost"`
	OnHand         Qty     `json:"on_hand"`
	Allocated      Qty     `json:"allocated"`
	Active         bool    `json:"active"`
	Discontinued   bool    `json:"discontinued"`
	AllowBackorder bool    `json:"allow_backorder"`
}

// DeskItemEdit is the desk's item form. Prices are as typed; empty means none.
// Stock moves by itself: it is set only where OnHand differs from OnHandSeen.
type DeskItemEdit struct {
	Description    string `form:"description"`
	PriceA         string `form:"price_a"`
	PriceB         string `form:"price_b"`
	PriceC         string `form:"price_c"`
	PriceD         string `form:"price_d"`
	PriceE         string `form:"price_e"`
	Cost           string `form:"cost"`
	OnHand         string `form:"on_hand"`      // empty: left as it is
	OnHandSeen     string `form:"on_hand_seen"` // what the form showed; empty: not checked
	Active         bool   `form:"active"`
	Discontinued   bool   `form:"discontinued"`
	AllowBackorder bool   `form:"allow_backorder"`
}

// AccessEdit is the Web Access form: limits as typed, empty for no limit. A
// choice that is empty stays as it is.
type AccessEdit struct {
	Enabled             bool   `form:"enabled"`
	CanOrder            bool   `form:"can_order"`
	SeePrices           bool   `form:"see_prices"`
	RequirePO           bool   `form:"require_po"`
	MinOrder            string `form:"min_order"`
	MaxOrder            string `form:"max_order"`
	OverMax             string `form:"over_max"`
	AutoApprove         bool   `form:"auto_approve"`
	SeeStock            string `form:"see_stock"`
	SeePriceBreaks      bool   `form:"see_price_breaks"`
	AuthorizedItemsOnly bool   `form:"authorized_items_only"`
	AllowBackorder      bool   `form:"allow_backorder"`
	CreditCheck         string `form:"credit_check"`
	SeeBalance          bool   `form:"see_balance"`
	CanReturn           bool   `form:"can_return"`
	ReturnDays          string `form:"return_days"`
	CutoffMode          string `form:"cutoff_mode"`
	MonthlyStatement    bool   `form:"monthly_statement"`
}

// ShipOrder is what leaves the house: line numbers with quantities, all that is
// allocated where there are none.
type ShipOrder struct {
	Carrier    string
	TrackingNo string
	Qtys       map[int]Qty
	Seen       *Qty // Shipped of the order as the shipper saw it, so that nothing leaves twice; nil: not checked
}

// DeskService is the staff's side.
type DeskService interface {
	// DeskOrders lists orders of all customers and sources. Without a status
	// and a query it is the queue: open orders, first those that need review
	// (the oldest on top), then the newest. Status may be "review", "open"
	// or "all" as well; a query without a status looks through all orders.
	DeskOrders(ctx context.Context, who Session, f OrderFilter) (DeskOrders, error)
	DeskOrder(ctx context.Context, who Session, orderNo string) (DeskOrderDetail, error)
	// MoveOrder is CodeConflict where the move is illegal, or where somebody
	// else has moved the order meanwhile.
	MoveOrder(ctx context.Context, who Session, orderNo string, move OrderMove) error
	// Pick records how much of what is allocated has been picked, by line;
	// all of it where qtys is nil. An approved order moves to Picking.
	Pick(ctx context.Context, who Session, orderNo string, qtys map[int]Qty) error
	// Ship is CodeInvalid at field qty of a line where more is asked for than
	// is allocated.
	Ship(ctx context.Context, who Session, orderNo string, s ShipOrder) error
	Invoice(ctx context.Context, who Session, orderNo string) (invoiceNo string, err error)

	// DeskCustomers and DeskItems list by number, PageSize at a time; after is
	// the last number seen.
	DeskCustomers(ctx context.Context, who Session, query, after string) (rows []DeskCustomer, next string, err error)
	DeskCustomer(ctx context.Context, who Session, customerNo string) (DeskCustomerDetail, error)
	SaveAccess(ctx context.Context, who Session, customerNo string, edit AccessEdit) error

	DeskItems(ctx context.Context, who Session, query, after string) (rows []DeskItem, next string, err error)
	DeskItem(ctx context.Context, who Session, itemNo string) (DeskItem, error)
	SaveItem(ctx context.Context, who Session, itemNo string, edit DeskItemEdit) error
	// DeskFrame is the cursor and the company's settings for staff pages.
	DeskFrame(ctx context.Context, who Session) (Frame, error)

	DeskPriceService
	WarehouseService
	DeskRouteService
}
