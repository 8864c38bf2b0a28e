// Package openid lets staff log in at an OpenID Connect provider: Keycloak, Entra ID,
// Google and the like. It implements portal.IdentityProvider by the authorization code
// flow with PKCE (S256), and checks all of what comes back: issuer, audience, signature,
// times, nonce. Whose log-in that is, it does not know.
//
// The provider is looked up when it is needed, and again when that failed: the portal
// starts, and serves customers, without it.
package openid

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"portal.example/portal"
)

// Config is what the provider's administrator and the portal's agree on.
type Config struct {
	Issuer        string // exactly as the provider calls itself
	ClientID      string
	ClientSecret  string   // empty: a public client, which PKCE alone protects
	Name          string   // how people call the provider; default: its host
	Scopes        []string // default: openid, profile, email
	GroupsClaim   string   // claim with the groups: a name, or a path (realm_access.roles); default: groups
	VerifiedClaim string   // claim that is true where the e-mail was verified; default: email_verified
	Duties        []Grant  // what groups give
	MultiFactor   []string // values of amr or acr that count as a second factor
	PublicURL     string   // where browsers reach the portal: https://orders.example.com
	Logger        *slog.Logger
}

// Grant is what a group gives: a duty, or Operator.
type Grant struct{ Group, Duty string }

// Operator is given like a duty, and makes an operator.
const Operator = "operator"

// CallbackPath is where browsers come back to.
const CallbackPath = "/login/sso/callback"

// Provider implements portal.IdentityProvider. Safe for concurrent use; nothing to close.
type Provider struct {
	config Config
	client *http.Client

	mu       sync.Mutex
	found    *discovered // nil: not reached yet
	failed   error       // of the last look-up
	lookedAt time.Time
}

// discovered is what the provider says of itself.
type discovered struct {
	provider *oidc.Provider
	metadata
}

// metadata are the parts of the discovery document that go-oidc leaves to its callers.
type metadata struct {
	EndSession  string   `json:"end_session_endpoint"`
	AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
	Challenges  []string `json:"code_challenge_methods_supported"`
	SaysIssuer  bool     `json:"authorization_response_iss_parameter_supported"`
	Scopes      []string `json:"scopes_supported"`
	Algorithms  []string `json:"id_token_signing_alg_values_supported"`
	Keys        string   `json:"jwks_uri"`
}

const (
	timeout   = 8 * time.Second  // of each request to the provider
	patience  = 5 * time.Second  // between look-ups that fail: visitors do not queue behind each other
	freshness = time.Hour        // of what the provider says of itself
	leeway    = 2 * time.Minute  // between its clock and ours
	maxAnswer = 1 << 20          // bytes of one of its answers
	silence   = 60 * time.Second // how long a failed look-up is spoken of
)

// New checks the settings; the provider itself is not asked.
func New(config Config) (*Provider, error) {
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	issuer, err := url.Parse(config.Issuer)
	if err != nil || issuer.Host == "" || issuer.RawQuery != "" || issuer.Fragment != "" || !encrypted(issuer) {
		return nil, fmt.Errorf("openid: issuer %q: write its address as the provider does, "+
			"https://login.example.com/realms/staff", config.Issuer)
	}
	public, err := url.Parse(config.PublicURL)
	if err != nil || public.Host == "" || !encrypted(public) {
		return nil, fmt.Errorf("openid: the provider sends browsers back to the public address: set it, "+
			"https://orders.example.com (it is %q)", config.PublicURL)
	}
	if config.ClientID == "" {
		return nil, errors.New("openid: no client id: the provider's administrator has it")
	}
	if len(config.Duties) == 0 {
		return nil, errors.New("openid: no group gives a duty: nobody could log in")
	}
	config.PublicURL = strings.TrimSuffix(config.PublicURL, "/")
	setDefault(&config.Name, issuer.Hostname())
	setDefault(&config.GroupsClaim, "groups")
	setDefault(&config.VerifiedClaim, "email_verified")
	if len(config.Scopes) == 0 {
		config.Scopes = []string{oidc.ScopeOpenID, "profile", "email"}
	}
	if !slices.Contains(config.Scopes, oidc.ScopeOpenID) {
		config.Scopes = append([]string{oidc.ScopeOpenID}, config.Scopes...)
	}
	return &Provider{config: config, client: &http.Client{Timeout: timeout, Transport: short{http.DefaultTransport}}}, nil
}

