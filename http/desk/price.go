package desk

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// ruleList is what narrows a list of contracts, and its next page.
type ruleList struct {
	Query string `json:"query"`
	All   bool   `json:"all"`
	path  string
	next  string
}

func readRuleFilter(q *page.Request) portal.RuleFilter {
	v := q.URL.Query()
	return portal.RuleFilter{Query: page.SearchText(q), All: v.Get("show") == "all", After: v.Get("after")}
}

func (l ruleList) link(show, after string) string {
	return page.ListLink(l.path, "q", l.Query, "show", show, "after", after)
}

// NextLink is the next page's address, or "".
func (l ruleList) NextLink() string {
	if l.next == "" {
		return ""
	}
	show := ""
	if l.All {
		show = "all"
	}
	return l.link(show, l.next)
}

// Pills choose between the rules that count and all there ever were.
func (l ruleList) Pills() []page.Pill {
	return []page.Pill{{Label: "Now and to come", Link: l.link("", ""), Current: !l.All}, {Label: "Ended, too", Link: l.link("all", ""), Current: l.All}}
}

// customerPricesPage is a customer's contracts and group exceptions.
type customerPricesPage struct {
	portal.CustomerPrices
	page.FormErrors
	ruleList
	Contract portal.ContractEdit `json:"-"` // what stands in the forms
	Group    portal.GroupEdit    `json:"-"`
	Failed   portal.RuleKind     `json:"-"` // the form that was refused
}

// ErrorAt is the message at a field of one of the page's forms.
func (p customerPricesPage) ErrorAt(form, field string) string {
	if string(p.Failed) != form {
		return ""
	}
	return p.Error(field)
}

// AuditLines are the changes in words, the newest first.
func (p customerPricesPage) AuditLines() []auditLine { return priceAuditLines(p.Audit, false) }

// The choices of the forms.
func (customerPricesPage) ContractKinds() []page.Option {
	return []page.Option{{Value: "fixed", Label: "Fixed price"}, {Value: "percent_off", Label: "Percent off the level price"}, {Value: "cost_plus", Label: "Cost plus percent"}}
}
func (customerPricesPage) GroupKinds() []page.Option {
	return []page.Option{{Value: "percent_off", Label: "Percent off the level price"}, {Value: "cost_plus", Label: "Cost plus percent"}}
}
func (p customerPricesPage) CategoryOptions() []page.Option {
	out := []page.Option{{Value: "", Label: "Choose a category"}}
	for _, c := range p.Categories {
		out = append(out, page.Option{Value: strconv.FormatInt(int64(c.ID), 10), Label: c.Name})
	}
	return out
}

// ruleID reads the number of a rule from the address; 0 is none.
func ruleID(q *page.Request, name string) portal.RuleID {
	id, err := strconv.ParseInt(q.URL.Query().Get(name), 10, 64)
	if err != nil || id < 0 {
		return 0
	}
	return portal.RuleID(id)
}

func (c *Counter) ShowCustomerPrices(q *page.Request) error {
	return c.customerPricesPage(q, nil, nil)
}

// customerPricesPage shows the rules; after a refused form with what was typed
// and the refusal.
func (c *Counter) customerPricesPage(q *page.Request, typed func(*customerPricesPage), refused error) error {
	customerNo := q.Param("customer_no")
	f := readRuleFilter(q)
	prices, err := c.Prices.CustomerPrices(q.Context(), q.Who, customerNo, f)
	if err != nil {
		return err
	}
	view := customerPricesPage{CustomerPrices: prices, FormErrors: page.FormErrorsOf(refused),
		ruleList: ruleList{Query: f.Query, All: f.All, path: page.DeskPath("customers", customerNo) + "/prices", next: prices.Next},
		Contract: portal.ContractEdit{Kind: "fixed", ItemNo: q.URL.Query().Get("item")}, Group: portal.GroupEdit{Kind: "percent_off"}}
	if id := ruleID(q, "contract"); id != 0 {
		contract, err := c.Prices.Contract(q.Context(), q.Who, customerNo, id)
		if err != nil {
			return err
		}
		view.Contract = contract.Typed()
	}
	if id := ruleID(q, "group"); id != 0 {
		if i := slices.IndexFunc(prices.Groups, func(g portal.PriceGroup) bool { return g.ID == id }); i >= 0 {
			view.Group = prices.Groups[i].Typed()
		}
	}
	if typed != nil {
		typed(&view)
	}
	return c.Page(q, page.Status(refused), "desk/customer_prices", "Prices of "+prices.Name, "customers", view)
}

