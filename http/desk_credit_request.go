package http

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"portal.example/portal"
)

// deskCreditsPage is the staff's list of requests with what narrows it.
type deskCreditsPage struct {
	portal.DeskCreditRequests
	Status string `json:"status"`
	Query  string `json:"query"`
}

// Pills are the statuses to choose from, with how many open ones each has.
func (p deskCreditsPage) Pills() []pill {
	todo := 0
	for _, n := range p.Counts {
		todo += n
	}
	out := []pill{p.pill("", "To do", todo)}
	if p.Query != "" {
		out[0] = p.pill("", "Found", 0)
	}
	for _, status := range creditStatuses {
		out = append(out, p.pill(string(status), statusLook(status).word, p.Counts[string(status)]))
	}
	return append(out, p.pill("all", "All", 0))
}

func (p deskCreditsPage) pill(status, label string, count int) pill {
	return pill{Label: label, Count: count, Current: p.Status == status, Link: listLink("/desk/returns", "status", status, "q", p.Query)}
}

// NextLink is the next page's address, or "".
func (p deskCreditsPage) NextLink() string {
	if p.Next == "" {
		return ""
	}
	return listLink("/desk/returns", "status", p.Status, "q", p.Query, "before", p.Next)
}

// Waiting is how long an open request has waited; "" for one that does not.
func (p deskCreditsPage) Waiting(r portal.DeskCreditRequest) string {
	if !r.Open() {
		return ""
	}
	return waited(p.Now.Sub(r.RequestedAt))
}

// Waited is the same in seconds, from which an open page counts on.
func (p deskCreditsPage) Waited(r portal.DeskCreditRequest) int {
	return int(p.Now.Sub(r.RequestedAt).Seconds())
}

func (s *Server) deskCredits(q *request) error {
	f := creditFilter(q.Request)
	f.Query = deskSearch(q)
	list, err := s.Desk.DeskCreditRequests(q.Context(), q.who, f)
	if err != nil {
		return err
	}
	return s.page(q, http.StatusOK, "desk_credits", "Returns", "returns", deskCreditsPage{DeskCreditRequests: list, Status: f.Status, Query: f.Query})
}

// deskCreditPage is one request with what can be done about it now.
type deskCreditPage struct {
	portal.DeskCreditRequestDetail
	formErrors
	Timeline []creditStep    `json:"timeline"`
	Typed    deskCreditTyped `json:"-"`
	Failed   string          `json:"-"` // the form that was refused: decide, reject, receive, credit, or none
}

// deskCreditTyped is what stands in the page's forms.
type deskCreditTyped struct {
	Reason, MemoNo string
	qtys           map[int]string
	notes          map[int]string
}

// May reports whether the request may go to a status now.
func (p deskCreditPage) May(to portal.CreditRequestStatus) bool { return slices.Contains(p.Moves, to) }

// MayReview reports whether the request can be taken into review, or again.
func (p deskCreditPage) MayReview() bool { return p.May(portal.CreditInReview) }

// MayReject reports whether it can be rejected.
func (p deskCreditPage) MayReject() bool { return p.May(portal.CreditRejected) }

// MayCredit reports whether its credit memo can be issued.
func (p deskCreditPage) MayCredit() bool { return p.May(portal.CreditCredited) }

// MayReceive reports whether its goods are waited for.
func (p deskCreditPage) MayReceive() bool {
	return p.Status == portal.CreditAwaitingGoods && p.GoodsAt == nil
}

// QtyOf is what stands in the quantity box of a line: what was typed, else all.
func (p deskCreditPage) QtyOf(l portal.CreditRequestLine) string {
	if typed, ok := p.Typed.qtys[l.LineNo]; ok {
		return typed
	}
	if l.Approved != nil {
		return l.Approved.Typed()
	}
	return l.Qty.Typed()
}

// NoteOf is what stands in the box that says why fewer.
func (p deskCreditPage) NoteOf(line int) string { return p.Typed.notes[line] }

// ErrorIn is the message at a field of one of the page's forms, or "".
func (p deskCreditPage) ErrorIn(form, field string) string {
	if p.Failed != form {
		return ""
	}
	return p.Error(field)
}

func (s *Server) deskCredit(q *request) error { return s.deskCreditPage(q, deskCreditTyped{}, "", nil) }

func (s *Server) deskCreditPage(q *request, typed deskCreditTyped, failed string, refused error) error {
	r, err := s.Desk.DeskCreditRequest(q.Context(), q.who, q.param("request_no"))
	if err != nil {
		return err
	}
	code := http.StatusOK
	if refused != nil {
		code = status(refused)
	}
	return s.page(q, code, "desk_credit", "Return "+r.RequestNo, "returns", deskCreditPage{DeskCreditRequestDetail: r,
		formErrors: formErrorsOf(refused), Timeline: creditTimeline(r.CreditRequestDetail), Typed: typed, Failed: failed})
}

