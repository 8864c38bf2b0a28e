package http

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"portal.example/portal"
)

// ordersPage is a list of orders with what narrows it.
type ordersPage struct {
	portal.Orders
	Status string        `json:"status"`
	Query  string        `json:"query"`
	Access portal.Access `json:"-"`
}

// Link is the address of this list narrowed to a status.
func (p ordersPage) Link(status string) string {
	return listLink("/orders", "status", status, "q", p.Query)
}

// NextLink is the next page's address, or "".
func (p ordersPage) NextLink() string {
	if p.Next == "" {
		return ""
	}
	return listLink("/orders", "status", p.Status, "q", p.Query, "before", p.Next)
}

// listLink is a path with those of the name and value pairs that have a value.
func listLink(path string, pairs ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

func orderFilter(r *http.Request) portal.OrderFilter {
	v := r.URL.Query()
	return portal.OrderFilter{Status: v.Get("status"), Query: strings.TrimSpace(v.Get("q")), Source: v.Get("source"), Before: v.Get("before")}
}

func (s *Server) orders(q *request) error {
	f := orderFilter(q.Request)
	list, err := s.Orders.Orders(q.Context(), q.who, f)
	if err != nil {
		return err
	}
	return s.page(q, http.StatusOK, "orders", "Orders", "orders", ordersPage{Orders: list, Status: f.Status, Query: f.Query, Access: q.frame.Access})
}

// orderPage is one order.
type orderPage struct {
	portal.OrderDetail
	Timeline []timelineStep `json:"timeline"`
	Access   portal.Access  `json:"-"`
	CanTake  bool           `json:"can_cancel"`
	CanEdit  bool           `json:"can_change"`
	formErrors
	Typed   map[int]string `json:"-"` // quantities in the form, where it was refused
	AskRose string         `json:"-"` // the prices that sending again confirms; "" none
}

func (s *Server) order(q *request) error { return s.orderPage(q, nil, nil) }

// orderPage shows the order; after a refused change with what was typed and the
// refusal.
func (s *Server) orderPage(q *request, typed map[int]string, refused error) error {
	order, err := s.Orders.Order(q.Context(), q.who, q.param("order_no"))
	if err != nil {
		return err
	}
	s.nameActors(q, &order)
	open := order.Status == portal.OrderSubmitted
	page := orderPage{OrderDetail: order, Timeline: timeline(order), Access: q.frame.Access, formErrors: formErrorsOf(refused), Typed: typed,
		CanTake: open && q.frame.Access.MayCancel(), CanEdit: open && q.frame.Access.MayEdit()}
	code := http.StatusOK
	if refused != nil {
		code = status(refused)
	}
	if r, ok := errors.AsType[*portal.RefusedError](refused); ok {
		page.AskRose = r.AskedPrices()
	}
	return s.page(q, code, "order", order.OrderNo, "orders", page)
}

// nameActors says who did a step in the customer's terms: their own log-ins by
// e-mail, all else is the distributor. A database user's name tells them
// nothing.
func (s *Server) nameActors(q *request, o *portal.OrderDetail) {
	for i := range o.History {
		switch actor := o.History[i].Actor; {
		case o.ByStaff && o.History[i].From == nil:
			o.History[i].Actor = s.Brand.Name + ", for you"
		case actor == q.who.Email && q.who.Acting == portal.ActingNot:
			o.History[i].Actor = "You"
		case o.History[i].From == nil && o.Source == "WEB" && strings.Contains(actor, "@"):
			// another log-in of the same customer
		default:
			o.History[i].Actor = s.Brand.Name
		}
	}
	for i, c := range o.Changes {
		switch {
		case c.Actor == q.who.Email && q.who.Acting == portal.ActingNot:
			o.Changes[i].Actor = "You"
		case !c.ByCustomer:
			o.Changes[i].Actor = s.Brand.Name
		}
	}
	if o.StandingOrder != "" {
		o.SubmittedBy = "Standing order"
		for i := range o.History {
			if o.History[i].From == nil {
				o.History[i].Actor = "Standing order"
			}
		}
		return
	}
	switch {
	case o.ByStaff:
		o.SubmittedBy = s.Brand.Name + ", for you"
	case o.SubmittedBy == q.who.Email && q.who.Acting == portal.ActingNot:
		o.SubmittedBy = "You"
	case !strings.Contains(o.SubmittedBy, "@"):
		o.SubmittedBy = s.Brand.Name
	}
}

func (s *Server) cancelOrder(q *request) error {
	orderNo := q.param("order_no")
	if err := mayOrder(q); err != nil {
		return err
	}
	if err := s.Orders.Cancel(q.Context(), q.who, orderNo); err != nil {
		return err
	}
	return q.done("/orders/"+portal.InAddress(orderNo), "Order "+orderNo+" cancelled")
}
