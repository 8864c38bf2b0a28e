package desk

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"portal.example/portal"
	"portal.example/portal/http/page"
	"portal.example/portal/http/shop"
)

// ordersPage is the queue, or another list of orders, with what narrows
// it.
type ordersPage struct {
	portal.DeskOrders
	Status string `json:"status"`
	Query  string `json:"query"`
	Source string `json:"source"`
	Reason string `json:"reason"`
	// Done is what became of orders that were approved together.
	Done *portal.Approvals `json:"done,omitempty"`
}

// Here is the address of this list.
func (p ordersPage) Here() string {
	return page.ListLink("/desk/orders", "status", p.Status, "reason", p.Reason, "source", p.Source, "q", p.Query)
}

// ReasonPills are the reasons for review to choose from, where there are any.
func (p ordersPage) ReasonPills() []page.Pill {
	known := p.Reason == ""
	var out []page.Pill
	for _, r := range p.Reasons {
		known = known || r.Code == p.Reason
		out = append(out, p.reasonPill(r.Code, r.Orders))
	}
	if !known { // the last order with it has gone
		out = append(out, p.reasonPill(p.Reason, 0))
	}
	return out
}

func (p ordersPage) reasonPill(code string, orders int) page.Pill {
	link := page.ListLink("/desk/orders", "status", "review", "reason", code, "source", p.Source, "q", p.Query)
	if p.Reason == code { // once more: all reasons again
		link = page.ListLink("/desk/orders", "status", "review", "source", p.Source, "q", p.Query)
	}
	return page.Pill{Label: portal.ReasonName(code), Link: link, Count: orders, Current: p.Reason == code}
}

// MayApprove reports whether some of the orders shown can be approved.
func (p ordersPage) MayApprove() bool {
	return slices.ContainsFunc(p.Orders, portal.DeskOrder.Undecided)
}

// Pills are the statuses to choose from, with how many open orders each has.
func (p ordersPage) Pills() []page.Pill {
	one := func(status, label string, count int) page.Pill {
		return page.Pill{Label: label, Count: count, Current: p.Status == status,
			Link: page.ListLink("/desk/orders", "status", status, "source", p.Source, "q", p.Query)}
	}
	out := []page.Pill{one("", "Queue", 0), one("review", "Needs review", p.Counts["review"])}
	if p.Query != "" {
		out[0].Label = "Found"
	}
	for _, status := range portal.OrderStatuses {
		out = append(out, one(string(status), page.StatusLook(status).Word, p.Counts[string(status)]))
	}
	return append(out, one("all", "All", 0))
}

// Sources are the choices of where an order came from.
func (p ordersPage) Sources() []page.Option {
	return []page.Option{{Value: "", Label: "All sources"}, {Value: "WEB", Label: "Web"}, {Value: "PHONE", Label: "Phone"},
		{Value: "DESK", Label: "Desk"}, {Value: "EDI", Label: "EDI"}, {Value: "IMPORT", Label: "Import"}}
}

// NextLink is the next page's address, or "".
func (p ordersPage) NextLink() string {
	if p.Next == "" {
		return ""
	}
	return page.ListLink("/desk/orders", "status", p.Status, "reason", p.Reason, "source", p.Source,
		"q", p.Query, "before", p.Next)
}

// Waiting is how long an order has waited to leave the house; "" for one that
// has, or never will.
func (p ordersPage) Waiting(o portal.DeskOrder) string {
	if o.Status.Open() && !o.Status.Shipped() {
		return waited(p.Now.Sub(o.SubmittedAt))
	}
	return ""
}

// Waited is the same in seconds, from which an open page counts on.
func (p ordersPage) Waited(o portal.DeskOrder) int {
	return int(p.Now.Sub(o.SubmittedAt).Seconds())
}

// waited is a time span in two words: "now", "25 min", "3 h 20 min", "2 days".
// An open page keeps it true with the same words: assets/queue.js.
func waited(d time.Duration) string {
	minutes := int(d.Minutes())
	switch {
	case minutes < 1:
		return "now"
	case minutes < 60:
		return fmt.Sprintf("%d min", minutes)
	case minutes < 10*60:
		return fmt.Sprintf("%d h %d min", minutes/60, minutes%60)
	case minutes < 48*60:
		return fmt.Sprintf("%d h", minutes/60)
	}
	return fmt.Sprintf("%d days", minutes/(24*60))
}

