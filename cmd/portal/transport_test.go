package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"portal.example/portal/http/page"
	"portal.example/portal/internal/acmetest"
	"portal.example/portal/internal/pgtest"
)

const tlsHost = "orders.acme.test"

// secure is a site whose TLS ends in the portal, reached under its name.
type secure struct {
	*site
	client   *http.Client
	base     string // https://orders.acme.test:port
	redirect string // address of http
}

// startSecure starts a portal with certificates of an ACME server.
func startSecure(t testing.TB, db *pgtest.DB, acme *acmetest.Server, setup string) *secure {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	redirect := fmt.Sprintf("127.0.0.1:%d", port)
	s := startSite(t, db, "127.0.0.1:0", setup, func(c *settings) {
		c.PlainHTTP, c.TLS, c.Host, c.RedirectAddr = false, "auto", []string{tlsHost}, redirect
		c.ACMEDirectory, c.ACMECA = acme.Directory, acme.CAFile
	})
	_, port443, _ := net.SplitHostPort(strings.TrimPrefix(s.URL, "http://"))
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	dial := func(ctx context.Context, _, address string) (net.Conn, error) {
		_, to, _ := net.SplitHostPort(address)
		return new(net.Dialer).DialContext(ctx, "tcp", "127.0.0.1:"+to)
	}
	return &secure{site: s, base: "https://" + tlsHost + ":" + port443, redirect: redirect,
		client: &http.Client{Jar: jar, Timeout: time.Minute, Transport: &http.Transport{ForceAttemptHTTP2: true,
			DialContext: dial, TLSClientConfig: &tls.Config{RootCAs: acme.Roots}},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// serial is the number of the certificate that is shown.
func (s *secure) serial(roots *x509.CertPool) string {
	s.t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(s.URL, "http://"), &tls.Config{RootCAs: roots, ServerName: tlsHost})
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

func (s *secure) ask(method, address, body string, headers ...string) *http.Response {
	s.t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// A portal with nothing but a name gets its certificate from a real ACME server,
// speaks HTTP/2, has Secure cookies and HSTS, and leads http to https; sockets
// work; a second node on the same database shows the same certificate and asks for
// none.
func TestTLSInTheBinary(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	acme := acmetest.Start(t)
	s := startSecure(t, db, acme, fixtures)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(s.URL, "http://"))
	var tlsPort int
	_, _ = fmt.Sscan(port, &tlsPort)
	acme.Begin(1, tlsPort) // TLS-ALPN-01 only

	form := url.Values{"email": {"buyer@c1003.example"}, "password": {demoPassword}}.Encode()
	in := s.ask("POST", s.base+"/login", form, "Content-Type", "application/x-www-form-urlencoded",
		"X-Forwarded-For", "6.6.6.6")
	if in.StatusCode != http.StatusSeeOther || in.Proto != "HTTP/2.0" {
		t.Fatalf("log in: %d over %s", in.StatusCode, in.Proto)
	}
	if !strings.HasPrefix(in.Header.Get("Strict-Transport-Security"), "max-age=31536000") {
		t.Errorf("HSTS: %q", in.Header.Get("Strict-Transport-Security"))
	}
	if len(in.Cookies()) != 2 {
		t.Errorf("cookies: %v", in.Cookies())
	}
	star := s.ask("POST", s.base+"/favorites/OIL5", "on=1", "Content-Type", "application/x-www-form-urlencoded")
	for _, c := range append(in.Cookies(), star.Cookies()...) {
		if !c.Secure || !c.HttpOnly {
			t.Errorf("cookie %s: %s", c.Name, c.Raw)
		}
	}
	if got := s.ask("GET", s.base+"/orders", ""); got.StatusCode != http.StatusOK {
		t.Errorf("a page: %d", got.StatusCode)
	}
	if got := s.ask("HEAD", s.base+"/orders", ""); got.StatusCode != http.StatusOK {
		t.Errorf("its head: %d", got.StatusCode)
	}
	lead := s.ask("GET", "http://"+s.redirect+"/orders?x=1", "")
	if got := lead.Header.Get("Location"); lead.StatusCode != http.StatusMovedPermanently ||
		got != "https://"+tlsHost+"/orders?x=1" && got != s.base+"/orders?x=1" {
		t.Errorf("http leads to %q with %d", got, lead.StatusCode)
	}

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	socket, resp, err := websocket.Dial(ctx, strings.Replace(s.base, "https", "wss", 1)+"/live", &websocket.DialOptions{
		HTTPClient: &http.Client{Jar: s.client.Jar,
			Transport: &http.Transport{DialContext: s.client.Transport.(*http.Transport).DialContext,
				TLSClientConfig: &tls.Config{RootCAs: acme.Roots}}}})
	if err != nil {
		t.Fatalf("socket: %v (%v)", err, resp)
	}
	defer socket.CloseNow()
	if _, hello, err := socket.Read(ctx); err != nil || !strings.Contains(string(hello), "cursor") {
		t.Errorf("socket: %q, %v", hello, err)
	}

	second := startSecure(t, db, acme, "")
	if one, two := s.serial(acme.Roots), second.serial(acme.Roots); one != two {
		t.Errorf("nodes show %s and %s", one, two)
	}
	if n := acme.Issued.Load(); n != 1 {
		t.Errorf("%d certificates were asked for", n)
	}
	if names := pgtest.Value[string](t, db,
		`select string_agg(name, ' ' order by name) from portal.certificate_cache`); names != "acme_account+key "+tlsHost {
		t.Errorf("kept: %s", names)
	}

	// X-Forwarded-For came from this machine, which nobody trusts: doctor says so
	eventually(t, "the stranger is noted", func() bool {
		return pgtest.Value[int](t, db, "select count(*)::int from portal.unknown_proxy where source = '127.0.0.1'") == 1
	})
	if source := pgtest.Value[string](t, db, "select source from portal.session"); source != "127.0.0.1" {
		t.Errorf("the session is of %q", source)
	}
	if _, out, _ := portal(t, db, "doctor"); !strings.Contains(out, "BAD  X-Forwarded-For came from 127.0.0.1") {
		t.Errorf("doctor says\n%s", out)
	}
}

// What the settings of TLS and proxies lack is said in words.
func TestTransportSettings(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]settings{
		"--trusted-proxy: \"true\"": {transportSettings: transportSettings{TrustedProxy: []string{"true"}}},
		"--proxy-protocol needs":    {transportSettings: transportSettings{ProxyProtocol: true}},
		"--tls auto needs --host": {transportSettings: transportSettings{certificateSettings: certificateSettings{
			TLS: "auto"}}},
		"is no name": {transportSettings: transportSettings{certificateSettings: certificateSettings{
			TLS: "auto", Host: []string{"https://x.example"}}}},
		"--plain-http and TLS": {PlainHTTP: true,
			transportSettings: transportSettings{certificateSettings: certificateSettings{
				TLS: "auto", Host: []string{"x.example"}}}},
		"choose where certificates": {transportSettings: transportSettings{certificateSettings: certificateSettings{
			TLS: "auto", TLSCert: "a", TLSKey: "b", Host: []string{"x.example"}}}},
		"TLS needs --host": {transportSettings: transportSettings{certificateSettings: certificateSettings{
			TLSCert: "a", TLSKey: "b"}}},
		"TLS needs --host orders.examp": {transportSettings: transportSettings{certificateSettings: certificateSettings{
			TLSCert: "a"}},
			mailSettings: mailSettings{PublicURL: "http://x.example"}},
	} {
		if err := c.checkTransport(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
	for _, c := range []struct {
		in           settings
		addr, public string
	}{
		{settings{}, "127.0.0.1:8080", ""},
		{settings{transportSettings: transportSettings{certificateSettings: certificateSettings{
			TLS: "auto", Host: []string{"Orders.Example.com"}}}}, ":443",
			"https://orders.example.com"},
		{settings{Addr: ":8443", transportSettings: transportSettings{certificateSettings: certificateSettings{
			TLS: "auto", Host: []string{"a.example", "b.example"}}}},
			":8443", "https://a.example:8443"},
		{settings{Addr: ":8080", transportSettings: transportSettings{certificateSettings: certificateSettings{
			Host: []string{"a.example"}}}}, ":8080",
			"https://a.example"},
		{settings{mailSettings: mailSettings{PublicURL: "https://a.example/"}}, "127.0.0.1:8080", "https://a.example"},
	} {
		if err := c.in.checkTransport(); err != nil || c.in.Addr != c.addr || c.in.PublicURL != c.public {
			t.Errorf("%+v: %s, %s, %v", c.in.transportSettings, c.in.Addr, c.in.PublicURL, err)
		}
	}
}

// A demonstration, whose passwords everybody knows, is for this machine unless
// somebody says otherwise.
func TestDemoStaysHome(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]bool{"127.0.0.1:8080": true, "localhost:1": true, "[::1]:8080": true,
		"0.0.0.0:8080": false, ":8080": false, "192.0.2.1:80": false} {
		c := demoCommand{settings: settings{Addr: addr}}
		if err := c.mayListen(io.Discard); (err == nil) != want {
			t.Errorf("%s: %v", addr, err)
		}
		c.Open = true
		if err := c.mayListen(io.Discard); err != nil {
			t.Errorf("%s, open: %v", addr, err)
		}
	}
}

// A visitor without a session who sends a form a byte at a time is cut; links
// that are handed on begin with the portal's own address, whatever Host says; and
// /metrics does not exist where nobody has set a token.
func TestOnTheInternet(t *testing.T) {
	t.Parallel()
	s := startSite(t, pgtest.New(t), "127.0.0.1:0", fixtures, func(c *settings) {
		c.limits, c.PublicURL, c.MetricsToken, c.MetricsAddr = page.Limits{StrangerTime: 2 * time.Second},
			"https://orders.example.com", "", "127.0.0.1:0"
	})
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: "+
		"application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\nemail=")

	pgtest.Exec(t, s.db, "update erp.web_access set many_logins = true")
	desk := s.logIn("desk@demo.example")
	req, err := http.NewRequest("POST", s.URL+"/desk/customers/C1003/people",
		strings.NewReader(url.Values{"email": {"new@c1003.example"}, "name": {"New"}, "role": {"buyer"},
			"spend_period": {"order"}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range desk.client.Jar.Cookies(req.URL) {
		req.AddCookie(c)
	}
	req.Host = "evil.example"
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := desk.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	made, err := readAnswer(resp)
	if err != nil {
		t.Fatal(err)
	}
	if link, _ := made.get("link").(string); !strings.HasPrefix(link, "https://orders.example.com/invite?token=") {
		t.Errorf("the link: %d %s", made.status, made.body)
	}
	if a := s.metrics(); a.status != http.StatusNotFound {
		t.Errorf("/metrics: %d", a.status)
	}

	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	if said, err := io.ReadAll(conn); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("the slow form: %q, %v", said, err)
	}
}
