package http

import (
	"context"
	"net/http"

	"portal.example/portal"
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

func (s *Server) reorderOrder(q *request) error {
	no := q.param("order_no")
	return s.reorder(q, "Order", no, "/orders/"+portal.InAddress(no), s.Reorders.ReorderOrder)
}

func (s *Server) reorderInvoice(q *request) error {
	no := q.param("invoice_no")
	return s.reorder(q, "Invoice", no, "/invoices/"+portal.InAddress(no), s.Reorders.ReorderInvoice)
}

// reorder copies a document's lines into the cart. With lines in the cart and
// no mode (add or replace) it asks first; a program is taken to mean add.
func (s *Server) reorder(q *request, kind, no, back string,
	again func(context.Context, portal.Session, string, portal.ReorderMode) (portal.Reorder, error)) error {
	if err := mayOrder(q); err != nil {
		return err
	}
	var in struct {
		Mode portal.ReorderMode `form:"mode"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	switch {
	case in.Mode == portal.ReorderAsk && wantsJSON(q.Request):
		in.Mode = portal.ReorderAdd
	case in.Mode != portal.ReorderAsk && in.Mode != portal.ReorderAdd && in.Mode != portal.ReorderReplace:
		return portal.Invalid("mode", "Add to the cart, or replace what it holds?")
	}
	result, err := again(q.Context(), q.who, no, in.Mode)
	if err != nil {
		return err
	}
	return s.page(q, http.StatusOK, "reorder", "Reorder of "+no, "cart", reorderPage{Reorder: result, Back: back, Kind: kind, Access: q.frame.Access})
}
