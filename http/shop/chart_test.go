package shop

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

func TestSpendChart(t *testing.T) {
	t.Parallel()
	months := make([]portal.MonthSpend, 12)
	for i := range months {
		months[i] = portal.MonthSpend{Month: time.Date(2026, time.Month(i+1), 1, 0, 0, 0, 0, time.UTC),
			Amount:   portal.Money{Decimal: decimal.NewFromInt(int64(100 * i))},
			LastYear: portal.Money{Decimal: decimal.NewFromInt(550)}}
	}
	months[0].Amount = portal.Money{Decimal: decimal.NewFromInt(-40)} // more came back than went out
	c := newSpendChart(months)
	if c.Sum.String() != "6560" || c.Change() != "1 % less than the year before" {
		t.Errorf("sum %s, %q", c.Sum, c.Change())
	}
	if top := c.Lines[len(c.Lines)-1]; top.Label != "2k" || top.Y != chartHeight-4*chartHeight/4 {
		t.Errorf("the highest line is %+v", top)
	}
	for i, m := range c.Months {
		if m.Bar.Y+m.Bar.Height != chartHeight || m.Bar.Height < 0 || m.Bar.X+m.Bar.Width > chartWidth ||
			m.Prior.X < chartLeft || m.Prior.X+m.Prior.Width >= m.Bar.X {
			t.Errorf("bars of month %d lie outside or on each other: %+v %+v", i+1, m.Bar, m.Prior)
		}
	}
	if c.Months[0].Bar.Height != 0 || c.Months[11].Bar.Height <= c.Months[10].Bar.Height {
		t.Errorf("heights do not follow the amounts: %+v", c.Months)
	}
	if newSpendChart(nil) != nil || newSpendChart(make([]portal.MonthSpend, 12)) != nil {
		t.Error("a year without anything has a picture")
	}
}

func TestAgingBar(t *testing.T) {
	t.Parallel()
	of := func(n int64) portal.Money { return portal.Money{Decimal: decimal.NewFromInt(n)} }
	parts := page.AgingBar(portal.Aging{Current: of(-100), Days30: of(300), Days60: of(0), Days90: of(100)})
	if len(parts) != 2 || parts[0] != (page.BarPart{X: "0", Width: "75", Class: "fill-2"}) ||
		parts[1] != (page.BarPart{X: "75", Width: "25", Class: "fill-4"}) {
		t.Errorf("%+v", parts)
	}
	if parts := page.AgingBar(portal.Aging{Current: of(-5)}); parts != nil {
		t.Errorf("nothing owed has a bar: %+v", parts)
	}
}