func (c *Counter) SaveContract(q *page.Request) error {
	var in portal.ContractEdit
	if err := q.Decode(&in); err != nil {
		return err
	}
	customerNo := q.Param("customer_no")
	err := c.Prices.SaveContract(q.Context(), q.Who, customerNo, in)
	in.Shown = page.StillShown(err, in.Shown)
	switch {
	case err == nil:
		return q.Done(page.DeskPath("customers", customerNo)+"/prices", "Contract of "+in.ItemNo+" saved")
	case page.ShownOnPage(q, err):
		return c.customerPricesPage(q, func(p *customerPricesPage) { p.Contract, p.Failed = in, portal.RuleContract }, err)
	}
	return err
}

func (c *Counter) SaveGroup(q *page.Request) error {
	var in portal.GroupEdit
	if err := q.Decode(&in); err != nil {
		return err
	}
	customerNo := q.Param("customer_no")
	err := c.Prices.SaveGroup(q.Context(), q.Who, customerNo, in)
	in.Shown = page.StillShown(err, in.Shown)
	switch {
	case err == nil:
		return q.Done(page.DeskPath("customers", customerNo)+"/prices", "Category price saved")
	case page.ShownOnPage(q, err):
		return c.customerPricesPage(q, func(p *customerPricesPage) { p.Group, p.Failed = in, portal.RuleGroup }, err)
	}
	return err
}

// itemPricesPage is an item's breaks, and the contracts about it.
type itemPricesPage struct {
	portal.ItemPrices
	page.FormErrors
	ruleList
	Break portal.BreakEdit `json:"-"`
}

// levelChoice is one of the five boxes.
type levelChoice struct {
	Level   string
	Checked bool
}

// LevelChoices are the levels that a break may be limited to.
func (p itemPricesPage) LevelChoices() []levelChoice {
	var out []levelChoice
	for _, l := range []string{"A", "B", "C", "D", "E"} {
		out = append(out, levelChoice{l, slices.Contains(p.Break.Levels, l)})
	}
	return out
}

// LevelOptions are the levels whose price a break may take.
func (itemPricesPage) LevelOptions() []page.Option {
	return []page.Option{{Value: "", Label: "None: the price as it stands"}, {Value: "A", Label: "Level A"}, {Value: "B", Label: "Level B"}, {Value: "C", Label: "Level C"}, {Value: "D", Label: "Level D"}, {Value: "E", Label: "Level E"}}
}

// AuditLines are the changes in words, the newest first.
func (p itemPricesPage) AuditLines() []auditLine { return priceAuditLines(p.Audit, true) }

func (c *Counter) ShowItemPrices(q *page.Request) error { return c.itemPricesPage(q, nil, nil) }

func (c *Counter) itemPricesPage(q *page.Request, typed *portal.BreakEdit, refused error) error {
	itemNo := q.Param("item_no")
	f := readRuleFilter(q)
	prices, err := c.Prices.ItemPrices(q.Context(), q.Who, itemNo, f)
	if err != nil {
		return err
	}
	view := itemPricesPage{ItemPrices: prices, FormErrors: page.FormErrorsOf(refused),
		ruleList: ruleList{Query: f.Query, All: f.All, path: page.DeskPath("items", itemNo) + "/prices", next: prices.Next}}
	if id := ruleID(q, "break"); id != 0 {
		i := slices.IndexFunc(prices.Breaks, func(b portal.PriceBreak) bool { return b.ID == id })
		if i >= 0 {
			view.Break = prices.Breaks[i].Typed()
		}
	}
	if typed != nil {
		view.Break = *typed
	}
	return c.Page(q, page.Status(refused), "desk/item_prices", "Prices of "+prices.ItemNo, "items", view)
}

