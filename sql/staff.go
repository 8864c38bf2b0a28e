package sql

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/jackc/pgx/v5"
	"golang.org/x/crypto/bcrypt"

	"portal.example/portal"
)

// StaffStore implements portal.StaffService and page.DutyService. Who may do what is the
// database's to say (sql/functions/staff.sql). Safe for concurrent use.
type StaffStore struct {
	db   *DB
	cost int
}

// NewStaffStore manages the log-ins of staff. Passwords are hashed at the bcrypt cost; 0
// takes 12.
func NewStaffStore(db *DB, cost int) *StaffStore {
	if cost == 0 {
		cost = bcryptCost
	}
	return &StaffStore{db, cost}
}

// Administrators are the names of those who can give duties.
func (s *StaffStore) Administrators(ctx context.Context) ([]string, error) {
	rows, _ := s.db.Desk.Query(ctx, query("administrators"))
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// Refused keeps in the audit that somebody was refused for the want of a duty.
func (s *StaffStore) Refused(ctx context.Context, who portal.Session, needed []portal.Duty, asked string) error {
	return s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, query("note_refused"), args{"needed": dutyCodes(needed), "asked": asked})
		return err
	})
}

// dutyCodes are duties as an array of text; never null.
func dutyCodes(duties []portal.Duty) []string {
	codes := make([]string, len(duties))
	for i, d := range duties {
		codes[i] = string(d)
	}
	return codes
}

// Staff implements portal.StaffService.
func (s *StaffStore) Staff(ctx context.Context, who portal.Session) (out []portal.StaffMember, err error) {
	err = s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		out, err = staff(ctx, tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("staff: %w", err)
	}
	return out, nil
}

func staff(ctx context.Context, tx pgx.Tx) ([]portal.StaffMember, error) {
	rows, _ := tx.Query(ctx, query("staff"))
	return pgx.CollectRows(rows, pgx.RowToStructByName[portal.StaffMember])
}

// DutyWords implements portal.StaffService.
func (s *StaffStore) DutyWords(ctx context.Context, who portal.Session) (out []portal.DutyHelp, err error) {
	err = s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query("duty_list"))
		out, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.DutyHelp])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("duties: %w", err)
	}
	return out, nil
}

// Invite implements portal.StaffService. The password that is set here nobody knows.
func (s *StaffStore) Invite(ctx context.Context, who portal.Session, edit portal.StaffEdit) (portal.Invitation, error) {
	edit, err := edit.Check(true)
	if err != nil {
		return portal.Invitation{}, err
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(rand.Text()), s.cost)
	if err != nil {
		return portal.Invitation{}, fmt.Errorf("invite: %w", err)
	}
	token, tokenHash := newToken()
	out := portal.Invitation{Token: token}
	err = s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, query("staff_invite"), args{"email": edit.Email, "name": edit.Name,
			"duties": dutyCodes(edit.Duties), "password_hash": string(hash), "token_hash": tokenHash}).Scan(&out.LoginID); err != nil {
			return err
		}
		return mailInvitation(ctx, tx, out)
	})
	if err != nil {
		return portal.Invitation{}, fmt.Errorf("invite staff by login %d: %w", who.LoginID, err)
	}
	return out, nil
}

// Save implements portal.StaffService.
func (s *StaffStore) Save(ctx context.Context, who portal.Session, id portal.LoginID, edit portal.StaffEdit) error {
	edit, err := edit.Check(false)
	if err != nil {
		return err
	}
	err = s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		if err := sameStaff(ctx, tx, id, edit); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, query("staff_save"), args{"login_id": id, "name": edit.Name, "duties": dutyCodes(edit.Duties)})
		return err
	})
	if err != nil {
		return fmt.Errorf("save staff %d by login %d: %w", id, who.LoginID, err)
	}
	return nil
}

// sameStaff holds a log-in and refuses where it is not the one that the page of the form
// showed.
func sameStaff(ctx context.Context, tx pgx.Tx, id portal.LoginID, edit portal.StaffEdit) error {
	if edit.Shown == "" {
		return nil
	}
	if _, err := tx.Exec(ctx, query("staff_hold"), args{"login_id": id}); err != nil {
		return err
	}
	people, err := staff(ctx, tx)
	if err != nil {
		return err
	}
	for _, m := range people {
		if m.ID == id {
			return m.Typed().Figures().Compare(edit.Shown, edit.Figures(), portal.SaveOver)
		}
	}
	return nil // the database has the words
}

// Disable implements portal.StaffService.
func (s *StaffStore) Disable(ctx context.Context, who portal.Session, id portal.LoginID, disabled bool) error {
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, query("staff_disable"), args{"login_id": id, "disabled": disabled})
		return err
	})
	if err != nil {
		return fmt.Errorf("disable staff %d by login %d: %w", id, who.LoginID, err)
	}
	return nil
}

// EndSessions implements portal.StaffService.
func (s *StaffStore) EndSessions(ctx context.Context, who portal.Session, id portal.LoginID) (int, error) {
	return s.count(ctx, who, id, "staff_end_sessions")
}

// ResetFactors implements portal.StaffService.
func (s *StaffStore) ResetFactors(ctx context.Context, who portal.Session, id portal.LoginID) (int, error) {
	return s.count(ctx, who, id, "staff_reset_factors")
}

func (s *StaffStore) count(ctx context.Context, who portal.Session, id portal.LoginID, name string) (n int, err error) {
	err = s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, query(name), args{"login_id": id}).Scan(&n)
	})
	if err != nil {
		return 0, fmt.Errorf("%s %d by login %d: %w", name, id, who.LoginID, err)
	}
	return n, nil
}

// RenewLink implements portal.StaffService.
func (s *StaffStore) RenewLink(ctx context.Context, who portal.Session, id portal.LoginID) (portal.Invitation, error) {
	token, hash := newToken()
	out := portal.Invitation{LoginID: id, Token: token}
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, query("staff_link"), args{"login_id": id, "token_hash": hash}); err != nil {
			return err
		}
		return mailInvitation(ctx, tx, out)
	})
	if err != nil {
		return portal.Invitation{}, fmt.Errorf("renew invitation of staff %d by login %d: %w", id, who.LoginID, err)
	}
	return out, nil
}
