package portal

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

// QtyText is a quantity as somebody typed it, read. People write the decimal
// sign as a point or a comma, set either between thousands, and put a unit
// beside the number; what can be read in two ways keeps both readings, and For
// decides between them or asks.
type QtyText struct {
	Text     string // as typed, without white space around it
	Readings []Qty  // none: see Problem; two: the lower first, "1,250" is 1.25 and 1250
	Unit     string // what stands beside the number, in upper case: "12 ea" has EA
	Problem  string // why it is no quantity, in the reader's words; may be empty
}

// QtyAsk is the problem of a text that is no quantity at all.
const QtyAsk = "Enter a quantity above zero, like 12."

const (
	maxQtyText = 64 // bytes
	qtyPlaces  = 6  // decimals that the database keeps
	// A spreadsheet's number has 15 digits that mean something. What stands
	// behind them is noise where it is as small as this.
	floatDigits = 15
)

var (
	qtyNoise   = decimal.New(1, -9)
	qtyLimit   = decimal.New(1, 9)
	scientific = regexp.MustCompile(`^[+-]?[0-9]+([.,][0-9]*)?[eE][+-]?[0-9]+$`)
	// a number, then perhaps a unit
	qtyShape = regexp.MustCompile(`^\+?([0-9.,]+) ?(\pL[\pL\pN./_-]{0,19})?$`)
	// the same with blanks or apostrophes between thousands: 1 000 000,5
	qtySpaced = regexp.MustCompile(
		`^\+?([0-9]{1,3}(?:(?: [0-9]{3})+|(?:['’][0-9]{3})+))(?:[.,]([0-9]*))? ?(\pL[\pL\pN./_-]{0,19})?$`)
)

// ReadQty reads what somebody typed or a file holds as a quantity. It never
// guesses: what is not plainly a number above zero has a Problem.
func ReadQty(s string) QtyText {
	t := QtyText{Text: strings.TrimSpace(s)}
	text := PlainCode(s)
	refuse := func(format string, args ...any) QtyText {
		t.Problem = fmt.Sprintf(format, args...)
		return t
	}
	switch {
	case text == "":
		return refuse("How many?")
	case len(text) > maxQtyText || !utf8.ValidString(text):
		return refuse(QtyAsk)
	case strings.HasPrefix(text, "-") || strings.HasPrefix(text, "−"):
		return refuse(QtyAsk)
	case scientific.MatchString(text):
		return refuse("Write %s out in digits, like 12.", text)
	case strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII && unicode.IsNumber(r) }):
		return refuse("Write the quantity in the digits 0 to 9, like 12 or 2.5.")
	}
	number, other, unit, ok := splitQty(strings.Join(strings.Fields(text), " "))
	if !ok {
		return refuse(QtyAsk)
	}
	t.Unit = strings.ToUpper(strings.TrimRight(unit, "."))
	for _, n := range []string{number, other} {
		if n == "" {
			continue
		}
		qty, problem := exactQty(n)
		if problem != "" {
			t.Readings = nil
			return refuse("%s", problem)
		}
		t.Readings = append(t.Readings, qty)
	}
	return t
}

// splitQty takes a number, with a point before its decimals, and the unit
// beside it apart. other is set where the one sign in the number may stand
// between thousands as well.
func splitQty(text string) (number, other, unit string, ok bool) {
	if m := qtySpaced.FindStringSubmatch(text); m != nil {
		sign := strings.Trim(m[1], "0123456789")[:1]
		if sign != " " && sign != "'" {
			sign = "’"
		}
		number, ok = joinGroups(m[1], sign, m[2])
		return number, "", m[3], ok
	}
	m := qtyShape.FindStringSubmatch(text)
	if m == nil {
		return "", "", "", false
	}
	number, other, ok = plainNumber(m[1])
	return number, other, m[2], ok
}

func plainNumber(s string) (plain, other string, ok bool) {
	commas, points := strings.Count(s, ","), strings.Count(s, ".")
	sign, between := ".", ","
	if strings.LastIndex(s, ",") > strings.LastIndex(s, ".") {
		sign, between = ",", "."
	}
	whole, part, _ := strings.Cut(s, sign)
	switch {
	case strings.Trim(s, ".,") == "":
		return "", "", false
	case commas+points == 0:
		return s, "", true
	case commas > 0 && points > 0: // the sign that comes last, once, stands before the decimals
		plain, ok = joinGroups(whole, between, part)
		return plain, "", ok
	case commas+points > 1:
		plain, ok = joinGroups(s, sign, "")
		return plain, "", ok
	case len(part) == 3 && len(whole) >= 1 && len(whole) <= 3 && whole[0] != '0':
		return whole + "." + part, whole + part, true
	}
	return whole + "." + part, "", true
}