func (c *Counter) SaveBreak(q *page.Request) error {
	var in portal.BreakEdit
	if err := q.Decode(&in); err != nil {
		return err
	}
	itemNo := q.Param("item_no")
	err := c.Prices.SaveBreak(q.Context(), q.Who, itemNo, in)
	in.Shown = page.StillShown(err, in.Shown)
	switch {
	case err == nil:
		return q.Done(page.DeskPath("items", itemNo)+"/prices", "Break from "+in.MinQty+" saved")
	case page.ShownOnPage(q, err):
		return c.itemPricesPage(q, &in, err)
	}
	return err
}

// ruleTaken is a button that ends a rule or takes it away.
type ruleTaken struct {
	Kind  portal.RuleKind `form:"kind"`
	ID    portal.RuleID   `form:"id"`
	Shown string          `form:"shown"` // the rule as the page shows it
}

// takenRule reads the button and says whose rule it is. An item's page takes
// breaks, a customer's the others.
func takenRule(q *page.Request) (in ruleTaken, owner, back string, err error) {
	if err := q.Decode(&in); err != nil {
		return in, "", "", err
	}
	if owner = q.Param("item_no"); owner != "" {
		in.Kind = portal.RuleBreak
		return in, owner, page.DeskPath("items", owner) + "/prices", nil
	}
	if owner = q.Param("customer_no"); in.Kind == portal.RuleBreak {
		return in, "", "", portal.Errorf(portal.CodeNotFound, "There is no such rule.")
	}
	return in, owner, page.DeskPath("customers", owner) + "/prices", nil
}

func (c *Counter) EndRule(q *page.Request) error {
	in, owner, back, err := takenRule(q)
	if err != nil {
		return err
	}
	gone, err := c.Prices.EndRule(q.Context(), q.Who, in.Kind, owner, in.ID, in.Shown)
	done := "Ended: yesterday was its last day"
	if gone {
		done = "It had not begun yet and is removed"
	}
	return c.ruleDone(q, err, back, done)
}

// ruleDone answers a button of a rule; a refusal with the page as it is now.
func (c *Counter) ruleDone(q *page.Request, err error, back, done string) error {
	switch {
	case err == nil:
		return q.Done(back, done)
	case !page.ShownOnPage(q, err):
		return err
	}
	if e, ok := errors.AsType[*portal.Error](err); ok {
		for i := range e.Fields {
			e.Fields[i].Field = "" // the form's fields are another rule's
		}
	}
	if q.Param("item_no") != "" {
		return c.itemPricesPage(q, nil, err)
	}
	return c.customerPricesPage(q, nil, err)
}

func (c *Counter) DeleteRule(q *page.Request) error {
	in, owner, back, err := takenRule(q)
	if err != nil {
		return err
	}
	err = c.Prices.DeleteRule(q.Context(), q.Who, in.Kind, owner, in.ID, in.Shown)
	return c.ruleDone(q, err, back, "Removed, as if it had never been")
}

// priceAuditLines are changes of price rules in words. A customer's page needs
// not say whose they are.
func priceAuditLines(entries []portal.PriceAudit, ofItem bool) []auditLine {
	var out []auditLine
	for _, e := range entries {
		line := auditLine{At: e.At, Actor: e.Actor, Program: e.Program}
		if line.Program == "portal" {
			line.Program = ""
		}
		name := map[string]string{"price_contract": "Contract", "price_group": "Category", "price_break": "Break", "price_level": "Level prices"}[e.Action]
		switch {
		case !ofItem:
			name += " " + e.Subject
		case e.CustomerNo != nil:
			name += " of " + *e.CustomerNo
		}
		id := map[string]string{"price_contract": "contract_id", "price_group": "group_id", "price_break": "break_id"}[e.Action]
		was, is := auditPair(e.Data[id])
		switch {
		case id != "" && was == nil:
			line.Changes = []accessChange{{Name: name, From: "none", To: ruleText(e.Data, 1)}}
		case id != "" && is == nil:
			line.Changes = []accessChange{{Name: name, From: ruleText(e.Data, 0), To: "removed"}}
		default:
			for _, c := range priceColumns {
				if from, to := auditPair(e.Data[c.column]); c.column != id && e.Data[c.column] != nil {
					line.Changes = append(line.Changes, accessChange{name + ", " + c.name, sayPrice(c, from), sayPrice(c, to)})
				}
			}
		}
		if len(line.Changes) == 0 {
			line.Changes = []accessChange{{Name: name}}
		}
		out = append(out, line)
	}
	return out
}

