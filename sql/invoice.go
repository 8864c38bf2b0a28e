package sql

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// InvoiceStore implements portal.InvoiceService. Safe for concurrent use.
type InvoiceStore struct{ db *DB }

// NewInvoiceStore shows the invoices of db.
func NewInvoiceStore(db *DB) *InvoiceStore { return &InvoiceStore{db} }

// invoiceRows reads what a filter leaves, n rows at most.
func invoiceRows(ctx context.Context, tx pgx.Tx, who portal.Session, f portal.InvoiceFilter, n int) (pgx.Rows, error) {
	sees, err := seesBalance(ctx, tx)
	if err != nil {
		return nil, err
	}
	date, number := parseDateCursor(f.Before)
	name := "invoice_list"
	if f.State == portal.InvoicesOpen || f.State == portal.InvoicesPastDue {
		name = "invoice_open_list"
	}
	search := strings.TrimSpace(f.Query)
	return tx.Query(ctx, query(name), args{"customer_id": who.CustomerID, "sees_balance": sees, "state": f.State,
		"query": search, "pattern": "%" + likePart(search) + "%", "from_date": f.From, "to_date": f.To, "before_date": date,
		"before_no": number, "row_limit": n})
}

// Invoices implements portal.InvoiceService.
func (s *InvoiceStore) Invoices(ctx context.Context, who portal.Session,
	f portal.InvoiceFilter) (portal.Invoices, error) {
	var out portal.Invoices
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		rows, err := invoiceRows(ctx, tx, who, f, portal.PageSize+1)
		if err != nil {
			return err
		}
		out.Invoices, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.Invoice])
		return err
	})
	if err != nil {
		return portal.Invoices{}, fmt.Errorf("invoices of customer %d: %w", who.CustomerID, err)
	}
	out.Invoices, out.Next = cutPage(out.Invoices,
		func(last portal.Invoice) string { return dateCursor(last.InvoiceDate, last.InvoiceNo) })
	return out, nil
}

// most that an export writes: more than any account has in years.
const exportRows = 1_000_000

// EachInvoice implements portal.InvoiceService.
func (s *InvoiceStore) EachInvoice(ctx context.Context, who portal.Session, f portal.InvoiceFilter,
	tell func(portal.Invoice) error) error {
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		rows, err := invoiceRows(ctx, tx, who, f, exportRows)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() { // one at a time: an export is not held in memory
			i, err := pgx.RowToStructByName[portal.Invoice](rows)
			if err != nil {
				return err
			}
			if err := tell(i); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("export invoices of customer %d: %w", who.CustomerID, err)
	}
	return nil
}

// Invoice implements portal.InvoiceService.
func (s *InvoiceStore) Invoice(ctx context.Context, who portal.Session,
	invoiceNo string) (portal.InvoiceDetail, error) {
	var out portal.InvoiceDetail
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		sees, err := seesBalance(ctx, tx)
		if err != nil {
			return err
		}
		out, err = invoiceDetail(ctx, tx,
			args{"customer_id": who.CustomerID, "invoice_no": invoiceNo, "sees_balance": sees, "staff": false})
		if !sees || out.Total == nil {
			out.Applied = nil // what was credited would tell a price
		}
		return err
	})
	if err != nil {
		return portal.InvoiceDetail{}, fmt.Errorf("invoice %q of customer %d: %w", invoiceNo, who.CustomerID,
			notFound(err, "There is no such invoice."))
	}
	return out, nil
}

// invoiceDetail reads an invoice and all that hangs on it.
func invoiceDetail(ctx context.Context, tx pgx.Tx, a args) (portal.InvoiceDetail, error) {
	rows, _ := tx.Query(ctx, query("invoice_head"), a)
	out, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.InvoiceDetail])
	if err != nil {
		return out, err
	}
	rows, _ = tx.Query(ctx, query("invoice_lines"), a)
	if out.Lines, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.InvoiceLine]); err != nil {
		return out, fmt.Errorf("lines: %w", err)
	}
	rows, _ = tx.Query(ctx, query("invoice_ship_to"), a)
	shipTo, err := pgx.CollectOneRow(rows, pgx.RowToAddrOfStructByName[portal.ShipTo])
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return out, fmt.Errorf("ship-to: %w", err)
	}
	out.ShipTo = shipTo
	rows, _ = tx.Query(ctx, query("invoice_applied"), a)
	if out.Applied, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.Applied]); err != nil {
		return out, fmt.Errorf("applied: %w", err)
	}
	return out, nil
}

// seesBalance reports whether the transaction's customer and log-in may see
// what is owed and paid.
func seesBalance(ctx context.Context, tx pgx.Tx) (sees bool, err error) {
	err = tx.QueryRow(ctx, query("sees_balance")).Scan(&sees)
	return sees, err
}

// dateCursor is the position in a list that is sorted by date: the last row's
// date and number.
func dateCursor(date time.Time, number string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(date.Format(time.DateOnly) + " " + number))
}

// parseDateCursor is the beginning of the list for what is no cursor.
func parseDateCursor(s string) (*time.Time, string) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil, ""
	}
	day, number, _ := strings.Cut(string(raw), " ")
	date, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return nil, ""
	}
	return &date, number
}