// joinGroups takes the signs between thousands away, if that is what they are.
func joinGroups(whole, between, part string) (string, bool) {
	groups := strings.Split(whole, between)
	for i, g := range groups {
		if i == 0 && (len(g) < 1 || len(g) > 3 || g[0] == '0') || i > 0 && len(g) != 3 ||
			strings.Trim(g, "0123456789") != "" {
			return "", false
		}
	}
	return strings.Join(groups, "") + "." + part, strings.Trim(part, "0123456789") == ""
}

// exactQty makes a quantity of digits with a point, or says why it is none.
func exactQty(s string) (Qty, string) {
	digits := strings.Trim(strings.TrimLeft(strings.ReplaceAll(s, ".", ""), "0"), " ")
	whole, part, _ := strings.Cut(s, ".")
	if whole = strings.TrimLeft(whole, "0"); len(whole) > 9 {
		return Qty{}, "That is more than can be ordered at once."
	}
	d, err := decimal.NewFromString("0" + strings.TrimSuffix(s, "."))
	if err != nil {
		return Qty{}, QtyAsk
	}
	if len(digits) > floatDigits && part != "" {
		if r := d.Round(int32(max(0, floatDigits-len(whole)))); r.Sub(d).Abs().LessThan(qtyNoise) &&
			r.Equal(r.Round(qtyPlaces)) {
			d = r
		}
	}
	switch {
	case !d.Equal(d.Round(qtyPlaces)):
		return Qty{}, fmt.Sprintf("At most %d decimals.", qtyPlaces)
	case d.Sign() <= 0:
		return Qty{}, QtyAsk
	case d.GreaterThanOrEqual(qtyLimit):
		return Qty{}, "That is more than can be ordered at once."
	}
	return Qty{d.Round(qtyPlaces)}, ""
}

// Number is the quantity where no unit is expected beside it and nothing is
// known of the item; problem says what is wrong, in the reader's words.
func (t QtyText) Number() (qty Qty, problem string) {
	switch {
	case t.Problem != "":
		return Qty{}, t.Problem
	case t.Unit != "":
		return Qty{}, fmt.Sprintf("Write the number alone, without %s.", t.Unit)
	case len(t.Readings) > 1:
		return Qty{}, t.which()
	}
	return t.Readings[0], ""
}

// Zero reports whether a plain 0 was typed, as 0, 0.00 or 0,00.
func (t QtyText) Zero() bool {
	text := PlainCode(t.Text)
	return strings.Contains(text, "0") && strings.Trim(text, "0") == "" ||
		strings.Count(text, ".")+strings.Count(text, ",") == 1 && strings.HasPrefix(text, "0") &&
			strings.Trim(text, "0.,") == ""
}

func (t QtyText) which() string {
	low, high := t.Readings[0], t.Readings[1]
	return fmt.Sprintf("Is that %s or %s? Write %s or %s.", high.Decimal, low.Decimal, high.Typed(), low.Typed())
}

// For is the quantity of an item in the unit that stands beside it, else in
// unit; unit is empty where none was chosen. Where of two readings one is not
// whole and the item is sold in whole units, the other is meant. field is qty
// or uom where there is a problem.
func (t QtyText) For(unit, base string, units []string, fractional bool) (qty Qty, uom, field, problem string) {
	uom = unit
	if uom == "" {
		uom = base
	}
	if t.Problem != "" {
		return Qty{}, uom, "qty", t.Problem
	}
	if t.Unit != "" {
		at := slices.IndexFunc(units, func(u string) bool { return strings.EqualFold(u, t.Unit) })
		switch {
		case at < 0:
			return Qty{}, uom, "qty", fmt.Sprintf("%s is no unit of it; it is sold by %s.", t.Unit, strings.Join(units, ", "))
		case unit != "" && !strings.EqualFold(unit, units[at]):
			return Qty{}, uom, "qty", fmt.Sprintf("Is that %s or %s? Both are there.", units[at], unit)
		}
		uom = units[at]
	}
	readings := t.Readings
	if len(readings) > 1 && !fractional && !readings[0].IsInteger() {
		readings = readings[1:]
	}
	if len(readings) > 1 {
		return Qty{}, uom, "qty", t.which()
	}
	return readings[0], uom, "", ""
}

// Typed is the quantity as a form shows it, such that it is read again as the
// same: 1.125 is 1.1250, which cannot be taken for a thousand.
func (q Qty) Typed() string {
	s := q.Decimal.String()
	if _, part, ok := strings.Cut(s, "."); ok && len(part) == 3 {
		return s + "0"
	}
	return s
}