// deskCreditDone answers a form of the page.
func (s *Server) deskCreditDone(q *request, err error, toast string, typed deskCreditTyped, form string) error {
	switch {
	case err == nil:
		return q.done(deskPath("returns", q.param("request_no")), toast)
	case shownOnPage(q, err):
		return s.deskCreditPage(q, typed, form, err)
	}
	return err
}

func (s *Server) deskCreditReview(q *request) error {
	if err := q.decode(&struct{}{}); err != nil {
		return err
	}
	no := q.param("request_no")
	return s.deskCreditDone(q, s.Desk.ReviewRequest(q.Context(), q.who, no), no+" is in review", deskCreditTyped{}, "")
}

// deskCreditDecide approves: fields qty_<line>, where none means all of it and 0
// takes the line out, note_<line> why fewer, reason, and from, the status that
// the page showed.
func (s *Server) deskCreditDecide(q *request) error {
	var in struct {
		Reason string `form:"reason"`
		From   string `form:"from"`
		Shown  string `form:"shown"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	d := portal.CreditDecision{Reason: strings.TrimSpace(in.Reason), From: portal.CreditRequestStatus(in.From), Shown: in.Shown, Notes: map[int]string{}}
	typed := deskCreditTyped{Reason: d.Reason, notes: map[int]string{}}
	var err error
	typed.qtys, d.Qtys, _, err = lineQtys(q.PostForm)
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
	no := q.param("request_no")
	var to portal.CreditRequestStatus
	if err == nil {
		to, err = s.Desk.DecideRequest(q.Context(), q.who, no, d)
	}
	return s.deskCreditDone(q, err, fmt.Sprintf("%s: %s", no, statusLook(to).word), typed, "decide")
}

func (s *Server) deskCreditReject(q *request) error {
	var in struct {
		Reason string `form:"reason"`
		Shown  string `form:"shown"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	var err error
	if len(in.Reason) > 1000 {
		err = portal.Invalid("reason", "The reason is too long: 1,000 characters at most.")
	} else {
		err = s.Desk.RejectRequest(q.Context(), q.who, q.param("request_no"), in.Reason, in.Shown)
	}
	return s.deskCreditDone(q, err, q.param("request_no")+" rejected", deskCreditTyped{Reason: in.Reason}, "reject")
}

// deskCreditReceive records the goods: fields qty_<line>, where none means all
// that was approved, and restock_<line> of what goes back on the shelf.
func (s *Server) deskCreditReceive(q *request) error {
	if err := q.decode(&struct{}{}); err != nil {
		return err
	}
	g := portal.GoodsReceipt{Shown: q.PostForm.Get("shown")}
	var typed deskCreditTyped
	var err error
	typed.qtys, g.Qtys, _, err = lineQtys(q.PostForm)
	for name := range q.PostForm {
		number, is := strings.CutPrefix(name, "restock_")
		if line, bad := strconv.Atoi(number); is && bad == nil && line > 0 && line < 1_000_000 {
			g.Restock = append(g.Restock, line)
		}
	}
	if err == nil {
		err = s.Desk.ReceiveGoods(q.Context(), q.who, q.param("request_no"), g)
	}
	return s.deskCreditDone(q, err, "Goods of "+q.param("request_no")+" recorded", typed, "receive")
}

// isDocumentNo matches a number that can stand in an address as it is.
var isDocumentNo = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._-]*$`)

// deskCreditIssue issues the credit memo: field memo_no, empty for the next
// number.
func (s *Server) deskCreditIssue(q *request) error {
	var in struct {
		MemoNo string `form:"memo_no"`
		Shown  string `form:"shown"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	memoNo, err := strings.TrimSpace(in.MemoNo), error(nil)
	switch {
	case len(memoNo) > 40:
		err = portal.Invalid("memo_no", "That number is too long: 40 characters at most.")
	case memoNo != "" && !isDocumentNo.MatchString(memoNo):
		err = portal.Invalid("memo_no", "Write the number with letters, digits, dashes and points, like CM-81.")
	default:
		memoNo, err = s.Desk.IssueMemo(q.Context(), q.who, q.param("request_no"), memoNo, in.Shown)
	}
	if err == nil && wantsJSON(q.Request) {
		return writeJSON(q.w, http.StatusOK, map[string]any{"ok": true, "memo_no": memoNo, "message": "Credit memo " + memoNo + " issued"})
	}
	return s.deskCreditDone(q, err, "Credit memo "+memoNo+" issued", deskCreditTyped{MemoNo: in.MemoNo}, "credit")
}

func (s *Server) deskCreditPhoto(q *request) error {
	return q.servePhoto(func(id portal.PhotoID) (portal.PhotoData, error) {
		return s.Desk.DeskPhoto(q.Context(), q.who, q.param("request_no"), id)
	})
}

// returnRule is a reason's rules in words.
func returnRule(r portal.ReturnReason) string {
	return r.Rule(func(t time.Time) string { return formatDate(t) })
}
