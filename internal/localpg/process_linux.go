package localpg

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// childAttributes makes the kernel tell a child to shut down (SIGINT is
// PostgreSQL's fast shutdown) when the thread that started it ends.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGINT}
}

// serverProcesses returns the PostgreSQL processes at work in data: the
// postmaster and its children, which outlive a killed postmaster for a while.
// All of them have data as their working directory.
func serverProcesses(data string, _ int) []int {
	if real, err := filepath.EvalSymlinks(data); err == nil {
		data = real
	}
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	var pids []int
	for _, link := range links {
		if cwd, err := os.Readlink(link); err != nil || cwd != data {
			continue
		}
		proc := filepath.Dir(link)
		comm, err := os.ReadFile(filepath.Join(proc, "comm"))
		if err != nil || !strings.HasPrefix(string(comm), "post") {
			continue // somebody's shell
		}
		if pid, err := strconv.Atoi(filepath.Base(proc)); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
