package portal

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// OrderFinding is what a rule of ordering says of a cart or an order: refuse,
// queue, warn or sign_off. Detail holds figures; what a buyer reads of it is Text.
type OrderFinding struct {
	Code   string          `json:"code"`
	Action string          `json:"action"`
	Field  string          `json:"field,omitempty"`
	Line   int             `json:"line,omitempty"`
	Detail json.RawMessage `json:"-"`
	Text   string          `json:"message"`
}

// MarshalJSON implements json.Marshaler. A buyer's program reads it: that a price
// is under cost is ours to know, to them the order is only looked at.
func (f OrderFinding) MarshalJSON() ([]byte, error) {
	type plain OrderFinding // without this method
	if f.Code == "price_under_cost" {
		f.Code = "review"
	}
	return json.Marshal(plain(f))
}

// findingDetail is the union of what the rules of ordering say in figures.
type findingDetail struct {
	ItemNo       string           `json:"item_no"`
	UOM          string           `json:"uom"`
	Qty          *decimal.Decimal `json:"qty"`
	Left         *decimal.Decimal `json:"left"`
	Minimum      *decimal.Decimal `json:"minimum"`
	Missing      *decimal.Decimal `json:"missing"`
	Maximum      *decimal.Decimal `json:"maximum"`
	Over         *decimal.Decimal `json:"over"`
	Room         *decimal.Decimal `json:"room"`
	Was          *decimal.Decimal `json:"was"`
	Now          *decimal.Decimal `json:"now"`
	Shown        string           `json:"shown"`  // the price as a form carries it
	Orders       int              `json:"orders"` // that hold the PO number
	Said         string           `json:"said"`   // names those orders
	OrderNo      string           `json:"order_no"`
	PONo         string           `json:"po_no"`
	DeliveryDate string           `json:"delivery_date"`
	Limit        *decimal.Decimal `json:"limit"`
	Period       string           `json:"period"`
	Login        string           `json:"login"`
	Approvers    []string         `json:"approvers"`
	Stock        string           `json:"stock"` // how the customer sees stock
	Backordered  *decimal.Decimal `json:"backordered"`
	ExpectedOn   string           `json:"expected_on"`
	Above        *decimal.Decimal `json:"above"` // what is usual, in BaseUOM
	OfItem       bool             `json:"of_item"`
	BaseUOM      string           `json:"base_uom"`
	From         string           `json:"from"` // what the page said, and what is so by now
	To           string           `json:"to"`
	Of           string           `json:"of"` // code and action of a finding that is new to the page
	By           string           `json:"by"`
	Had          string           `json:"had"` // the figure that the page had
}

func (f OrderFinding) detail() findingDetail {
	var d findingDetail
	// a finding without figures has no detail; its words need none
	_ = json.Unmarshal(f.Detail, &d)
	return d
}

