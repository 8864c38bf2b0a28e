package portal

import (
	"time"
)

// WhyAsk is whose price of what is to be explained, as typed.
type WhyAsk struct {
	CustomerNo string
	ItemNo     string
	UOM        string // empty: the base unit
	Qty        string // empty: 1
	Date       string // YYYY-MM-DD; empty: today
}

// Why explains a price: every rule that could have a say, in the order of the
// steps.
type Why struct {
	CustomerNo   string      `json:"customer_no"`
	CustomerName string      `json:"customer_name"`
	PriceLevel   string      `json:"price_level"`
	ItemNo       string      `json:"item_no"`
	Description  string      `json:"description"`
	UOM          string      `json:"uom"`
	Units        []string    `json:"units"`
	Qty          Qty         `json:"qty"`
	Date         time.Time   `json:"date"`
	UnitPrice    *Price      `json:"unit_price"`
	Step         string      `json:"step"` // that won; none: call for price
	Reasons      []WhyReason `json:"reasons" db:"-"`
}

// WhyReason is a rule, or a level's column, with what it makes of the price.
type WhyReason struct {
	Step       string     `json:"step"`
	RuleID     *RuleID    `json:"rule_id"`
	UnitPrice  *Price     `json:"unit_price"`
	Wins       bool       `json:"wins"`
	Reason     string     `json:"reason"` // a code, see erp.price_why
	ValidFrom  *time.Time `json:"valid_from"`
	ValidUntil *time.Time `json:"valid_until"` // the last day
	MinQty     *Qty       `json:"min_qty"`
	Detail     string     `json:"detail"`
}
