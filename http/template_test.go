package http

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// templates are the files of all counters.
func templates(t *testing.T) []string {
	t.Helper()
	pages, err := filepath.Glob("*/html/*.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	parts, err := filepath.Glob("*/html/part/*.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	return append(pages, parts...)
}

// No template writes a number into an address by itself.
func TestTemplatesMakeAddresses(t *testing.T) {
	t.Parallel()
	inPath := regexp.MustCompile(`/\{\{([^}]*)\}\}|print (?:\$\w+ )?"/[a-z/-]+/" ([^)}]*)`)
	found := 0
	for _, name := range templates(t) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range inPath.FindAllStringSubmatch(string(text), -1) {
			found++
			number := m[1] + m[2]
			if !strings.HasPrefix(number, "path ") && !strings.HasPrefix(number, "(path ") && !strings.HasSuffix(number, "ID") &&
				number != ".Revision" && number != "$p.ShownOver ." && number != ".Total.StringFixed 2" &&
				!strings.HasPrefix(number, "if ") && !strings.HasPrefix(number, "end") {
				t.Errorf("%s writes %s into an address", name, m[0])
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d numbers in addresses found", found)
	}
}

// Every page that is answered with has a template, and every template is a page
// that something answers with.
func TestPagesHaveTemplates(t *testing.T) {
	t.Parallel()
	sources, err := filepath.Glob("*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`\.(?:Page|PlainPage|Render)\(q, (?:[\w.]+|(?:page\.)?Status\(\w+\)), ("?[\w/]+"?)`)
	answered := map[string]string{}
	for _, name := range sources {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(text), -1) {
			if page, ok := strings.CutPrefix(m[1], `"`); ok { // not the kit's own variable
				answered[strings.TrimSuffix(page, `"`)] = name
			}
		}
	}
	for page, name := range answered {
		counter, file, _ := strings.Cut(page, "/")
		if _, err := os.Stat(counter + "/html/" + file + ".tmpl"); err != nil {
			t.Errorf("%s answers with %s: %v", name, page, err)
		}
	}
	files, err := filepath.Glob("*/html/*.tmpl")
	if err != nil || len(files) < 60 {
		t.Fatalf("%d pages, %v", len(files), err)
	}
	for _, name := range files {
		page := strings.Replace(strings.TrimSuffix(name, ".tmpl"), "/html/", "/", 1)
		if answered[page] == "" {
			t.Errorf("nothing answers with %s", name)
		}
	}
}

// A part of a page that is called is there: html/template looks for it only when the page is made.
func TestTemplateCallsAreDefined(t *testing.T) {
	t.Parallel()
	defined, called := map[string]bool{}, map[string]string{}
	defines := regexp.MustCompile(`\{\{-? ?(?:define|block) "([^"]+)"`)
	calls := regexp.MustCompile(`\{\{-? ?template "([^"]+)"`)
	for _, file := range templates(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range defines.FindAllStringSubmatch(string(text), -1) {
			defined[m[1]] = true
		}
		for _, m := range calls.FindAllStringSubmatch(string(text), -1) {
			called[m[1]] = file
		}
	}
	if len(called) < 30 {
		t.Fatalf("only %d parts are called", len(called))
	}
	for name, file := range called {
		if !defined[name] {
			t.Errorf("%s calls %q, which no file defines", file, name)
		}
	}
}
