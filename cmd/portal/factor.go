package main

import (
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
