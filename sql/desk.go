package sql

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// DeskStore implements portal.DeskService. Everything runs as the role
// portal_desk and is marked with the person who acts; what may be done is the
// database's to say. Safe for concurrent use.
type DeskStore struct{ db *DB }

// NewDeskStore serves staff from db.
func NewDeskStore(db *DB) *DeskStore { return &DeskStore{db} }

// DeskFrame implements portal.DeskService.
func (s *DeskStore) DeskFrame(ctx context.Context, who portal.Session) (portal.Frame, error) {
	var out portal.Frame
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, query("desk_frame")).Scan(&out.Cursor, &out.TimeZone, &out.Now, &out.Currency)
	})
	if err != nil {
		return portal.Frame{}, fmt.Errorf("desk frame of login %d: %w", who.LoginID, err)
	}
	return out, nil
}
