package portal

import (
	"context"
	"time"
)

// Dashboard is the customer's first page.
type Dashboard struct {
	Orders       []Order   `json:"orders"`
	OpenInvoices []Invoice `json:"open_invoices"`
	Aging        *Aging    `json:"aging"` // nil where the balance is hidden
	Delivery     *Delivery `json:"next_delivery"`
	Notices      []Notice  `json:"notices" db:"-"`

	// What was bought, as pictures. Amounts are nil where the customer sees no
	// prices or its log-in no invoices; then there is no Spend.
	Spend     []MonthSpend  `json:"spend" db:"-"`     // the last twelve months, the oldest first
	TopItems  []TopItem     `json:"top_items" db:"-"` // of the last twelve months, by amount
	OpenByNow []StatusCount `json:"open_orders" db:"-"`
}

// MonthSpend is what was invoiced in a month, with tax and freight, less what
// was credited; and in the same month a year before.
type MonthSpend struct {
	Month    time.Time `json:"month"` // its first day
	Amount   Money     `json:"amount"`
	LastYear Money     `json:"last_year"`
}

// TopItem is an item that was bought much of.
type TopItem struct {
	ItemNo      string `json:"item_no"`
	Description string `json:"description"`
	Invoices    int    `json:"invoices"`
	Amount      *Money `json:"amount"`
	InCatalog   bool   `json:"in_catalog"` // whether its page is there for this account
}

// StatusCount is how many open orders are in a status.
type StatusCount struct {
	Status string `json:"status"`
	Orders int    `json:"orders"`
}

// Profile is the customer's own data.
type Profile struct {
	CustomerNo string    `json:"customer_no"`
	Name       string    `json:"name"`
	TermsDays  int       `json:"terms_days"`
	Route      string    `json:"route"` // name; empty: none
	ShipTos    []ShipTo  `json:"ship_tos" db:"-"`
	Delivery   *Delivery `json:"next_delivery" db:"-"`
	Sessions   []Session `json:"-" db:"-"`
}

// Frame is what every page shows around its content.
type Frame struct {
	Access    Access // as far as the log-in's role goes
	Rights    Rights
	CartLines int
	CartTotal *Money
	Notices   int          // not put away yet
	Notice    Notification // the newest of them
	Cursor    Cursor       // taken before the page's data, for GET /live
	TimeZone  string
	Now       time.Time // erp.now()
	Currency  string

	StaffActing bool // somebody of the staff acts as this customer now
}

// FrameService reads what stands around a page: of a customer, or of staff, whose
// frame has the cursor and the company's settings only.
type FrameService interface {
	Frame(ctx context.Context, who Session) (Frame, error)
}

// CustomerService shows a customer its own account.
type CustomerService interface {
	Dashboard(ctx context.Context, who Session) (Dashboard, error)
	Profile(ctx context.Context, who Session) (Profile, error)
}
