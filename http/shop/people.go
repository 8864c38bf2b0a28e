package shop

import (
	"net/http"
	"strconv"
	"time"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// invitedPart says that somebody was invited just now. Link is for staff only, once: who of a customer
// opened it would learn whether the address has a log-in elsewhere, or could set a stranger's password.
type invitedPart struct {
	LinkFor string `json:"link_for,omitempty"` // the e-mail
	Link    string `json:"link,omitempty"`
}

// peoplePage is the log-ins of a customer, as its approvers or staff see them,
// with the form that invites one more.
type peoplePage struct {
	People []portal.Person `json:"people"`
	page.FormErrors
	Base        string            `json:"-"` // where the list is
	CustomerNo  string            `json:"customer_no"`
	Manages     bool              `json:"may_change"` // who asks changes the list
	Me          portal.LoginID    `json:"-"`
	Typed       portal.PersonEdit `json:"-"`
	FactorAsked bool              `json:"-"` // at the desk: their second factor is obligatory
	invitedPart
}

// personPage is one of them, to be changed.
type personPage struct {
	portal.Person
	page.FormErrors
	Base    string            `json:"-"`
	Manages bool              `json:"may_change"`
	Typed   portal.PersonEdit `json:"-"`
	invitedPart
	renewed *portal.Invitation // just now
}

// roleOptions are the choices of what a person may do.
func roleOptions() []page.Option {
	return []page.Option{
		{Value: string(portal.CustomerBuyer), Label: "Buyer: orders"},
		{Value: string(portal.CustomerApprover), Label: "Approver: orders, signs off, manages people"},
		{Value: string(portal.CustomerAccounts), Label: "Accounts: invoices and account, no ordering"},
		{Value: string(portal.CustomerView), Label: "View: looks only"},
	}
}

func periodOptions() []page.Option {
	return []page.Option{{Value: "order", Label: "an order"}, {Value: "day", Label: "a day"},
		{Value: "week", Label: "a week (from Monday)"}, {Value: "month", Label: "a month"}}
}

// RoleOptions and PeriodOptions are the choices of the form.
func (peoplePage) RoleOptions() []page.Option { return roleOptions() }

// PeriodOptions is described at RoleOptions.
func (peoplePage) PeriodOptions() []page.Option { return periodOptions() }

// RoleOptions and PeriodOptions are the choices of the form.
func (personPage) RoleOptions() []page.Option { return roleOptions() }

// PeriodOptions is described at RoleOptions.
func (personPage) PeriodOptions() []page.Option { return periodOptions() }

// RoleWord is how a role is called in a list.
func RoleWord(r portal.CustomerRole) string {
	return map[portal.CustomerRole]string{portal.CustomerBuyer: "Buyer", portal.CustomerApprover: "Approver",
		portal.CustomerAccounts: "Accounts", portal.CustomerView: "View only"}[r]
}

// limitWords is what a person may order without a signature.
func limitWords(p portal.Person) string {
	switch {
	case p.Role == portal.CustomerAccounts || p.Role == portal.CustomerView:
		return page.Dash
	case p.SignOffAll:
		return "every order is signed off"
	case p.SpendLimit == nil:
		return "no limit"
	}
	return page.FormatMoney(p.SpendLimit.Decimal) + " " +
		map[string]string{"order": "an order", "day": "a day", "week": "a week", "month": "a month"}[p.SpendPeriod]
}

// peopleBase is the list's address: the customer's own, or at the desk.
func peopleBase(q *page.Request) string {
	if q.Who.Staff() {
		return page.DeskPath("customers", q.Param("customer_no")) + "/people"
	}
	return "/people"
}

func peopleActive(q *page.Request) string {
	if q.Who.Staff() {
		return "customers"
	}
	return "people"
}

func loginID(q *page.Request) (portal.LoginID, error) {
	id, err := strconv.ParseInt(q.Param("login_id"), 10, 64)
	if err != nil {
		return 0, portal.Errorf(portal.CodeNotFound, "There is no such log-in.")
	}
	return portal.LoginID(id), nil
}

func (c *Counter) ListPeople(q *page.Request) error {
	return c.peoplePage(q, http.StatusOK,
		peoplePage{Typed: portal.PersonEdit{Role: string(portal.CustomerBuyer), SpendPeriod: "order"}})
}

// manages reports whether who asks may change one of the people listed: staff,
// and an approver without a limit.
func manages(q *page.Request, people []portal.Person) bool {
	if q.Who.Staff() {
		return q.Who.Has(portal.DutyAdministrator)
	}
	for _, p := range people {
		if p.ID == q.Who.LoginID {
			return p.Role == portal.CustomerApprover && p.SpendLimit == nil && !p.SignOffAll
		}
	}
	return false
}

func (c *Counter) peoplePage(q *page.Request, status int, view peoplePage) error {
	people, err := c.People.People(q.Context(), q.Who, q.Param("customer_no"))
	if err != nil {
		return err
	}
	view.People, view.Base, view.Manages = people, peopleBase(q), manages(q, people)
	view.CustomerNo = q.Param("customer_no")
	if view.CustomerNo == "" {
		view.CustomerNo = q.Who.CustomerNo
	}
	if !q.Who.Staff() {
		view.Me = q.Who.LoginID
	} else if view.FactorAsked, err = c.Factors.FactorRequired(q.Context(), q.Who, view.CustomerNo); err != nil {
		return err
	}
	return c.Page(q, status, "shop/people", "People", peopleActive(q), view)
}

// Invite asks somebody by mail to set a password. Staff see the link as well, once: the portal keeps no
// copy of it.
func (c *Counter) Invite(q *page.Request) error {
	var in portal.PersonEdit
	if err := q.Decode(&in); err != nil {
		return err
	}
	made, err := c.People.Invite(q.Context(), q.Who, q.Param("customer_no"), in)
	switch {
	case page.ShownOnPage(q, err):
		return c.peoplePage(q, page.Status(err), peoplePage{FormErrors: page.FormErrorsOf(err), Typed: in})
	case err != nil:
		return err
	case page.WantsJSON(q.Request):
		return page.WriteJSON(q.W, http.StatusOK, c.invitedJSON(q, made))
	}
	return c.peoplePage(q, http.StatusOK, peoplePage{invitedPart: c.invited(q, made, in.Email),
		Typed: portal.PersonEdit{Role: string(portal.CustomerBuyer), SpendPeriod: "order"}})
}

// invited is what who invited is shown.
func (c *Counter) invited(q *page.Request, made portal.Invitation, email string) invitedPart {
	part := invitedPart{LinkFor: email}
	if q.Who.Staff() {
		part.Link = c.InviteLink(made.Token)
	}
	return part
}

func (c *Counter) invitedJSON(q *page.Request, made portal.Invitation) map[string]any {
	out := map[string]any{"login_id": made.LoginID}
	if q.Who.Staff() {
		out["link"] = c.InviteLink(made.Token)
	}
	return out
}

func (c *Counter) ShowPerson(q *page.Request) error {
	return c.personPage(q, http.StatusOK, personPage{}, nil)
}

// personPage shows a person; after a refused form with what was typed.
func (c *Counter) personPage(q *page.Request, status int, view personPage, typed *portal.PersonEdit) error {
	id, err := loginID(q)
	if err != nil {
		return err
	}
	people, err := c.People.People(q.Context(), q.Who, q.Param("customer_no"))
	if err != nil {
		return err
	}
	for _, p := range people {
		if p.ID != id {
			continue
		}
		view.Person, view.Base, view.Typed = p, peopleBase(q), p.Typed()
		view.Manages = manages(q, people) && (q.Who.Staff() || id != q.Who.LoginID)
		if typed != nil {
			view.Typed = *typed
		}
		if view.renewed != nil {
			view.invitedPart = c.invited(q, *view.renewed, p.Email)
		}
		return c.Page(q, status, "shop/person", p.Title(), peopleActive(q), view)
	}
	return portal.Errorf(portal.CodeNotFound, "There is no such log-in.")
}

func (c *Counter) SavePerson(q *page.Request) error {
	var in portal.PersonEdit
	if err := q.Decode(&in); err != nil {
		return err
	}
	id, err := loginID(q)
	if err != nil {
		return err
	}
	err = c.People.SavePerson(q.Context(), q.Who, q.Param("customer_no"), id, in)
	in.Shown = page.StillShown(err, in.Shown)
	switch {
	case err == nil:
		return q.Done(peopleBase(q), "Saved. Their open pages follow at once.")
	case page.ShownOnPage(q, err):
		return c.personPage(q, page.Status(err), personPage{FormErrors: page.FormErrorsOf(err)}, &in)
	}
	return err
}

// DisablePerson closes a log-in, or with disabled=false opens it again.
func (c *Counter) DisablePerson(q *page.Request) error {
	var in struct {
		Disabled string `form:"disabled"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	id, err := loginID(q)
	if err != nil {
		return err
	}
	off := in.Disabled != "false"
	err = c.People.DisablePerson(q.Context(), q.Who, q.Param("customer_no"), id, off)
	switch {
	case err == nil && off:
		return q.Done(peopleBase(q), "Log-in closed. Its sessions have ended.")
	case err == nil:
		return q.Done(peopleBase(q), "Log-in open again")
	case page.ShownOnPage(q, err):
		return c.personPage(q, page.Status(err), personPage{FormErrors: page.FormErrorsOf(err)}, nil)
	}
	return err
}

// RenewInvitation sends a new link, and shows it to staff, once.
func (c *Counter) RenewInvitation(q *page.Request) error {
	id, err := loginID(q)
	if err != nil {
		return err
	}
	made, err := c.People.RenewInvitation(q.Context(), q.Who, q.Param("customer_no"), id)
	switch {
	case page.ShownOnPage(q, err):
		return c.personPage(q, page.Status(err), personPage{FormErrors: page.FormErrorsOf(err)}, nil)
	case err != nil:
		return err
	case page.WantsJSON(q.Request):
		return page.WriteJSON(q.W, http.StatusOK, c.invitedJSON(q, made))
	}
	return c.personPage(q, http.StatusOK, personPage{renewed: &made}, nil)
}

// invitePage is where somebody who was invited sets a password.
type invitePage struct {
	page.FormErrors
	Email string `json:"email"`
	Token string `json:"-"`
}

func (c *Counter) ShowInvitation(q *page.Request) error {
	token := q.URL.Query().Get("token")
	email, err := c.People.Invited(q.Context(), token)
	if err != nil {
		return err
	}
	return c.PlainPage(q, http.StatusOK, "shop/invite", "Welcome", invitePage{Email: email, Token: token})
}

// AcceptInvitation sets the password and logs in with it.
func (c *Counter) AcceptInvitation(q *page.Request) error {
	var in struct {
		Token string `form:"token"`
		New   string `form:"new_password"`
		Again string `form:"repeat_password"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	email, err := c.People.Invited(q.Context(), in.Token)
	if err == nil && in.Again != "" && in.Again != in.New {
		err = portal.Invalid("repeat_password", "The two passwords differ.")
	}
	if err == nil {
		_, err = c.People.AcceptInvitation(q.Context(), in.Token, in.New)
	}
	switch {
	case page.ShownOnPage(q, err):
		return c.PlainPage(q, page.Status(err), "shop/invite", "Welcome",
			invitePage{FormErrors: page.FormErrorsOf(err), Email: email, Token: in.Token})
	case err != nil:
		return err
	}
	token, who, err := c.Sessions.LogIn(q.Context(), email, in.New, c.Browser(q.W, q.Request))
	if err != nil { // the portal was closed to the customer meanwhile
		return err
	}
	c.LoggedIn(q.W, token, who)
	return q.Done("/", "Welcome. Your password is set.")
}

// LogInState says whether a person can log in, as the lists show it: by whether the log-in
// is closed, and until when an invitation that nobody took up is good.
func LogInState(disabled bool, invitedTill *time.Time, now time.Time) string {
	switch {
	case disabled:
		return "INACTIVE"
	case invitedTill != nil && invitedTill.Before(now):
		return "LINK ENDED"
	case invitedTill != nil:
		return "INVITED"
	}
	return "ACTIVE"
}
