package portal

import (
	"context"
	"fmt"
	"strings"
)

// MaxEntryRows is how many rows of a quick order are taken at once.
const MaxEntryRows = 5000

// EntryRow is one row of a quick order as typed, pasted or uploaded.
type EntryRow struct {
	Ref string `json:"ref"` // item number, barcode, or the customer's own number
	UOM string `json:"uom"` // empty: that of the barcode, else the base unit
	Qty string `json:"qty"`

	// Problem is why a cell of a file is no quantity, in words: Qty is then as
	// it stands there, and the row never ready. "" for what was typed.
	Problem string `json:"-" db:"-"`
}

// Blank reports whether nothing was typed.
func (r EntryRow) Blank() bool {
	return r.Problem == "" && strings.TrimSpace(r.Ref) == "" && strings.TrimSpace(r.Qty) == ""
}

// EntryItem is what a row's reference stands for.
type EntryItem struct {
	ItemNo       string   `json:"item_no"`
	Description  string   `json:"description"`
	UOM          string   `json:"uom"`   // asked for, else the barcode's, else the base unit
	Units        []string `json:"units"` // base unit first
	Factor       *Qty     `json:"-"`     // nil: not sold by UOM
	Fractional   bool     `json:"-"`
	Discontinued bool     `json:"discontinued"`
	UnitPrice    *Price   `json:"unit_price"`
	PriceStep    *string  `json:"price_step"`
	Priced       bool     `json:"-"` // false: call for price
	LineTotal    *Money   `json:"line_total"`
	Stock
	Orderable    bool    `json:"orderable"`
	Short        bool    `json:"short"` // more than is there
	SubstituteNo *string `json:"substitute_item_no"`
}

// EntryLine is a row with what became of it.
type EntryLine struct {
	Line int `json:"line"` // from 1, as it stood in what was sent
	EntryRow
	Item    *EntryItem `json:"item"`
	Field   string     `json:"field,omitempty"` // ref, uom or qty: where Error belongs
	Error   string     `json:"error,omitempty"` // why the row cannot be ordered
	Warning string     `json:"warning,omitempty"`
}

// Ready reports whether the row can go into the cart.
func (l EntryLine) Ready() bool { return l.Item != nil && l.Error == "" && !l.Blank() }

// Judge says what is wrong with a row, in the buyer's words, once its item has
// been looked up. qty is nil where it could not be read.
func (l *EntryLine) Judge(qty *Qty) {
	refuse := func(field, format string, args ...any) { l.Field, l.Error = field, fmt.Sprintf(format, args...) }
	i := l.Item
	switch {
	case l.Blank():
	case strings.TrimSpace(l.Ref) == "":
		refuse("ref", "Which item?")
	case i == nil:
		refuse("ref", "There is no item %q in your catalog.", l.Ref)
	case i.Discontinued && i.SubstituteNo != nil:
		refuse("ref", "%s is discontinued. Instead: %s.", i.ItemNo, *i.SubstituteNo)
	case i.Discontinued:
		refuse("ref", "%s is discontinued.", i.ItemNo)
	case i.Factor == nil:
		refuse("uom", "%s is not sold by %s; it is sold by %s.", i.ItemNo, l.UOM, strings.Join(i.Units, ", "))
	case !i.Priced:
		refuse("ref", "Please call us for a price of %s.", i.ItemNo)
	case l.Problem != "":
		refuse("qty", "%s", l.Problem)
	case strings.TrimSpace(l.Qty) == "":
		refuse("qty", "How many?")
	case qty == nil:
		refuse("qty", "Enter a quantity above zero, like 12.")
	case !i.Fractional && !(qty.IsInteger() && qty.Mul(i.Factor.Decimal).IsInteger()):
		refuse("qty", "%s is sold in whole %s.", i.ItemNo, i.UOM)
	case !i.Orderable:
		refuse("ref", "%s is out of stock.", i.ItemNo)
	case i.Short && i.Available != nil:
		l.Warning = fmt.Sprintf("%s available.", i.Available)
	case i.Short:
		l.Warning = "Not all of it is in stock."
	}
}

// BoughtRow is an item bought before, as it was bought last.
type BoughtRow struct {
	EntryRow
	Description string `json:"description"`
}

// EntryService takes many rows at once.
type EntryService interface {
	// Resolve looks rows up, prices them in one call and judges each. The
	// quantities of one item count together.
	Resolve(ctx context.Context, who Session, rows []EntryRow) ([]EntryLine, error)
	// AddReady puts the rows that are ready into the cart, all or none of
	// them, adding to what is there, and returns all rows judged and how many
	// went in. Replace empties the cart first.
	AddReady(ctx context.Context, who Session, rows []EntryRow, replace bool) (lines []EntryLine, added int, err error)
	// BoughtBefore are the items a customer ordered or was invoiced, last
	// first, as it ordered them last; at most limit.
	BoughtBefore(ctx context.Context, who Session, limit int) ([]BoughtRow, error)
}
