package sql

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestArgs(t *testing.T) {
	t.Parallel()
	const text = "select @a::int, @b::text, '@c', @a"
	for _, c := range []struct {
		name    string
		args    args
		refused string
	}{
		{"what the text has", args{"a": 1, "b": "x"}, ""},
		{"a NULL that is meant", args{"a": nil, "b": nil}, ""},
		{"more than the text has", args{"a": nil, "b": "x", "c": 1}, ""},
		{"a name missing", args{"a": 1}, "argument b"},
		{"a name misspelt", args{"a": 1, "B": nil}, "argument b"},
		{"a name missing beside a NULL", args{"b": nil}, "argument a"},
		{"nothing", args{}, "argument"},
	} {
		rewritten, values, err := c.args.RewriteQuery(t.Context(), nil, text, nil)
		if c.refused != "" {
			if err == nil || !strings.Contains(err.Error(), c.refused) {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		want := []any{c.args["a"], c.args["b"]}
		if err != nil || rewritten != "select $1::int, $2::text, '@c', $1" || !slices.Equal(values, want) {
			t.Errorf("%s: %s %v %v", c.name, rewritten, values, err)
		}
	}
}

// Where a call writes its arguments out beside the query's name, both have the same names.
func TestArgsAreTheQuerys(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name, given, ok := writtenOut(call)
			if !ok {
				return true
			}
			compared++
			if asked := parameters(query(name)); !slices.Equal(given, asked) {
				t.Errorf("%s: %s is called with %v and asks for %v", file, name, given, asked)
			}
			return true
		})
	}
	if compared < 100 {
		t.Errorf("only %d calls were compared", compared)
	}
}

// writtenOut finds query("name") and args{…} among the arguments of a call.
func writtenOut(call *ast.CallExpr) (name string, given []string, ok bool) {
	for _, arg := range call.Args {
		switch arg := arg.(type) {
		case *ast.CallExpr:
			if f, is := arg.Fun.(*ast.Ident); is && f.Name == "query" {
				if lit, is := arg.Args[0].(*ast.BasicLit); is {
					name, _ = strconv.Unquote(lit.Value)
				}
			}
		case *ast.CompositeLit:
			if f, is := arg.Type.(*ast.Ident); !is || f.Name != "args" {
				continue
			}
			ok = true
			for _, e := range arg.Elts {
				key, _ := strconv.Unquote(e.(*ast.KeyValueExpr).Key.(*ast.BasicLit).Value)
				given = append(given, key)
			}
		}
	}
	slices.Sort(given)
	return name, given, ok && name != ""
}

var parameter = regexp.MustCompile(`(?m)--.*$|'[^']*'|(?:^|[^@<])@([a-zA-Z_]\w*)`)

func parameters(text string) []string {
	var out []string
	for _, m := range parameter.FindAllStringSubmatch(text, -1) {
		if m[1] != "" {
			out = append(out, m[1])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Statements on our tables and functions stand in queries/*.sql, where a test prepares each
// of them; Go has only what opens a transaction and sets it up.
func TestStatementsStandInFiles(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	ours := regexp.MustCompile(`(?i)\b(erp|portal|river)\.[a-z_]+( |\(|$)`)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			f, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !slices.Contains([]string{"Exec", "Query", "QueryRow", "Queue"}, f.Sel.Name) {
				return true
			}
			for _, arg := range call.Args {
				if lit, ok := arg.(*ast.BasicLit); ok && ours.MatchString(lit.Value) {
					t.Errorf("%s: %s", file, lit.Value)
				}
			}
			return true
		})
	}
}
