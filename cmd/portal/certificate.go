package main

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/acme/autocert"

	root "portal.example/portal" // the test programs have a function of its name
	"portal.example/portal/sql"
	"portal.example/portal/transport"
)

// certificateSettings say where certificates come from.
type certificateSettings struct {
	TLS      string   `name:"tls" help:"off: a proxy in front ends TLS. auto: certificates for --host come by ACME, from Let's Encrypt unless --acme-directory says otherwise. --tls-cert and --tls-key need no --tls." enum:"off,auto" default:"off" env:"PORTAL_TLS"`
	Host     []string `help:"Names under which the portal is reached, the first one its address: orders.example.com. Several with commas." env:"PORTAL_HOST" placeholder:"NAME,…"`
	TLSCert  string   `name:"tls-cert" help:"Certificate with its chain, PEM. Read anew when the file changes." type:"path" env:"PORTAL_TLS_CERT" placeholder:"FILE"`
	TLSKey   string   `name:"tls-key" help:"Its private key, PEM." type:"path" env:"PORTAL_TLS_KEY" placeholder:"FILE"`
	TLSCache string   `name:"tls-cache" help:"Folder for what --tls auto keeps. Default: the database, which all nodes share." env:"PORTAL_TLS_CACHE" placeholder:"DIR"`
}

// examineCertificates looks at certificates in files and folders; those in the
// database are sql.Examine's.
func (c certificateSettings) examineCertificates(ctx context.Context, now time.Time) []sql.Checkup {
	var out []sql.Checkup
	if c.TLSCert != "" || c.TLSKey != "" {
		held, err := transport.FileCertificate(c.TLSCert, c.TLSKey)
		if err != nil {
			return []sql.Checkup{{What: "the certificate " + c.TLSCert + " with its key can be read",
				Advice: "It said: " + err.Error()}}
		}
		return append(out, sql.CheckCertificate(held, now))
	}
	if c.TLS == "auto" && c.TLSCache != "" {
		held := transport.Cached(ctx, autocert.DirCache(c.TLSCache), c.Host)
		if len(held) == 0 {
			out = append(out, sql.Checkup{OK: true, What: "no certificate lies in " + c.TLSCache + " for " +
				strings.Join(c.Host, ", "), Note: "It is asked for when portal serve starts, or when somebody comes."})
		}
		for _, h := range held {
			out = append(out, sql.CheckCertificate(h, now))
		}
	}
	return out
}

// certificateWatch knows until when the certificates that are served are good, and
// says so once a day while one ends soon. The zero value knows of none.
type certificateWatch struct {
	held atomic.Pointer[[]root.Certificate]
	told map[string]time.Time // by host
}

// look reads what there is now.
func (w *certificateWatch) look(held []root.Certificate, now time.Time, logger *slog.Logger) {
	w.held.Store(&held)
	if w.told == nil {
		w.told = map[string]time.Time{}
	}
	for _, c := range held {
		if !c.EndsSoon(now) || now.Sub(w.told[c.Host]) < 24*time.Hour {
			continue
		}
		w.told[c.Host] = now
		logger.Warn("a certificate ends soon, or has ended: portal doctor says what to do", "host", c.Host,
			"ends", c.Ends, "days", int(c.Left(now).Hours()/24))
	}
}

// measure tells the metrics what was last read.
func (w *certificateWatch) measure(now time.Time, gauge func(name, help string, value float64, labels ...string)) {
	held := w.held.Load()
	if held == nil {
		return
	}
	for _, c := range *held {
		gauge("portal_certificate_days_left", "Days until a certificate ends; below 0 once it has.",
			c.Left(now).Hours()/24, "host", c.Host)
	}
}

// watchCertificates looks every minute until ctx ends: one is renewed while the
// program runs.
func (a *app) watchCertificates(ctx context.Context) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		a.certificates.look(a.front.certs.Held(ctx), time.Now(), a.logger)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
