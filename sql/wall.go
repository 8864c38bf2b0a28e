package sql

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed" // wall.jsonl
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"portal.example/portal/triggers"
)

// wallText is what a database must have of rights, policies, functions and
// triggers, in lines of JSON. A test writes it from a freshly migrated database:
// UPDATE_WALL=1 go test -run TestWallManifest ./sql. Its first line is the hash
// of the files that it comes from.
//
//go:embed wall.jsonl
var wallText string

// wallRow is one thing that must be so. Rows of one kind have distinct names.
type wallRow struct {
	Kind   string // see wallKinds
	Name   string // of a grant: the grant itself, "select on table erp.item to portal_web"
	Object string // the table, function, schema or role that it is about
	Def    string
	DDL    string `db:"-"` // of a function that no file makes: the statement that does
}

func (r wallRow) key() string { return r.Kind + " " + r.Name }

// wallKinds are all kinds, in the order in which they are repaired: what others
// stand on comes first. Those that open or lock the wall are holes; the others
// only the doctor tells.
var wallKinds = []struct {
	kind string
	hole bool
}{
	{"role", true}, {"database", true}, {"member", true}, {"owner", true}, {"table", true}, {"column", false},
	{"function", true}, {"view", true}, {"constraint", false}, {"index", false}, {"rls", true}, {"policy", true},
	{"trigger", true}, {"default", false}, {"grant", true},
}

func kindOrder(kind string) int {
	for i, k := range wallKinds {
		if k.kind == kind {
			return i
		}
	}
	return len(wallKinds)
}

// wallManifest is the parsed text of a manifest.
type wallManifest struct {
	version string // SHA-256 of the text
	text    string
	sources string
	rows    []wallRow
}

var ownWall = sync.OnceValues(func() (wallManifest, error) { return parseWall(wallText) })

func parseWall(text string) (wallManifest, error) {
	sum := sha256.Sum256([]byte(text))
	m := wallManifest{version: hex.EncodeToString(sum[:]), text: text}
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var f []string
		if err := json.Unmarshal(lines.Bytes(), &f); err != nil {
			return m, fmt.Errorf("wall.jsonl: %w", err)
		}
		switch {
		case len(f) == 2 && f[0] == "sources":
			m.sources = f[1]
		case len(f) == 4:
			m.rows = append(m.rows, wallRow{f[0], f[1], f[2], f[3], ""})
		case len(f) == 5:
			m.rows = append(m.rows, wallRow{f[0], f[1], f[2], f[3], f[4]})
		default:
			return m, fmt.Errorf("wall.jsonl: a line of %d fields", len(f))
		}
	}
	return m, lines.Err()
}

// errStaleWall means that this build's wall.jsonl was not written anew after a
// migration, function or trigger changed. Nothing can be compared then. No build
// that passes its tests is so.
var errStaleWall = errors.New("this build's sql/wall.jsonl is stale: UPDATE_WALL=1 go test -run TestWallManifest ./sql")

// currentWall is the manifest of this build.
func currentWall() (wallManifest, error) {
	m, err := ownWall()
	if err != nil {
		return m, err
	}
	sources, err := wallSources()
	if err == nil && sources != m.sources {
		err = errStaleWall
	}
	return m, err
}

// wallSources is the hash of the files that a manifest comes from.
var wallSources = sync.OnceValues(func() (string, error) {
	sum := sha256.New()
	for _, f := range []struct {
		fs   fs.FS
		glob string
	}{{migrations, "migrations/*.sql"}, {functions, "functions/*.sql"}, {triggers.FS, "*.sql"}} {
		names, err := fs.Glob(f.fs, f.glob)
		if err != nil {
			return "", err
		}
		slices.Sort(names)
		for _, name := range names {
			text, err := fs.ReadFile(f.fs, name)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(sum, "%s %d\n%s", name, len(text), text)
		}
	}
	sum.Write([]byte(bootstrap + query("wall_rows")))
	return hex.EncodeToString(sum.Sum(nil)), nil
})

