package desk

import (
	"errors"
	"slices"
	"strconv"

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
	return []page.Pill{{Label: "Now and to come", Link: l.link("", ""), Current: !l.All},
		{Label: "Ended, too", Link: l.link("all", ""), Current: l.All}}
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
	return []page.Option{{Value: "fixed", Label: "Fixed price"},
		{Value: "percent_off", Label: "Percent off the level price"}, {Value: "cost_plus", Label: "Cost plus percent"}}
}
func (customerPricesPage) GroupKinds() []page.Option {
	return []page.Option{{Value: "percent_off", Label: "Percent off the level price"},
		{Value: "cost_plus", Label: "Cost plus percent"}}
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
		ruleList: ruleList{Query: f.Query, All: f.All, path: page.DeskPath("customers", customerNo) + "/prices",
			next: prices.Next},
		Contract: portal.ContractEdit{Kind: "fixed", ItemNo: q.URL.Query().Get("item")},
		Group:    portal.GroupEdit{Kind: "percent_off"}}
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
	return []page.Option{{Value: "", Label: "None: the price as it stands"}, {Value: "A", Label: "Level A"},
		{Value: "B", Label: "Level B"}, {Value: "C", Label: "Level C"}, {Value: "D", Label: "Level D"},
		{Value: "E", Label: "Level E"}}
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
