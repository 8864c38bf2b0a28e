package portal

import (
	"context"
	"encoding/json"
	"time"
)

// FactorID identifies what a log-in proves itself with beside its password.
type FactorID int64

// BrowserID identifies a browser that a log-in is known from.
type BrowserID int64

// FactorKind is how a factor proves.
type FactorKind string

const (
	FactorApp     FactorKind = "app"     // codes of six digits, new each half minute
	FactorPasskey FactorKind = "passkey" // a key of the device or on a stick
)

// Factor is one of a log-in's.
type Factor struct {
	ID     FactorID   `json:"factor_id" db:"factor_id"`
	Kind   FactorKind `json:"kind"`
	Name   string     `json:"name"`
	MadeAt time.Time  `json:"made_at" db:"made_at"`
	UsedAt *time.Time `json:"used_at" db:"used_at"`
}

// TrustedBrowser is one that does not ask for the second factor at log-in.
type TrustedBrowser struct {
	ID           BrowserID `json:"browser_id" db:"browser_id"`
	UserAgent    string    `json:"user_agent" db:"user_agent"`
	Source       string    `json:"source"`
	LastSeenAt   time.Time `json:"last_seen_at" db:"last_seen_at"`
	TrustedUntil time.Time `json:"trusted_until" db:"trusted_until"`
}

// FactorState is what a session is asked, and what its owner can answer with.
type FactorState struct {
	Stage      Stage `json:"stage"`
	Confirmed  bool  `json:"confirmed"`  // proved who they are a short while ago
	Obligatory bool  `json:"obligatory"` // a second factor is
	Apps       int   `json:"apps"`
	Passkeys   int   `json:"passkeys"`
	CodesLeft  int   `json:"recovery_codes_left" db:"codes_left"`
	Trusted    bool  `json:"-"` // this browser skips the factor at log-in
	Locked     bool  `json:"-"` // codes are, for a while, after wrong ones
}

// Any reports whether there is a factor.
func (s FactorState) Any() bool { return s.Apps+s.Passkeys > 0 }

// Factors is what the owner of a log-in sees of it.
type Factors struct {
	FactorState
	List           []Factor         `json:"factors"`
	Browsers       []TrustedBrowser `json:"browsers"`
	OffersPasskeys bool             `json:"-"` // the portal knows under which name browsers reach it
	OffersApps     bool             `json:"-"` // it has a key to keep their secrets with
}

// FactorProof is what somebody gives to show who they are: one of these.
type FactorProof struct {
	Code     string // of an app, or a recovery code
	Passkey  string // the browser's answer to PasskeyOptions, as JSON
	Password string // serves only for Confirm, where there is no factor
}

// AppSetup is an authenticator app to be set up.
type AppSetup struct {
	Secret string // to be typed in groups of four
	QR     []byte // a PNG of its address
}

// FactorService proves and keeps second factors. Whoever calls it hands over the session
// as it is, proved or not; all of it is CodeForbidden while staff act as a customer.
type FactorService interface {
	// AnySession finds the live session of a token, whatever its Stage;
	// CodeUnauthorized if none.
	AnySession(ctx context.Context, token string) (Session, error)
	FactorState(ctx context.Context, who Session) (FactorState, error)
	Factors(ctx context.Context, who Session) (Factors, error)
	// Prove brings a session from StageFactor to StageFull. With remember its
	// browser is not asked again for thirty days. CodeInvalid at the field "code" or
	// "passkey", CodeTooMany after five wrong codes.
	Prove(ctx context.Context, who Session, p FactorProof, remember bool) error
	// Confirm proves anew who has a session, by a factor, or by the password where
	// there is none.
	Confirm(ctx context.Context, who Session, p FactorProof) error

	// PasskeyOptions is what the browser needs to sign: for Prove and Confirm.
	PasskeyOptions(ctx context.Context, who Session) (json.RawMessage, error)
	// OffersPasskeys reports whether the portal takes passkeys.
	OffersPasskeys() bool
	// LogInOptions is the same for LogInWithPasskey, whoever it will be.
	LogInOptions(ctx context.Context) (json.RawMessage, error)
	// LogInWithPasskey opens a session by a passkey that its owner was verified for,
	// by finger, face or PIN: that is both factors.
	LogInWithPasskey(ctx context.Context, answer string, from Browser) (token string, who Session, err error)

	// What follows asks who to have confirmed: CodeForbidden else.

	// NewPasskeyOptions is what the browser needs to make a passkey.
	NewPasskeyOptions(ctx context.Context, who Session) (json.RawMessage, error)
	// AddPasskey and AddApp add a factor. With the first come recovery codes, shown once.
	// Other sessions end.
	AddPasskey(ctx context.Context, who Session, name, answer string) (codes []string, err error)
	// BeginApp makes the secret of an app, the same until AddApp has seen its first code.
	BeginApp(ctx context.Context, who Session) (AppSetup, error)
	AddApp(ctx context.Context, who Session, name, code string) (codes []string, err error)
	// RemoveFactor is CodeConflict for the last, where one is obligatory. Other
	// sessions end.
	RemoveFactor(ctx context.Context, who Session, id FactorID) error
	// NewRecoveryCodes makes ten, shown once; those before end.
	NewRecoveryCodes(ctx context.Context, who Session) ([]string, error)
	// RequireFactor says whether the people of a customer must have a second factor, and
	// FactorRequired whether they do: for staff.
	RequireFactor(ctx context.Context, who Session, customerNo string, required bool) error
	FactorRequired(ctx context.Context, who Session, customerNo string) (bool, error)
	// ForgetBrowser has a browser asked for the second factor again.
	ForgetBrowser(ctx context.Context, who Session, id BrowserID) error
}
