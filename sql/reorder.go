package sql

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// ReorderOrder implements portal.ReorderService.
func (s *EntryStore) ReorderOrder(ctx context.Context, who portal.Session, orderNo string,
	mode portal.ReorderMode) (portal.Reorder, error) {
	return s.reorder(ctx, who, "reorder_order", orderNo, mode)
}

// ReorderInvoice implements portal.ReorderService.
func (s *EntryStore) ReorderInvoice(ctx context.Context, who portal.Session, invoiceNo string,
	mode portal.ReorderMode) (portal.Reorder, error) {
	return s.reorder(ctx, who, "reorder_invoice", invoiceNo, mode)
}

func (s *EntryStore) reorder(ctx context.Context, who portal.Session, source, document string,
	mode portal.ReorderMode) (portal.Reorder, error) {
	out := portal.Reorder{Document: document}
	err := s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
		a := args{"customer_id": who.CustomerID, "login_id": who.LoginID, "document": document}
		type old struct {
			portal.EntryRow
			Description string
			OldPrice    *portal.Price
		}
		rows, _ := tx.Query(ctx, query(source), a)
		olds, err := pgx.CollectRows(rows, pgx.RowToStructByName[old])
		if err != nil {
			return err
		}
		if len(olds) == 0 {
			return portal.Errorf(portal.CodeNotFound, "There is no such document with lines to order again.")
		}
		if err := tx.QueryRow(ctx, query("cart_count"), a).Scan(&out.CartLines); err != nil {
			return err
		}
		entries := make([]portal.EntryRow, len(olds))
		was := make([]*portal.Price, len(olds))
		for i, o := range olds {
			entries[i], was[i] = o.EntryRow, o.OldPrice
		}
		lines, err := resolveStored(ctx, tx, who, entries)
		if err != nil {
			return err
		}
		out.Lines = nil
		for i, l := range lines {
			out.Lines = append(out.Lines, portal.ReorderLine{EntryLine: l, Description: olds[i].Description,
				OldPrice: olds[i].OldPrice, Outcome: outcome(l)})
		}
		if out.Asks = mode == portal.ReorderAsk && out.CartLines > 0; out.Asks {
			return nil
		}
		out.Added, err = addReady(ctx, tx, who, lines, was, mode == portal.ReorderReplace)
		return err
	})
	if err != nil {
		return portal.Reorder{}, fmt.Errorf("reorder %q of customer %d: %w", document, who.CustomerID, err)
	}
	return out, nil
}

func outcome(l portal.EntryLine) string {
	switch {
	case l.Ready():
		return portal.ReorderAdded
	case l.Item == nil:
		return portal.ReorderUnavailable
	case l.Item.Discontinued:
		return portal.ReorderDiscontinued
	}
	return portal.ReorderRefused
}
