package pgtest

import (
	"os"
	"path/filepath"
	"testing"
)

// Another migration is another seed; another test is not.
func TestSeedKey(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write := func(path, text string) string {
		t.Helper()
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		key, err := seedKey(root)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	for _, part := range seedOf {
		if err := os.Mkdir(filepath.Join(root, filepath.Dir(part)), 0o700); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
		if err := os.Mkdir(filepath.Join(root, part), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	first := write("sql/migrations/1.sql", "create table a ();")
	if key := write("sql/a_test.go", "package sql"); key != first {
		t.Error("a test makes another seed")
	}
	if key := write("sql/migrations/1.sql", "create table b ();"); key == first {
		t.Error("a changed migration makes no other seed")
	}
	second := write("sql/migrations/1.sql", "create table a ();")
	if second != first {
		t.Error("the same migrations make another seed")
	}
	if key := write("triggers/2.sql", ""); key == first {
		t.Error("a new file makes no other seed")
	}
}
