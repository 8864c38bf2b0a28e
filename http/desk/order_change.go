package desk

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// MayEdit reports whether staff may change the order's quantities.
func (p orderPage) MayEdit() bool { return p.Undecided() || p.Status == portal.OrderApproved }

// EditQty is what stands in a line's box of the form that changes quantities.
func (p orderPage) EditQty(l portal.OrderLine) string {
	if typed, ok := p.Typed.qtys[l.LineNo]; ok && p.Failed == "edit" {
		return typed
	}
	return portal.Qty{Decimal: l.Qty.Sub(l.Cancelled.Decimal)}.Typed()
}

// EditReason is the reason typed into that form.
func (p orderPage) EditReason() string {
	if p.Failed == "edit" {
		return p.Typed.Reason
	}
	return ""
}

// FieldPrefix is what the ids of the refused form's fields begin with: several
// forms have fields of the same names.
func (p orderPage) FieldPrefix() string {
	if p.Failed == "edit" || p.Failed == "release" {
		return "f-" + p.Failed + "-"
	}
	return "f-"
}

// ErrorIn is the message at a field of one of the page's forms, or "".
func (p orderPage) ErrorIn(form, field string) string {
	if p.Failed != form {
		return ""
	}
	return p.Error(field)
}

// ReleasesCredit reports whether to approve the order is to release its credit.
func (p orderPage) ReleasesCredit() bool {
	return !p.CreditStops && slices.ContainsFunc(p.Objections(),
		func(r portal.Review) bool { return r.Code == "over_credit" })
}

// NextStep is the step that credit stops.
func (p orderPage) NextStep() portal.OrderStatus {
	if p.Status == portal.OrderApproved {
		return portal.OrderPicking
	}
	return portal.OrderApproved
}

// EditOrder changes an order's quantities: fields qty_<line number>, where 0
// takes the line out, reason and revision.
func (c *Counter) EditOrder(q *page.Request) error {
	orderNo := q.Param("order_no")
	var in struct {
		Reason   string `form:"reason"`
		Revision string `form:"revision"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	edit := portal.OrderEdit{Reason: strings.TrimSpace(in.Reason), Revision: page.Revision(in.Revision)}
	typed := orderTyped{Reason: edit.Reason}
	var lines []portal.LineEdit
	var err error
	typed.qtys, edit.Qtys, _, err = page.LineQtys(q.PostForm)
	if err == nil && len(edit.Reason) > 300 {
		err = portal.Invalid("reason", "The reason is too long: 300 characters at most.")
	}
	if err == nil {
		lines, err = c.Orders.EditOrder(q.Context(), q.Who, orderNo, edit)
	}
	switch {
	case err == nil && page.WantsJSON(q.Request):
		return page.WriteJSON(q.W, http.StatusOK, map[string]any{"ok": true, "message": editWords(lines), "lines": lines})
	case err == nil:
		return q.Done(page.DeskPath("orders", orderNo), editWords(lines))
	case page.ShownOnPage(q, err):
		return c.orderPage(q, typed, "edit", err)
	}
	return err
}

// editWords says what was changed, and where an agreed price was kept that the
// new quantity would not have.
func editWords(lines []portal.LineEdit) string {
	if len(lines) == 0 {
		return "Nothing was changed: the quantities are what they were"
	}
	words := page.Plural(len(lines), "line", "lines") + " changed"
	for _, l := range lines {
		if l.PriceKept() {
			words += fmt.Sprintf(". %s keeps the agreed %s; %s would cost %s today", l.ItemNo,
				page.FormatPrice(l.UnitPrice.Decimal), page.FormatQty(l.ToQty.Decimal), page.FormatPrice(l.PriceNow.Decimal))
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
	ref := portal.OrderRef{OrderNo: portal.FromAddress(number), Revision: page.Revision(seen), ShownOver: shownOver(over)}
	if d := shownOver(total); d != nil {
		ref.Shown = portal.OrderFigures(d, nil).Shown()
	}
	return ref
}

// ApproveOrders approves the orders that were ticked, each by itself: fields
// order, each as orderRef reads it.
func (c *Counter) ApproveOrders(q *page.Request) error {
	var in struct{}
	if err := q.Decode(&in); err != nil {
		return err
	}
	ticked := q.PostForm["order"]
	switch {
	case len(ticked) == 0:
		return q.Done(q.Back("/desk/orders"), "Select the orders to approve first")
	case len(ticked) > 5*portal.PageSize:
		return portal.Invalid("order", "These are too many orders at once.")
	}
	var orders []portal.OrderRef
	for _, t := range ticked {
		orders = append(orders, orderRef(t))
	}
	done, err := c.Orders.ApproveOrders(q.Context(), q.Who, orders)
	switch {
	case err != nil:
		return err
	case page.WantsJSON(q.Request):
		return page.WriteJSON(q.W, http.StatusOK, done)
	case len(done.Refused) == 0:
		return q.Done(q.Back("/desk/orders"), page.Plural(len(done.Approved), "order", "orders")+" approved")
	}
	return c.ordersPage(q, &done)
}
