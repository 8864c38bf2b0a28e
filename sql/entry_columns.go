package sql

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// EntryColumns implements portal.EntryColumnsService.
func (s *EntryStore) EntryColumns(ctx context.Context, who portal.Session,
	shape string) (portal.EntryColumns, bool, error) {
	var out portal.EntryColumns
	found := false
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query("entry_columns"), args{"customer_id": who.CustomerID, "shape": shape})
		var err error
		out, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.EntryColumns])
		if found = err == nil; errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return portal.EntryColumns{}, false, fmt.Errorf("columns of customer %d: %w", who.CustomerID, err)
	}
	return out, found, nil
}

// RememberEntryColumns implements portal.EntryColumnsService.
func (s *EntryStore) RememberEntryColumns(ctx context.Context, who portal.Session, shape string,
	c portal.EntryColumns) error {
	err := s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
		a := args{"customer_id": who.CustomerID, "shape": shape, "head": c.Head, "item": c.Item, "quantity": c.Quantity,
			"unit": c.Unit, "all_units": c.AllUnits, "sign": c.Sign}
		if _, err := tx.Exec(ctx, query("entry_columns_keep"), a); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, query("entry_columns_prune"), a)
		return err
	})
	if err != nil {
		return fmt.Errorf("remember columns of customer %d: %w", who.CustomerID, err)
	}
	return nil
}
