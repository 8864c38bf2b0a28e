package sql

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// SignOnStore implements portal.SignOnService. Whose log-in an identity is, the database
// decides (sql/functions/single_sign_on.sql). Safe for concurrent use.
type SignOnStore struct {
	*SessionStore
	create bool
}

// NewSignOnStore lets staff in by single sign-on. With create, somebody whose groups give
// a duty gets a log-in if there is none.
func NewSignOnStore(sessions *SessionStore, create bool) *SignOnStore {
	return &SignOnStore{sessions, create}
}

// Nonce and verifier come from the state and the browser's cookie, which the database
// does not have: a dump brings no sign-on to its end.
func ofBrowser(what, state, browser string) string {
	sum := sha256.Sum256([]byte("portal sign-on " + what + "\x00" + state + "\x00" + browser))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func signOn(state, browser string) portal.SignOn {
	return portal.SignOn{State: state, Nonce: ofBrowser("nonce", state, browser),
		Verifier: ofBrowser("verifier", state, browser)}
}

// BeginSignOn implements portal.SignOnService.
func (s *SignOnStore) BeginSignOn(ctx context.Context, who portal.Session,
	browser, next string) (portal.SignOn, error) {
	out := signOn(rand.Text(), browser)
	out.Session, out.Next, out.Begun = who.ID, next, time.Now()
	var session *portal.SessionID
	if who.ID != 0 {
		session = &who.ID
	}
	a := args{"state_hash": hashToken(out.State), "browser_hash": hashToken(browser), "session_id": session, "next": next}
	if _, err := s.db.Auth.Exec(ctx, query("sign_on_begin"), a); err != nil {
		return portal.SignOn{}, fmt.Errorf("begin single sign-on: %w", refusal(err))
	}
	return out, nil
}

// TakeSignOn implements portal.SignOnService.
func (s *SignOnStore) TakeSignOn(ctx context.Context, state, browser string) (portal.SignOn, error) {
	out := signOn(state, browser)
	var session *portal.SessionID
	var age time.Duration
	a := args{"state_hash": hashToken(state), "browser_hash": hashToken(browser)}
	err := s.db.Auth.QueryRow(ctx, query("sign_on_take"), a).Scan(&session, &out.Next, &age)
	if errors.Is(err, pgx.ErrNoRows) {
		return portal.SignOn{}, &portal.SignOnError{Refusal: portal.SignOnExpired}
	}
	if err != nil {
		return portal.SignOn{}, fmt.Errorf("end single sign-on: %w", err)
	}
	if session != nil {
		out.Session = *session
	}
	out.Begun = time.Now().Add(-age)
	return out, nil
}

// LogInByIdentity implements portal.SignOnService.
func (s *SignOnStore) LogInByIdentity(ctx context.Context, id portal.Identity,
	from portal.Browser) (string, portal.Session, error) {
	if s.db.Desk == nil {
		return "", portal.Session{}, errStaffElsewhere
	}
	token, opening := newSession(from, portal.ByProvider)
	opening["multi_factor"], opening["age"] = id.MultiFactor, ageOf(id.AuthTime)
	var refused *string
	err := s.byIdentity(ctx, func(tx pgx.Tx) error {
		var login *portal.LoginID
		a := args{"issuer": id.Issuer, "subject": id.Subject, "email": id.Email, "verified": id.EmailVerified,
			"name": id.Name, "duties": append([]string{}, id.Duties...), "operator": id.Operator, "create": s.create,
			"password_hash": nobodysHash(s.cost)}
		if err := tx.QueryRow(ctx, query("identity_log_in"), a).Scan(&login, &refused); err != nil || refused != nil {
			return err
		}
		if err := tryFrom("", from).remember(ctx, tx, *login); err != nil {
			return err
		}
		return opening.open(ctx, tx, *login)
	})
	switch {
	case portal.ErrorCode(err) == portal.CodeInvalid: // a duty that there is none of: a fault of the settings
		return "", portal.Session{}, &portal.SignOnError{Refusal: portal.SignOnFailed, Err: err}
	case err != nil:
		return "", portal.Session{}, fmt.Errorf("log in by single sign-on: %w", err)
	case refused != nil:
		return "", portal.Session{}, &portal.SignOnError{Refusal: portal.SignOnRefusal(*refused),
			Err: fmt.Errorf("subject %q of %s", id.Subject, id.Issuer)}
	}
	who, err := s.AnySession(ctx, token)
	return token, who, err
}

// byIdentity runs f in a transaction of the log-in path. The audit names single sign-on
// as who acts: the provider's groups decide.
func (s *SignOnStore) byIdentity(ctx context.Context, f func(tx pgx.Tx) error) error {
	begin := "begin; select set_config('portal.actor', 'single sign-on', true)"
	return inTx(ctx, s.db.Auth, pgx.TxOptions{BeginQuery: begin}, f)
}

// ageOf is how long ago something was; nil for never. No clock is so exact that it could
// not be in the future.
func ageOf(at time.Time) *time.Duration {
	if at.IsZero() {
		return nil
	}
	age := max(0, time.Since(at))
	return &age
}

// ConfirmByIdentity implements portal.SignOnService.
func (s *SignOnStore) ConfirmByIdentity(ctx context.Context, who portal.Session, id portal.Identity) error {
	if id.AuthTime.IsZero() {
		return &portal.SignOnError{Refusal: portal.SignOnNotConfirmed,
			Err: errors.New("the provider did not say when (auth_time)")}
	}
	var right bool
	a := args{"session_id": who.ID, "issuer": id.Issuer, "subject": id.Subject, "age": ageOf(id.AuthTime)}
	if err := s.db.Auth.QueryRow(ctx, query("identity_confirm"), a).Scan(&right); err != nil {
		return fmt.Errorf("confirm by single sign-on: %w", refusal(err))
	}
	if !right {
		return &portal.SignOnError{Refusal: portal.SignOnNotConfirmed,
			Err: errors.New("another account, or a session of another kind")}
	}
	return nil
}

// nobodysHash is the hash of no password: nobody computed it from one.
func nobodysHash(cost int) string {
	raw := make([]byte, 39)
	_, _ = rand.Read(raw) // never fails: see crypto/rand
	return fmt.Sprintf("$2a$%02d$", cost) + bcryptBase64.EncodeToString(raw[:16]) + bcryptBase64.EncodeToString(raw[16:])
}
