package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"portal.example/portal/http/page"
	"portal.example/portal/sql"
)

// factorSettings say which second factors there are.
type factorSettings struct {
	FactorKey string `name:"factor-key" help:"Key that hides the secrets of authenticator apps in the database: 32 bytes in base64 (openssl rand -base64 32). Without one no apps are offered, passkeys are. Several with commas: the first hides, all open." env:"PORTAL_FACTOR_KEY" placeholder:"KEY,…"`
}

// factors are the second factors of the log-ins: passkeys bound to the public address,
// and apps where there is a key.
func (a *app) factors(sessions *sql.SessionStore, brand page.Brand) (*sql.FactorStore, error) {
	keys, err := sql.ParseFactorKeys(a.FactorKey)
	if err != nil {
		return nil, err
	}
	return sql.NewFactorStore(sessions, sql.FactorConfig{Keys: keys, PublicURL: a.PublicURL, Name: brand.ShortName})
}

// keptKey is the key in a file, which is made where there is none: for the
// demonstration, whose apps go on working at its next start.
func keptKey(file string) (string, error) {
	raw, err := os.ReadFile(file)
	if err == nil {
		return strings.TrimSpace(string(raw)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the key of factors: %w", err)
	}
	fresh := make([]byte, 32)
	_, _ = rand.Read(fresh) // never fails: see crypto/rand
	key := base64.StdEncoding.EncodeToString(fresh)
	if err := os.WriteFile(file, []byte(key+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep the key of factors: %w", err)
	}
	return key, nil
}
