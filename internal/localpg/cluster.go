package localpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// majorOf returns the version that made a data directory, and 0 if there is
// none yet.
func majorOf(data string) (int, error) {
	text, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if errors.Is(err, os.ErrNotExist) {
		entries, err := os.ReadDir(data)
		if err == nil && len(entries) > 0 {
			return 0, fmt.Errorf("%s is not a PostgreSQL data directory: move it away", data)
		}
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("%s has the version %q", data, strings.TrimSpace(string(text)))
	}
	return major, nil
}

// initialize makes a cluster. It grows under another name and is renamed when
// whole, so that data is never a half-made one.
func initialize(ctx context.Context, b Binaries, acct *account, data string, durable bool) error {
	var last error
	for _, locale := range locales(b.Major) {
		fresh, err := begin(acct, data)
		if err != nil {
			return err
		}
		out, err := runInitdb(ctx, b, acct, fresh, durable, locale)
		if err == nil {
			return finish(fresh, data)
		}
		os.RemoveAll(fresh)
		if ctx.Err() != nil {
			return fmt.Errorf("initdb: %w", ctx.Err())
		}
		last = fmt.Errorf("initdb: %w: %s", err, lastLines(out))
		if !strings.Contains(out, "locale") {
			return last
		}
	}
	return last
}

// locales lists ways to get Unicode's upper and lower case with an order that
// is the same everywhere, best first. Not every system has C.UTF-8, and plain C
// knows no letters beyond ASCII.
func locales(major int) [][]string {
	ways := [][]string{{"--locale=C.UTF-8"}}
	if major >= 17 {
		ways = append(ways, []string{"--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"})
	}
	if major >= 15 {
		ways = append(ways, []string{"--locale=C", "--locale-provider=icu", "--icu-locale=und"})
	}
	return append(ways, []string{"--locale=en_US.UTF-8"})
}

// copyOf makes a cluster that follows the server at url, under another name
// until it is whole, as initialize does.
func copyOf(ctx context.Context, b Binaries, acct *account, data, url string) error {
	fresh, err := begin(acct, data)
	if err != nil {
		return err
	}
	cmd := acct.command(filepath.Join(b.Dir, "pg_basebackup"),
		"--pgdata="+fresh, "--dbname="+url, "--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync")
	if out, err := combined(ctx, cmd); err != nil {
		os.RemoveAll(fresh)
		return fmt.Errorf("pg_basebackup: %w: %s", err, lastLines(out))
	}
	return finish(fresh, data)
}

// begin makes an empty directory for data that is not whole yet, in the place of
// one that was left behind.
func begin(acct *account, data string) (fresh string, err error) {
	fresh = data + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return "", err
	}
	if err := os.Mkdir(fresh, 0o700); err != nil {
		return "", err
	}
	return fresh, acct.own(fresh)
}

// finish gives data that is whole its name.
func finish(fresh, data string) error {
	if err := os.Remove(data); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Rename(fresh, data)
}

func runInitdb(ctx context.Context, b Binaries, acct *account, dir string, durable bool,
	locale []string) (string, error) {
	args := []string{
		"-D", dir, "-U", Superuser, "--encoding=UTF8", "--no-instructions",
		"--auth-local=trust", "--auth-host=scram-sha-256",
	}
	if !durable {
		args = append(args, "--no-sync")
	}
	return combined(ctx, acct.command(filepath.Join(b.Dir, "initdb"), append(args, locale...)...))
}

// combined runs a program and returns what it said.
func combined(ctx context.Context, cmd *exec.Cmd) (string, error) {
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return "", err
	}
	// it may have started others (initdb runs postgres), so the whole group has to go when ctx ends.
	stop := context.AfterFunc(ctx, func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	defer stop()
	err := cmd.Wait()
	return out.String(), err
}
