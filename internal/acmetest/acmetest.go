// Package acmetest is an ACME server in the test's own process: Pebble, which
// Let's Encrypt tests with, and a name server that takes every name to this
// machine.
package acmetest

import (
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
)

// Server is an ACME server that lives until the test's end. Requests wait until
// Begin. Safe for concurrent use.
type Server struct {
	Directory string         // its address
	CAFile    string         // PEM of who signs its own certificate
	Roots     *x509.CertPool // of those it gives out
	Issued    atomic.Int64   // certificates given out

	log   *log.Logger
	store *db.MemoryStore
	ca    *ca.CAImpl
	names string // address of the name server
	begun chan struct{}
	acme  http.Handler
}

// Pebble waits at random before it looks at an answer, unless told not to by the
// environment.
var unhurried = sync.OnceFunc(func() {
	_ = os.Setenv("PEBBLE_VA_NOSLEEP", "1")
	_ = os.Setenv("PEBBLE_WFE_NONCEREJECT", "0")
})

// Start starts a server. Its certificates are good for 90 days.
func Start(t testing.TB) *Server {
	t.Helper()
	unhurried()
	s := &Server{log: log.New(io.Discard, "", 0), store: db.NewMemoryStore(), Roots: x509.NewCertPool(),
		begun: make(chan struct{})}
	days := 90 * 24 * time.Hour
	s.ca = ca.New(s.log, s.store, "", "ecdsa", 0, 1,
		map[string]ca.Profile{"default": {ValidityPeriod: uint64(days.Seconds())}})
	s.Roots.AppendCertsFromPEM(s.ca.GetRootCert(0).PEM())
	s.names = nameServer(t)

	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-s.begun:
		case <-r.Context().Done():
			return
		}
		if strings.HasPrefix(r.URL.Path, "/finalize-order/") {
			s.Issued.Add(1)
		}
		s.acme.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.Directory = server.URL + wfe.DirectoryPath
	s.CAFile = filepath.Join(t.TempDir(), "acme-ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(s.CAFile, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// Begin says where the names' owner answers challenges, HTTP-01 and TLS-ALPN-01; 0:
// not at all.
func (s *Server) Begin(httpPort, tlsPort int) {
	checks := va.New(s.log, httpPort, tlsPort, false, s.names, s.store)
	front := wfe.New(s.log, s.store, checks, s.ca, []string{"acme.test"}, false, false, 0, 0)
	s.acme = front.Handler()
	close(s.begun)
}

// nameServer takes every name to this machine.
func nameServer(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{Listener: l, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, asked *dns.Msg) {
		answer := new(dns.Msg).SetReply(asked)
		if len(asked.Question) == 1 && asked.Question[0].Qtype == dns.TypeA {
			answer.Answer = []dns.RR{&dns.A{A: net.IPv4(127, 0, 0, 1),
				Hdr: dns.RR_Header{Name: asked.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1}}}
		}
		_ = w.WriteMsg(answer)
	})}
	started := make(chan struct{})
	server.NotifyStartedFunc = func() { close(started) }
	go func() { _ = server.ActivateAndServe() }()
	<-started
	t.Cleanup(func() { _ = server.Shutdown() })
	return l.Addr().String()
}
