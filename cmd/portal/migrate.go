package main

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"portal.example/portal/jobs"
	"portal.example/portal/sql"
)

type migrateCommand struct {
	database
	DirectURL string `help:"Connection that does not pass a pooler, as serve has it. Default: the database URL." env:"PORTAL_DIRECT_URL" placeholder:"URL"`
}

// Help teaches what the flags do not.
func (migrateCommand) Help() string {
	return `Makes the roles portal_owner, portal_web, portal_desk and portal_work, the schemas erp, portal and river, and
brings tables, functions and triggers up to date. Then it compares the database with what it must be (rights, policies,
row-level security, functions, triggers, constraints, owners), repairs what differs and says so; what it cannot repair it
names, and ends with 1. Codes that several active items share are told. Safe to repeat, and to start on several machines at once: one works,
the others wait and find nothing to do.

The user of the database URL must be allowed to create roles and schemas (a superuser, or the database's owner with
CREATEROLE). portal serve can run as a lesser user that is a member of portal_web, portal_desk and portal_work.`
}

func (c migrateCommand) Run(ctx context.Context, out io.Writer) error {
	m := sql.Migration{URL: cmp.Or(c.DirectURL, c.URL), Steps: []sql.Step{jobs.Migrate},
		Repaired:    func(what string) { fmt.Fprintln(out, "not as it must be: "+what) },
		SharedCodes: func(words string) { fmt.Fprintln(out, words) }}
	if err := m.Run(ctx); err != nil {
		return err
	}
	fmt.Fprintln(out, "The database is up to date.")
	return nil
}

func migrate(ctx context.Context, url string) error {
	return sql.Migrate(ctx, url, jobs.Migrate)
}
