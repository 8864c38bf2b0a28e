package sql

import (
	"cmp"
	"errors"
	"fmt"
	neturl "net/url"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Role is a role of the database that a pool acts as.
type Role string

// The roles of pools. docs/architecture.md says what each may do.
const (
	RoleWeb  Role = "portal_web"
	RoleDesk Role = "portal_desk"
	RoleWork Role = "portal_work"
	RoleAuth Role = "portal_auth"
)

// LoginURLs are the connection URLs of a database's separate log-ins. Where one is
// empty, Config.URL is taken.
type LoginURLs struct {
	Web  string // a member of portal_web and portal_auth
	Desk string // a member of portal_desk, portal_web and portal_auth
	Work string // a member of portal_work
}

// Only is what a process does: nothing but one thing, or all.
type Only string

// What a process may do by itself.
const (
	OnlyWeb  Only = "web"  // customers' pages
	OnlyDesk Only = "desk" // all pages
	OnlyWork Only = "work" // jobs
)

// needs reports whether the process acts as a role. Operators' pages look into
// jobs and mails, so who serves the desk needs the role of jobs as well.
func (o Only) needs(role Role) bool {
	switch o {
	case OnlyWeb:
		return role == RoleWeb || role == RoleAuth
	case OnlyWork:
		return role == RoleWork
	}
	return true
}

// urlOf is what a role connects with. Log-ins and sessions are the staff's, too,
// where the desk is served.
func (c Config) urlOf(role Role) string { return c.Logins.URL(role, c.Only, c.URL) }

// URL is what a process connects with as a role; otherwise for a role without a
// log-in of its own.
func (l LoginURLs) URL(role Role, only Only, otherwise string) string {
	own := map[Role]string{RoleWeb: l.Web, RoleDesk: l.Desk, RoleWork: l.Work}
	if role == RoleAuth {
		role = cmp.Or(map[Only]Role{OnlyWeb: RoleWeb}[only], RoleDesk)
	}
	return cmp.Or(own[role], otherwise)
}

// Missing names the setting without which a process cannot connect; empty if none
// is missing.
func (l LoginURLs) Missing(only Only, url string) string {
	for _, role := range []Role{RoleWeb, RoleDesk, RoleWork} {
		if only.needs(role) && l.URL(role, only, url) == "" {
			return map[Role]string{RoleWeb: "--web-database-url", RoleDesk: "--desk-database-url",
				RoleWork: "--work-database-url"}[role]
		}
	}
	return ""
}

// Direct is what a process connects with as a role past the pooler: direct says
// where, and who only for a role without a log-in of its own.
func (l LoginURLs) Direct(role Role, only Only, direct, otherwise string) (string, error) {
	own := l.URL(role, only, "")
	switch {
	case direct == "":
		return l.URL(role, only, otherwise), nil
	case own == "":
		return direct, nil
	}
	config, err := pgx.ParseConfig(own)
	if err != nil {
		return "", err
	}
	return withLogin(direct, config.User, config.Password)
}

var errNoHost = errors.New("the database URL cannot take another user")

// withLogin is a connection URL with another user and password; an empty one is
// left out.
func withLogin(url, user, password string) (string, error) {
	if !strings.Contains(url, "://") {
		out := url + " user=" + keyword(user)
		if password != "" {
			out += " password=" + keyword(password)
		}
		return out, nil // of a word that comes twice the last counts
	}
	u, err := neturl.Parse(url)
	if err != nil {
		return "", errNoHost // without what it says: there may be a password in it
	}
	if u.User = neturl.User(user); password != "" {
		u.User = neturl.UserPassword(user, password)
	}
	q := u.Query()
	q.Del("user")
	q.Del("password")
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// keyword quotes a value of a libpq keyword string.
func keyword(s string) string {
	return fmt.Sprintf("'%s'", strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s))
}
