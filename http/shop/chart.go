package shop

import (
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"portal.example/portal"
)

// A chart is drawn on the server as SVG: positions are worked out here, colours
// are the style sheet's, and the figures stand beside it as a table.

// spendChart is twelve months with the same of the year before. Its size is
// that of the picture's own coordinates; the page scales it.
type spendChart struct {
	Months   []spendMonth
	Lines    []chartLine
	Sum      portal.Money
	LastYear portal.Money
}

const (
	chartWidth  = 720
	chartHeight = 170 // of the bars
	chartLeft   = 52
)

type spendMonth struct {
	portal.MonthSpend
	X          int // of the pair's middle
	Bar, Prior chartBar
}

type chartBar struct{ X, Y, Width, Height int }

type chartLine struct {
	Y     int
	Label string
}

// newSpendChart places the bars. Months in the customer's favour have none.
func newSpendChart(months []portal.MonthSpend) *spendChart {
	if len(months) == 0 {
		return nil
	}
	c := &spendChart{}
	top := decimal.Zero
	for _, m := range months {
		top = decimal.Max(top, m.Amount.Decimal, m.LastYear.Decimal)
		c.Sum.Decimal = c.Sum.Add(m.Amount.Decimal)
		c.LastYear.Decimal = c.LastYear.Add(m.LastYear.Decimal)
	}
	if top.IsZero() {
		return nil
	}
	top = roundUp(top)
	slot := (chartWidth - chartLeft) / len(months)
	height := func(m portal.Money) int {
		return int(decimal.Max(m.Decimal, decimal.Zero).Mul(decimal.NewFromInt(chartHeight)).Div(top).Round(0).IntPart())
	}
	for i, m := range months {
		x := chartLeft + slot*i
		prior, now := height(m.LastYear), height(m.Amount)
		c.Months = append(c.Months, spendMonth{MonthSpend: m, X: x + slot/2,
			Prior: chartBar{x + slot/2 - 18, chartHeight - prior, 16, prior},
			Bar:   chartBar{x + slot/2 + 1, chartHeight - now, 16, now}})
	}
	for _, share := range []int64{0, 1, 2, 3, 4} {
		at := top.Mul(decimal.NewFromInt(share)).Div(decimal.NewFromInt(4))
		c.Lines = append(c.Lines, chartLine{Y: chartHeight - int(share)*chartHeight/4, Label: short(at)})
	}
	return c
}

// roundUp is the next of 1, 2, 4, 5, 8, 10 times a power of ten.
func roundUp(d decimal.Decimal) decimal.Decimal {
	unit := decimal.New(1, int32(len(d.Truncate(0).Abs().String())-1))
	steps := []int64{1, 2, 4, 5, 8, 10}
	i := slices.IndexFunc(steps, func(n int64) bool { return unit.Mul(decimal.NewFromInt(n)).GreaterThanOrEqual(d) })
	return unit.Mul(decimal.NewFromInt(steps[max(i, 0)]))
}

// short is an amount on an axis: 1.5k, 20k, 3M.
func short(d decimal.Decimal) string {
	switch {
	case d.GreaterThanOrEqual(decimal.New(1, 6)):
		return d.Shift(-6).Round(2).String() + "M"
	case d.GreaterThanOrEqual(decimal.New(1, 3)):
		return d.Shift(-3).Round(2).String() + "k"
	}
	return d.Round(2).String()
}

// Change says how the year went beside the one before.
func (c *spendChart) Change() string {
	if !c.LastYear.IsPositive() {
		return ""
	}
	share := c.Sum.Sub(c.LastYear.Decimal).Shift(2).Div(c.LastYear.Decimal).Round(0)
	switch {
	case share.IsZero():
		return "as much as the year before"
	case share.IsPositive():
		return fmt.Sprintf("%s %% more than the year before", share)
	}
	return fmt.Sprintf("%s %% less than the year before", share.Neg())
}
