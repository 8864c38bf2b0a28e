package shop

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"portal.example/portal/http/page"
	"portal.example/portal/internal/sheet"
)

// sheetAsk is the question which column is what. Each field is also the value
// that is chosen: a column from 0; "" is not chosen.
type sheetAsk struct {
	Why       []string   `json:"why"`
	Columns   []string   `json:"columns"`
	Rows      [][]string `json:"rows"`
	HeadText  string     `json:"head_text"`
	Units     []string   `json:"units"`
	Sheets    []string   `json:"sheets,omitempty"`
	Sheet     int        `json:"col_sheet"`
	Head      bool       `json:"col_head"`
	Item      string     `json:"col_item"`
	Quantity  string     `json:"col_quantity"` // or "none"
	Unit      string     `json:"col_unit"`     // or "none", or "=CS" for all rows
	Sign      string     `json:"col_sign"`
	SignTyped string     `json:"sign_typed,omitempty"` // 1,250
	Point     string     `json:"sign_point,omitempty"` // 1250
	Comma     string     `json:"sign_comma,omitempty"` // 1.25
	doubts    []sheet.Doubt
	failed    bool // it was answered, and not fully
}

func (a sheetAsk) numbered(list []string) (out []page.Option) {
	for i, name := range list {
		out = append(out, page.Option{Value: strconv.Itoa(i), Label: name})
	}
	return out
}

// ItemChoices are the columns, to choose that of the item from.
func (a sheetAsk) ItemChoices() []page.Option {
	return append([]page.Option{{Value: "", Label: "Choose"}}, a.numbered(a.Columns)...)
}

// QuantityChoices are the columns, and none.
func (a sheetAsk) QuantityChoices() []page.Option {
	return append(a.ItemChoices(), page.Option{Value: "none", Label: "None: I type the quantities"})
}

// UnitChoices are the columns, each item's own unit, or one for all rows.
func (a sheetAsk) UnitChoices() []page.Option {
	out := []page.Option{{Value: "", Label: "Choose"}, {Value: "none", Label: "None: each item's own unit"}}
	out = append(out, a.numbered(a.Columns)...)
	for _, u := range a.Units {
		out = append(out, page.Option{Value: "=" + u, Label: u + " in all rows"})
	}
	return out
}

// SheetChoices are the file's sheets.
func (a sheetAsk) SheetChoices() []page.Option { return a.numbered(a.Sheets) }

// SignChoices are what a quantity may mean.
func (a sheetAsk) SignChoices() []page.Option {
	show := func(said, otherwise string) string {
		if said == "" {
			return "the " + otherwise + ", which is no quantity then"
		}
		return said
	}
	return []page.Option{{Value: "", Label: "Choose"},
		{Value: ".", Label: fmt.Sprintf("A point: %s is %s", a.SignTyped, show(a.Point, "comma cannot be read"))},
		{Value: ",", Label: fmt.Sprintf("A comma: %s is %s", a.SignTyped, show(a.Comma, "point cannot be read"))}}
}

// Error is what to say at a field of the question.
func (a sheetAsk) Error(field string) string {
	doubt := sheet.Doubt(strings.TrimPrefix(field, "col_"))
	value := map[sheet.Doubt]string{sheet.DoubtItem: a.Item, sheet.DoubtQuantity: a.Quantity, sheet.DoubtUnit: a.Unit,
		sheet.DoubtSign: a.Sign}[doubt]
	switch {
	case !a.failed:
	case value == "":
		return "Choose one."
	case doubt == sheet.DoubtQuantity && value == a.Item,
		doubt == sheet.DoubtUnit && (value == a.Item || value == a.Quantity && value != "none"):
		return "This column was chosen already."
	}
	return ""
}

// askOf is the question about a sheet, with what is thought of it so far.
func askOf(choice *sheet.Choice, n int, r sheet.Reading) *sheetAsk {
	study := choice.Studies[n]
	a := &sheetAsk{Columns: study.Names(), Rows: study.Preview(previewRows), HeadText: study.HeadText(),
		Units: study.Units(), Sheet: n, Head: r.Head, Sign: signText(r.Sign), doubts: r.Doubts}
	if len(choice.Studies) > 1 {
		for _, s := range choice.Studies {
			a.Sheets = append(a.Sheets, s.Name)
		}
	}
	doubtful := func(d sheet.Doubt) bool { return slices.Contains(r.Doubts, d) }
	a.Item, a.Quantity, a.Unit = columnText(r.Item, ""), columnText(r.Quantity, "none"), columnText(r.Unit, "none")
	if r.AllUnits != "" {
		a.Unit = "=" + r.AllUnits
	}
	// what is not known is chosen, and not waved through
	for d, value := range map[sheet.Doubt]*string{sheet.DoubtItem: &a.Item, sheet.DoubtQuantity: &a.Quantity,
		sheet.DoubtUnit: &a.Unit, sheet.DoubtSign: &a.Sign} {
		if doubtful(d) {
			*value = ""
		}
	}
	if doubtful(sheet.DoubtSign) {
		a.SignTyped, a.Point, a.Comma = study.SignExample(r.Columns)
	}
	for _, why := range []struct {
		doubt sheet.Doubt
		text  string
	}{
		{sheet.DoubtSheet, "Several sheets of the file hold an order."},
		{sheet.DoubtItem, "It is not clear which column holds the item."},
		{sheet.DoubtQuantity, "It is not clear which column holds the quantity."},
		{sheet.DoubtUnit, "It is not clear in which unit the quantities are."},
		{sheet.DoubtSign, fmt.Sprintf("The quantity %s can be read in two ways.", a.SignTyped)},
	} {
		if doubtful(why.doubt) {
			a.Why = append(a.Why, why.text)
		}
	}
	return a
}
