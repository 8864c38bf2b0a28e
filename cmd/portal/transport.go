package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	nethttp "net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/crypto/acme/autocert"

	root "portal.example/portal" // the test programs have a function of its name
	"portal.example/portal/sql"
	"portal.example/portal/transport"
)

// transportSettings say how the internet reaches the portal.
type transportSettings struct {
	certificateSettings
	RedirectAddr  string   `help:"With TLS: address that leads from http to https, and answers ACME; none: there is none." default:":80" env:"PORTAL_REDIRECT_ADDR"`
	ACMEDirectory string   `name:"acme-directory" help:"Directory of another ACME server." env:"PORTAL_ACME_DIRECTORY" placeholder:"URL"`
	ACMECA        string   `name:"acme-ca" help:"Certificate of who signs that server's own, PEM. Default: the system's." type:"existingfile" env:"PORTAL_ACME_CA" placeholder:"FILE"`
	ACMEEmail     string   `name:"acme-email" help:"Whom the ACME server may write to about the certificates." env:"PORTAL_ACME_EMAIL" placeholder:"ADDRESS"`
	TrustedProxy  []string `help:"Networks of proxies that say who the client is, in X-Forwarded-For or by --proxy-protocol: 10.0.0.0/8,2001:db8::/32 or single addresses." env:"PORTAL_TRUSTED_PROXY" placeholder:"NETWORK,…"`
	ProxyProtocol bool     `help:"Connections of trusted proxies begin with a header of the PROXY protocol, 1 or 2." env:"PORTAL_PROXY_PROTOCOL"`
	SourceConns   int      `name:"source-conns" help:"Most connections of one client address (IPv6: one /64), websockets and trusted proxies aside; 0: any number." default:"200" env:"PORTAL_SOURCE_CONNS"`

	SessionSockets int `help:"Most websockets of one session, whose tabs share one; 0: any number." default:"20" env:"PORTAL_SESSION_SOCKETS"`

	proxies root.Networks // TrustedProxy, once read
}

// front is what stands between the network and the pages.
type front struct {
	certs    *transport.Certificates // nil: TLS ends elsewhere
	redirect string                  // where http leads to: https://orders.example.com
}

// encrypted reports whether TLS ends here.
func (c settings) encrypted() bool { return c.TLS == "auto" || c.TLSCert != "" || c.TLSKey != "" }

// checkTransport completes settings of the transport, or says what is wrong with
// them in words.
func (c *settings) checkTransport() error {
	var err error
	if c.proxies, err = root.ParseNetworks(c.TrustedProxy); err != nil {
		return fmt.Errorf("--trusted-proxy: %w", err)
	}
	if c.ProxyProtocol && len(c.proxies) == 0 {
		return errors.New("--proxy-protocol needs --trusted-proxy: whoever may say who the client is must be named")
	}
	for i, host := range c.Host {
		c.Host[i] = strings.ToLower(strings.TrimSpace(host))
		if c.Host[i] == "" || strings.ContainsAny(c.Host[i], "/: ") {
			return fmt.Errorf("--host %q is no name: write orders.example.com", host)
		}
	}
	if c.Addr == "" {
		c.Addr = "127.0.0.1:8080"
		if c.encrypted() {
			c.Addr = ":443"
		}
	}
	if c.PublicURL == "" && len(c.Host) > 0 {
		c.PublicURL = "https://" + c.Host[0]
		if _, port, err := net.SplitHostPort(c.Addr); err == nil && c.encrypted() && port != "443" && port != "0" {
			c.PublicURL += ":" + port
		}
	}
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	if !c.encrypted() {
		return nil
	}
	switch public, err := url.Parse(c.PublicURL); {
	case c.PlainHTTP:
		return errors.New("--plain-http and TLS exclude each other")
	case c.TLS == "auto" && (c.TLSCert != "" || c.TLSKey != ""):
		return errors.New("--tls auto and --tls-cert exclude each other: choose where certificates come from")
	case c.TLS == "auto" && len(c.Host) == 0:
		return errors.New("--tls auto needs --host: the names that certificates are asked for")
	case err != nil || public.Scheme != "https" || public.Host == "":
		return errors.New("TLS needs --host orders.example.com or --public-url https://orders.example.com: http leads there")
	}
	return nil
}

