package desk

import (
	"net/http"
	"strconv"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// waitingPage is what was entered and waits for a second person.
type waitingPage struct {
	page.FormErrors
	portal.HeldEntries
	Me     portal.LoginID `json:"-"`
	Failed portal.EntryID `json:"-"` // whose form was refused
	Reason string         `json:"-"` // as typed there
}

// ReasonOf is what was typed at an entry.
func (p waitingPage) ReasonOf(e portal.HeldEntry) string {
	if e.ID == p.Failed {
		return p.Reason
	}
	return ""
}

// ErrorOf is why an entry's form was refused.
func (p waitingPage) ErrorOf(e portal.HeldEntry, field string) string {
	if e.ID == p.Failed {
		return p.Error(field)
	}
	return ""
}

// entryLink is the page of the document that an entry became.
func entryLink(e portal.HeldEntry) string {
	switch {
	case e.DocNo == "":
		return ""
	case e.Kind == portal.EntryPayment:
		return page.DeskPath("payments", e.DocNo)
	case e.Kind == portal.EntryRelease:
		return page.DeskPath("orders", e.DocNo)
	}
	return page.DeskPath("customers", e.CustomerNo) + "/account"
}

func entryID(q *page.Request) (portal.EntryID, error) {
	id, err := strconv.ParseInt(q.Param("entry_id"), 10, 64)
	if err != nil {
		return 0, portal.Errorf(portal.CodeNotFound, "There is no such entry.")
	}
	return portal.EntryID(id), nil
}

// ListWaiting shows what waits for a second person, and what became of the last.
func (c *Counter) ListWaiting(q *page.Request) error {
	return c.waitingPage(q, waitingPage{}, nil)
}

func (c *Counter) waitingPage(q *page.Request, view waitingPage, refused error) (err error) {
	if view.HeldEntries, err = c.Held.Held(q.Context(), q.Who); err != nil {
		return err
	}
	view.FormErrors, view.Me = page.FormErrorsOf(refused), q.Who.LoginID
	return c.Page(q, page.Status(refused), "desk/waiting", "Waiting for a second person", "money", view)
}

// ApproveEntry posts what somebody else entered.
func (c *Counter) ApproveEntry(q *page.Request) error {
	id, err := entryID(q)
	if err != nil {
		return err
	}
	docNo, err := c.Held.Approve(q.Context(), q.Who, id)
	switch {
	case err == nil && page.WantsJSON(q.Request):
		return page.WriteJSON(q.W, http.StatusOK, map[string]any{"ok": true, "doc_no": docNo})
	case err == nil:
		return q.Done("/desk/waiting", "Approved: "+docNo)
	case page.ShownOnPage(q, err):
		return c.waitingPage(q, waitingPage{Failed: id}, err)
	}
	return err
}

// RejectEntry leaves it unposted.
func (c *Counter) RejectEntry(q *page.Request) error {
	var in struct {
		Reason string `form:"reason"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	id, err := entryID(q)
	if err != nil {
		return err
	}
	err = c.Held.Reject(q.Context(), q.Who, id, in.Reason)
	switch {
	case err == nil:
		return q.Done("/desk/waiting", "Rejected. Nothing was posted.")
	case page.ShownOnPage(q, err):
		return c.waitingPage(q, waitingPage{Failed: id, Reason: in.Reason}, err)
	}
	return err
}
