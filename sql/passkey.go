package sql

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// relyingParty is what passkeys are bound to: the host of the public address. Browsers
// make none for a bare IP address.
func relyingParty(config FactorConfig) (*webauthn.WebAuthn, error) {
	if config.PublicURL == "" {
		return nil, nil
	}
	u, err := url.Parse(config.PublicURL)
	if err != nil {
		return nil, err
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil || u.Hostname() == "" {
		return nil, nil
	}
	return webauthn.New(&webauthn.Config{RPID: u.Hostname(), RPDisplayName: config.issuer(),
		RPOrigins: []string{u.Scheme + "://" + u.Host}})
}

// issuer is the portal's name in apps and browsers.
func (c FactorConfig) issuer() string {
	if c.Name == "" {
		return "Portal"
	}
	return c.Name
}

func (s *FactorStore) issuer() string { return s.config.issuer() }

// appURL is the address that an authenticator app reads from the picture.
func appURL(issuer, email, secret string) string {
	u := url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + issuer + ":" + email}
	u.RawQuery = url.Values{"secret": {secret}, "issuer": {issuer}}.Encode()
	return u.String()
}

// passkeyUser is a log-in as the library asks about it.
type passkeyUser struct {
	handle      []byte
	email       string
	login       portal.LoginID
	credentials []webauthn.Credential
}

func (u passkeyUser) WebAuthnID() []byte                         { return u.handle }
func (u passkeyUser) WebAuthnName() string                       { return u.email }
func (u passkeyUser) WebAuthnDisplayName() string                { return u.email }
func (u passkeyUser) WebAuthnCredentials() []webauthn.Credential { return u.credentials }

// passkeyRow is a passkey as the database keeps it.
type passkeyRow struct {
	LoginID    portal.LoginID
	Credential json.RawMessage
	Handle     []byte
}

func userOf(rows []passkeyRow) (u passkeyUser, err error) {
	for _, r := range rows {
		var c webauthn.Credential
		if err := json.Unmarshal(r.Credential, &c); err != nil {
			return u, fmt.Errorf("read passkey: %w", err)
		}
		u.login, u.handle = r.LoginID, r.Handle
		u.credentials = append(u.credentials, c)
	}
	return u, nil
}

var errNoPasskeys = portal.Errorf(portal.CodeConflict, "Passkeys are not offered here.")

// passkeysOf is the owner of a session with its passkeys.
func (s *FactorStore) passkeysOf(ctx context.Context, who portal.Session) (passkeyUser, error) {
	if s.webauthn == nil {
		return passkeyUser{}, errNoPasskeys
	}
	if err := own(who); err != nil {
		return passkeyUser{}, err
	}
	rows, _ := s.db.Auth.Query(ctx, query("passkeys"), args{"session_id": who.ID})
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[passkeyRow])
	if err != nil {
		return passkeyUser{}, fmt.Errorf("passkeys of login %d: %w", who.LoginID, err)
	}
	u, err := userOf(list)
	u.email, u.login = who.Email, who.LoginID
	return u, err
}

// keep stores what a browser was asked, until it answers at any node.
func (s *FactorStore) keep(ctx context.Context, purpose string, session *portal.SessionID,
	data *webauthn.SessionData) error {
	raw, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("keep challenge: %w", err)
	}
	if _, err := s.db.Auth.Exec(ctx, query("challenge_begin"),
		args{"hash": hashToken(data.Challenge), "purpose": purpose, "session_id": session, "data": raw}); err != nil {
		return fmt.Errorf("keep challenge: %w", refusal(err))
	}
	return nil
}

// take is what was kept for an answer's challenge, once; errPasskey if nothing was.
func (s *FactorStore) take(ctx context.Context, purpose string, session *portal.SessionID,
	challenge string) (data webauthn.SessionData, err error) {
	var raw []byte
	if err := s.db.Auth.QueryRow(ctx, query("challenge_take"),
		args{"hash": hashToken(challenge), "purpose": purpose, "session_id": session}).Scan(&raw); err != nil {
		return data, fmt.Errorf("take challenge: %w", err)
	}
	if raw == nil {
		return data, errPasskey
	}
	return data, json.Unmarshal(raw, &data)
}

// PasskeyOptions implements portal.FactorService.
func (s *FactorStore) PasskeyOptions(ctx context.Context, who portal.Session) (json.RawMessage, error) {
	u, err := s.passkeysOf(ctx, who)
	if err != nil {
		return nil, err
	}
	if len(u.credentials) == 0 {
		return nil, portal.Errorf(portal.CodeConflict, "You have no passkey here.")
	}
	asked, data, err := s.webauthn.BeginLogin(u, webauthn.WithUserVerification(protocol.VerificationPreferred))
	if err != nil {
		return nil, fmt.Errorf("ask for a passkey: %w", err)
	}
	if err := s.keep(ctx, "prove", &who.ID, data); err != nil {
		return nil, err
	}
	return json.Marshal(asked)
}

// provePasskey proves a session by what the browser signed.
func (s *FactorStore) provePasskey(ctx context.Context, who portal.Session, answer string, remember bool) error {
	u, err := s.passkeysOf(ctx, who)
	if err != nil {
		return err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(answer))
	if err != nil {
		return refusedPasskey(err)
	}
	data, err := s.take(ctx, "prove", &who.ID, parsed.Response.CollectedClientData.Challenge)
	if err != nil {
		return err
	}
	used, err := s.webauthn.ValidateLogin(u, data, parsed)
	if err != nil {
		return refusedPasskey(err)
	}
	return s.used(ctx, who, used, remember)
}

