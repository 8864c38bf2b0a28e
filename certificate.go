package portal

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Certificate says for how long a certificate is good. Its times are the world's: the machine's clock
// counts, not the one of the business.
type Certificate struct {
	Host   string // its names, with commas
	Begins time.Time
	Ends   time.Time
}

// certificateWarning is how long before its end a certificate is warned of. Those that live shorter
// than nine weeks are warned of in the last third of their life: they are renewed later.
const certificateWarning = 21 * 24 * time.Hour

// CertificateOf is what there is to know of a parsed one.
func CertificateOf(leaf *x509.Certificate) Certificate {
	c := Certificate{Host: strings.Join(leaf.DNSNames, ", "), Begins: leaf.NotBefore, Ends: leaf.NotAfter}
	if c.Host == "" {
		c.Host = leaf.Subject.CommonName
	}
	return c
}

// ReadCertificate reads the first certificate of a chain in PEM; keys in it are passed over.
func ReadCertificate(chain []byte) (Certificate, error) {
	for {
		var block *pem.Block
		if block, chain = pem.Decode(chain); block == nil {
			return Certificate{}, errors.New("there is no certificate in PEM")
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		leaf, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return Certificate{}, fmt.Errorf("read a certificate: %w", err)
		}
		return CertificateOf(leaf), nil
	}
}

// Left is how long it is good; negative once it has ended.
func (c Certificate) Left(now time.Time) time.Duration { return c.Ends.Sub(now) }

// EndsSoon reports whether somebody has to look why it was not renewed.
func (c Certificate) EndsSoon(now time.Time) bool {
	return c.Left(now) < min(certificateWarning, c.Ends.Sub(c.Begins)/3)
}

// Words say until when it is good: "orders.example.com: good until 3 May 2026, 12 days more".
func (c Certificate) Words(now time.Time) string {
	day := c.Ends.UTC().Format("2 January 2006, 15:04 UTC")
	if c.Left(now) <= 0 {
		return c.Host + ": ended " + day
	}
	return fmt.Sprintf("%s: good until %s, %d days more", c.Host, day, int(c.Left(now).Hours()/24))
}
