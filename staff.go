package portal

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// StaffMember is a log-in of the distributor's own people as administrators see it.
type StaffMember struct {
	ID           LoginID    `json:"login_id" db:"login_id"`
	Email        string     `json:"email"`
	Name         string     `json:"name"`
	Operator     bool       `json:"operator"` // sees /ops as well
	Duties       []Duty     `json:"duties"`
	SecondFactor bool       `json:"second_factor"` // has one set up
	Disabled     bool       `json:"disabled"`
	LastLogInAt  *time.Time `json:"last_login_at" db:"last_login_at"`
	InvitedTill  *time.Time `json:"invited_until" db:"invited_until"` // has no password yet; until when its link serves
	Sessions     int        `json:"sessions"`                         // that live
}

// Title is the name, else the e-mail.
func (m StaffMember) Title() string {
	if m.Name != "" {
		return m.Name
	}
	return m.Email
}

// Has reports whether the duty is one of theirs.
func (m StaffMember) Has(d Duty) bool { return slices.Contains(m.Duties, d) }

// StaffEdit is the form of a log-in of staff. Email counts for an invitation only.
type StaffEdit struct {
	Email  string
	Name   string
	Duties []Duty
	Shown  string // Figures of the form as it was opened; empty: not compared
}

// Has reports whether the duty is ticked.
func (e StaffEdit) Has(d Duty) bool { return slices.Contains(e.Duties, d) }

// Figures are what the form shows.
func (e StaffEdit) Figures() Figures {
	out := Figures{{Field: "name", Label: "The name", Value: e.Name}}
	for _, d := range Duties {
		out = append(out, Figure{Field: string(d), Label: d.Label(), Value: onOff(e.Has(d))})
	}
	return out
}

// Typed is the form with what is there now.
func (m StaffMember) Typed() StaffEdit {
	e := StaffEdit{Email: m.Email, Name: m.Name, Duties: m.Duties}
	e.Shown = e.Figures().Shown()
	return e
}

// Check tidies the form. An error names every field that cannot be read.
func (e StaffEdit) Check(invited bool) (StaffEdit, error) {
	var t typed
	e.Email, e.Name = strings.TrimSpace(e.Email), strings.Join(strings.Fields(e.Name), " ")
	if utf8.RuneCountInString(e.Name) > 80 {
		t.wrong("name", "Use at most 80 letters.")
	}
	if invited && !IsEmail(e.Email) {
		t.wrong("email", "Enter an e-mail address, like pat@example.com.")
	}
	return e, t.err()
}

// IsEmail reports whether a text can be an e-mail address.
func IsEmail(text string) bool {
	name, host, found := strings.Cut(text, "@")
	return found && name != "" && host != "" && !strings.Contains(host, "@") && !strings.ContainsAny(text, " \t\r\n") &&
		utf8.RuneCountInString(text) <= 254
}

// DutyHelp is a duty with its words.
type DutyHelp struct {
	Code  Duty   `json:"code"`
	Label string `json:"label"`
	Help  string `json:"help"`
}

// StaffService manages the distributor's own people, for administrators: anybody else
// is CodeForbidden. Who would be the last administrator to go is CodeConflict, and so is
// whatever would lock out who asks.
type StaffService interface {
	// Staff lists them, those that are closed last.
	Staff(ctx context.Context, who Session) ([]StaffMember, error)
	// DutyWords are all duties there are, in their order.
	DutyWords(ctx context.Context, who Session) ([]DutyHelp, error)
	// Invite makes a log-in without a password and the link that sets one.
	Invite(ctx context.Context, who Session, edit StaffEdit) (Invitation, error)
	// Save sets name and duties. Open pages of theirs obey at once.
	Save(ctx context.Context, who Session, id LoginID, edit StaffEdit) error
	// Disable closes a log-in and ends its sessions, or opens it again.
	Disable(ctx context.Context, who Session, id LoginID, disabled bool) error
	// EndSessions ends all sessions of a log-in and returns how many there were.
	EndSessions(ctx context.Context, who Session, id LoginID) (int, error)
	// ResetFactors takes the second factors of a log-in away, and ends its sessions.
	ResetFactors(ctx context.Context, who Session, id LoginID) (int, error)
	// RenewLink makes a new link for somebody who has not used theirs.
	RenewLink(ctx context.Context, who Session, id LoginID) (Invitation, error)
}
