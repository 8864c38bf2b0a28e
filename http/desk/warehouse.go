package desk

import (
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

// The warehouse's pages are the desk's for people with a scanner in one hand:
// what is to be picked, one order at a time with large targets, and the sheets
// that go along with the goods.

// warehousePage is the list of orders to pick, or on their way.
type warehousePage struct {
	Orders []portal.WarehouseOrder `json:"orders"`
	Route  string                  `json:"route"`
	Sort   string                  `json:"sort"`
	View   string                  `json:"view"`
	routes []page.Option
	now    time.Time
}

func (p warehousePage) link(route, sort, view string) string {
	return page.ListLink("/desk/warehouse", "view", view, "route", route, "sort", sort)
}

// Views are the two lists.
func (p warehousePage) Views() []page.Pill {
	return []page.Pill{{Label: "To pick", Link: p.link(p.Route, p.Sort, ""), Current: p.View == ""},
		{Label: "On the way", Link: p.link(p.Route, p.Sort, "way"), Current: p.View == "way"}}
}

// Sorts are the orders to choose from.
func (p warehousePage) Sorts() []page.Option {
	return []page.Option{{Value: "", Label: "Delivery date, route"}, {Value: "age", Label: "Longest waiting"}}
}

// Routes are the routes to choose from: those of the list.
func (p warehousePage) Routes() []page.Option {
	return append([]page.Option{{Value: "", Label: "All routes"}}, p.routes...)
}

// Age is how long an order has waited.
func (p warehousePage) Age(o portal.WarehouseOrder) string { return waited(p.now.Sub(o.SubmittedAt)) }

func (c *Counter) ShowWarehouse(q *page.Request) error {
	v := q.URL.Query()
	view := warehousePage{Route: v.Get("route"), now: q.Now()}
	if v.Get("sort") == "age" {
		view.Sort = "age"
	}
	if v.Get("view") == "way" {
		view.View = "way"
	}
	all, err := c.Warehouse.ToPick(q.Context(), q.Who,
		portal.WarehouseFilter{ByAge: view.Sort == "age", OnTheWay: view.View == "way"})
	if err != nil {
		return err
	}
	view.Orders = all
	for _, o := range all {
		if o.RouteCode != "" && !slices.ContainsFunc(view.routes,
			func(r page.Option) bool { return r.Value == o.RouteCode }) {
			view.routes = append(view.routes, page.Option{Value: o.RouteCode, Label: o.RouteName})
		}
	}
	slices.SortFunc(view.routes, func(a, b page.Option) int { return strings.Compare(a.Label, b.Label) })
	if view.Route != "" {
		// the list has an end, a route's orders must not fall behind it
		view.Orders, err = c.Warehouse.ToPick(q.Context(), q.Who,
			portal.WarehouseFilter{Route: view.Route, ByAge: view.Sort == "age", OnTheWay: view.View == "way"})
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(view.routes, func(r page.Option) bool { return r.Value == view.Route }) {
			view.routes = append(view.routes, page.Option{Value: view.Route, Label: view.Route})
		}
	}
	return c.Page(q, http.StatusOK, "desk/warehouse", "Warehouse", "warehouse", view)
}

// pickPage is one order on the pick screen.
type pickPage struct {
	portal.PickOrder
	page.FormErrors
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
func (p pickPage) CarrierOptions() []page.Option { return carrierOptions(p.Carriers, p.Ship.Carrier) }

func carrierOptions(carriers []string, typed string) []page.Option {
	out := make([]page.Option, 0, len(carriers)+1)
	for _, c := range carriers {
		out = append(out, page.Option{Value: c, Label: c})
	}
	if typed != "" && !slices.Contains(carriers, typed) {
		out = append(out, page.Option{Value: typed, Label: typed})
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
	return []shortReason{{"Out of stock", "Out of stock", true}, {"Damaged", "Damaged goods", true},
		{"Not wanted", "Not wanted any more", false}}
}

func (c *Counter) ShowPick(q *page.Request) error { return c.pickPage(q, pickPage{}, nil) }

// pickPage shows the pick screen; after a refused form with what was typed and
// the refusal.
func (c *Counter) pickPage(q *page.Request, view pickPage, refused error) error {
	order, err := c.Warehouse.PickOrder(q.Context(), q.Who, q.Param("order_no"))
	if err != nil {
		return err
	}
	view.PickOrder, view.FormErrors = order, page.FormErrorsOf(refused)
	return c.Page(q, page.Status(refused), "desk/warehouse_pick", "Pick "+order.OrderNo, "warehouse", view)
}

func pickPath(orderNo string) string { return "/desk/warehouse/" + portal.InAddress(orderNo) }

// PickStep counts one step: field code is what a scanner read; or line and by,
// how many more, or fewer where it is negative.
func (c *Counter) PickStep(q *page.Request) error {
	var in struct {
		Code string `form:"code"`
		Line int    `form:"line"`
		By   string `form:"by"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	orderNo := q.Param("order_no")
	var step portal.Picked
	var err error
	if in.Line == 0 {
		step, err = c.Warehouse.PickScan(q.Context(), q.Who, orderNo, in.Code)
	} else if by, bad := decimal.NewFromString(in.By); bad != nil || by.IsZero() ||
		by.Abs().GreaterThan(decimal.New(1, 9)) || by.Exponent() < -6 {
		err = portal.Invalid("by", "How many more?")
	} else {
		step, err = c.Warehouse.PickLine(q.Context(), q.Who, orderNo, in.Line, portal.Qty{Decimal: by})
	}
	switch {
	case err == nil && page.WantsJSON(q.Request):
		return page.WriteJSON(q.W, http.StatusOK, struct {
			portal.Picked
			Message string `json:"message"`
		}{step, step.Words()})
	case err == nil:
		return q.Done(pickPath(orderNo), step.Words())
	case page.ShownOnPage(q, err):
		return c.pickPage(q, pickPage{}, err)
	}
	return err
}

// PickAll counts all that is allocated as picked: field stamp.
func (c *Counter) PickAll(q *page.Request) error {
	var in struct {
		Stamp string `form:"stamp"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	orderNo := q.Param("order_no")
	return c.pickDone(q, c.Warehouse.PickAll(q.Context(), q.Who, orderNo, in.Stamp),
		"All of "+orderNo+" is picked", pickPage{})
}

func (c *Counter) PickShort(q *page.Request) error {
	var in portal.ShortLine
	if err := q.Decode(&in); err != nil {
		return err
	}
	err := c.Warehouse.ShortLine(q.Context(), q.Who, q.Param("order_no"), in)
	return c.pickDone(q, err, "Line "+strconv.Itoa(in.LineNo)+" is sent short: "+in.Reason,
		pickPage{Failed: "short-" + strconv.Itoa(in.LineNo)})
}

func (c *Counter) PickSubstitute(q *page.Request) error {
	var in portal.SubstituteLine
	if err := q.Decode(&in); err != nil {
		return err
	}
	err := c.Warehouse.Substitute(q.Context(), q.Who, q.Param("order_no"), in)
	if e, ok := errors.AsType[*portal.Error](err); ok && page.ShownOnPage(q, err) { // each line has such a form
		for i := range e.Fields {
			e.Fields[i].Line = in.LineNo
			if e.Fields[i].Field == "unit_price" {
				e.Fields[i].Field = "price"
			}
		}
	}
	return c.pickDone(q, err, in.ItemNo+" replaces line "+strconv.Itoa(in.LineNo),
		pickPage{Sub: in, Failed: "substitute-" + strconv.Itoa(in.LineNo)})
}

// PickShip ships what has been picked: fields carrier, tracking_no, stamp.
func (c *Counter) PickShip(q *page.Request) error {
	var in portal.ShipPicked
	if err := q.Decode(&in); err != nil {
		return err
	}
	in.Carrier, in.TrackingNo = strings.TrimSpace(in.Carrier), strings.TrimSpace(in.TrackingNo)
	orderNo := q.Param("order_no")
	var err error
	switch {
	case len(in.Carrier) > 60:
		err = portal.Invalid("carrier", "The carrier's name is too long.")
	case len(in.TrackingNo) > 60:
		err = portal.Invalid("tracking_no", "The tracking number is too long: 60 characters at most.")
	default:
		err = c.Warehouse.ShipPicked(q.Context(), q.Who, orderNo, in)
	}
	return c.pickDone(q, err, "Shipment of "+orderNo+" recorded", pickPage{Ship: in, Failed: "ship"})
}

// pickDone answers a form of the pick screen.
func (c *Counter) pickDone(q *page.Request, err error, toast string, view pickPage) error {
	switch {
	case err == nil:
		return q.Done(pickPath(q.Param("order_no")), toast)
	case page.ShownOnPage(q, err):
		return c.pickPage(q, view, err)
	}
	return err
}

// DeliverShipment records the proof of delivery: field delivered_to.
func (c *Counter) DeliverShipment(q *page.Request) error {
	var in struct {
		To string `form:"delivered_to"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	id, err := strconv.ParseInt(q.Param("shipment_id"), 10, 64)
	if err != nil {
		return portal.Errorf(portal.CodeNotFound, "There is no such shipment.")
	}
	to := strings.Join(strings.Fields(in.To), " ")
	if len(to) > 120 {
		return portal.Invalid("delivered_to", "That name is too long.")
	}
	orderNo, err := c.Warehouse.Deliver(q.Context(), q.Who, portal.ShipmentID(id), to)
	if err != nil {
		return err
	}
	return q.Done(q.Back(pickPath(orderNo)), "Shipment of "+orderNo+" delivered")
}

// TakeBackShipment undoes a shipment.
func (c *Counter) TakeBackShipment(q *page.Request) error {
	if err := q.Decode(&struct{}{}); err != nil {
		return err
	}
	id, err := strconv.ParseInt(q.Param("shipment_id"), 10, 64)
	if err != nil {
		return portal.Errorf(portal.CodeNotFound, "There is no such shipment.")
	}
	orderNo, err := c.Warehouse.TakeBack(q.Context(), q.Who, portal.ShipmentID(id))
	if err != nil {
		return err
	}
	return q.Done(q.Back(pickPath(orderNo)), "The shipment is taken back: its goods are on the shelf again")
}

// sheetPage is a pick list or a packing slip.
type sheetPage struct {
	portal.PickOrder
	Slip     bool             `json:"slip"`
	Shipment *portal.Shipment `json:"shipment"` // of a packing slip; nil: what is packed now
	Rows     []sheetRow       `json:"rows"`
	Brand    page.Brand       `json:"-"`
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

func (c *Counter) PickList(q *page.Request) error {
	order, err := c.Warehouse.PickOrder(q.Context(), q.Who, q.Param("order_no"))
	if err != nil {
		return err
	}
	view := sheetPage{PickOrder: order, Brand: c.Brand}
	for _, l := range order.Pick {
		if l.Missing().IsPositive() {
			view.Rows = append(view.Rows, sheetRow{l, l.Missing()})
		}
	}
	return c.Page(q, http.StatusOK, "desk/warehouse_sheet", "Pick list "+order.OrderNo, "warehouse", view)
}

// PackingSlip is what lies in the parcel, without prices: of one shipment
// (?shipment=), else of the last, else of what is picked now.
func (c *Counter) PackingSlip(q *page.Request) error {
	order, err := c.Warehouse.PickOrder(q.Context(), q.Who, q.Param("order_no"))
	if err != nil {
		return err
	}
	view := sheetPage{PickOrder: order, Slip: true, Brand: c.Brand}
	asked := q.URL.Query().Get("shipment")
	for i, sh := range order.Shipments {
		if asked == "" && !order.PickedSome() || asked == strconv.FormatInt(int64(sh.ID), 10) {
			view.Shipment = &order.Shipments[i]
		}
	}
	if asked != "" && view.Shipment == nil {
		return portal.Errorf(portal.CodeNotFound, "There is no such shipment.")
	}
	for _, l := range order.Pick {
		row := sheetRow{PickLine: l}
		if view.Shipment == nil {
			row.Now = l.PickedNow()
		} else if i := slices.IndexFunc(view.Shipment.Contents,
			func(c portal.ShipmentLine) bool { return c.LineNo == l.LineNo }); i >= 0 {
			row.Now = view.Shipment.Contents[i].Qty
		}
		// what does not come is explained as well
		if row.Now.IsPositive() || l.OpenQty().IsPositive() || l.Cancelled.IsPositive() {
			view.Rows = append(view.Rows, row)
		}
	}
	return c.Page(q, http.StatusOK, "desk/warehouse_sheet", "Packing slip "+order.OrderNo, "warehouse", view)
}

// ReceiveGoods adds what came in: fields received, and on_hand_seen, what the
// page showed on hand.
func (c *Counter) ReceiveGoods(q *page.Request) error {
	var in struct {
		Received string `form:"received"`
		Seen     string `form:"on_hand_seen"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	itemNo := q.Param("item_no")
	var seen *portal.Qty
	if d, err := decimal.NewFromString(in.Seen); err == nil {
		seen = &portal.Qty{Decimal: d}
	}
	err := c.Items.Receive(q.Context(), q.Who, itemNo, strings.TrimSpace(in.Received), seen)
	return c.supplyDone(q, err, in.Received+" of "+itemNo+" received", supplyTyped{Received: in.Received})
}

// ExpectGoods notes what is expected, or with remove forgets it: fields
// expected_on, expected_qty, expected_note; remove, an expected_id.
func (c *Counter) ExpectGoods(q *page.Request) error {
	var in supplyTyped
	if err := q.Decode(&in); err != nil {
		return err
	}
	itemNo := q.Param("item_no")
	if in.Remove != 0 {
		return c.supplyDone(q, c.Items.ForgetReceipt(q.Context(), q.Who, itemNo, in.Remove),
			"No longer expected", supplyTyped{})
	}
	err := c.Items.ExpectReceipt(q.Context(), q.Who, itemNo, in.ExpectedOn,
		strings.TrimSpace(in.ExpectedQty), in.ExpectedNote)
	return c.supplyDone(q, err, in.ExpectedQty+" of "+itemNo+" expected", in)
}

// supplyTyped is what stands in the item page's forms of the warehouse.
type supplyTyped struct {
	Received     string `form:"-"`
	ExpectedOn   string `form:"expected_on"`
	ExpectedQty  string `form:"expected_qty"`
	ExpectedNote string `form:"expected_note"`
	Remove       int64  `form:"remove"`
}

func (c *Counter) supplyDone(q *page.Request, err error, toast string, typed supplyTyped) error {
	switch {
	case err == nil:
		return q.Done(page.DeskPath("items", q.Param("item_no")), toast)
	case page.ShownOnPage(q, err):
		return c.itemSupplyPage(q, nil, typed, err)
	}
	return err
}
