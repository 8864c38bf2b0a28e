package desk

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"portal.example/portal"
	"portal.example/portal/http/page"
	"portal.example/portal/http/shop"
)

// customersPage is the list of customers.
type customersPage struct {
	Customers []portal.DeskCustomer `json:"customers"`
	Query     string                `json:"query"`
	Next      string                `json:"next,omitempty"`
}

// NextLink is the next page's address, or "".
func (p customersPage) NextLink() string {
	if p.Next == "" {
		return ""
	}
	return page.ListLink("/desk/customers", "q", p.Query, "after", p.Next)
}

func (c *Counter) ListCustomers(q *page.Request) error {
	search := page.SearchText(q)
	rows, next, err := c.Customers.Customers(q.Context(), q.Who, search, q.URL.Query().Get("after"))
	if err != nil {
		return err
	}
	return c.Page(q, http.StatusOK, "desk/customers", "Customers",
		"customers", customersPage{Customers: rows, Query: search, Next: next})
}

// customerPage is a customer with its Web Access tab.
type customerPage struct {
	portal.DeskCustomerDetail
	page.FormErrors
	Typed   portal.AccessEdit      `json:"-"`
	Routing portal.CustomerRouting `json:"routing"`
}

// auditLine is one change in words.
type auditLine struct {
	At      time.Time
	Actor   string
	Program string // empty: this portal
	Changes []accessChange
}

// accessChange is one switch that was moved.
type accessChange struct{ Name, From, To string }

// accessColumn says how a column of the audit log reads.
type accessColumn struct {
	column, name string
	none         string            // what null means
	words        map[string]string // of a choice
	plain        bool              // a number that is no amount of money
}

// switchColumns are the switches of Web Access, in the order of a list of changes.
func switchColumns(access portal.WebAccess) []accessColumn {
	access = slices.Clone(access)
	slices.SortFunc(access, func(a, b portal.Switch) int { return cmp.Compare(a.LogSort, b.LogSort) })
	var out []accessColumn
	for _, s := range access {
		c := accessColumn{column: s.Column, name: s.LogLabel, words: map[string]string{}, plain: s.Kind == portal.SwitchDays}
		if s.IsLimit() {
			c.none = "no limit"
		}
		for _, choice := range s.Choices {
			c.words[choice.Value] = choice.LogLabel
		}
		out = append(out, c)
	}
	return out
}

// customerColumns are the other columns of a customer and its log-ins.
func customerColumns() []accessColumn {
	return []accessColumn{
		// of a log-in
		{column: "customer_role", name: "Role",
			none: "none", words: map[string]string{"buyer": shop.RoleWord(portal.CustomerBuyer),
				"approver": shop.RoleWord(portal.CustomerApprover), "accounts": shop.RoleWord(portal.CustomerAccounts),
				"view": shop.RoleWord(portal.CustomerView)}},
		{column: "spend_limit", name: "Limit", none: "none"},
		{column: "spend_period", name: "Limit for",
			none: "none", words: map[string]string{"order": "an order", "day": "a day", "week": "a week", "month": "a month"}},
		{column: "sign_off_all", name: "Every order signed off", none: "off"},
		{column: "disabled", name: "Closed"},
		{column: "password", name: "Password"},
		// of the customer itself
		{column: "credit_limit", name: "Credit limit", none: "no limit"},
		{column: "credit_hold", name: "Credit hold"},
		{column: "terms_days", name: "Days to pay", plain: true},
		{column: "tax_rate", name: "Tax rate", plain: true},
		{column: "active", name: "Active"},
		{column: "name", name: "Name"},
		{column: "email", name: "E-mail"},
	}
}

// auditNumber is a number of the audit log, as exact as it was written.
func auditNumber(n json.Number) decimal.Decimal {
	number, err := decimal.NewFromString(n.String())
	if err != nil {
		return decimal.Decimal{} // PostgreSQL writes no number that is none
	}
	return number
}

// say is a value of the column in words.
func (c accessColumn) say(v any) string {
	switch v := v.(type) {
	case nil:
		return c.none
	case bool:
		if v {
			return "on"
		}
		return "off"
	case string:
		if word, ok := c.words[v]; ok {
			return word
		}
		return v
	case json.Number:
		if c.plain {
			return page.FormatQty(auditNumber(v))
		}
		return page.FormatMoney(auditNumber(v))
	}
	return "?"
}

// AuditLines are the changes of this customer in words, the newest first.
func (p customerPage) AuditLines() []auditLine {
	columns := append(switchColumns(p.Access), customerColumns()...)
	var out []auditLine
	for _, e := range p.Audit {
		line := auditLine{At: e.At, Actor: e.Actor, Program: e.Program}
		if line.Program == "portal" {
			line.Program = ""
		}
		for _, c := range columns {
			if pair, ok := e.Data[c.column].([]any); ok && len(pair) == 2 {
				line.Changes = append(line.Changes, accessChange{c.name, c.say(pair[0]), c.say(pair[1])})
			}
		}
		if email, ok := e.Data["login"].(string); ok { // what follows is of a log-in
			what := "Log-in " + email
			if e.Data["invited"] == true {
				what += " invited"
			}
			line.Changes = append([]accessChange{{Name: what}}, line.Changes...)
		}
		if e.Action == "authorized_item" {
			line.Changes = []accessChange{{Name: "Item " + e.Subject + " taken out of the authorized items"}}
			if was, _ := auditPair(e.Data["item_id"]); was == nil {
				line.Changes[0].Name = "Item " + e.Subject + " authorized"
			}
		}
		if len(line.Changes) == 0 {
			line.Changes = []accessChange{{Name: actionWords(e.Action, e.Subject)}}
		}
		out = append(out, line)
	}
	return out
}

// actionWords are the words of what is no change of a switch.
func actionWords(action, subject string) string {
	switch action {
	case "preview_begin":
		return "Opened a preview of the portal"
	case "preview_end":
		return "Closed the preview of the portal"
	case "acting_begin":
		return "Began to act as this customer"
	case "acting_end":
		return "Stopped acting as this customer"
	case "acting_order":
		return "Entered order " + subject + " as this customer"
	}
	return action
}

// Room is what the customer may still order on credit; nil where there is no
// limit.
func (p customerPage) Room() *portal.Money {
	if p.CreditLimit == nil {
		return nil
	}
	return &portal.Money{Decimal: p.CreditLimit.Sub(p.Exposure.Decimal)}
}

func (c *Counter) ShowCustomer(q *page.Request) error { return c.customerPage(q, nil, nil) }

// customerPage shows the customer; after a refused form with what was
// typed and the refusal.
func (c *Counter) customerPage(q *page.Request, typed *portal.AccessEdit, refused error) error {
	customer, err := c.Customers.Customer(q.Context(), q.Who, q.Param("customer_no"))
	if err != nil {
		return err
	}
	view := customerPage{DeskCustomerDetail: customer, FormErrors: page.FormErrorsOf(refused),
		Typed: customer.Access.Typed()}
	if view.Routing, err = c.Routes.CustomerRouting(q.Context(), q.Who, customer.CustomerNo); err != nil {
		return err
	}
	if typed != nil {
		view.Typed = *typed
	}
	return c.Page(q, page.Status(refused), "desk/customer", customer.Name, "customers", view)
}
