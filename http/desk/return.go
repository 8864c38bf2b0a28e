package desk

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"portal.example/portal"
	"portal.example/portal/http/page"
	"portal.example/portal/http/shop"
)

// returnsPage is the staff's list of requests with what narrows it.
type returnsPage struct {
	portal.DeskCreditRequests
	Status string `json:"status"`
	Query  string `json:"query"`
}

// Pills are the statuses to choose from, with how many open ones each has.
func (p returnsPage) Pills() []page.Pill {
	todo := 0
	for _, n := range p.Counts {
		todo += n
	}
	out := []page.Pill{p.pill("", "To do", todo)}
	if p.Query != "" {
		out[0] = p.pill("", "Found", 0)
	}
	for _, status := range shop.CreditStatuses {
		out = append(out, p.pill(string(status), page.StatusLook(status).Word, p.Counts[string(status)]))
	}
	return append(out, p.pill("all", "All", 0))
}

func (p returnsPage) pill(status, label string, count int) page.Pill {
	return page.Pill{Label: label, Count: count, Current: p.Status == status,
		Link: page.ListLink("/desk/returns", "status", status, "q", p.Query)}
}

// NextLink is the next page's address, or "".
func (p returnsPage) NextLink() string {
	if p.Next == "" {
		return ""
	}
	return page.ListLink("/desk/returns", "status", p.Status, "q", p.Query, "before", p.Next)
}

// Waiting is how long an open request has waited; "" for one that does not.
func (p returnsPage) Waiting(r portal.DeskCreditRequest) string {
	if !r.Open() {
		return ""
	}
	return waited(p.Now.Sub(r.RequestedAt))
}

// Waited is the same in seconds, from which an open page counts on.
func (p returnsPage) Waited(r portal.DeskCreditRequest) int {
	return int(p.Now.Sub(r.RequestedAt).Seconds())
}

func (c *Counter) ListReturns(q *page.Request) error {
	f := shop.CreditFilter(q.Request)
	f.Query = page.SearchText(q)
	list, err := c.Returns.Requests(q.Context(), q.Who, f)
	if err != nil {
		return err
	}
	return c.Page(q, http.StatusOK, "desk/returns", "Returns",
		"returns", returnsPage{DeskCreditRequests: list, Status: f.Status, Query: f.Query})
}

// returnPage is one request with what can be done about it now.
type returnPage struct {
	portal.DeskCreditRequestDetail
	page.FormErrors
	Timeline []shop.CreditStep `json:"timeline"`
	Typed    returnTyped       `json:"-"`
	Failed   string            `json:"-"` // the form that was refused: decide, reject, receive, credit, or none
}

// returnTyped is what stands in the page's forms.
type returnTyped struct {
	Reason, MemoNo string
	qtys           map[int]string
	notes          map[int]string
}

// May reports whether the request may go to a status now.
func (p returnPage) May(to portal.CreditRequestStatus) bool { return slices.Contains(p.Moves, to) }

// MayReview reports whether the request can be taken into review, or again.
func (p returnPage) MayReview() bool { return p.May(portal.CreditInReview) }

// MayReject reports whether it can be rejected.
func (p returnPage) MayReject() bool { return p.May(portal.CreditRejected) }

// MayCredit reports whether its credit memo can be issued.
func (p returnPage) MayCredit() bool { return p.May(portal.CreditCredited) }

// MayReceive reports whether its goods are waited for.
func (p returnPage) MayReceive() bool {
	return p.Status == portal.CreditAwaitingGoods && p.GoodsAt == nil
}

// QtyOf is what stands in the quantity box of a line: what was typed, else all.
func (p returnPage) QtyOf(l portal.CreditRequestLine) string {
	if typed, ok := p.Typed.qtys[l.LineNo]; ok {
		return typed
	}
	if l.Approved != nil {
		return l.Approved.Typed()
	}
	return l.Qty.Typed()
}

// NoteOf is what stands in the box that says why fewer.
func (p returnPage) NoteOf(line int) string { return p.Typed.notes[line] }

// ErrorIn is the message at a field of one of the page's forms, or "".
func (p returnPage) ErrorIn(form, field string) string {
	if p.Failed != form {
		return ""
	}
	return p.Error(field)
}

func (c *Counter) ShowReturn(q *page.Request) error { return c.returnPage(q, returnTyped{}, "", nil) }

func (c *Counter) returnPage(q *page.Request, typed returnTyped, failed string, refused error) error {
	r, err := c.Returns.Request(q.Context(), q.Who, q.Param("request_no"))
	if err != nil {
		return err
	}
	return c.Page(q, page.Status(refused), "desk/return", "Return "+r.RequestNo,
		"returns", returnPage{DeskCreditRequestDetail: r,
			FormErrors: page.FormErrorsOf(refused), Timeline: shop.CreditTimeline(r.CreditRequestDetail),
			Typed: typed, Failed: failed})
}

// returnDone answers a form of the page.
func (c *Counter) returnDone(q *page.Request, err error, toast string, typed returnTyped, form string) error {
	switch {
	case err == nil:
		return q.Done(page.DeskPath("returns", q.Param("request_no")), toast)
	case page.ShownOnPage(q, err):
		return c.returnPage(q, typed, form, err)
	}
	return err
}

