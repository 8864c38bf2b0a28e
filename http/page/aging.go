package page

import (
	"fmt"

	"github.com/shopspring/decimal"

	"portal.example/portal"
)

// BarPart is one part of a bar that stands for a whole, in percent of its
// length.
type BarPart struct {
	X, Width string
	Class    string
}

// AgingBar is what is owed by age as parts of one bar. Buckets in the customer's
// favour have no length; the figures beside the bar tell them.
func AgingBar(a portal.Aging) []BarPart {
	var sum decimal.Decimal
	for _, b := range a.Buckets() {
		sum = sum.Add(decimal.Max(b.Decimal, decimal.Zero))
	}
	var parts []BarPart
	x := decimal.Zero
	for i, b := range a.Buckets() {
		if !b.IsPositive() {
			continue
		}
		w := b.Shift(2).DivRound(sum, 2)
		parts = append(parts, BarPart{x.String(), w.String(), fmt.Sprintf("fill-%d", i+1)})
		x = x.Add(w)
	}
	return parts
}
