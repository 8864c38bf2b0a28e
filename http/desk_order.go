package http

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"portal.example/portal"
)

// deskOrdersPage is the queue, or another list of orders, with what narrows
// it.
type deskOrdersPage struct {
	portal.DeskOrders
	Status string `json:"status"`
	Query  string `json:"query"`
	Source string `json:"source"`
	Reason string `json:"reason"`
	// Done is what became of orders that were approved together.
	Done *portal.Approvals `json:"done,omitempty"`
}

// Here is the address of this list.
func (p deskOrdersPage) Here() string {
	return listLink("/desk/orders", "status", p.Status, "reason", p.Reason, "source", p.Source, "q", p.Query)
}

// ReasonPills are the reasons for review to choose from, where there are any.
func (p deskOrdersPage) ReasonPills() []pill {
	known := p.Reason == ""
	var out []pill
	for _, r := range p.Reasons {
		known = known || r.Code == p.Reason
		out = append(out, p.reasonPill(r.Code, r.Orders))
	}
	if !known { // the last order with it has gone
		out = append(out, p.reasonPill(p.Reason, 0))
	}
	return out
}

func (p deskOrdersPage) reasonPill(code string, orders int) pill {
	link := listLink("/desk/orders", "status", "review", "reason", code, "source", p.Source, "q", p.Query)
	if p.Reason == code { // once more: all reasons again
		link = listLink("/desk/orders", "status", "review", "source", p.Source, "q", p.Query)
	}
	return pill{Label: portal.ReasonName(code), Link: link, Count: orders, Current: p.Reason == code}
}

// MayApprove reports whether some of the orders shown can be approved.
func (p deskOrdersPage) MayApprove() bool {
	return slices.ContainsFunc(p.Orders, portal.DeskOrder.Undecided)
}

// pill is one choice of a filter.
type pill struct {
	Label   string
	Link    string
	Count   int // 0: not shown
	Current bool
}

// Pills are the statuses to choose from, with how many open orders each has.
func (p deskOrdersPage) Pills() []pill {
	one := func(status, label string, count int) pill {
		return pill{Label: label, Count: count, Current: p.Status == status,
			Link: listLink("/desk/orders", "status", status, "source", p.Source, "q", p.Query)}
	}
	out := []pill{one("", "Queue", 0), one("review", "Needs review", p.Counts["review"])}
	if p.Query != "" {
		out[0].Label = "Found"
	}
	for _, status := range []portal.OrderStatus{portal.OrderSubmitted, portal.OrderOnHold, portal.OrderApproved, portal.OrderPicking,
		portal.OrderShipped, portal.OrderDelivered, portal.OrderRejected, portal.OrderCancelled} {
		out = append(out, one(string(status), statusLook(status).word, p.Counts[string(status)]))
	}
	return append(out, one("all", "All", 0))
}

// Sources are the choices of where an order came from.
func (p deskOrdersPage) Sources() []option {
	return []option{{"", "All sources"}, {"WEB", "Web"}, {"PHONE", "Phone"}, {"DESK", "Desk"}, {"EDI", "EDI"}, {"IMPORT", "Import"}}
}

// option is one choice of a select.
type option struct{ Value, Label string }

// NextLink is the next page's address, or "".
func (p deskOrdersPage) NextLink() string {
	if p.Next == "" {
		return ""
	}
	return listLink("/desk/orders", "status", p.Status, "reason", p.Reason, "source", p.Source, "q", p.Query, "before", p.Next)
}

// Waiting is how long an order has waited to leave the house; "" for one that
// has, or never will.
func (p deskOrdersPage) Waiting(o portal.DeskOrder) string {
	switch o.Status {
	case portal.OrderSubmitted, portal.OrderOnHold, portal.OrderApproved, portal.OrderPicking:
		return waited(p.Now.Sub(o.SubmittedAt))
	}
	return ""
}

