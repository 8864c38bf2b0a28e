package main

import (
	"fmt"
	"net"
	"testing"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"portal.example/portal/internal/pgtest"
)

// newPasskeySite is a portal that knows its own name, which passkeys are bound to. It
// is localhost, since browsers take that for safe without TLS.
func newPasskeySite(t *testing.T) *site {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	s := startSite(t, pgtest.New(t), fmt.Sprintf("127.0.0.1:%d", port), fixtures, func(c *settings) {
		c.PublicURL, c.FactorKey = fmt.Sprintf("http://localhost:%d", port), factorKey
	})
	s.URL = fmt.Sprintf("http://localhost:%d", port)
	return s
}

// authenticator gives a tab a device with a finger that is always right.
func (b *tab) authenticator() {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		b.t.Fatal(err)
	}
	if _, err := chromedp.Call(b.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{
		Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
			HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true},
	}); err != nil {
		b.t.Fatal(err)
	}
}

// A passkey is made on the profile, serves as the second factor after the password, as
// the proof before people are changed, and logs in by itself.
func TestBrowserPasskey(t *testing.T) {
	t.Parallel()
	s := newPasskeySite(t)
	b := openBrowser(t, s.URL, 360)
	b.authenticator()
	b.logIn("desk@demo.example")
	b.goTo("/desk/profile")
	b.inspect("profile", "'main'")
	b.click("form[action='/profile/passkey/new'] button")
	b.see("the button", "document.querySelector('[data-passkey]')?.hidden === false")
	b.inspect("new passkey", "'main'")
	b.click("[data-passkey] button")
	b.see("the recovery codes", "document.querySelectorAll('#codes li').length === 10")
	b.inspect("codes", "'main'")
	if kinds := pgtest.Value[string](t, s.db, "select string_agg(kind, ' ') from portal.factor"); kinds != "passkey" {
		t.Fatalf("kept: %q", kinds)
	}

	b.goTo("/desk/profile")
	b.inspect("profile with a passkey", "'main'")
	b.click("form[action='/profile/app'] button")
	b.see("the picture", "document.querySelector('img.qr')?.naturalWidth > 100")
	b.inspect("app", "'main'")

	logOut := func() {
		b.goTo("/desk/profile")
		b.do(chromedp.Click(chromedp.CSS("#account-menu summary")))
		b.click("#account-menu form[action='/logout'] button")
		b.see("the log-in form", "location.pathname === '/login'")
	}
	t.Log("as the second factor")
	logOut()
	b.do(chromedp.SendKeys(chromedp.CSS("input[name=email]"), "desk@demo.example"),
		chromedp.SendKeys(chromedp.CSS("input[name=password]"), demoPassword))
	b.click("form[action='/login'] button[type=submit]")
	b.see("the second factor",
		"location.pathname === '/login/factor' && document.querySelector('[data-passkey]')?.hidden === false")
	b.inspect("second factor", "'main'")
	b.click("[data-passkey] button")
	b.see("the desk", "location.pathname === '/desk/orders'")

	t.Log("before people are changed")
	pgtest.Exec(t, s.db, "update portal.session set confirmed_at = null")
	b.goTo("/desk/customers/C1001/people")
	b.fill("#invite input[name=email]", "new@c1001.example")
	b.click("#invite form.form button[type=submit]")
	b.see("the question", "document.querySelector('h1').textContent === 'Is it you?' && "+
		"document.querySelector('[data-passkey]')?.hidden === false")
	b.inspect("is it you", "'main'")
	b.click("[data-passkey] button")
	b.see("the invitation", "document.body.innerText.includes('new@c1001.example')")
	if n := pgtest.Value[int](t, s.db,
		"select count(*)::int from portal.invited_person where email = 'new@c1001.example'"); n != 1 {
		t.Errorf("%d people were invited", n)
	}

	t.Log("alone")
	logOut()
	b.see("the button", "document.querySelector('[data-passkey]')?.hidden === false")
	b.inspect("log in", "'main'")
	b.click("[data-passkey] button")
	b.see("the desk", "location.pathname === '/desk/orders'")
	if n := pgtest.Value[int](t, s.db,
		"select count(*)::int from portal.factor_challenge where purpose <> 'app'"); n != 0 {
		t.Errorf("%d challenges are left to be answered again", n)
	}
	// what was kept of a passkey is another's no more: a copy with an older counter is refused
	pgtest.Exec(t, s.db,
		"update portal.factor set credential = jsonb_set(credential, '{authenticator,signCount}', '4000000')")
	logOut()
	b.see("the button", "document.querySelector('[data-passkey]')?.hidden === false")
	b.click("[data-passkey] button")
	b.see("a refusal", "document.querySelector('[role=alert]') !== null && document.body.innerText.includes('did not "+
		"prove it')")
}