// priceColumns say how the columns of price rules read.
var priceColumns = []accessColumn{
	{column: "uom", name: "unit", none: "every unit"},
	{column: "kind", name: "kind", words: map[string]string{"fixed": "fixed price", "percent_off": "percent off", "cost_plus": "cost plus percent"}},
	{column: "value", name: "value"},
	{column: "price", name: "price", none: "none"},
	{column: "use_level", name: "level's price", none: "none"},
	{column: "levels", name: "open to", none: "all levels"},
	{column: "min_qty", name: "from quantity"},
	{column: "valid", name: "valid"},
	{column: "price_a", name: "A", none: "none"}, {column: "price_b", name: "B", none: "none"}, {column: "price_c", name: "C", none: "none"},
	{column: "price_d", name: "D", none: "none"}, {column: "price_e", name: "E", none: "none"}, {column: "cost", name: "cost", none: "none"},
}

func auditPair(v any) (was, is any) {
	if pair, ok := v.([]any); ok && len(pair) == 2 {
		return pair[0], pair[1]
	}
	return nil, nil
}

// ruleText is a whole rule of the log in words, before (0) or after (1).
func ruleText(data portal.AuditData, side int) string {
	at := func(column string) any {
		if pair, ok := data[column].([]any); ok && len(pair) == 2 {
			return pair[side]
		}
		return nil
	}
	var parts []string
	kind, _ := at("kind").(string)
	if v, ok := at("value").(json.Number); ok {
		parts = append(parts, portal.RuleWords(kind, portal.Price{Decimal: auditNumber(v)}))
	}
	if v, ok := at("price").(json.Number); ok {
		parts = append(parts, page.FormatPrice(auditNumber(v)))
	}
	if l, ok := at("use_level").(string); ok {
		parts = append(parts, "the price of level "+l)
	}
	if u, ok := at("uom").(string); ok {
		parts = append(parts, "per "+u)
	}
	if n, ok := at("min_qty").(json.Number); ok && auditNumber(n).IsPositive() {
		parts = append(parts, "from "+page.FormatQty(auditNumber(n)))
	}
	if l, ok := at("levels").([]any); ok {
		parts = append(parts, "for "+sayLevels(l))
	}
	if v, ok := at("valid").(string); ok {
		parts = append(parts, sayRange(v))
	}
	return strings.Join(parts, ", ")
}

// sayPrice is a value of a rule's column in words.
func sayPrice(c accessColumn, v any) string {
	switch v := v.(type) {
	case json.Number:
		if c.column == "min_qty" {
			return page.FormatQty(auditNumber(v))
		}
		return page.FormatPrice(auditNumber(v))
	case []any:
		return sayLevels(v)
	case string:
		if c.column == "valid" {
			return sayRange(v)
		}
	}
	return c.say(v)
}

func sayLevels(list []any) string {
	var out []string
	for _, l := range list {
		if l, ok := l.(string); ok {
			out = append(out, l)
		}
	}
	return "level " + strings.Join(out, ", ")
}

// sayRange reads a daterange as PostgreSQL writes it, "[2026-01-01,2026-07-01)".
func sayRange(s string) string {
	from, to, ok := strings.Cut(strings.Trim(s, "[]()"), ",")
	if !ok {
		return s
	}
	var d portal.RuleDates
	if t, err := time.Parse(time.DateOnly, from); err == nil {
		d.ValidFrom = &t
	}
	if t, err := time.Parse(time.DateOnly, to); err == nil {
		t = t.AddDate(0, 0, -1)
		d.ValidTo = &t
	}
	return d.Words()
}

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
	l := whyLine{WhyReason: r, Dates: portal.RuleDates{ValidFrom: r.ValidFrom, ValidTo: r.ValidUntil}, What: whyWhat(r), Why: whyWords[r.Reason]}
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
	ask := portal.WhyAsk{CustomerNo: strings.TrimSpace(v.Get("customer")), ItemNo: strings.TrimSpace(v.Get("item")), UOM: strings.TrimSpace(v.Get("uom")),
		Qty: strings.TrimSpace(v.Get("qty")), Date: strings.TrimSpace(v.Get("date"))}
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
