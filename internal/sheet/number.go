package sheet

import (
	"cmp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

// amount is what a cell says if it is a number: digits with a point as the
// decimal sign, as read with a decimal point and as read with a decimal comma.
// One of them may be "": the cell cannot be read so.
type amount struct {
	point, comma string
	unit         string // beside the number, as typed: CS of 12 CS
	money        bool
	percent      bool
	negative     bool
	places       int // decimals that are shown
}

// clear reports whether both readings are the same, or there is one alone.
func (a amount) clear() bool { return a.point == a.comma || a.point == "" || a.comma == "" }

// read is the amount under a decimal sign; where the sign is of no matter it may
// be 0.
func (a amount) read(sign byte) string {
	switch {
	case sign == ',':
		return a.comma
	case sign == '.' || a.point == a.comma:
		return a.point
	}
	return ""
}

// currencies are signs and codes that stand beside money.
var currencies = map[string]bool{"EUR": true, "USD": true, "GBP": true, "CHF": true, "SEK": true, "NOK": true,
	"DKK": true, "PLN": true, "CZK": true, "HUF": true, "RON": true, "BGN": true, "TRY": true, "UAH": true, "RUB": true,
	"ISK": true, "ZŁ": true, "KČ": true, "KR": true, "FT": true, "LEI": true, "ЛВ": true, "CAD": true, "AUD": true}

// numberOf reads a cell as a number with what may stand beside it. ok is false
// for whatever is none: text, dates, 12x500ml, 5 x 3.
func numberOf(c Cell) (a amount, ok bool) {
	a.places = int(c.places)
	switch c.Kind {
	case Number:
		digits, beside, _ := strings.Cut(c.Text, " ")
		if !a.besides(beside, true) {
			return amount{}, false
		}
		a.point, a.negative = strings.CutPrefix(digits, "-")
		a.point = canonical(a.point)
		a.comma, a.money = a.point, a.money || c.Money
		if c.places < 0 {
			a.places = placesOf(a.point)
		}
		return a, a.point != ""
	case Text:
	default:
		return amount{}, false
	}
	s := c.Text
	if s == "" || len(s) > 48 {
		return amount{}, false
	}
	if cut := strings.TrimLeftFunc(s, func(r rune) bool { return unicode.Is(unicode.Sc, r) || r == ' ' }); cut != s {
		s, a.money = cut, true
	}
	if rest := strings.TrimLeft(s, "-−–"); rest != s {
		s, a.negative = strings.TrimSpace(rest), true
	} else if rest, plus := strings.CutPrefix(s, "+"); plus {
		s = rest
	} else if rest := strings.TrimLeft(s, "xX×"); len(s)-len(rest) <= 2 && rest != s { // x 3: three times
		s = strings.TrimSpace(rest)
	}
	end := 0
	for i, r := range s {
		if !(r >= '0' && r <= '9' || strings.ContainsRune(".,'’", r) || unicode.Is(unicode.Zs, r)) {
			break
		}
		end = i + utf8.RuneLen(r)
	}
	digits, beside := strings.TrimSpace(s[:end]), strings.TrimSpace(s[end:])
	// 12 EA, and not 12EA
	apart := digits != s[:end]
	if !a.besides(beside, apart) || a.unit != "" && !apart && strings.ContainsFunc(digits, unicode.IsSpace) { // 12 500ml
		return amount{}, false
	}
	a.point, a.comma = readAs(digits, '.'), readAs(digits, ',')
	if a.point == "" && a.comma == "" {
		return amount{}, false
	}
	if at := strings.LastIndexAny(digits, ".,"); at >= 0 {
		a.places = len(digits) - at - 1
	} else {
		a.places = 0
	}
	return a, true
}

// besides judges what stands behind the digits.
func (a *amount) besides(s string, apart bool) bool {
	upper := strings.ToUpper(s)
	switch {
	case s == "":
		return true
	case s == "%":
		a.percent = true
		return true
	case upper == "X" || s == "×":
		return true
	case currencies[strings.TrimSuffix(upper, ".")] ||
		strings.IndexFunc(s, func(r rune) bool { return !unicode.Is(unicode.Sc, r) }) < 0:
		a.money = true
		return true
	case len(s) > 16:
		return false
	}
	for i, r := range s {
		letter := unicode.IsLetter(r)
		if i == 0 && !letter || !letter && r != '.' && !(apart && unicode.IsDigit(r)) {
			return false
		}
	}
	if upper[0] == 'X' && len(s) > 1 && digit(s[1]) { // 12 x500
		return false
	}
	a.unit = strings.TrimSuffix(s, ".")
	return true
}

// readAs reads digits with a decimal sign, of which the other sign, a space or an
// apostrophe may part thousands. "" where they cannot be read so.
func readAs(s string, sign byte) string {
	whole, fraction, has := strings.Cut(s, string(sign))
	if has && (fraction == "" || strings.Trim(fraction, "0123456789") != "") {
		return ""
	}
	if whole == "" {
		if !has {
			return ""
		}
		whole = "0"
	}
	digits, ok := ungrouped(whole)
	if !ok || len(digits) > 30 {
		return ""
	}
	if has {
		digits += "." + fraction
	}
	return canonical(digits)
}

// ungrouped takes the signs between thousands away: 1,250 and 1 250 000 are
// whole numbers, 12,50 and 0,250 are none.
func ungrouped(s string) (digits string, ok bool) {
	if strings.Trim(s, "0123456789") == "" {
		return s, true
	}
	var out strings.Builder
	mark, run := rune(0), 0 // digits since the last mark
	for _, r := range s {
		if r >= '0' && r <= '9' {
			out.WriteRune(r)
			run++
			continue
		}
		switch {
		case unicode.Is(unicode.Zs, r):
			r = ' '
		case r == '’':
			r = '\''
		}
		if first := mark == 0; first && (run == 0 || run > 3 || s[0] == '0') || !first && (r != mark || run != 3) {
			return "", false
		}
		mark, run = r, 0
	}
	return out.String(), run == 3
}

// significant is how many digits a spreadsheet is sure of: 11.000000000000002
// is its 11.
const significant = 15

// canonical is a number without zeros that say nothing. "" is no number.
func canonical(s string) string {
	if len(s) > 40 {
		return ""
	}
	if plain := strings.Trim(s, "0123456789"); plain == "" || plain == "." {
		if whole, fraction, _ := strings.Cut(s, "."); whole != "" && len(whole)+len(fraction) <= significant {
			whole = strings.TrimLeft(whole, "0")
			if fraction = strings.TrimRight(fraction, "0"); fraction == "" {
				return cmp.Or(whole, "0")
			}
			return cmp.Or(whole, "0") + "." + fraction
		}
	}
	d, err := decimal.NewFromString(s)
	if err != nil || d.Exponent() > 30 || d.Exponent() < -330 {
		return ""
	}
	if n := d.NumDigits(); n > significant && d.Exponent() < 0 {
		d = d.Round(int32(-int(d.Exponent()) - (n - significant)))
	}
	return d.String()
}

func placesOf(s string) int {
	_, fraction, _ := strings.Cut(s, ".")
	return len(fraction)
}

// decimalSign is the sign that all amounts of a column can be read with: a point,
// a comma, or 0 where it is of no matter. sure is false where both can be, and
// say different things, or where none fits them all.
func decimalSign(column []amount) (sign byte, sure bool) {
	point, comma, differ := false, false, false
	for _, a := range column {
		switch {
		case a.comma == "":
			point = true
		case a.point == "":
			comma = true
		case a.point != a.comma:
			differ = true
		}
	}
	switch {
	case point && comma:
		return 0, false
	case point:
		return '.', true
	case comma:
		return ',', true
	}
	return 0, !differ
}

// barcodeDigits is from how many digits on a number is a code and no quantity.
const barcodeDigits = 8

// countable reports whether a cell may be a quantity by its own looks: a number
// that is no money, share, barcode or nothing.
func countable(a amount) bool {
	if a.money || a.percent || a.negative {
		return false
	}
	text := a.point
	if text == "" {
		text = a.comma
	}
	whole, _, _ := strings.Cut(text, ".")
	return len(whole) < barcodeDigits
}
