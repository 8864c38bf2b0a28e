package http

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"portal.example/portal"
)

// peoplePage is the log-ins of a customer, as its approvers or staff see them,
// with the form that invites one more.
type peoplePage struct {
	People []portal.Person `json:"people"`
	formErrors
	Base       string            `json:"-"` // where the list is
	CustomerNo string            `json:"customer_no"`
	Manages    bool              `json:"may_change"` // who asks changes the list
	Me         portal.LoginID    `json:"-"`
	Typed      portal.PersonEdit `json:"-"`
	Link       string            `json:"link,omitempty"` // of who was invited just now: shown once
	LinkFor    string            `json:"link_for,omitempty"`
}

// personPage is one of them, to be changed.
type personPage struct {
	portal.Person
	formErrors
	Base    string            `json:"-"`
	Manages bool              `json:"may_change"`
	Typed   portal.PersonEdit `json:"-"`
	Link    string            `json:"link,omitempty"`
	LinkFor string            `json:"link_for,omitempty"`
}

// roleOptions are the choices of what a person may do.
func roleOptions() []option {
	return []option{
		{string(portal.CustomerBuyer), "Buyer: orders"},
		{string(portal.CustomerApprover), "Approver: orders, signs off, manages people"},
		{string(portal.CustomerAccounts), "Accounts: invoices and account, no ordering"},
		{string(portal.CustomerView), "View: looks only"},
	}
}

func periodOptions() []option {
	return []option{{"order", "an order"}, {"day", "a day"}, {"week", "a week (from Monday)"}, {"month", "a month"}}
}

// RoleOptions and PeriodOptions are the choices of the form.
func (peoplePage) RoleOptions() []option { return roleOptions() }

// PeriodOptions is described at RoleOptions.
func (peoplePage) PeriodOptions() []option { return periodOptions() }

// RoleOptions and PeriodOptions are the choices of the form.
func (personPage) RoleOptions() []option { return roleOptions() }

// PeriodOptions is described at RoleOptions.
func (personPage) PeriodOptions() []option { return periodOptions() }

// roleWord is how a role is called in a list.
func roleWord(r portal.CustomerRole) string {
	return map[portal.CustomerRole]string{portal.CustomerBuyer: "Buyer", portal.CustomerApprover: "Approver",
		portal.CustomerAccounts: "Accounts", portal.CustomerView: "View only"}[r]
}

// limitWords is what a person may order without a signature.
func limitWords(p portal.Person) string {
	switch {
	case p.Role == portal.CustomerAccounts || p.Role == portal.CustomerView:
		return dash
	case p.SignOffAll:
		return "every order is signed off"
	case p.SpendLimit == nil:
		return "no limit"
	}
	return formatMoney(p.SpendLimit.Decimal) + " " + map[string]string{"order": "an order", "day": "a day", "week": "a week", "month": "a month"}[p.SpendPeriod]
}

// peopleBase is the list's address: the customer's own, or at the desk.
func peopleBase(q *request) string {
	if q.who.Staff() {
		return deskPath("customers", q.param("customer_no")) + "/people"
	}
	return "/people"
}

func (q *request) peopleActive() string {
	if q.who.Staff() {
		return "customers"
	}
	return "people"
}

func (q *request) loginID() (portal.LoginID, error) {
	id, err := strconv.ParseInt(q.param("login_id"), 10, 64)
	if err != nil {
		return 0, portal.Errorf(portal.CodeNotFound, "There is no such log-in.")
	}
	return portal.LoginID(id), nil
}

func (s *Server) people(q *request) error {
	return s.peoplePage(q, http.StatusOK, peoplePage{Typed: portal.PersonEdit{Role: string(portal.CustomerBuyer), SpendPeriod: "order"}})
}

// manages reports whether who asks may change one of the people listed: staff,
// and an approver without a limit.
func manages(q *request, people []portal.Person) bool {
	if q.who.Staff() {
		return true
	}
	for _, p := range people {
		if p.ID == q.who.LoginID {
			return p.Role == portal.CustomerApprover && p.SpendLimit == nil && !p.SignOffAll
		}
	}
	return false
}

func (s *Server) peoplePage(q *request, status int, page peoplePage) error {
	people, err := s.People.People(q.Context(), q.who, q.param("customer_no"))
	if err != nil {
		return err
	}
	page.People, page.Base, page.Manages = people, peopleBase(q), manages(q, people)
	page.CustomerNo = q.param("customer_no")
	if page.CustomerNo == "" {
		page.CustomerNo = q.who.CustomerNo
	}
	if !q.who.Staff() {
		page.Me = q.who.LoginID
	}
	return s.page(q, status, "people", "People", q.peopleActive(), page)
}

// invite makes a log-in and shows the link that sets its password, once: the
// portal keeps no copy of it.
func (s *Server) invite(q *request) error {
	var in portal.PersonEdit
	if err := q.decode(&in); err != nil {
		return err
	}
	made, err := s.People.Invite(q.Context(), q.who, q.param("customer_no"), in)
	switch {
	case shownOnPage(q, err):
		return s.peoplePage(q, status(err), peoplePage{formErrors: formErrorsOf(err), Typed: in})
	case err != nil:
		return err
	case wantsJSON(q.Request):
		return writeJSON(q.w, http.StatusOK, map[string]any{"login_id": made.LoginID, "link": s.inviteLink(q, made.Token)})
	}
	return s.peoplePage(q, http.StatusOK, peoplePage{Link: s.inviteLink(q, made.Token), LinkFor: in.Email,
		Typed: portal.PersonEdit{Role: string(portal.CustomerBuyer), SpendPeriod: "order"}})
}

