package shop

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// returnsPage is a customer's list of requests with what narrows it.
type returnsPage struct {
	portal.CreditRequests
	Status string        `json:"status"`
	Query  string        `json:"query"`
	Access portal.Access `json:"-"`
}

// ShowsAmounts reports whether what was credited may be read.
func (p returnsPage) ShowsAmounts() bool { return showsCredit(p.Access) }

// showsCredit reports whether the account sees what it was credited.
func showsCredit(a portal.Access) bool { return a.SeeBalance && a.SeePrices }

// Pills are the statuses to choose from.
func (p returnsPage) Pills() []page.Pill {
	out := []page.Pill{p.pill("", "All"), p.pill("open", "Open")}
	for _, status := range CreditStatuses {
		out = append(out, p.pill(string(status), page.StatusLook(status).Word))
	}
	return out
}

func (p returnsPage) pill(status, label string) page.Pill {
	return page.Pill{Label: label, Link: page.ListLink("/returns", "status", status, "q", p.Query),
		Current: p.Status == status}
}

// CreditStatuses are in the order of a request's life.
var CreditStatuses = [...]portal.CreditRequestStatus{portal.CreditRequested, portal.CreditInReview,
	portal.CreditApproved, portal.CreditAwaitingGoods, portal.CreditCredited, portal.CreditRejected,
	portal.CreditWithdrawn}

// NextLink is the next page's address, or "".
func (p returnsPage) NextLink() string {
	if p.Next == "" {
		return ""
	}
	return page.ListLink("/returns", "status", p.Status, "q", p.Query, "before", p.Next)
}

func CreditFilter(r *http.Request) portal.CreditRequestFilter {
	v := r.URL.Query()
	f := portal.CreditRequestFilter{Query: searchText(v.Get("q")), Before: v.Get("before")}
	status := v.Get("status")
	if status == "open" || status == "all" || slices.Contains(CreditStatuses[:], portal.CreditRequestStatus(status)) {
		f.Status = status
	}
	return f
}

func (c *Counter) ListReturns(q *page.Request) error {
	if err := mayInvoices(q); err != nil {
		return err
	}
	f := CreditFilter(q.Request)
	if f.Status == "all" {
		f.Status = ""
	}
	list, err := c.Credits.CreditRequests(q.Context(), q.Who, f)
	if err != nil {
		return err
	}
	return c.Page(q, http.StatusOK, "shop/returns", "Returns", "returns", returnsPage{CreditRequests: list,
		Status: f.Status, Query: f.Query, Access: q.Frame.Access})
}

// CreditStep is one of the steps of a request as its page draws them.
type CreditStep struct {
	Status  portal.CreditRequestStatus `json:"status"`
	Done    bool                       `json:"done"`
	Current bool                       `json:"current"`
	At      *time.Time                 `json:"at,omitempty"`
	Actor   string                     `json:"actor,omitempty"`
	Reason  string                     `json:"reason,omitempty"`
}

// CreditTimeline lays a request's history over the steps of one that goes well.
// A rejection and a withdrawal stand after the last step that was reached.
func CreditTimeline(r portal.CreditRequestDetail) []CreditStep {
	last := map[portal.CreditRequestStatus]portal.CreditStep{}
	for _, h := range r.History {
		last[h.To] = h
	}
	steps := []portal.CreditRequestStatus{portal.CreditRequested, portal.CreditInReview, portal.CreditApproved}
	if _, was := last[portal.CreditAwaitingGoods]; was || r.GoodsReturn && r.Open() {
		steps = append(steps, portal.CreditAwaitingGoods)
	}
	steps = append(steps, portal.CreditCredited)
	reached := slices.Index(steps, r.Status)
	stopped := reached < 0
	if stopped { // where it stood before
		reached = 0
		for _, h := range r.History {
			if h.To == r.Status && h.From != nil {
				reached = max(slices.Index(steps, *h.From), 0)
			}
		}
	}
	var out []CreditStep
	for i, status := range steps {
		step := CreditStep{Status: status, Done: i <= reached, Current: i == reached && !stopped}
		h, ok := last[status]
		if !ok && i < reached {
			continue // passed over
		}
		if stopped && i > reached {
			break
		}
		if ok && step.Done {
			step.At, step.Actor = &h.At, h.Actor
			if h.Reason != nil {
				step.Reason = *h.Reason
			}
			if status == portal.CreditApproved && r.Fewer() {
				step.Reason = strings.TrimSuffix(r.ApprovedWords()+": "+step.Reason, ": ")
			}
		}
		out = append(out, step)
	}
	if stopped {
		h := last[r.Status]
		step := CreditStep{Status: r.Status, Done: true, Current: true, At: &h.At, Actor: h.Actor}
		if r.StatusReason != nil {
			step.Reason = *r.StatusReason
		}
		out = append(out, step)
	}
	return out
}

