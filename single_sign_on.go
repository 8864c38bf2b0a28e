package portal

import (
	"context"
	"net/url"
	"time"
)

// Identity is who somebody is at the provider, once its answer was checked.
type Identity struct {
	Issuer        string
	Subject       string // who, for good; an e-mail may change
	Email         string // empty: it did not say
	EmailVerified bool
	Name          string
	Duties        []string  // that the groups there give, each once
	Operator      *bool     // whether a group makes an operator; nil: groups do not say
	MultiFactor   bool      // it counts as the second factor
	AuthTime      time.Time // when the person proved who they are there; zero: it did not say
}

// SignOn is one browser's way to the provider and back.
type SignOn struct {
	State    string    // names it; what comes back without it is nobody's
	Nonce    string    // the provider's answer holds it
	Verifier string    // of PKCE: who has only the code gets nothing for it
	Session  SessionID // whose owner proves anew who they are; 0: somebody logs in
	Next     string    // the page that was wanted
	Begun    time.Time
}

// IdentityProvider is where staff log in: an OpenID Connect provider. Errors are
// *SignOnError.
type IdentityProvider interface {
	// Name is how people call it.
	Name() string
	// Address is where the browser goes. anew asks for a proof even of who is logged in
	// there.
	Address(ctx context.Context, s SignOn, anew bool) (string, error)
	// Identify reads what the browser came back with.
	Identify(ctx context.Context, s SignOn, answer url.Values) (Identity, error)
	// LogOutAddress is where somebody logs out there as well; empty where there is none.
	LogOutAddress(ctx context.Context) string
	// Silent reports that it did not answer a moment ago.
	Silent() bool
}

// SignOnService keeps ways to the provider, and knows whose log-in an identity is.
type SignOnService interface {
	// BeginSignOn begins one for a browser (Browser.Known): to log in, or with who's
	// session to prove anew who has it.
	BeginSignOn(ctx context.Context, who Session, browser, next string) (SignOn, error)
	// TakeSignOn ends one: *SignOnError with SignOnExpired unless it was begun in this
	// browser within ten minutes and has not come back before.
	TakeSignOn(ctx context.Context, state, browser string) (SignOn, error)
	// LogInByIdentity opens a session, after the same rules as LogIn. *SignOnError says
	// why not.
	LogInByIdentity(ctx context.Context, id Identity, from Browser) (token string, who Session, err error)
	// ConfirmByIdentity marks who's session confirmed, if it is the same person.
	ConfirmByIdentity(ctx context.Context, who Session, id Identity) error
}

// SignOnRefusal is why single sign-on let nobody in, as it stands in an address.
type SignOnRefusal string

const (
	SignOnExpired      SignOnRefusal = "expired"       // unknown, used, too late, or of another browser
	SignOnDenied       SignOnRefusal = "denied"        // the person or the provider said no
	SignOnSilent       SignOnRefusal = "silent"        // the provider does not answer
	SignOnFailed       SignOnRefusal = "failed"        // its answer does not hold
	SignOnUnverified   SignOnRefusal = "unverified"    // it has not verified the e-mail
	SignOnNoDuty       SignOnRefusal = "no_duty"       // no group gives a duty
	SignOnUnknown      SignOnRefusal = "unknown"       // nobody here has the e-mail
	SignOnCustomer     SignOnRefusal = "customer"      // a customer has it
	SignOnDisabled     SignOnRefusal = "disabled"      // the log-in is closed
	SignOnOtherAccount SignOnRefusal = "other_account" // another account there is linked
	SignOnNotConfirmed SignOnRefusal = "not_confirmed" // somebody else, or not anew
)

// Words tell a visitor what a refusal means, and what to do; empty for none that we know.
func (r SignOnRefusal) Words(provider string) string {
	switch r {
	case SignOnExpired:
		return "That took too long, or was begun in another browser. Please try again."
	case SignOnDenied:
		return "The log-in at " + provider + " was cancelled, or refused there."
	case SignOnSilent:
		return provider + " does not answer at the moment. Please try again in a few minutes."
	case SignOnFailed:
		return "The answer of " + provider + " could not be used. Please try again; if it happens again, " +
			"tell whoever runs the portal."
	case SignOnUnverified:
		return provider + " has not verified your e-mail address, so we cannot tell whose log-in is yours. " +
			"Ask whoever runs " + provider + "."
	case SignOnNoDuty:
		return "No group of yours at " + provider + " has a duty in the portal. Ask an administrator."
	case SignOnUnknown:
		return "Nobody of the staff has a log-in with your e-mail address. Ask an administrator for one."
	case SignOnCustomer:
		return "Your e-mail address belongs to a customer's log-in. Single sign-on is for staff."
	case SignOnDisabled:
		return "Your log-in is closed. Ask an administrator."
	case SignOnOtherAccount:
		return "The log-in with your e-mail address is linked to another account at " + provider + ". Ask an administrator."
	case SignOnNotConfirmed:
		return "That did not prove that it is you. Log in at " + provider + " once more, with the account that you use here."
	}
	return ""
}

// SignOnError says why single sign-on let nobody in. Err is for the log.
type SignOnError struct {
	Refusal SignOnRefusal
	Err     error
}

func (e *SignOnError) Error() string {
	if e.Err != nil {
		return "single sign-on: " + string(e.Refusal) + ": " + e.Err.Error()
	}
	return "single sign-on: " + string(e.Refusal)
}

func (e *SignOnError) Unwrap() error { return e.Err }
