package portal_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "portal.example/portal"

// The technology folders meet in package portal and are tied together in
// cmd/portal: none imports another, and the domain imports none of them. What
// operators watch (health) is no part of the trade: neither knows the other.
func TestImportRules(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	technology := []string{"http", "sql", "jobs", "listener", "realtime", "pdf", "mail", "transport"}
	folder := func(path string) string {
		rest, ours := strings.CutPrefix(path, module+"/")
		first, _, _ := strings.Cut(rest, "/")
		if !ours || !slices.Contains(technology, first) {
			return ""
		}
		return first
	}
	counters := map[string][]string{
		module + "/http/page": {},
		module + "/http/shop": {"page"},
		module + "/http/desk": {"page", "shop"},
		module + "/http/ops":  {"page"},
	}
	seen := 0
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		seen++
		from := folder(p.ImportPath)
		for _, imported := range p.Imports {
			if to := folder(imported); from != "" && to != "" && to != from {
				t.Errorf("%s imports %s: they meet in package portal", p.ImportPath, imported)
			}
			if below := strings.TrimPrefix(imported, module+"/http/"); counters[p.ImportPath] != nil && below != imported &&
				!slices.Contains(counters[p.ImportPath], below) {
				t.Errorf("%s imports %s: the desk may import the shop, all may import the kit, and nothing else",
					p.ImportPath, imported)
			}
			if imported == "database/sql" && from != "sql" {
				t.Errorf("%s imports database/sql: only the migration runner may", p.ImportPath)
			}
			standard := !strings.Contains(strings.Split(imported, "/")[0], ".")
			if p.ImportPath == module && !standard && imported != "github.com/shopspring/decimal" &&
				imported != "golang.org/x/text/unicode/norm" {
				t.Errorf("the domain imports %s: only the standard library, the decimal type and Unicode's normal forms", imported)
			}
			if p.ImportPath == module+"/health" && !standard {
				t.Errorf("health imports %s: only the standard library", imported)
			}
		}
	}
	if seen < 5 {
		t.Fatalf("go list named %d packages", seen)
	}
}
