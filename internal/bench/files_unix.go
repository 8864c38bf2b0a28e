//go:build unix

package bench

import (
	"fmt"
	"syscall"
)

// mayOpen raises this process's limit of open files to n, or says how to.
func mayOpen(n int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("read the limit of open files: %w", err)
	}
	if uint64(limit.Cur) >= uint64(n) {
		return nil
	}
	if uint64(limit.Max) < uint64(n) {
		return fmt.Errorf("%d open files are needed here and the limit is %d: ulimit -n %d, in the portal's shell as well", n,
			limit.Max, n)
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("raise the limit of open files: %w", err)
	}
	return nil
}