// Waited is the same in seconds, from which an open page counts on.
func (p deskOrdersPage) Waited(o portal.DeskOrder) int {
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

func (s *Server) deskOrders(q *request) error { return s.deskOrdersPage(q, nil) }

// deskOrdersPage shows the list; after orders were approved together with what
// became of them.
func (s *Server) deskOrdersPage(q *request, done *portal.Approvals) error {
	f := orderFilter(q.Request)
	f.Query = deskSearch(q)
	f.Reason = q.URL.Query().Get("reason")
	list, err := s.Desk.DeskOrders(q.Context(), q.who, f)
	if err != nil {
		return err
	}
	return s.page(q, http.StatusOK, "desk_orders", "Orders", "orders", deskOrdersPage{DeskOrders: list, Status: f.Status,
		Query: f.Query, Source: f.Source, Reason: f.Reason, Done: done})
}

// deskOrderPage is one order with what can be done about it now.
type deskOrderPage struct {
	portal.DeskOrderDetail
	formErrors
	Timeline []timelineStep `json:"timeline"`
	Typed    deskOrderTyped `json:"-"`
	Failed   string         `json:"-"` // the form that was refused: move, fulfil, edit, release, or none
}

// deskOrderTyped is what stands in the page's forms.
type deskOrderTyped struct {
	Reason     string
	Carrier    string
	TrackingNo string
	qtys       map[int]string
}

// deskMove is one button that moves the order.
type deskMove struct {
	To    portal.OrderStatus
	Label string
	Icon  string
	Class string
}

// Forward are the moves that need no words, the usual next step first. Shipped
// is not among them: goods leave by the form that says which and how.
func (p deskOrderPage) Forward() []deskMove {
	approve := deskMove{portal.OrderApproved, "Approve", "check", "btn-primary"}
	if p.Status == portal.OrderPicking {
		approve = deskMove{portal.OrderApproved, "Stop picking", "arrow-back-up", ""}
	}
	pick := deskMove{portal.OrderPicking, "Start picking", "package", "btn-primary"}
	if p.CreditStops { // the way on is the form that releases it
		return p.legal(deskMove{portal.OrderSubmitted, "Release to the queue", "arrow-back-up", ""})
	}
	return p.legal(approve, pick,
		deskMove{portal.OrderDelivered, "Delivered", "circle-check", "btn-primary"},
		deskMove{portal.OrderSubmitted, "Release to the queue", "arrow-back-up", ""})
}

// Against are the moves that stop the order and may say why.
func (p deskOrderPage) Against() []deskMove {
	return p.legal(deskMove{portal.OrderOnHold, "Hold", "player-pause", ""},
		deskMove{portal.OrderRejected, "Reject", "ban", "btn-outline-danger"},
		deskMove{portal.OrderCancelled, "Cancel order", "x", "btn-outline-danger"})
}

func (p deskOrderPage) legal(moves ...deskMove) []deskMove {
	return slices.DeleteFunc(moves, func(m deskMove) bool { return !slices.Contains(p.Moves, m.To) })
}

// MustSayWhy reports whether one of the moves against the order needs a
// reason.
func (p deskOrderPage) MustSayWhy() bool { return slices.Contains(p.Moves, portal.OrderRejected) }

// Undecided reports whether somebody must say what becomes of the order.
func (p deskOrderPage) Undecided() bool {
	return p.Status == portal.OrderSubmitted || p.Status == portal.OrderOnHold
}

// Objections are the reasons why the order waits, while it does.
func (p deskOrderPage) Objections() []portal.Review {
	if !p.Undecided() {
		return nil
	}
	return p.Reviews
}

// OverCredit is by how much the customer's exposure passes its limit; nil
// where it does not.
func (p deskOrderPage) OverCredit() *portal.Money {
	if p.CreditLimit == nil || !p.Exposure.GreaterThan(p.CreditLimit.Decimal) {
		return nil
	}
	return &portal.Money{Decimal: p.Exposure.Sub(p.CreditLimit.Decimal)}
}

// ShownOver is OverCredit as the page's forms carry it.
func (p deskOrderPage) ShownOver() string {
	if over := p.OverCredit(); over != nil {
		return over.StringFixed(2)
	}
	return "0.00"
}

// ShownOver is by how much the list says that an order is over credit, as its
// forms carry it.
func (p deskOrdersPage) ShownOver(o portal.DeskOrder) string {
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
func (p deskOrderPage) MayFulfil() bool {
	return (p.Status == portal.OrderApproved || p.Status == portal.OrderPicking) &&
		slices.ContainsFunc(p.OrderLines, func(l portal.OrderLine) bool { return l.Allocated.IsPositive() })
}

// WaitsForStock reports whether all that is left of the order is backordered.
func (p deskOrderPage) WaitsForStock() bool {
	return (p.Status == portal.OrderApproved || p.Status == portal.OrderPicking) && !p.MayFulfil()
}

// QtyOf is what stands in a line's quantity box: what was typed there, else all
// that is allocated.
func (p deskOrderPage) QtyOf(l portal.OrderLine) string {
	if typed, ok := p.Typed.qtys[l.LineNo]; ok && p.Failed == "fulfil" {
		return typed
	}
	return l.Allocated.Typed()
}

// CarrierOptions are the choices of who takes the goods.
func (p deskOrderPage) CarrierOptions() []option {
	return carrierOptions(p.Carriers, p.Typed.Carrier)
}

func (s *Server) deskOrder(q *request) error {
	return s.deskOrderPage(q, deskOrderTyped{}, "", nil)
}

// deskOrderPage shows the order; after a refused form with what was typed and
// the refusal.
func (s *Server) deskOrderPage(q *request, typed deskOrderTyped, failed string, refused error) error {
	order, err := s.Desk.DeskOrder(q.Context(), q.who, q.param("order_no"))
	if err != nil {
		return err
	}
	code := http.StatusOK
	if refused != nil {
		code = status(refused)
	}
	return s.page(q, code, "desk_order", "Order "+order.OrderNo, "orders", deskOrderPage{DeskOrderDetail: order,
		formErrors: formErrorsOf(refused), Timeline: timeline(order.OrderDetail), Typed: typed, Failed: failed})
}

// deskMove sets the status: fields status, reason, and from, the status that
// the page showed.
func (s *Server) deskMove(q *request) error {
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
	if err := q.decode(&in); err != nil {
		return err
	}
	orderNo := q.param("order_no")
	to := portal.OrderStatus(strings.ToUpper(strings.TrimSpace(in.Status)))
	err := s.Desk.MoveOrder(q.Context(), q.who, orderNo, portal.OrderMove{To: to, Reason: in.Reason, From: portal.OrderStatus(in.From),
		Revision: revision(in.Revision), Shown: in.Shown, ReleaseCredit: in.Release, ShownOver: shownOver(in.Over), ShownHold: shownHold(in.Hold)})
	switch {
	case err == nil:
		page := deskPath("orders", orderNo)
		if list := q.back(""); list == "/desk/orders" || strings.HasPrefix(list, "/desk/orders?") {
			page = list // it was done from there
		}
		return q.done(page, fmt.Sprintf("Order %s: %s", orderNo, statusLook(to).word))
	case shownOnPage(q, err):
		failed := "move"
		if in.Release {
			failed = "release"
		}
		return s.deskOrderPage(q, deskOrderTyped{Reason: in.Reason}, failed, err)
	}
	return err
}

// revision reads which state of an order a form was made from; nil where it
// does not say.
func revision(s string) *int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return nil
	}
	return &n
}

