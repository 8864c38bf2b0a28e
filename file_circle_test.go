package portal_test

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fileCircles is how many files of a package may use one another in a circle: such files are read, and
// changed, only together. Whoever cuts one down lowers the number here.
var fileCircles = map[string]int{
	".":         2,
	"http/page": 15,
	"http/shop": 9,
	"http/desk": 3,
	"sql":       12,
}

// The files of a package form no circle larger than the table allows.
func TestFilesFormNoCircles(t *testing.T) {
	t.Parallel()
	for dir, most := range fileCircles {
		circles := circlesOf(t, dir)
		largest := 1
		for _, c := range circles {
			largest = max(largest, len(c))
			if len(c) > most {
				t.Errorf("%s: %d files use one another in a circle: %s", dir, len(c), strings.Join(c, " "))
			}
		}
		if largest < most {
			t.Logf("%s: the largest circle has %d files now: lower the table from %d", dir, largest, most)
		}
	}
}

// circlesOf are the strongly connected parts of the graph of a package's files; an edge leads from a
// file to one that declares what it uses: a name of the package, or a method.
func circlesOf(t *testing.T, dir string) [][]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	// what is imported stays unknown: only names of the package itself count
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: importer.ForCompiler(set, "none", nil), Error: func(error) {}}
	pkg, _ := config.Check(dir, set, files, info)
	uses := map[string][]string{}
	name := func(pos token.Pos) string { return filepath.Base(set.Position(pos).Filename) }
	for id, object := range info.Uses {
		method, isFunc := object.(*types.Func)
		if object.Pkg() != pkg || object.Parent() != pkg.Scope() && (!isFunc || method.Signature().Recv() == nil) {
			continue
		}
		if from, to := name(id.Pos()), name(object.Pos()); from != to && !slices.Contains(uses[from], to) {
			uses[from] = append(uses[from], to)
		}
	}
	return connected(uses)
}

// connected are the parts of a graph of which each node leads to each other one, by Tarjan.
func connected(edges map[string][]string) (parts [][]string) {
	index, low, onStack := map[string]int{}, map[string]int{}, map[string]bool{}
	var stack []string
	var visit func(string)
	visit = func(v string) {
		index[v] = len(index) + 1
		low[v] = index[v]
		stack = append(stack, v)
		onStack[v] = true
		for _, w := range edges[v] {
			switch {
			case index[w] == 0:
				visit(w)
				low[v] = min(low[v], low[w])
			case onStack[w]:
				low[v] = min(low[v], index[w])
			}
		}
		if low[v] != index[v] {
			return
		}
		var part []string
		for w := ""; w != v; {
			w, stack = stack[len(stack)-1], stack[:len(stack)-1]
			onStack[w] = false
			part = append(part, w)
		}
		slices.Sort(part)
		parts = append(parts, part)
	}
	for v := range edges {
		if index[v] == 0 {
			visit(v)
		}
	}
	return parts
}