func setDefault(s *string, value string) {
	if *s == "" {
		*s = value
	}
}

// encrypted reports an address that only TLS reaches, or that stays on this machine.
func encrypted(u *url.URL) bool {
	if u.Scheme == "https" {
		return true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "http" && (u.Hostname() == "localhost" || err == nil && ip.IsLoopback())
}

// short cuts answers that are longer than any that makes sense.
type short struct{ http.RoundTripper }

func (s short) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := s.RoundTripper.RoundTrip(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	}
	return resp, err
}

// Name implements portal.IdentityProvider.
func (p *Provider) Name() string { return p.config.Name }

// Silent implements portal.IdentityProvider.
func (p *Provider) Silent() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failed != nil && time.Since(p.lookedAt) < silence
}

// discover looks the provider up, unless that is known. Whoever fails is not asked again
// for a while; what is known of it goes on serving.
func (p *Provider) discover(ctx context.Context) (*discovered, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	age := time.Since(p.lookedAt)
	if p.found != nil && (age < freshness || p.failed != nil && age < patience) {
		return p.found, nil
	}
	if p.found == nil && p.failed != nil && age < patience {
		return nil, &portal.SignOnError{Refusal: portal.SignOnSilent, Err: p.failed}
	}
	// not the visitor's own context: one who leaves is no fault of the provider
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	found, err := p.lookUp(ctx)
	p.failed, p.lookedAt = err, time.Now()
	if err == nil {
		p.found = found
		return found, nil
	}
	p.config.Logger.Warn("the provider of single sign-on cannot be looked up", "issuer", p.config.Issuer, "error", err)
	if p.found != nil {
		return p.found, nil
	}
	return nil, &portal.SignOnError{Refusal: portal.SignOnSilent, Err: err}
}

func (p *Provider) lookUp(ctx context.Context) (*discovered, error) {
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.config.Issuer)
	if err != nil {
		return nil, err
	}
	d := &discovered{provider: provider}
	if err := provider.Claims(&d.metadata); err != nil {
		return nil, err
	}
	at := provider.Endpoint()
	for _, address := range []string{at.AuthURL, at.TokenURL, d.Keys} {
		if u, err := url.Parse(address); err != nil || u.Host == "" || !encrypted(u) {
			return nil, fmt.Errorf("its discovery document names %q: not an https address", address)
		}
	}
	return d, nil
}

// oauth is the client at the provider.
func (p *Provider) oauth(d *discovered) *oauth2.Config {
	at := d.provider.Endpoint()
	at.AuthStyle = oauth2.AuthStyleInHeader // what providers take that do not say
	if p.config.ClientSecret == "" || slices.Contains(d.AuthMethods, "client_secret_post") {
		at.AuthStyle = oauth2.AuthStyleInParams
	}
	return &oauth2.Config{ClientID: p.config.ClientID, ClientSecret: p.config.ClientSecret, Endpoint: at,
		RedirectURL: p.config.PublicURL + CallbackPath, Scopes: p.config.Scopes}
}

// Address implements portal.IdentityProvider.
func (p *Provider) Address(ctx context.Context, s portal.SignOn, anew bool) (string, error) {
	d, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(s.Nonce), oauth2.S256ChallengeOption(s.Verifier)}
	if anew {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	return p.oauth(d).AuthCodeURL(s.State, options...), nil
}

// LogOutAddress implements portal.IdentityProvider.
func (p *Provider) LogOutAddress(ctx context.Context) string {
	d, err := p.discover(ctx)
	if err != nil || d.EndSession == "" {
		return ""
	}
	u, err := url.Parse(d.EndSession)
	if err != nil || !encrypted(u) {
		return ""
	}
	q := u.Query()
	q.Set("client_id", p.config.ClientID)
	q.Set("post_logout_redirect_uri", p.config.PublicURL+"/login")
	u.RawQuery = q.Encode()
	return u.String()
}

// refusalOf is what a failed request to the provider means to a visitor: it does not
// answer, or it said no.
func refusalOf(err error) portal.SignOnRefusal {
	if said, ok := errors.AsType[*oauth2.RetrieveError](err); ok && said.Response != nil &&
		said.Response.StatusCode >= 500 {
		return portal.SignOnSilent
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return portal.SignOnSilent
	}
	return portal.SignOnFailed
}
