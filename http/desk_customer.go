package http

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/shopspring/decimal"

	"portal.example/portal"
)

// deskCustomersPage is the list of customers.
type deskCustomersPage struct {
	Customers []portal.DeskCustomer `json:"customers"`
	Query     string                `json:"query"`
	Next      string                `json:"next,omitempty"`
}

// NextLink is the next page's address, or "".
func (p deskCustomersPage) NextLink() string {
	if p.Next == "" {
		return ""
	}
	return listLink("/desk/customers", "q", p.Query, "after", p.Next)
}

func (s *Server) deskCustomers(q *request) error {
	search := deskSearch(q)
	rows, next, err := s.Desk.DeskCustomers(q.Context(), q.who, search, q.URL.Query().Get("after"))
	if err != nil {
		return err
	}
	return s.page(q, http.StatusOK, "desk_customers", "Customers", "customers", deskCustomersPage{Customers: rows, Query: search, Next: next})
}

// deskCustomerPage is a customer with its Web Access tab.
type deskCustomerPage struct {
	portal.DeskCustomerDetail
	formErrors
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

// accessColumn says how a column of erp.web_access reads.
type accessColumn struct {
	column, name string
	none         string            // what null means
	words        map[string]string // of a choice
}

// accessColumns are in the order of the form.
func accessColumns() []accessColumn {
	return []accessColumn{
		{column: "enabled", name: "Portal open"},
		{column: "can_order", name: "May order"},
		{column: "see_prices", name: "Sees prices"},
		{column: "see_price_breaks", name: "Sees price breaks"},
		{column: "see_stock", name: "Stock", words: map[string]string{"number": "as a number", "in_low_out": "in, low or out", "hidden": "hidden"}},
		{column: "authorized_items_only", name: "Authorized items only"},
		{column: "require_po", name: "PO number required"},
		{column: "min_order", name: "Minimum order", none: "no limit"},
		{column: "max_order", name: "Maximum order", none: "no limit"},
		{column: "over_max", name: "Above the maximum", words: map[string]string{"block": "refuse", "queue": "review"}},
		{column: "auto_approve", name: "Approve at once"},
		{column: "allow_backorder", name: "Backorders allowed"},
		{column: "may_change", name: "An order still Submitted", words: map[string]string{"none": "stays", "cancel": "may be cancelled", "edit": "may be changed"}},
		{column: "cutoff_mode", name: "Cutoff", words: map[string]string{"strict": "strict", "flexible": "flexible"}},
		{column: "credit_check", name: "Credit check", words: map[string]string{"off": "off", "warn": "warn", "queue": "review", "block": "refuse"}},
		{column: "see_balance", name: "Sees the balance"},
		{column: "monthly_statement", name: "Monthly statement by mail"},
		{column: "can_return", name: "May request returns"},
		{column: "return_days", name: "Days to request a return", none: "no limit"},
		{column: "many_logins", name: "Manages its own people"},

		// of a log-in
		{column: "customer_role", name: "Role", none: "none", words: map[string]string{"buyer": roleWord(portal.CustomerBuyer), "approver": roleWord(portal.CustomerApprover),
			"accounts": roleWord(portal.CustomerAccounts), "view": roleWord(portal.CustomerView)}},
		{column: "spend_limit", name: "Limit", none: "none"},
		{column: "spend_period", name: "Limit for", none: "none", words: map[string]string{"order": "an order", "day": "a day", "week": "a week", "month": "a month"}},
		{column: "sign_off_all", name: "Every order signed off", none: "off"},
		{column: "disabled", name: "Closed"},
		{column: "password", name: "Password"},
		// of the customer itself
		{column: "credit_limit", name: "Credit limit", none: "no limit"},
		{column: "credit_hold", name: "Credit hold"},
		{column: "terms_days", name: "Days to pay"},
		{column: "tax_rate", name: "Tax rate"},
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
		switch number := auditNumber(v); c.column {
		case "return_days", "terms_days", "tax_rate":
			return formatQty(number)
		default:
			return formatMoney(number)
		}
	}
	return "?"
}

// AuditLines are the changes of this customer in words, the newest first.
func (p deskCustomerPage) AuditLines() []auditLine {
	var out []auditLine
	for _, e := range p.Audit {
		line := auditLine{At: e.At, Actor: e.Actor, Program: e.Program}
		if line.Program == "portal" {
			line.Program = ""
		}
		for _, c := range accessColumns() {
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
func (p deskCustomerPage) Room() *portal.Money {
	if p.CreditLimit == nil {
		return nil
	}
	return &portal.Money{Decimal: p.CreditLimit.Sub(p.Exposure.Decimal)}
}

// The choices of the form.
func (deskCustomerPage) StockChoices() []option {
	return []option{{"number", "As a number"}, {"in_low_out", "Only in stock, low or out"}, {"hidden", "Not at all"}}
}
func (deskCustomerPage) OverMaxChoices() []option {
	return []option{{"block", "Refuse it"}, {"queue", "Take it for review"}}
}
func (deskCustomerPage) ChangeChoices() []option {
	return []option{{"edit", "They may change its quantities and cancel it"}, {"cancel", "They may cancel it"}, {"none", "They call us"}}
}
func (deskCustomerPage) CutoffChoices() []option {
	return []option{{"flexible", "Flexible: late orders go to review"}, {"strict", "Strict: late orders move to the next run"}}
}
func (deskCustomerPage) CreditChoices() []option {
	return []option{{"off", "Off"}, {"warn", "Warn the buyer"}, {"queue", "Take it for review"}, {"block", "Refuse it"}}
}

func (s *Server) deskCustomer(q *request) error { return s.deskCustomerPage(q, nil, nil) }

// deskCustomerPage shows the customer; after a refused form with what was
// typed and the refusal.
func (s *Server) deskCustomerPage(q *request, typed *portal.AccessEdit, refused error) error {
	customer, err := s.Desk.DeskCustomer(q.Context(), q.who, q.param("customer_no"))
	if err != nil {
		return err
	}
	page := deskCustomerPage{DeskCustomerDetail: customer, formErrors: formErrorsOf(refused), Typed: customer.Access.Typed()}
	if page.Routing, err = s.Desk.CustomerRouting(q.Context(), q.who, customer.CustomerNo); err != nil {
		return err
	}
	code := http.StatusOK
	if refused != nil {
		code = status(refused)
	}
	if typed != nil {
		page.Typed = *typed
	}
	return s.page(q, code, "desk_customer", customer.Name, "customers", page)
}

func (s *Server) deskSaveAccess(q *request) error {
	var in portal.AccessEdit
	if err := q.decode(&in); err != nil {
		return err
	}
	customerNo := q.param("customer_no")
	err := s.Desk.SaveAccess(q.Context(), q.who, customerNo, in)
	in.Shown = stillShown(err, in.Shown)
	switch {
	case err == nil:
		return q.done(deskPath("customers", customerNo), "Web Access of "+customerNo+" saved")
	case shownOnPage(q, err):
		return s.deskCustomerPage(q, &in, err)
	}
	return err
}
