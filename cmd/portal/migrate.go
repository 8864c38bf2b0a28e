package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"portal.example/portal/jobs"
	"portal.example/portal/sql"
)

type migrateCommand struct {
	URL          string `name:"database-url" help:"The ERP's database: postgres://user@host/name, or a libpq keyword string." env:"DATABASE_URL,PORTAL_DATABASE_URL" placeholder:"URL"`
	MigrateURL   string `name:"migrate-database-url" help:"The same database, with a log-in that may migrate. Default: the database URL." env:"PORTAL_MIGRATE_DATABASE_URL" placeholder:"URL"`
	CreateLogins bool   `help:"Also make separate log-ins for pages, desk, jobs and migrations, with new passwords, and write their URLs to --logins-file."`
	LoginsFile   string `help:"Where --create-logins writes the settings, as lines of an environment file that only its owner can read." default:"portal-logins.env" type:"path" placeholder:"FILE"`
	DirectURL    string `help:"Connection that does not pass a pooler, as serve has it. Default: the database URL." env:"PORTAL_DIRECT_URL" placeholder:"URL"`
}

// Help teaches what the flags do not.
func (migrateCommand) Help() string {
	return `Makes the roles portal_owner, portal_web, portal_desk and portal_work, the schemas erp, portal and
river, and brings tables, functions and triggers up to date. Then it compares the database with what it must be
(rights, policies, row-level security, functions, triggers, constraints, owners), repairs what differs and says
so; what it cannot repair it names, and ends with 1. Codes that several active items share are told. Safe to
repeat, and to start on several machines at once: one works, the others wait and find nothing to do.

With --create-logins it makes portal_serve_web, portal_serve_desk, portal_serve_work and portal_migrate as well,
or gives them new passwords. portal serve --only web then runs with a log-in that reads no password's hash and
writes no payment.

The user of the database URL must be allowed to create roles and schemas (a superuser, or the database's owner with
CREATEROLE). portal serve can run as a lesser user that is a member of portal_web, portal_desk and portal_work.`
}

func (c migrateCommand) Run(ctx context.Context, out io.Writer) error {
	url, err := c.url()
	if err != nil {
		return err
	}
	m := sql.Migration{URL: url, Steps: []sql.Step{jobs.Migrate},
		Repaired:    func(what string) { fmt.Fprintln(out, "not as it must be: "+what) },
		SharedCodes: func(words string) { fmt.Fprintln(out, words) }}
	if err := m.Run(ctx); err != nil {
		return err
	}
	fmt.Fprintln(out, "The database is up to date.")
	if !c.CreateLogins {
		return nil
	}
	made, err := sql.CreateLogins(ctx, url)
	if err != nil {
		return err
	}
	if err := writeLogins(c.LoginsFile, made); err != nil {
		return err
	}
	fmt.Fprintf(out, "Log-ins with new passwords are in %s: give each process the lines it needs (docs/operations.md).\n",
		c.LoginsFile)
	return nil
}

// url is the connection to migrate over: past a pooler, with the log-in of
// migrations.
func (c migrateCommand) url() (string, error) {
	url := cmp.Or(c.MigrateURL, c.URL)
	if url == "" {
		return "", errors.New("no database is given: set --database-url (DATABASE_URL) or --migrate-database-url")
	}
	return sql.LoginURLs{Work: c.MigrateURL}.Direct(sql.RoleWork, sql.OnlyWork, c.DirectURL, url)
}

func migrate(ctx context.Context, url string) error {
	return sql.Migrate(ctx, url, jobs.Migrate)
}
