package shop

import (
	"errors"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// QtyOf is what stands in a line's quantity box: what was typed, else what is
// ordered.
func (p orderPage) QtyOf(l portal.OrderLine) string {
	if typed, ok := p.Typed[l.LineNo]; ok {
		return typed
	}
	return l.OpenQty().Typed()
}

// ChangeOrder changes the quantities of an order that is still Submitted:
// fields qty_<line number>, where 0 takes the line out, revision, and
// confirm_prices once prices rose: what the refused page carries, or a program's
// answer.
func (c *Counter) ChangeOrder(q *page.Request) error {
	orderNo := q.Param("order_no")
	if err := mayOrder(q); err != nil {
		return err
	}
	var in struct {
		Revision      string `form:"revision"`
		ConfirmPrices string `form:"confirm_prices"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	typed, qtys, _, err := page.LineQtys(q.PostForm)
	if err == nil {
		err = c.Orders.Change(q.Context(), q.Who, orderNo,
			portal.OrderEdit{Qtys: qtys, Revision: page.Revision(in.Revision), ConfirmPrices: in.ConfirmPrices})
		err = atQtys(err)
	}
	switch {
	case err == nil:
		return q.Done("/orders/"+portal.InAddress(orderNo), "Order "+orderNo+" changed")
	case page.ShownOnPage(q, err):
		return c.orderPage(q, typed, err)
	}
	return err
}

// atQtys moves what is wrong with a line to its quantity, the only field it has
// here.
func atQtys(err error) error {
	if e, ok := errors.AsType[*portal.Error](err); ok {
		for i := range e.Fields {
			if e.Fields[i].Line > 0 {
				e.Fields[i].Field = "qty"
			}
		}
	}
	return err
}
