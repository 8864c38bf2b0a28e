package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// asvsRequirements is how many requirements of levels 1 and 2 the standard has: 70 and 183.
const asvsRequirements = 253

// The table of docs/asvs.md has each requirement once, its counts are right, every test that it names
// is in the tree, and what is not passed says why.
func TestASVS(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../docs/asvs.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := testsInTree(t)
	states, seen := map[string]int{}, map[string]bool{}
	row := regexp.MustCompile(`^\| (V\d+\.\d+\.\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$`)
	for line := range strings.Lines(string(raw)) {
		if !strings.HasPrefix(line, "| V") {
			continue
		}
		m := row.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			t.Errorf("not a row of five: %s", line)
			continue
		}
		no, state, how := m[1], m[3], m[4]
		if seen[no] {
			t.Errorf("%s stands twice", no)
		}
		seen[no] = true
		states[state]++
		if len(how) < 3 {
			t.Errorf("%s does not say how or why", no)
		}
		for _, name := range regexp.MustCompile(`Test\w+`).FindAllString(m[5], -1) {
			if !tests[name] {
				t.Errorf("%s names %s, which is not in the tree", no, name)
			}
		}
	}
	counts := fmt.Sprintf("Of %d requirements %d are passed, %d partial, %d open, %d not applicable.\n", len(seen),
		states["passed"], states["partial"], states["open"], states["not applicable"])
	if !strings.Contains(string(raw), "\n"+counts) || len(states) != 4 || len(seen) != asvsRequirements {
		t.Errorf("the top of docs/asvs.md should say: %s(the states are %v)", counts, states)
	}
}

// testsInTree are the names of all tests of the module.
func testsInTree(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	head := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2) {
			return filepath.SkipDir
		}
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range head.FindAllStringSubmatch(string(text), -1) {
			names[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
