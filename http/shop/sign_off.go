package shop

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// approvalsPage is the requests for a signature that the log-in sees.
type approvalsPage struct {
	Requests []portal.SignOff `json:"requests"`
	Rights   portal.Rights    `json:"-"`
	Access   portal.Access    `json:"-"`
}

// Waiting and Decided are the two halves of the list.
func (p approvalsPage) Waiting() []portal.SignOff { return p.half(true) }

// Decided is described at Waiting.
func (p approvalsPage) Decided() []portal.SignOff { return p.half(false) }

func (p approvalsPage) half(waiting bool) []portal.SignOff {
	var out []portal.SignOff
	for _, r := range p.Requests {
		if (r.Status == portal.SignOffWaiting) == waiting {
			out = append(out, r)
		}
	}
	return out
}

// approvalPage is one request, and what was typed into its forms.
type approvalPage struct {
	portal.SignOffDetail
	page.FormErrors
	Access  portal.Access `json:"-"`
	MinDate string        `json:"-"`
	Typed   approvalTyped `json:"-"`
	Failed  string        `json:"-"` // the form that was refused: approve, reject, or none
	AskNew  string        `json:"-"` // the prices that sending again confirms; "" none
	AskWhat bool          `json:"-"` // the outcome is another: sending again confirms it
	AskPO   string        `json:"-"` // the orders with this PO number that it confirms
	Showed  string        `json:"shown,omitempty"`
}

type approvalTyped struct {
	PONo, RequestedDate, Reason string
	qtys                        map[int]string
}

// QtyOf is what stands in a line's quantity box.
func (p approvalPage) QtyOf(l portal.SignOffLine) string {
	if typed, ok := p.Typed.qtys[l.LineNo]; ok {
		return typed
	}
	return l.Qty.Typed()
}

// HeadFindings are those of the order as a whole, of today.
func (p approvalPage) HeadFindings() []portal.OrderFinding {
	return slices.DeleteFunc(slices.Clone(p.Findings), func(f portal.OrderFinding) bool { return f.Line != 0 })
}

// ShipToTold is the ship-to that the page says the order goes to.
func (p approvalPage) ShipToTold() string { return portal.ShipToTold(p.SignOffDetail.ShownOutcome) }

// AtOnce reports whether the order is approved as soon as it is signed off.
func (p approvalPage) AtOnce() bool {
	return !slices.ContainsFunc(p.Findings, func(f portal.OrderFinding) bool { return f.Action != "warn" })
}

// signOffLook is the status of a request as a badge names it: what the
// customer's people have approved is signed off, not approved by us.
func signOffLook(s portal.SignOffStatus) string {
	if s == portal.SignOffApproved {
		return "SIGNED_OFF"
	}
	return string(s)
}

func (c *Counter) ListApprovals(q *page.Request) error {
	list, err := c.SignOffs.SignOffs(q.Context(), q.Who, false)
	if err != nil {
		return err
	}
	return c.Page(q, http.StatusOK, "shop/approvals", "Approvals",
		"approvals", approvalsPage{Requests: list, Rights: q.Frame.Rights, Access: q.Frame.Access})
}

func signOffID(q *page.Request) (portal.SignOffID, error) {
	id, err := strconv.ParseInt(q.Param("sign_off"), 10, 64)
	if err != nil {
		return 0, portal.Errorf(portal.CodeNotFound, "There is no such request.")
	}
	return portal.SignOffID(id), nil
}

func approvalPath(id portal.SignOffID) string {
	return "/approvals/" + strconv.FormatInt(int64(id), 10)
}

func (c *Counter) ShowApproval(q *page.Request) error {
	return c.approvalPage(q, approvalPage{}, nil)
}

// approvalPage shows a request; after a refused form with what was typed and
// the refusal.
func (c *Counter) approvalPage(q *page.Request, view approvalPage, refused error) error {
	id, err := signOffID(q)
	if err != nil {
		return err
	}
	request, err := c.SignOffs.SignOff(q.Context(), q.Who, id)
	if err != nil {
		return err
	}
	view.SignOffDetail, view.FormErrors, view.Access = request, page.FormErrorsOf(refused), q.Frame.Access
	if request.MayDecide {
		view.Showed = request.Shown()
	}
	view.MinDate = q.Today()
	if view.Failed != "approve" {
		if request.PONo != nil {
			view.Typed.PONo = *request.PONo
		}
		if request.RequestedDate != nil {
			view.Typed.RequestedDate = request.RequestedDate.Format(time.DateOnly)
		}
	}
	if refused != nil {
		if r, ok := errors.AsType[*portal.RefusedError](refused); ok {
			view.AskNew, view.AskPO = r.AskedPrices(), r.AskedPO()
			if said := r.AskedOutcome(); said != "" {
				view.ShownOutcome, view.AskWhat = said, true
			}
			if r.OnlyAsks() {
				view.Message = "Something has changed since you looked at this request. Sign it off once more to confirm it."
			}
		}
	}
	return c.Page(q, page.Status(refused), "shop/approval", fmt.Sprintf("Request %d", id), "approvals", view)
}

