package localpg

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// lock makes dir ours until the file is closed or our process ends, however it
// ends: the kernel lets go of the lock then. dir is made if missing.
func lock(dir string) (*os.File, error) {
	path := filepath.Join(dir, "lock")
	for {
		if err := makeDir(dir); err != nil {
			return nil, err
		}
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
		if errors.Is(err, os.ErrNotExist) {
			continue // Remove took dir away in between
		}
		if err != nil {
			return nil, err
		}
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			pid, _ := os.ReadFile(path)
			f.Close()
			holder := "another process"
			if n, err := strconv.Atoi(strings.TrimSpace(string(pid))); err == nil {
				holder = fmt.Sprintf("process %d", n)
			}
			return nil, fmt.Errorf("%s is held by %s: %w", dir, holder, ErrRunning)
		}
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		// A lock on a file that Remove has just unlinked locks nothing.
		if !stillThere(f, path) {
			unlock(f)
			continue
		}
		if err := writeHolder(f); err != nil {
			unlock(f)
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		return f, nil
	}
}

// writeHolder leaves our process id in the lock file, for the message of
// whoever finds it locked.
func writeHolder(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := fmt.Fprintf(f, "%d\n", os.Getpid())
	return err
}

// unlock lets go of what lock took. Closing the file alone would leave the lock
// with any child that is being forked at this moment, until it has become its
// own program.
func unlock(f *os.File) {
	_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) // closing lets go as well, only later
	f.Close()
}

func stillThere(f *os.File, path string) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(path)
	return err == nil && os.SameFile(opened, named)
}

// makeDir makes a directory that the server's account may pass through, but
// not list, whatever the umask says.
func makeDir(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return err
	}
	return os.Chmod(dir, 0o711)
}
