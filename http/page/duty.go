package page

import (
	"context"
	"errors"
	"net/http"

	"github.com/julienschmidt/httprouter"

	"portal.example/portal"
)

// Sets of duties that stand at several routes.
var (
	anyDuty   = portal.Duties
	sales     = []portal.Duty{portal.DutySales}
	warehouse = []portal.Duty{portal.DutyWarehouse}
	credit    = []portal.Duty{portal.DutyCredit}
	prices    = []portal.Duty{portal.DutyPrices}
	admin     = []portal.Duty{portal.DutyAdministrator}
	returns   = []portal.Duty{portal.DutySales, portal.DutyCredit}
	asks      = []portal.Duty{portal.DutySales, portal.DutyPrices}
	goods     = []portal.Duty{portal.DutySales, portal.DutyWarehouse, portal.DutyCredit}
	routing   = []portal.Duty{portal.DutySales, portal.DutyWarehouse}
	billed    = []portal.Duty{portal.DutySales, portal.DutyCredit}
	lets      = []portal.Duty{portal.DutySales, portal.DutyAdministrator}
	stocked   = []portal.Duty{portal.DutyPrices, portal.DutyWarehouse}
	everybody = []portal.Duty{} // of the staff, also who has no duty yet
)

// deskDuties says which duties open each route of the desk: one of them is enough. A
// route that is not here opens to nobody. What is written is held by the database as
// well (portal.duty_rule); this keeps people from pages and buttons that are not theirs.
var deskDuties = map[string][]portal.Duty{
	"GET /desk":         everybody,
	"GET /desk/profile": everybody,
	"POST /acting/end":  everybody,

	"GET /desk/orders":                    anyDuty,
	"GET /desk/orders/:order_no":          anyDuty,
	"POST /desk/orders":                   sales,
	"POST /desk/orders/:order_no/move":    goods, // which move: the database
	"POST /desk/orders/:order_no/edit":    sales,
	"POST /desk/orders/:order_no/pick":    warehouse,
	"POST /desk/orders/:order_no/ship":    warehouse,
	"POST /desk/orders/:order_no/invoice": credit,

	"GET /desk/warehouse":                         warehouse,
	"GET /desk/warehouse/:order_no":               warehouse,
	"GET /desk/warehouse/:order_no/pick-list":     warehouse,
	"GET /desk/warehouse/:order_no/packing-slip":  warehouse,
	"POST /desk/warehouse/:order_no/pick":         warehouse,
	"POST /desk/warehouse/:order_no/all":          warehouse,
	"POST /desk/warehouse/:order_no/short":        warehouse,
	"POST /desk/warehouse/:order_no/substitute":   warehouse,
	"POST /desk/warehouse/:order_no/ship":         warehouse,
	"POST /desk/shipments/:shipment_id/delivered": warehouse,
	"POST /desk/shipments/:shipment_id/take-back": warehouse,

	"GET /desk/returns":                               goods,
	"GET /desk/returns/:request_no":                   goods,
	"GET /desk/returns/:request_no/photos/:photo_id":  goods,
	"POST /desk/returns/:request_no/review":           returns,
	"POST /desk/returns/:request_no/decide":           returns,
	"POST /desk/returns/:request_no/reject":           returns,
	"POST /desk/returns/:request_no/receive":          warehouse,
	"POST /desk/returns/:request_no/credit":           credit,
	"GET /desk/customers":                             anyDuty,
	"GET /desk/customers/:customer_no":                anyDuty,
	"POST /desk/customers/:customer_no/access":        admin,
	"POST /desk/customers/:customer_no/acting":        lets, // to order: sales
	"POST /desk/customers/:customer_no/route":         routing,
	"POST /desk/customers/:customer_no/second-factor": admin,

	"GET /desk/customers/:customer_no/people":                    lets,
	"POST /desk/customers/:customer_no/people":                   admin,
	"GET /desk/customers/:customer_no/people/:login_id":          lets,
	"POST /desk/customers/:customer_no/people/:login_id":         admin,
	"POST /desk/customers/:customer_no/people/:login_id/disable": admin,
	"POST /desk/customers/:customer_no/people/:login_id/link":    admin,

	"GET /desk/customers/:customer_no/account":       credit,
	"POST /desk/customers/:customer_no/payments":     credit,
	"POST /desk/customers/:customer_no/credits":      credit,
	"POST /desk/customers/:customer_no/apply":        credit,
	"GET /desk/customers/:customer_no/statement":     credit,
	"GET /desk/customers/:customer_no/statement/pdf": credit,
	"GET /desk/aging":                         credit,
	"GET /desk/aging.csv":                     credit,
	"GET /desk/payments":                      credit,
	"GET /desk/payments/:payment_no":          credit,
	"POST /desk/payments/:payment_no/reverse": credit,
	"GET /desk/invoices":                      credit,
	"GET /desk/invoices/:invoice_no":          billed,
	"GET /desk/invoices/:invoice_no/pdf":      billed,
	"GET /desk/invoicing":                     credit,
	"POST /desk/invoicing":                    credit,
	"GET /desk/waiting":                       credit,
	"POST /desk/waiting/:entry_id/approve":    credit,
	"POST /desk/waiting/:entry_id/reject":     credit,

	"GET /desk/routes":                                  routing,
	"POST /desk/routes":                                 warehouse,
	"GET /desk/routes/:code":                            routing,
	"POST /desk/routes/:code":                           warehouse,
	"POST /desk/routes/:code/holidays":                  warehouse,
	"POST /desk/holidays":                               warehouse,
	"POST /desk/holidays/:holiday_id/delete":            warehouse,
	"GET /desk/items":                                   anyDuty,
	"GET /desk/items/:item_no":                          anyDuty,
	"POST /desk/items/:item_no":                         stocked, // prices or what is on hand: the database
	"POST /desk/items/:item_no/receive":                 warehouse,
	"POST /desk/items/:item_no/expected":                warehouse,
	"GET /desk/items/:item_no/prices":                   asks,
	"POST /desk/items/:item_no/prices/break":            prices,
	"POST /desk/items/:item_no/prices/end":              prices,
	"POST /desk/items/:item_no/prices/delete":           prices,
	"GET /desk/customers/:customer_no/prices":           asks,
	"GET /desk/prices":                                  prices,
	"POST /desk/prices":                                 prices,
	"GET /desk/prices/export":                           prices,
	"GET /desk/why":                                     asks,
	"GET /desk/staff":                                   admin,
	"POST /desk/staff":                                  admin,
	"GET /desk/staff/:login_id":                         admin,
	"POST /desk/staff/:login_id":                        admin,
	"POST /desk/staff/:login_id/disable":                admin,
	"POST /desk/staff/:login_id/sessions":               admin,
	"POST /desk/staff/:login_id/factors":                admin,
	"POST /desk/staff/:login_id/link":                   admin,
	"POST /desk/customers/:customer_no/prices/contract": prices,
	"POST /desk/customers/:customer_no/prices/group":    prices,
	"POST /desk/customers/:customer_no/prices/end":      prices,
	"POST /desk/customers/:customer_no/prices/delete":   prices,
}

