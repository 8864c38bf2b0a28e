package sql

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed queries/*.sql
var queryFiles embed.FS

// queries are the statements of queries/*.sql by name: "-- name: order_list"
// begins one. They are read once, when the program starts.
var queries = mustReadQueries(queryFiles, "queries")

// query returns the text of a named statement. A name that does not exist is a
// slip of ours that the first call of any test finds.
func query(name string) string {
	text, ok := queries[name]
	if !ok {
		panic("sql: no query named " + name)
	}
	return text
}

func mustReadQueries(files fs.FS, folder string) map[string]string {
	out, err := readQueries(files, folder)
	if err != nil {
		panic(err)
	}
	return out
}

func readQueries(files fs.FS, folder string) (map[string]string, error) {
	names, err := fs.Glob(files, folder+"/*.sql")
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		_, rest, found := strings.Cut(string(text), "-- name: ")
		for found {
			var body string
			body, rest, found = strings.Cut(rest, "-- name: ")
			title, statement, _ := strings.Cut(body, "\n")
			title = strings.TrimSpace(title)
			if _, twice := out[title]; twice {
				return nil, fmt.Errorf("%s: query %s is there twice", name, title)
			}
			out[title] = strings.TrimSpace(statement)
		}
	}
	return out, nil
}
