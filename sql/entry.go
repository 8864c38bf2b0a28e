package sql

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"portal.example/portal"
)

// EntryStore implements portal.EntryService. Safe for concurrent use.
type EntryStore struct{ db *DB }

// NewEntryStore takes quick orders into the carts of db.
func NewEntryStore(db *DB) *EntryStore { return &EntryStore{db} }

// Resolve implements portal.EntryService.
func (s *EntryStore) Resolve(ctx context.Context, who portal.Session, rows []portal.EntryRow) ([]portal.EntryLine, error) {
	var out []portal.EntryLine
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		var err error
		out, err = resolve(ctx, tx, who, rows)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("quick order of login %d: %w", who.LoginID, err)
	}
	return out, nil
}

// resolve looks rows up, prices and judges them.
func resolve(ctx context.Context, tx pgx.Tx, who portal.Session, rows []portal.EntryRow) ([]portal.EntryLine, error) {
	if len(rows) > portal.MaxEntryRows {
		return nil, portal.Errorf(portal.CodeInvalid, "These are %d rows; at most %d can be taken at once.", len(rows), portal.MaxEntryRows)
	}
	out := make([]portal.EntryLine, len(rows))
	refs, uoms, qtys := make([]string, len(rows)), make([]string, len(rows)), make([]*decimal.Decimal, len(rows))
	read := make([]*portal.Qty, len(rows))
	for i, r := range rows {
		r.Ref, r.UOM, r.Qty = strings.TrimSpace(r.Ref), strings.ToUpper(strings.TrimSpace(r.UOM)), strings.TrimSpace(r.Qty)
		out[i] = portal.EntryLine{Line: i + 1, EntryRow: r}
		refs[i], uoms[i] = r.Ref, r.UOM
		if qty, ok := portal.ParseQty(r.Qty); ok {
			read[i], qtys[i] = &qty, &qty.Decimal
		}
	}
	type found struct {
		Ord int
		portal.EntryItem
	}
	list, _ := tx.Query(ctx, query("entry_resolve"), args{"customer_id": who.CustomerID, "refs": refs, "uoms": uoms, "qtys": qtys})
	items, err := pgx.CollectRows(list, pgx.RowToStructByName[found])
	if err != nil {
		return nil, err
	}
	for _, f := range items {
		out[f.Ord-1].Item = &f.EntryItem
	}
	for i := range out {
		out[i].Judge(read[i])
	}
	return out, nil
}

// AddReady implements portal.EntryService.
func (s *EntryStore) AddReady(ctx context.Context, who portal.Session, rows []portal.EntryRow, replace bool) ([]portal.EntryLine, int, error) {
	var out []portal.EntryLine
	var added int
	err := s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
		var err error
		if out, err = resolve(ctx, tx, who, rows); err != nil {
			return err
		}
		added, err = addReady(ctx, tx, who, out, nil, replace)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("quick order of login %d: %w", who.LoginID, err)
	}
	return out, added, nil
}

// addReady puts the lines that are ready into the cart. was, if given, is what
// each line cost on the document it was copied from.
func addReady(ctx context.Context, tx pgx.Tx, who portal.Session, lines []portal.EntryLine, was []*portal.Price, replace bool) (int, error) {
	var nos, uoms []string
	var qtys []decimal.Decimal
	var wases []*decimal.Decimal
	for i, l := range lines {
		if !l.Ready() {
			continue
		}
		qty, _ := portal.ParseQty(l.Qty) // Ready says that it can be read
		nos, uoms, qtys = append(nos, l.Item.ItemNo), append(uoms, l.Item.UOM), append(qtys, qty.Decimal)
		var w *decimal.Decimal
		if was != nil && was[i] != nil {
			w = &was[i].Decimal
		}
		wases = append(wases, w)
	}
	a := args{"customer_id": who.CustomerID, "login_id": who.LoginID, "item_nos": nos, "uoms": uoms, "qtys": qtys, "was": wases}
	if _, err := tx.Exec(ctx, query("cart_open"), a); err != nil {
		return 0, err
	}
	if replace {
		if _, err := tx.Exec(ctx, query("cart_clear"), a); err != nil {
			return 0, err
		}
	}
	if len(nos) == 0 {
		return 0, nil
	}
	rows, _ := tx.Query(ctx, query("entry_add"), a)
	items, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return 0, err
	}
	a["item_ids"] = items
	if _, err := tx.Exec(ctx, query("cart_seen"), a); err != nil {
		return 0, err
	}
	return len(nos), nil
}

// BoughtBefore implements portal.EntryService.
func (s *EntryStore) BoughtBefore(ctx context.Context, who portal.Session, limit int) ([]portal.BoughtRow, error) {
	var out []portal.BoughtRow
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query("bought_before"), args{"customer_id": who.CustomerID, "row_limit": limit})
		var err error
		out, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.BoughtRow])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("bought before by customer %d: %w", who.CustomerID, err)
	}
	return out, nil
}
