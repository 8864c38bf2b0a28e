package sql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// repairPasses is how often the database is compared again: what is made anew
// may bring rights of its own.
const repairPasses = 4

// repairWall brings the database to what it must be, in one transaction, and
// tells of each thing. conn acts as the log-in, which may do what portal_owner
// may not: owners, roles. What cannot be repaired is the error; everything else
// is repaired all the same.
func repairWall(ctx context.Context, conn *pgx.Conn, tell func(string)) error {
	own, err := currentWall()
	if errors.Is(err, errStaleWall) {
		tell(err.Error())
		return nil
	}
	if err != nil {
		return err
	}
	var left []Difference
	r := repair{refused: map[string]error{}}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		r.tx = tx
		var err error
		left, err = r.run(ctx, own, tell)
		return err
	})
	if err != nil {
		return err
	}
	if len(left) == 0 {
		return nil
	}
	var lines []string
	for _, d := range left {
		line := d.What()
		if err := r.refused[cmpKey(d)]; err != nil {
			line += " (" + err.Error() + ")"
		}
		lines = append(lines, line)
	}
	return fmt.Errorf("the database is not what it must be, and this is not to be repaired by itself:\n  %s",
		strings.Join(lines, "\n  "))
}

func cmpKey(d Difference) string { return d.kind() + " " + d.name() }

// repair is one transaction of repairs.
type repair struct {
	tx      pgx.Tx
	refused map[string]error // by key: why the last try failed
}

// run repairs until nothing is left that changes, and records the result.
func (r *repair) run(ctx context.Context, own wallManifest, tell func(string)) (left []Difference, err error) {
	record := readRecord(ctx, r.tx)
	written := map[string]string{}
	if record.Version == own.version && record.Written != nil {
		maps.Copy(written, record.Written)
	}
	made := map[string]bool{} // anew, by this run
	told := map[string]bool{}
	for range repairPasses {
		is, err := readWall(ctx, r.tx)
		if err != nil {
			return nil, err
		}
		left = compareWall(own.rows, is, written)
		var todo []Difference
		for _, d := range left {
			if !d.missing() && !d.extra() && made[cmpKey(d)] && r.refused[cmpKey(d)] == nil {
				written[cmpKey(d)] = d.is.Def // how this server writes the same
				continue
			}
			todo = append(todo, d)
			if !told[d.What()] {
				told[d.What()] = true
				tell(d.What())
			}
		}
		if left = todo; len(todo) == 0 {
			break
		}
		if err := r.pass(ctx, todo, made); err != nil {
			return nil, err
		}
	}
	if len(left) == 0 && (record.Version != own.version || len(written) != len(record.Written)) {
		return nil, r.keep(ctx, own, written)
	}
	return left, nil
}

// pass tries each repair once, each within a savepoint.
func (r *repair) pass(ctx context.Context, todo []Difference, made map[string]bool) error {
	ran := false
	for _, d := range todo {
		if d.kind() == "function" && d.must.DDL == "" && !ran {
			ran = true
			if err := r.installAgain(ctx, todo); err != nil {
				return err
			}
		}
		statement, owner, err := d.repair()
		if err == nil && statement != "" {
			err = r.try(ctx, statement, owner)
		}
		if err != nil {
			r.refused[cmpKey(d)] = err
			continue
		}
		delete(r.refused, cmpKey(d))
		if remade[d.kind()] {
			made[cmpKey(d)] = true
		}
	}
	return nil
}

// remade are the kinds that are made from the manifest's own text, so that
// whatever is read afterwards is the same in this server's words.
var remade = map[string]bool{"policy": true, "trigger": true, "view": true, "constraint": true, "index": true}

// try runs a statement, as portal_owner or as the log-in, and takes it back
// where it fails.
func (r *repair) try(ctx context.Context, statement string, owner bool) error {
	err := pgx.BeginFunc(ctx, r.tx, func(tx pgx.Tx) error {
		if owner {
			if _, err := tx.Exec(ctx, "set local role portal_owner"); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "reset role")
		return err
	})
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return errors.New("PostgreSQL says: " + strings.Join(strings.Fields(pg.Message+" "+pg.Detail), " "))
	}
	return err
}

// installAgain runs all files of functions and triggers. A function with another
// result has to go first.
func (r *repair) installAgain(ctx context.Context, todo []Difference) error {
	for _, d := range todo {
		if d.kind() != "function" || d.missing() || d.must.DDL != "" {
			continue
		}
		for _, a := range aspects(d.must.Def, d.is.Def) {
			if a == "result" || a == "arguments" {
				if err := r.try(ctx, "drop function "+d.name(), true); err != nil {
					r.refused[cmpKey(d)] = err
				}
				break
			}
		}
	}
	return pgx.BeginFunc(ctx, r.tx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "set local role portal_owner"); err != nil {
			return err
		}
		if err := installAll(ctx, tx, true); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "reset role")
		return err
	})
}

// keep writes the row of portal.wall, as portal_owner: the log-in may inherit
// nothing.
func (r *repair) keep(ctx context.Context, own wallManifest, written map[string]string) error {
	text, err := json.Marshal(written)
	if err != nil {
		return err
	}
	if _, err := r.tx.Exec(ctx, "set local role portal_owner"); err != nil {
		return err
	}
	_, err = r.tx.Exec(ctx, query("wall_keep"),
		args{"version": own.version, "manifest": own.text, "written": string(text)})
	return err
}