func (c *Counter) ReviewReturn(q *page.Request) error {
	if err := q.Decode(&struct{}{}); err != nil {
		return err
	}
	no := q.Param("request_no")
	return c.returnDone(q, c.Returns.ReviewRequest(q.Context(), q.Who, no), no+" is in review", returnTyped{}, "")
}

// DecideReturn approves: fields qty_<line>, where none means all of it and 0
// takes the line out, note_<line> why fewer, reason, and from, the status that
// the page showed.
func (c *Counter) DecideReturn(q *page.Request) error {
	var in struct {
		Reason string `form:"reason"`
		From   string `form:"from"`
		Shown  string `form:"shown"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	d := portal.CreditDecision{Reason: strings.TrimSpace(in.Reason), From: portal.CreditRequestStatus(in.From),
		Shown: in.Shown, Notes: map[int]string{}}
	typed := returnTyped{Reason: d.Reason, notes: map[int]string{}}
	var err error
	typed.qtys, d.Qtys, _, err = page.LineQtys(q.PostForm)
	for name, values := range q.PostForm {
		number, is := strings.CutPrefix(name, "note_")
		if line, bad := strconv.Atoi(number); is && bad == nil {
			typed.notes[line] = strings.TrimSpace(values[0])
			d.Notes[line] = typed.notes[line]
			if len(values[0]) > 300 && err == nil {
				err = portal.Invalid("reason", "The reason is too long: 300 characters at most.")
			}
		}
	}
	if err == nil && len(d.Reason) > 300 {
		err = portal.Invalid("reason", "The reason is too long: 300 characters at most.")
	}
	no := q.Param("request_no")
	var to portal.CreditRequestStatus
	if err == nil {
		to, err = c.Returns.DecideRequest(q.Context(), q.Who, no, d)
	}
	return c.returnDone(q, err, fmt.Sprintf("%s: %s", no, page.StatusLook(to).Word), typed, "decide")
}

func (c *Counter) RejectReturn(q *page.Request) error {
	var in struct {
		Reason string `form:"reason"`
		Shown  string `form:"shown"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	var err error
	if len(in.Reason) > 1000 {
		err = portal.Invalid("reason", "The reason is too long: 1,000 characters at most.")
	} else {
		err = c.Returns.RejectRequest(q.Context(), q.Who, q.Param("request_no"), in.Reason, in.Shown)
	}
	return c.returnDone(q, err, q.Param("request_no")+" rejected", returnTyped{Reason: in.Reason}, "reject")
}

// ReceiveReturn records the goods: fields qty_<line>, where none means all
// that was approved, and restock_<line> of what goes back on the shelf.
func (c *Counter) ReceiveReturn(q *page.Request) error {
	if err := q.Decode(&struct{}{}); err != nil {
		return err
	}
	g := portal.GoodsReceipt{Shown: q.PostForm.Get("shown")}
	var typed returnTyped
	var err error
	typed.qtys, g.Qtys, _, err = page.LineQtys(q.PostForm)
	for name := range q.PostForm {
		number, is := strings.CutPrefix(name, "restock_")
		if line, bad := strconv.Atoi(number); is && bad == nil && line > 0 && line < 1_000_000 {
			g.Restock = append(g.Restock, line)
		}
	}
	if err == nil {
		err = c.Returns.ReceiveGoods(q.Context(), q.Who, q.Param("request_no"), g)
	}
	return c.returnDone(q, err, "Goods of "+q.Param("request_no")+" recorded", typed, "receive")
}

// isDocumentNo matches a number that can stand in an address as it is.
var isDocumentNo = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._-]*$`)

// CreditReturn issues the credit memo: field memo_no, empty for the next
// number.
func (c *Counter) CreditReturn(q *page.Request) error {
	var in struct {
		MemoNo string `form:"memo_no"`
		Shown  string `form:"shown"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	memoNo := strings.TrimSpace(in.MemoNo)
	var err error
	switch {
	case len(memoNo) > 40:
		err = portal.Invalid("memo_no", "That number is too long: 40 characters at most.")
	case memoNo != "" && !isDocumentNo.MatchString(memoNo):
		err = portal.Invalid("memo_no", "Write the number with letters, digits, dashes and points, like CM-81.")
	default:
		memoNo, err = c.Returns.IssueMemo(q.Context(), q.Who, q.Param("request_no"), memoNo, in.Shown)
	}
	if err == nil && page.WantsJSON(q.Request) {
		return page.WriteJSON(q.W, http.StatusOK,
			map[string]any{"ok": true, "memo_no": memoNo, "message": "Credit memo " + memoNo + " issued"})
	}
	return c.returnDone(q, err, "Credit memo "+memoNo+" issued", returnTyped{MemoNo: in.MemoNo}, "credit")
}

func (c *Counter) ReturnPhoto(q *page.Request) error {
	return shop.ServePhoto(q, func(id portal.PhotoID) (portal.PhotoData, error) {
		return c.Returns.Photo(q.Context(), q.Who, q.Param("request_no"), id)
	})
}