// BuyerText is what the customer reads. It tells no credit figure, no cost and
// no stock figure beyond what is left of what was asked for; prices only where
// the customer sees prices.
func (f OrderFinding) BuyerText(seePrices bool) string {
	d := f.detail()
	money := func(v *decimal.Decimal) string {
		if v == nil {
			return "0.00"
		}
		return v.StringFixed(2)
	}
	switch f.Code {
	case "portal_disabled":
		return "The portal is closed for your account. Please call us."
	case "view_only":
		return "Your account may look but not order. Please call us to order."
	case "role_no_order":
		return "Your log-in may look but not order. Ask whoever manages the log-ins of your account."
	case "over_spending_limit", "sign_off_all":
		if f.Action == "refuse" { // an order that is made cannot grow past it
			return f.signOffText(seePrices, true) + " Send what is missing as an order of its own: it can be signed off."
		}
		return f.signOffText(seePrices, true) + " " + whoSignsOff(d.Approvers)
	case "no_lines":
		return "Your cart is empty."
	case "cart_changed":
		return "Your cart was changed or sent on another page. Please look at it again."
	case "po_required":
		return "Enter your PO number: your orders need one."
	case "po_repeated":
		more := ""
		switch {
		case d.Orders == 2:
			more = " and one more"
		case d.Orders > 2:
			more = fmt.Sprintf(" and %d more", d.Orders-1)
		}
		return fmt.Sprintf("PO %s is already on order %s%s. Send it once more if that is meant.", d.PONo, d.OrderNo, more)
	case "lines_changed":
		switch {
		case d.Was == nil && d.Now != nil:
			return fmt.Sprintf("Added since: %s, %s %s.", d.ItemNo, d.Now.String(), d.UOM)
		case d.Now == nil:
			return fmt.Sprintf("Taken out since: %s, %s.", d.ItemNo, d.UOM)
		}
		return fmt.Sprintf("%s: quantity %s → %s %s.", d.ItemNo, d.Was.String(), d.Now.String(), d.UOM)
	case "unusual_qty":
		if d.Qty == nil || d.Above == nil {
			return "Is the quantity of " + d.ItemNo + " meant?"
		}
		return Usual{Qty: Qty{Decimal: *d.Above}, OfItem: d.OfItem}.Words(Qty{Decimal: *d.Qty},
			d.UOM+" of "+d.ItemNo, d.BaseUOM)
	case "outcome_changed":
		return outcomeText(d.From, d.To)
	case "delivery_changed":
		return deliveryText(d.From, d.To)
	case "ship_to_changed":
		return fmt.Sprintf("Ship to was “%s”, is now “%s”.", d.From, d.To)
	case "finding_new":
		return f.newText(d, seePrices)
	case "ship_to_unknown":
		return "Choose one of your ship-to addresses."
	case "requested_date_past":
		return "That day has passed."
	case "requested_date_far":
		return "That day is more than two years ahead."
	case "late_for_cutoff":
		day, err := time.Parse(time.DateOnly, d.DeliveryDate)
		switch {
		case err == nil && f.Action == "warn":
			return fmt.Sprintf("Too late for that day: the delivery moves to %s.", day.Format("Monday, January 2"))
		case err == nil:
			return fmt.Sprintf("The cutoff for that day has passed. The next delivery is %s.", day.Format("Monday, January 2"))
		}
		return "The cutoff for that day has passed."
	case "no_run_that_day":
		if day, err := time.Parse(time.DateOnly, d.DeliveryDate); err == nil {
			return fmt.Sprintf("There is no delivery that day: it moves to %s.", day.Format("Monday, January 2"))
		}
		return "There is no delivery that day."
	case "item_unavailable":
		return fmt.Sprintf("%s is not available to your account.", d.ItemNo)
	case "item_discontinued":
		return fmt.Sprintf("%s is discontinued.", d.ItemNo)
	case "uom_unknown":
		return fmt.Sprintf("%s is not sold by %s.", d.ItemNo, d.UOM)
	case "qty_not_whole":
		return fmt.Sprintf("%s is sold in whole units.", d.ItemNo)
	case "no_price":
		return fmt.Sprintf("Please call us for a price of %s.", d.ItemNo)
	case "prices_rose":
		if !seePrices {
			return "Prices have changed meanwhile."
		}
		return fmt.Sprintf("%s rose from %s to %s.", d.ItemNo, priceText(d.Was), priceText(d.Now))
	case "stock_short":
		// without figures where the account does not see stock as a number
		switch {
		case f.Action == "refuse" && d.Left != nil:
			return fmt.Sprintf("%s: %s left.", d.ItemNo, d.Left.String())
		case f.Action == "refuse":
			return fmt.Sprintf("%s: so many cannot be ordered at the moment.", d.ItemNo)
		case d.Stock == "hidden":
			return underReview
		case d.Backordered != nil:
			return fmt.Sprintf("%s on backorder, %s.", d.Backordered.String(), expectedWords(d.ExpectedOn))
		}
		return fmt.Sprintf("Not all of %s is in stock: the rest follows as a backorder, %s.", d.ItemNo,
			expectedWords(d.ExpectedOn))
	case "min_order":
		if !seePrices {
			return "The order is below your minimum."
		}
		return fmt.Sprintf("Your minimum order is %s: %s is missing.", money(d.Minimum), money(d.Missing))
	case "over_maximum":
		if !seePrices {
			return "The order is over your maximum."
		}
		return fmt.Sprintf("Your maximum order is %s: this is %s over.", money(d.Maximum), money(d.Over))
	case "over_credit", "credit_hold", "past_due":
		switch f.Action {
		case "refuse":
			return "Your account cannot take this order at the moment. Please call us."
		case "warn":
			return "This is more than your account has credit for. You can send it all the same."
		}
		return "We will look at your account before we approve the order."
	case "auto_approve_off":
		return "We look at each of your orders before we approve it."
	case "first_order":
		return "This is your first order: we look at it before we approve it."
	case "new_ship_to":
		return "This is the first order to that address: we look at it before we approve it."
	}
	return underReview
}

