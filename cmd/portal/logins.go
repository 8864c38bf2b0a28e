package main

import (
	"fmt"
	"os"
	"path/filepath"

	"portal.example/portal/sql"
)

// loginSettings are the separate log-ins of a database: serve's, and what doctor
// examines. docs/decisions/0011 says what they are for.
type loginSettings struct {
	WebURL  string `name:"web-database-url" help:"The same database, with the log-in of customers' pages." env:"PORTAL_WEB_DATABASE_URL" placeholder:"URL"`
	DeskURL string `name:"desk-database-url" help:"The same database, with the log-in of staff's pages." env:"PORTAL_DESK_DATABASE_URL" placeholder:"URL"`
	WorkURL string `name:"work-database-url" help:"The same database, with the log-in of jobs." env:"PORTAL_WORK_DATABASE_URL" placeholder:"URL"`
}

func (l loginSettings) loginURLs() sql.LoginURLs {
	return sql.LoginURLs{Web: l.WebURL, Desk: l.DeskURL, Work: l.WorkURL}
}

// only is what this process does.
func (c settings) only() sql.Only { return sql.Only(c.Only) }

// wallRole says with which log-in a process compares the database: any may.
var wallRole = map[sql.Only]sql.Role{"": sql.RoleWork, sql.OnlyWeb: sql.RoleWeb, sql.OnlyDesk: sql.RoleDesk,
	sql.OnlyWork: sql.RoleWork}

// writeLogins writes settings as an environment file that nobody else can read. A
// file that is there is replaced as a whole.
func writeLogins(name string, made sql.CreatedLogins) error {
	file, err := os.CreateTemp(filepath.Dir(name), ".portal-logins-") // mode 0600
	if err != nil {
		return fmt.Errorf("write the log-ins: %w", err)
	}
	defer os.Remove(file.Name()) // does nothing once it has its name
	_, err = fmt.Fprintf(file,
		"PORTAL_WEB_DATABASE_URL=%s\nPORTAL_DESK_DATABASE_URL=%s\n"+
			"PORTAL_WORK_DATABASE_URL=%s\nPORTAL_MIGRATE_DATABASE_URL=%s\n",
		made.Web, made.Desk, made.Work, made.Migrate)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("write the log-ins: %w", err)
	}
	return nil
}
