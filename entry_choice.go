package portal

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// How a reference fits an item; the lower comes first.
const (
	fitsByCase  = 5 // from here on it is not as typed
	fitsBarcode = 7
)

// EntryFit is an item that a row's reference fits.
type EntryFit struct {
	ItemID      ItemID
	ItemNo      string
	Description string
	UOM         string // the unit whose barcode it is; empty: none
	Place       int    // see entry_find: 1 to 4 as typed, 5 and 6 but for case, 7 by barcode
	BaseUOM     string
	Units       []string // base unit first
	Fractional  bool
}

// Choose takes the item that a row means among those that fit, in the order of
// their places, and reads the row's quantity for it. What fits as typed comes
// before everything else, an item number before the customer's own number; what
// fits but for case, and barcodes, count alike. Of several items none is taken
// unless it was picked: the line has Choices then, and nil is returned.
func (l *EntryLine) Choose(fits []EntryFit) *EntryFit {
	if len(fits) == 0 {
		return nil
	}
	best := fits[0].Place
	group := fits
	if best < fitsByCase {
		group = slices.DeleteFunc(slices.Clone(fits), func(f EntryFit) bool { return f.Place != best })
		l.alsoFits(group[0], fits)
	}
	if items := onePerItem(group); len(items) > 1 {
		l.Choices = make([]EntryChoice, len(items))
		for i, f := range items {
			l.Choices[i] = EntryChoice{ItemNo: f.ItemNo, Description: f.Description, UOM: f.UOM}
		}
		group = slices.DeleteFunc(slices.Clone(group), func(f EntryFit) bool { return f.ItemNo != l.Pick })
		if len(group) == 0 {
			return nil
		}
	}
	group = slices.DeleteFunc(slices.Clone(group), func(f EntryFit) bool { return f.Place != group[0].Place })
	fit := group[0]
	l.readFor(fit, group)
	return &fit
}

// alsoFits says which other item the same text is the number or barcode of.
func (l *EntryLine) alsoFits(taken EntryFit, fits []EntryFit) {
	for _, f := range fits {
		switch {
		case f.ItemNo == taken.ItemNo || f.Place == fitsByCase || f.Place == fitsByCase+1:
		case f.Place == fitsBarcode:
			l.note = fmt.Sprintf("Taken as the number of %s. It is also a barcode of %s.", taken.ItemNo, f.ItemNo)
			return
		case f.Place%2 == 0:
			l.note = fmt.Sprintf("Taken as our number %s. It is also your own number for %s.", taken.ItemNo, f.ItemNo)
			return
		}
	}
}

func onePerItem(fits []EntryFit) []EntryFit {
	var out []EntryFit
	for _, f := range fits {
		if !slices.ContainsFunc(out, func(o EntryFit) bool { return o.ItemNo == f.ItemNo }) {
			out = append(out, f)
		}
	}
	return out
}

// readFor reads quantity and unit for an item; same are its units that have the
// barcode.
func (l *EntryLine) readFor(fit EntryFit, same []EntryFit) {
	unit := l.UOM
	if at := slices.IndexFunc(fit.Units, func(u string) bool { return strings.EqualFold(u, unit) }); at >= 0 {
		unit = fit.Units[at]
	}
	base := fit.BaseUOM
	if fit.UOM != "" {
		base = fit.UOM
	}
	read := ReadQty(l.Qty)
	qty, uom, field, problem := read.For(unit, base, fit.Units, fit.Fractional)
	l.UOM = unit
	l.field, l.problem = field, problem
	if problem == "" {
		l.Quantity = &qty
		if len(read.Readings) > 1 {
			l.note = strings.TrimSpace(fmt.Sprintf("%s is read as %s: %s is sold in whole units. %s", read.Text, qty.Decimal,
				fit.ItemNo, l.note))
		}
	}
	if unit == "" && uom == base && len(same) > 1 && read.Unit == "" {
		var units []string
		for _, f := range same {
			units = append(units, f.UOM)
		}
		l.Quantity, l.field = nil, "uom"
		l.problem = fmt.Sprintf("Which unit? That barcode stands for %s.", strings.Join(units, " and "))
	}
	l.uom = uom
}

// Unit is the unit that a row was read to be in.
func (l *EntryLine) Unit() string { return l.uom }

// A quantity is unusual where it is more than usualTimes what the customer ever
// ordered at once, and not small, in base units.
var (
	usualTimes = decimal.NewFromInt(10)
	usualFloor = decimal.NewFromInt(50)
)

// Usual is the largest quantity of an item, in base units, that a customer ever
// ordered at once; or of anything in its category, where it never ordered that.
type Usual struct {
	Qty    Qty
	OfItem bool
}

// MayBeUnusual reports whether so many base units are worth asking about.
func MayBeUnusual(base decimal.Decimal) bool { return base.GreaterThanOrEqual(usualFloor) }

// Far reports whether so many base units are far above what is usual.
func (u Usual) Far(base decimal.Decimal) bool {
	return MayBeUnusual(base) && base.GreaterThan(u.Qty.Mul(usualTimes))
}

// Words ask whether a quantity is meant.
func (u Usual) Words(qty Qty, uom, baseUOM string) string {
	if u.OfItem {
		return fmt.Sprintf("Sure? %s %s is far above the most you ever ordered of it at once: %s %s.", qty.Shown(), uom,
			u.Qty.Shown(), baseUOM)
	}
	return fmt.Sprintf("Sure? %s %s: you never ordered it, and of its category at most %s at once.", qty.Shown(),
		uom, u.Qty.Shown())
}

// Question marks a line whose quantity is far above what is usual. It is asked
// until the row's Sure has the answer, which another quantity, unit or item
// needs anew.
func (l *EntryLine) Question(u Usual) {
	i := l.Item
	if i == nil || i.Factor == nil || l.Quantity == nil || !u.Far(l.Quantity.Mul(i.Factor.Decimal)) {
		return
	}
	l.AskSure = l.Quantity.Decimal.String() + " " + i.UOM + " " + i.ItemNo
	l.unusual = u.Words(*l.Quantity, i.UOM, i.Units[0])
}