// front prepares certificates.
func (c settings) front(db *sql.DB, logger *slog.Logger) (front, error) {
	if !c.encrypted() {
		return front{}, nil
	}
	config := transport.Config{CertFile: c.TLSCert, KeyFile: c.TLSKey, Hosts: c.Host, Directory: c.ACMEDirectory,
		CAFile: c.ACMECA, Email: c.ACMEEmail, Logger: logger}
	if config.Cache = autocert.Cache(sql.NewCertificateCache(db)); c.TLSCache != "" {
		config.Cache = autocert.DirCache(c.TLSCache)
	}
	certs, err := transport.New(config)
	return front{certs: certs, redirect: c.PublicURL}, err
}

// listen takes connections for the pages.
func (a *app) listen() (net.Listener, error) {
	l, err := net.Listen("tcp", a.Addr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w\nSomething else uses that address, or it needs a right: choose "+
			"another with --addr", a.Addr, err)
	}
	if a.ProxyProtocol {
		l = transport.Proxied(l, a.proxies)
	}
	return l, nil
}

// webServer is the server of the pages: what a request may take in time and
// bytes before it is one.
func (a *app) webServer() *nethttp.Server {
	conns := transport.NewConnections(a.SourceConns, a.proxies, func(source string) {
		a.logger.Warn("an address has too many connections; more are cut", "from", source, "most", a.SourceConns)
	})
	return &nethttp.Server{
		Handler:           a.server,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ConnState:         conns.State,
		HTTP2:             &nethttp.HTTP2Config{MaxConcurrentStreams: 100},
		ErrorLog:          slog.NewLogLogger(a.logger.Handler(), slog.LevelDebug),
	}
}

// serveOn serves pages on l until the server is shut down, and what leads to
// https until ctx ends.
func (a *app) serveOn(ctx context.Context, web *nethttp.Server, l net.Listener) error {
	if a.front.certs == nil {
		return web.Serve(l)
	}
	web.TLSConfig = a.front.certs.TLS()
	if a.RedirectAddr != "" && a.RedirectAddr != "none" {
		if err := a.redirectHTTP(ctx); err != nil {
			return err
		}
	}
	go func() {
		a.front.certs.Prepare(ctx)
		a.watchCertificates(ctx)
	}()
	return web.ServeTLS(l, "", "")
}

// redirectHTTP leads from http to https.
func (a *app) redirectHTTP(ctx context.Context) error {
	l, err := net.Listen("tcp", a.RedirectAddr)
	if err != nil {
		return fmt.Errorf("cannot listen on %s, which leads from http to https: %w\nChoose another with --redirect-addr, "+
			"or none", a.RedirectAddr, err)
	}
	if a.ProxyProtocol {
		l = transport.Proxied(l, a.proxies)
	}
	server := a.webServer()
	server.Handler = a.front.certs.Redirect(a.front.redirect)
	server.ReadTimeout, server.WriteTimeout, server.IdleTimeout = 10*time.Second, 10*time.Second, 10*time.Second
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() {
		if err := server.Serve(l); !errors.Is(err, nethttp.ErrServerClosed) {
			a.logger.Error("nothing leads from http to https any more", "error", err)
		}
	}()
	return nil
}

// unknownProxy notes for doctor that a source forwards requests and is no trusted
// proxy.
func (a *app) unknownProxy(source string) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := sql.NewUnknownProxies(a.db, a.node()).Seen(ctx, source); err != nil {
		a.logger.Debug("note an unknown proxy", "error", err)
	}
}

// loopback reports whether an address to listen on is this machine's only.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return false
	}
	return host == "localhost" || root.ParseAddress(host).IsLoopback()
}