func (c *Counter) ListOrders(q *page.Request) error { return c.ordersPage(q, nil) }

// ordersPage shows the list; after orders were approved together with what
// became of them.
func (c *Counter) ordersPage(q *page.Request, done *portal.Approvals) error {
	f := shop.OrderFilter(q.Request)
	f.Query = page.SearchText(q)
	f.Reason = q.URL.Query().Get("reason")
	list, err := c.Orders.Orders(q.Context(), q.Who, f)
	if err != nil {
		return err
	}
	return c.Page(q, http.StatusOK, "desk/orders", "Orders", "orders", ordersPage{DeskOrders: list, Status: f.Status,
		Query: f.Query, Source: f.Source, Reason: f.Reason, Done: done})
}

// orderPage is one order with what can be done about it now.
type orderPage struct {
	portal.DeskOrderDetail
	page.FormErrors
	Timeline []page.TimelineStep `json:"timeline"`
	Typed    orderTyped          `json:"-"`
	Failed   string              `json:"-"` // the form that was refused: move, fulfil, edit, release, or none
}

// orderTyped is what stands in the page's forms.
type orderTyped struct {
	Reason     string
	Carrier    string
	TrackingNo string
	qtys       map[int]string
}

// moveButton is one button that moves the order.
type moveButton struct {
	To    portal.OrderStatus
	Label string
	Icon  string
	Class string
}

// Forward are the moves that need no words, the usual next step first. Shipped
// is not among them: goods leave by the form that says which and how.
func (p orderPage) Forward() []moveButton {
	approve := moveButton{portal.OrderApproved, "Approve", "check", "btn-primary"}
	if p.Status == portal.OrderPicking {
		approve = moveButton{portal.OrderApproved, "Stop picking", "arrow-back-up", ""}
	}
	pick := moveButton{portal.OrderPicking, "Start picking", "package", "btn-primary"}
	if p.CreditStops { // the way on is the form that releases it
		return p.legal(moveButton{portal.OrderSubmitted, "Release to the queue", "arrow-back-up", ""})
	}
	return p.legal(approve, pick,
		moveButton{portal.OrderDelivered, "Delivered", "circle-check", "btn-primary"},
		moveButton{portal.OrderSubmitted, "Release to the queue", "arrow-back-up", ""})
}

// Against are the moves that stop the order and may say why.
func (p orderPage) Against() []moveButton {
	return p.legal(moveButton{portal.OrderOnHold, "Hold", "player-pause", ""},
		moveButton{portal.OrderRejected, "Reject", "ban", "btn-outline-danger"},
		moveButton{portal.OrderCancelled, "Cancel order", "x", "btn-outline-danger"})
}

func (p orderPage) legal(moves ...moveButton) []moveButton {
	return slices.DeleteFunc(moves, func(m moveButton) bool { return !slices.Contains(p.Moves, m.To) })
}

// MustSayWhy reports whether one of the moves against the order needs a
// reason.
func (p orderPage) MustSayWhy() bool { return slices.Contains(p.Moves, portal.OrderRejected) }

// Undecided reports whether somebody must say what becomes of the order.
func (p orderPage) Undecided() bool {
	return p.Status.Undecided()
}

// Objections are the reasons why the order waits, while it does.
func (p orderPage) Objections() []portal.Review {
	if !p.Undecided() {
		return nil
	}
	return p.Reviews
}

// OverCredit is by how much the customer's exposure passes its limit; nil
// where it does not.
func (p orderPage) OverCredit() *portal.Money {
	if p.CreditLimit == nil || !p.Exposure.GreaterThan(p.CreditLimit.Decimal) {
		return nil
	}
	return &portal.Money{Decimal: p.Exposure.Sub(p.CreditLimit.Decimal)}
}

// ShownOver is OverCredit as the page's forms carry it.
func (p orderPage) ShownOver() string {
	if over := p.OverCredit(); over != nil {
		return over.StringFixed(2)
	}
	return "0.00"
}

