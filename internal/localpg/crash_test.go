package localpg

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestKilledParent(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	child := startChild(t, dir)

	// While it lives, nobody else gets in, and is told who is there.
	_, err := Start(testContext(t), Config{Dir: dir})
	if !errors.Is(err, ErrRunning) || !strings.Contains(err.Error(), fmt.Sprintf("process %d", child.Process.Pid)) {
		t.Errorf("beside a live process: %v", err)
	}
	h := &home{dir: realPath(t, dir)}
	u := (&Server{socket: filepath.Join(os.TempDir(), h.key()), port: 5432}).URL("postgres")
	keep(t, u)

	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	child.Wait()
	s := mustStart(t, Config{Dir: dir})
	kept(t, s.URL("postgres"))
	pm, err := readPostmaster(s.data)
	if err != nil || pm.pid != s.PID() {
		t.Errorf("postmaster.pid names %d, ours is %d: %v", pm.pid, s.PID(), err)
	}
	mustStop(t, s)
	if left := serverProcesses(s.data, 0); len(left) != 0 {
		t.Errorf("processes left: %v", left)
	}
}

func TestRemoveAfterKilledParent(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	child := startChild(t, dir)
	child.Process.Kill()
	child.Wait()
	if err := Remove(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory is still there: %v", err)
	}
}

// A server whose parent is gone but which heard nothing of it, as on macOS.
func TestOrphanIsStopped(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	s := mustStart(t, Config{Dir: dir})
	keep(t, s.URL("postgres"))
	mustStop(t, s)

	acct := accountOf(t, s.data)
	if err := os.Mkdir(s.socket, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := acct.own(s.socket); err != nil {
		t.Fatal(err)
	}
	orphan := acct.command(s.cmd.Path, s.cmd.Args[1:]...)
	if err := orphan.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() { orphan.Wait(); close(gone) }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for pm := (postmaster{}); !pm.ready; pm, _ = readPostmaster(s.data) {
		select {
		case <-gone:
			t.Fatal("the orphan did not start")
		case <-tick.C:
		}
	}

	s = mustStart(t, Config{Dir: dir})
	<-gone
	kept(t, s.URL("postgres"))
}

func TestStalePostmasterPID(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	s := mustStart(t, Config{Dir: dir})
	text, err := os.ReadFile(filepath.Join(s.data, "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	mustStop(t, s)

	// The number belongs to nobody, then to another program of the same account.
	acct := accountOf(t, s.data)
	dead := acct.command("/bin/sh", "-c", "exit")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	other := acct.command("/bin/sh", "-c", "read x")
	stdin, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); other.Wait() })

	for _, pid := range []int{dead.Process.Pid, other.Process.Pid} {
		_, rest, _ := strings.Cut(string(text), "\n")
		stale := filepath.Join(s.data, "postmaster.pid")
		if err := os.WriteFile(stale, fmt.Appendf(nil, "%d\n%s", pid, rest), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := acct.own(stale); err != nil {
			t.Fatal(err)
		}
		s := mustStart(t, Config{Dir: dir})
		ask(t, s.URL("postgres"), `select 'up'`)
		mustStop(t, s)
	}
	if err := syscall.Kill(other.Process.Pid, 0); err != nil {
		t.Errorf("the other program was disturbed: %v", err)
	}
}

func startChild(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childDir+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { child.Process.Kill(); child.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "ready") {
		t.Fatalf("child says %q: %v", line, err)
	}
	return child
}

func accountOf(t *testing.T, path string) *account {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return ownerOf(info)
}

func realPath(t *testing.T, path string) string {
	t.Helper()
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		t.Fatal(err)
	}
	return real
}
