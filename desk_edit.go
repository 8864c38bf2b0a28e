package portal

import (
	"strconv"
	"strings"
)

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

// ItemChange is a DeskItemEdit whose numbers have been read.
type ItemChange struct {
	Description                                  string
	PriceA, PriceB, PriceC, PriceD, PriceE, Cost *Price
	OnHand, OnHandSeen                           *Qty // nil: not to be set, not to be checked
	Active, Discontinued, AllowBackorder         bool
}

// Change reads the form. An error names every field that cannot be read.
func (e DeskItemEdit) Change() (ItemChange, error) {
	var t typed
	c := ItemChange{
		Description: strings.Join(strings.Fields(e.Description), " "),
		PriceA:      t.price("price_a", "Level A", e.PriceA),
		PriceB:      t.price("price_b", "Level B", e.PriceB),
		PriceC:      t.price("price_c", "Level C", e.PriceC),
		PriceD:      t.price("price_d", "Level D", e.PriceD),
		PriceE:      t.price("price_e", "Level E", e.PriceE),
		Cost:        t.price("cost", "The cost", e.Cost),
		Active:      e.Active, Discontinued: e.Discontinued, AllowBackorder: e.AllowBackorder,
	}
	if c.Description == "" {
		t.wrong("description", "Every item needs a description.")
	}
	if d := t.number("on_hand", "The quantity on hand", e.OnHand, 6, "120"); d != nil {
		c.OnHand = &Qty{*d}
	}
	if d, ok := readTyped(e.OnHandSeen, 6); ok {
		c.OnHandSeen = &Qty{d}
	}
	return c, t.err()
}

// Typed is the form as it stands for an item.
func (i DeskItem) Typed() DeskItemEdit {
	price := func(p *Price) string {
		if p == nil {
			return ""
		}
		return p.Text()
	}
	onHand := i.OnHand.Decimal.String()
	e := DeskItemEdit{
		Description: i.Description, PriceA: price(i.PriceA), PriceB: price(i.PriceB), PriceC: price(i.PriceC),
		PriceD: price(i.PriceD), PriceE: price(i.PriceE), Cost: price(i.Cost), OnHand: onHand, OnHandSeen: onHand,
		Active: i.Active, Discontinued: i.Discontinued, AllowBackorder: i.AllowBackorder,
	}
	e.Shown = e.Figures().Shown()
	return e
}

// Figures are what the form of an item shows, but for the stock, which moves by
// itself and is compared by OnHandSeen.
func (e DeskItemEdit) Figures() Figures {
	return Figures{
		{Field: "description", Label: "The description", Value: e.Description},
		{Field: "price_a", Label: "Level A", Value: e.PriceA}, {Field: "price_b", Label: "Level B", Value: e.PriceB},
		{Field: "price_c", Label: "Level C", Value: e.PriceC}, {Field: "price_d", Label: "Level D", Value: e.PriceD},
		{Field: "price_e", Label: "Level E", Value: e.PriceE}, {Field: "cost", Label: "The cost", Value: e.Cost},
		{Field: "active", Label: "Active", Value: onOff(e.Active)},
		{Field: "discontinued", Label: "Discontinued", Value: onOff(e.Discontinued)},
		{Field: "allow_backorder", Label: "Backorders allowed", Value: onOff(e.AllowBackorder)},
	}
}

// Available is what can still be promised, in base units.
func (i DeskItem) Available() Qty { return Qty{i.OnHand.Sub(i.Allocated.Decimal)} }
