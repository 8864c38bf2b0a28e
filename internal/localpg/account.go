package localpg

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// account is whom the server runs as. The nil account is ourselves.
type account struct {
	name     string
	uid, gid uint32
}

// plainAccount returns the account to drop to: nil unless we are root.
func plainAccount(name string) (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	names := []string{"postgres", "nobody"}
	if name != "" {
		names = []string{name}
	}
	for _, name := range names {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uerr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gerr := strconv.ParseUint(u.Gid, 10, 32)
		if uerr != nil || gerr != nil {
			return nil, fmt.Errorf("account %s has the ids %q and %q", name, u.Uid, u.Gid)
		}
		if uid == 0 {
			return nil, fmt.Errorf("account %s is root, and PostgreSQL refuses to run as root", name)
		}
		return &account{name: name, uid: uint32(uid), gid: uint32(gid)}, nil
	}
	return nil, fmt.Errorf("PostgreSQL refuses to run as root and there is no account %s", strings.Join(names, " or "))
}

// ownerOf returns the account that owns an existing file: nil unless we are
// root and somebody else does.
func ownerOf(info fs.FileInfo) *account {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 || stat.Uid == 0 {
		return nil
	}
	a := &account{name: fmt.Sprintf("uid %d", stat.Uid), uid: stat.Uid, gid: stat.Gid}
	if u, err := user.LookupId(strconv.FormatUint(uint64(stat.Uid), 10)); err == nil {
		a.name = u.Username
	}
	return a
}

// own gives a file or directory to the account.
func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	return os.Lchown(path, int(a.uid), int(a.gid))
}

// reaches reports whether the account can enter dir. It tries, instead of
// reading mode bits, because access lists and mounts have their say too.
func (a *account) reaches(dir string) bool {
	return a == nil || a.command("/bin/sh", "-c", `cd "$1"`, "sh", dir).Run() == nil
}

// command prepares a program to run as the account, in a process group of its
// own so that ^C at the terminal reaches only us, and with an environment that
// holds none of the caller's PostgreSQL or language settings.
func (a *account) command(path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Dir = "/" // ours may be closed to the account
	cmd.Env = append(environment(), "LC_ALL=C")
	cmd.SysProcAttr = childAttributes()
	if a != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	return cmd
}

func environment() []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "PG") && !strings.HasPrefix(kv, "LC_") && !strings.HasPrefix(kv, "LANG") {
			env = append(env, kv)
		}
	}
	return env
}
