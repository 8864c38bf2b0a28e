package portal

import (
	"context"
	"strings"
)

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

// Shortfall is what a count took back from a line of an order, in its unit: it
// waits for stock again.
type Shortfall struct {
	OrderNo string
	Qty     Qty
	UOM     string
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
	Shown          string `form:"shown"` // Figures of the form as it was opened; empty: not compared
}

// ItemDesk is the staff's side of items, their stock and what is on its way.
type ItemDesk interface {
	Items(ctx context.Context, who Session, query, after string) (rows []DeskItem, next string, err error)
	Item(ctx context.Context, who Session, itemNo string) (DeskItem, error)
	// SaveItem returns what a count below what is allocated took back.
	SaveItem(ctx context.Context, who Session, itemNo string, edit DeskItemEdit) ([]Shortfall, error)
	Supply(ctx context.Context, who Session, itemNo string) (ItemSupply, error)
	// Receive adds to what is on hand. seen is what the form showed there; nil:
	// not checked.
	Receive(ctx context.Context, who Session, itemNo, qty string, seen *Qty) error
	ExpectReceipt(ctx context.Context, who Session, itemNo, day, qty, note string) error
	ForgetReceipt(ctx context.Context, who Session, itemNo string, id int64) error
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

// Leaves reports whether the change leaves an item as it is, but for its stock.
func (c ItemChange) Leaves(i DeskItem) bool {
	same := func(a, b *Price) bool {
		return a == nil && b == nil || a != nil && b != nil && a.Equal(b.Decimal)
	}
	return c.Description == i.Description && c.Active == i.Active && c.Discontinued == i.Discontinued &&
		c.AllowBackorder == i.AllowBackorder && same(c.PriceA, i.PriceA) && same(c.PriceB, i.PriceB) &&
		same(c.PriceC, i.PriceC) && same(c.PriceD, i.PriceD) && same(c.PriceE, i.PriceE) && same(c.Cost, i.Cost)
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
