package sql

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// FactorConfig sets what second factors there are. Without keys there are no apps,
// without an address no passkeys.
type FactorConfig struct {
	Keys      FactorKeys
	PublicURL string // where browsers reach the portal: passkeys are bound to its host
	Name      string // of the portal, as apps and browsers show it
}

// FactorStore implements portal.FactorService. What serves once, and what a session may
// do before its factor, is the database's to say (sql/functions/factor.sql). Safe for
// concurrent use.
type FactorStore struct {
	*SessionStore
	config   FactorConfig
	webauthn *webauthn.WebAuthn // nil: no passkeys
}

// NewFactorStore keeps the factors of the log-ins of sessions.
func NewFactorStore(sessions *SessionStore, config FactorConfig) (*FactorStore, error) {
	s := &FactorStore{SessionStore: sessions, config: config}
	var err error
	if s.webauthn, err = relyingParty(config); err != nil {
		return nil, fmt.Errorf("passkeys: %w", err)
	}
	return s, nil
}

// own refuses staff who act as a customer: factors are each person's own.
func own(who portal.Session) error {
	if who.Acting != portal.ActingNot {
		return errOwnAffair
	}
	return nil
}

// FactorState implements portal.FactorService.
func (s *FactorStore) FactorState(ctx context.Context, who portal.Session) (portal.FactorState, error) {
	if err := own(who); err != nil {
		return portal.FactorState{}, err
	}
	rows, _ := s.db.Auth.Query(ctx, query("factor_state"), args{"session_id": who.ID})
	state, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.FactorState])
	if err != nil {
		return portal.FactorState{}, fmt.Errorf("factors of login %d: %w", who.LoginID, refusal(err))
	}
	return state, nil
}

// Factors implements portal.FactorService.
func (s *FactorStore) Factors(ctx context.Context, who portal.Session) (portal.Factors, error) {
	out := portal.Factors{OffersPasskeys: s.webauthn != nil, OffersApps: len(s.config.Keys) > 0}
	var err error
	if out.FactorState, err = s.FactorState(ctx, who); err != nil {
		return out, err
	}
	rows, _ := s.db.Auth.Query(ctx, query("factors"), args{"session_id": who.ID})
	if out.List, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.Factor]); err != nil {
		return out, fmt.Errorf("factors of login %d: %w", who.LoginID, err)
	}
	rows, _ = s.db.Auth.Query(ctx, query("trusted_browsers"), args{"session_id": who.ID})
	if out.Browsers, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.TrustedBrowser]); err != nil {
		return out, fmt.Errorf("browsers of login %d: %w", who.LoginID, err)
	}
	return out, nil
}

var (
	errCode = portal.Invalid("code",
		"This code is not right, or was used already. Wait for the next one, or use a recovery code.")
	errPasskey = portal.Invalid("passkey", "That passkey did not prove it. Try again, or use another way.")
	errLocked  = portal.Errorf(portal.CodeTooMany, "Too many wrong tries. Wait a quarter of an hour, or use a passkey.")
)

// Prove implements portal.FactorService.
func (s *FactorStore) Prove(ctx context.Context, who portal.Session, p portal.FactorProof, remember bool) error {
	if err := own(who); err != nil {
		return err
	}
	if p.Passkey != "" {
		return s.provePasskey(ctx, who, p.Passkey, remember)
	}
	state, err := s.FactorState(ctx, who)
	if err != nil {
		return err
	}
	if state.Locked {
		return errLocked
	}
	right, err := s.useCode(ctx, who, strings.TrimSpace(p.Code), remember)
	if err != nil || right {
		return err
	}
	return s.wrong(ctx, who, errCode)
}

// wrong counts what was wrong, and returns what to say of it.
func (s *FactorStore) wrong(ctx context.Context, who portal.Session, words error) error {
	if _, err := s.db.Auth.Exec(ctx, query("factor_failed"), args{"session_id": who.ID}); err != nil {
		return fmt.Errorf("count wrong proof of login %d: %w", who.LoginID, refusal(err))
	}
	return words
}

// Confirm implements portal.FactorService.
func (s *FactorStore) Confirm(ctx context.Context, who portal.Session, p portal.FactorProof) error {
	state, err := s.FactorState(ctx, who)
	if err != nil {
		return err
	}
	if state.Any() {
		return s.Prove(ctx, who, p, false)
	}
	if state.Locked {
		return errLocked
	}
	var salt string
	if err := s.db.Auth.QueryRow(ctx, query("login_password"), args{"login_id": who.LoginID}).Scan(&salt); err != nil {
		return fmt.Errorf("confirm login %d: %w", who.LoginID, err)
	}
	stored, err := s.matches(ctx, "login "+who.Email, who.LoginID, salt, p.Password)
	if err != nil {
		return err
	}
	if stored == "" {
		return s.wrong(ctx, who, portal.Invalid("password", "That is not your password."))
	}
	var right bool
	if err := s.db.Auth.QueryRow(ctx, query("confirm_by_password"), args{"session_id": who.ID}).Scan(&right); err != nil {
		return fmt.Errorf("confirm login %d: %w", who.LoginID, refusal(err))
	}
	if !right { // a factor was added meanwhile
		return errCode
	}
	return nil
}

