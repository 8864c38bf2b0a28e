package sql

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// errOwnAffair keeps staff from what belongs to a person and not to an account.
var errOwnAffair = portal.Errorf(portal.CodeForbidden,
	"Passwords and sessions are each person's own. Go back to the desk for yours.")

// BeginActing implements portal.ActingService. The rules are those of
// portal.begin_acting.
func (s *SessionStore) BeginActing(ctx context.Context, staff portal.Session, customerNo string,
	how portal.Acting) error {
	if how != portal.ActingPreview && how != portal.ActingOrder {
		return portal.Invalid("mode", "See the portal as the customer, or act as the customer?")
	}
	_, err := s.db.Work.Exec(ctx, query("acting_begin"),
		args{"session_id": staff.ID, "customer_no": customerNo, "acting": string(how)})
	if err != nil {
		return fmt.Errorf("login %d begins to act as customer %q: %w", staff.LoginID, customerNo, refusal(err))
	}
	return nil
}

// ActingFor implements portal.ActingService.
func (s *SessionStore) ActingFor(ctx context.Context, staff portal.Session) (portal.Session, bool, error) {
	if !staff.Staff() {
		return portal.Session{}, false, nil
	}
	type acting struct {
		sessionRow
		Acting portal.Acting
	}
	rows, _ := s.db.Work.Query(ctx, query("acting_for"), args{"session_id": staff.ID})
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[acting])
	if err != nil {
		return portal.Session{}, false, fmt.Errorf("whom login %d acts as: %w", staff.LoginID, err)
	}
	if len(list) == 0 {
		return portal.Session{}, false, nil
	}
	who := list[0].session()
	who.Acting, who.ActingBy = list[0].Acting, who.Email
	return who, true, nil
}

// EndActing implements portal.ActingService.
func (s *SessionStore) EndActing(ctx context.Context, staff portal.Session) (customerNo string, err error) {
	if err := s.db.Work.QueryRow(ctx, query("acting_end"), args{"session_id": staff.ID}).Scan(&customerNo); err != nil {
		return "", fmt.Errorf("login %d ends acting: %w", staff.LoginID, err)
	}
	return customerNo, nil
}
