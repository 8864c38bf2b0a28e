package portal

import (
	"encoding/json"
	"strings"

	"github.com/shopspring/decimal"
)

// Money is an amount in the company's currency, exact to the cent. The
// database does the arithmetic; Go carries it and shows it. In JSON it is a
// string with two decimals.
type Money struct{ decimal.Decimal }

// MarshalJSON writes "1204.50".
func (m Money) MarshalJSON() ([]byte, error) { return json.Marshal(m.StringFixed(2)) }

// Price is a unit price, to four decimals. In JSON it is a string with two to
// four decimals.
type Price struct{ decimal.Decimal }

// MarshalJSON writes "27.00", or "0.335".
func (p Price) MarshalJSON() ([]byte, error) { return json.Marshal(p.Text()) }

// Text is the price with as many decimals as it needs, two at least.
func (p Price) Text() string {
	if p.Equal(p.Round(2)) {
		return p.StringFixed(2)
	}
	return p.Decimal.String()
}

// levels are the price levels, the dearest first.
var levels = []string{"A", "B", "C", "D", "E"}

// Qty is a quantity in some unit of measure, exact. In JSON it is a string
// without trailing zeros.
type Qty struct{ decimal.Decimal }

// MarshalJSON writes "10", or "41.3".
func (q Qty) MarshalJSON() ([]byte, error) { return json.Marshal(q.Decimal.String()) }

// Rate is a share: 0.08875 is 8.875 %. In JSON it is a string without trailing
// zeros.
type Rate struct{ decimal.Decimal }

// MarshalJSON writes "0.08875".
func (r Rate) MarshalJSON() ([]byte, error) { return json.Marshal(r.Decimal.String()) }

// Percent is the rate as people write it: "8.875 %".
func (r Rate) Percent() string { return r.Shift(2).String() + " %" }

// Shown is the amount as people read it: "1,204.50"; a negative one has a true
// minus sign.
func (m Money) Shown() string { return grouped(m.StringFixed(2)) }

// Shown is the price as people read it: two decimals, up to four where it needs
// them.
func (p Price) Shown() string { return grouped(Price{p.Round(4)}.Text()) }

// Shown is the quantity as people read it, without decimals that say nothing.
func (q Qty) Shown() string { return grouped(q.Decimal.String()) }

// grouped sets commas between thousands.
func grouped(s string) string {
	digits, minus := strings.CutPrefix(s, "-")
	whole, fraction, hasFraction := strings.Cut(digits, ".")
	var b strings.Builder
	if minus {
		b.WriteString("−")
	}
	for i, r := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(r)
	}
	if hasFraction {
		b.WriteByte('.')
		b.WriteString(fraction)
	}
	return b.String()
}
