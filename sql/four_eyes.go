package sql

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// HeldStore implements portal.HeldService (sql/functions/four_eyes.sql). Safe for
// concurrent use.
type HeldStore struct{ db *DB }

// NewHeldStore shows what waits in db.
func NewHeldStore(db *DB) *HeldStore { return &HeldStore{db} }

// decidedShown is how many decided entries the list shows.
const decidedShown = 20

// Held implements portal.HeldService.
func (s *HeldStore) Held(ctx context.Context, who portal.Session) (out portal.HeldEntries, err error) {
	list := func(tx pgx.Tx, waiting bool, limit int) ([]portal.HeldEntry, error) {
		rows, _ := tx.Query(ctx, query("held_entries"), args{"waiting": waiting, "row_limit": limit})
		return pgx.CollectRows(rows, pgx.RowToStructByName[portal.HeldEntry])
	}
	err = s.db.asStaff(ctx, who, func(tx pgx.Tx) (err error) {
		if err = tx.QueryRow(ctx, query("four_eyes_amount")).Scan(&out.FromAmount); err != nil {
			return err
		}
		if out.Waiting, err = list(tx, true, 500); err != nil {
			return err
		}
		out.Decided, err = list(tx, false, decidedShown)
		return err
	})
	if err != nil {
		return portal.HeldEntries{}, fmt.Errorf("entries that wait: %w", err)
	}
	return out, nil
}

// Approve implements portal.HeldService.
func (s *HeldStore) Approve(ctx context.Context, who portal.Session, id portal.EntryID) (docNo string, err error) {
	err = s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, query("entry_approve"), args{"entry_id": id}).Scan(&docNo)
	})
	if err != nil {
		return "", fmt.Errorf("approve entry %d by login %d: %w", id, who.LoginID, err)
	}
	return docNo, nil
}

// Reject implements portal.HeldService.
func (s *HeldStore) Reject(ctx context.Context, who portal.Session, id portal.EntryID, reason string) error {
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, query("entry_reject"), args{"entry_id": id, "reason": reason})
		return err
	})
	if err != nil {
		return fmt.Errorf("reject entry %d by login %d: %w", id, who.LoginID, err)
	}
	return nil
}

// enterMoney posts what is entered, or has it wait for a second person: then the number is
// empty and held says which entry it is. Numbers in what go as text, so that none is a float.
func enterMoney(ctx context.Context, tx pgx.Tx, kind portal.EntryKind, customerNo string, what map[string]any) (docNo string, held *portal.HeldError, err error) {
	text, err := json.Marshal(what)
	if err != nil {
		return "", nil, err
	}
	var no *string
	var id *portal.EntryID
	if err := tx.QueryRow(ctx, query("enter_money"), args{"kind": kind, "customer_no": customerNo, "args": string(text)}).Scan(&no, &id); err != nil {
		return "", nil, err
	}
	if no != nil {
		return *no, nil, nil
	}
	if id == nil {
		return "", nil, fmt.Errorf("enter %s: neither posted nor waiting", kind)
	}
	return "", &portal.HeldError{ID: *id}, nil
}

// orNone is a list that is never null in JSON.
func orNone[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
