package sql

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"strings"

	"github.com/jackc/pgx/v5"

	"portal.example/portal/triggers"
)

// WriteWall is the manifest of the database at url.
func WriteWall(ctx context.Context, url string) ([]byte, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	sources, err := wallSources()
	if err != nil {
		return nil, err
	}
	files, err := installed()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	write := json.NewEncoder(&out)
	write.SetEscapeHTML(false)
	if err := write.Encode([]string{"sources", sources}); err != nil {
		return nil, err
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		rows, err := readWall(ctx, tx)
		if err != nil {
			return err
		}
		for _, r := range rows {
			line := []string{r.Kind, r.Name, r.Object, r.Def}
			name, _, _ := strings.Cut(r.Name, "(")
			if r.Kind == "function" && !strings.Contains(files, "create or replace function "+name+"(") {
				var ddl string
				if err := tx.QueryRow(ctx, "select pg_get_functiondef($1::text::regprocedure)", r.Name).Scan(&ddl); err != nil {
					return err
				}
				line = append(line, ddl)
			}
			if err := write.Encode(line); err != nil {
				return err
			}
		}
		return nil
	})
	return out.Bytes(), err
}

// installed is the text of all re-installable files.
func installed() (string, error) {
	var out strings.Builder
	for _, f := range []struct {
		fs   fs.FS
		glob string
	}{{functions, "functions/*.sql"}, {triggers.FS, "*.sql"}} {
		names, err := fs.Glob(f.fs, f.glob)
		if err != nil {
			return "", err
		}
		for _, name := range names {
			text, err := fs.ReadFile(f.fs, name)
			if err != nil {
				return "", err
			}
			out.Write(text)
		}
	}
	return out.String(), nil
}

// Objects for the tests that break one thing after the other.

// WallRow is a row of the manifest.
type WallRow struct{ Kind, Name, Object, Def string }

// OwnWall is this build's manifest.
func OwnWall() ([]WallRow, error) {
	m, err := currentWall()
	var out []WallRow
	for _, r := range m.rows {
		out = append(out, WallRow{r.Kind, r.Name, r.Object, r.Def})
	}
	return out, err
}

// CheckWallIn compares within a transaction.
func CheckWallIn(ctx context.Context, tx pgx.Tx) ([]Difference, error) {
	m, err := currentWall()
	if err != nil {
		return nil, err
	}
	is, err := readWall(ctx, tx)
	return compareWall(m.rows, is, nil), err
}

// Kind and Name are of the row that differs.
func (d Difference) Kind() string { return d.kind() }

// Name is the name of the row that differs.
func (d Difference) Name() string { return d.name() }

// SameText is what definitions are compared by.
var SameText = sameText

// ScramOf computes what PostgreSQL keeps of a password.
var ScramOf = scramOf