// inviteLink is the address to hand over. The token stands behind the question
// mark, where our log does not look.
func (s *Server) inviteLink(q *request, token string) string {
	scheme := "https"
	if s.PlainHTTP {
		scheme = "http"
	}
	return scheme + "://" + q.Host + "/invite?token=" + url.QueryEscape(token)
}

func (s *Server) person(q *request) error { return s.personPage(q, http.StatusOK, personPage{}, nil) }

// personPage shows a person; after a refused form with what was typed.
func (s *Server) personPage(q *request, status int, page personPage, typed *portal.PersonEdit) error {
	id, err := q.loginID()
	if err != nil {
		return err
	}
	people, err := s.People.People(q.Context(), q.who, q.param("customer_no"))
	if err != nil {
		return err
	}
	for _, p := range people {
		if p.ID != id {
			continue
		}
		page.Person, page.Base, page.Typed = p, peopleBase(q), p.Typed()
		page.Manages = manages(q, people) && (q.who.Staff() || id != q.who.LoginID)
		if typed != nil {
			page.Typed = *typed
		}
		if page.Link != "" {
			page.LinkFor = p.Email
		}
		return s.page(q, status, "person", p.Title(), q.peopleActive(), page)
	}
	return portal.Errorf(portal.CodeNotFound, "There is no such log-in.")
}

func (s *Server) savePerson(q *request) error {
	var in portal.PersonEdit
	if err := q.decode(&in); err != nil {
		return err
	}
	id, err := q.loginID()
	if err != nil {
		return err
	}
	err = s.People.SavePerson(q.Context(), q.who, q.param("customer_no"), id, in)
	in.Shown = stillShown(err, in.Shown)
	switch {
	case err == nil:
		return q.done(peopleBase(q), "Saved. Their open pages follow at once.")
	case shownOnPage(q, err):
		return s.personPage(q, status(err), personPage{formErrors: formErrorsOf(err)}, &in)
	}
	return err
}

// disablePerson closes a log-in, or with disabled=false opens it again.
func (s *Server) disablePerson(q *request) error {
	var in struct {
		Disabled string `form:"disabled"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	id, err := q.loginID()
	if err != nil {
		return err
	}
	off := in.Disabled != "false"
	err = s.People.DisablePerson(q.Context(), q.who, q.param("customer_no"), id, off)
	switch {
	case err == nil && off:
		return q.done(peopleBase(q), "Log-in closed. Its sessions have ended.")
	case err == nil:
		return q.done(peopleBase(q), "Log-in open again")
	case shownOnPage(q, err):
		return s.personPage(q, status(err), personPage{formErrors: formErrorsOf(err)}, nil)
	}
	return err
}

// renewInvitation shows a new link, once.
func (s *Server) renewInvitation(q *request) error {
	id, err := q.loginID()
	if err != nil {
		return err
	}
	made, err := s.People.RenewInvitation(q.Context(), q.who, q.param("customer_no"), id)
	switch {
	case shownOnPage(q, err):
		return s.personPage(q, status(err), personPage{formErrors: formErrorsOf(err)}, nil)
	case err != nil:
		return err
	case wantsJSON(q.Request):
		return writeJSON(q.w, http.StatusOK, map[string]any{"login_id": made.LoginID, "link": s.inviteLink(q, made.Token)})
	}
	return s.personPage(q, http.StatusOK, personPage{Link: s.inviteLink(q, made.Token)}, nil)
}

// invitePage is where somebody who was invited sets a password.
type invitePage struct {
	formErrors
	Email string `json:"email"`
	Token string `json:"-"`
}

func (s *Server) inviteForm(q *request) error {
	token := q.URL.Query().Get("token")
	email, err := s.People.Invited(q.Context(), token)
	if err != nil {
		return err
	}
	return s.plainPage(q, http.StatusOK, "invite", "Welcome", invitePage{Email: email, Token: token})
}

// acceptInvite sets the password and logs in with it.
func (s *Server) acceptInvite(q *request) error {
	var in struct {
		Token string `form:"token"`
		New   string `form:"new_password"`
		Again string `form:"repeat_password"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	email, err := s.People.Invited(q.Context(), in.Token)
	if err == nil && in.Again != "" && in.Again != in.New {
		err = portal.Invalid("repeat_password", "The two passwords differ.")
	}
	if err == nil {
		_, err = s.People.AcceptInvitation(q.Context(), in.Token, in.New)
	}
	switch {
	case shownOnPage(q, err):
		return s.plainPage(q, status(err), "invite", "Welcome", invitePage{formErrors: formErrorsOf(err), Email: email, Token: in.Token})
	case err != nil:
		return err
	}
	token, _, err := s.Sessions.LogIn(q.Context(), email, in.New, s.source(q.Request), q.UserAgent())
	if err != nil { // the portal was closed to the customer meanwhile
		return err
	}
	s.setCookie(q.w, token, 30*24*3600)
	return q.done("/", "Welcome. Your password is set.")
}

// personState says whether a person can log in, as the lists show it.
func personState(p portal.Person, now time.Time) string {
	switch {
	case p.Disabled:
		return "INACTIVE"
	case p.InvitedTill != nil && p.InvitedTill.Before(now):
		return "LINK ENDED"
	case p.InvitedTill != nil:
		return "INVITED"
	}
	return "ACTIVE"
}
