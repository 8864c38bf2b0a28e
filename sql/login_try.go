package sql

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"portal.example/portal"
)

// try is one attempt with a password: of whom, from where. It is counted in
// the database (sql/functions/login_try.sql says how) before the password is
// looked at.
type try struct {
	email  string
	source string
	device []byte // SHA-256 of the browser's own cookie; nil: it has none
}

// tryFrom is an attempt out of a browser.
func tryFrom(email string, from portal.Browser) try {
	t := try{email: email, source: from.Source}
	if from.Known != "" {
		t.device = hashToken(from.Known)
	}
	return t
}

// turn is whom a try's turn at the processor is counted to.
func (t try) turn() string { return t.source }

// errCrowded is what who has no turn is told: the same whoever it is.
var errCrowded = portal.Errorf(portal.CodeTooMany,
	"Too many log-ins have failed in your network. Wait a minute and try again, or use a browser in which you have "+
		"logged in before.")

// begin counts a try and waits as long as it is to be slowed down.
func (s *SessionStore) begin(ctx context.Context, t try) error {
	var allowed, locked bool
	var wait *time.Duration
	err := s.db.Auth.QueryRow(ctx, query("login_try_begin"),
		args{"email": t.email, "source": t.source, "device": t.device}).
		Scan(&allowed, &locked, &wait)
	switch {
	case err != nil:
		return fmt.Errorf("count a try to log in: %w", err)
	case locked:
		return errLogIn
	case !allowed:
		return errCrowded
	case wait == nil || *wait <= 0:
		return nil
	}
	timer := time.NewTimer(time.Duration(wait.Seconds() * float64(s.slow)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// atPassword says at the field what begin says at a log-in.
func atPassword(err error) error {
	if portal.ErrorCode(err) == portal.CodeUnauthorized {
		return portal.Invalid("current_password",
			"Your password was wrong several times: it can be changed again in 15 minutes.")
	}
	return err
}

// execer is a pool or a transaction.
type execer interface {
	Exec(ctx context.Context, sql string, arguments ...any) (pgconn.CommandTag, error)
}

// end takes back the count of a try whose password was right.
func (t try) end(ctx context.Context, db execer) error {
	if _, err := db.Exec(ctx, query("login_try_end"),
		args{"email": t.email, "source": t.source, "device": t.device}); err != nil {
		return fmt.Errorf("a try to log in succeeded: %w", err)
	}
	return nil
}

// succeeded ends a try that opened a session, and remembers its browser and
// network.
func (t try) succeeded(ctx context.Context, tx pgx.Tx, login portal.LoginID) error {
	if err := t.end(ctx, tx); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, query("login_succeeded"), args{"login_id": login, "source": t.source, "device": t.device})
	return err
}
