package openid_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"portal.example/portal"
	"portal.example/portal/internal/oidctest"
	"portal.example/portal/openid"
)

const public = "https://orders.example.com"

func configOf(p *oidctest.Provider) openid.Config {
	return openid.Config{Issuer: p.Issuer(), ClientID: p.ClientID, ClientSecret: p.ClientSecret, Name: "Acme", PublicURL: public,
		Duties: []openid.Grant{{Group: "portal-sales", Duty: "sales"}, {Group: "portal-all", Duty: "credit"}, {Group: "portal-all", Duty: "sales"}}}
}

// dana is who comes, unless a test says otherwise.
func dana(more oidctest.Claims) oidctest.Claims {
	c := oidctest.Claims{"sub": "dana-1", "email": "dana@example.com", "email_verified": true, "name": "Dana", "groups": []string{"portal-sales", "other"}}
	for name, v := range more {
		c[name] = v
	}
	return c
}

var atProvider = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// way is a browser's way to the provider; the answer is what it comes back with.
func way(t *testing.T, provider *openid.Provider, anew bool) (portal.SignOn, url.Values) {
	t.Helper()
	s := portal.SignOn{State: "state", Nonce: "nonce-of-this-way", Verifier: strings.Repeat("verifier", 6), Begun: time.Now()}
	address, err := provider.Address(t.Context(), s, anew)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := atProvider.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		t.Fatalf("%s: %v", resp.Status, err)
	}
	if to := back.Scheme + "://" + back.Host + back.Path; to != public+openid.CallbackPath {
		t.Fatalf("it came back to %s", to)
	}
	return s, back.Query()
}

func refusal(err error) portal.SignOnRefusal {
	if e, ok := errors.AsType[*portal.SignOnError](err); ok {
		return e.Refusal
	}
	return ""
}

func newProvider(t *testing.T, config openid.Config) *openid.Provider {
	t.Helper()
	provider, err := openid.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return provider
}

func TestIdentify(t *testing.T) {
	t.Parallel()
	mock := oidctest.Start(t)
	provider := newProvider(t, configOf(mock))
	mock.Is(dana(nil))
	s, answer := way(t, provider, false)
	asked := mock.Asked()
	if asked.Get("code_challenge_method") != "S256" || asked.Get("code_challenge") == "" || asked.Get("nonce") != s.Nonce || asked.Get("state") != s.State ||
		asked.Get("scope") != "openid profile email" || asked.Has("prompt") {
		t.Errorf("asked with %v", asked)
	}
	id, err := provider.Identify(t.Context(), s, answer)
	if err != nil {
		t.Fatal(err)
	}
	if id.Issuer != mock.Issuer() || id.Subject != "dana-1" || id.Email != "dana@example.com" || !id.EmailVerified || id.Name != "Dana" ||
		!slices.Equal(id.Duties, []string{"sales"}) || id.Operator != nil || id.MultiFactor || time.Since(id.AuthTime).Abs() > time.Minute {
		t.Errorf("%+v", id)
	}
	if _, err := provider.Identify(t.Context(), s, answer); refusal(err) != portal.SignOnFailed {
		t.Errorf("the same code once more: %v", err)
	}
	if _, err := come(t, provider); err != nil {
		t.Errorf("another way: %v", err)
	}
}

// come is somebody who comes by the provider.
func come(t *testing.T, provider *openid.Provider) (portal.Identity, error) {
	t.Helper()
	s, answer := way(t, provider, false)
	return provider.Identify(t.Context(), s, answer)
}

