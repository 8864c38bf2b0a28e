package http

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"portal.example/portal"
)

// QtyOf is what stands in a line's quantity box: what was typed, else what is
// ordered.
func (p orderPage) QtyOf(l portal.OrderLine) string {
	if typed, ok := p.Typed[l.LineNo]; ok {
		return typed
	}
	return l.OpenQty().Typed()
}

// changeOrder changes the quantities of an order that is still Submitted:
// fields qty_<line number>, where 0 takes the line out, revision, and
// confirm_prices once prices rose: what the refused page carries, or a program's
// answer.
func (s *Server) changeOrder(q *request) error {
	orderNo := q.param("order_no")
	if err := mayOrder(q); err != nil {
		return err
	}
	var in struct {
		Revision      string `form:"revision"`
		ConfirmPrices string `form:"confirm_prices"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	typed, qtys, _, err := lineQtys(q.PostForm)
	if err == nil {
		err = s.Orders.Change(q.Context(), q.who, orderNo, portal.OrderEdit{Qtys: qtys, Revision: revision(in.Revision), ConfirmPrices: in.ConfirmPrices})
		err = atQtys(err)
	}
	switch {
	case err == nil:
		return q.done("/orders/"+portal.InAddress(orderNo), "Order "+orderNo+" changed")
	case shownOnPage(q, err):
		return s.orderPage(q, typed, err)
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

// MayEdit reports whether staff may change the order's quantities.
func (p deskOrderPage) MayEdit() bool { return p.Undecided() || p.Status == portal.OrderApproved }

// EditQty is what stands in a line's box of the form that changes quantities.
func (p deskOrderPage) EditQty(l portal.OrderLine) string {
	if typed, ok := p.Typed.qtys[l.LineNo]; ok && p.Failed == "edit" {
		return typed
	}
	return portal.Qty{Decimal: l.Qty.Sub(l.Cancelled.Decimal)}.Typed()
}

// EditReason is the reason typed into that form.
func (p deskOrderPage) EditReason() string {
	if p.Failed == "edit" {
		return p.Typed.Reason
	}
	return ""
}

// FieldPrefix is what the ids of the refused form's fields begin with: several
// forms have fields of the same names.
func (p deskOrderPage) FieldPrefix() string {
	if p.Failed == "edit" || p.Failed == "release" {
		return "f-" + p.Failed + "-"
	}
	return "f-"
}

// ErrorIn is the message at a field of one of the page's forms, or "".
func (p deskOrderPage) ErrorIn(form, field string) string {
	if p.Failed != form {
		return ""
	}
	return p.Error(field)
}

// ReleasesCredit reports whether to approve the order is to release its credit.
func (p deskOrderPage) ReleasesCredit() bool {
	return !p.CreditStops && slices.ContainsFunc(p.Objections(), func(r portal.Review) bool { return r.Code == "over_credit" })
}

// NextStep is the step that credit stops.
func (p deskOrderPage) NextStep() portal.OrderStatus {
	if p.Status == portal.OrderApproved {
		return portal.OrderPicking
	}
	return portal.OrderApproved
}

// deskEdit changes an order's quantities: fields qty_<line number>, where 0
// takes the line out, reason and revision.
func (s *Server) deskEdit(q *request) error {
	orderNo := q.param("order_no")
	var in struct {
		Reason   string `form:"reason"`
		Revision string `form:"revision"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	edit := portal.OrderEdit{Reason: strings.TrimSpace(in.Reason), Revision: revision(in.Revision)}
	typed := deskOrderTyped{Reason: edit.Reason}
	var lines []portal.LineEdit
	var err error
	typed.qtys, edit.Qtys, _, err = lineQtys(q.PostForm)
	if err == nil && len(edit.Reason) > 300 {
		err = portal.Invalid("reason", "The reason is too long: 300 characters at most.")
	}
	if err == nil {
		lines, err = s.Desk.EditOrder(q.Context(), q.who, orderNo, edit)
	}
	switch {
	case err == nil && wantsJSON(q.Request):
		return writeJSON(q.w, http.StatusOK, map[string]any{"ok": true, "message": editWords(lines), "lines": lines})
	case err == nil:
		return q.done(deskPath("orders", orderNo), editWords(lines))
	case shownOnPage(q, err):
		return s.deskOrderPage(q, typed, "edit", err)
	}
	return err
}

// editWords says what was changed, and where an agreed price was kept that the
// new quantity would not have.
func editWords(lines []portal.LineEdit) string {
	if len(lines) == 0 {
		return "Nothing was changed: the quantities are what they were"
	}
	words := plural(len(lines), "line", "lines") + " changed"
	for _, l := range lines {
		if l.PriceKept() {
			words += fmt.Sprintf(". %s keeps the agreed %s; %s would cost %s today", l.ItemNo, formatPrice(l.UnitPrice.Decimal),
				formatQty(l.ToQty.Decimal), formatPrice(l.PriceNow.Decimal))
		}
	}
	return words
}

// orderRef reads a ticked order: its number as an address has it, and after
// slashes the revision that was looked at, by how much it was over credit, and
// its total.
func orderRef(ticked string) portal.OrderRef {
	number, rest, _ := strings.Cut(ticked, "/")
	seen, rest, _ := strings.Cut(rest, "/")
	over, total, _ := strings.Cut(rest, "/")
	ref := portal.OrderRef{OrderNo: portal.FromAddress(number), Revision: revision(seen), ShownOver: shownOver(over)}
	if d := shownOver(total); d != nil {
		ref.Shown = portal.OrderFigures(d, nil).Shown()
	}
	return ref
}

// deskApprove approves the orders that were ticked, each by itself: fields
// order, each as orderRef reads it.
func (s *Server) deskApprove(q *request) error {
	var in struct{}
	if err := q.decode(&in); err != nil {
		return err
	}
	ticked := q.PostForm["order"]
	switch {
	case len(ticked) == 0:
		return q.done(q.back("/desk/orders"), "Tick the orders to approve first")
	case len(ticked) > 5*portal.PageSize:
		return portal.Invalid("order", "These are too many orders at once.")
	}
	var orders []portal.OrderRef
	for _, t := range ticked {
		orders = append(orders, orderRef(t))
	}
	done, err := s.Desk.ApproveOrders(q.Context(), q.who, orders)
	switch {
	case err != nil:
		return err
	case wantsJSON(q.Request):
		return writeJSON(q.w, http.StatusOK, done)
	case len(done.Refused) == 0:
		return q.done(q.back("/desk/orders"), plural(len(done.Approved), "order", "orders")+" approved")
	}
	return s.deskOrdersPage(q, &done)
}
