package desk

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// whyPage explains a price, or asks for what.
type whyPage struct {
	portal.Why
	page.FormErrors
	Typed portal.WhyAsk `json:"-"`
	Asked bool          `json:"-"`
}

// whyStep is one of the five steps with its candidates.
type whyStep struct {
	Name    string
	Title   string
	Nothing string // what to say when nothing is there
	Wins    bool
	Reasons []whyLine
}

// whyLine is a candidate in words.
type whyLine struct {
	portal.WhyReason
	Dates portal.RuleDates
	What  string
	Why   string
	Link  string // where the rule is kept
}

// Steps are all five, in their order.
func (p whyPage) Steps() []whyStep {
	steps := []whyStep{
		{Name: "contract", Title: "Contract", Nothing: "No contract of this customer for this item."},
		{Name: "group", Title: "Category", Nothing: "No price of this customer for the item's category or one above it."},
		{Name: "break", Title: "Quantity break", Nothing: "The item has no quantity breaks."},
		{Name: "level", Title: "Price level", Nothing: "The customer has no price level."},
		{Name: "list", Title: "List price", Nothing: "There is no list price."},
	}
	for i := range steps {
		for _, r := range p.Reasons {
			if r.Step != steps[i].Name {
				continue
			}
			steps[i].Wins = steps[i].Wins || r.Wins
			steps[i].Reasons = append(steps[i].Reasons, p.line(r))
		}
	}
	return steps
}

func (p whyPage) line(r portal.WhyReason) whyLine {
	l := whyLine{WhyReason: r, Dates: portal.RuleDates{ValidFrom: r.ValidFrom, ValidTo: r.ValidUntil}, What: whyWhat(r),
		Why: whyWords[r.Reason]}
	if l.Why == "" {
		l.Why = r.Reason
	}
	if r.RuleID != nil {
		id := strconv.FormatInt(int64(*r.RuleID), 10)
		switch r.Step {
		case "contract":
			l.Link = page.ListLink(page.DeskPath("customers", p.CustomerNo)+"/prices", "contract", id, "show", "all")
		case "group":
			l.Link = page.ListLink(page.DeskPath("customers", p.CustomerNo)+"/prices", "group", id, "show", "all")
		case "break":
			l.Link = page.ListLink(page.DeskPath("items", p.ItemNo)+"/prices", "break", id, "show", "all")
		}
	}
	return l
}

// whyWords are the codes of erp.price_why.
var whyWords = map[string]string{
	"wins":                 "This is the price",
	"lost_to_earlier_step": "An earlier step has a price",
	"not_yet_valid":        "Has not begun on that day",
	"expired":              "Ended before that day",
	"quantity_not_reached": "The quantity is not reached",
	"other_unit":           "Is for another unit",
	"other_level":          "Is not open to the customer's level",
	"no_base_price":        "There is no level price, or no cost, to reckon from",
	"dearer":               "Is dearer, and the lower price wins here",
	"not_lower":            "Is not lower than the price without it",
	"less_specific":        "Another of this step goes first",
	"not_filled":           "No price is filled in",
}

// whyWhat is the detail of erp.price_why in words.
func whyWhat(r portal.WhyReason) string {
	parts := strings.Fields(r.Detail)
	value := func(s string) portal.Price {
		d, _ := decimal.NewFromString(s)
		return portal.Price{Decimal: d}
	}
	switch {
	case r.Step == "level":
		return "Level " + r.Detail + ", or the next dearer one that is filled"
	case r.Step == "list":
		return "Level A"
	case r.Step == "contract" && len(parts) >= 2:
		what := ruleTitle(parts[0], value(parts[1]))
		if len(parts) > 2 {
			what += " per " + strings.Join(parts[2:], " ")
		}
		return what
	case r.Step == "group" && len(parts) >= 2:
		return ruleTitle(parts[0], value(parts[1])) + " in " + strings.Join(parts[2:], " ")
	case r.Step == "break" && len(parts) >= 2:
		what := "Price " + value(parts[1]).Text()
		if parts[0] == "use_level" {
			what = "The price of level " + parts[1]
		}
		if len(parts) > 3 {
			what += ", for level " + strings.ReplaceAll(parts[3], ",", ", ")
		}
		return what
	}
	return r.Detail
}

// ruleTitle is portal.RuleWords as it begins a line.
func ruleTitle(kind string, value portal.Price) string {
	words := portal.RuleWords(kind, value)
	switch kind {
	case "fixed":
		return "Fixed " + words
	case "cost_plus":
		return "C" + words[1:]
	}
	return words
}

func (c *Counter) ShowWhy(q *page.Request) error {
	v := q.URL.Query()
	ask := portal.WhyAsk{CustomerNo: strings.TrimSpace(v.Get("customer")), ItemNo: strings.TrimSpace(v.Get("item")),
		UOM: strings.TrimSpace(v.Get("uom")), Qty: strings.TrimSpace(v.Get("qty")), Date: strings.TrimSpace(v.Get("date"))}
	view := whyPage{Typed: ask}
	code := http.StatusOK
	if ask.CustomerNo != "" && ask.ItemNo != "" {
		why, err := c.Prices.Why(q.Context(), q.Who, ask)
		switch {
		case err == nil:
			view.Why, view.Asked = why, true
			view.Typed.Date, view.Typed.Qty, view.Typed.UOM = why.Date.Format(time.DateOnly), why.Qty.Decimal.String(), why.UOM
		case page.ShownOnPage(q, err):
			view.FormErrors, code = page.FormErrorsOf(err), page.Status(err)
		default:
			return err
		}
	}
	return c.Page(q, code, "desk/why", "Why this price", "prices", view)
}
