package portal

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// Review is a reason why an order waits for staff.
type Review struct {
	Code   string          `json:"code"`
	Detail json.RawMessage `json:"detail"` // figures, see OrderFinding; {"lines": […]} where there are several
	At     time.Time       `json:"at"`
}

// Over is by how much a review says that the order is over credit; false where
// it does not speak of credit.
func (r Review) Over() (Money, bool) {
	if r.Code != "over_credit" {
		return Money{}, false
	}
	over := OrderFinding{Detail: r.Detail}.detail().Over
	if over == nil {
		return Money{}, false
	}
	return Money{Decimal: *over}, true
}

// ReviewText is what staff read of a reason for review, with its figures.
func (r Review) ReviewText() string {
	// one finding has its figures at the top, several lines have a list
	var several struct{ Lines []json.RawMessage }
	_ = json.Unmarshal(r.Detail, &several) // without figures there are only words
	if several.Lines == nil {
		several.Lines = []json.RawMessage{r.Detail}
	}
	var details []map[string]any
	for _, raw := range several.Lines {
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber() // money is never a float
		var d map[string]any
		if err := dec.Decode(&d); err == nil {
			details = append(details, d)
		}
	}
	get := func(key string) string {
		var out []string
		for _, d := range details {
			switch v := d[key].(type) {
			case string:
				out = append(out, v)
			case json.Number:
				if n, err := decimal.NewFromString(v.String()); err == nil {
					out = append(out, n.StringFixed(2))
				}
			}
		}
		return strings.Join(out, ", ")
	}
	text := ReasonName(r.Code)
	switch r.Code {
	case "over_spending_limit", "sign_off_all":
		text += " of " + get("login") + ", nobody of the customer signed off"
	case "over_maximum", "over_credit":
		text += " by " + get("over")
	case "past_due":
		text += " " + get("amount")
	case "price_under_cost", "stock_short", "no_price":
		text += ": " + get("item_no")
	}
	return strings.TrimRight(text, ": ")
}

// ReasonName is a reason for review as staff call it, without figures.
func ReasonName(code string) string {
	words := map[string]string{
		"no_lines": "No lines", "po_required": "PO number missing", "over_maximum": "Over maximum",
		"over_credit": "Over credit", "credit_hold": "Account on credit hold", "past_due": "Past due",
		"price_under_cost": "Price under cost", "first_order": "First order", "new_ship_to": "New ship-to",
		"stock_short": "Stock short", "late_for_cutoff": "Late for cutoff", "auto_approve_off": "Auto-approve is off",
		"no_price": "No price", "over_spending_limit": "Over the spending limit",
		"sign_off_all": "Not signed off: each order",
	}
	if name, ok := words[code]; ok {
		return name
	}
	return code
}

// WaitText is what a customer reads of why its order waits; the codes are those
// of portal.order_waits, which tell nothing of credit and costs.
func WaitText(code string) string {
	switch code {
	case "account":
		return "We are looking at your account before we approve it."
	case "over_maximum":
		return "It is over your maximum order."
	case "stock_short":
		return "Not all of it is in stock."
	case "late_for_cutoff":
		return "The cutoff for the day you asked for had passed."
	case "first_order":
		return "It is your first order, so one of us looks at it."
	case "new_ship_to":
		return "The ship-to address is new to us."
	case "po_required":
		return "The PO number is missing."
	}
	return "One of us looks at it before we approve it."
}