// RemoveFactor implements portal.FactorService.
func (s *FactorStore) RemoveFactor(ctx context.Context, who portal.Session, id portal.FactorID) error {
	return s.exec(ctx, who, "factor_remove", args{"factor_id": id})
}

// ForgetBrowser implements portal.FactorService.
func (s *FactorStore) ForgetBrowser(ctx context.Context, who portal.Session, id portal.BrowserID) error {
	return s.exec(ctx, who, "browser_distrust", args{"browser_id": id})
}

// exec runs a statement of a session that changes its owner's factors.
func (s *FactorStore) exec(ctx context.Context, who portal.Session, name string, a args) error {
	if err := own(who); err != nil {
		return err
	}
	a["session_id"] = who.ID
	return s.change(ctx, who, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, query(name), a)
		return err
	})
}

// change runs f in a transaction that is marked with who acts, for the audit log.
func (s *FactorStore) change(ctx context.Context, who portal.Session, f func(tx pgx.Tx) error) error {
	begin := "begin; select set_config('portal.actor', " + quote(who.Actor()) + ", true)"
	if err := inTx(ctx, s.db.Auth, pgx.TxOptions{BeginQuery: begin}, f); err != nil {
		return fmt.Errorf("factors of login %d: %w", who.LoginID, err)
	}
	return nil
}

// codes is how many recovery codes there are, and codeText how one is written:
// four groups of four letters and digits, 80 bits.
const codes = 10

func codeText() string {
	text := strings.ToLower(rand.Text()[:16])
	return text[:4] + "-" + text[4:8] + "-" + text[8:12] + "-" + text[12:]
}

// codeHash is what is kept of a recovery code, however it is typed.
func codeHash(typed string) []byte {
	plain := strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(typed))
	sum := sha256.Sum256([]byte("recovery " + plain))
	return sum[:]
}

// NewRecoveryCodes implements portal.FactorService.
func (s *FactorStore) NewRecoveryCodes(ctx context.Context, who portal.Session) (list []string, err error) {
	if err := own(who); err != nil {
		return nil, err
	}
	err = s.change(ctx, who, func(tx pgx.Tx) error {
		list, err = newCodes(ctx, tx, who)
		return err
	})
	return list, err
}

func newCodes(ctx context.Context, tx pgx.Tx, who portal.Session) ([]string, error) {
	list, hashes := make([]string, codes), make([][]byte, codes)
	for i := range list {
		list[i] = codeText()
		hashes[i] = codeHash(list[i])
	}
	_, err := tx.Exec(ctx, query("recovery_codes_set"), args{"session_id": who.ID, "hashes": hashes})
	return list, err
}

// newFactor is a factor to be added: of an app, or a passkey.
type newFactor struct {
	kind         portal.FactorKind
	name         string
	secret       []byte
	step         *int64
	credentialID []byte
	credential   json.RawMessage
	handle       []byte
}

// add adds a factor, and recovery codes with the first.
func (s *FactorStore) add(ctx context.Context, who portal.Session, f newFactor) (list []string, err error) {
	err = s.change(ctx, who, func(tx pgx.Tx) error {
		var n int
		if err := tx.QueryRow(ctx, query("factor_add"), args{"session_id": who.ID, "kind": string(f.kind), "name": f.name,
			"secret": f.secret, "step": f.step, "credential_id": f.credentialID, "credential": f.credential,
			"handle": f.handle}).Scan(&n); err != nil {
			return err
		}
		if list = nil; n > 1 {
			return nil
		}
		var err error
		list, err = newCodes(ctx, tx, who)
		return err
	})
	return list, err
}

// OffersPasskeys implements portal.FactorService.
func (s *FactorStore) OffersPasskeys() bool { return s.webauthn != nil }

// RequireFactor implements portal.FactorService.
func (s *FactorStore) RequireFactor(ctx context.Context, who portal.Session, customerNo string, required bool) error {
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, query("factor_require"), args{"customer_no": customerNo, "required": required})
		return err
	})
	if err != nil {
		return fmt.Errorf("second factor of customer %q: %w", customerNo, err)
	}
	return nil
}

// FactorRequired implements portal.FactorService.
func (s *FactorStore) FactorRequired(ctx context.Context, who portal.Session,
	customerNo string) (required bool, err error) {
	err = s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, query("factor_required"), args{"customer_no": customerNo}).Scan(&required)
		return notFound(refusal(err), "There is no such customer.")
	})
	if err != nil {
		return false, fmt.Errorf("second factor of customer %q: %w", customerNo, err)
	}
	return required, nil
}
