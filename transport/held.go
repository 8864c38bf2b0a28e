package transport

import (
	"context"
	"crypto/tls"

	"golang.org/x/crypto/acme/autocert"

	"portal.example/portal"
)

// Held are the certificates that there are: the one from files as it is served, those by ACME as they
// lie in the cache. A name that has none yet is left out, and what cannot be read.
func (c *Certificates) Held(ctx context.Context) []portal.Certificate {
	if c.files != nil {
		pair, err := c.files.certificate()
		if err != nil {
			return nil
		}
		return []portal.Certificate{portal.CertificateOf(pair.Leaf)}
	}
	return Cached(ctx, c.acme.Cache, c.hosts)
}

// Cached are the certificates of hosts that lie in a cache of ACME. Browsers with RSA alone have others,
// under a name of their own.
func Cached(ctx context.Context, cache autocert.Cache, hosts []string) []portal.Certificate {
	var held []portal.Certificate
	for _, host := range hosts {
		for _, name := range []string{host, host + "+rsa"} {
			chain, err := cache.Get(ctx, name)
			if err != nil {
				continue
			}
			if c, err := portal.ReadCertificate(chain); err == nil {
				c.Host = name
				held = append(held, c)
			}
		}
	}
	return held
}

// FileCertificate is the certificate of a file with its key, looked at without being served.
func FileCertificate(cert, key string) (portal.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return portal.Certificate{}, err
	}
	return portal.CertificateOf(pair.Leaf), nil
}