// Approve signs a request off: fields qty_<line number>, where none means all
// of it, po_no, requested_date, shown, and what the refusal before asked about:
// confirm_prices, confirm_po, shown_outcome.
func (c *Counter) Approve(q *page.Request) error {
	id, err := signOffID(q)
	if err != nil {
		return err
	}
	var in portal.SignOffDecision
	if err := q.Decode(&in); err != nil {
		return err
	}
	typed := approvalTyped{PONo: in.PONo, RequestedDate: in.RequestedDate, qtys: map[int]string{}}
	in.Qtys, err = typed.read(q)
	var orderNo string
	if err == nil {
		if in, err = c.asRequested(q, id, in); err != nil {
			return err
		}
		orderNo, err = c.SignOffs.ApproveSignOff(q.Context(), q.Who, id, in)
	}
	switch {
	case err == nil && page.WantsJSON(q.Request):
		return page.WriteJSON(q.W, http.StatusOK, map[string]string{"order_no": orderNo})
	case err == nil:
		return q.Done("/orders/"+portal.InAddress(orderNo), "Signed off: order "+orderNo+" sent")
	case page.ShownOnPage(q, err):
		return c.approvalPage(q, approvalPage{Typed: typed, Failed: "approve"}, err)
	}
	return err
}

// asRequested fills in the PO number and the date of a form that has no such
// fields: a program that signs off what was asked for.
func (c *Counter) asRequested(q *page.Request, id portal.SignOffID,
	in portal.SignOffDecision) (portal.SignOffDecision, error) {
	if q.PostForm.Has("po_no") && q.PostForm.Has("requested_date") {
		return in, nil
	}
	request, err := c.SignOffs.SignOff(q.Context(), q.Who, id)
	if err != nil {
		return in, err
	}
	if !q.PostForm.Has("po_no") && request.PONo != nil {
		in.PONo = *request.PONo
	}
	if !q.PostForm.Has("requested_date") && request.RequestedDate != nil {
		in.RequestedDate = request.RequestedDate.Format(time.DateOnly)
	}
	return in, nil
}

// read reads the quantities of the form.
func (t *approvalTyped) read(q *page.Request) (map[int]portal.Qty, error) {
	qtys := map[int]portal.Qty{}
	refused := &portal.Error{Code: portal.CodeInvalid}
	for name, values := range q.PostForm {
		number, isQty := strings.CutPrefix(name, "qty_")
		line, err := strconv.Atoi(number)
		if !isQty || err != nil || line < 1 || line > 1_000_000 {
			continue
		}
		text := strings.TrimSpace(values[0])
		t.qtys[line] = text
		qty, problem := page.LineQty(text, "0 to take it out")
		if problem != "" {
			refused.Fields = append(refused.Fields,
				portal.FieldError{Field: "qty", Line: line, Message: fmt.Sprintf("Line %d: %s", line, problem)})
			continue
		}
		qtys[line] = qty
	}
	if len(refused.Fields) == 0 {
		return qtys, nil
	}
	slices.SortFunc(refused.Fields, func(a, b portal.FieldError) int { return a.Line - b.Line })
	refused.Message = refused.Fields[0].Message
	return nil, refused
}

// RejectApproval refuses a request: field reason, which the requester reads.
func (c *Counter) RejectApproval(q *page.Request) error {
	id, err := signOffID(q)
	if err != nil {
		return err
	}
	var in struct {
		Reason string `form:"reason"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	if len(in.Reason) > 1000 {
		err = portal.Invalid("reason", "Say it in 1,000 letters.")
	} else {
		err = c.SignOffs.RejectSignOff(q.Context(), q.Who, id, in.Reason)
	}
	switch {
	case err == nil:
		return q.Done("/approvals", "Rejected. Your colleague reads why.")
	case page.ShownOnPage(q, err):
		return c.approvalPage(q, approvalPage{Typed: approvalTyped{Reason: in.Reason}, Failed: "reject"}, err)
	}
	return err
}

// TakeBackApproval is the requester's: the lines go back into the cart.
func (c *Counter) TakeBackApproval(q *page.Request) error {
	id, err := signOffID(q)
	if err != nil {
		return err
	}
	err = c.SignOffs.TakeBackSignOff(q.Context(), q.Who, id)
	switch {
	case err == nil:
		return q.Done("/cart", "Taken back: the lines are in your cart")
	case page.ShownOnPage(q, err):
		return c.approvalPage(q, approvalPage{}, err)
	}
	return err
}
