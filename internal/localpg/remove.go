package localpg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Remove deletes the cluster of dir, wherever its data is kept, and dir itself
// if nothing else is in it. A server that a killed process left behind is
// stopped first; for one that a live process holds it returns ErrRunning. A
// dir that does not exist is no error.
func Remove(dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	h, err := openHome(dir)
	if err != nil {
		return fmt.Errorf("remove %s: %w", dir, err)
	}
	defer h.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := settle(ctx, h.data(), syscall.SIGQUIT); err != nil {
		return fmt.Errorf("remove %s: %w", dir, err)
	}
	var errs []error
	for _, parent := range []string{os.TempDir(), "/tmp"} {
		for _, suffix := range []string{"", "s"} {
			if socket := filepath.Join(parent, h.key()+suffix); socket != h.place {
				errs = append(errs, os.RemoveAll(socket))
			}
		}
	}
	if h.place != h.dir {
		errs = append(errs, os.RemoveAll(h.place))
	}
	// The lock goes last: without it the rest would be anybody's.
	for _, name := range []string{"data", "data.new", "postgres.log", "postgres.log.1", "password", pointer, "lock"} {
		errs = append(errs, os.RemoveAll(filepath.Join(h.dir, name)))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("remove %s: %w", dir, err)
	}
	os.Remove(h.dir) // fails if the caller keeps something there
	return nil
}
