package main

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"portal.example/portal/internal/oidctest"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/openid"
)

// signOnSite is a portal whose staff log in at a provider.
type signOnSite struct {
	*site
	mock *oidctest.Provider
}

const signOnPublic = "http://127.0.0.1:1" // where the provider sends browsers; the tests take them to the portal

func newSignOnSite(t *testing.T) signOnSite {
	t.Helper()
	mock := oidctest.Start(t)
	mock.Says(map[string]any{"end_session_endpoint": mock.Issuer() + "/logout"})
	mock.Down(true) // the portal starts without it
	s := startSite(t, pgtest.New(t), "127.0.0.1:0", fixtures+"update erp.company set confirm_within = '15 minutes';", func(c *settings) {
		c.PublicURL = signOnPublic
		c.ssoSettings = ssoSettings{SSOIssuer: mock.Issuer(), SSOClientID: mock.ClientID, SSOSecret: mock.ClientSecret, SSOName: "Acme ID",
			SSOScopes: []string{"openid", "email"}, SSODuties: []string{"portal-sales=sales", "portal-admins=administrator"}}
	})
	return signOnSite{s, mock}
}

// dana is the account of desk@demo.example at the provider.
func (s signOnSite) dana(more oidctest.Claims) {
	c := oidctest.Claims{"sub": "dana-1", "email": "desk@demo.example", "email_verified": true, "groups": []string{"portal-sales", "portal-admins"}}
	maps.Copy(c, more)
	s.mock.Is(c)
}

// toProvider is the way to the provider from an address of the portal, and what the
// browser comes back to: a path of the portal.
func (v *visitor) toProvider(t *testing.T, from string) string {
	t.Helper()
	begun := v.page(from)
	if begun.status != http.StatusSeeOther {
		t.Fatalf("%s: %d %s", from, begun.status, begun.body)
	}
	resp, err := v.client.Get(begun.header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	back := resp.Header.Get("Location")
	path, ours := strings.CutPrefix(back, signOnPublic)
	if !ours {
		t.Fatalf("%s led to %s, and that %d to %q", from, begun.header.Get("Location"), resp.StatusCode, back)
	}
	return path
}

// comes goes to the provider and comes back.
func (v *visitor) comes(t *testing.T, next string) answer {
	t.Helper()
	return v.page(v.toProvider(t, "/login/sso?next="+url.QueryEscape(next)))
}

// refusedWith checks that an answer leads to the log-in, which says why.
func (v *visitor) refusedWith(t *testing.T, a answer, words string) {
	t.Helper()
	to := a.header.Get("Location")
	if a.status != http.StatusSeeOther || !strings.HasPrefix(to, "/login?sso=") {
		t.Fatalf("%d to %q: %s", a.status, to, a.body)
	}
	if page := v.page(to); page.status != http.StatusOK || !strings.Contains(page.body, words) || !strings.Contains(page.body, "Log in with Acme ID") {
		t.Errorf("%s: %d, without %q", to, page.status, words)
	}
	if v.read("/desk/orders").status != http.StatusUnauthorized {
		t.Error("and yet it is logged in")
	}
}

func TestSingleSignOn(t *testing.T) {
	t.Parallel()
	s := newSignOnSite(t)
	s.buyer("C1001") // customers do without the provider
	s.mock.Down(false)
	for _, sub := range []struct {
		name string
		test func(*testing.T, signOnSite)
	}{
		{"log in", signOnLogIn}, {"attacks", signOnAttacks}, {"words", signOnWords}, {"prove anew", signOnAnew}, {"log out", signOnLogOut},
		{"second factor", signOnFactor}, {"local log-ins closed", signOnOnly},
	} {
		s.dana(nil)
		t.Run(sub.name, func(t *testing.T) { sub.test(t, s) })
	}
}

func signOnLogIn(t *testing.T, s signOnSite) {
	v := s.visit()
	if page := v.page("/login?next=/desk/items"); !strings.Contains(page.body, `href="/login/sso?next=%2Fdesk%2Fitems"`) {
		t.Errorf("the button is not there: %s", page.body)
	}
	a := v.comes(t, "/desk/orders?status=open")
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/desk/orders?status=open" {
		t.Fatalf("%d to %q: %s", a.status, a.header.Get("Location"), a.body)
	}
	profile := v.page("/desk/profile")
	if !strings.Contains(profile.body, "You log in with Acme ID") || strings.Contains(profile.body, "current_password") ||
		!strings.Contains(profile.body, `<td data-label="By">Single sign-on</td>`) {
		t.Errorf("profile: %s", profile.body)
	}
	if a := v.page("/login/sso?next=/desk/items"); a.header.Get("Location") != "/desk/items" {
		t.Errorf("who is logged in is led to %q", a.header.Get("Location"))
	}
	if got := pgtest.Value[string](t, s.db, "select array_to_string(portal.duties(login_id), ' ') from portal.login where email = 'desk@demo.example'"); got != "sales administrator" {
		t.Errorf("Dana has %s", got)
	}
}

