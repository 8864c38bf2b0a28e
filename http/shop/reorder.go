package shop

import (
	"context"
	"net/http"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// reorderPage is what became of a document's lines.
type reorderPage struct {
	portal.Reorder
	Back   string        `json:"-"`
	Kind   string        `json:"-"`
	Access portal.Access `json:"-"`
}

// Left is how many lines cannot be ordered again.
func (p reorderPage) Left() int {
	n := 0
	for _, l := range p.Lines {
		if !l.Ready() {
			n++
		}
	}
	return n
}

func (c *Counter) ReorderOrder(q *page.Request) error {
	no := q.Param("order_no")
	return c.reorder(q, "Order", no, "/orders/"+portal.InAddress(no), c.Reorders.ReorderOrder)
}

func (c *Counter) ReorderInvoice(q *page.Request) error {
	no := q.Param("invoice_no")
	return c.reorder(q, "Invoice", no, "/invoices/"+portal.InAddress(no), c.Reorders.ReorderInvoice)
}

// reorder copies a document's lines into the cart. With lines in the cart and
// no mode (add or replace) it asks first; a program is taken to mean add.
func (c *Counter) reorder(q *page.Request, kind, no, back string,
	again func(context.Context, portal.Session, string, portal.ReorderMode) (portal.Reorder, error)) error {
	if err := mayOrder(q); err != nil {
		return err
	}
	var in struct {
		Mode portal.ReorderMode `form:"mode"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	switch {
	case in.Mode == portal.ReorderAsk && page.WantsJSON(q.Request):
		in.Mode = portal.ReorderAdd
	case in.Mode != portal.ReorderAsk && in.Mode != portal.ReorderAdd && in.Mode != portal.ReorderReplace:
		return portal.Invalid("mode", "Add to the cart, or replace what it holds?")
	}
	result, err := again(q.Context(), q.Who, no, in.Mode)
	if err != nil {
		return err
	}
	return c.Page(q, http.StatusOK, "shop/reorder", "Reorder of "+no,
		"cart", reorderPage{Reorder: result, Back: back, Kind: kind, Access: q.Frame.Access})
}