// returnRequestPage is one request as its customer sees it.
type returnRequestPage struct {
	portal.CreditRequestDetail
	page.FormErrors
	Timeline    []CreditStep  `json:"timeline"`
	MayWithdraw bool          `json:"can_withdraw"`
	Access      portal.Access `json:"-"`
}

// ShowsAmounts reports whether what was credited may be read.
func (p returnRequestPage) ShowsAmounts() bool { return showsCredit(p.Access) }

// MayAddPhotos reports whether photos can be added.
func (p returnRequestPage) MayAddPhotos() bool {
	return p.Undecided() && p.Access.CanReturn && len(p.RequestPhotos) < portal.MaxReturnPhotos
}

// PhotosLeft is how many photos can be added.
func (p returnRequestPage) PhotosLeft() int { return portal.MaxReturnPhotos - len(p.RequestPhotos) }

// ShowReturn serves a request, and under the number "new" the form.
func (c *Counter) ShowReturn(q *page.Request) error {
	if q.IsNew("request_no") {
		return c.returnForm(q)
	}
	return c.returnRequestPage(q, nil)
}

func (c *Counter) returnRequestPage(q *page.Request, refused error) error {
	if err := mayInvoices(q); err != nil {
		return err
	}
	r, err := c.Credits.CreditRequest(q.Context(), q.Who, q.Param("request_no"))
	if err != nil {
		return err
	}
	for i, h := range r.History {
		r.History[i].Actor = c.creditActor(q, h.Actor, h.ByCustomer, h.From == nil)
		if i == 0 {
			r.RequestedBy = r.History[i].Actor
		}
	}
	return c.Page(q, page.Status(refused), "shop/return", "Return "+r.RequestNo,
		"returns", returnRequestPage{CreditRequestDetail: r, FormErrors: page.FormErrorsOf(refused),
			Timeline: CreditTimeline(r), MayWithdraw: r.Undecided(), Access: q.Frame.Access})
}

// creditActor says who did a step in the customer's terms.
func (c *Counter) creditActor(q *page.Request, actor string, byCustomer, first bool) string {
	switch {
	case byCustomer && actor == q.Who.Email && q.Who.Acting == portal.ActingNot:
		return "You"
	case byCustomer:
		return actor // another log-in of theirs
	case first:
		return c.Brand.Name + ", for you"
	}
	return c.Brand.Name
}

func returnPath(requestNo string) string { return "/returns/" + portal.InAddress(requestNo) }

func (c *Counter) WithdrawReturn(q *page.Request) error {
	if err := mayInvoices(q); err != nil {
		return err
	}
	if err := q.Decode(&struct{}{}); err != nil {
		return err
	}
	requestNo := q.Param("request_no")
	err := c.Credits.WithdrawRequest(q.Context(), q.Who, requestNo)
	switch {
	case err == nil:
		return q.Done(returnPath(requestNo), "Request "+requestNo+" withdrawn")
	case page.ShownOnPage(q, err):
		return c.returnRequestPage(q, err)
	}
	return err
}

// AddReturnPhotos adds photos to a request that nobody has decided on.
func (c *Counter) AddReturnPhotos(q *page.Request) error {
	if err := mayReturn(q); err != nil {
		return err
	}
	photos, refused, err := readPhotos(q)
	if err != nil {
		if page.ShownOnPage(q, err) {
			return c.returnRequestPage(q, err)
		}
		return err
	}
	requestNo := q.Param("request_no")
	if len(photos) == 0 && refused == nil {
		refused = portal.Invalid("photos", "Choose a photo first.")
	}
	if len(photos) > 0 {
		err = c.Credits.AddRequestPhotos(q.Context(), q.Who, requestNo, photos)
	}
	if err == nil {
		err = refused
	}
	switch {
	case err == nil:
		return q.Done(returnPath(requestNo), page.Plural(len(photos), "photo", "photos")+" added")
	case page.ShownOnPage(q, err):
		return c.returnRequestPage(q, err)
	}
	return err
}

// ReturnPhoto serves a photo of a request as what it is, and nothing else.
func (c *Counter) ReturnPhoto(q *page.Request) error {
	if err := mayInvoices(q); err != nil {
		return err
	}
	return ServePhoto(q, func(id portal.PhotoID) (portal.PhotoData, error) {
		return c.Credits.Photo(q.Context(), q.Who, q.Param("request_no"), id)
	})
}

func ServePhoto(q *page.Request, read func(portal.PhotoID) (portal.PhotoData, error)) error {
	id, err := strconv.ParseInt(q.Param("photo_id"), 10, 64)
	if err != nil {
		return portal.Errorf(portal.CodeNotFound, "There is no such photo.")
	}
	p, err := read(portal.PhotoID(id))
	if err != nil {
		return err
	}
	h := q.W.Header()
	h.Set("Content-Type", p.MediaType)
	h.Set("Content-Disposition", fmt.Sprintf(`inline; filename="photo-%d.%s"`, id,
		strings.TrimPrefix(p.MediaType, "image/")))
	h.Set("Content-Length", strconv.Itoa(len(p.Data)))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = q.W.Write(p.Data)
	return nil
}
