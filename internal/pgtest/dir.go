package pgtest

import (
	"os"
	"path/filepath"
	"syscall"
	"time"

	"portal.example/portal/internal/localpg"
)

const (
	// memory is where Linux keeps a file system in memory; on it a copy of the
	// template takes a tenth of the time.
	memory = "/dev/shm"
	// enough is the free memory, in bytes, that a test run needs there.
	enough = 2 << 30

	prefix = "portal-test-"

	// young is the age up to which a directory may be one that its process has
	// made and not locked yet.
	young = time.Minute
)

// newDir makes a directory for a server, in memory if there is room.
func newDir() (string, error) {
	parent := os.TempDir()
	var fs syscall.Statfs_t
	if err := syscall.Statfs(memory, &fs); err == nil && fs.Bavail*uint64(fs.Bsize) >= enough {
		parent = memory
	}
	dir, err := os.MkdirTemp(parent, prefix)
	if err != nil {
		return "", err
	}
	// The server may run as another account, which has to pass through.
	return dir, os.Chmod(dir, 0o711)
}

// sweep removes what test processes that were killed left behind. Directories
// of live ones are held by a lock that ends with its process, so they stay.
func sweep() {
	for _, parent := range []string{memory, os.TempDir()} {
		dirs, _ := filepath.Glob(filepath.Join(parent, prefix+"*"))
		for _, dir := range dirs {
			info, err := os.Lstat(dir)
			if err != nil || !info.IsDir() || time.Since(info.ModTime()) < young {
				continue
			}
			if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) == os.Geteuid() {
				localpg.Remove(dir) // a failure costs room, not the tests
			}
		}
	}
}
