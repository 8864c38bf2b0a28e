package sql

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// bcryptCost is the cost of the passwords that the command line sets.
const bcryptCost = 12

// Logins manages who may log in, for the command line. Safe for concurrent use.
type Logins struct{ db *DB }

// NewLogins manages the log-ins of db.
func NewLogins(db *DB) *Logins { return &Logins{db} }

// NewLogin is a log-in to be made: of a customer, or of staff with a role.
type NewLogin struct {
	Email        string
	CustomerNo   string
	StaffRole    string // desk, ops
	CustomerRole string // approver, buyer, accounts, view; empty: approver
	Name         string
	Password     string // empty: one is made
}

// Login is a log-in as the command line lists it.
type Login struct {
	Email       string
	BelongsTo   string // customer number, name and role there, or the staff role
	Name        string
	State       string // active, invited, locked until …, disabled
	LastLoginAt *time.Time
}

// Add makes a log-in and returns its password.
func (l *Logins) Add(ctx context.Context, n NewLogin) (string, error) {
	password, hash, err := hashed(n.Password, n.Email, n.Name)
	if err != nil {
		return "", err
	}
	email, name := portal.CleanText(n.Email), portal.CleanText(n.Name)
	if strings.Count(email, "@") != 1 {
		return "", portal.Invalid("email", "%q is not an e-mail address.", email)
	}
	tag, err := l.db.Work.Exec(ctx, query("login_add"), args{"email": email, "customer_no": portal.CleanText(n.CustomerNo),
		"staff_role": n.StaffRole, "customer_role": n.CustomerRole, "name": name, "password_hash": hash})
	if err != nil {
		return "", fmt.Errorf("add log-in %s: %w", email, refusal(err))
	}
	if tag.RowsAffected() == 0 {
		return "", portal.Invalid("customer_no", "There is no customer %s.", n.CustomerNo)
	}
	return password, nil
}

// Reset sets a new password and returns it. The log-in's sessions end.
func (l *Logins) Reset(ctx context.Context, email, password string) (string, error) {
	password, hash, err := hashed(password, email)
	if err != nil {
		return "", err
	}
	return password, l.changed(ctx, "login_reset", args{"email": portal.CleanText(email), "password_hash": hash})
}

// ResetFactors takes the second factors of a log-in away, ends its sessions, and returns
// how many there were.
func (l *Logins) ResetFactors(ctx context.Context, email string) (int, error) {
	var n *int
	if err := l.db.Work.QueryRow(ctx, query("factors_reset"),
		args{"email": portal.CleanText(email)}).Scan(&n); err != nil {
		return 0, fmt.Errorf("log-in %s: %w", email, refusal(err))
	}
	if n == nil {
		return 0, portal.Errorf(portal.CodeNotFound, "There is no log-in %s.", email)
	}
	return *n, nil
}

// Unlock lifts a lock.
func (l *Logins) Unlock(ctx context.Context, email string) error {
	return l.changed(ctx, "login_unlock", args{"email": portal.CleanText(email)})
}

func (l *Logins) changed(ctx context.Context, name string, a args) error {
	tag, err := l.db.Work.Exec(ctx, query(name), a)
	if err != nil {
		return fmt.Errorf("log-in %s: %w", a["email"], refusal(err))
	}
	if tag.RowsAffected() == 0 {
		return portal.Errorf(portal.CodeNotFound, "There is no log-in %s.", a["email"])
	}
	return nil
}

// List lists the log-ins, all or those of one customer.
func (l *Logins) List(ctx context.Context, customerNo string) ([]Login, error) {
	rows, _ := l.db.Work.Query(ctx, query("login_list"), args{"customer_no": customerNo})
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Login])
	if err != nil {
		return nil, fmt.Errorf("list log-ins: %w", err)
	}
	return list, nil
}

// hashed checks a password, or makes one, and hashes it.
func hashed(password string, names ...string) (plain, hash string, err error) {
	if password == "" {
		password = strings.ToLower(rand.Text()[:16])
	}
	if err := CheckPassword(password, names...); err != nil {
		return "", "", err
	}
	hash, err = hashPassword(password, bcryptCost)
	return password, hash, err
}
