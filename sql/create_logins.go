package sql

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// CreatedLogins are connection URLs of log-ins that were made, with their
// passwords.
type CreatedLogins struct {
	LoginURLs
	Migrate string // of portal migrate
}

// madeLogins are the log-ins that CreateLogins makes. All but that of migrate
// inherit nothing: a statement that has not become a role is refused.
var madeLogins = []struct {
	name, attributes, roles string
	url                     func(*CreatedLogins) *string
}{
	{"portal_serve_web", "noinherit", "portal_web, portal_auth", func(c *CreatedLogins) *string { return &c.Web }},
	{"portal_serve_desk", "noinherit", "portal_desk, portal_web, portal_auth",
		func(c *CreatedLogins) *string { return &c.Desk }},
	{"portal_serve_work", "noinherit", "portal_work", func(c *CreatedLogins) *string { return &c.Work }},
	{"portal_migrate", "inherit", "portal_owner, portal_web, portal_desk, portal_work, portal_auth",
		func(c *CreatedLogins) *string { return &c.Migrate }},
}

// CreateLogins makes separate log-ins on a migrated database, or gives those that
// are there new passwords and takes from them what they should not have. The user
// of url must be allowed to create roles. Nothing is changed where it fails.
func CreateLogins(ctx context.Context, url string) (out CreatedLogins, err error) {
	conn, err := connectPlainly(ctx, url)
	if err != nil {
		return out, fmt.Errorf("create log-ins: connect: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		// one at a time, from however many databases of the server
		if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock($1)", int64(migrateLock)); err != nil {
			return err
		}
		for _, l := range madeLogins {
			password := strings.ToLower(rand.Text())
			if err := createLogin(ctx, tx, l.name, l.attributes, l.roles, scramVerifier(password)); err != nil {
				return fmt.Errorf("%s: %w", l.name, err)
			}
			if *l.url(&out), err = withLogin(url, l.name, password); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return CreatedLogins{}, fmt.Errorf("create log-ins: %w", err)
	}
	return out, nil
}

func createLogin(ctx context.Context, tx pgx.Tx, name, attributes, roles, verifier string) error {
	var there bool
	if err := tx.QueryRow(ctx, query("login_role_there"), args{"role": name}).Scan(&there); err != nil {
		return err
	}
	verb := "create"
	if there {
		verb = "alter"
		rows, _ := tx.Query(ctx, query("login_role_memberships"), args{"role": name, "kept": strings.Split(roles, ", ")})
		others, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		for _, other := range others {
			if _, err := tx.Exec(ctx, "revoke "+other+" from "+name); err != nil {
				return err
			}
		}
	}
	_, err := tx.Exec(ctx, fmt.Sprintf("%s role %s login %s nocreaterole nocreatedb password '%s'; grant %s to %[2]s",
		verb, name, attributes, verifier, roles))
	return err
}

// scramVerifier is what PostgreSQL keeps of a password (RFC 5803): computed here,
// so that the password itself reaches neither the server nor its log.
func scramVerifier(password string) string {
	const rounds = 4096
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails: see crypto/rand
	return scramOf(password, salt, rounds)
}

func scramOf(password string, salt []byte, rounds int) string {
	salted, err := pbkdf2.Key(sha256.New, password, salt, rounds, sha256.Size)
	if err != nil {
		panic(err) // only for lengths that FIPS refuses; ours are constants
	}
	mac := func(what string) []byte {
		h := hmac.New(sha256.New, salted)
		h.Write([]byte(what))
		return h.Sum(nil)
	}
	stored := sha256.Sum256(mac("Client Key"))
	text := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", rounds, text(salt), text(stored[:]), text(mac("Server Key")))
}
