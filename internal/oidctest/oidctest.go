// Package oidctest is an OpenID Connect provider in the test's own process: mockoidc,
// whose answers a test may write anew, and forge.
package oidctest

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oauth2-proxy/mockoidc"
)

// Claims are what the provider says of somebody. nil takes one away that it would say.
type Claims map[string]any

// Provider is one that lives until the test's end. Whoever comes is Is. Safe for
// concurrent use.
type Provider struct {
	*mockoidc.MockOIDC

	mu      sync.Mutex
	is      Claims
	info    Claims
	sign    string
	down    bool
	says    map[string]any
	asked   url.Values
	foreign *rsa.PrivateKey
}

// The ways to sign a token that Sign takes; none but Right is to be believed.
const (
	Right   = ""
	None    = "none"    // not at all
	Foreign = "foreign" // with another key, under the name of the right one
	Secret  = "secret"  // with the client's secret (HS256)
)

// Start starts a provider.
func Start(t testing.TB) *Provider {
	t.Helper()
	mock, err := mockoidc.NewServer(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &Provider{MockOIDC: mock}
	if p.foreign, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	if err := mock.AddMiddleware(p.middleware); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := mock.Start(l, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mock.Shutdown() })
	return p
}

// Is says who comes next, in the token; Info what the page about the person says instead
// of what mockoidc would.
func (p *Provider) Is(c Claims)   { p.set(func() { p.is = c }) }
func (p *Provider) Info(c Claims) { p.set(func() { p.info = c }) }

// Sign says how tokens are signed.
func (p *Provider) Sign(how string) { p.set(func() { p.sign = how }) }

// Down has it answer 503, or answer again.
func (p *Provider) Down(down bool) { p.set(func() { p.down = down }) }

// Says changes what it says of itself.
func (p *Provider) Says(more map[string]any) { p.set(func() { p.says = more }) }

// Asked is what the last browser came with.
func (p *Provider) Asked() (q url.Values) {
	p.set(func() { q = p.asked })
	return q
}

func (p *Provider) set(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

func (p *Provider) middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.down {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		body := rec.Body.Bytes()
		switch {
		case strings.HasSuffix(r.URL.Path, mockoidc.AuthorizationEndpoint):
			p.asked = r.URL.Query()
		case rec.Code != http.StatusOK:
		case strings.HasSuffix(r.URL.Path, mockoidc.DiscoveryEndpoint):
			body = changed(body, p.says)
		case strings.HasSuffix(r.URL.Path, mockoidc.UserinfoEndpoint) && p.info != nil:
			body = changed([]byte("{}"), p.info)
		case strings.HasSuffix(r.URL.Path, mockoidc.TokenEndpoint):
			body = p.token(body)
		}
		maps.Copy(w.Header(), rec.Header())
		w.Header().Del("Content-Length")
		w.WriteHeader(rec.Code)
		_, _ = w.Write(body)
	})
}

// token writes the token of an answer anew, with what Is says, and as Sign says.
func (p *Provider) token(body []byte) []byte {
	var answer map[string]any
	_ = json.Unmarshal(body, &answer)
	parts := strings.Split(answer["id_token"].(string), ".")
	header, _ := base64.RawURLEncoding.DecodeString(parts[0])
	claims, _ := base64.RawURLEncoding.DecodeString(parts[1])
	with := Claims{"auth_time": time.Now().Unix()}
	maps.Copy(with, p.is)
	claims = changed(claims, with)
	switch p.sign {
	case None:
		header = changed(header, Claims{"alg": "none", "kid": nil})
	case Secret:
		header = changed(header, Claims{"alg": "HS256", "kid": nil})
	}
	signed := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(claims)
	answer["id_token"] = signed + "." + base64.RawURLEncoding.EncodeToString(p.signature(signed))
	out, _ := json.Marshal(answer)
	return out
}

func (p *Provider) signature(signed string) []byte {
	sum := sha256.Sum256([]byte(signed))
	key := p.Keypair.PrivateKey
	switch p.sign {
	case None:
		return nil
	case Secret:
		mac := hmac.New(sha256.New, []byte(p.ClientSecret))
		mac.Write([]byte(signed))
		return mac.Sum(nil)
	case Foreign:
		key = p.foreign
	}
	out, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return out
}

// changed is an object in JSON with other values in it.
func changed(object []byte, with map[string]any) []byte {
	values := map[string]any{}
	dec := json.NewDecoder(bytes.NewReader(object))
	dec.UseNumber()
	_ = dec.Decode(&values)
	for name, v := range with {
		if v == nil {
			delete(values, name)
			continue
		}
		values[name] = v
	}
	out, _ := json.Marshal(values)
	return out
}
