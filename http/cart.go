package http

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"portal.example/portal"
)

// cartPage is the cart with what was typed and what is wrong with it.
type cartPage struct {
	portal.Cart
	Form    portal.CartSubmit   `json:"-"` // what stands in the fields
	Message string              `json:"error,omitempty"`
	Fields  []portal.FieldError `json:"fields,omitempty"`
	Access  portal.Access       `json:"-"`
	Today   string              `json:"-"`
	Outcome string              `json:"outcome"` // of sending it now: approve, queue, refuse
	AskRose bool                `json:"confirm_prices,omitempty"` // prices rose: sending again confirms
	AskPO   bool                `json:"confirm_po,omitempty"`     // PO number repeated: sending again confirms
}

// Error is the message at a field, or "".
func (p cartPage) Error(field string) string {
	for _, f := range p.Fields {
		if f.Field == field && f.Line == 0 {
			return f.Message
		}
	}
	return ""
}

// LineFindings are the findings of a line, by its place in Lines.
func (p cartPage) LineFindings(i int) []portal.OrderFinding {
	return slices.DeleteFunc(slices.Clone(p.Findings), func(f portal.OrderFinding) bool { return f.Line != i+1 })
}

// Reasons are the distinct texts of the findings with an action, for the whole
// cart: what a line objects to stands beside it as well.
func (p cartPage) Reasons(action string) []string {
	var out []string
	for _, f := range p.Findings {
		if f.Action == action && !slices.Contains(out, f.Text) {
			out = append(out, f.Text)
		}
	}
	return out
}

// outcome is what becomes of a cart that is sent as it is.
func outcome(c portal.Cart) string {
	switch {
	case c.Refused():
		return "refuse"
	case c.Queues():
		return "queue"
	}
	return "approve"
}

func (s *Server) cart(q *request) error { return s.cartPage(q, http.StatusOK, nil, nil) }

// cartPage shows the cart; after a refused submit with the typed form and the
// refusal.
func (s *Server) cartPage(q *request, status int, typed *portal.CartSubmit, refused error) error {
	cart, err := s.Carts.Cart(q.Context(), q.who)
	if err != nil {
		return err
	}
	page := cartPage{Cart: cart, Outcome: outcome(cart), Access: q.frame.Access, Today: time.Now().In(q.location).Format(time.DateOnly)}
	page.Form.CartHead = portal.CartHead{PONo: cart.PONo, ShipTo: cart.ShipTo, Note: cart.Note}
	if cart.RequestedDate != nil {
		page.Form.RequestedDate = cart.RequestedDate.Format(time.DateOnly)
	}
	if typed != nil {
		page.Form = *typed
	}
	page.Form.Key = cart.Key
	if e, ok := errors.AsType[*portal.Error](refused); ok {
		page.Message, page.Fields = e.Message, e.Fields
	}
	if r, ok := errors.AsType[*portal.RefusedError](refused); ok {
		page.AskRose, page.AskPO = r.Has("prices_rose"), r.Has("po_repeated")
	}
	return s.page(q, status, "cart", "Cart", "cart", page)
}

// mayOrder refuses what changes a cart to accounts that only look.
func mayOrder(q *request) error {
	if !q.frame.Access.CanOrder {
		return portal.Errorf(portal.CodeForbidden, "Your account may look but not order. Please call us to order.")
	}
	return nil
}

// saveCart keeps what is typed beside the lines: PO number, ship-to, date,
// note.
func (s *Server) saveCart(q *request) error {
	if err := mayOrder(q); err != nil {
		return err
	}
	var head portal.CartHead
	if err := q.decode(&head); err != nil {
		return err
	}
	if err := s.Carts.SaveHead(q.Context(), q.who, head); err != nil {
		return err
	}
	return q.done("/cart", "")
}

// cartLine puts an item into the cart: adding to it, or with mode=set as the
// quantity. A quantity of 0 takes it out.
func (s *Server) cartLine(q *request) error {
	if err := mayOrder(q); err != nil {
		return err
	}
	var in struct {
		ItemNo string `form:"item_no"`
		UOM    string `form:"uom"`
		Qty    string `form:"qty"`
		Mode   string `form:"mode"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	qty, ok := portal.ParseQty(in.Qty)
	if in.Qty == "0" || (in.Qty == "" && in.Mode == "set") {
		qty, ok = portal.Qty{}, true
		in.Mode = "set"
	}
	if !ok {
		return portal.Invalid("qty", "Enter a quantity above zero, like 12.")
	}
	if err := s.Carts.SetLine(q.Context(), q.who, in.ItemNo, in.UOM, qty, in.Mode != "set"); err != nil {
		return err
	}
	toast := in.ItemNo + " is in your cart"
	if qty.IsZero() {
		toast = in.ItemNo + " is out of your cart"
	} else if in.Mode == "set" {
		toast = ""
	}
	return q.done(q.back("/cart"), toast)
}

func (s *Server) submitCart(q *request) error {
	if err := mayOrder(q); err != nil {
		return err
	}
	var in portal.CartSubmit
	if err := q.decode(&in); err != nil {
		return err
	}
	orderNo, err := s.Carts.Submit(q.Context(), q.who, in)
	switch code := portal.ErrorCode(err); {
	case err == nil:
	case (code == portal.CodeInvalid || code == portal.CodeConflict) && !wantsJSON(q.Request):
		// what was typed is kept with the cart, whatever becomes of the page;
		// a date that cannot be read is kept in the form alone
		if e := s.Carts.SaveHead(q.Context(), q.who, in.CartHead); e != nil && portal.ErrorCode(e) != portal.CodeInvalid {
			return e
		}
		return s.cartPage(q, status(err), &in, err)
	default:
		return err
	}
	if wantsJSON(q.Request) {
		return writeJSON(q.w, http.StatusOK, map[string]string{"order_no": orderNo})
	}
	return q.done("/orders/"+orderNo, "Order "+orderNo+" sent")
}
