package sql_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// README.md lists the functions, queries and triggers by noun.
func TestIndex(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	index := string(text)
	for _, folder := range []string{"functions", "queries", "../triggers"} {
		files, err := filepath.Glob(folder + "/*.sql")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files, %v", folder, err)
		}
		for _, file := range files {
			if !strings.Contains(index, "]("+filepath.ToSlash(file)+")") {
				t.Errorf("sql/README.md does not list %s", file)
			}
		}
	}
	created := regexp.MustCompile(`(?m)^create or replace function ([a-z_]+\.[a-z_]+)`)
	files, err := filepath.Glob("functions/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range created.FindAllStringSubmatch(string(source), -1) {
			if !strings.Contains(index, "`"+m[1]+"`") {
				t.Errorf("sql/README.md does not list the function %s of %s", m[1], file)
			}
		}
	}
	for _, m := range regexp.MustCompile(`\]\(([^)]+\.sql)\)`).FindAllStringSubmatch(index, -1) {
		if _, err := os.Stat(m[1]); err != nil {
			t.Errorf("sql/README.md lists %s, which is not there", m[1])
		}
	}
}
