package sql

import (
	"context"
	"fmt"

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
	select {
	case s.turns <- struct{}{}:
		defer func() { <-s.turns }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	return hashPassword(typed, s.cost)
}

// decoy is a hash of a cost to which no password is known: bcrypt has to be
// computed to find that out.
func decoy(cost int) string {
	return fmt.Sprintf("$2a$%02d$%s", cost, "abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234")
}

// matches compares what was typed with a stored hash; an empty one is of nobody.
//
// It takes the same time for all: as long as the highest cost of any hash, stored
// or to be made. A comparison at cost c takes 2^c; those that follow it, at c,
// c+1, …, up to the highest, fill that up exactly.
func (s *SessionStore) matches(ctx context.Context, stored, typed string) (right bool, err error) {
	highest := 0
	if err := s.db.Work.QueryRow(ctx, query("highest_hash_cost")).Scan(&highest); err != nil {
		return false, fmt.Errorf("compare password: %w", err)
	}
	highest = max(highest, s.cost)
	if stored == "" {
		stored = decoy(highest)
	}
	cost, err := bcrypt.Cost([]byte(stored))
	if err != nil {
		return false, fmt.Errorf("compare password: %w", err)
	}
	for _, spelling := range typedAs(typed) {
		ok, err := s.compareCut(ctx, stored, spelling)
		if err != nil {
			return false, err
		}
		right = right || ok
		for c := cost; c < highest; c++ {
			if _, err := s.compareCut(ctx, decoy(c), spelling); err != nil {
				return false, err
			}
		}
	}
	return right, nil
}

// typedAs is what a password may have been hashed as: in its normal form, and as
// it was typed, since older hashes are of that.
func typedAs(typed string) []string {
	if normal := password.Normal(typed); normal != typed {
		return []string{normal, typed}
	}
	return []string{typed}
}

// compareCut compares what bcrypt reads of a password. More than that is never
// right, after the same time.
func (s *SessionStore) compareCut(ctx context.Context, hash, typed string) (bool, error) {
	whole := len(typed) <= password.MaxBytes
	if !whole {
		typed = typed[:password.MaxBytes]
	}
	same, err := s.compare(ctx, []byte(hash), typed)
	return same && whole, err
}

// raise hashes a password that was right anew, where its hash is cheaper than those
// made today. Nobody's session ends by it.
func (s *SessionStore) raise(ctx context.Context, login portal.LoginID, stored, typed string) error {
	cost, err := bcrypt.Cost([]byte(stored))
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
	if _, err := s.db.Work.Exec(ctx, query("raise_hash"), args{"login_id": login, "was": stored, "now": fresh}); err != nil {
		return fmt.Errorf("raise hash of login %d: %w", login, err)
	}
	return nil
}
