package sql

import (
	"context"
	"fmt"
	"strconv"

	"golang.org/x/crypto/bcrypt"

	"portal.example/portal"
	"portal.example/portal/internal/password"
)

// CheckPassword says what is wrong with a new password. Names are of whom it is
// for: see password.Check.
func CheckPassword(typed string, names ...string) error {
	if wrong := password.Check(typed, names...); wrong != "" {
		return portal.Invalid("new_password", "%s", wrong)
	}
	return nil
}

// hashPassword hashes a new password, which CheckPassword has passed.
func hashPassword(typed string, cost int) (string, error) {
	hash, err := bcrypt.GenerateFromPassword([]byte(password.Normal(typed)), cost)
	return string(hash), err
}

// hash hashes a new password, in its turn.
func (s *SessionStore) hash(ctx context.Context, typed string) (string, error) {
	if err := s.turns.take(ctx, "new passwords"); err != nil {
		return "", err
	}
	defer s.turns.give()
	return hashPassword(typed, s.cost)
}

// decoy is the beginning of a hash of a cost, of nobody.
func decoy(cost int) string { return fmt.Sprintf("$2a$%02d$abcdefghijklmnopqrstuu", cost) }

// matches compares what was typed with the hash of a log-in that begins with salt, and
// returns that hash where it was right, else nothing. An empty salt is of nobody.
//
// It takes the same time for all: as long as the highest cost of any hash, stored
// or to be made. A comparison at cost c takes 2^c; those that follow it, at c,
// c+1, …, up to the highest, fill that up exactly.
func (s *SessionStore) matches(ctx context.Context, who string, login portal.LoginID, salt,
	typed string) (stored string, err error) {
	highest := 0
	if err := s.db.Auth.QueryRow(ctx, query("highest_hash_cost")).Scan(&highest); err != nil {
		return "", fmt.Errorf("compare password: %w", err)
	}
	highest = max(highest, s.cost)
	if salt == "" {
		salt = decoy(highest)
	}
	cost, err := costOf(salt)
	if err != nil {
		return "", err
	}
	for _, spelling := range typedAs(typed) {
		whole := len(spelling) <= password.MaxBytes
		if !whole { // never right, after the same time
			spelling = spelling[:password.MaxBytes]
		}
		hash, err := s.compare(ctx, who, login, salt, spelling)
		if err != nil {
			return "", err
		}
		if hash != "" && whole {
			stored = hash
		}
		for c := cost; c < highest; c++ {
			if _, err := s.hashWith(ctx, who, decoy(c), spelling); err != nil {
				return "", fmt.Errorf("compare password: %w", err)
			}
		}
	}
	return stored, nil
}

// compare computes the hash of what was typed, in its turn, and asks the database
// whether it is the log-in's: the stored hash is not for us to read. It returns the
// hash if it is.
func (s *SessionStore) compare(ctx context.Context, who string, login portal.LoginID, salt,
	typed string) (string, error) {
	hash, err := s.hashWith(ctx, who, salt, typed)
	if err != nil {
		return "", fmt.Errorf("compare password: %w", err)
	}
	var right bool
	if err := s.db.Auth.QueryRow(ctx, query("login_password_is"),
		args{"login_id": login, "password_hash": hash}).Scan(&right); err != nil {
		return "", fmt.Errorf("compare password: %w", err)
	}
	if !right {
		return "", nil
	}
	return hash, nil
}

// costOf is the cost of a hash, or of the beginning of one: "$2a$12$…".
func costOf(hash string) (int, error) {
	if len(hash) < saltLength {
		return 0, fmt.Errorf("cost of a password: %w", errSalt)
	}
	cost, err := strconv.Atoi(hash[4:6])
	if err != nil {
		return 0, fmt.Errorf("cost of a password: %w", errSalt)
	}
	return cost, nil
}

// typedAs is what a password may have been hashed as: in its normal form, and as
// it was typed, since older hashes are of that.
func typedAs(typed string) []string {
	if normal := password.Normal(typed); normal != typed {
		return []string{normal, typed}
	}
	return []string{typed}
}

// raise hashes a password that was right anew, where its hash is cheaper than those
// made today. Nobody's session ends by it.
func (s *SessionStore) raise(ctx context.Context, login portal.LoginID, stored, typed string) error {
	cost, err := costOf(stored)
	if err != nil {
		return fmt.Errorf("raise hash of login %d: %w", login, err)
	}
	if cost >= s.cost || len(password.Normal(typed)) > password.MaxBytes {
		return nil
	}
	fresh, err := s.hash(ctx, typed)
	if err != nil {
		return fmt.Errorf("raise hash of login %d: %w", login, err)
	}
	if _, err := s.db.Auth.Exec(ctx, query("raise_hash"),
		args{"login_id": login, "was": stored, "now": fresh}); err != nil {
		return fmt.Errorf("raise hash of login %d: %w", login, err)
	}
	return nil
}
