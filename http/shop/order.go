package shop

import (
	"errors"
	"net/http"
	"strings"

	"portal.example/portal"
	"portal.example/portal/http/page"
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
	return page.ListLink("/orders", "status", status, "q", p.Query)
}

// NextLink is the next page's address, or "".
func (p ordersPage) NextLink() string {
	if p.Next == "" {
		return ""
	}
	return page.ListLink("/orders", "status", p.Status, "q", p.Query, "before", p.Next)
}

func OrderFilter(r *http.Request) portal.OrderFilter {
	v := r.URL.Query()
	return portal.OrderFilter{Status: v.Get("status"), Query: strings.TrimSpace(v.Get("q")), Source: v.Get("source"),
		Before: v.Get("before")}
}

func (c *Counter) ListOrders(q *page.Request) error {
	f := OrderFilter(q.Request)
	list, err := c.Orders.Orders(q.Context(), q.Who, f)
	if err != nil {
		return err
	}
	return c.Page(q, http.StatusOK, "shop/orders", "Orders",
		"orders", ordersPage{Orders: list, Status: f.Status, Query: f.Query, Access: q.Frame.Access})
}

// orderPage is one order.
type orderPage struct {
	portal.OrderDetail
	Timeline []page.TimelineStep `json:"timeline"`
	Access   portal.Access       `json:"-"`
	CanTake  bool                `json:"can_cancel"`
	CanEdit  bool                `json:"can_change"`
	page.FormErrors
	Typed   map[int]string `json:"-"` // quantities in the form, where it was refused
	AskRose string         `json:"-"` // the prices that sending again confirms; "" none
}

func (c *Counter) ShowOrder(q *page.Request) error { return c.orderPage(q, nil, nil) }

// orderPage shows the order; after a refused change with what was typed and the
// refusal.
func (c *Counter) orderPage(q *page.Request, typed map[int]string, refused error) error {
	order, err := c.Orders.Order(q.Context(), q.Who, q.Param("order_no"))
	if err != nil {
		return err
	}
	c.nameActors(q, &order)
	open := order.Status == portal.OrderSubmitted
	view := orderPage{OrderDetail: order, Timeline: page.Timeline(order), Access: q.Frame.Access,
		FormErrors: page.FormErrorsOf(refused), Typed: typed, CanTake: open && q.Frame.Access.MayCancel(),
		CanEdit: open && q.Frame.Access.MayEdit()}
	if r, ok := errors.AsType[*portal.RefusedError](refused); ok {
		view.AskRose = r.AskedPrices()
	}
	return c.Page(q, page.Status(refused), "shop/order", order.OrderNo, "orders", view)
}

// nameActors says who did a step in the customer's terms: their own log-ins by
// e-mail, all else is the distributor. A database user's name tells them
// nothing.
func (c *Counter) nameActors(q *page.Request, o *portal.OrderDetail) {
	for i := range o.History {
		switch actor := o.History[i].Actor; {
		case o.ByStaff && o.History[i].From == nil:
			o.History[i].Actor = c.Brand.Name + ", for you"
		case actor == q.Who.Email && q.Who.Acting == portal.ActingNot:
			o.History[i].Actor = "You"
		case o.History[i].From == nil && o.Source == "WEB" && strings.Contains(actor, "@"):
			// another log-in of the same customer
		default:
			o.History[i].Actor = c.Brand.Name
		}
	}
	for i, change := range o.Changes {
		switch {
		case change.Actor == q.Who.Email && q.Who.Acting == portal.ActingNot:
			o.Changes[i].Actor = "You"
		case !change.ByCustomer:
			o.Changes[i].Actor = c.Brand.Name
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
		o.SubmittedBy = c.Brand.Name + ", for you"
	case o.SubmittedBy == q.Who.Email && q.Who.Acting == portal.ActingNot:
		o.SubmittedBy = "You"
	case !strings.Contains(o.SubmittedBy, "@"):
		o.SubmittedBy = c.Brand.Name
	}
}

func (c *Counter) CancelOrder(q *page.Request) error {
	orderNo := q.Param("order_no")
	if err := mayOrder(q); err != nil {
		return err
	}
	if err := c.Orders.Cancel(q.Context(), q.Who, orderNo); err != nil {
		return err
	}
	return q.Done("/orders/"+portal.InAddress(orderNo), "Order "+orderNo+" cancelled")
}
