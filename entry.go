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
	UOM string `json:"uom"` // empty: that beside the quantity or of the barcode, else the base unit
	Qty string `json:"qty"`
	// Pick is the number of the item that is meant where Ref fits several. It
	// counts only while it is one of them.
	Pick string `json:"pick,omitempty" db:"-"`
	// Sure confirms an unusual quantity: EntryLine.AskSure as it was told. It
	// names quantity, unit and item, so that it confirms no other.
	Sure string `json:"sure,omitempty" db:"-"`
	// Problem is why a cell of a file is no quantity, in words: Qty is then as
	// it stands there, and the row never ready. "" for what was typed.
	Problem string `json:"-" db:"-"`
}

// Blank reports whether nothing was typed.
func (r EntryRow) Blank() bool {
	return r.Problem == "" && PlainCode(r.Ref) == "" && PlainCode(r.Qty) == ""
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

// EntryChoice is one of the items that a row's reference fits.
type EntryChoice struct {
	ItemNo      string `json:"item_no"` // what Pick takes
	Description string `json:"description"`
	UOM         string `json:"uom,omitempty"` // the unit whose barcode it is
}

// EntryLine is a row with what became of it.
type EntryLine struct {
	Line int `json:"line"` // from 1, as it stood in what was sent
	EntryRow
	Quantity *Qty          `json:"quantity"` // as Qty was read, in Item.UOM; nil: not read
	Item     *EntryItem    `json:"item"`
	Choices  []EntryChoice `json:"choices,omitempty"`  // where Ref fits several items
	AskSure  string        `json:"ask_sure,omitempty"` // what Sure must be, for an unusual quantity
	Field    string        `json:"field,omitempty"`    // ref, uom, qty or sure: where Error belongs
	Error    string        `json:"error,omitempty"`    // why the row cannot be ordered
	Warning  string        `json:"warning,omitempty"`

	field, problem string // what is wrong with quantity and unit as typed
	uom            string // of Quantity
	note           string // what is said of a row that is taken
	unusual        string // why the quantity is to be confirmed
}

// Ready reports whether the row can go into the cart.
func (l EntryLine) Ready() bool {
	return l.Item != nil && l.Quantity != nil && l.Error == "" && !l.Blank()
}

// Judge says what is wrong with a row, in the buyer's words, once its item has
// been looked up and its quantity read.
func (l *EntryLine) Judge() {
	refuse := func(field, format string, args ...any) { l.Field, l.Error = field, fmt.Sprintf(format, args...) }
	i := l.Item
	l.Field, l.Error, l.Warning = "", "", l.note
	switch {
	case l.Blank():
	case PlainCode(l.Ref) == "":
		refuse("ref", "Which item?")
	case i == nil && len(l.Choices) > 0:
		refuse("ref", "Which one? %q fits %d items.", l.Ref, len(l.Choices))
	case i == nil && ShortenedNumber(l.Ref):
		refuse("ref", "%s is a number whose last digits a spreadsheet has dropped. Type the code, or format its column as "+
			"text.", l.Ref)
	case i == nil:
		refuse("ref", "There is no item %q in your catalog.", shortened(l.Ref))
	case i.Discontinued && i.SubstituteNo != nil:
		refuse("ref", "%s is discontinued. Instead: %s.", i.ItemNo, *i.SubstituteNo)
	case i.Discontinued:
		refuse("ref", "%s is discontinued.", i.ItemNo)
	case l.Problem == "" && l.problem != "" && l.field == "uom":
		refuse("uom", "%s", l.problem)
	case i.Factor == nil:
		refuse("uom", "%s is not sold by %s; it is sold by %s.", i.ItemNo, i.UOM, strings.Join(i.Units, ", "))
	case !i.Priced:
		refuse("ref", "Please call us for a price of %s.", i.ItemNo)
	case l.Problem != "":
		refuse("qty", "%s", l.Problem)
	case l.Quantity == nil:
		refuse("qty", "%s", l.problem)
	case !i.Fractional && !(l.Quantity.IsInteger() && l.Quantity.Mul(i.Factor.Decimal).IsInteger()):
		refuse("qty", "%s is sold in whole %s.", i.ItemNo, i.UOM)
	case !i.Orderable:
		refuse("ref", "%s is out of stock.", i.ItemNo)
	case l.AskSure != "" && l.Sure != l.AskSure:
		refuse("sure", "%s", l.unusual)
	case i.Short && i.Available != nil:
		l.warn("%s available.", i.Available)
	case i.Short:
		l.warn("Not all of it is in stock.")
	}
}

func (l *EntryLine) warn(format string, args ...any) {
	l.Warning = strings.TrimSpace(l.Warning + " " + fmt.Sprintf(format, args...))
}

// shortened is as much of a text as fits into a sentence.
func shortened(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
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
	// Quantity reads what was typed as a quantity of an item of the customer's
	// catalogue, in the unit beside it or in uom; unusual asks whether it is
	// meant, where it is far above all that the customer ever ordered.
	Quantity(ctx context.Context, who Session, itemNo, uom string, typed QtyText) (qty Qty, unit,
		unusual string, err error)
	// BoughtBefore are the items a customer ordered or was invoiced, last
	// first, as it ordered them last; at most limit.
	BoughtBefore(ctx context.Context, who Session, limit int) ([]BoughtRow, error)
}
