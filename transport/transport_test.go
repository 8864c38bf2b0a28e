package transport_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/acme/autocert"

	"portal.example/portal/internal/acmetest"
	"portal.example/portal/transport"
)

const host = "orders.acme.test"

// front is a server with TLS, and one that leads to it, as serve sets them up.
type front struct {
	certs          *transport.Certificates
	secure, plain  net.Listener
	securePort     int
	plainPort      int
	securedAddress string
}

func port(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func start(t testing.TB, config transport.Config) *front {
	t.Helper()
	certs, err := transport.New(config)
	if err != nil {
		t.Fatal(err)
	}
	f := &front{certs: certs, secure: listen(t), plain: listen(t)}
	f.securePort, f.plainPort, f.securedAddress = port(f.secure), port(f.plain), f.secure.Addr().String()
	quiet := log.New(io.Discard, "", 0)
	web := &http.Server{ErrorLog: quiet, TLSConfig: certs.TLS(),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) })}
	go func() { _ = web.ServeTLS(f.secure, "", "") }()
	lead := &http.Server{ErrorLog: quiet, Handler: certs.Redirect(fmt.Sprintf("https://%s:%d", host, f.securePort))}
	go func() { _ = lead.Serve(f.plain) }()
	t.Cleanup(func() { web.Close(); lead.Close() })
	return f
}

// shake is a handshake, and the certificate that was shown.
func (f *front) shake(config *tls.Config) (*x509.Certificate, error) {
	if config.ServerName == "" {
		config.ServerName = host
	}
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 30 * time.Second}, "tcp", f.securedAddress, config)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0], nil
}

// client speaks to the front under its name.
func (f *front) client(roots *x509.CertPool) *http.Client {
	return &http.Client{Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots},
			DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
				_, to, _ := net.SplitHostPort(address)
				return new(net.Dialer).DialContext(ctx, "tcp", "127.0.0.1:"+to)
			}}}
}

// A certificate is given out by a real ACME server over each of its challenges,
// and kept: who starts anew asks for none.
func TestACME(t *testing.T) {
	t.Parallel()
	for name, only := range map[string]func(f *front) (httpPort, tlsPort int){
		"TLS-ALPN-01": func(f *front) (int, int) { return 1, f.securePort },
		"HTTP-01":     func(f *front) (int, int) { return f.plainPort, 1 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := acmetest.Start(t)
			config := transport.Config{Hosts: []string{host}, Cache: autocert.DirCache(t.TempDir()), Directory: server.Directory,
				CAFile: server.CAFile, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))}
			f := start(t, config)
			server.Begin(only(f))
			f.certs.Prepare(t.Context())
			cert, err := f.shake(&tls.Config{RootCAs: server.Roots})
			if err != nil {
				t.Fatal(err)
			}
			if err := cert.VerifyHostname(host); err != nil {
				t.Error(err)
			}
			again := start(t, config)
			if other, err := again.shake(&tls.Config{RootCAs: server.Roots}); err != nil ||
				other.SerialNumber.Cmp(cert.SerialNumber) != 0 {
				t.Errorf("after a start anew: %v, %v", other, err)
			}
			if n := server.Issued.Load(); n != 1 {
				t.Errorf("%d certificates were asked for", n)
			}
			// nobody has another name's certificate asked for
			if _, err := f.shake(&tls.Config{RootCAs: server.Roots, ServerName: "other.acme.test"}); err == nil {
				t.Error("a name that is not ours is answered")
			}
			if n := server.Issued.Load(); n != 1 {
				t.Errorf("%d certificates were asked for", n)
			}
		})
	}
}

// A certificate that ends soon is replaced while connections that use it go on.
func TestACMERenews(t *testing.T) {
	t.Parallel()
	server := acmetest.Start(t)
	cache := autocert.DirCache(t.TempDir())
	chain, key, roots := selfSigned(t, host, time.Now().Add(24*time.Hour))
	if err := cache.Put(t.Context(), host, append(key, chain...)); err != nil {
		t.Fatal(err)
	}
	f := start(t, transport.Config{Hosts: []string{host}, Cache: cache, Directory: server.Directory,
		CAFile: server.CAFile})
	old, err := tls.Dial("tcp", f.securedAddress,
		&tls.Config{RootCAs: roots, ServerName: host, NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	server.Begin(f.plainPort, f.securePort)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); ; <-tick.C {
		if _, err = f.shake(&tls.Config{RootCAs: server.Roots}); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("not renewed: %v", err)
		}
	}
	fmt.Fprintf(old, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host)
	if answer, err := io.ReadAll(old); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200 OK") {
		t.Errorf("the connection of before: %q, %v", answer, err)
	}
}

