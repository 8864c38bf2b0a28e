package sql

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"golang.org/x/crypto/acme/autocert"
)

// CertificateCache keeps the account, certificates and challenges of ACME for all
// nodes of a database. It is an autocert.Cache. Safe for concurrent use.
type CertificateCache struct{ db *DB }

// NewCertificateCache keeps certificates in db.
func NewCertificateCache(db *DB) *CertificateCache { return &CertificateCache{db} }

// Get implements autocert.Cache.
func (c *CertificateCache) Get(ctx context.Context, name string) ([]byte, error) {
	var data []byte
	err := c.db.Auth.QueryRow(ctx, query("certificate_get"), args{"name": name}).Scan(&data)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, autocert.ErrCacheMiss
	}
	if err != nil {
		return nil, fmt.Errorf("certificate %q: %w", name, err)
	}
	return data, nil
}

// Put implements autocert.Cache.
func (c *CertificateCache) Put(ctx context.Context, name string, data []byte) error {
	if _, err := c.db.Auth.Exec(ctx, query("certificate_put"), args{"name": name, "data": data}); err != nil {
		return fmt.Errorf("keep certificate %q: %w", name, err)
	}
	return nil
}

// Delete implements autocert.Cache.
func (c *CertificateCache) Delete(ctx context.Context, name string) error {
	if _, err := c.db.Auth.Exec(ctx, query("certificate_delete"), args{"name": name}); err != nil {
		return fmt.Errorf("forget certificate %q: %w", name, err)
	}
	return nil
}

// UnknownProxies notes from where X-Forwarded-For came unasked, for doctor.
type UnknownProxies struct {
	db   *DB
	node string
}

// NewUnknownProxies notes what a node of db sees.
func NewUnknownProxies(db *DB, node string) *UnknownProxies { return &UnknownProxies{db, node} }

// Seen notes a source (portal.SourceOf).
func (u *UnknownProxies) Seen(ctx context.Context, source string) error {
	if _, err := u.db.Auth.Exec(ctx, query("unknown_proxy_seen"), args{"source": source, "node": u.node}); err != nil {
		return fmt.Errorf("note an unknown proxy: %w", err)
	}
	return nil
}
