package portal

import (
	"strconv"
)

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
	ManyLogins          bool   `form:"many_logins"`
	MayChange           string `form:"may_change"`
	Shown               string `form:"shown"` // Figures of the form as it was opened; empty: not compared
}

// Access reads the form. Its choices are empty where they stay as they are. An
// error names every field that cannot be read.
func (e AccessEdit) Access() (Access, error) {
	var t typed
	a := Access{
		Enabled: e.Enabled, CanOrder: e.CanOrder, SeePrices: e.SeePrices, RequirePO: e.RequirePO, AutoApprove: e.AutoApprove,
		SeePriceBreaks: e.SeePriceBreaks, AuthorizedItemsOnly: e.AuthorizedItemsOnly, AllowBackorder: e.AllowBackorder,
		SeeBalance: e.SeeBalance, CanReturn: e.CanReturn, MonthlyStatement: e.MonthlyStatement, ManyLogins: e.ManyLogins,
		MinOrder:    t.money("min_order", "The minimum order", e.MinOrder),
		MaxOrder:    t.money("max_order", "The maximum order", e.MaxOrder),
		OverMax:     t.choice("over_max", e.OverMax, "block", "queue"),
		SeeStock:    t.choice("see_stock", e.SeeStock, "number", "in_low_out", "hidden"),
		CreditCheck: t.choice("credit_check", e.CreditCheck, "off", "warn", "queue", "block"),
		CutoffMode:  t.choice("cutoff_mode", e.CutoffMode, "strict", "flexible"),
		MayChange:   t.choice("may_change", e.MayChange, "none", "cancel", "edit"),
	}
	if d := t.number("return_days", "The number of days", e.ReturnDays, 0, "30, or leave it empty for no limit"); d != nil {
		if days := d.IntPart(); days > 36500 {
			t.wrong("return_days", "That is more than a hundred years: leave it empty for no limit.")
		} else {
			n := int(days)
			a.ReturnDays = &n
		}
	}
	return a, t.err()
}

// Typed is the form as it stands for an access.
func (a Access) Typed() AccessEdit {
	money := func(m *Money) string {
		if m == nil {
			return ""
		}
		return m.StringFixed(2)
	}
	e := AccessEdit{
		Enabled: a.Enabled, CanOrder: a.CanOrder, SeePrices: a.SeePrices, RequirePO: a.RequirePO, MinOrder: money(a.MinOrder),
		MaxOrder: money(a.MaxOrder), OverMax: a.OverMax, AutoApprove: a.AutoApprove, SeeStock: a.SeeStock,
		SeePriceBreaks: a.SeePriceBreaks, AuthorizedItemsOnly: a.AuthorizedItemsOnly, AllowBackorder: a.AllowBackorder,
		CreditCheck: a.CreditCheck, SeeBalance: a.SeeBalance, CanReturn: a.CanReturn, CutoffMode: a.CutoffMode,
		MonthlyStatement: a.MonthlyStatement, ManyLogins: a.ManyLogins, MayChange: a.MayChange,
	}
	if a.ReturnDays != nil {
		e.ReturnDays = strconv.Itoa(*a.ReturnDays)
	}
	e.Shown = e.Figures().Shown()
	return e
}

// Figures are what the form of an access shows.
func (e AccessEdit) Figures() Figures {
	return Figures{
		{Field: "enabled", Label: "Portal open", Value: onOff(e.Enabled)},
		{Field: "can_order", Label: "May order", Value: onOff(e.CanOrder)},
		{Field: "see_prices", Label: "Sees prices", Value: onOff(e.SeePrices)},
		{Field: "see_price_breaks", Label: "Sees price breaks", Value: onOff(e.SeePriceBreaks)},
		{Field: "authorized_items_only", Label: "Authorized items only", Value: onOff(e.AuthorizedItemsOnly)},
		{Field: "many_logins", Label: "Manages its own people", Value: onOff(e.ManyLogins)},
		{Field: "see_stock", Label: "Sees stock", Value: e.SeeStock},
		{Field: "require_po", Label: "PO number required", Value: onOff(e.RequirePO)},
		{Field: "min_order", Label: "Minimum order", Value: e.MinOrder},
		{Field: "max_order", Label: "Maximum order", Value: e.MaxOrder},
		{Field: "over_max", Label: "An order above the maximum", Value: e.OverMax},
		{Field: "auto_approve", Label: "Approve at once", Value: onOff(e.AutoApprove)},
		{Field: "allow_backorder", Label: "Backorders allowed", Value: onOff(e.AllowBackorder)},
		{Field: "may_change", Label: "An order still Submitted", Value: e.MayChange},
		{Field: "cutoff_mode", Label: "Cutoff of the delivery route", Value: e.CutoffMode},
		{Field: "credit_check", Label: "An order above the credit limit", Value: e.CreditCheck},
		{Field: "see_balance", Label: "Sees the balance", Value: onOff(e.SeeBalance)},
		{Field: "monthly_statement", Label: "Monthly statement by mail", Value: onOff(e.MonthlyStatement)},
		{Field: "can_return", Label: "May request returns", Value: onOff(e.CanReturn)},
		{Field: "return_days", Label: "Days to request a return", Value: e.ReturnDays},
	}
}