// errClosedRoute is for a route of the desk that nobody has given a duty.
var errClosedRoute = portal.Errorf(portal.CodeForbidden, "No duty opens this page yet.")

// mayOpen refuses who has none of the duties that open a route of the desk.
func mayOpen(who portal.Session, route string) error {
	duties, known := deskDuties[route]
	switch {
	case !known:
		return errClosedRoute
	case len(duties) == 0:
		return nil
	}
	return who.Require(duties...)
}

// May reports whether who sees this page may use a route of the desk, for buttons and
// links: "POST /desk/orders/:order_no/edit".
func (f Frame) May(route string) bool { return MayOpen(f.Session, route) }

// MayOpen reports whether somebody of the staff may use a route of the desk.
func MayOpen(who portal.Session, route string) bool { return mayOpen(who, route) == nil }

// Staff serves the distributor's people who have the duty of the route.
func (k *Kit) Staff(h Handler) httprouter.Handle {
	return k.guard(portal.Session.Staff, func(q *Request) error {
		if err := mayOpen(q.Who, q.params.ByName(routeParam)); err != nil {
			return err
		}
		return h(q)
	})
}

// MayMove reports whether who sees this page may move orders to a status, as
// portal.duty_of_move says for the moves that have buttons.
func (f Frame) MayMove(to portal.OrderStatus) bool {
	switch to {
	case portal.OrderPicking, portal.OrderShipped, portal.OrderDelivered:
		return f.Session.Has(portal.DutyWarehouse)
	case portal.OrderOnHold:
		return f.Session.Has(portal.DutySales, portal.DutyCredit)
	}
	return f.Session.Has(portal.DutySales)
}

