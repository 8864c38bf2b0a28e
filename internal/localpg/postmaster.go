package localpg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// postmaster is what a server writes about itself into postmaster.pid. The
// lines are those of PostgreSQL's pidfile.h: 1 the process id, 8 the state.
type postmaster struct {
	pid   int
	ready bool // accepts connections; a standby those that read
}

// readPostmaster returns the zero postmaster if there is no file.
func readPostmaster(data string) (postmaster, error) {
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if errors.Is(err, fs.ErrNotExist) {
		return postmaster{}, nil
	}
	if err != nil {
		return postmaster{}, err
	}
	lines := strings.Split(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil {
		return postmaster{}, nil //nolint:nilerr // just being written
	}
	state := ""
	if len(lines) > 7 {
		state = strings.TrimSpace(lines[7])
	}
	return postmaster{pid: pid, ready: state == "ready" || state == "standby"}, nil
}

// settle makes sure that no process of an earlier run is left on data. Our
// lock being free until now, a live one is there only because its parent was
// killed: it is sent the signal, and SIGQUIT if that takes long.
func settle(ctx context.Context, data string, sig syscall.Signal) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	harder := time.NewTimer(15 * time.Second)
	defer harder.Stop()
	for sent := false; ; {
		pm, err := readPostmaster(data)
		if err != nil {
			return err
		}
		left := serverProcesses(data, pm.pid)
		if len(left) == 0 {
			return dropStale(data, pm.pid)
		}
		if !sent && slices.Contains(left, pm.pid) {
			if err := syscall.Kill(pm.pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("stop the server of an earlier run, process %d: %w", pm.pid, err)
			}
			sent = true
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the server of an earlier run (processes %v) is still on %s: %w", left, data, ctx.Err())
		case <-harder.C:
			sig, sent = syscall.SIGQUIT, false
		case <-tick.C:
		}
	}
}

// dropStale removes a postmaster.pid whose number now belongs to some other
// program. PostgreSQL itself sees through one whose process is gone, but
// refuses to start if any process of its account has the number.
func dropStale(data string, pid int) error {
	if pid == 0 || errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return nil
	}
	err := os.Remove(filepath.Join(data, "postmaster.pid"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
