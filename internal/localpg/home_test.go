package localpg

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestHalfMadeDirectory(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	// As a crash in the middle of initdb leaves it.
	half := filepath.Join(dir, "data.new", "base")
	if err := os.MkdirAll(half, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "data.new", "PG_VERSION"), []byte("15\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := mustStart(t, Config{Dir: dir})
	ask(t, s.URL("postgres"), `select 'whole'`)
	if _, err := os.Stat(filepath.Join(dir, "data.new")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the half-made one is left: %v", err)
	}
}

func TestForeignDataIsLeftAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	letter := filepath.Join(dir, "data", "letter.txt")
	if err := os.MkdirAll(filepath.Dir(letter), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(letter, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Start(testContext(t), Config{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "not a PostgreSQL data directory") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(letter); err != nil {
		t.Error(err)
	}
}

func TestOtherVersionIsNamed(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	s := mustStart(t, Config{Dir: dir})
	mustStop(t, s)
	if err := os.WriteFile(filepath.Join(s.data, "PG_VERSION"), []byte("99\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Start(testContext(t), Config{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "was made by PostgreSQL 99") {
		t.Errorf("got %v", err)
	}
}

// A directory such as /root/x, closed to everybody but its owner.
func TestDirectoryUnderAClosedOne(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	if err := os.Chmod(filepath.Dir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	s := mustStart(t, Config{Dir: dir})
	keep(t, s.URL("postgres"))
	outside := !strings.HasPrefix(s.data, realPath(t, dir))
	if outside != (os.Geteuid() == 0) {
		t.Errorf("the data is in %s", s.data)
	}
	mustStop(t, s)
	s = mustStart(t, Config{Dir: dir})
	kept(t, s.URL("postgres"))
	mustStop(t, s)

	// Who removes the directory by hand wants to begin anew.
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	s = mustStart(t, Config{Dir: dir})
	if got := ask(t, s.URL("postgres"), `select coalesce(to_regclass('kept')::text, 'gone')`); got != "gone" {
		t.Errorf("old data is back: %s", got)
	}
	mustStop(t, s)
	if err := Remove(dir); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, s.data, filepath.Dir(s.data)} {
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left: %v", path, err)
		}
	}
}

func TestRemoveOfNothing(t *testing.T) {
	t.Parallel()
	if err := Remove(filepath.Join(t.TempDir(), "none")); err != nil {
		t.Error(err)
	}
}
