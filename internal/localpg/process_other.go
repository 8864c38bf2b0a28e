//go:build unix && !linux

package localpg

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// childAttributes has no way here to tie a child to our life: a server that
// outlives us is stopped by the next start.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// serverProcesses returns the postmaster of data if it is alive.
func serverProcesses(data string, pid int) []int {
	if pid == 0 {
		return nil
	}
	out, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil || !strings.Contains(string(out), "-D "+data+" ") {
		return nil
	}
	return []int{pid}
}