// Each of these answers was forged, or is meant for somebody else.
func TestForgedAnswers(t *testing.T) {
	t.Parallel()
	mock := oidctest.Start(t)
	provider := newProvider(t, configOf(mock))
	for _, c := range []struct {
		what string
		sign string
		is   oidctest.Claims
		way  func(*portal.SignOn, url.Values)
	}{
		{what: "not signed", sign: oidctest.None},
		{what: "signed with a key of somebody else", sign: oidctest.Foreign},
		{what: "signed with the client's secret", sign: oidctest.Secret},
		{what: "for another client", is: oidctest.Claims{"aud": "another"}},
		{what: "for several clients, and another that asked", is: oidctest.Claims{"aud": []string{mock.ClientID, "another"}, "azp": "another"}},
		{what: "for several clients, and nobody says who asked", is: oidctest.Claims{"aud": []string{mock.ClientID, "another"}}},
		{what: "of another issuer", is: oidctest.Claims{"iss": "https://evil.example"}},
		{what: "of another way", is: oidctest.Claims{"nonce": "another"}},
		{what: "without a nonce", is: oidctest.Claims{"nonce": nil}},
		{what: "over", is: oidctest.Claims{"exp": time.Now().Add(-10 * time.Minute).Unix()}},
		{what: "without an end", is: oidctest.Claims{"exp": nil}},
		{what: "of the future", is: oidctest.Claims{"iat": time.Now().Add(time.Hour).Unix()}},
		{what: "not valid yet", is: oidctest.Claims{"nbf": time.Now().Add(time.Hour).Unix()}},
		{what: "of nobody", is: oidctest.Claims{"sub": nil}},
		{what: "with another access token", is: oidctest.Claims{"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}},
		{what: "a code that another browser got", way: func(s *portal.SignOn, _ url.Values) { s.Verifier = strings.Repeat("x", 48) }},
		{what: "a code that is none", way: func(_ *portal.SignOn, answer url.Values) { answer.Set("code", "made-up") }},
		{what: "no code", way: func(_ *portal.SignOn, answer url.Values) { answer.Del("code") }},
		{what: "from another provider", way: func(_ *portal.SignOn, answer url.Values) { answer.Set("iss", "https://evil.example") }},
		{what: "an error that is the provider's own fault", way: func(_ *portal.SignOn, answer url.Values) { answer.Set("error", "invalid_request") }},
	} {
		t.Run(c.what, func(t *testing.T) {
			mock.Is(dana(c.is))
			mock.Sign(c.sign)
			defer mock.Sign(oidctest.Right)
			s, answer := way(t, provider, false)
			if c.way != nil {
				c.way(&s, answer)
			}
			if id, err := provider.Identify(t.Context(), s, answer); refusal(err) != portal.SignOnFailed {
				t.Errorf("%+v, %v", id, err)
			}
		})
	}
	mock.Is(dana(oidctest.Claims{"exp": time.Now().Add(-30 * time.Second).Unix(), "iat": time.Now().Add(30 * time.Second).Unix()}))
	if _, err := come(t, provider); err != nil {
		t.Errorf("clocks that differ a little: %v", err)
	}
}

func TestRefusedByProvider(t *testing.T) {
	t.Parallel()
	mock := oidctest.Start(t)
	provider := newProvider(t, configOf(mock))
	for code, want := range map[string]portal.SignOnRefusal{"access_denied": portal.SignOnDenied, "login_required": portal.SignOnDenied,
		"temporarily_unavailable": portal.SignOnSilent, "invalid_scope": portal.SignOnFailed} {
		if _, err := provider.Identify(t.Context(), portal.SignOn{}, url.Values{"error": {code}}); refusal(err) != want {
			t.Errorf("%s: %v", code, err)
		}
	}
	s, answer := way(t, provider, false)
	mock.Down(true)
	if _, err := provider.Identify(t.Context(), s, answer); refusal(err) != portal.SignOnSilent {
		t.Errorf("nobody to exchange a code with: %v", err)
	}
}

// A provider that says that its answers name it has to.
func TestIssuerInAnswer(t *testing.T) {
	t.Parallel()
	mock := oidctest.Start(t)
	mock.Is(dana(nil))
	mock.Says(map[string]any{"authorization_response_iss_parameter_supported": true})
	provider := newProvider(t, configOf(mock))
	s, answer := way(t, provider, false)
	if _, err := provider.Identify(t.Context(), s, answer); refusal(err) != portal.SignOnFailed {
		t.Errorf("without: %v", err)
	}
	answer.Set("iss", mock.Issuer())
	if _, err := provider.Identify(t.Context(), s, answer); err != nil {
		t.Errorf("with: %v", err)
	}
}

func TestClaims(t *testing.T) {
	t.Parallel()
	mock := oidctest.Start(t)
	config := configOf(mock)
	config.GroupsClaim, config.VerifiedClaim, config.MultiFactor = "realm_access.roles", "xms_edov", []string{"mfa", "urn:gold"}
	config.Duties = append(config.Duties, openid.Grant{Group: "portal-ops", Duty: openid.Operator})
	provider := newProvider(t, config)
	for _, c := range []struct {
		what     string
		is, info oidctest.Claims
		right    func(portal.Identity) bool
	}{
		{what: "groups in an object", is: oidctest.Claims{"realm_access": map[string]any{"roles": []string{"portal-all", "portal-ops"}}},
			right: func(i portal.Identity) bool {
				return slices.Equal(i.Duties, []string{"credit", "sales"}) && *i.Operator
			}},
		{what: "one group as text", is: oidctest.Claims{"realm_access": map[string]any{"roles": "portal-sales"}},
			right: func(i portal.Identity) bool { return slices.Equal(i.Duties, []string{"sales"}) && !*i.Operator }},
		{what: "groups of the page about the person", info: oidctest.Claims{"sub": "dana-1", "realm_access": map[string]any{"roles": []string{"portal-sales"}}},
			right: func(i portal.Identity) bool { return slices.Equal(i.Duties, []string{"sales"}) }},
		{what: "no groups", right: func(i portal.Identity) bool { return len(i.Duties) == 0 && !*i.Operator }},
		{what: "verified by another claim", is: oidctest.Claims{"xms_edov": true}, right: func(i portal.Identity) bool { return i.EmailVerified }},
		{what: "verified, as text", is: oidctest.Claims{"xms_edov": "1"}, right: func(i portal.Identity) bool { return i.EmailVerified }},
		{what: "not verified", is: oidctest.Claims{"xms_edov": false, "email_verified": true}, right: func(i portal.Identity) bool { return !i.EmailVerified }},
		{what: "an e-mail of the token is not verified by the page", info: oidctest.Claims{"sub": "dana-1", "xms_edov": true},
			right: func(i portal.Identity) bool { return i.Email == "dana@example.com" && !i.EmailVerified }},
		{what: "an e-mail of the page is not verified by the token", is: oidctest.Claims{"email": nil, "xms_edov": true}, info: oidctest.Claims{"sub": "dana-1", "email": "d@example.com"},
			right: func(i portal.Identity) bool { return i.Email == "d@example.com" && !i.EmailVerified }},
		{what: "several factors", is: oidctest.Claims{"amr": []string{"pwd", "mfa"}}, right: func(i portal.Identity) bool { return i.MultiFactor }},
		{what: "several factors by acr", is: oidctest.Claims{"acr": "urn:gold"}, right: func(i portal.Identity) bool { return i.MultiFactor }},
		{what: "one factor", is: oidctest.Claims{"amr": []string{"pwd"}, "acr": "0"}, right: func(i portal.Identity) bool { return !i.MultiFactor }},
		{what: "no time", is: oidctest.Claims{"auth_time": nil}, right: func(i portal.Identity) bool { return i.AuthTime.IsZero() }},
	} {
		t.Run(c.what, func(t *testing.T) {
			mock.Is(dana(c.is))
			mock.Info(c.info)
			defer mock.Info(nil)
			if c.info == nil {
				mock.Info(oidctest.Claims{"sub": "dana-1"})
			}
			id, err := come(t, provider)
			if err != nil || !c.right(id) {
				t.Errorf("%+v, %v", id, err)
			}
		})
	}
	mock.Is(dana(nil))
	mock.Info(oidctest.Claims{"sub": "somebody-else", "realm_access": map[string]any{"roles": []string{"portal-all"}}})
	if _, err := come(t, provider); refusal(err) != portal.SignOnFailed {
		t.Errorf("the page about somebody else: %v", err)
	}
}

// Who confirms has been asked anew, not only remembered.
func TestAskedAnew(t *testing.T) {
	t.Parallel()
	mock := oidctest.Start(t)
	provider := newProvider(t, configOf(mock))
	for what, is := range map[string]oidctest.Claims{"remembered": {"auth_time": time.Now().Add(-time.Hour).Unix()}, "it does not say": {"auth_time": nil}, "anew": nil} {
		mock.Is(dana(is))
		s, answer := way(t, provider, true)
		if asked := mock.Asked(); asked.Get("prompt") != "login" || asked.Get("max_age") != "0" {
			t.Errorf("asked with %v", asked)
		}
		s.Session = 7
		if _, err := provider.Identify(t.Context(), s, answer); (refusal(err) == portal.SignOnNotConfirmed) != (is != nil) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// The portal starts without the provider, and finds it once it is there.
func TestProviderThatIsDown(t *testing.T) {
	t.Parallel()
	mock := oidctest.Start(t)
	mock.Down(true)
	provider := newProvider(t, configOf(mock))
	if provider.Silent() {
		t.Error("nobody has asked yet")
	}
	_, err := provider.Address(t.Context(), portal.SignOn{}, false)
	if refusal(err) != portal.SignOnSilent || !provider.Silent() {
		t.Errorf("%v", err)
	}
	mock.Down(false)
	if _, err := provider.Address(t.Context(), portal.SignOn{}, false); refusal(err) != portal.SignOnSilent {
		t.Errorf("asked again at once: %v", err)
	}
	openid.Forget(provider)
	if _, err := provider.Address(t.Context(), portal.SignOn{}, false); err != nil || provider.Silent() {
		t.Errorf("it is there again: %v", err)
	}
	mock.Down(true)
	openid.Forget(provider)
	if _, err := provider.Address(t.Context(), portal.SignOn{}, false); err != nil {
		t.Errorf("what is known goes on serving: %v", err)
	}
	gone, end := context.WithCancel(t.Context())
	end()
	if _, err := provider.Address(gone, portal.SignOn{}, false); err != nil {
		t.Errorf("a visitor who left: %v", err)
	}
}

func TestLogOutAddress(t *testing.T) {
	t.Parallel()
	mock := oidctest.Start(t)
	if at := newProvider(t, configOf(mock)).LogOutAddress(t.Context()); at != "" {
		t.Errorf("it has none: %s", at)
	}
	mock.Says(map[string]any{"end_session_endpoint": mock.Issuer() + "/logout?x=1"})
	at, err := url.Parse(newProvider(t, configOf(mock)).LogOutAddress(t.Context()))
	if err != nil || !strings.HasPrefix(at.String(), mock.Issuer()+"/logout?") || at.Query().Get("x") != "1" || at.Query().Get("client_id") != mock.ClientID ||
		at.Query().Get("post_logout_redirect_uri") != public+"/login" {
		t.Errorf("%s, %v", at, err)
	}
	mock.Says(map[string]any{"end_session_endpoint": "http://elsewhere.example/logout"})
	if at := newProvider(t, configOf(mock)).LogOutAddress(t.Context()); at != "" {
		t.Errorf("not encrypted: %s", at)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	right := openid.Config{Issuer: "https://login.example.com/realms/staff", ClientID: "portal", PublicURL: public, Duties: []openid.Grant{{Group: "g", Duty: "sales"}}}
	if p, err := openid.New(right); err != nil || p.Name() != "login.example.com" {
		t.Errorf("%v", err)
	}
	for want, change := range map[string]func(*openid.Config){
		"issuer":           func(c *openid.Config) { c.Issuer = "http://login.example.com" },
		"its address":      func(c *openid.Config) { c.Issuer = "login.example.com" },
		"as the provider":  func(c *openid.Config) { c.Issuer = "https://login.example.com/?x=1" },
		"public address":   func(c *openid.Config) { c.PublicURL = "" },
		"client id":        func(c *openid.Config) { c.ClientID = "" },
		"no group gives a": func(c *openid.Config) { c.Duties = nil },
	} {
		config := right
		change(&config)
		if _, err := openid.New(config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestExamine(t *testing.T) {
	t.Parallel()
	mock := oidctest.Start(t)
	wrong := func(config openid.Config) string {
		var out []string
		for _, f := range newProvider(t, config).Examine(t.Context()) {
			if !f.OK {
				out = append(out, f.What+": "+f.Advice)
			}
		}
		return strings.Join(out, "\n")
	}
	if w := wrong(configOf(mock)); w != "" {
		t.Errorf("all is well: %s", w)
	}
	slash := configOf(mock)
	slash.Issuer += "/"
	if w := wrong(slash); !strings.Contains(w, "It calls itself") {
		t.Errorf("another slash: %q", w)
	}
	scope := configOf(mock)
	scope.Scopes = []string{"openid", "roles"}
	mock.Says(map[string]any{"code_challenge_methods_supported": []string{"plain"}, "id_token_signing_alg_values_supported": []string{"HS256"}})
	if w := wrong(scope); !strings.Contains(w, "scope roles") || !strings.Contains(w, "PKCE") || !strings.Contains(w, "signs in a way") {
		t.Errorf("%q", w)
	}
	mock.Says(map[string]any{"jwks_uri": "http://keys.example/"})
	if w := wrong(configOf(mock)); !strings.Contains(w, "not an https address") {
		t.Errorf("keys over http: %q", w)
	}
	mock.Down(true)
	if w := wrong(configOf(mock)); !strings.Contains(w, "PORTAL_SSO_ISSUER") {
		t.Errorf("down: %q", w)
	}
}
