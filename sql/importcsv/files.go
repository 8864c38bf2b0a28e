package importcsv

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"portal.example/portal"
)

// kind is what a cell of a column holds.
type kind int

const (
	text     kind = iota // up to 200 characters, or what the database's column takes
	longText             // up to 5,000, or what the database's column takes
	barcode              // a text that may be a GTIN, up to 200 characters
	money                // two decimals, not negative
	price                // four decimals, not negative
	amount               // four decimals, may be negative
	quantity             // six decimals, may be negative
	measure              // six decimals, not negative
	count                // a whole number
	date
	yesNo
	choice // one of column.of
	levelList
)

// column is one column of a file.
type column struct {
	name     string
	kind     kind
	required bool
	of       []string // of a choice
	rule     string   // for people, beyond what the kind says
}

// textTables are the tables that files' texts go to, under the same names.
var textTables = []string{"erp.customer", "erp.ship_to", "erp.item", "erp.item_uom", "erp.invoice"}

// most is how many characters a cell of text may have.
func (c column) most() int {
	most := 200
	if c.kind == longText {
		most = 5000
	}
	for _, t := range textTables {
		if n, known := portal.MaxText(t, c.name); known {
			most = min(most, n)
		}
	}
	return most
}

// clean is a cell as texts are kept. One with characters that are none is left
// as it is, for somebody to see what is wrong with the file.
func (c column) clean(cell string) string {
	switch {
	case !utf8.ValidString(cell) || strings.ContainsFunc(cell, isControl):
		return cell
	case c.kind == longText:
		return portal.CleanLines(cell)
	}
	return portal.CleanText(cell)
}

func isControl(c rune) bool { return unicode.IsControl(c) && c != '\t' && c != '\n' && c != '\r' }

// sqlType is the column's type where the file is staged.
func (c column) sqlType() string {
	switch c.kind {
	case money, price, amount, quantity, measure:
		return "numeric"
	case count:
		return "int"
	case date:
		return "date"
	case yesNo:
		return "boolean"
	}
	return "text"
}

// fileKind is one file of a directory.
type fileKind struct {
	name    string // without .csv; the table it is staged in is import_<name>
	about   string
	columns []column
}

var levelLetters = []string{"A", "B", "C", "D", "E"}