// readWall reads the database's rows. The transaction's search_path is
// pg_catalog afterwards.
func readWall(ctx context.Context, tx pgx.Tx) ([]wallRow, error) {
	if _, err := tx.Exec(ctx, "set local search_path = pg_catalog, pg_temp; set local jit = off"); err != nil {
		return nil, err
	}
	rows, _ := tx.Query(ctx, query("wall_rows"))
	return pgx.CollectRows(rows, pgx.RowToStructByName[wallRow])
}

// wallRecord is the row of portal.wall.
type wallRecord struct {
	Version  string
	Manifest string
	Written  map[string]string
}

// readRecord reads what the last migration left; the zero record where there is
// none, or where nobody may read it.
func readRecord(ctx context.Context, tx pgx.Tx) wallRecord {
	var out wallRecord
	_ = pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query("wall_record"))
		r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[wallRecord])
		if err == nil {
			out = r
		}
		return err
	})
	return out
}

// Difference is one thing in which a database is not as it must be.
type Difference struct {
	Hole bool // a customer may see or do more than it should, or a rule does not hold

	must wallRow // zero where there is something too many
	is   wallRow // zero where it is missing
}

func (d Difference) kind() string   { return cmp.Or(d.must.Kind, d.is.Kind) }
func (d Difference) name() string   { return cmp.Or(d.must.Name, d.is.Name) }
func (d Difference) object() string { return cmp.Or(d.must.Object, d.is.Object) }
func (d Difference) missing() bool  { return d.is.Kind == "" }
func (d Difference) extra() bool    { return d.must.Kind == "" }

// compareWall finds the differences, in the order of their repair. What other
// programs have added is passed over, except a policy or a right that opens the
// wall. written are the texts that this server is known to write otherwise.
func compareWall(must, is []wallRow, written map[string]string) []Difference {
	there := make(map[string]wallRow, len(is))
	for _, r := range is {
		there[r.key()] = r
	}
	var out []Difference
	ours := map[string]bool{} // objects
	known := make(map[string]bool, len(must))
	for _, m := range must {
		if kindOrder(m.Kind) == len(wallKinds) {
			continue // of a version after this one
		}
		known[m.key()], ours[m.Object] = true, true
		r, found := there[m.key()]
		if !found {
			out = append(out, Difference{must: m})
		} else if !sameText(r.Def, m.Def) && (written[m.key()] == "" || written[m.key()] != r.Def) {
			out = append(out, Difference{must: m, is: r})
		}
	}
	for _, r := range is {
		if !known[r.key()] && r.opens(ours) {
			out = append(out, Difference{is: r})
		}
	}
	for i := range out {
		out[i].Hole = wallKinds[kindOrder(out[i].kind())].hole
	}
	slices.SortStableFunc(out, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(kindOrder(a.kind()), kindOrder(b.kind())), cmp.Compare(a.lateness(), b.lateness()))
	})
	return out
}

// lateness orders constraints: a foreign key needs the key that it refers to.
func (d Difference) lateness() int {
	if strings.HasPrefix(d.must.Def, "FOREIGN KEY") {
		return 1
	}
	return 0
}

// opens reports whether a row that is not in the manifest opens the wall.
func (r wallRow) opens(ours map[string]bool) bool {
	switch r.Kind {
	case "member":
		return true
	case "grant":
		return ours[r.Object]
	case "policy":
		rest, permissive := strings.CutPrefix(r.Def, "as permissive for ")
		_, rest, _ = strings.Cut(rest, " to ")
		roles, _, _ := strings.Cut(rest, " using (")
		roles, _, _ = strings.Cut(roles, " with check (")
		list := strings.Split(roles, ", ")
		return ours[r.Object] && permissive && (slices.Contains(list, "public") || slices.Contains(list, "portal_web"))
	}
	return false
}
