package portal

import (
	"encoding/json"

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

// Qty is a quantity in some unit of measure, exact. In JSON it is a string
// without trailing zeros.
type Qty struct{ decimal.Decimal }

// MarshalJSON writes "10", or "41.3".
func (q Qty) MarshalJSON() ([]byte, error) { return json.Marshal(q.Decimal.String()) }

// ParseQty reads what somebody typed as a quantity: digits with an optional
// decimal point. It must be above zero and have at most six decimals.
func ParseQty(s string) (Qty, bool) {
	d, err := decimal.NewFromString(s)
	if err != nil || d.Sign() <= 0 || d.Exponent() < -6 || len(s) > 16 || d.GreaterThanOrEqual(decimal.New(1, 9)) {
		return Qty{}, false
	}
	return Qty{d}, true
}
