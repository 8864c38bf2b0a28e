package sql

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
)

// reach is what a log-in may, whatever it becomes.
type reach struct {
	Roles          string
	ReadsHashes    bool
	WritesPayments bool
	Replicates     bool // reads every table by way of the write-ahead log
}

func reachOf(ctx context.Context, conn *pgx.Conn) (reach, error) {
	rows, _ := conn.Query(ctx, query("login_reach"))
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[reach])
}

// roles looks at what the log-ins may become: enough for their work, and where
// they are separate no more.
func (e Examination) roles(ctx context.Context, conn *pgx.Conn, found *findings) error {
	if e.Logins == (LoginURLs{}) {
		return e.oneLogin(ctx, conn, found)
	}
	for _, l := range []struct {
		what, url, roles, setting string
		closed                    bool // writes no payment, and does not replicate
	}{
		{"customers' pages", e.Logins.Web, "portal_auth, portal_web", "PORTAL_WEB_DATABASE_URL", true},
		{"the desk", e.Logins.Desk, "portal_auth, portal_desk, portal_web", "PORTAL_DESK_DATABASE_URL", false},
		{"jobs", e.Logins.Work, "portal_auth, portal_work", "PORTAL_WORK_DATABASE_URL", true},
	} {
		if l.url == "" {
			continue
		}
		own, err := connectPlainly(ctx, l.url)
		if !found.add(err == nil, "Look at "+l.setting+". portal migrate --create-logins makes the log-ins anew.",
			"the log-in of %s connects", l.what) {
			continue
		}
		r, err := reachOf(ctx, own)
		_ = own.Close(ctx)
		if err != nil {
			return err
		}
		found.add(r.Roles == l.roles && !r.ReadsHashes && !(l.closed && (r.WritesPayments || r.Replicates)),
			"It may become "+l.roles+
				" and nothing else, and without REPLICATION: portal migrate --create-logins puts it right, with a new password.",
			"the log-in of %s is held to its work (it may become %s)", l.what, orNothing(r.Roles))
	}
	return nil
}

// oneLogin looks at a log-in that all processes share.
func (e Examination) oneLogin(ctx context.Context, conn *pgx.Conn, found *findings) error {
	for _, role := range []Role{RoleWeb, RoleDesk, RoleWork, RoleAuth} {
		var member bool
		if err := conn.QueryRow(ctx, query("examine_role"), args{"role": string(role)}).Scan(&member); err != nil {
			return err
		}
		found.add(member, "Grant it: grant "+string(role)+" to the user of the database URL.",
			"this user may act as %s", role)
	}
	r, err := reachOf(ctx, conn)
	if err != nil {
		return err
	}
	found.add(true, "", "one log-in is all roles of the portal")
	costs := []string{"become the staff's role", "see every customer"}
	if r.WritesPayments {
		costs = append(costs, "write payments")
	}
	if r.ReadsHashes {
		costs = append(costs, "read the passwords' hashes, since it is a superuser's or the owner's")
	}
	found.note("What it costs: a fault by which a customer's request ran SQL of its own could %s. portal migrate "+
		"--create-logins makes a log-in for each.",
		strings.Join(costs, ", "))
	return nil
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}