// outcomeText says that something else becomes of an order than its page said.
func outcomeText(was, now string) string {
	if was == "sign_off" {
		if now == "queue" {
			return "A colleague was to sign the order off; now it comes to us, and waits for our approval."
		}
		return "A colleague was to sign the order off; now it comes to us at once."
	}
	before := "The order was to be approved at once"
	if was == "queue" {
		before = "The order was to come to us"
	}
	if now == "queue" {
		return before + "; now it waits for our approval."
	}
	return before + "; now a colleague has to sign it off before we get it."
}

// deliveryText says that an order comes on another day than its page said; days
// are YYYY-MM-DD, or empty where none is named.
func deliveryText(was, now string) string {
	day := func(s string) string {
		t, err := time.Parse(time.DateOnly, s)
		if err != nil {
			return ""
		}
		return t.Format("Mon 2 Jan 2006")
	}
	switch was, now := day(was), day(now); {
	case was == "":
		return "No day of delivery was named; it is now " + now + "."
	case now == "":
		return "Delivery was " + was + ", now no day is named."
	default:
		return "Delivery was " + was + ", is now " + now + "."
	}
}

// newText is what a buyer reads of a finding that the page did not have, or had
// with a lesser figure.
func (f OrderFinding) newText(d findingDetail, seePrices bool) string {
	text := OrderFinding{Code: d.Of, Action: d.By, Detail: f.Detail}.BuyerText(seePrices)
	if d.Of == "stock_short" && d.Backordered != nil {
		text = d.ItemNo + ": " + text
	}
	if d.Had != "" {
		return text + " The page said " + d.Had + "."
	}
	return "New: " + text
}

// underReview is what a buyer reads of a reason that is not for buyers.
const underReview = "We will look at the order before we approve it."

// signOffText says why an order needs a signature, to whoever orders (own) or
// to a colleague.
func (f OrderFinding) signOffText(seePrices, own bool) string {
	d := f.detail()
	whose, every := "your", "Every order of yours needs a signature before it goes to us."
	if !own {
		whose, every = d.Login+"’s", "Every order of "+d.Login+" needs a signature."
	}
	switch {
	case f.Code == "sign_off_all":
		return every
	case !seePrices || d.Over == nil || d.Limit == nil:
		return "This is over " + whose + " limit."
	}
	per := map[string]string{"order": "an order", "day": "a day", "week": "a week", "month": "a month"}[d.Period]
	return fmt.Sprintf("This is %s over %s limit of %s %s.", d.Over.StringFixed(2), whose, d.Limit.StringFixed(2), per)
}

// whoSignsOff names who can.
func whoSignsOff(approvers []string) string {
	switch n := len(approvers); n {
	case 0:
		return "Nobody else of your account can sign off at the moment: please call us."
	case 1:
		return approvers[0] + " can sign it off."
	default:
		return strings.Join(approvers[:n-1], ", ") + " or " + approvers[n-1] + " can sign it off."
	}
}

// expectedWords says when goods are expected; day is YYYY-MM-DD, or empty where
// that is not known.
func expectedWords(day string) string {
	t, err := time.Parse(time.DateOnly, day)
	switch {
	case err != nil:
		return "date to follow"
	case time.Until(t) > 300*24*time.Hour:
		return "expected " + t.Format("2 Jan 2006")
	}
	return "expected " + t.Format("2 Jan")
}

func priceText(v *decimal.Decimal) string {
	if v == nil {
		return "none"
	}
	return Price{*v}.Text()
}
