package page

import (
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"text/template/parse"
	"time"
)

// TestTemplates reads the templates of all counters for what parsing and
// executing a page do not show: names defined twice or never called, and HTML
// that works by accident.
func TestTemplates(t *testing.T) {
	t.Parallel()
	var files []string
	for _, pattern := range []string{"../*/html/*.tmpl", "../*/html/part/*.tmpl"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) < 50 {
		t.Fatalf("%d templates found", len(files))
	}
	parts, called := map[string]string{}, map[string]bool{"layout": true, "content": true}
	pages := map[string]map[string]string{} // by file: what it defines for itself
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, fault := range htmlFaults(string(raw)) {
			t.Errorf("%s: %s", file, fault)
		}
		defined := definedIn(t, file, string(raw), called)
		if filepath.Base(filepath.Dir(file)) != "part" {
			pages[file] = defined
			continue
		}
		for name := range defined {
			if other, twice := parts[name]; twice {
				t.Errorf("%s and %s both define %q", other, file, name)
			}
			parts[name] = file
		}
	}
	for _, defined := range pages {
		for name, file := range defined {
			if part, twice := parts[name]; twice && name != "head" { // the layout has an empty one
				t.Errorf("%s and %s both define %q", part, file, name)
			}
			parts[file+" "+name] = file
		}
	}
	rendered := goText(t) // a part may be executed by its name
	for key, file := range parts {
		name := key[strings.LastIndex(key, " ")+1:]
		if !called[name] && !strings.Contains(rendered, `"`+name+`"`) {
			t.Errorf("%s: nothing calls %q", file, name)
		}
	}
}

// definedIn parses a file and returns what it defines; what it calls is put into
// called. Functions of other counters are taken as there: pages check them.
func definedIn(t *testing.T, file, text string, called map[string]bool) map[string]string {
	t.Helper()
	trees := map[string]*parse.Tree{}
	tree := parse.New(file)
	tree.Mode = parse.SkipFuncCheck
	if _, err := tree.Parse(text, "", "", trees); err != nil {
		t.Fatal(err)
	}
	defined := map[string]string{}
	for name, one := range trees {
		if name != file {
			defined[name] = file
		}
		if one.Root != nil {
			calls(one.Root, called)
		}
	}
	if n := strings.Count(text, "{{define ") + strings.Count(text, "{{- define "); n > len(defined) {
		t.Errorf("%s: %d definitions of %d names", file, n, len(defined))
	}
	return defined
}

// calls notes the names of all templates that are called below a node.
func calls(node parse.Node, called map[string]bool) {
	branch := func(b *parse.BranchNode) {
		calls(b.List, called)
		if b.ElseList != nil {
			calls(b.ElseList, called)
		}
	}
	switch n := node.(type) {
	case *parse.ListNode:
		for _, one := range n.Nodes {
			calls(one, called)
		}
	case *parse.TemplateNode:
		called[n.Name] = true
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.RangeNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	}
}

// goText is the program's text, in which templates are executed by their names.
func goText(t *testing.T) string {
	t.Helper()
	sources, err := filepath.Glob("../*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range sources {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(raw)
	}
	return all.String()
}

var (
	comment  = regexp.MustCompile(`(?s)\{\{-? ?/\*.*?\*/ ?-?\}\}`)
	action   = regexp.MustCompile("(?s)\\{\\{(?:\"(?:\\\\.|[^\"\\\\])*\"|`[^`]*`|[^{}\"`])*\\}\\}")
	tag      = regexp.MustCompile(`(?s)<([a-z][a-z0-9-]*)((?:\s+|"[^"]*"|[^">])*)>`)
	quoted   = regexp.MustCompile(`(?s)"[^"]*"|'[^']*'`)
	unquoted = regexp.MustCompile(`\s[a-zA-Z-]+=[^"\s]`)
	typed    = regexp.MustCompile(`\stype="`)
	named    = regexp.MustCompile(`\s(?:id|aria-label|aria-labelledby|hidden)\b`)
	unseen   = regexp.MustCompile(`type="(?:hidden|submit|button)"`)
)

// htmlFaults are the faults in the HTML of a template's text, without its actions.
func htmlFaults(text string) (faults []string) {
	text = comment.ReplaceAllString(text, "")
	text = action.ReplaceAllString(text, "§")
	for _, at := range tag.FindAllStringSubmatchIndex(text, -1) {
		name, attributes := text[at[2]:at[3]], text[at[4]:at[5]]
		line := func(what string) {
			faults = append(faults, fmt.Sprintf("%s: <%s%s>", what, name, strings.Join(strings.Fields(" "+attributes), " ")))
		}
		bare := quoted.ReplaceAllString(attributes, `""`)
		if unquoted.MatchString(bare) {
			line("attribute without quotation marks")
		}
		before := text[:at[0]]
		within := strings.LastIndex(before, "<label") > strings.LastIndex(before, "</label")
		switch name {
		case "button":
			if !typed.MatchString(attributes) {
				line("button without a type")
			}
		case "input", "select", "textarea":
			if !within && !unseen.MatchString(attributes) && !named.MatchString(attributes) {
				line("field that no label can name")
			}
		case "img":
			if !strings.Contains(bare, " alt=") {
				line("picture without words")
			}
		case "a":
			if strings.Contains(attributes, `target="_blank"`) && !strings.Contains(attributes, `rel="`) {
				line("new window that knows its opener")
			}
		}
	}
	return faults
}

// The check above finds what it is for.
func TestTemplateFaults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`<button class="btn">Go</button>`:                                "button without a type",
		`<p class={{.Class}}>x</p>`:                                      "attribute without quotation marks",
		`<input name="q" value="{{if eq .A "b"}}{{.C}}{{end}}">`:         "field that no label can name",
		`<img src="x">`:                                                  "picture without words",
		`<a target="_blank" href="/x">x</a>`:                             "new window that knows its opener",
		`<label>PO <input name="po"></label><input id="f-x" name="x">`:   "",
		`{{/* <button> */}}<button type="{{or .T "button"}}">x</button>`: "",
	} {
		got := strings.Join(htmlFaults(text), "\n")
		if want == "" && got != "" || want != "" && !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// A thousand visitors at one page in the same instant made a thousand sets of it,
// one after the other while everybody else waited, and kept them: a gigabyte.
func TestPagesHaveFewSets(t *testing.T) {
	t.Parallel()
	brand, err := DefaultBrand()
	if err != nil {
		t.Fatal(err)
	}
	entered, release := make(chan struct{}, 1000), make(chan struct{})
	k, err := New(Config{Brand: brand}, Templates{Counter: "test", Files: fstest.MapFS{
		"html/slow.tmpl":        {Data: []byte(`{{define "slow"}}{{wait}}{{end}}`)},
		"html/part/unused.tmpl": {Data: []byte(`{{define "unused"}}{{end}}`)},
	}, Funcs: func(func() time.Time) template.FuncMap {
		return template.FuncMap{"wait": func() string { entered <- struct{}{}; <-release; return "" }}
	}})
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 100 {
		wait.Go(func() {
			if err := k.pages.execute(io.Discard, "test/slow", "slow", time.Now().UTC(), nil); err != nil {
				t.Error(err)
			}
		})
	}
	for range cap(k.pages.drawing) {
		<-entered
	}
	for range 1000 { // whoever else would be let in is
		runtime.Gosched()
	}
	close(release)
	wait.Wait()
	for page, sets := range k.pages.free {
		if len(sets) > cap(k.pages.drawing) {
			t.Errorf("%d sets of %v", len(sets), page)
		}
	}
}
