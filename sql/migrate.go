package sql

import (
	"context"
	"crypto/sha256"
	stdsql "database/sql"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"sort"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"portal.example/portal/triggers"
)

//go:embed migrations/*.sql
var migrations embed.FS

//go:embed functions/*.sql
var functions embed.FS

//go:embed bootstrap.sql
var bootstrap string

// migrateLock is the advisory lock that one migrating process holds, an
// arbitrary number that means nothing else in this database.
const migrateLock = 7_265_001

// Step is a further part of migrating that another package brings. It runs
// under the same lock, on a connection whose role is portal_owner.
type Step func(ctx context.Context, conn *pgx.Conn) error

// Migrate is a Migration without more words.
func Migrate(ctx context.Context, url string, steps ...Step) error {
	return Migration{URL: url, Steps: steps}.Run(ctx)
}

// Migration brings the database at URL up to date: roles, schemas, owners,
// versioned migrations, then the further steps, then the re-installable functions
// and triggers that have changed; and it repairs what somebody changed by hand,
// or a restored dump has lost, of rights, policies, functions, triggers and
// constraints. It is safe to start twice at the same moment (the second waits and
// finds nothing to do) and to repeat.
//
// The user of URL must be allowed to create roles and schemas; a superuser or the
// database's owner with CREATEROLE is. Owners and the attributes of roles are
// mended by a superuser only.
type Migration struct {
	URL   string
	Steps []Step

	// Repaired hears of each thing that was not as it must be. Nil: nobody does.
	Repaired func(what string)
	// SharedCodes hears at the end of codes that several active items share, in
	// words. Nil, or none: nobody does.
	SharedCodes func(words string)
	// Unchecked leaves out the comparison, for the test that writes wall.jsonl.
	Unchecked bool
}

// Run migrates. What cannot be repaired is an error that names it.
func (m Migration) Run(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, m.URL)
	if err != nil {
		return fmt.Errorf("migrate: connect: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := lockMigration(ctx, conn); err != nil {
		return fmt.Errorf("migrate: lock: %w", err)
	}
	if _, err := conn.Exec(ctx, bootstrap); err != nil {
		return fmt.Errorf("migrate: roles and schemas: %w", err)
	}
	if err := m.takeOver(ctx, conn); err != nil {
		return fmt.Errorf("migrate: owners: %w", err)
	}
	if err := migrateVersions(ctx, m.URL); err != nil {
		return fmt.Errorf("migrate: versions: %w", err)
	}
	if _, err := conn.Exec(ctx, "set role portal_owner"); err != nil {
		return fmt.Errorf("migrate: become portal_owner: %w", err)
	}
	for _, step := range m.Steps {
		if err := step(ctx, conn); err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
	}
	if err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return installAll(ctx, tx, false) }); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if m.Unchecked {
		return nil
	}
	if _, err := conn.Exec(ctx, "reset role"); err != nil {
		return fmt.Errorf("migrate: be the log-in again: %w", err)
	}
	if err := repairWall(ctx, conn, m.tell); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if m.SharedCodes == nil {
		return nil
	}
	_, shared, err := sharedCodes(ctx, conn)
	if err != nil {
		return fmt.Errorf("migrate: codes: %w", err)
	}
	if shared > 0 {
		m.SharedCodes(sharedWords(shared))
	}
	return nil
}

func (m Migration) tell(what string) {
	if m.Repaired != nil {
		m.Repaired(what)
	}
}

// takeOver gives everything of ours to portal_owner again, which a dump restored
// without owners leaves with whoever restored it: migrations run as portal_owner.
func (m Migration) takeOver(ctx context.Context, conn *pgx.Conn) error {
	own, err := ownWall()
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		is, err := readWall(ctx, tx)
		if err != nil {
			return err
		}
		for _, d := range compareWall(own.rows, is, nil) {
			if d.kind() != "owner" || d.missing() {
				continue
			}
			m.tell(d.What())
			statement, _, err := d.repair()
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, statement); err != nil {
				return fmt.Errorf("%s: %w", d.What(), err)
			}
		}
		return nil
	})
}

// lockMigration polls, because a session that waits inside pg_advisory_lock
// holds a snapshot, and CREATE INDEX CONCURRENTLY would wait for it in turn.
func lockMigration(ctx context.Context, conn *pgx.Conn) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		var got bool
		if err := conn.QueryRow(ctx, "select pg_try_advisory_lock($1)", int64(migrateLock)).Scan(&got); err != nil {
			return err
		}
		if got {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func migrateVersions(ctx context.Context, url string) error {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return err
	}
	db := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, "set role portal_owner")
		return err
	}))
	defer db.Close()
	provider, err := newProvider(db)
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

func newProvider(db *stdsql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	store, err := database.NewStore(database.DialectPostgres, "portal.migration")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider("", db, files, goose.WithStore(store))
}

// migrationVersions are the numbers of this build's migrations.
func migrationVersions() ([]int64, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	var out []int64
	for _, name := range names {
		v, err := goose.NumericComponent(name)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// installAll installs functions and triggers: those whose content is not the one
// installed, or all of them.
func installAll(ctx context.Context, tx pgx.Tx, all bool) error {
	if err := install(ctx, tx, "functions", functions, "functions/", all); err != nil {
		return fmt.Errorf("install functions: %w", err)
	}
	if err := install(ctx, tx, "triggers", triggers.FS, "", all); err != nil {
		return fmt.Errorf("install triggers: %w", err)
	}
	return nil
}

// install runs the files whose content is not the one installed, or all.
// CREATE OR REPLACE TRIGGER locks its table, so a start with nothing new must
// touch nothing.
func install(ctx context.Context, tx pgx.Tx, kind string, files fs.FS, prefix string, all bool) error {
	names, err := fs.Glob(files, prefix+"*.sql")
	if err != nil {
		return err
	}
	sort.Strings(names)
	// functions may call one another in any order
	if _, err := tx.Exec(ctx, "set local check_function_bodies = off; set local search_path = public"); err != nil {
		return err
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(text)
		hash := hex.EncodeToString(sum[:])
		key := kind + "/" + name[len(prefix):]
		var same bool
		if err := tx.QueryRow(ctx, query("installed_is"), args{"name": key, "hash": hash}).Scan(&same); err != nil {
			return err
		}
		if same && !all {
			continue
		}
		if _, err := tx.Exec(ctx, string(text)); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if same {
			continue
		}
		if _, err := tx.Exec(ctx, query("installed_set"), args{"name": key, "hash": hash}); err != nil {
			return err
		}
	}
	return nil
}