// ShownOver is by how much the list says that an order is over credit, as its
// forms carry it.
func (p ordersPage) ShownOver(o portal.DeskOrder) string {
	for _, r := range o.Reviews {
		if over, ok := r.Over(); ok {
			return over.StringFixed(2)
		}
	}
	return "0.00"
}

// shownOver reads ShownOver back; nil where a form does not say.
func shownOver(s string) *portal.Money {
	d, err := decimal.NewFromString(s)
	if err != nil || len(s) > 30 {
		return nil
	}
	return &portal.Money{Decimal: d}
}

// shownHold reads whether a page said that the account is on hold; nil where it
// does not say.
func shownHold(s string) *bool {
	held, err := strconv.ParseBool(s)
	if err != nil {
		return nil
	}
	return &held
}

// MayFulfil reports whether goods may be picked and shipped now.
func (p orderPage) MayFulfil() bool {
	return p.Status.Pickable() &&
		slices.ContainsFunc(p.OrderLines, func(l portal.OrderLine) bool { return l.Allocated.IsPositive() })
}

// WaitsForStock reports whether all that is left of the order is backordered.
func (p orderPage) WaitsForStock() bool {
	return p.Status.Pickable() && !p.MayFulfil()
}

// QtyOf is what stands in a line's quantity box: what was typed there, else all
// that is allocated.
func (p orderPage) QtyOf(l portal.OrderLine) string {
	if typed, ok := p.Typed.qtys[l.LineNo]; ok && p.Failed == "fulfil" {
		return typed
	}
	return l.Allocated.Typed()
}

// CarrierOptions are the choices of who takes the goods.
func (p orderPage) CarrierOptions() []page.Option {
	return carrierOptions(p.Carriers, p.Typed.Carrier)
}

func (c *Counter) ShowOrder(q *page.Request) error {
	return c.orderPage(q, orderTyped{}, "", nil)
}

// orderPage shows the order; after a refused form with what was typed and
// the refusal.
func (c *Counter) orderPage(q *page.Request, typed orderTyped, failed string, refused error) error {
	order, err := c.Orders.Order(q.Context(), q.Who, q.Param("order_no"))
	if err != nil {
		return err
	}
	return c.Page(q, page.Status(refused), "desk/order", "Order "+order.OrderNo,
		"orders", orderPage{DeskOrderDetail: order,
			FormErrors: page.FormErrorsOf(refused), Timeline: page.Timeline(order.OrderDetail), Typed: typed, Failed: failed})
}