func signOnAttacks(t *testing.T, s signOnSite) {
	for next, want := range map[string]string{"https://elsewhere.example/desk": "/desk/orders", "//elsewhere.example": "/desk/orders", "/logout": "/desk/orders", "/login/sso": "/desk/orders"} {
		if got := s.visit().comes(t, next).header.Get("Location"); got != want {
			t.Errorf("next=%s leads to %q", next, got)
		}
	}
	const late = "took too long, or was begun in another browser"
	mine, victim := s.visit(), s.visit()
	back := mine.toProvider(t, "/login/sso")
	victim.refusedWith(t, victim.page(back), late) // never began one
	victim.toProvider(t, "/login/sso")
	victim.refusedWith(t, victim.page(back), late) // began another
	if a := mine.page(back); a.header.Get("Location") != "/desk/orders" {
		t.Fatalf("its own browser: %d to %q", a.status, a.header.Get("Location"))
	}
	mine.post("/logout")
	mine.refusedWith(t, mine.page(back), late)
	mine.refusedWith(t, mine.page("/login/sso/callback?code=x&state=made-up"), late)
	mine.refusedWith(t, mine.page("/login/sso/callback"), late)

	v := s.visit()
	one, other := v.toProvider(t, "/login/sso"), v.toProvider(t, "/login/sso")
	code := func(back string) string { u, _ := url.Parse(back); return u.Query().Get("code") }
	v.refusedWith(t, v.page(strings.Replace(one, code(one), code(other), 1)), "could not be used") // the code of another way

	for what, claims := range map[string]oidctest.Claims{"nonce": {"nonce": "x"}, "audience": {"aud": "x"}, "different provider": {"iss": "https://x.example"}} {
		s.dana(claims)
		v.refusedWith(t, v.comes(t, "/"), "could not be used")
		if !strings.Contains(s.log.String(), what) {
			t.Errorf("the log does not say that the %s was wrong", what)
		}
	}
	s.dana(nil)
	for _, sign := range []string{oidctest.None, oidctest.Foreign, oidctest.Secret} {
		s.mock.Sign(sign)
		v.refusedWith(t, v.comes(t, "/"), "could not be used")
	}
	s.mock.Sign(oidctest.Right)

	// the way back comes from the settings, whatever Host says
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/login/sso", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "evil.example"
	resp, err := v.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if at, err := resp.Location(); err != nil || at.Query().Get("redirect_uri") != signOnPublic+"/login/sso/callback" || at.Query().Get("code_challenge_method") != "S256" {
		t.Errorf("%v, %v", at, err)
	}
	for _, secret := range []string{code(one), code(back), s.mock.ClientSecret} {
		if strings.Contains(s.log.String(), secret) {
			t.Error("the log has a code or a secret")
		}
	}
}

func signOnWords(t *testing.T, s signOnSite) {
	v := s.visit()
	state := func() string {
		u, _ := url.Parse(v.toProvider(t, "/login/sso?next=/desk/items"))
		return u.Query().Get("state")
	}
	denied := v.page("/login/sso/callback?error=access_denied&error_description=<b>no&state=" + state())
	v.refusedWith(t, denied, "was cancelled, or refused there")
	if !strings.Contains(denied.header.Get("Location"), "next=%2Fdesk%2Fitems") {
		t.Errorf("the page that was wanted is forgotten: %s", denied.header.Get("Location"))
	}
	v.refusedWith(t, v.page("/login/sso/callback?error=server_error&state="+state()), "does not answer at the moment")
	back := v.toProvider(t, "/login/sso")
	s.mock.Down(true)
	v.refusedWith(t, v.page(back), "does not answer at the moment")
	s.mock.Down(false)
	for words, claims := range map[string]oidctest.Claims{
		"has not verified your e-mail": {"sub": "new", "email_verified": false},
		"has a duty in the portal":     {"sub": "new", "groups": []string{"other"}},
		"Nobody of the staff":          {"sub": "new", "email": "new@demo.example"},
		"belongs to a customer":        {"sub": "new", "email": "buyer@c1001.example"},
		"linked to another account":    {"sub": "new"},
	} {
		s.dana(claims)
		v.refusedWith(t, v.comes(t, "/"), words)
	}
	pgtest.Exec(t, s.db, "update portal.login set disabled = true where email = 'ops@demo.example'")
	s.dana(oidctest.Claims{"sub": "omar", "email": "ops@demo.example"})
	v.refusedWith(t, v.comes(t, "/"), "Your log-in is closed")
	if page := v.page("/login?sso=<script>"); strings.Contains(page.body, "<script>\"") || strings.Contains(page.body, `role="alert"`) {
		t.Error("a refusal that there is none of is shown")
	}
}

