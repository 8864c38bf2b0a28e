package sql

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"strings"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"portal.example/portal"
)

// period is how long a code of an app is shown, in seconds. The one before and the one
// after are taken as well, since clocks differ.
const period = 30

// appOptions are what every authenticator app takes for granted.
var appOptions = hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}

// stepOf is the period in which an app showed a code, around now; ok is false for
// a code of none.
func stepOf(secret, code string) (step int64, ok bool) {
	now := time.Now().Unix() / period
	for _, step := range []int64{now, now - 1, now + 1} {
		if right, err := hotp.ValidateCustom(code, uint64(step), secret, appOptions); err == nil && right {
			return step, true
		}
	}
	return 0, false
}

// useCode proves a session by the code of an app, else by a recovery code.
func (s *FactorStore) useCode(ctx context.Context, who portal.Session, typed string,
	remember bool) (right bool, err error) {
	digits := strings.ReplaceAll(typed, " ", "")
	if len(digits) == 6 && strings.IndexFunc(digits, func(r rune) bool { return !unicode.IsDigit(r) }) < 0 {
		return s.useAppCode(ctx, who, digits, remember)
	}
	err = s.change(ctx, who, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, query("recovery_code_use"),
			args{"session_id": who.ID, "hash": codeHash(typed), "remember": remember}).Scan(&right)
	})
	return right, err
}

func (s *FactorStore) useAppCode(ctx context.Context, who portal.Session, code string,
	remember bool) (right bool, err error) {
	type app struct {
		FactorID   portal.FactorID
		Secret     []byte
		Credential json.RawMessage
		Handle     []byte
	}
	rows, _ := s.db.Auth.Query(ctx, query("factor_secrets"), args{"session_id": who.ID, "kind": string(portal.FactorApp)})
	apps, err := pgx.CollectRows(rows, pgx.RowToStructByName[app])
	if err != nil {
		return false, fmt.Errorf("apps of login %d: %w", who.LoginID, err)
	}
	for _, a := range apps {
		secret, err := s.config.Keys.open(who.LoginID, a.Secret)
		if err != nil {
			return false, err
		}
		step, ok := stepOf(secret, code)
		if !ok {
			continue
		}
		err = s.change(ctx, who, func(tx pgx.Tx) error {
			return tx.QueryRow(ctx, query("app_code_use"),
				args{"session_id": who.ID, "factor_id": a.FactorID, "step": step, "remember": remember}).Scan(&right)
		})
		if err != nil || right {
			return right, err
		}
	}
	return false, nil
}

// appData is what is kept of an app while it is set up.
type appData struct {
	Sealed []byte `json:"sealed"`
}

// BeginApp implements portal.FactorService.
func (s *FactorStore) BeginApp(ctx context.Context, who portal.Session) (portal.AppSetup, error) {
	if err := own(who); err != nil {
		return portal.AppSetup{}, err
	}
	secret, err := s.appInSetup(ctx, who)
	if errors.Is(err, errNoApp) {
		secret, err = s.newApp(ctx, who)
	}
	if err != nil {
		return portal.AppSetup{}, err
	}
	key, err := otp.NewKeyFromURL(appURL(s.issuer(), who.Email, secret))
	if err != nil {
		return portal.AppSetup{}, fmt.Errorf("set up app: %w", err)
	}
	picture, err := key.Image(240, 240)
	if err != nil {
		return portal.AppSetup{}, fmt.Errorf("set up app: %w", err)
	}
	var qr bytes.Buffer
	if err := png.Encode(&qr, picture); err != nil {
		return portal.AppSetup{}, fmt.Errorf("set up app: %w", err)
	}
	return portal.AppSetup{Secret: secret, QR: qr.Bytes()}, nil
}

var errNoApp = portal.Errorf(portal.CodeConflict, "That took too long. Begin anew.")

// appInSetup is the secret of the app that a session is setting up, or errNoApp.
func (s *FactorStore) appInSetup(ctx context.Context, who portal.Session) (string, error) {
	var raw []byte
	if err := s.db.Auth.QueryRow(ctx, query("app_in_setup"), args{"session_id": who.ID}).Scan(&raw); err != nil {
		return "", fmt.Errorf("app in set-up: %w", refusal(err))
	}
	if raw == nil {
		return "", errNoApp
	}
	var data appData
	if err := json.Unmarshal(raw, &data); err != nil {
		return "", fmt.Errorf("app in set-up: %w", err)
	}
	return s.config.Keys.open(who.LoginID, data.Sealed)
}

func (s *FactorStore) newApp(ctx context.Context, who portal.Session) (string, error) {
	key, err := totp.Generate(totp.GenerateOpts{Issuer: s.issuer(), AccountName: who.Email, SecretSize: 20})
	if err != nil {
		return "", fmt.Errorf("set up app: %w", err)
	}
	sealed, err := s.config.Keys.seal(who.LoginID, key.Secret())
	if err != nil {
		return "", err
	}
	raw, err := json.Marshal(appData{sealed})
	if err != nil {
		return "", fmt.Errorf("set up app: %w", err)
	}
	_, hash := newToken()
	if _, err := s.db.Auth.Exec(ctx, query("challenge_begin"),
		args{"hash": hash, "purpose": "app", "session_id": who.ID, "data": raw}); err != nil {
		return "", fmt.Errorf("set up app: %w", refusal(err))
	}
	return key.Secret(), nil
}

// AddApp implements portal.FactorService. A wrong code leaves what is being set up.
func (s *FactorStore) AddApp(ctx context.Context, who portal.Session, name, code string) ([]string, error) {
	if err := own(who); err != nil {
		return nil, err
	}
	secret, err := s.appInSetup(ctx, who)
	if err != nil {
		return nil, err
	}
	step, ok := stepOf(secret, strings.ReplaceAll(strings.TrimSpace(code), " ", ""))
	if !ok {
		return nil, portal.Invalid("code", "This is not the code that the app shows now. Is the time of your phone right?")
	}
	sealed, err := s.config.Keys.seal(who.LoginID, secret)
	if err != nil {
		return nil, err
	}
	return s.add(ctx, who, newFactor{kind: portal.FactorApp, name: name, secret: sealed, step: &step})
}
