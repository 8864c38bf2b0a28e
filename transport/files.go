package transport

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
)

// files is a certificate and its key on the disk. They are looked at in each
// handshake, which costs less than any part of it, so that what a renewal has put
// there is served from the next connection on.
type files struct {
	cert, key string
	logger    *slog.Logger

	mu     sync.Mutex
	seen   [2]os.FileInfo // as they were last read, whether that worked or not
	served *tls.Certificate
}

func readFiles(cert, key string, logger *slog.Logger) (*files, error) {
	if cert == "" || key == "" {
		return nil, fmt.Errorf("a certificate needs two files: the certificate with its chain, and the key")
	}
	f := &files{cert: cert, key: key, logger: logger}
	seen, err := f.look()
	if err != nil {
		return nil, err
	}
	f.seen = seen
	return f, f.read()
}

func (f *files) look() (seen [2]os.FileInfo, err error) {
	for i, path := range []string{f.cert, f.key} {
		if seen[i], err = os.Stat(path); err != nil {
			return seen, fmt.Errorf("certificate: %w", err)
		}
	}
	return seen, nil
}

func (f *files) read() error {
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", f.cert, f.key, err)
	}
	f.served = &pair
	return nil
}

// certificate is the one on the disk. While that cannot be read, as between the
// writing of the two files, it is the one before.
func (f *files) certificate() (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	seen, err := f.look()
	if err != nil || same(seen[0], f.seen[0]) && same(seen[1], f.seen[1]) {
		return f.served, nil //nolint:nilerr // files that are gone for a moment are being replaced
	}
	f.seen = seen
	if err := f.read(); err != nil {
		f.logger.Warn("the new certificate cannot be used; the one before is served", "error", err)
		return f.served, nil
	}
	f.logger.Info("the certificate was read anew", "file", f.cert, "ends", f.served.Leaf.NotAfter)
	return f.served, nil
}

func same(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}