// MoveOrder sets the status: fields status, reason, and from, the status that
// the page showed.
func (c *Counter) MoveOrder(q *page.Request) error {
	var in struct {
		Status   string `form:"status"`
		Reason   string `form:"reason"`
		From     string `form:"from"`
		Revision string `form:"revision"`
		Release  bool   `form:"release_credit"`
		Over     string `form:"shown_over"`
		Hold     string `form:"shown_hold"`
		Shown    string `form:"shown"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	orderNo := q.Param("order_no")
	to := portal.OrderStatus(strings.ToUpper(strings.TrimSpace(in.Status)))
	err := c.Orders.MoveOrder(q.Context(), q.Who, orderNo, portal.OrderMove{To: to, Reason: in.Reason,
		From: portal.OrderStatus(in.From), Revision: page.Revision(in.Revision), Shown: in.Shown, ReleaseCredit: in.Release,
		ShownOver: shownOver(in.Over), ShownHold: shownHold(in.Hold)})
	switch {
	case err == nil:
		view := page.DeskPath("orders", orderNo)
		if list := q.Back(""); list == "/desk/orders" || strings.HasPrefix(list, "/desk/orders?") {
			view = list // it was done from there
		}
		return q.Done(view, fmt.Sprintf("Order %s: %s", orderNo, page.StatusLook(to).Word))
	case page.ShownOnPage(q, err):
		failed := "move"
		if in.Release {
			failed = "release"
		}
		return c.orderPage(q, orderTyped{Reason: in.Reason}, failed, err)
	}
	return err
}

// PickOrder records what has been picked: fields qty_<line number>, where an
// empty one means all that is allocated. No such field at all means all lines.
func (c *Counter) PickOrder(q *page.Request) error {
	orderNo := q.Param("order_no")
	typed, qtys, err := c.typedQtys(q, orderNo)
	if err == nil {
		err = c.Orders.Pick(q.Context(), q.Who, orderNo, qtys)
	}
	switch {
	case err == nil:
		return q.Done(page.DeskPath("orders", orderNo), "Picked quantities of "+orderNo+" saved")
	case page.ShownOnPage(q, err):
		return c.orderPage(q, typed, "fulfil", err)
	}
	return err
}

// ShipOrder ships: fields carrier, tracking_no, qty_<line number> as for
// picking, and seen, the quantity that the page showed as shipped.
func (c *Counter) ShipOrder(q *page.Request) error {
	orderNo := q.Param("order_no")
	typed, qtys, err := c.typedQtys(q, orderNo)
	ship := portal.ShipOrder{Carrier: typed.Carrier, TrackingNo: typed.TrackingNo, Qtys: qtys}
	if d, bad := decimal.NewFromString(q.PostForm.Get("seen")); bad == nil {
		ship.Seen = &portal.Qty{Decimal: d}
	}
	switch {
	case err != nil:
	case len(ship.Carrier) > 60:
		err = portal.Invalid("carrier", "The carrier's name is too long.")
	case len(ship.TrackingNo) > 60:
		err = portal.Invalid("tracking_no", "The tracking number is too long: 60 characters at most.")
	default:
		err = c.Orders.Ship(q.Context(), q.Who, orderNo, ship)
	}
	switch {
	case err == nil:
		return q.Done(page.DeskPath("orders", orderNo), "Shipment of "+orderNo+" recorded")
	case page.ShownOnPage(q, err):
		return c.orderPage(q, typed, "fulfil", err)
	}
	return err
}

// typedQtys reads the form of picking and shipping. qtys is nil where every
// quantity is left to what is allocated.
func (c *Counter) typedQtys(q *page.Request, orderNo string) (orderTyped, map[int]portal.Qty, error) {
	typed := orderTyped{qtys: map[int]string{}}
	if err := q.Decode(&struct{}{}); err != nil {
		return typed, nil, err
	}
	typed.Carrier = strings.TrimSpace(q.PostForm.Get("carrier"))
	typed.TrackingNo = strings.TrimSpace(q.PostForm.Get("tracking_no"))
	var empty []int
	var qtys map[int]portal.Qty
	var err error
	typed.qtys, qtys, empty, err = page.LineQtys(q.PostForm)
	if err != nil {
		return typed, nil, err
	}
	if len(qtys) == 0 {
		return typed, nil, nil
	}
	if len(empty) > 0 {
		order, err := c.Orders.Order(q.Context(), q.Who, orderNo)
		if err != nil {
			return typed, nil, err
		}
		for _, l := range order.OrderLines {
			if slices.Contains(empty, l.LineNo) {
				qtys[l.LineNo] = l.Allocated
			}
		}
	}
	return typed, qtys, nil
}

// InvoiceOrder invoices what has shipped.
func (c *Counter) InvoiceOrder(q *page.Request) error {
	var in struct {
		Shown string `form:"shown"` // what waits for an invoice as the page shows it
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	orderNo := q.Param("order_no")
	invoiceNo, err := c.Orders.InvoiceShipped(q.Context(), q.Who, orderNo, in.Shown)
	switch {
	case err == nil && page.WantsJSON(q.Request):
		return page.WriteJSON(q.W, http.StatusOK,
			map[string]any{"ok": true, "invoice_no": invoiceNo, "message": "Invoice " + invoiceNo + " made"})
	case err == nil:
		return q.Done(page.DeskPath("orders", orderNo), "Invoice "+invoiceNo+" made")
	case page.ShownOnPage(q, err):
		if e, ok := errors.AsType[*portal.Error](err); ok {
			for i := range e.Fields {
				e.Fields[i].Field = "" // the page has no such fields
			}
		}
		return c.orderPage(q, orderTyped{}, "", err)
	}
	return err
}
