package portal

import (
	"context"
	"slices"
	"time"
)

// Role says which part of the portal a login may use.
type Role string

const (
	RoleBuyer Role = "buyer" // a customer's login: sees only its customer
	RoleDesk  Role = "desk"  // staff: order desk, warehouse, credit
	RoleOps   Role = "ops"   // operator: all that staff may, and /ops
)

// Stage is how far a session has come.
type Stage string

const (
	StageFull   Stage = "full"   // goes everywhere
	StageFactor Stage = "factor" // proves its second factor first
	StageEnrol  Stage = "enrol"  // sets up a second factor first: one is obligatory
)

// Acting says how staff see the portal of a customer.
type Acting string

const (
	ActingNot     Acting = ""        // as themselves
	ActingPreview Acting = "preview" // as the customer sees it, without changing anything
	ActingOrder   Acting = "order"   // for the customer: what is ordered is marked as entered by staff
)

// LogInKind is by what a session was opened.
type LogInKind string

const (
	ByPassword LogInKind = "password"
	ByPasskey  LogInKind = "passkey"
	ByProvider LogInKind = "sso" // single sign-on, of staff
)

// Label is how it is called in the list of somebody's sessions.
func (k LogInKind) Label() string {
	switch k {
	case ByPasskey:
		return "Passkey"
	case ByProvider:
		return "Single sign-on"
	}
	return "Password"
}

// Session is a logged-in person: who asks. It is handed down explicitly to
// whatever reads or writes on that person's behalf.
type Session struct {
	ID           SessionID
	LoginID      LoginID
	CustomerID   CustomerID // 0 for staff
	CustomerNo   string     // empty for staff
	CustomerName string
	Email        string
	Role         Role
	CreatedAt    time.Time
	SeenAt       time.Time
	ExpiresAt    time.Time // unless a page is asked for before
	LastsUntil   time.Time // whatever is asked for
	Stage        Stage
	UserAgent    string
	Source       string // the client's address at log-in
	By           LogInKind
	Duties       []Duty // of staff, in the order of portal.duty

	// Where staff see the portal as the customer, LoginID and Email are the
	// staff's and all else is the customer's.
	Acting   Acting
	ActingBy string // the staff's e-mail; empty unless Acting is set
}

// Staff reports whether the session is of the distributor's own people.
func (s Session) Staff() bool { return s.Role == RoleDesk || s.Role == RoleOps }

// Has reports whether who has one of the duties.
func (s Session) Has(duties ...Duty) bool {
	return slices.ContainsFunc(duties, func(d Duty) bool { return slices.Contains(s.Duties, d) })
}

// Require refuses who has none of the duties.
func (s Session) Require(duties ...Duty) error {
	if s.Has(duties...) {
		return nil
	}
	return &Error{Code: CodeForbidden, Message: "This needs the duty " + DutyWords(duties, " or ") + ".", Needs: duties}
}

// Actor is how history rows and the audit log name the person.
func (s Session) Actor() string {
	if s.Acting != ActingNot {
		return s.ActingBy + " for " + s.CustomerNo
	}
	return s.Email
}

// Browser is where somebody logs in from.
type Browser struct {
	Known     string // its own cookie, by which it is known again
	Token     string // of the session that it shows, if any
	Source    string // the client's address
	UserAgent string
}

// SessionService logs people in and out.
type SessionService interface {
	// LogIn checks the password and opens a session, in which what the browser
	// had open ends. The token is the only copy: the database keeps its SHA-256.
	// An unknown e-mail, a wrong password and a locked account give the same
	// CodeUnauthorized error after the same time; CodeTooMany where too many wait
	// at the source.
	LogIn(ctx context.Context, email, password string, from Browser) (token string, s Session, err error)
	// Session finds the live session of a token; CodeUnauthorized if none,
	// CodeFactor where it has to prove or set up a second factor first.
	Session(ctx context.Context, token string) (Session, error)
	// LogOut ends the session of a token; an unknown token is no error.
	LogOut(ctx context.Context, token string) error
	// Sessions lists the live sessions of who's login, newest first.
	Sessions(ctx context.Context, who Session) ([]Session, error)
	// Revoke ends one session of who's login; CodeNotFound for any other.
	Revoke(ctx context.Context, who Session, id SessionID) error
	// EndOthers ends all sessions of who's login but who's own, and returns how
	// many; no other browser skips the second factor any more.
	EndOthers(ctx context.Context, who Session) (int, error)
	// ChangePassword sets a new password and ends who's other sessions.
	ChangePassword(ctx context.Context, who Session, current, next string) error

	ActingService
}
