package sql

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal/triggers"
)

// Checkup is one thing that Examine looked at.
type Checkup struct {
	What   string
	OK     bool
	Advice string // what to do where it is not well
	Note   string // what to know in any case; may be empty
}

// Examination says what to look at. URL is required; the zero value of
// everything else takes the default named.
type Examination struct {
	URL       string
	DirectURL string // what LISTEN goes over; default: URL
	Logins    LoginURLs
	WebConns  int32 // as Config has it

	SignOn       bool     // a provider of single sign-on is set
	SignOnDuties []string // that its groups give

	Stuck           time.Duration // a listener that has been at one thing for that long hangs; default 30 s
	LongTransaction time.Duration // default 5 min
}

// Examine looks at a database as the portal needs it. It changes nothing, and
// goes on where a part cannot be looked at: that is a finding, too.
func Examine(ctx context.Context, e Examination) ([]Checkup, error) {
	conn, err := connectPlainly(ctx, e.URL)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var found findings
	for _, part := range []struct {
		what string
		look func(ctx context.Context, conn *pgx.Conn, found *findings) error
	}{
		{"the server", e.version},
		{"migrations", e.migrations},
		{"the wall", e.wall},
		{"roles", e.roles},
		{"the event path", e.events},
		{"what is shared with others", e.server},
		{"proxies", e.proxies},
		{"single sign-on", e.signOn},
		{"certificates", e.certificates},
		{"codes", e.codes},
		{"invariants", e.invariants},
	} {
		if err := part.look(ctx, conn, &found); err != nil {
			if conn.IsClosed() || ctx.Err() != nil {
				return found.list, err
			}
			found.add(false, "It said: "+err.Error()+". Mend what is above first; portal migrate makes what is missing.",
				"%s can be looked at", part.what)
		}
	}
	return found.list, nil
}

func (e Examination) version(ctx context.Context, conn *pgx.Conn, found *findings) error {
	var version int
	var name string
	var standby bool
	if err := conn.QueryRow(ctx, query("examine_version")).
		Scan(&version, &name, &standby); err != nil {
		return err
	}
	found.add(version >= 140000, "The portal needs PostgreSQL 14 or later.", "PostgreSQL %s", name)
	found.add(!standby, "This is a standby: LISTEN and writes need the primary.", "the server takes writes")
	return nil
}

func (e Examination) migrations(ctx context.Context, conn *pgx.Conn, found *findings) error {
	var migrated bool
	if err := conn.QueryRow(ctx, query("examine_migrated")).Scan(&migrated); err != nil {
		return err
	}
	if !found.add(migrated, "Run portal migrate with a user that may create roles and schemas.",
		"the portal's schemas are there") {
		return nil
	}
	n, err := behind(ctx, conn)
	if err != nil {
		return err
	}
	found.add(n == 0, "Run portal migrate. Until then /readyz answers 503.",
		"the schema is this version's (%d migrations behind)", n)
	pending, err := pendingFiles(ctx, conn)
	if err != nil {
		return err
	}
	found.add(len(pending) == 0, "Run portal migrate.",
		"functions and triggers are this binary's (%d differ)", len(pending))
	return nil
}

// wall tells each difference from what must be; rights of one table together.
func (e Examination) wall(ctx context.Context, conn *pgx.Conn, found *findings) error {
	w, err := checkWall(ctx, conn)
	if err != nil {
		return err
	}
	if !found.add(!w.Stale, "Build it anew: "+errStaleWall.Error(), "this build knows what the database must be") {
		return nil
	}
	holes := w.Holes()
	found.add(len(holes) == 0,
		"Run portal migrate: it puts back what is listed here, or says why it cannot. "+
			"portal serve does not start until then.",
		"customers are kept apart: rights, policies, functions and triggers are what they must be (%d are not)", len(holes))
	misled, err := misledFunctions(ctx, conn)
	if err != nil {
		return err
	}
	found.add(len(misled) == 0,
		"They would take what a session made among its temporary objects for PostgreSQL's own, and run it with their "+
			"owner's rights. For each: alter function … set search_path = pg_catalog, pg_temp; see "+
			strings.Join(misled, ", "),
		"functions that act for the portal's owner cannot be misled (%d can)", len(misled))
	if w.Other {
		found.note("Another version of the portal migrated this database; this is compared with what that version left.")
	}
	for _, what := range gathered(holes) {
		found.add(false, "", "%s", what)
	}
	var rest []Difference
	for _, d := range w.Differences {
		if !d.Hole {
			rest = append(rest, d)
		}
	}
	found.add(len(rest) == 0, "Run portal migrate: it puts back what is listed here, or says why it cannot.",
		"columns, constraints and indexes are what they must be (%d are not)", len(rest))
	for _, what := range gathered(rest) {
		found.add(false, "", "%s", what)
	}
	return nil
}

// misledFunctions are those that act for the portal's owner, ours or not, and look
// for names where any session may have made them.
func misledFunctions(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	rows, _ := conn.Query(ctx, query("examine_misled"))
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// codes says what codes and barcodes may be shared.
func (e Examination) codes(ctx context.Context, conn *pgx.Conn, found *findings) error {
	allowed, shared, err := sharedCodes(ctx, conn)
	if err != nil {
		return err
	}
	found.add(true, "", "codes that two active items share are %s",
		map[bool]string{true: "allowed", false: "refused"}[allowed])
	switch {
	case allowed && shared > 0:
		found.note("%s", sharedWords(shared))
	case allowed:
		found.note("There are none: update erp.company set duplicate_codes = 'refuse' keeps it so.")
	}
	return nil
}

// sharedCodes reports whether active items may share codes, and how many do.
func sharedCodes(ctx context.Context, conn *pgx.Conn) (allowed bool, shared int, err error) {
	err = conn.QueryRow(ctx, query("examine_codes")).Scan(&allowed, &shared)
	return allowed, shared, err
}

func sharedWords(n int) string {
	return fmt.Sprintf("%d numbers or barcodes mean more than one item or unit; who types one is asked which. See: "+
		"select kind, code, array_agg(item_no) from erp.code_wanted group by 1, 2 having count(*) > 1", n)
}

func (e Examination) invariants(ctx context.Context, conn *pgx.Conn, found *findings) error {
	rows, _ := conn.Query(ctx, query("examine_invariants"))
	type violation struct {
		Invariant string
		Count     int
	}
	violations, err := pgx.CollectRows(rows, pgx.RowToStructByPos[violation])
	if err != nil {
		return err
	}
	found.add(len(violations) == 0, fmt.Sprintf("See: select * from erp.check_invariants(). By kind: %v", violations),
		"the ledger's invariants hold")
	return nil
}

// connectPlainly prepares no statements, which would not be found again behind
// a pooler.
func connectPlainly(ctx context.Context, url string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	return pgx.ConnectConfig(ctx, config)
}

// findings are gathered in the order in which they are told.
type findings struct{ list []Checkup }

func (f *findings) add(ok bool, advice, what string, args ...any) bool {
	f.list = append(f.list, Checkup{What: fmt.Sprintf(what, args...), OK: ok, Advice: advice})
	return ok
}

// note adds to the last finding.
func (f *findings) note(format string, args ...any) {
	f.list[len(f.list)-1].Note = fmt.Sprintf(format, args...)
}

// pendingFiles are the functions and triggers whose content is not installed.
func pendingFiles(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	rows, _ := conn.Query(ctx, query("installed_list"))
	installed := map[string]string{}
	var name, hash string
	if _, err := pgx.ForEachRow(rows, []any{&name, &hash},
		func() error { installed[name] = hash; return nil }); err != nil {
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
