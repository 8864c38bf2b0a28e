package portal

import (
	"context"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// RuleID is the number of a contract, a group exception or a quantity break,
// each counted by itself.
type RuleID int64

// RuleKind says which of the three a rule is.
type RuleKind string

const (
	RuleContract RuleKind = "contract"
	RuleGroup    RuleKind = "group"
	RuleBreak    RuleKind = "break"
)

// RuleDates is when a rule holds: both days belong to it, in the company's time
// zone; nil is open.
type RuleDates struct {
	ValidFrom *time.Time `json:"valid_from"`
	ValidTo   *time.Time `json:"valid_to"`
	State     string     `json:"state"` // current, coming or ended
}

// PriceContract is a customer's price of an item.
type PriceContract struct {
	ID           RuleID  `json:"contract_id" db:"contract_id"`
	CustomerNo   string  `json:"customer_no"`
	CustomerName string  `json:"customer_name"`
	ItemNo       string  `json:"item_no"`
	Description  string  `json:"description"`
	BaseUOM      string  `json:"base_uom"`
	UOM          *string `json:"uom"`  // nil: every unit
	Kind         string  `json:"kind"` // fixed, percent_off or cost_plus
	Value        Price   `json:"value"`
	MinQty       Qty     `json:"min_qty"` // base units
	RuleDates
}

// PriceGroup is what a customer pays in a category and those below it.
type PriceGroup struct {
	ID         RuleID     `json:"group_id" db:"group_id"`
	CategoryID CategoryID `json:"category_id"`
	Category   string     `json:"category"`
	Kind       string     `json:"kind"` // percent_off or cost_plus
	Value      Price      `json:"value"`
	RuleDates
}

// PriceBreak is an item's price from a quantity on.
type PriceBreak struct {
	ID       RuleID   `json:"break_id" db:"break_id"`
	MinQty   Qty      `json:"min_qty"` // base units
	Price    *Price   `json:"price"`
	UseLevel *string  `json:"use_level"` // instead of a price
	Levels   []string `json:"levels"`    // open to these only; none: to all
	RuleDates
}

// RuleFilter narrows a list of contracts.
type RuleFilter struct {
	Query string // an item number's beginning, or words of the description
	All   bool   // those that have ended, too
	After string // paging: the cursor of the last row seen
}

// CategoryChoice is a category in a list to choose from.
type CategoryChoice struct {
	ID   CategoryID `json:"category_id" db:"category_id"`
	Name string     `json:"name"`
}

// CustomerPrices is a customer with the rules that are its own.
type CustomerPrices struct {
	CustomerNo string           `json:"customer_no"`
	Name       string           `json:"name"`
	PriceLevel string           `json:"price_level"`
	Contracts  []PriceContract  `json:"contracts" db:"-"`
	Next       string           `json:"next,omitempty" db:"-"` // of the contracts
	Groups     []PriceGroup     `json:"groups" db:"-"`
	Categories []CategoryChoice `json:"-" db:"-"`
	Audit      []PriceAudit     `json:"audit" db:"-"`
}

// ItemPrices is an item with the rules about it.
type ItemPrices struct {
	ItemNo      string          `json:"item_no"`
	Description string          `json:"description"`
	BaseUOM     string          `json:"base_uom"`
	Breaks      []PriceBreak    `json:"breaks" db:"-"`
	Contracts   []PriceContract `json:"contracts" db:"-"` // of all customers
	Next        string          `json:"next,omitempty" db:"-"`
	Audit       []PriceAudit    `json:"audit" db:"-"`
}

// PriceAudit is a change of a rule or a level price. Subject is the item's
// number or the category's name.
type PriceAudit struct {
	AuditEntry
	CustomerNo *string `json:"customer_no"`
}

// ContractEdit is the form of a contract, as typed.
type ContractEdit struct {
	ID        RuleID `form:"contract_id"` // 0: a new one
	ItemNo    string `form:"item_no"`
	UOM       string `form:"uom"` // empty: every unit
	Kind      string `form:"kind"`
	Value     string `form:"value"`
	MinQty    string `form:"min_qty"`    // empty: 0
	ValidFrom string `form:"valid_from"` // YYYY-MM-DD; empty: open
	ValidTo   string `form:"valid_to"`
	Shown     string `form:"shown"` // Figures of the rule as the form was opened; empty: not compared
}

// GroupEdit is the form of a group exception, as typed.
type GroupEdit struct {
	ID         RuleID     `form:"group_id"` // 0: a new one
	CategoryID CategoryID `form:"category_id"`
	Kind       string     `form:"kind"`
	Value      string     `form:"value"`
	ValidFrom  string     `form:"valid_from"`
	ValidTo    string     `form:"valid_to"`
	Shown      string     `form:"shown"` // Figures of the rule as the form was opened; empty: not compared
}

// BreakEdit is the form of a quantity break, as typed.
type BreakEdit struct {
	ID        RuleID   `form:"break_id"` // 0: a new one
	MinQty    string   `form:"min_qty"`
	Price     string   `form:"price"`
	UseLevel  string   `form:"use_level"`
	Levels    []string `form:"levels"` // none: all
	ValidFrom string   `form:"valid_from"`
	ValidTo   string   `form:"valid_to"`
	Shown     string   `form:"shown"` // Figures of the rule as the form was opened; empty: not compared
}

// RuleChange is a form whose fields have been read.
type RuleChange struct {
	UOM      *string
	Kind     string
	Value    *Price
	MinQty   *Qty
	UseLevel *string
	Levels   []string // sorted; nil: all
	From, To *time.Time
}

// dates reads the two ends of a rule.
func (t *typed) dates(from, to string) (f, l *time.Time) {
	f, l = t.date("valid_from", "The first day", from), t.date("valid_to", "The last day", to)
	if f != nil && l != nil && l.Before(*f) {
		t.wrong("valid_to", "The last day is before the first.")
	}
	return f, l
}

// value reads a rule's value, which is a price or a percentage.
func (t *typed) value(kind, s string) *Price {
	switch kind {
	case "percent_off":
		v := t.required("value", "The percentage", s, 4, "12.5")
		if v != nil && v.GreaterThan(hundred) {
			t.wrong("value", "More than 100 percent off is not a price.")
		}
		return v
	case "cost_plus":
		return t.required("value", "The percentage", s, 4, "12.5")
	}
	return t.required("value", "The price", s, 4, "22.75")
}

func (t *typed) kind(s string, kinds ...string) string {
	if s == "" {
		t.wrong("kind", "Choose how the price is made.")
	}
	return t.choice("kind", s, kinds...)
}

// Change reads the form. An error names every field that cannot be read.
func (e ContractEdit) Change() (RuleChange, error) {
	var t typed
	c := RuleChange{Kind: t.kind(e.Kind, "fixed", "percent_off", "cost_plus"),
		Value: t.value(e.Kind, e.Value), MinQty: &Qty{}}
	if strings.TrimSpace(e.ItemNo) == "" {
		t.wrong("item_no", "Which item is it for?")
	}
	if uom := strings.TrimSpace(e.UOM); uom != "" {
		c.UOM = &uom
	}
	if d := t.number("min_qty", "The minimum quantity", e.MinQty, 6, "12, or leave it empty for any"); d != nil {
		c.MinQty = &Qty{*d}
	}
	c.From, c.To = t.dates(e.ValidFrom, e.ValidTo)
	return c, t.err()
}

// Change reads the form. An error names every field that cannot be read.
func (e GroupEdit) Change() (RuleChange, error) {
	var t typed
	if e.CategoryID == 0 {
		t.wrong("category_id", "Which category is it for?")
	}
	c := RuleChange{Kind: t.kind(e.Kind, "percent_off", "cost_plus"), Value: t.value(e.Kind, e.Value)}
	c.From, c.To = t.dates(e.ValidFrom, e.ValidTo)
	return c, t.err()
}

// Change reads the form. An error names every field that cannot be read.
func (e BreakEdit) Change() (RuleChange, error) {
	var t typed
	var c RuleChange
	if q := t.required("min_qty", "The quantity", e.MinQty, 6, "12"); q != nil {
		if c.MinQty = (&Qty{q.Decimal}); !q.IsPositive() {
			t.wrong("min_qty", "The quantity must be above zero.")
		}
	}
	c.Value = t.price("price", "The price", e.Price)
	if level := t.choice("use_level", e.UseLevel, levels...); level != "" {
		c.UseLevel = &level
	}
	if (strings.TrimSpace(e.Price) == "") == (e.UseLevel == "") {
		t.wrong("price", "Give either a price or the level whose price holds.")
	}
	for _, l := range e.Levels {
		if l = t.choice("levels", l, levels...); l != "" {
			c.Levels = append(c.Levels, l)
		}
	}
	slices.Sort(c.Levels)
	c.Levels = slices.Compact(c.Levels)
	c.From, c.To = t.dates(e.ValidFrom, e.ValidTo)
	return c, t.err()
}

// Typed is the form as it stands for a contract.
func (c PriceContract) Typed() ContractEdit {
	e := ContractEdit{ID: c.ID, ItemNo: c.ItemNo, Kind: c.Kind, Value: c.Value.Text(), ValidFrom: isoDay(c.ValidFrom),
		ValidTo: isoDay(c.ValidTo)}
	if c.UOM != nil {
		e.UOM = *c.UOM
	}
	if !c.MinQty.IsZero() {
		e.MinQty = c.MinQty.Decimal.String()
	}
	e.Shown = e.Figures().Shown()
	return e
}

// Typed is the form as it stands for a group exception.
func (g PriceGroup) Typed() GroupEdit {
	e := GroupEdit{ID: g.ID, CategoryID: g.CategoryID, Kind: g.Kind, Value: g.Value.Text(), ValidFrom: isoDay(g.ValidFrom),
		ValidTo: isoDay(g.ValidTo)}
	e.Shown = e.Figures().Shown()
	return e
}

// Typed is the form as it stands for a break.
func (b PriceBreak) Typed() BreakEdit {
	e := BreakEdit{ID: b.ID, MinQty: b.MinQty.Decimal.String(), Levels: b.Levels, ValidFrom: isoDay(b.ValidFrom),
		ValidTo: isoDay(b.ValidTo)}
	if b.Price != nil {
		e.Price = b.Price.Text()
	}
	if b.UseLevel != nil {
		e.UseLevel = *b.UseLevel
	}
	e.Shown = e.Figures().Shown()
	return e
}

// dateFigures are a rule's days.
func dateFigures(from, to string) Figures {
	return Figures{{Field: "valid_from", Label: "The first day", Value: from},
		{Field: "valid_to", Label: "The last day", Value: to}}
}

// Figures are what the form of a contract shows.
func (e ContractEdit) Figures() Figures {
	return append(Figures{
		{Field: "item_no", Label: "The item", Value: e.ItemNo}, {Field: "uom", Label: "The unit", Value: e.UOM},
		{Field: "kind", Label: "How the price is made", Value: e.Kind},
		{Field: "value", Label: "Price or percent", Value: e.Value},
		{Field: "min_qty", Label: "From quantity", Value: e.MinQty},
	}, dateFigures(e.ValidFrom, e.ValidTo)...)
}

// Figures are what the form of a group exception shows.
func (e GroupEdit) Figures() Figures {
	return append(Figures{
		{Field: "category_id", Label: "The category", Value: strconv.FormatInt(int64(e.CategoryID), 10), Unsaid: true},
		{Field: "kind", Label: "How the price is made", Value: e.Kind},
		{Field: "value", Label: "The percentage", Value: e.Value},
	}, dateFigures(e.ValidFrom, e.ValidTo)...)
}

// Figures are what the form of a break shows.
func (e BreakEdit) Figures() Figures {
	levels := slices.Clone(e.Levels)
	slices.Sort(levels)
	return append(Figures{
		{Field: "min_qty", Label: "From quantity", Value: e.MinQty}, {Field: "price", Label: "The price", Value: e.Price},
		{Field: "use_level", Label: "The level whose price holds", Value: e.UseLevel},
		{Field: "levels", Label: "The levels it is open to", Value: strings.Join(levels, ", ")},
	}, dateFigures(e.ValidFrom, e.ValidTo)...)
}

// Shown is the contract as a form carries it.
func (c PriceContract) Shown() string { return c.Typed().Shown }

// Shown is the group exception as a form carries it.
func (g PriceGroup) Shown() string { return g.Typed().Shown }

// Shown is the break as a form carries it.
func (b PriceBreak) Shown() string { return b.Typed().Shown }

// RuleWords says what a rule makes of the price: "22.75", "10 % off", "cost plus
// 12.5 %".
func RuleWords(kind string, value Price) string {
	switch kind {
	case "percent_off":
		return value.Decimal.String() + " % off"
	case "cost_plus":
		return "cost plus " + value.Decimal.String() + " %"
	}
	return value.Text()
}

// Says is what the contract makes of the price.
func (c PriceContract) Says() string { return RuleWords(c.Kind, c.Value) }

// Says is what the exception makes of the price.
func (g PriceGroup) Says() string { return RuleWords(g.Kind, g.Value) }

// Says is the price from the quantity on.
func (b PriceBreak) Says() string {
	if b.UseLevel != nil {
		return "price of level " + *b.UseLevel
	}
	if b.Price == nil {
		return ""
	}
	return b.Price.Text()
}

// Words says when a rule holds: "1 Jan – 30 Jun 2026", "from 1 Jan 2026",
// "until 30 Jun 2026", "always".
func (d RuleDates) Words() string {
	const day = "2 Jan 2006"
	switch {
	case d.ValidFrom == nil && d.ValidTo == nil:
		return "always"
	case d.ValidTo == nil:
		return "from " + d.ValidFrom.Format(day)
	case d.ValidFrom == nil:
		return "until " + d.ValidTo.Format(day)
	case d.ValidFrom.Equal(*d.ValidTo):
		return "on " + d.ValidTo.Format(day)
	case d.ValidFrom.Year() == d.ValidTo.Year():
		return d.ValidFrom.Format("2 Jan") + " – " + d.ValidTo.Format(day)
	}
	return d.ValidFrom.Format(day) + " – " + d.ValidTo.Format(day)
}

// PriceDesk is what staff do with price rules and price lists. A rule that would
// overlap another is CodeInvalid at valid_from, and the message says which.
type PriceDesk interface {
	CustomerPrices(ctx context.Context, who Session, customerNo string, f RuleFilter) (CustomerPrices, error)
	Contract(ctx context.Context, who Session, customerNo string, id RuleID) (PriceContract, error)
	SaveContract(ctx context.Context, who Session, customerNo string, edit ContractEdit) error
	SaveGroup(ctx context.Context, who Session, customerNo string, edit GroupEdit) error
	ItemPrices(ctx context.Context, who Session, itemNo string, f RuleFilter) (ItemPrices, error)
	SaveBreak(ctx context.Context, who Session, itemNo string, edit BreakEdit) error
	// EndRule makes yesterday a rule's last day; one that has not begun yet
	// goes altogether, and gone tells so. Owner is the customer's number, or
	// the item's for a break. Both are CodeConflict where the rule is not the
	// one that was shown any more (empty: not compared).
	EndRule(ctx context.Context, who Session, kind RuleKind, owner string, id RuleID, shown string) (gone bool, err error)
	DeleteRule(ctx context.Context, who Session, kind RuleKind, owner string, id RuleID, shown string) error
	// Why is CodeInvalid at customer, item, uom, qty or date where there is no
	// such thing.
	Why(ctx context.Context, who Session, ask WhyAsk) (Why, error)
	// ExportPrices writes a price list as CSV, in one read of the database.
	ExportPrices(ctx context.Context, who Session, list PriceList, w io.Writer) error
	// ImportPrices checks a price list and, where apply says so, loads it: all
	// of it or, with leaveOut, all but its bad rows, in one transaction that
	// no order waits for. An error at field file means that it is no price
	// list at all.
	ImportPrices(ctx context.Context, who Session, list PriceList, file io.Reader, o ImportOptions) (PriceImport, error)
}
