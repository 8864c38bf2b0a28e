package sql

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Wall is how a database compares with what it must be. The zero Wall is whole.
type Wall struct {
	Differences []Difference
	Behind      int  // so many of this build's migrations have not run
	Other       bool // another version of the portal migrated it, and its manifest was compared
	Stale       bool // this build cannot compare; see errStaleWall
}

// Holes are the differences that keep a server from starting.
func (w Wall) Holes() []Difference {
	var out []Difference
	for _, d := range w.Differences {
		if d.Hole {
			out = append(out, d)
		}
	}
	return out
}

// HoleError says what is wrong with a wall and what to run.
type HoleError struct{ Holes []Difference }

// Error names the first holes.
func (e *HoleError) Error() string {
	const most = 8
	list := gathered(e.Holes)
	more := ""
	if len(list) > most {
		more = fmt.Sprintf("\n  and %d more, which portal doctor lists", len(list)-most)
		list = list[:most]
	}
	return "the database does not keep customers apart as it must:\n  " + strings.Join(list, "\n  ") + more +
		"\nRun portal migrate, with a user that may create roles: it repairs this, or says why it cannot."
}

// CheckWall compares the database at url with what it must be: with this build's
// own manifest, or, where another version of the portal migrated it, with that
// version's, so that versions can follow each other without a pause. It changes
// nothing, and needs no right but to connect.
func CheckWall(ctx context.Context, url string) (Wall, error) {
	conn, err := connectPlainly(ctx, url)
	if err != nil {
		return Wall{}, fmt.Errorf("connect: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	w, err := checkWall(ctx, conn)
	if err != nil {
		return w, fmt.Errorf("compare the database with what it must be: %w", err)
	}
	return w, nil
}

func checkWall(ctx context.Context, conn *pgx.Conn) (w Wall, err error) {
	own, err := currentWall()
	if errors.Is(err, errStaleWall) {
		return Wall{Stale: true}, nil
	}
	if err != nil {
		return w, err
	}
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		is, err := readWall(ctx, tx)
		if err != nil {
			return err
		}
		// the log-in itself may inherit nothing
		_ = pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, "set local role portal_auth")
			return err
		})
		must, written := own, map[string]string(nil)
		if r := readRecord(ctx, tx); r.Version == own.version {
			written = r.Written
		} else if r.Version != "" {
			if must, err = parseWall(r.Manifest); err != nil || must.version != r.Version {
				return fmt.Errorf("portal.wall does not hold a manifest any more: delete its row and run portal migrate (%w)", err)
			}
			w.Other, written = true, r.Written
		}
		_ = pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) (err error) { // the role may lack the right
			w.Behind, err = behind(ctx, tx)
			return err
		})
		w.Differences = compareWall(must.rows, is, written)
		return nil
	})
	return w, err
}

// behind counts the migrations of this build that a database has not had.
func behind(ctx context.Context, db interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}) (int, error) {
	rows, _ := db.Query(ctx, query("wall_versions"))
	done, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return 0, err
	}
	had := map[int64]bool{}
	for _, v := range done {
		had[v] = true
	}
	own, err := migrationVersions()
	n := 0
	for _, v := range own {
		if !had[v] {
			n++
		}
	}
	return n, err
}

// Behind counts the migrations of this build that the database has not had.
func (db *DB) Behind(ctx context.Context) (int, error) {
	n, err := behind(ctx, db.Auth)
	if err != nil {
		return 0, fmt.Errorf("read the schema's version: %w", err)
	}
	return n, nil
}
