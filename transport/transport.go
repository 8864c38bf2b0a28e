// Package transport is how the internet reaches the portal: TLS with
// certificates from files or by ACME, the way from http to https, the PROXY
// protocol, and how many connections one source may hold.
//
// It knows nothing of pages and of the database; where certificates are kept is
// handed to it.
package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// Config says which certificates are served. Either CertFile and KeyFile are set,
// or Hosts and Cache: then certificates are asked for by ACME.
type Config struct {
	CertFile, KeyFile string // PEM; read again when they change

	Hosts     []string       // names that certificates are asked for, in ASCII
	Cache     autocert.Cache // account, certificates and answers to challenges; several nodes share it
	Directory string         // of the ACME server; empty: Let's Encrypt
	CAFile    string         // PEM of who signs the ACME server's own certificate; empty: the system's
	Email     string         // whom the ACME server tells of trouble; may be empty

	Logger *slog.Logger // default: discards
}

// Certificates answers handshakes. Safe for concurrent use.
type Certificates struct {
	logger *slog.Logger
	files  *files
	acme   *autocert.Manager
	hosts  []string
	warned atomic.Int64 // when a failure was last told, in Unix seconds
}

// New prepares certificates. Files are read now, so that a wrong path ends the
// start; by ACME nothing is asked for before Prepare or the first handshake.
func New(config Config) (*Certificates, error) {
	c := &Certificates{logger: config.Logger, hosts: config.Hosts}
	if c.logger == nil {
		c.logger = slog.New(slog.DiscardHandler)
	}
	if config.CertFile != "" || config.KeyFile != "" {
		var err error
		c.files, err = readFiles(config.CertFile, config.KeyFile, c.logger)
		return c, err
	}
	if len(config.Hosts) == 0 || config.Cache == nil {
		return nil, errors.New("certificates by ACME need the names of the portal and a place to keep them")
	}
	client := &acme.Client{DirectoryURL: config.Directory, UserAgent: "portal"}
	if config.CAFile != "" {
		pem, err := os.ReadFile(config.CAFile)
		if err != nil {
			return nil, fmt.Errorf("certificate of the ACME server: %w", err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate in PEM", config.CAFile)
		}
		client.HTTPClient = &http.Client{Timeout: time.Minute, Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	}
	c.acme = &autocert.Manager{Prompt: autocert.AcceptTOS, Cache: config.Cache, Email: config.Email, Client: client,
		HostPolicy: func(_ context.Context, host string) error {
			if !c.knows(host) {
				return fmt.Errorf("%q is not a name of this portal", host)
			}
			return nil
		}}
	return c, nil
}

// knows reports whether a name, with or without a port, is one of ours.
func (c *Certificates) knows(name string) bool {
	if host, _, err := net.SplitHostPort(name); err == nil {
		name = host
	}
	return slices.Contains(c.hosts, strings.TrimSuffix(strings.ToLower(name), "."))
}

// TLS is what a server is set up with: TLS 1.2 and later, HTTP/2 and HTTP/1.1,
// and the answer to the challenge TLS-ALPN-01.
func (c *Certificates) TLS() *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: c.certificate}
	if c.acme != nil {
		config.NextProtos = append(config.NextProtos, acme.ALPNProto)
	}
	return config
}

func (c *Certificates) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if c.files != nil {
		return c.files.certificate()
	}
	cert, err := c.acme.GetCertificate(hello)
	if err != nil && c.knows(hello.ServerName) {
		if now, last := time.Now().Unix(), c.warned.Load(); now-last >= 60 && c.warned.CompareAndSwap(last, now) {
			c.logger.Error("there is no certificate: is the name this machine's, and are ports 443 and 80 open to the internet?",
				"host", hello.ServerName, "error", err)
		}
	}
	return cert, err
}

// Prepare asks for the certificates of all names, so that the first visitor need
// not wait, and so that they are renewed while nobody comes. What fails is in the
// log, and is tried again when somebody comes.
func (c *Certificates) Prepare(ctx context.Context) {
	for _, host := range c.hosts {
		if c.acme == nil || ctx.Err() != nil {
			return
		}
		// as any present browser asks: for a certificate with an elliptic curve
		_, _ = c.certificate(&tls.ClientHelloInfo{ServerName: host, SupportedVersions: []uint16{tls.VersionTLS13},
			CipherSuites:     []uint16{tls.TLS_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
			SupportedCurves:  []tls.CurveID{tls.CurveP256},
			SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256}})
	}
}

// Redirect leads from http to https, at base ("https://orders.example.com") or at
// the name that was asked for, if it is one of ours; the Host of a request is not
// believed otherwise. It answers the challenge HTTP-01. Forms are not led over: what
// they hold has crossed the network in the clear, and the program that sent it
// is to be told.
func (c *Certificates) Redirect(base string) http.Handler {
	redirect := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "Use https.", http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, c.at(base, r.Host)+r.URL.RequestURI(), http.StatusMovedPermanently)
	}))
	if c.acme != nil {
		return c.acme.HTTPHandler(redirect)
	}
	return redirect
}

// at is base with the name that was asked for, where that is one of ours.
func (c *Certificates) at(base, asked string) string {
	if !c.knows(asked) {
		return base
	}
	if host, _, err := net.SplitHostPort(asked); err == nil {
		asked = host
	}
	rest := strings.TrimPrefix(base, "https://")
	port := ""
	if _, p, err := net.SplitHostPort(rest); err == nil {
		port = ":" + p
	}
	return "https://" + strings.ToLower(asked) + port
}
