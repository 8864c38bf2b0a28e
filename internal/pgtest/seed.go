package pgtest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal/internal/localpg"
)

// A seed is the data of a server that holds the migrated template. Making one
// takes seconds, copying it a tenth of one, so test processes share it: the
// first makes it, whoever runs with the same migrations copies it.

const (
	seedPrefix = "portal-seed-"

	// seedKept is how long a seed stays that nobody copies: each change of a
	// migration leaves one behind.
	seedKept = 24 * time.Hour
)

// seedOf lists what a seed is made from, relative to the module.
var seedOf = []string{"go.sum", "sql", "triggers", "jobs", "internal/localpg", "internal/pgtest"}

// plant puts a copy of the seed where localpg.Start on dir finds its data.
func plant(ctx context.Context, dir string) error {
	seed, err := seeded(ctx)
	if err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	// Not os.CopyFS: as root the files have to stay those of the server's account.
	cp := exec.CommandContext(ctx, "cp", "-pR", filepath.Join(seed, "data"), filepath.Join(dir, "data"))
	if out, err := cp.CombinedOutput(); err != nil {
		return fmt.Errorf("copy the seed: %w: %s", err, out)
	}
	return nil
}

// seeded returns the directory of the seed, which it makes if there is none.
func seeded(ctx context.Context) (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	key, err := seedKey(root)
	if err != nil {
		return "", err
	}
	mine := fmt.Sprintf("%s%d-", seedPrefix, os.Geteuid())
	dir := filepath.Join(os.TempDir(), mine+key)
	if err := os.Mkdir(dir, 0o711); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	// The server may run as another account, which has to pass through.
	if err := os.Chmod(dir, 0o711); err != nil { // fails where somebody else laid it there
		return "", err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); errors.Is(err, fs.ErrNotExist) {
		if err := makeSeed(ctx, dir); err != nil {
			return "", err
		}
		forgetSeeds(filepath.Join(os.TempDir(), mine+"*"), dir)
	}
	now := time.Now()
	return dir, os.Chtimes(dir, now, now)
}

func makeSeed(ctx context.Context, dir string) error {
	growing := filepath.Join(dir, "growing")
	if err := localpg.Remove(growing); err != nil {
		return err
	}
	server, err := localpg.Start(ctx, localpg.Config{Dir: growing, Settings: settings("off")})
	if err != nil {
		return err
	}
	err = buildTemplate(ctx, server)
	if err := errors.Join(err, server.Stop(ctx)); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(growing, "data"), filepath.Join(dir, "data")); err != nil {
		return err
	}
	return localpg.Remove(growing)
}

// buildTemplate makes the database that New copies.
func buildTemplate(ctx context.Context, server *localpg.Server) error {
	if err := server.EnsureDatabase(ctx, template); err != nil {
		return fmt.Errorf("create template: %w", err)
	}
	if err := prepare(ctx, server.URL(template)); err != nil {
		return fmt.Errorf("prepare template: %w", err)
	}
	// From here on nobody, not even a stray pool, may open a connection: it would
	// fail the copies.
	conn, err := pgx.Connect(ctx, server.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err = conn.Exec(ctx, "alter database "+template+" with allow_connections false"); err != nil {
		return fmt.Errorf("close template: %w", err)
	}
	return nil
}

// forgetSeeds removes those that nobody copied for long.
func forgetSeeds(pattern, but string) {
	dirs, _ := filepath.Glob(pattern)
	for _, dir := range dirs {
		if info, err := os.Lstat(dir); err == nil && info.IsDir() && dir != but && time.Since(info.ModTime()) > seedKept {
			os.RemoveAll(dir) // a failure costs room, not the tests
		}
	}
}

// seedKey is a digest of all that a seed is made from.
func seedKey(root string) (string, error) {
	programs, err := localpg.Find()
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	fmt.Fprintln(sum, programs.Dir, programs.Major)
	for _, part := range seedOf {
		err := filepath.WalkDir(filepath.Join(root, part), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			fmt.Fprintf(sum, "%s %x\n", strings.TrimPrefix(path, root), sha256.Sum256(text))
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%x", sum.Sum(nil)[:8]), nil
}

// moduleRoot is the folder of go.mod above the one that tests run in.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("tests run outside the module")
		}
	}
}
