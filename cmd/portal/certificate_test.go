package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	root "portal.example/portal"
	"portal.example/portal/internal/certtest"
)

// The doctor looks at certificates in files and in a folder of ACME's.
func TestDoctorReadsCertificates(t *testing.T) {
	t.Parallel()
	now := time.Now()
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	chain, key := certtest.New(t, "files.example", now.AddDate(0, 0, -80), now.AddDate(0, 0, 10))
	files := certificateSettings{TLSCert: write("cert.pem", chain), TLSKey: write("key.pem", key)}
	over, overKey := certtest.New(t, "over.example", now.AddDate(0, 0, -91), now.AddDate(0, 0, -1))
	write("over.example", append(overKey, over...))
	folder := certificateSettings{TLS: "auto", TLSCache: dir, Host: []string{"over.example", "none.example"}}
	for _, c := range []struct {
		set  certificateSettings
		want string
	}{
		{files, "true files.example: good until"},
		{folder, "false over.example: ended"},
		{certificateSettings{TLSCert: files.TLSCert, TLSKey: filepath.Join(dir, "gone")}, "false"},
		{certificateSettings{TLS: "auto", TLSCache: dir, Host: []string{"none.example"}}, "true no certificate lies in"},
		{certificateSettings{TLS: "off"}, ""},
	} {
		var got []string
		for _, f := range c.set.examineCertificates(t.Context(), now) {
			got = append(got, fmt.Sprint(f.OK, " ", strings.TrimPrefix(f.What, "the certificate of ")))
		}
		if text := strings.Join(got, "; "); !strings.HasPrefix(text, c.want) || (c.want == "") != (text == "") {
			t.Errorf("%+v: %s", c.set, text)
		}
	}
}

// A certificate that ends soon is told once a day, not once a minute.
func TestCertificateIsToldOnceADay(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	soon := root.Certificate{Host: "x.example", Begins: now.AddDate(0, 0, -80), Ends: now.AddDate(0, 0, 10)}
	good := root.Certificate{Host: "y.example", Begins: now, Ends: now.AddDate(0, 0, 90)}
	var w certificateWatch
	for minute := range 2 * 24 * 60 {
		w.look([]root.Certificate{soon, good}, now.Add(time.Duration(minute)*time.Minute), logger)
	}
	if n := strings.Count(log.String(), "host=x.example"); n != 2 || strings.Contains(log.String(), "y.example") {
		t.Errorf("told %d times in two days:\n%s", n, log.String())
	}
	told := map[string]float64{}
	w.measure(now, func(name, _ string, value float64, labels ...string) { told[name+labels[1]] = value })
	if told["portal_certificate_days_leftx.example"] != 10 || told["portal_certificate_days_lefty.example"] != 90 {
		t.Errorf("the metrics say %v", told)
	}
}
