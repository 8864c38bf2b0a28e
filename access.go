package portal

// Access is a customer's Web Access tab: what the distributor lets it do and
// see. A nil limit means no limit, zero means none allowed.
type Access struct {
	Enabled             bool   `json:"enabled"`
	CanOrder            bool   `json:"can_order"`
	SeePrices           bool   `json:"see_prices"`
	RequirePO           bool   `json:"require_po"`
	MinOrder            *Money `json:"min_order"`
	MaxOrder            *Money `json:"max_order"`
	OverMax             string `json:"over_max"` // block, queue
	AutoApprove         bool   `json:"auto_approve"`
	SeeStock            string `json:"see_stock"` // number, in_low_out, hidden
	SeePriceBreaks      bool   `json:"see_price_breaks"`
	AuthorizedItemsOnly bool   `json:"authorized_items_only"`
	AllowBackorder      bool   `json:"allow_backorder"`
	CreditCheck         string `json:"credit_check"` // off, warn, queue, block
	SeeBalance          bool   `json:"see_balance"`
	CanReturn           bool   `json:"can_return"`
	ReturnDays          *int   `json:"return_days"`
	CutoffMode          string `json:"cutoff_mode"` // strict, flexible
	MonthlyStatement    bool   `json:"monthly_statement"`
	ManyLogins          bool   `json:"many_logins"` // its approvers manage its log-ins
	MayChange           string `json:"may_change"`  // none, cancel, edit: what a buyer may do with an order still Submitted
}

// MayCancel reports whether the customer may take back an order that is still
// Submitted.
func (a Access) MayCancel() bool { return a.CanOrder && a.MayChange != "none" }

// MayEdit reports whether it may change the quantities of one.
func (a Access) MayEdit() bool { return a.CanOrder && a.MayChange == "edit" }