// deskPick records what has been picked: fields qty_<line number>, where an
// empty one means all that is allocated. No such field at all means all lines.
func (s *Server) deskPick(q *request) error {
	orderNo := q.param("order_no")
	typed, qtys, err := s.deskQtys(q, orderNo)
	if err == nil {
		err = s.Desk.Pick(q.Context(), q.who, orderNo, qtys)
	}
	switch {
	case err == nil:
		return q.done(deskPath("orders", orderNo), "Picked quantities of "+orderNo+" saved")
	case shownOnPage(q, err):
		return s.deskOrderPage(q, typed, "fulfil", err)
	}
	return err
}

// deskShip ships: fields carrier, tracking_no, qty_<line number> as for
// picking, and seen, the quantity that the page showed as shipped.
func (s *Server) deskShip(q *request) error {
	orderNo := q.param("order_no")
	typed, qtys, err := s.deskQtys(q, orderNo)
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
		err = s.Desk.Ship(q.Context(), q.who, orderNo, ship)
	}
	switch {
	case err == nil:
		return q.done(deskPath("orders", orderNo), "Shipment of "+orderNo+" recorded")
	case shownOnPage(q, err):
		return s.deskOrderPage(q, typed, "fulfil", err)
	}
	return err
}

// deskQtys reads the form of picking and shipping. qtys is nil where every
// quantity is left to what is allocated.
func (s *Server) deskQtys(q *request, orderNo string) (deskOrderTyped, map[int]portal.Qty, error) {
	typed := deskOrderTyped{qtys: map[int]string{}}
	if err := q.decode(&struct{}{}); err != nil {
		return typed, nil, err
	}
	typed.Carrier = strings.TrimSpace(q.PostForm.Get("carrier"))
	typed.TrackingNo = strings.TrimSpace(q.PostForm.Get("tracking_no"))
	var empty []int
	var qtys map[int]portal.Qty
	var err error
	typed.qtys, qtys, empty, err = lineQtys(q.PostForm)
	if err != nil {
		return typed, nil, err
	}
	if len(qtys) == 0 {
		return typed, nil, nil
	}
	if len(empty) > 0 {
		order, err := s.Desk.DeskOrder(q.Context(), q.who, orderNo)
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

// lineQtys reads the fields qty_<line number> of a form: what was typed, the
// quantities, and the lines whose field is empty. An error names each field
// that cannot be read.
func lineQtys(form url.Values) (typed map[int]string, qtys map[int]portal.Qty, empty []int, err error) {
	typed, qtys = map[int]string{}, map[int]portal.Qty{}
	refused := &portal.Error{Code: portal.CodeInvalid}
	for name, values := range form {
		number, isQty := strings.CutPrefix(name, "qty_")
		line, err := strconv.Atoi(number)
		if !isQty || err != nil || line < 1 || line > math.MaxInt32 {
			continue
		}
		text := strings.TrimSpace(values[0])
		typed[line] = text
		if text == "" {
			empty = append(empty, line)
			continue
		}
		qty, problem := lineQty(text, "0 for none")
		if problem != "" {
			refused.Fields = append(refused.Fields, portal.FieldError{Field: "qty", Line: line, Message: fmt.Sprintf("Line %d: %s", line, problem)})
			continue
		}
		qtys[line] = qty
	}
	if len(refused.Fields) > 0 {
		slices.SortFunc(refused.Fields, func(a, b portal.FieldError) int { return a.Line - b.Line })
		refused.Message = refused.Fields[0].Message
		return typed, nil, nil, refused
	}
	return typed, qtys, empty, nil
}

// lineQty reads the quantity of a document's line, which may be 0; none says
// what that means there.
func lineQty(text, none string) (qty portal.Qty, problem string) {
	read := portal.ReadQty(text)
	if read.Zero() {
		return portal.Qty{}, ""
	}
	if qty, problem = read.Number(); problem == portal.QtyAsk {
		problem = "enter a quantity like 12, or " + none + "."
	}
	return qty, problem
}

// deskInvoice invoices what has shipped.
func (s *Server) deskInvoice(q *request) error {
	var in struct {
		Shown string `form:"shown"` // what waits for an invoice as the page shows it
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	orderNo := q.param("order_no")
	invoiceNo, err := s.Desk.Invoice(q.Context(), q.who, orderNo, in.Shown)
	switch {
	case err == nil && wantsJSON(q.Request):
		return writeJSON(q.w, http.StatusOK, map[string]any{"ok": true, "invoice_no": invoiceNo, "message": "Invoice " + invoiceNo + " made"})
	case err == nil:
		return q.done(deskPath("orders", orderNo), "Invoice "+invoiceNo+" made")
	case shownOnPage(q, err):
		if e, ok := errors.AsType[*portal.Error](err); ok {
			for i := range e.Fields {
				e.Fields[i].Field = "" // the page has no such fields
			}
		}
		return s.deskOrderPage(q, deskOrderTyped{}, "", err)
	}
	return err
}
