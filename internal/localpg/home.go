package localpg

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// pointer is the file in Dir that names the place of data kept elsewhere.
const pointer = "data-directory"

// home is a locked Config.Dir and the place of its data. Close unlocks it.
type home struct {
	dir   string // Config.Dir, absolute, without symbolic links
	place string // holds data/; dir itself where the server's account can reach it
	locks []*os.File
}

func (h *home) data() string { return filepath.Join(h.place, "data") }

// key tells the servers of one machine apart, in few bytes.
func (h *home) key() string {
	sum := sha256.Sum256([]byte(h.dir))
	return "portal-pg-" + hex.EncodeToString(sum[:5])
}

func (h *home) Close() {
	for _, f := range h.locks {
		unlock(f)
	}
	h.locks = nil
}

// openHome locks dir and finds the data that belongs to it, if any: place is
// then where it is, and dir otherwise.
func openHome(dir string) (*home, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	f, err := lock(dir)
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		unlock(f)
		return nil, err
	}
	h := &home{dir: dir, place: dir, locks: []*os.File{f}}

	text, err := os.ReadFile(filepath.Join(dir, pointer))
	if errors.Is(err, fs.ErrNotExist) {
		return h, nil
	}
	if err != nil {
		h.Close()
		return nil, err
	}
	place := strings.TrimSpace(string(text))
	if info, err := os.Stat(place); err != nil || !info.IsDir() {
		return h, nil //nolint:nilerr // swept away, with a temporary directory for instance
	}
	// Two copies of dir point at the same place, and each has its own lock.
	f, err = lock(place)
	if err != nil {
		h.Close()
		return nil, err
	}
	h.place, h.locks = place, append(h.locks, f)
	return h, nil
}

// moveOut chooses a place outside dir for data that the account cannot reach
// there, and leaves a pointer to it.
func (h *home) moveOut(acct *account) error {
	for _, parent := range []string{"/var/lib", os.TempDir(), "/tmp"} {
		place := filepath.Join(parent, h.key())
		if info, err := os.Lstat(place); err == nil && !ours(info) {
			continue // laid there by somebody else
		}
		if f, err := lock(place); errors.Is(err, ErrRunning) {
			return err
		} else if err != nil {
			continue
		} else {
			unlock(f)
		}
		// Nothing points here: it is left of a dir since removed, and whoever
		// removed that wanted to start afresh. Making it anew also makes it
		// certainly ours where anybody may write.
		if err := os.RemoveAll(place); err != nil {
			continue
		}
		if err := os.Mkdir(place, 0o711); err != nil {
			continue
		}
		if err := os.Chmod(place, 0o711); err != nil || !acct.reaches(place) {
			os.Remove(place)
			continue
		}
		f, err := lock(place)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(h.dir, pointer), []byte(place+"\n"), 0o644); err != nil {
			unlock(f)
			return err
		}
		h.place, h.locks = place, append(h.locks, f)
		return nil
	}
	return fmt.Errorf("account %s cannot reach %s (a directory above it is closed to others), nor was there room under "+
		"/var/lib or %s: choose another directory",
		acct.name, h.dir, os.TempDir())
}

// ours reports whether a directory is one that only we can write to.
func ours(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && info.IsDir() && int(stat.Uid) == os.Geteuid() && info.Mode().Perm()&0o022 == 0
}

// socket makes the directory of the unix socket: short, since a socket's path
// has at most 107 bytes (103 on macOS), and emptied, since a lock file of a
// dead server in it would stop the next one.
func (h *home) socket(acct *account) (string, error) {
	const longest = 103 - len("/.s.PGSQL.65535")
	for _, parent := range []string{os.TempDir(), "/tmp"} {
		dir := filepath.Join(parent, h.key())
		if len(dir) > longest || !acct.reaches(parent) {
			continue
		}
		if dir == h.place {
			dir += "s" // the data went to the temporary directory too
		}
		if err := os.RemoveAll(dir); err != nil {
			return "", err
		}
		// Mkdir fails if somebody was quicker, so the directory is ours.
		if err := os.Mkdir(dir, 0o700); err != nil {
			return "", err
		}
		return dir, acct.own(dir)
	}
	return "", errors.New("no temporary directory with a short path for the unix socket")
}
