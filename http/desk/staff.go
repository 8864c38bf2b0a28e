package desk

import (
	"net/http"
	"strconv"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// staffPage is the distributor's own people, with the form that invites one more.
type staffPage struct {
	page.FormErrors
	People  []portal.StaffMember `json:"staff"`
	Words   []portal.DutyHelp    `json:"duties"`
	Me      portal.LoginID       `json:"-"`
	Typed   portal.StaffEdit     `json:"-"`
	Link    string               `json:"link,omitempty"` // of who was invited just now: shown once
	LinkFor string               `json:"link_for,omitempty"`
}

// staffMemberPage is one of them, to be changed.
type staffMemberPage struct {
	page.FormErrors
	portal.StaffMember
	Words   []portal.DutyHelp `json:"-"`
	Own     bool              `json:"own"` // who looks at it is this person
	Typed   portal.StaffEdit  `json:"-"`
	Link    string            `json:"link,omitempty"`
	LinkFor string            `json:"link_for,omitempty"`
}

// dutyField is one of the duties' checkboxes.
type dutyField struct {
	portal.DutyHelp
	On    bool
	Error string
}

func dutyFields(words []portal.DutyHelp, typed portal.StaffEdit, e page.FormErrors) []dutyField {
	out := make([]dutyField, len(words))
	for i, w := range words {
		out[i] = dutyField{w, typed.Has(w.Code), e.Error(string(w.Code))}
	}
	return out
}

// DutyFields are the checkboxes of the form.
func (p staffPage) DutyFields() []dutyField { return dutyFields(p.Words, p.Typed, p.FormErrors) }

// DutyFields is described at staffPage.
func (p staffMemberPage) DutyFields() []dutyField { return dutyFields(p.Words, p.Typed, p.FormErrors) }

// staffTyped reads the form: each duty is a checkbox by its code.
func staffTyped(q *page.Request) (portal.StaffEdit, error) {
	var in struct {
		Email string `form:"email"`
		Name  string `form:"name"`
		Shown string `form:"shown"`
	}
	if err := q.Decode(&in); err != nil {
		return portal.StaffEdit{}, err
	}
	edit := portal.StaffEdit{Email: in.Email, Name: in.Name, Shown: in.Shown}
	for _, d := range portal.Duties {
		if on := q.PostForm.Get(string(d)); on != "" && on != "false" {
			edit.Duties = append(edit.Duties, d)
		}
	}
	return edit, nil
}

func staffID(q *page.Request) (portal.LoginID, error) {
	id, err := strconv.ParseInt(q.Param("login_id"), 10, 64)
	if err != nil {
		return 0, portal.Errorf(portal.CodeNotFound, "There is no such log-in of staff.")
	}
	return portal.LoginID(id), nil
}

// ListStaff shows who works here and may do what.
func (c *Counter) ListStaff(q *page.Request) error {
	return c.staffPage(q, http.StatusOK, staffPage{})
}

func (c *Counter) staffPage(q *page.Request, status int, view staffPage) (err error) {
	if view.People, err = c.Staffing.Staff(q.Context(), q.Who); err != nil {
		return err
	}
	if view.Words, err = c.Staffing.DutyWords(q.Context(), q.Who); err != nil {
		return err
	}
	view.Me = q.Who.LoginID
	return c.Page(q, status, "desk/staff", "Staff", "staff", view)
}

// InviteStaff makes a log-in and shows the link that sets its password, once.
func (c *Counter) InviteStaff(q *page.Request) error {
	in, err := staffTyped(q)
	if err != nil {
		return err
	}
	made, err := c.Staffing.Invite(q.Context(), q.Who, in)
	switch {
	case page.ShownOnPage(q, err):
		return c.staffPage(q, page.Status(err), staffPage{FormErrors: page.FormErrorsOf(err), Typed: in})
	case err != nil:
		return err
	case page.WantsJSON(q.Request):
		return page.WriteJSON(q.W, http.StatusOK, map[string]any{"login_id": made.LoginID, "link": c.InviteLink(made.Token)})
	}
	return c.staffPage(q, http.StatusOK, staffPage{Link: c.InviteLink(made.Token), LinkFor: in.Email})
}

// ShowStaff shows one of them.
func (c *Counter) ShowStaff(q *page.Request) error {
	return c.staffMemberPage(q, staffMemberPage{}, nil, nil)
}

// staffMemberPage shows a person; after a refused form with what was typed and why.
func (c *Counter) staffMemberPage(q *page.Request, view staffMemberPage, typed *portal.StaffEdit, refused error) error {
	id, err := staffID(q)
	if err != nil {
		return err
	}
	people, err := c.Staffing.Staff(q.Context(), q.Who)
	if err != nil {
		return err
	}
	if view.Words, err = c.Staffing.DutyWords(q.Context(), q.Who); err != nil {
		return err
	}
	for _, m := range people {
		if m.ID != id {
			continue
		}
		view.StaffMember, view.Own = m, id == q.Who.LoginID
		view.Typed, view.FormErrors = m.Typed(), page.FormErrorsOf(refused)
		if typed != nil {
			view.Typed = *typed
		}
		if view.Link != "" {
			view.LinkFor = m.Email
		}
		return c.Page(q, page.Status(refused), "desk/staff_member", m.Title(), "staff", view)
	}
	return portal.Errorf(portal.CodeNotFound, "There is no such log-in of staff.")
}

// SaveStaff sets somebody's name and duties.
func (c *Counter) SaveStaff(q *page.Request) error {
	in, err := staffTyped(q)
	if err != nil {
		return err
	}
	id, err := staffID(q)
	if err != nil {
		return err
	}
	err = c.Staffing.Save(q.Context(), q.Who, id, in)
	in.Shown = page.StillShown(err, in.Shown)
	switch {
	case err == nil:
		return q.Done("/desk/staff", "Saved. What they may do has changed at once.")
	case page.ShownOnPage(q, err):
		return c.staffMemberPage(q, staffMemberPage{}, &in, err)
	}
	return err
}

// DisableStaff closes a log-in, or with disabled=false opens it again.
func (c *Counter) DisableStaff(q *page.Request) error {
	var in struct {
		Disabled string `form:"disabled"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	off := in.Disabled != "false"
	return c.staffDone(q, func(id portal.LoginID) (string, error) {
		words := "Log-in open again"
		if off {
			words = "Log-in closed. Its sessions have ended."
		}
		return words, c.Staffing.Disable(q.Context(), q.Who, id, off)
	})
}

// EndStaffSessions logs somebody out everywhere.
func (c *Counter) EndStaffSessions(q *page.Request) error {
	return c.staffDone(q, func(id portal.LoginID) (string, error) {
		n, err := c.Staffing.EndSessions(q.Context(), q.Who, id)
		return page.Plural(n, "session has ended", "sessions have ended"), err
	})
}

// ResetStaffFactors takes somebody's second factors away.
func (c *Counter) ResetStaffFactors(q *page.Request) error {
	return c.staffDone(q, func(id portal.LoginID) (string, error) {
		n, err := c.Staffing.ResetFactors(q.Context(), q.Who, id)
		return page.Plural(n, "second factor was", "second factors were") + " taken away. All sessions have ended.", err
	})
}

// staffDone answers a form on somebody's page that does one thing.
func (c *Counter) staffDone(q *page.Request, do func(portal.LoginID) (string, error)) error {
	id, err := staffID(q)
	if err != nil {
		return err
	}
	words, err := do(id)
	switch {
	case err == nil:
		return q.Done(page.DeskPath("staff", strconv.FormatInt(int64(id), 10)), words)
	case page.ShownOnPage(q, err):
		return c.staffMemberPage(q, staffMemberPage{}, nil, err)
	}
	return err
}

// RenewStaffLink shows a new link, once.
func (c *Counter) RenewStaffLink(q *page.Request) error {
	id, err := staffID(q)
	if err != nil {
		return err
	}
	made, err := c.Staffing.RenewLink(q.Context(), q.Who, id)
	switch {
	case page.ShownOnPage(q, err):
		return c.staffMemberPage(q, staffMemberPage{}, nil, err)
	case err != nil:
		return err
	case page.WantsJSON(q.Request):
		return page.WriteJSON(q.W, http.StatusOK, map[string]any{"login_id": made.LoginID, "link": c.InviteLink(made.Token)})
	}
	return c.staffMemberPage(q, staffMemberPage{Link: c.InviteLink(made.Token)}, nil, nil)
}