// fileKinds are all files that an import knows, in the order in which they are
// read: what others refer to comes first.
var fileKinds = []fileKind{
	{"customers", "One row a customer, found again by customer_no.", []column{
		{name: "customer_no", required: true},
		{name: "name", required: true},
		{name: "price_level", kind: choice, of: levelLetters, rule: "empty: A"},
		{name: "terms_days", kind: count, rule: "days from invoice to due date; empty: 30"},
		{name: "credit_limit", kind: money, rule: "empty: no limit; 0: no credit at all"},
		{name: "credit_hold", kind: yesNo, rule: "empty: no"},
		{name: "route", rule: "code of a route that is there"},
		{name: "country"},
		{name: "tax_rate", kind: measure, rule: "0.08875 is 8.875 %; empty: 0"},
		{name: "bill_to", kind: longText, rule: "address on invoices, in lines; empty: that of the first ship-to"},
		{name: "active", kind: yesNo, rule: "empty: yes"},
	}},
	{"ship_tos", "Delivery addresses, found again by customer_no and code.", []column{
		{name: "customer_no", required: true},
		{name: "code", required: true},
		{name: "name", required: true},
		{name: "address1"}, {name: "address2"}, {name: "city"}, {name: "region"}, {name: "postal_code"}, {name: "country"},
		{name: "phone"}, {name: "route", rule: "code of a route that is there; empty: the customer's"},
		{name: "tax_rate", kind: measure, rule: "empty: the customer's"},
		{name: "active", kind: yesNo, rule: "empty: yes"},
	}},
	{webAccess, "What a customer may see and do, found again by customer_no. Beside it a column for each switch of Web " +
		"Access that" +
		" you want to set, as `select column_name, kind, label, help from erp.web_access_switch order by sort` lists " +
		"them: on_off holds yes or no, choice a value of erp.web_access_choice, amount an amount with 2 decimals, days " +
		"a whole number. An empty amount or number of days is no limit, any other empty cell leaves the switch as it is.",
		[]column{
			{name: "customer_no", required: true}, // and what switchColumns finds
		}},
	{"categories", "Only needed where categories stand under others: those that items.csv names are made by themselves.",
		[]column{
			{name: "category", required: true},
			{name: "parent", rule: "another category; empty: at the top"},
		}},
	{"items", "One row an item, found again by item_no. The price levels are its columns price_a to price_e.", []column{
		{name: "item_no", required: true},
		{name: "description", required: true},
		{name: "details", kind: longText},
		{name: "category", rule: "made if it is not there"},
		{name: "base_uom", rule: "the unit that stock and quantity breaks count in; empty: EA"},
		{name: "price_a", kind: price, rule: "list price of the base unit; empty: call for price"},
		{name: "price_b", kind: price, rule: "empty: the next dearer level's"},
		{name: "price_c", kind: price, rule: "the same"},
		{name: "price_d", kind: price, rule: "the same"},
		{name: "price_e", kind: price, rule: "the same"},
		{name: "cost", kind: price},
		{name: "barcode", kind: barcode, rule: "as text, with all its digits; no two items or units have the same"},
		{name: "active", kind: yesNo, rule: "empty: yes"},
		{name: "discontinued", kind: yesNo, rule: "empty: no"},
		{name: "substitute_item_no", rule: "what is offered instead"},
		{name: "allow_backorder", kind: yesNo, rule: "empty: yes"},
		{name: "fractional", kind: yesNo, rule: "sold in fractions of the base unit; empty: no"},
		{name: "taxable", kind: yesNo, rule: "empty: yes"},
	}},
	{"units", "Further units of items, found again by item_no and uom.", []column{
		{name: "item_no", required: true},
		{name: "uom", required: true},
		{name: "factor", kind: measure, required: true, rule: "base units in one of it: 12 for a case of 12"},
		{name: "price", kind: price, rule: "its own price for all levels; empty: factor times the base unit's"},
		{name: "barcode", kind: barcode, rule: "as text, with all its digits; no two items or units have the same"},
	}},
	{"contracts", "Prices agreed with one customer for one item. Found again by customer, item, unit, minimum and " +
		"first day.", []column{
		{name: "customer_no", required: true},
		{name: "item_no", required: true},
		{name: "uom", rule: "empty: any unit"},
		{name: "kind", kind: choice, of: []string{"fixed", "percent_off", "cost_plus"}, required: true},
		{name: "value", kind: price, required: true, rule: "a price, or a percentage"},
		{name: "min_qty", kind: measure, rule: "in base units; empty: 0"},
		{name: "valid_from", kind: date, rule: "first day; empty: always was"},
		{name: "valid_to", kind: date, rule: "last day; empty: until further notice"},
	}},
	{"groups", "Prices agreed with one customer for a category. Found again by customer, category and first day.",
		[]column{
			{name: "customer_no", required: true},
			{name: "category", required: true},
			{name: "kind", kind: choice, of: []string{"percent_off", "cost_plus"}, required: true},
			{name: "value", kind: price, required: true, rule: "a percentage"},
			{name: "valid_from", kind: date}, {name: "valid_to", kind: date},
		}},
	{"breaks", "Prices by quantity. Found again by item, minimum, levels and first day.", []column{
		{name: "item_no", required: true},
		{name: "min_qty", kind: measure, required: true, rule: "in base units"},
		{name: "price", kind: price, rule: "either this or use_level"},
		{name: "use_level", kind: choice, of: levelLetters},
		{name: "levels", kind: levelList, rule: "customers' levels that it is for; empty: all"},
		{name: "valid_from", kind: date}, {name: "valid_to", kind: date},
	}},
	{"stock", "What is on the shelves, found again by item_no and warehouse.", []column{
		{name: "item_no", required: true},
		{name: "warehouse", rule: "empty: the company's"},
		{name: "on_hand", kind: measure, required: true, rule: "in base units"},
	}},
	{"history", "Invoices and credit memos of the past, one row a line. What a document is as a whole (kind, dates, " +
		"customer, PO, ship-to, tax, freight) stands on its first line and may be repeated or left out on the others.",
		[]column{
			{name: "invoice_no", required: true},
			{name: "kind", kind: choice, of: []string{"invoice", "credit"},
				rule: "empty: invoice; a credit memo's quantities are positive"},
			{name: "customer_no", required: true},
			{name: "invoice_date", kind: date, required: true, rule: "not after today"},
			{name: "due_date", kind: date, rule: "empty: invoice date and the customer's terms"},
			{name: "paid_on", kind: date, rule: "when it was paid; empty: taken to be the due date"},
			{name: "po_no"},
			{name: "ship_to", rule: "code of a delivery address of the customer"},
			{name: "tax", kind: money, rule: "of the document; empty: 0"},
			{name: "freight", kind: money, rule: "of the document; empty: 0"},
			{name: "item_no", rule: "empty: a charge, which then needs a description"},
			{name: "description", rule: "empty: the item's"},
			{name: "uom", rule: "empty: the item's base unit"},
			{name: "qty", kind: quantity, required: true},
			{name: "unit_price", kind: amount, required: true},
			{name: "line_total", kind: amount,
				rule: "in cents, equal to quantity times price as far as the price's four decimals go; empty: that, rounded to " +
					"cents"},
		}},
	{"open_invoices", "What is not settled. A document that stands in history.csv and not here is paid in full (a " +
		"credit memo: used up). One that stands only here is brought forward as a single line.", []column{
		{name: "invoice_no", required: true},
		{name: "kind", kind: choice, of: []string{"invoice", "credit", "payment"},
			rule: "empty: invoice; credit and payment are what the customer has over"},
		{name: "customer_no", required: true},
		{name: "invoice_date", kind: date, required: true, rule: "as in history.csv"},
		{name: "due_date", kind: date, rule: "empty: as in history.csv, or invoice date and terms"},
		{name: "paid_on", kind: date, rule: "when the paid part was paid"},
		{name: "po_no"},
		{name: "total", kind: money, required: true, rule: "as in history.csv"},
		{name: "open_amount", kind: money, required: true, rule: "positive, not more than total"},
	}},
}

func (f fileKind) index(name string) int {
	return slices.IndexFunc(f.columns, func(c column) bool { return c.name == name })
}
