package http

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"portal.example/portal"
)

// The warehouse's pages are the desk's for people with a scanner in one hand:
// what is to be picked, one order at a time with large targets, and the sheets
// that go along with the goods.

// warehousePage is the list of orders to pick, or on their way.
type warehousePage struct {
	Orders []portal.WarehouseOrder `json:"orders"`
	Route  string                  `json:"route"`
	Sort   string                  `json:"sort"`
	View   string                  `json:"view"`
	routes []option
	now    time.Time
}

func (p warehousePage) link(route, sort, view string) string {
	return listLink("/desk/warehouse", "view", view, "route", route, "sort", sort)
}

// Views are the two lists.
func (p warehousePage) Views() []pill {
	return []pill{{Label: "To pick", Link: p.link(p.Route, p.Sort, ""), Current: p.View == ""},
		{Label: "On the way", Link: p.link(p.Route, p.Sort, "way"), Current: p.View == "way"}}
}

// Sorts are the orders to choose from.
func (p warehousePage) Sorts() []option {
	return []option{{"", "Delivery date, route"}, {"age", "Longest waiting"}}
}

// Routes are the routes to choose from: those of the list.
func (p warehousePage) Routes() []option {
	return append([]option{{"", "All routes"}}, p.routes...)
}

// Age is how long an order has waited.
func (p warehousePage) Age(o portal.WarehouseOrder) string { return waited(p.now.Sub(o.SubmittedAt)) }

func (s *Server) warehouse(q *request) error {
	v := q.URL.Query()
	page := warehousePage{Route: v.Get("route"), now: q.now()}
	if v.Get("sort") == "age" {
		page.Sort = "age"
	}
	if v.Get("view") == "way" {
		page.View = "way"
	}
	all, err := s.Desk.Warehouse(q.Context(), q.who, portal.WarehouseFilter{ByAge: page.Sort == "age", OnTheWay: page.View == "way"})
	if err != nil {
		return err
	}
	page.Orders = all
	for _, o := range all {
		if o.RouteCode != "" && !slices.ContainsFunc(page.routes, func(r option) bool { return r.Value == o.RouteCode }) {
			page.routes = append(page.routes, option{o.RouteCode, o.RouteName})
		}
	}
	slices.SortFunc(page.routes, func(a, b option) int { return strings.Compare(a.Label, b.Label) })
	if page.Route != "" {
		// the list has an end, a route's orders must not fall behind it
		page.Orders, err = s.Desk.Warehouse(q.Context(), q.who, portal.WarehouseFilter{Route: page.Route, ByAge: page.Sort == "age", OnTheWay: page.View == "way"})
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(page.routes, func(r option) bool { return r.Value == page.Route }) {
			page.routes = append(page.routes, option{page.Route, page.Route})
		}
	}
	return s.page(q, http.StatusOK, "warehouse", "Warehouse", "warehouse", page)
}

// pickPage is one order on the pick screen.
type pickPage struct {
	portal.PickOrder
	formErrors
	Ship   portal.ShipPicked     `json:"-"` // what stands in the forms
	Sub    portal.SubstituteLine `json:"-"`
	Failed string                `json:"-"` // the form that was refused, with its line: short-2, substitute-2, ship
}

// Open are the lines with something to pick or picked.
func (p pickPage) Open() []portal.PickLine {
	return slices.DeleteFunc(slices.Clone(p.Pick), func(l portal.PickLine) bool { return !l.Allocated.IsPositive() })
}

// Rest are the lines with nothing to pick: shipped, cancelled, or waiting for
// stock.
func (p pickPage) Rest() []portal.PickLine {
	return slices.DeleteFunc(slices.Clone(p.Pick), func(l portal.PickLine) bool { return l.Allocated.IsPositive() })
}

// DoneLines is how many of the lines to pick are complete.
func (p pickPage) DoneLines() int {
	n := 0
	for _, l := range p.Open() {
		if l.Done() {
			n++
		}
	}
	return n
}

// CarrierOptions are the choices of who takes the goods.
func (p pickPage) CarrierOptions() []option { return carrierOptions(p.Carriers, p.Ship.Carrier) }