// used marks a session proved by a passkey, unless its counter says that there is
// a copy of it.
func (s *FactorStore) used(ctx context.Context, who portal.Session, used *webauthn.Credential, remember bool) error {
	if used.Authenticator.CloneWarning {
		return refusedPasskey(errors.New("its counter went back: there may be a copy of it"))
	}
	raw, err := json.Marshal(used)
	if err != nil {
		return fmt.Errorf("keep passkey: %w", err)
	}
	var right bool
	err = s.change(ctx, who, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, query("passkey_use"),
			args{"session_id": who.ID, "credential_id": used.ID, "credential": raw, "remember": remember}).Scan(&right)
	})
	if err == nil && !right {
		return errPasskey
	}
	return err
}

// refusedPasskey has the words for the visitor; the reason goes to the log.
func refusedPasskey(reason error) error {
	refused := *errPasskey
	refused.Err = reason
	if detailed, ok := errors.AsType[*protocol.Error](reason); ok {
		refused.Err = fmt.Errorf("%w (%s)", reason, detailed.DevInfo)
	}
	return &refused
}

// LogInOptions implements portal.FactorService.
func (s *FactorStore) LogInOptions(ctx context.Context) (json.RawMessage, error) {
	if s.webauthn == nil {
		return nil, errNoPasskeys
	}
	asked, data, err := s.webauthn.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, fmt.Errorf("ask for a passkey: %w", err)
	}
	if err := s.keep(ctx, "log_in", nil, data); err != nil {
		return nil, err
	}
	return json.Marshal(asked)
}

// LogInWithPasskey implements portal.FactorService.
func (s *FactorStore) LogInWithPasskey(ctx context.Context, answer string,
	from portal.Browser) (string, portal.Session, error) {
	if s.webauthn == nil {
		return "", portal.Session{}, errNoPasskeys
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(answer))
	if err != nil {
		return "", portal.Session{}, refusedPasskey(err)
	}
	data, err := s.take(ctx, "log_in", nil, parsed.Response.CollectedClientData.Challenge)
	if err != nil {
		return "", portal.Session{}, err
	}
	var u passkeyUser
	_, used, err := s.webauthn.ValidatePasskeyLogin(func(id, handle []byte) (webauthn.User, error) {
		u, err = s.ownerOf(ctx, id, handle)
		return u, err
	}, data, parsed)
	if err != nil {
		return "", portal.Session{}, refusedPasskey(err)
	}
	var open bool
	if err := s.db.Auth.QueryRow(ctx, query("login_open"), args{"login_id": u.login}).Scan(&open); err != nil || !open {
		return "", portal.Session{}, errors.Join(err, refusedPasskey(errors.New("the log-in is closed")))
	}
	token, who, err := s.open(ctx, u.login, tryFrom("", from), from)
	if err != nil {
		return "", portal.Session{}, err
	}
	if err := s.used(ctx, who, used, false); err != nil {
		return "", portal.Session{}, errors.Join(err, s.LogOut(ctx, token))
	}
	who, err = s.Session(ctx, token)
	return token, who, err
}

// ownerOf is whose a passkey is, if it names the log-in that it was made for.
func (s *FactorStore) ownerOf(ctx context.Context, id, handle []byte) (passkeyUser, error) {
	rows, _ := s.db.Auth.Query(ctx, query("passkey_owner"), args{"credential_id": id})
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[passkeyRow])
	if err != nil {
		return passkeyUser{}, fmt.Errorf("whose passkey: %w", err)
	}
	if len(list) == 0 || !bytes.Equal(list[0].Handle, handle) {
		return passkeyUser{}, errors.New("nobody here has this passkey")
	}
	return userOf(list)
}

// NewPasskeyOptions implements portal.FactorService.
func (s *FactorStore) NewPasskeyOptions(ctx context.Context, who portal.Session) (json.RawMessage, error) {
	u, err := s.passkeysOf(ctx, who)
	if err != nil {
		return nil, err
	}
	if u.handle == nil {
		u.handle = make([]byte, 32)
		_, _ = rand.Read(u.handle) // never fails: see crypto/rand
	}
	asked, data, err := s.webauthn.BeginRegistration(u,
		webauthn.WithResidentKeyRequirement(protocol.ResidentKeyRequirementPreferred),
		webauthn.WithConveyancePreference(protocol.PreferNoAttestation),
		webauthn.WithExclusions(webauthn.Credentials(u.credentials).CredentialDescriptors()))
	if err != nil {
		return nil, fmt.Errorf("ask for a new passkey: %w", err)
	}
	if err := s.keep(ctx, "register", &who.ID, data); err != nil {
		return nil, err
	}
	return json.Marshal(asked)
}

// AddPasskey implements portal.FactorService.
func (s *FactorStore) AddPasskey(ctx context.Context, who portal.Session, name, answer string) ([]string, error) {
	u, err := s.passkeysOf(ctx, who)
	if err != nil {
		return nil, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(answer))
	if err != nil {
		return nil, refusedPasskey(err)
	}
	data, err := s.take(ctx, "register", &who.ID, parsed.Response.CollectedClientData.Challenge)
	if err != nil {
		return nil, err
	}
	u.handle = data.UserID // of the first, nothing is kept yet
	made, err := s.webauthn.CreateCredential(u, data, parsed)
	if err != nil {
		return nil, refusedPasskey(err)
	}
	raw, err := json.Marshal(made)
	if err != nil {
		return nil, fmt.Errorf("keep passkey: %w", err)
	}
	return s.add(ctx, who, newFactor{kind: portal.FactorPasskey, name: name, credentialID: made.ID, credential: raw,
		handle: data.UserID})
}
