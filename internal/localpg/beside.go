package localpg

import (
	"fmt"
	"os/exec"
	"syscall"
)

// Beside prepares another program that refuses to be root, such as PgBouncer: it
// runs as the account that the server runs as, to which dir is given, and ends
// when its standard input does, so that it never outlives the caller.
func Beside(dir, program string, args ...string) (*exec.Cmd, error) {
	acct, err := plainAccount("")
	if err != nil {
		return nil, err
	}
	if err := acct.own(dir); err != nil {
		return nil, fmt.Errorf("give %s to the server's account: %w", dir, err)
	}
	const until = `"$@" </dev/null & cat >/dev/null; kill $!; wait $!`
	cmd := acct.command("/bin/sh", append([]string{"-c", until, "sh", program}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: cmd.SysProcAttr.Credential}
	return cmd, nil
}