func carrierOptions(carriers []string, typed string) []option {
	out := make([]option, len(carriers))
	for i, c := range carriers {
		out[i] = option{c, c}
	}
	if typed != "" && !slices.Contains(carriers, typed) {
		out = append(out, option{typed, typed})
	}
	return out
}

// shortReason is a button that cuts a line short.
type shortReason struct {
	Label, Reason string
	WriteOff      bool
}

// ShortReasons are why a line is sent short. What is not on the shelf is off
// the stock as well.
func (p pickPage) ShortReasons() []shortReason {
	return []shortReason{{"Out of stock", "Out of stock", true}, {"Damaged", "Damaged goods", true}, {"Not wanted", "Not wanted any more", false}}
}

func (s *Server) pickOrder(q *request) error { return s.pickPage(q, pickPage{}, nil) }

// pickPage shows the pick screen; after a refused form with what was typed and
// the refusal.
func (s *Server) pickPage(q *request, page pickPage, refused error) error {
	order, err := s.Desk.PickOrder(q.Context(), q.who, q.param("order_no"))
	if err != nil {
		return err
	}
	page.PickOrder, page.formErrors = order, formErrorsOf(refused)
	code := http.StatusOK
	if refused != nil {
		code = status(refused)
	}
	return s.page(q, code, "warehouse_pick", "Pick "+order.OrderNo, "warehouse", page)
}

func pickPath(orderNo string) string { return "/desk/warehouse/" + portal.InAddress(orderNo) }

