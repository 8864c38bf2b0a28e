package jobs

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// Schema is where River's tables live.
const Schema = "river"

// rights are what a client needs to work jobs, lead and serve the operators'
// pages. The tables stay portal_owner's, so a client cannot REINDEX.
const rights = `
	grant usage on schema ` + Schema + ` to portal_work;
	grant select, insert, update, delete on all tables in schema ` + Schema + ` to portal_work;
	grant usage, select on all sequences in schema ` + Schema + ` to portal_work;
	grant execute on all functions in schema ` + Schema + ` to portal_work`

// Migrate brings River's tables up to date and lets portal_work use them. The
// connection's role must be portal_owner: the trigger that enqueues approvals
// writes with that role's rights. To migrate twice is no error.
func Migrate(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, "create schema if not exists "+Schema); err != nil {
		return fmt.Errorf("river schema: %w", err)
	}
	config, err := pgxpool.ParseConfig(conn.Config().ConnString())
	if err != nil {
		return fmt.Errorf("river: %w", err)
	}
	config.MaxConns = 2
	config.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, "set role portal_owner")
		return err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("river: %w", err)
	}
	defer pool.Close()
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: Schema})
	if err != nil {
		return fmt.Errorf("river: %w", err)
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("river tables: %w", err)
	}
	if _, err := conn.Exec(ctx, rights); err != nil {
		return fmt.Errorf("river rights: %w", err)
	}
	return nil
}
