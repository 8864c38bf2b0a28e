package portal

import (
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// CleanText is a text of one line as it is kept: composed (Unicode's NFC),
// without control characters and marks that nobody sees, every kind of space
// and line break as a space, and none at its ends. A text of which nothing can
// be seen is empty. The database's erp.clean_text does the same.
func CleanText(s string) string { return cleaned(s, false) }

// CleanLines is CleanText for a text of several lines: its line breaks stay, as
// "\n".
func CleanLines(s string) string { return cleaned(s, true) }

func cleaned(s string, lines bool) string {
	if isPlain(s) {
		return s
	}
	s = norm.NFC.String(strings.ToValidUTF8(s, ""))
	if lines {
		s = strings.ReplaceAll(s, "\r\n", "\n")
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case lines && strings.ContainsRune("\n\r\v\f\u0085\u2028\u2029", r):
			return '\n'
		case unicode.IsSpace(r):
			return ' '
		case unicode.Is(unhold, r):
			return -1
		}
		return r
	}, s)
	s = strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(joiners, r) })
	if strings.IndexFunc(s, isSeen) < 0 {
		return ""
	}
	return s
}

// isPlain reports whether a text has printable ASCII alone and no space at its
// ends: nearly every text, and nothing is to be done to it.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return s == "" || s[0] != ' ' && s[len(s)-1] != ' '
}

func isSeen(r rune) bool {
	return !unicode.IsSpace(r) && !unicode.Is(joiners, r) && !unicode.Is(fillers, r)
}

// unhold are characters that texts do not keep: controls, and marks that turn
// the order of letters around or are not seen at all.
var unhold = &unicode.RangeTable{R16: []unicode.Range16{
	{Lo: 0x0000, Hi: 0x001f, Stride: 1}, {Lo: 0x007f, Hi: 0x009f, Stride: 1}, {Lo: 0x00ad, Hi: 0x00ad, Stride: 1},
	{Lo: 0x180e, Hi: 0x180e, Stride: 1}, {Lo: 0x200b, Hi: 0x200b, Stride: 1}, {Lo: 0x202a, Hi: 0x202e, Stride: 1},
	{Lo: 0x2060, Hi: 0x2064, Stride: 1}, {Lo: 0x2066, Hi: 0x206f, Stride: 1}, {Lo: 0xfeff, Hi: 0xfeff, Stride: 1},
	{Lo: 0xfff9, Hi: 0xfffb, Stride: 1}}, LatinOffset: 3}

// joiners shape the letters beside them (Persian, Hindi, emoji), and mean
// nothing at an end: ZWNJ, ZWJ, and the marks of direction.
var joiners = &unicode.RangeTable{R16: []unicode.Range16{{Lo: 0x061c, Hi: 0x061c, Stride: 1},
	{Lo: 0x200c, Hi: 0x200f, Stride: 1}}}

// fillers are letters by name that show nothing.
var fillers = &unicode.RangeTable{R16: []unicode.Range16{
	{Lo: 0x034f, Hi: 0x034f, Stride: 1}, {Lo: 0x115f, Hi: 0x1160, Stride: 1}, {Lo: 0x17b4, Hi: 0x17b5, Stride: 1},
	{Lo: 0x180b, Hi: 0x180f, Stride: 1}, {Lo: 0x2800, Hi: 0x2800, Stride: 1}, {Lo: 0x3164, Hi: 0x3164, Stride: 1},
	{Lo: 0xfe00, Hi: 0xfe0f, Stride: 1}, {Lo: 0xffa0, Hi: 0xffa0, Stride: 1}},
	R32: []unicode.Range32{{Lo: 0xe0000, Hi: 0xe0fff, Stride: 1}}}

// TextColumn is a column that people or other programs write words into, and
// the most characters that it takes. The database holds it by a constraint
// named after table and column, and keeps the text as CleanText or CleanLines
// makes it, whoever writes it.
type TextColumn struct {
	Table, Column string // "erp.sales_order", "po_no"
	Field         string // of the forms that write it
	Max           int    // characters
	Lines         bool   // line breaks stay
}

// Constraint is the name of the one that holds the length.
func (c TextColumn) Constraint() string {
	_, table, _ := strings.Cut(c.Table, ".")
	return table + "_" + c.Column + "_length"
}

