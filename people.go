package portal

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"
)

// CustomerRole is what a log-in of a customer may do.
type CustomerRole string

const (
	CustomerBuyer    CustomerRole = "buyer"    // orders, within its limit without a signature
	CustomerApprover CustomerRole = "approver" // all that a buyer may, signs off, manages people
	CustomerAccounts CustomerRole = "accounts" // invoices, account, returns; no ordering
	CustomerView     CustomerRole = "view"     // looks: catalogue, prices, orders; no invoices, no account
)

// CustomerRoles are the roles in the order of the form.
var CustomerRoles = [...]CustomerRole{CustomerBuyer, CustomerApprover, CustomerAccounts, CustomerView}

// Rights is what the log-in that asks may do beside its customer's Access.
type Rights struct {
	Orders   bool // its role orders
	Standing bool // it may set up orders that are made without anybody: it orders, and has no limit
	Invoices bool // its role sees invoices and the account
	SignsOff bool // it decides about its colleagues' orders
	People   bool // it sees the people of the account
	Requests bool // there are requests for a signature that it sees, or may come to be
	ToSign   int  // requests that wait for its signature
	Waiting  int  // requests it sees that wait for anybody's
}

// Person is a log-in of a customer as its approvers and staff see it.
type Person struct {
	ID          LoginID      `json:"login_id" db:"login_id"`
	Email       string       `json:"email"`
	Name        string       `json:"name"`
	Role        CustomerRole `json:"role" db:"customer_role"`
	SpendLimit  *Money       `json:"spend_limit"`  // nil: none; merchandise before tax
	SpendPeriod string       `json:"spend_period"` // order, day, week, month
	SignOffAll  bool         `json:"sign_off_all"` // every order needs a signature
	Disabled    bool         `json:"disabled"`
	LastLogInAt *time.Time   `json:"last_login_at" db:"last_login_at"`
	InvitedTill *time.Time   `json:"invited_until" db:"invited_until"` // has no password yet; until when its link serves
	// In the period that runs; nil without a limit for one
	Spent *Money `json:"spent"`
}

// Title is the name, else the e-mail.
func (p Person) Title() string {
	if p.Name != "" {
		return p.Name
	}
	return p.Email
}

// PersonEdit is the form of a person. Email counts for an invitation only.
type PersonEdit struct {
	Email       string `form:"email"`
	Name        string `form:"name"`
	Role        string `form:"role"`
	SpendLimit  string `form:"spend_limit"`  // as typed; empty: none
	SpendPeriod string `form:"spend_period"` // empty: order
	SignOffAll  bool   `form:"sign_off_all"`
	Shown       string `form:"shown"` // Figures of the form as it was opened; empty: not compared
}

// Figures are what the form of a person shows.
func (e PersonEdit) Figures() Figures {
	return Figures{
		{Field: "name", Label: "The name", Value: e.Name}, {Field: "role", Label: "The role", Value: e.Role},
		{Field: "spend_limit", Label: "The limit", Value: e.SpendLimit},
		{Field: "spend_period", Label: "The limit’s period", Value: e.SpendPeriod},
		{Field: "sign_off_all", Label: "Every order signed off", Value: onOff(e.SignOffAll)},
	}
}

// Person reads the form. An error names every field that cannot be read.
func (e PersonEdit) Person(invited bool) (Person, error) {
	var t typed
	p := Person{
		Email: strings.TrimSpace(e.Email), Name: strings.Join(strings.Fields(e.Name), " "), SignOffAll: e.SignOffAll,
		Role:        CustomerRole(t.choice("role", e.Role, "buyer", "approver", "accounts", "view")),
		SpendLimit:  t.money("spend_limit", "The limit", e.SpendLimit),
		SpendPeriod: t.choice("spend_period", e.SpendPeriod, "order", "day", "week", "month"),
	}
	if e.Role == "" {
		t.wrong("role", "Choose what this person may do.")
	}
	if p.SpendPeriod == "" {
		p.SpendPeriod = "order"
	}
	if utf8.RuneCountInString(p.Name) > 80 {
		t.wrong("name", "Use at most 80 letters.")
	}
	if name, host, ok := strings.Cut(p.Email, "@"); invited &&
		(!ok || name == "" || host == "" || strings.ContainsAny(p.Email, " \t\r\n") ||
			strings.Contains(host, "@") || utf8.RuneCountInString(p.Email) > 254) {
		t.wrong("email", "Enter an e-mail address, like pat@example.com.")
	}
	return p, t.err()
}

// Typed is the form as it stands for a person.
func (p Person) Typed() PersonEdit {
	e := PersonEdit{Email: p.Email, Name: p.Name, Role: string(p.Role), SpendPeriod: p.SpendPeriod,
		SignOffAll: p.SignOffAll}
	if p.SpendLimit != nil {
		e.SpendLimit = p.SpendLimit.StringFixed(2)
	}
	e.Shown = e.Figures().Shown()
	return e
}

// Invitation is the link for somebody who has no password yet. The token is the
// only copy: the database keeps its SHA-256.
type Invitation struct {
	LoginID LoginID `json:"login_id"`
	Token   string  `json:"token"`
}

// PeopleService shows and changes the log-ins of a customer: for one of its
// approvers, those of its own account (customerNo is then ignored), for staff
// those of the customer named.
type PeopleService interface {
	People(ctx context.Context, who Session, customerNo string) ([]Person, error)
	// Invite keeps who was invited, and mails the link by which they set a password, which makes
	// the log-in. It is the same for every address that is not on the list, whether it has a log-in
	// elsewhere or not.
	Invite(ctx context.Context, who Session, customerNo string, edit PersonEdit) (Invitation, error)
	SavePerson(ctx context.Context, who Session, customerNo string, id LoginID, edit PersonEdit) error
	// DisablePerson closes a log-in, whose sessions end at once, or opens it
	// again. It is CodeConflict where nobody would be left who signs off.
	DisablePerson(ctx context.Context, who Session, customerNo string, id LoginID, disabled bool) error
	// RenewInvitation makes a new link for somebody who has not used theirs.
	RenewInvitation(ctx context.Context, who Session, customerNo string, id LoginID) (Invitation, error)

	// Invited is whose link a token is; CodeNotFound once it has been used or
	// has ended, CodeConflict where the address has got a log-in elsewhere.
	Invited(ctx context.Context, token string) (email string, err error)
	// AcceptInvitation sets the password; the link is used up by it.
	AcceptInvitation(ctx context.Context, token, password string) (email string, err error)
}