// Before people, who came by single sign-on proves anew who they are at the provider.
func signOnAnew(t *testing.T, s signOnSite) {
	v := s.visit()
	v.comes(t, "/")
	pgtest.Exec(t, s.db, "update portal.session set confirmed_at = null")
	const form = "/desk/customers/C1001/people"
	fields := []string{"email", "new@c1001.example", "name", "Nell <Newly>", "role", "buyer"}
	asked := v.send(form, fields...)
	if asked.status != http.StatusForbidden || !strings.Contains(asked.body, "Confirm at Acme ID") || !strings.Contains(asked.body, `value="Nell &lt;Newly&gt;"`) ||
		strings.Contains(asked.body, "proof_password") {
		t.Fatalf("%d %s", asked.status, asked.body)
	}
	if a := v.post(form, append(fields, "proof_password", demoPassword)...); a.get("error.code") != "confirm" && !strings.Contains(a.body, "confirm") || a.status != http.StatusForbidden {
		t.Errorf("a password: %d %s", a.status, a.body)
	}
	if a := v.send(form, append(fields, "proof_sso", "1")...); a.status != http.StatusForbidden || !strings.Contains(a.body, "Acme ID has not confirmed it yet") || !strings.Contains(a.body, "Nell") {
		t.Errorf("too early: %d %s", a.status, a.body)
	}
	for what, claims := range map[string]oidctest.Claims{
		"another account":           {"sub": "somebody"},
		"remembered, and not asked": {"auth_time": time.Now().Add(-time.Hour).Unix()},
		"it does not say when":      {"auth_time": nil},
	} {
		s.dana(claims)
		if a := v.page(v.toProvider(t, "/login/sso/confirm")); a.status != http.StatusForbidden || !strings.Contains(a.body, "did not prove that it is you") {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
	}
	s.dana(nil)
	back := v.toProvider(t, "/login/sso/confirm")
	if q := s.mock.Asked(); q.Get("prompt") != "login" || q.Get("max_age") != "0" {
		t.Errorf("asked with %v", q)
	}
	stranger := s.visit()
	stranger.refusedWith(t, stranger.page(back), "took too long")
	if a := v.page(back); a.status != http.StatusOK || !strings.Contains(a.body, "Acme ID has confirmed it") {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := v.send(form, append(fields, "proof_sso", "1")...); a.status >= 400 {
		t.Errorf("after it: %d %s", a.status, a.body)
	}
	if a := s.logIn("desk@demo.example").page("/login/sso/confirm"); a.status != http.StatusNotFound {
		t.Errorf("a session of a password: %d", a.status)
	}
	if a := s.buyer("C1001").page("/login/sso/confirm"); a.status != http.StatusNotFound {
		t.Errorf("a customer: %d", a.status)
	}
}

func signOnLogOut(t *testing.T, s signOnSite) {
	v := s.visit()
	v.comes(t, "/")
	out := v.send("/logout").header.Get("Location")
	if page := v.page(out); out != "/login?out=sso" || !strings.Contains(page.body, "At Acme ID you are still logged in") {
		t.Errorf("%q: %s", out, page.body)
	}
	if to := v.page("/login/sso/end").header.Get("Location"); !strings.HasPrefix(to, s.mock.Issuer()+"/logout?") || !strings.Contains(to, url.QueryEscape(signOnPublic+"/login")) {
		t.Errorf("the provider's log-out: %q", to)
	}
	if to := s.logIn("desk@demo.example").send("/logout").header.Get("Location"); to != "/login" {
		t.Errorf("who came by password is led to %q", to)
	}
}

func signOnFactor(t *testing.T, s signOnSite) {
	pgtest.Exec(t, s.db, "update erp.company set staff_second_factor = true")
	defer pgtest.Exec(t, s.db, "update erp.company set staff_second_factor = false")
	v := s.visit()
	if to := v.comes(t, "/desk/items").header.Get("Location"); to != "/login/factor?next=%2Fdesk%2Fitems" {
		t.Errorf("led to %q", to)
	}
	if v.read("/desk/orders").status != http.StatusUnauthorized {
		t.Error("it goes on without a second factor")
	}
}

func signOnOnly(t *testing.T, s signOnSite) {
	local := s.logIn("desk@demo.example")
	s.visit().comes(t, "/")
	pgtest.Exec(t, s.db, "update erp.company set staff_local_login = false")
	if local.read("/desk/orders").status != http.StatusUnauthorized {
		t.Error("a session of a password goes on")
	}
	a := s.visit().send("/login", "email", "desk@demo.example", "password", demoPassword)
	if a.status != http.StatusForbidden || !strings.Contains(a.body, "Staff log in by single sign-on here.") || !strings.Contains(a.body, `value="desk@demo.example"`) {
		t.Errorf("a password: %d %s", a.status, a.body)
	}
	if a := s.visit().comes(t, "/"); a.header.Get("Location") != "/desk/orders" {
		t.Errorf("single sign-on: %d to %q", a.status, a.header.Get("Location"))
	}
	s.buyer("C1002")
}

// What operators write into settings, and what doctor says of it.
func TestSingleSignOnSettings(t *testing.T) {
	t.Parallel()
	got, err := ssoSettings{SSODuties: []string{"portal-sales=sales", " cn=admins,ou=groups = administrator", "ops=operator"}}.grants()
	want := []openid.Grant{{Group: "portal-sales", Duty: "sales"}, {Group: "cn=admins,ou=groups", Duty: "administrator"}, {Group: "ops", Duty: "operator"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	for _, wrong := range []string{"portal-sales", "=sales", "portal-sales="} {
		c := ssoSettings{SSOIssuer: "https://x.example", SSOClientID: "x", SSODuties: []string{wrong}}
		if _, err := c.provider("https://y.example", nil); err == nil || !strings.Contains(err.Error(), "write GROUP=DUTY") {
			t.Errorf("%s: %v", wrong, err)
		}
	}

	mock := oidctest.Start(t)
	db := pgtest.New(t)
	doctor := func(c ssoSettings) string {
		t.Helper()
		var out strings.Builder
		err := doctorCommand{URL: db.URL, ssoSettings: c, mailSettings: mailSettings{PublicURL: "https://y.example"}}.Run(t.Context(), &out)
		if err != nil && err.Error() != "not all is well" {
			t.Fatal(err)
		}
		return out.String()
	}
	c := ssoSettings{SSOIssuer: mock.Issuer(), SSOClientID: mock.ClientID, SSODuties: []string{"g=sales", "h=king"}}
	if said := doctor(c); !strings.Contains(said, "ok   the provider of single sign-on is "+mock.Issuer()) || !strings.Contains(said, "BAD  the duties that groups give are there (unknown: king)") ||
		!strings.Contains(said, "https://y.example/login/sso/callback") {
		t.Error(said)
	}
	c.SSOIssuer += "/"
	if said := doctor(c); !strings.Contains(said, "BAD  the provider of single sign-on says who it is") || !strings.Contains(said, "PORTAL_SSO_ISSUER must be exactly that") {
		t.Error(said)
	}
	pgtest.Exec(t, db, "set session_replication_role = replica; update erp.company set staff_local_login = false; set session_replication_role = default")
	if said := doctor(ssoSettings{}); !strings.Contains(said, "BAD  staff log in by single sign-on only") || !strings.Contains(said, "ok   no provider of single sign-on is set") {
		t.Error(said)
	}
}

// The command line lets somebody in when the provider is gone.
func TestLetIn(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pgtest.Exec(t, db, strings.ReplaceAll(fixtures, "$hash", "$2a$04$"+strings.Repeat("x", 53)))
	var out strings.Builder
	if err := (userLetInCommand{database: database{URL: db.URL}, Email: "desk@demo.example", For: time.Hour}).Run(t.Context(), &out); err != nil || !strings.Contains(out.String(), "desk@demo.example  password: ") {
		t.Errorf("%v: %s", err, out.String())
	}
	for email, howLong := range map[string]time.Duration{"desk@demo.example": 0, "ops@demo.example": 1000 * time.Hour, "buyer@c1001.example": time.Hour, "nobody@demo.example": time.Hour} {
		if err := (userLetInCommand{database: database{URL: db.URL}, Email: email, For: howLong}).Run(t.Context(), &out); err == nil {
			t.Errorf("%s was let in for %v", email, howLong)
		}
	}
	if err := (userUnlinkCommand{database: database{URL: db.URL}, Email: "desk@demo.example"}).Run(t.Context(), &out); err == nil || !strings.Contains(err.Error(), "linked to no account") {
		t.Errorf("%v", err)
	}
}
