package sql

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal/triggers"
)

// Checkup is one thing that Examine looked at.
type Checkup struct {
	What   string
	OK     bool
	Advice string // what to do where it is not well
}

// Examine looks at a database as the portal needs it. It changes nothing but
// for a ping in the event log.
func Examine(ctx context.Context, url string) ([]Checkup, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var out []Checkup
	add := func(ok bool, advice, what string, args ...any) bool {
		out = append(out, Checkup{What: fmt.Sprintf(what, args...), OK: ok, Advice: advice})
		return ok
	}

	var version int
	var name string
	if err := conn.QueryRow(ctx, "select current_setting('server_version_num')::int, current_setting('server_version')").Scan(&version, &name); err != nil {
		return nil, err
	}
	add(version >= 140000, "The portal needs PostgreSQL 14 or later.", "PostgreSQL %s", name)

	var standby bool
	if err := conn.QueryRow(ctx, "select pg_is_in_recovery()").Scan(&standby); err != nil {
		return nil, err
	}
	add(!standby, "This is a standby: LISTEN and writes need the primary.", "the server takes writes")

	var migrated bool
	if err := conn.QueryRow(ctx, "select to_regclass('portal.migration') is not null and to_regclass('portal.installed') is not null").Scan(&migrated); err != nil {
		return nil, err
	}
	if !add(migrated, "Run portal migrate with a user that may create roles and schemas.", "the portal's schemas are there") {
		return out, nil
	}
	pending, err := pendingFiles(ctx, conn)
	if err != nil {
		return nil, err
	}
	add(len(pending) == 0, "Run portal migrate.", "functions and triggers are this binary's (%d differ)", len(pending))

	for _, role := range []string{"portal_web", "portal_desk", "portal_work"} {
		var member bool
		if err := conn.QueryRow(ctx, "select pg_has_role(current_user, $1, 'member')", role).Scan(&member); err != nil {
			return nil, err
		}
		add(member, "Grant it: grant "+role+" to the user of the database URL.", "this user may act as %s", role)
	}

	var off int
	if err := conn.QueryRow(ctx, `select count(*) from pg_trigger t join pg_class c on c.oid = t.tgrelid
		join pg_namespace n on n.oid = c.relnamespace
		where n.nspname in ('erp', 'portal') and not t.tgisinternal and t.tgenabled not in ('O', 'A')`).Scan(&off); err != nil {
		return nil, err
	}
	add(off == 0, "Somebody ran ALTER TABLE … DISABLE TRIGGER: rules and live updates are off. Enable them again.", "no trigger is disabled (%d are)", off)

	heard, err := hearsItself(ctx, conn)
	if err != nil {
		return nil, err
	}
	add(heard, "LISTEN brings nothing on this connection: a pooler in transaction mode is in between. Set PORTAL_DIRECT_URL to the server itself.",
		"NOTIFY reaches LISTEN")

	rows, _ := conn.Query(ctx, "select invariant, count(*)::int from erp.check_invariants() group by 1 order by 1")
	type violation struct {
		Invariant string
		Count     int
	}
	violations, err := pgx.CollectRows(rows, pgx.RowToStructByPos[violation])
	if err != nil {
		return nil, err
	}
	add(len(violations) == 0, fmt.Sprintf("See: select * from erp.check_invariants(). By kind: %v", violations), "the ledger's invariants hold")
	return out, nil
}

// pendingFiles are the functions and triggers whose content is not installed.
func pendingFiles(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	rows, _ := conn.Query(ctx, "select name, hash from portal.installed")
	installed := map[string]string{}
	var name, hash string
	if _, err := pgx.ForEachRow(rows, []any{&name, &hash}, func() error { installed[name] = hash; return nil }); err != nil {
		return nil, err
	}
	var out []string
	for kind, files := range map[string]struct {
		fs   fs.FS
		glob string
	}{"functions": {functions, "functions/*.sql"}, "triggers": {triggers.FS, "*.sql"}} {
		names, err := fs.Glob(files.fs, files.glob)
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			text, err := fs.ReadFile(files.fs, n)
			if err != nil {
				return nil, err
			}
			sum := sha256.Sum256(text)
			if key := kind + "/" + path.Base(n); installed[key] != hex.EncodeToString(sum[:]) {
				out = append(out, key)
			}
		}
	}
	return out, nil
}

// hearsItself notifies a channel of its own and waits for it.
func hearsItself(ctx context.Context, conn *pgx.Conn) (bool, error) {
	if _, err := conn.Exec(ctx, "listen portal_doctor"); err != nil {
		return false, err
	}
	if _, err := conn.Exec(ctx, "select pg_notify('portal_doctor', '')"); err != nil {
		return false, err
	}
	wait, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_, err := conn.WaitForNotification(wait)
	if wait.Err() != nil && ctx.Err() == nil {
		// the wait has cost the connection its use; go on with a new one
		config := conn.Config()
		fresh, e := pgx.ConnectConfig(ctx, config)
		if e != nil {
			return false, e
		}
		*conn = *fresh
		return false, nil
	}
	return err == nil, err
}
