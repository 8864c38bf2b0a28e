package openid

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// Finding is one thing that Examine looked at, and what to do about it.
type Finding struct {
	OK     bool
	What   string
	Advice string
}

// Examine reaches the provider and looks at what single sign-on needs of it. Nobody logs
// in by it.
func (p *Provider) Examine(ctx context.Context) []Finding {
	ctx, cancel := context.WithTimeout(ctx, 2*timeout)
	defer cancel()
	d, err := p.lookUp(ctx)
	if err != nil {
		return []Finding{{What: "the provider of single sign-on says who it is (" + p.config.Issuer + ")",
			Advice: lookUpAdvice(err)}}
	}
	out := []Finding{{OK: true, What: "the provider of single sign-on is " + p.config.Issuer}}
	add := func(ok bool, what, advice string) { out = append(out, Finding{ok, what, advice}) }
	keys, ahead, err := p.keys(ctx, d.Keys)
	if err != nil {
		add(false, "its keys can be read", "Without them no answer of it is believed: "+err.Error())
	} else {
		add(keys > 0, fmt.Sprintf("it signs with %d keys", keys), "It has published none: no answer of it is believed.")
		add(ahead.Abs() <= leeway, "its clock and ours agree", fmt.Sprintf("It is %v ahead of ours: set the clocks.", ahead))
	}
	add(d.Algorithms == nil || slices.ContainsFunc(d.Algorithms, func(a string) bool { return slices.Contains(signs, a) }),
		"it signs in a way that the portal reads",
		fmt.Sprintf("It offers %q: have it sign with RS256 or ES256 for this client.", d.Algorithms))
	add(d.Challenges == nil || slices.Contains(d.Challenges, "S256"), "it knows PKCE (S256)",
		"Switch PKCE with S256 on for this client.")
	for _, s := range p.config.Scopes {
		if d.Scopes != nil && !slices.Contains(d.Scopes, s) {
			add(false, "it knows the scope "+s, fmt.Sprintf("It names %q: change PORTAL_SSO_SCOPES.", d.Scopes))
		}
	}
	return append(out, Finding{true,
		"browsers come back to " + p.config.PublicURL + CallbackPath + ", which the provider must have on its list", ""})
}

// signs are the signatures that are read: with a key of the provider's own, never with the
// client's secret, and never none.
var signs = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384,
	oidc.PS512, oidc.EdDSA}

// lookUpAdvice says in words why the discovery document is not what was looked for.
func lookUpAdvice(err error) string {
	if m, ok := errors.AsType[*oidc.IssuerMismatchError](err); ok {
		return fmt.Sprintf("It calls itself %q: PORTAL_SSO_ISSUER must be exactly that, "+
			"with or without the slash at the end.", m.Discovered)
	}
	return "PORTAL_SSO_ISSUER must be its address without /.well-known/openid-configuration, " +
		"and be reached from this machine: " + fmt.Sprintf("%.300s", err)
}

// keys counts the keys that the provider publishes, and how far its clock is ahead.
func (p *Provider) keys(ctx context.Context, address string) (n int, ahead time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, 0, err
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return 0, 0, err
	}
	defer resp.Body.Close()
	var set struct{ Keys []json.RawMessage }
	if err := json.NewDecoder(resp.Body).Decode(&set); err != nil {
		return 0, 0, fmt.Errorf("%s, and not a set of keys: %w", resp.Status, err)
	}
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		ahead = time.Until(at).Round(time.Second)
	}
	return len(set.Keys), ahead, nil
}