// Mux is a router whose handlers know the route that they were found by.
type Mux struct{ *httprouter.Router }

// NewMux makes a router without routes.
func NewMux() Mux { return Mux{httprouter.New()} }

// GET serves a pattern.
func (m Mux) GET(pattern string, h httprouter.Handle) {
	m.Router.GET(pattern, knowing("GET "+pattern, h))
}

// POST serves a pattern.
func (m Mux) POST(pattern string, h httprouter.Handle) {
	m.Router.POST(pattern, knowing("POST "+pattern, h))
}

// routeParam is the name under which a handler finds its route; no pattern has it.
const routeParam = " route"

func knowing(route string, h httprouter.Handle) httprouter.Handle {
	return func(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
		h(w, r, append(p[:len(p):len(p)], httprouter.Param{Key: routeParam, Value: route}))
	}
}

// DeskHome is where somebody of the staff begins.
func DeskHome(who portal.Session) string {
	switch {
	case len(who.Duties) > 0:
		return "/desk/orders"
	case who.Role == portal.RoleOps:
		return "/ops/mail"
	}
	return "/desk/profile"
}

// DutyService knows who can give duties, and keeps who was refused for the want of one.
type DutyService interface {
	// Administrators are the names of those who can give duties, at most a few.
	Administrators(ctx context.Context) ([]string, error)
	// Refused writes a refusal into the audit: what was asked for, as "POST /desk/prices".
	Refused(ctx context.Context, who portal.Session, needed []portal.Duty, asked string) error
}

// dutyRefusal is what the page of a refusal says of duties.
type dutyRefusal struct {
	Needs          []portal.Duty `json:"needs"`
	Administrators []string      `json:"administrators"`
	Has            []portal.Duty `json:"has"`
}

// refusedForDuty notes a refusal for the want of a duty, and tells what the page says;
// nil for any other error.
func (k *Kit) refusedForDuty(r *http.Request, who portal.Session, err error) *dutyRefusal {
	needs := portal.DutiesNeeded(err)
	if len(needs) == 0 || !who.Staff() || k.Duties == nil {
		return nil
	}
	// the visitor may be gone; the audit has it all the same
	ctx := context.WithoutCancel(r.Context())
	failed := k.Duties.Refused(ctx, who, needs, r.Method+" "+loggedPath(r.URL.Path))
	names, unknown := k.Duties.Administrators(ctx)
	if failed = errors.Join(failed, unknown); failed != nil {
		k.Logger.Error("a refusal was not written down", "request", RequestID(r.Context()), "error", failed)
	}
	return &dutyRefusal{Needs: needs, Administrators: names, Has: who.Duties}
}

// NeedsText names the duties that open the page.
func (d dutyRefusal) NeedsText() string { return portal.DutyWords(d.Needs, " or ") }

// HasText names the duties of who was refused.
func (d dutyRefusal) HasText() string { return portal.DutyWords(d.Has, ", ") }