// TLS 1.2 and later, HTTP/2 and HTTP/1.1; http leads to https at a name of ours,
// whatever Host says.
func TestFront(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	roots := writeCertificate(t, cert, key)
	f := start(t, transport.Config{CertFile: cert, KeyFile: key, Hosts: []string{host, "shop.acme.test"}})
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		if _, err := f.shake(&tls.Config{RootCAs: roots, MinVersion: version, MaxVersion: version}); err == nil {
			t.Errorf("version %x is taken", version)
		}
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		if _, err := f.shake(&tls.Config{RootCAs: roots, MinVersion: version, MaxVersion: version}); err != nil {
			t.Errorf("version %x: %v", version, err)
		}
	}
	client := f.client(roots)
	resp, err := client.Get(fmt.Sprintf("https://%s:%d/", host, f.securePort))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.Proto != "HTTP/2.0" {
		t.Errorf("spoken: %s", resp.Proto)
	}

	for _, c := range []struct {
		method, host, path string
		status             int
		to                 string
	}{
		{"GET", host, "/orders?x=1", 301, fmt.Sprintf("https://%s:%d/orders?x=1", host, f.securePort)},
		{"HEAD", "SHOP.acme.test:80", "/", 301, fmt.Sprintf("https://shop.acme.test:%d/", f.securePort)},
		{"GET", "evil.example", "/", 301, fmt.Sprintf("https://%s:%d/", host, f.securePort)},
		{"GET", host, "//evil.example/", 301, fmt.Sprintf("https://%s:%d//evil.example/", host, f.securePort)},
		{"POST", host, "/login", 400, ""},
	} {
		req, err := http.NewRequest(c.method, fmt.Sprintf("http://127.0.0.1:%d", f.plainPort)+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = c.host
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.status || resp.Header.Get("Location") != c.to {
			t.Errorf("%s http://%s%s: %d %s", c.method, c.host, c.path, resp.StatusCode, resp.Header.Get("Location"))
		}
	}
}

// New files are served from the next connection on; half of them, or rubbish, are
// not.
func TestFilesAreReadAnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	first := writeCertificate(t, cert, key)
	f := start(t, transport.Config{CertFile: cert, KeyFile: key, Hosts: []string{host}})
	shake := func(when string, roots *x509.CertPool) {
		t.Helper()
		if _, err := f.shake(&tls.Config{RootCAs: roots}); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	shake("at first", first)
	next, nextKey := filepath.Join(dir, "next.pem"), filepath.Join(dir, "next-key.pem")
	second := writeCertificate(t, next, nextKey)
	rename(t, next, cert)
	shake("the key is still the old one", first)
	rename(t, nextKey, key)
	shake("both are new", second)
	if err := os.WriteFile(cert, []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	shake("the file is rubbish", second)
	if err := os.Remove(cert); err != nil {
		t.Fatal(err)
	}
	shake("the file is gone", second)
	third := writeCertificate(t, cert, key)
	shake("mended", third)

	if _, err := transport.New(transport.Config{CertFile: cert, KeyFile: filepath.Join(dir, "none.pem")}); err == nil {
		t.Error("a start without the key")
	}
	if _, err := transport.New(transport.Config{CertFile: cert}); err == nil {
		t.Error("a start with half of the settings")
	}
}

func rename(t testing.TB, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func writeCertificate(t testing.TB, cert, key string) *x509.CertPool {
	t.Helper()
	chain, private, roots := selfSigned(t, host, time.Now().Add(90*24*time.Hour))
	for path, text := range map[string][]byte{cert: chain, key: private} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return roots
}

func selfSigned(t testing.TB, name string, until time.Time) (chain, key []byte, roots *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		DNSNames: []string{name}, NotBefore: time.Now().Add(-80 * 24 * time.Hour), NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	bytes, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	chain = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(chain)
	return chain, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: bytes}), roots
}