// pickStep counts one step: field code is what a scanner read; or line and by,
// how many more, or fewer where it is negative.
func (s *Server) pickStep(q *request) error {
	var in struct {
		Code string `form:"code"`
		Line int    `form:"line"`
		By   string `form:"by"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	orderNo := q.param("order_no")
	var step portal.Picked
	var err error
	if in.Line == 0 {
		step, err = s.Desk.PickScan(q.Context(), q.who, orderNo, in.Code)
	} else if by, bad := decimal.NewFromString(in.By); bad != nil || by.IsZero() || by.Abs().GreaterThan(decimal.New(1, 9)) || by.Exponent() < -6 {
		err = portal.Invalid("by", "How many more?")
	} else {
		step, err = s.Desk.PickLine(q.Context(), q.who, orderNo, in.Line, portal.Qty{Decimal: by})
	}
	switch {
	case err == nil && wantsJSON(q.Request):
		return writeJSON(q.w, http.StatusOK, struct {
			portal.Picked
			Message string `json:"message"`
		}{step, step.Words()})
	case err == nil:
		return q.done(pickPath(orderNo), step.Words())
	case shownOnPage(q, err):
		return s.pickPage(q, pickPage{}, err)
	}
	return err
}

// pickAll counts all that is allocated as picked: field stamp.
func (s *Server) pickAll(q *request) error {
	var in struct {
		Stamp string `form:"stamp"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	orderNo := q.param("order_no")
	return s.pickDone(q, s.Desk.PickAll(q.Context(), q.who, orderNo, in.Stamp), "All of "+orderNo+" is picked", pickPage{})
}

func (s *Server) pickShort(q *request) error {
	var in portal.ShortLine
	if err := q.decode(&in); err != nil {
		return err
	}
	err := s.Desk.ShortLine(q.Context(), q.who, q.param("order_no"), in)
	return s.pickDone(q, err, "Line "+strconv.Itoa(in.LineNo)+" is sent short: "+in.Reason, pickPage{Failed: "short-" + strconv.Itoa(in.LineNo)})
}

func (s *Server) pickSubstitute(q *request) error {
	var in portal.SubstituteLine
	if err := q.decode(&in); err != nil {
		return err
	}
	err := s.Desk.Substitute(q.Context(), q.who, q.param("order_no"), in)
	if e, ok := errors.AsType[*portal.Error](err); ok && shownOnPage(q, err) { // each line has such a form
		for i := range e.Fields {
			e.Fields[i].Line = in.LineNo
			if e.Fields[i].Field == "unit_price" {
				e.Fields[i].Field = "price"
			}
		}
	}
	return s.pickDone(q, err, in.ItemNo+" replaces line "+strconv.Itoa(in.LineNo), pickPage{Sub: in, Failed: "substitute-" + strconv.Itoa(in.LineNo)})
}

// pickShip ships what has been picked: fields carrier, tracking_no, stamp.
func (s *Server) pickShip(q *request) error {
	var in portal.ShipPicked
	if err := q.decode(&in); err != nil {
		return err
	}
	in.Carrier, in.TrackingNo = strings.TrimSpace(in.Carrier), strings.TrimSpace(in.TrackingNo)
	orderNo := q.param("order_no")
	var err error
	switch {
	case len(in.Carrier) > 60:
		err = portal.Invalid("carrier", "The carrier's name is too long.")
	case len(in.TrackingNo) > 60:
		err = portal.Invalid("tracking_no", "The tracking number is too long: 60 characters at most.")
	default:
		err = s.Desk.ShipPicked(q.Context(), q.who, orderNo, in)
	}
	return s.pickDone(q, err, "Shipment of "+orderNo+" recorded", pickPage{Ship: in, Failed: "ship"})
}

// pickDone answers a form of the pick screen.
func (s *Server) pickDone(q *request, err error, toast string, page pickPage) error {
	switch {
	case err == nil:
		return q.done(pickPath(q.param("order_no")), toast)
	case shownOnPage(q, err):
		return s.pickPage(q, page, err)
	}
	return err
}

// deliverShipment records the proof of delivery: field delivered_to.
func (s *Server) deliverShipment(q *request) error {
	var in struct {
		To string `form:"delivered_to"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	id, err := strconv.ParseInt(q.param("shipment_id"), 10, 64)
	if err != nil {
		return portal.Errorf(portal.CodeNotFound, "There is no such shipment.")
	}
	to := strings.Join(strings.Fields(in.To), " ")
	if len(to) > 120 {
		return portal.Invalid("delivered_to", "That name is too long.")
	}
	orderNo, err := s.Desk.Deliver(q.Context(), q.who, portal.ShipmentID(id), to)
	if err != nil {
		return err
	}
	return q.done(q.back(pickPath(orderNo)), "Shipment of "+orderNo+" delivered")
}

// takeBack undoes a shipment.
func (s *Server) takeBack(q *request) error {
	if err := q.decode(&struct{}{}); err != nil {
		return err
	}
	id, err := strconv.ParseInt(q.param("shipment_id"), 10, 64)
	if err != nil {
		return portal.Errorf(portal.CodeNotFound, "There is no such shipment.")
	}
	orderNo, err := s.Desk.TakeBack(q.Context(), q.who, portal.ShipmentID(id))
	if err != nil {
		return err
	}
	return q.done(q.back(pickPath(orderNo)), "The shipment is taken back: its goods are on the shelf again")
}

// sheetPage is a pick list or a packing slip.
type sheetPage struct {
	portal.PickOrder
	Slip     bool             `json:"slip"`
	Shipment *portal.Shipment `json:"shipment"` // of a packing slip; nil: what is packed now
	Rows     []sheetRow       `json:"rows"`
	Brand    Brand            `json:"-"`
}

// sheetRow is one line on paper.
type sheetRow struct {
	portal.PickLine
	Now portal.Qty `json:"now"` // to pick, or in the parcel
}

// Title is what stands on top of the sheet.
func (p sheetPage) Title() string {
	if p.Slip {
		return "Packing slip"
	}
	return "Pick list"
}

// Open is what is still to come of a row after this shipment.
func (r sheetRow) Open() portal.Qty { return r.OpenQty() }

// AfterNow is what is still to come once what is packed now has left.
func (r sheetRow) AfterNow() portal.Qty { return portal.Qty{Decimal: r.OpenQty().Sub(r.Now.Decimal)} }

func (s *Server) pickList(q *request) error {
	order, err := s.Desk.PickOrder(q.Context(), q.who, q.param("order_no"))
	if err != nil {
		return err
	}
	page := sheetPage{PickOrder: order, Brand: s.Brand}
	for _, l := range order.Pick {
		if l.Missing().IsPositive() {
			page.Rows = append(page.Rows, sheetRow{l, l.Missing()})
		}
	}
	return s.page(q, http.StatusOK, "warehouse_sheet", "Pick list "+order.OrderNo, "warehouse", page)
}

// packingSlip is what lies in the parcel, without prices: of one shipment
// (?shipment=), else of the last, else of what is picked now.
func (s *Server) packingSlip(q *request) error {
	order, err := s.Desk.PickOrder(q.Context(), q.who, q.param("order_no"))
	if err != nil {
		return err
	}
	page := sheetPage{PickOrder: order, Slip: true, Brand: s.Brand}
	asked := q.URL.Query().Get("shipment")
	for i, sh := range order.Shipments {
		if asked == "" && !order.PickedSome() || asked == strconv.FormatInt(int64(sh.ID), 10) {
			page.Shipment = &order.Shipments[i]
		}
	}
	if asked != "" && page.Shipment == nil {
		return portal.Errorf(portal.CodeNotFound, "There is no such shipment.")
	}
	for _, l := range order.Pick {
		row := sheetRow{PickLine: l}
		if page.Shipment == nil {
			row.Now = l.PickedNow()
		} else if i := slices.IndexFunc(page.Shipment.Contents, func(c portal.ShipmentLine) bool { return c.LineNo == l.LineNo }); i >= 0 {
			row.Now = page.Shipment.Contents[i].Qty
		}
		// what does not come is explained as well
		if row.Now.IsPositive() || l.OpenQty().IsPositive() || l.Cancelled.IsPositive() {
			page.Rows = append(page.Rows, row)
		}
	}
	return s.page(q, http.StatusOK, "warehouse_sheet", "Packing slip "+order.OrderNo, "warehouse", page)
}

// deskReceive adds what came in: fields received, and on_hand_seen, what the
// page showed on hand.
func (s *Server) deskReceive(q *request) error {
	var in struct {
		Received string `form:"received"`
		Seen     string `form:"on_hand_seen"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	itemNo := q.param("item_no")
	var seen *portal.Qty
	if d, err := decimal.NewFromString(in.Seen); err == nil {
		seen = &portal.Qty{Decimal: d}
	}
	err := s.Desk.Receive(q.Context(), q.who, itemNo, strings.TrimSpace(in.Received), seen)
	return s.supplyDone(q, err, in.Received+" of "+itemNo+" received", supplyTyped{Received: in.Received})
}

// deskExpect notes what is expected, or with remove forgets it: fields
// expected_on, expected_qty, expected_note; remove, an expected_id.
func (s *Server) deskExpect(q *request) error {
	var in supplyTyped
	if err := q.decode(&in); err != nil {
		return err
	}
	itemNo := q.param("item_no")
	if in.Remove != 0 {
		return s.supplyDone(q, s.Desk.ForgetReceipt(q.Context(), q.who, itemNo, in.Remove), "No longer expected", supplyTyped{})
	}
	err := s.Desk.ExpectReceipt(q.Context(), q.who, itemNo, in.ExpectedOn, strings.TrimSpace(in.ExpectedQty), in.ExpectedNote)
	return s.supplyDone(q, err, in.ExpectedQty+" of "+itemNo+" expected", in)
}

// supplyTyped is what stands in the item page's forms of the warehouse.
type supplyTyped struct {
	Received     string `form:"-"`
	ExpectedOn   string `form:"expected_on"`
	ExpectedQty  string `form:"expected_qty"`
	ExpectedNote string `form:"expected_note"`
	Remove       int64  `form:"remove"`
}

func (s *Server) supplyDone(q *request, err error, toast string, typed supplyTyped) error {
	switch {
	case err == nil:
		return q.done(deskPath("items", q.param("item_no")), toast)
	case shownOnPage(q, err):
		return s.deskItemSupplyPage(q, nil, typed, err)
	}
	return err
}