// TextColumns are all of them.
var TextColumns = []TextColumn{
	{"erp.sales_order", "order_no", "order_no", 60, false},
	{"erp.sales_order", "po_no", "po_no", 60, false},
	{"erp.sales_order", "note", "note", 2000, true},
	{"erp.sales_order", "status_reason", "reason", 1000, false},
	{"erp.sales_order", "credit_release_reason", "reason", 1000, false},
	{"erp.sales_order_line", "override_reason", "reason", 1000, false},
	{"erp.sales_order_line", "cancel_reason", "reason", 1000, false},
	{"erp.order_change", "reason", "reason", 1000, false},
	{"erp.invoice", "invoice_no", "invoice_no", 60, false},
	{"erp.invoice", "po_no", "po_no", 60, false},
	{"erp.credit_memo", "memo_no", "memo_no", 60, false},
	{"erp.credit_memo", "reason", "credit_reason", 1000, false},
	{"erp.payment", "payment_no", "payment_no", 60, false},
	{"erp.payment", "reference", "reference", 80, false},
	{"erp.payment", "reversed_reason", "reason", 1000, false},
	{"erp.credit_request", "note", "note", 2000, true},
	{"erp.credit_request", "status_reason", "reason", 1000, false},
	{"erp.credit_request_line", "note", "note", 1000, false},
	{"erp.credit_request_line", "decision_note", "reason", 1000, false},
	{"erp.customer", "customer_no", "customer_no", 60, false},
	{"erp.customer", "name", "name", 200, false},
	{"erp.customer", "country", "country", 100, false},
	{"erp.customer", "bill_to", "bill_to", 1000, true},
	{"erp.customer_item", "their_item_no", "their_item_no", 60, false},
	{"erp.ship_to", "code", "code", 60, false},
	{"erp.ship_to", "name", "name", 200, false},
	{"erp.ship_to", "address1", "address1", 200, false},
	{"erp.ship_to", "address2", "address2", 200, false},
	{"erp.ship_to", "city", "city", 100, false},
	{"erp.ship_to", "region", "region", 100, false},
	{"erp.ship_to", "postal_code", "postal_code", 40, false},
	{"erp.ship_to", "country", "country", 100, false},
	{"erp.ship_to", "phone", "phone", 60, false},
	{"erp.item", "item_no", "item_no", 60, false},
	{"erp.item", "description", "description", 300, false},
	{"erp.item", "details", "details", 10000, true},
	{"erp.item", "barcode", "barcode", 60, false},
	{"erp.item_uom", "uom", "uom", 20, false},
	{"erp.item_uom", "barcode", "barcode", 60, false},
	{"erp.category", "name", "name", 200, false},
	{"erp.carrier", "name", "name", 200, false},
	{"erp.shipment", "carrier", "carrier", 60, false},
	{"erp.shipment", "tracking_no", "tracking_no", 100, false},
	{"erp.shipment", "delivered_to", "delivered_to", 200, false},
	{"erp.stock_expected", "note", "expected_note", 200, false},
	{"erp.route", "code", "code", 20, false},
	{"erp.route", "name", "name", 80, false},
	{"erp.route_holiday", "name", "holiday_name", 80, false},
	{"erp.company", "name", "name", 200, false},
	{"erp.company", "remit_to", "remit_to", 1000, true},
	{"portal.cart", "po_no", "po_no", 60, false},
	{"portal.cart", "note", "note", 2000, true},
	{"portal.sign_off", "po_no", "po_no", 60, false},
	{"portal.sign_off", "note", "note", 2000, true},
	{"portal.sign_off", "reason", "reason", 1000, false},
	{"portal.standing_order", "name", "name", 80, false},
	{"portal.standing_order", "po_no", "po_no", 60, false},
	{"portal.standing_order", "note", "note", 2000, true},
	{"portal.item_list", "name", "name", 80, false},
	{"portal.login", "email", "email", 254, false},
	{"portal.login", "name", "name", 80, false},
	{"portal.invited_person", "email", "email", 254, false},
	{"portal.invited_person", "name", "name", 80, false},
	{"portal.notice", "text", "text", 2000, false},
	{"portal.proof_difference", "note", "note", 1000, false},
	{"portal.request_photo", "name", "photos", 300, false},
}

// MaxText is the most characters that a column takes, for the inputs that write
// it. A column that is not in TextColumns is a fault of the page.
func MaxText(table, column string) (most int, known bool) {
	for _, c := range TextColumns {
		if c.Table == table && c.Column == column {
			return c.Max, true
		}
	}
	return 0, false
}

// Days that anybody means lie between these. The database holds it by
// constraints.
var (
	firstDay = time.Date(1900, time.January, 1, 0, 0, 0, 0, time.UTC)
	lastDay  = time.Date(2200, time.January, 1, 0, 0, 0, 0, time.UTC)
)

// DayWords says what is wrong with a day that is not within reason.
const DayWords = "The year must lie between 1900 and 2200."

// DayWithinReason reports whether a day is one that somebody can mean.
func DayWithinReason(day time.Time) bool { return !day.Before(firstDay) && !day.After(lastDay) }
